/** Any value that the types allow, put anywhere: what writers are held to their readers with. */
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert.ts";
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX, PEER_ID_MAX, TERM_MAX } from "../../src/core/config.ts";

/** All that a `number` may be. */
export const anyNumber = fc.oneof(
  fc.constantFrom(0, -0, -1, 1, 0.5, -0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, Number.MIN_SAFE_INTEGER, 1e300, 5e-324),
  fc.constantFrom(-315_619_200_000, 8.64e15, 2 ** 31, 2 ** 32, 65_535, 65_536, PEER_ID_MAX + 1, TERM_MAX + 1),
  fc.maxSafeInteger(),
  fc.double(),
);
/** All that a `string` may be: lone surrogates, control characters, line separators, empty, at and above every limit. */
export const anyText = fc.oneof(
  fc.constantFrom("", "\0", "\n", "\r\n", "\x7f", "\x9b", "\u2028\u2029", "\ud800", "\udc00\ud800", "\ufeff", "\uffff"),
  fc.constantFrom('"', "\\", '\\"', '","crc":1}\n', '"ts":)', "__proto__", "a".repeat(64), "a".repeat(65), "A"),
  fc.constantFrom("x".repeat(MESSAGE_BYTES_MAX), "x".repeat(MESSAGE_BYTES_MAX + 1), "\x01".repeat(MESSAGE_BYTES_MAX)),
  fc.constantFrom("é".repeat(NAME_BYTES_MAX / 2), "é".repeat(NAME_BYTES_MAX / 2 + 1), "\ud800".repeat(22)),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 40 }),
);

/** The value put at one of the places where something of its type stands; the same object where there is none. */
export function planted<T>(frame: T, value: number | string, at: number): T {
  const places: (readonly (string | number)[])[] = [];
  const look = (part: unknown, path: readonly (string | number)[]): void => {
    if (typeof part === typeof value) places.push(path);
    if (part instanceof Uint8Array || typeof part !== "object" || part === null) return;
    for (const [key, inner] of Object.entries(part)) look(inner, [...path, Array.isArray(part) ? Number(key) : key]);
  };
  look(frame, []);
  const path = places[at % Math.max(1, places.length)];
  if (path === undefined) return frame;
  const copy = structuredClone(frame);
  let target = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) target = target[key] as typeof target;
  target[path.at(-1) as string] = value;
  return copy;
}

/** What comes of it, or the assertion. */
export function attempt<T>(write: () => T): T | AssertionError {
  try {
    return write();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
}

/** -0 is written as 0. */
export const positive = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
