/**
 * The one writer to a stream: in order, awaited at the end, and bounded. A process that exits right after writing loses
 * what is behind the first 64 KiB of a pipe in some runtimes; `finished` is waited for instead. It counts the stream's
 * answers to each write: an empty last write is answered at once in Bun, ahead of those still under way.
 */
import type { Writable } from "node:stream";

/** When more characters than this wait for a slow reader, the producer is asked to pause until half of them are read. */
const WAITING_MAX = 1024 * 1024;
/** The limit for a screen: the next frame is drawn only when the terminal has the one before, so that none is out of date. */
export const ONE_FRAME = 1;
/** Last words are waited for as long as their reader takes some of them within this time. */
const LAST_WORDS_MS = 2000;

export class Output {
  readonly #stream: Writable;
  readonly #isTerminal: boolean;
  readonly #waitingMax: number;
  #lost = false;
  #failure: string | null = null;
  #unanswered = 0;
  /** Characters of these: `writableLength` stays 0 for the standard output of Bun 1.4, however slow its reader. */
  #waiting = 0;
  #paused: (() => void) | null = null;
  #onFinished: (() => void)[] = [];
  #written = 0;
  /** What is to be done once `written` writes are answered. */
  #passing: { readonly written: number; readonly go: () => void }[] = [];
  #patienceMs: number | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(stream: Writable & { readonly isTTY?: boolean }, waitingMax = WAITING_MAX) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true;
    this.#waitingMax = waitingMax;
    stream.on("error", (error) => this.#failed(error));
  }

  /** The reader is gone. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Why something that was written is nowhere, like a full disk; null where all is, or who read it went away. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The reader is known to be gone, which not every runtime tells of a closed terminal: nothing is waited for any more. */
  abandon(): void {
    this.#lost = true;
    this.#resume();
    this.#finish();
  }

  /** Writes one line; false when the reader is behind and the producer should pause until `resumed`. */
  line(text: string): boolean {
    this.write(`${text}\n`);
    return !this.behind;
  }

  /** The reader is behind. */
  get behind(): boolean {
    return !this.#lost && this.#waiting >= this.#waitingMax;
  }

  write(text: string): void {
    if (this.#lost || text === "") return;
    this.#unanswered++;
    this.#written++;
    this.#waiting += text.length;
    this.#stream.write(text, (error) => {
      // The stream's error event may come later.
      if (error instanceof Error) this.#failed(error);
      this.#answered(text.length);
    });
  }

  /** Called once everything written so far is with the reader; never if the reader is gone before. */
  passed(go: () => void): void {
    if (this.#lost || this.#stream.errored) return;
    // The stream has taken everything, though its answer comes later.
    if (this.#unanswered === 0 || this.#stream.writableLength === 0) go();
    else this.#passing.push({ written: this.#written, go });
  }

  /** Called once, when the reader has caught up. */
  resumed(go: () => void): void {
    this.#paused = go;
  }

  /** Resolves when everything written is with the reader, or the reader is gone, or given up. */
  finished(): Promise<void> {
    if (this.#lost || this.#unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onFinished.push(resolve);
      this.#wait();
    });
  }

  /** From now on `finished` gives the reader up when it takes nothing for this time: somebody wants this process to end. */
  hasten(patienceMs = LAST_WORDS_MS): void {
    this.#patienceMs = patienceMs;
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#patience);
    const patienceMs = this.#patienceMs;
    if (patienceMs === null || this.#onFinished.length === 0) return;
    const giveUp = () => this.#stream.destroy(new Error(`nobody has read it for ${patienceMs / 1000} s`));
    this.#patience = setTimeout(giveUp, patienceMs);
  }

  #failed(error: NodeJS.ErrnoException): void {
    // It is no failure that a reader or a terminal went away.
    if (error.code !== "EPIPE" && !this.#isTerminal) this.#failure ??= error.message;
    this.abandon();
  }

  #answered(length: number): void {
    this.#unanswered--;
    this.#waiting -= length;
    const answered = this.#written - this.#unanswered;
    while (!this.#lost && (this.#passing[0]?.written ?? Number.POSITIVE_INFINITY) <= answered)
      this.#passing.shift()?.go();
    if (this.#waiting < this.#waitingMax / 2) this.#resume();
    if (this.#unanswered === 0) this.#finish();
    else this.#wait();
  }

  #resume(): void {
    const go = this.#paused;
    this.#paused = null;
    go?.();
  }

  #finish(): void {
    clearTimeout(this.#patience);
    for (const done of this.#onFinished.splice(0)) done();
  }
}
