/** Base32 (RFC 4648) in lower case and without padding. People can read it aloud and type it. */
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const BITS = 5;

export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= BITS; bits -= BITS) text += ALPHABET[(value >> (bits - BITS)) & 31];
  }
  return bits > 0 ? text + ALPHABET[(value << (BITS - bits)) & 31] : text;
}

/** The bytes for which `toBase32` returns this text; null: there are none. */
export function fromBase32(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * BITS) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return null;
    value = ((value << BITS) | digit) & 0xfff;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = value >> bits;
    at += 1;
  }
  return toBase32(bytes) === text ? bytes : null;
}
