/**
 * Lines read byte by byte, the counterpart of `line-writer`. Texts that JSON does not escape are taken as they are.
 * Neighbours are decoded together, because decoding each text alone costs several times as much.
 */
import { decodeUtf8 } from "./text.ts";

/** A text that is kept may keep its whole block in memory, so a block has no more than this. */
const BLOCK_BYTES = 8192;
/** A number with this many digits is exact in a double. */
const DIGITS_MAX = 15;
const QUOTE = 0x22;
/** 1 for each byte that JSON escapes in a string. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte < 0x20 || byte === QUOTE || byte === 0x5c));

interface Block {
  chunk: Uint8Array;
  start: number;
  end: number;
  text: string | null;
}

export class LineReader {
  /** Where the next byte is read. */
  at = 0;
  /** chunk[start, end) decoded as a whole, if it is ASCII. */
  readonly #block: Block = { chunk: new Uint8Array(0), start: 0, end: 0, text: null };

  /** Reads a number and goes behind it; -1 for anything but the shortest decimal form of an exact one. */
  number(chunk: Uint8Array): number {
    const start = this.at;
    let i = start;
    let value = 0;
    for (; i < chunk.length; i++) {
      const digit = (chunk[i] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = i;
    const digits = i - start;
    return digits === 0 || digits > DIGITS_MAX || (digits > 1 && chunk[start] === 0x30) ? -1 : value;
  }

  /** Goes behind `bytes` if they stand here. */
  skip(chunk: Uint8Array, bytes: Uint8Array): boolean {
    const { at } = this;
    for (let i = 0; i < bytes.length; i++) if (chunk[at + i] !== bytes[i]) return false;
    this.at = at + bytes.length;
    return true;
  }

  /** The plain text chunk[start, end), or null for what is not UTF-8. Through `known` the chunk does not change any more. */
  text(chunk: Uint8Array, start: number, end: number, known: number): string | null {
    const block = this.#block;
    if (chunk !== block.chunk || start < block.start || end > block.end) {
      if (end - start > BLOCK_BYTES) return decodeUtf8(chunk.subarray(start, end));
      block.chunk = chunk;
      block.start = start;
      block.end = Math.min(known, start + BLOCK_BYTES);
      block.text = decodeUtf8(chunk.subarray(start, block.end));
      // If the lengths are equal each byte is a character.
      if (block.text?.length !== block.end - start) block.text = null;
    }
    if (block.text === null) return decodeUtf8(chunk.subarray(start, end));
    return block.text.slice(start - block.start, end - block.start);
  }
}

/** Whether chunk[start, end) holds no byte that JSON escapes. */
export function isPlain(chunk: Uint8Array, start: number, end: number): boolean {
  // This loop has no branch for each byte.
  let escaped = 0;
  for (let i = start; i < end; i++) escaped |= ESCAPED[chunk[i] as number] as number;
  return escaped === 0;
}

/** Where the plain bytes that begin at `start` end: usually at a quote. */
export function plainEnd(chunk: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && ESCAPED[chunk[i] as number] === 0) i += 1;
  return i;
}
