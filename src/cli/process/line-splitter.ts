/** Lines of standard input: split on byte 0x0A only, strict UTF-8, bounded however long a line gets. */
import { MESSAGE_BYTES_MAX } from "../../core/config.ts";

/** A line of more bytes than the largest message can be no message; it is skipped to its end, unbuffered. */
const LINE_BYTES_MAX = MESSAGE_BYTES_MAX + 1024;
const NEWLINE = 0x0a;

export type Line =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: "too-large" | "not-utf8"; readonly message: string };

export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** The lines that end in these bytes. */
  push(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, newline));
      lines.push(this.#take());
      start = newline + 1;
    }
    this.#keep(chunk.subarray(start));
    return lines;
  }

  /** The text behind the last newline, as a line, if there is any. */
  end(): Line[] {
    return this.#bytes === 0 ? [] : [this.#take()];
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (bytes.length > 0 && this.#bytes <= LINE_BYTES_MAX) this.#pieces.push(bytes.slice());
    else if (this.#bytes > LINE_BYTES_MAX) this.#pieces = [];
  }

  #take(): Line {
    const bytes = this.#bytes;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    if (bytes > LINE_BYTES_MAX) {
      return {
        ok: false,
        code: "too-large",
        message: `a line of ${bytes} bytes: the limit of a message is ${MESSAGE_BYTES_MAX} bytes of UTF-8, send it in parts`,
      };
    }
    try {
      const text = this.#decoder.decode(Buffer.concat(pieces));
      return { ok: true, text: text.endsWith("\r") ? text.slice(0, -1) : text };
    } catch {
      return {
        ok: false,
        code: "not-utf8",
        message: "a line that is not UTF-8 was not sent: convert it first (iconv -t utf-8)",
      };
    }
  }
}
