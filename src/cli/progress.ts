/** One line that says how far something is, rewritten in place: on a terminal only. */
const EVERY_MS = 100;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #shown = false;
  #at = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(text: string): void {
    const now = performance.now();
    if (this.#stream.isTTY !== true || now < this.#at + EVERY_MS) return;
    this.#at = now;
    this.#shown = true;
    this.#stream.write(`\r${text.slice(0, this.#stream.columns - 1)}\x1b[K`);
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[K");
    this.#shown = false;
    this.#at = 0;
  }
}
