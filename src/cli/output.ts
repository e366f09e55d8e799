/**
 * The one writer to a stream: in order, awaited at the end, and bounded. A process that exits right after writing loses
 * what is behind the first 64 KiB of a pipe in some runtimes; `finished` is waited for instead. It counts the stream's
 * answers to each write: an empty last write is answered at once in Bun, ahead of those still under way.
 */
import type { Writable } from "node:stream";

/** More characters than this waiting for a slow reader: whoever produces is asked to pause, until half of them are read. */
const WAITING_MAX = 1024 * 1024;

export class Output {
  readonly #stream: Writable;
  readonly #isTerminal: boolean;
  #lost = false;
  #failure: string | null = null;
  #unanswered = 0;
  /** Characters of these: `writableLength` stays 0 for the standard output of Bun 1.4, however slow its reader. */
  #waiting = 0;
  #paused: (() => void) | null = null;
  #onFinished: (() => void)[] = [];

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true;
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
    return !this.#lost && this.#waiting >= WAITING_MAX;
  }

  write(text: string): void {
    if (this.#lost || text === "") return;
    this.#unanswered++;
    this.#waiting += text.length;
    this.#stream.write(text, (error) => {
      // The event of it may come later.
      if (error instanceof Error) this.#failed(error);
      this.#answered(text.length);
    });
  }

  /** Called once, when the reader has caught up. */
  resumed(go: () => void): void {
    this.#paused = go;
  }

  /** Resolves when everything written is with the reader, or the reader is gone. */
  finished(): Promise<void> {
    if (this.#lost || this.#unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onFinished.push(resolve));
  }

  #failed(error: NodeJS.ErrnoException): void {
    // A reader or a terminal that went away is no reason to fail.
    if (error.code !== "EPIPE" && !this.#isTerminal) this.#failure ??= error.message;
    this.abandon();
  }

  #answered(length: number): void {
    this.#unanswered--;
    this.#waiting -= length;
    if (this.#waiting < WAITING_MAX / 2) this.#resume();
    if (this.#unanswered === 0) this.#finish();
  }

  #resume(): void {
    const go = this.#paused;
    this.#paused = null;
    go?.();
  }

  #finish(): void {
    for (const done of this.#onFinished.splice(0)) done();
  }
}
