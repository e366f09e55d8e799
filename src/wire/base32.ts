/** Bytes in letters that survive a telephone: base32 of RFC 4648, in lower case, without padding. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const BITS = 5;

export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= BITS; bits -= BITS) text += LETTERS[(held >> (bits - BITS)) & 31];
  }
  return bits === 0 ? text : text + LETTERS[(held << (BITS - bits)) & 31];
}

/** null for what `encodeBase32` does not make. */
export function decodeBase32(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * BITS) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = LETTERS.indexOf(letter);
    if (value < 0) return null;
    held = ((held << BITS) | value) & 0xfff;
    bits += BITS;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (held >> bits) & 0xff;
  }
  // What is left fills the last letter up: less than one letter, and zeros.
  return bits < BITS && (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}
