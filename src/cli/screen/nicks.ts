/**
 * A colour for every name, the same on every peer and every day, readable on light and on dark backgrounds. Taken from the
 * colour cube of the 256 (xterm's 16 to 231), because themes change the first 16. A test holds each to a contrast of at
 * least 3:1, which WCAG 2 asks of bold text, against #000, #1e1e1e and #fff; 4.5:1 against all three no colour has.
 */
import type { Paint } from "./paint.ts";
import { visible } from "./visible.ts";

export const NICK_COLOURS = [131, 166, 136, 100, 64, 28, 30, 32, 69, 99, 134, 164, 162, 168] as const;

/** The first value of the hash, chosen so that usual names (alice, bob, carol; peer_1, peer_2) get different colours. */
const BASIS = 53;

/** FNV-1a of the name (http://www.isthe.com/chongo/tech/comp/fnv/): short names that differ in one letter lie apart. */
export function nickColour(name: string): number {
  let hash = BASIS;
  for (const byte of new TextEncoder().encode(name.normalize("NFC"))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return NICK_COLOURS[((hash >>> 16) ^ (hash & 0xffff)) % NICK_COLOURS.length] as number;
}

/** The name, safe to show, bold and in its colour; plain where the paint is. */
export function paintNick(name: string, paint: Paint): string {
  const shown = visible(name);
  const bold = paint.bold(shown);
  return bold === shown ? shown : `\x1b[38;5;${nickColour(name)}m${bold}\x1b[39m`;
}
