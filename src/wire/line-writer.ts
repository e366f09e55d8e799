/**
 * Lines made byte by byte. Strings built of numbers and then encoded cost several times as much, and a leader makes a
 * line for every message. A slab holds many lines, so that neighbours in the log are neighbours in memory, and are
 * written in one call. Slabs belong to this writer alone, so that nothing depends on what else the process does.
 */
import { assert } from "../core/assert.ts";
import { isPlain } from "./line-reader.ts";

const SLAB_BYTES = 1024 * 1024;
const ENCODER = new TextEncoder();

/** From this many bytes on, a native copy is faster than a loop. */
const COPY_BYTES = 24;
const QUOTE = 0x22;
/** Bytes of JSON for one UTF-16 unit, at most: a control character takes six, anything else at most three. */
const JSON_BYTES_MAX = 6;
const UTF8_BYTES_MAX = 3;

export class LineWriter {
  slab = new Uint8Array(0);
  /** Where the next byte goes. */
  at = 0;

  /** Makes room for `bytes`, in one piece. Earlier lines stay where they are. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.slab.length) return;
    this.slab = new Uint8Array(Math.max(SLAB_BYTES, bytes));
    this.at = 0;
  }

  bytes(bytes: Uint8Array): void {
    const { slab } = this;
    if (bytes.length >= COPY_BYTES) {
      slab.set(bytes, this.at);
      this.at += bytes.length;
      return;
    }
    let { at } = this;
    for (let i = 0; i < bytes.length; i++) slab[at++] = bytes[i] as number;
    this.at = at;
  }

  text(text: string): void {
    this.at += ENCODER.encodeInto(text, this.slab.subarray(this.at)).written;
  }

  /** Writes a whole number from 0 to Number.MAX_SAFE_INTEGER in decimal; the reader would refuse any other. */
  number(value: number): void {
    assert(value >= 0 && Number.isSafeInteger(value), "a number that is written is whole, and not below 0");
    this.#number(value);
  }

  #number(value: number): void {
    if (value < 2 ** 31) return this.#digits(value, decimalDigits(value));
    // Arithmetic on 32 bits is far faster, so the last seven digits are written separately.
    const high = Math.floor(value / 1e7);
    this.#number(high);
    this.#digits(value - high * 1e7, 7);
  }

  /** The text as a JSON string, as JSON.stringify writes it. */
  json(text: string): void {
    const { slab, at } = this;
    const end = at + 1 + ENCODER.encodeInto(text, slab.subarray(at + 1)).written;
    // If the lengths are equal the text is ASCII.
    if (end !== at + 1 + text.length || !isPlain(slab, at + 1, end)) return this.text(JSON.stringify(text));
    slab[at] = QUOTE;
    slab[end] = QUOTE;
    this.at = end + 1;
  }

  #digits(value: number, count: number): void {
    const { slab, at } = this;
    let rest = value | 0;
    for (let i = at + count - 1; i >= at; i--) {
      const tenth = (rest / 10) | 0;
      slab[i] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.at = at + count;
  }
}

/** Bytes that `json` and `text` need at most. */
export function jsonBytesMax(text: string): number {
  return JSON_BYTES_MAX * text.length + 2;
}

export function utf8BytesMax(text: string): number {
  return UTF8_BYTES_MAX * text.length;
}

/** Digits of a whole number in decimal. */
export function decimalDigits(value: number): number {
  let digits = 1;
  for (let limit = 10; limit <= value; limit *= 10) digits += 1;
  return digits;
}
