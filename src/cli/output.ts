/**
 * The one writer to a stream: in order, awaited at the end, and bounded. A process that exits right after writing loses
 * what is behind the first 64 KiB of a pipe in some runtimes; `finished` is waited for instead.
 */
import type { Writable } from "node:stream";

/** More than this waiting for a slow reader: whoever produces is asked to pause. */
const WAITING_BYTES_MAX = 1024 * 1024;

export class Output {
  readonly #stream: Writable;
  #lost = false;
  #paused: (() => void) | null = null;
  #onEnd: (() => void)[] = [];

  constructor(stream: Writable) {
    this.#stream = stream;
    // A reader that went away (EPIPE) is no reason to fail.
    stream.on("error", () => {
      this.#lost = true;
      this.#release();
    });
    stream.on("drain", () => this.#release());
  }

  /** The reader is gone. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Writes one line; false when the reader is behind and the producer should pause until `resumed`. */
  line(text: string): boolean {
    if (this.#lost) return true;
    this.#stream.write(`${text}\n`);
    return this.#stream.writableLength < WAITING_BYTES_MAX;
  }

  write(text: string): void {
    if (!this.#lost) this.#stream.write(text);
  }

  /** Called once, when the reader has caught up. */
  resumed(go: () => void): void {
    this.#paused = go;
  }

  /** Resolves when everything written is with the reader, or the reader is gone. */
  finished(): Promise<void> {
    if (this.#lost) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEnd.push(resolve);
      this.#stream.write("", () => resolve());
    });
  }

  #release(): void {
    const go = this.#paused;
    this.#paused = null;
    go?.();
    if (this.#lost) for (const done of this.#onEnd.splice(0)) done();
  }
}
