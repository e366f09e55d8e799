/** Bytes and text at the border: strict UTF-8, bounded nesting, JSON objects only. */
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX, NESTING_MAX } from "../core/config.ts";
import { WireError } from "./wire-error.ts";

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A string of up to this many bytes is searched faster by hand. */
const SHORT_BYTES = 16;

export function encodeUtf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Decodes strictly: null if it is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/** Control characters, C0 and C1: a name that holds them is refused. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether a user or a room may have this name: 1 to 64 bytes of UTF-8 without control characters. */
export function isName(text: string): boolean {
  return isUtf8(text, NAME_BYTES_MAX) && !CONTROL.test(text);
}

/** Whether a text may be sent: 1 byte to 64 KiB of UTF-8. */
export function isMessage(text: string): boolean {
  return isUtf8(text, MESSAGE_BYTES_MAX);
}

/**
 * Whether the text has 1 to `max` bytes of UTF-8, which are counted only if that is in doubt. A lone surrogate, for
 * which UTF-8 has no bytes, is refused.
 */
function isUtf8(text: string, max: number): boolean {
  return (
    text.length > 0 && text.length <= max && (text.length * 3 <= max || utf8Length(text) <= max) && text.isWellFormed()
  );
}

/** Cuts words for people to at most `max` UTF-16 units. */
export function cut(words: string, max: number): string {
  return words.length <= max ? words : `${words.slice(0, max - 1).toWellFormed()}…`;
}

/** Length in bytes of UTF-8; a lone surrogate counts as the three bytes it is replaced by. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Parses one line as a JSON object. Throws WireError, never anything else. */
export function parseObject(bytes: Uint8Array, start: number, end: number): Record<string, unknown> {
  checkNesting(bytes, start, end);
  // Usually a line comes alone; its newline is white space to JSON.
  const whole = start === 0 && bytes.length - end <= 1 && (end === bytes.length || bytes[end] === NEWLINE);
  const value = parseJson(whole ? bytes : bytes.subarray(start, end));
  if (value === undefined) throw new WireError(`not a line of JSON in UTF-8: ${quote(bytes, start, end)}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WireError(`not a JSON object: ${quote(bytes, start, end)}`);
  }
  return value as Record<string, unknown>;
}

/** Parses the bytes followed by `ending` as JSON; undefined if it is none. The caller checks the nesting. */
export function parseJson(bytes: Uint8Array, ending = ""): unknown {
  try {
    return JSON.parse(DECODER.decode(bytes) + ending);
  } catch {
    return undefined;
  }
}

/** Counts brackets before JSON.parse runs: it accepts any depth, but the code that handles its result does not. */
function checkNesting(bytes: Uint8Array, start: number, end: number): void {
  let depth = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = stringEnd(bytes, i + 1, end);
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > NESTING_MAX) throw new WireError(`nested deeper than ${NESTING_MAX} levels`);
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
}

/** Where the string that begins at `start` has its closing quote; `end` if it has none. */
export function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (i === start + SHORT_BYTES) {
      // A long string is left to a native search. A quote with a backslash before it may be escaped.
      const quote = bytes.indexOf(QUOTE, i);
      if (quote < 0 || quote >= end) return end;
      if (quote === i || bytes[quote - 1] !== BACKSLASH) return quote;
    }
    const byte = bytes[i];
    if (byte === BACKSLASH) i += 1;
    else if (byte === QUOTE) return i;
  }
  return end;
}

/** What may be an invitation or a secret, or the beginning of one. */
const SECRET = /chatpeer1-[\w-]+|[a-z2-7]{20,}/g;

/** The beginning of hostile bytes, safe to print and to log. */
export function quote(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < Math.min(end, start + 40); i++) {
    const byte = bytes[i] as number;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  text = text.replace(SECRET, "…");
  return end - start > 40 ? `${text}… (${end - start} bytes)` : text;
}
