/** One line that says how far something is, rewritten in place: on a terminal only. */
import type { StandardStream } from "../../adapters/standard-stream.ts";

const EVERY_MS = 100;
/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80;

export class Progress {
  readonly #stream: StandardStream;
  #shown = false;
  #at = 0;

  constructor(stream: StandardStream) {
    this.#stream = stream;
  }

  show(text: string): void {
    const now = performance.now();
    if (this.#stream.isTTY !== true || now < this.#at + EVERY_MS) return;
    // Nobody has read the line before.
    if (this.#stream.writableLength > 0) return;
    this.#at = now;
    this.#shown = true;
    this.#stream.write(`\r${text.slice(0, (this.#stream.columns || COLUMNS) - 1)}\x1b[K`);
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#shown) this.#stream.write("\r\x1b[K");
    this.#shown = false;
    this.#at = 0;
  }
}
