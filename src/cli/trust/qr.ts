/** A text as a code that a camera reads, in rows of half blocks. */

/**
 * Encoded by `qr`: it is kept, has no dependencies, is checked against its own decoder and others, and draws half blocks
 * itself. Its 40 KB are loaded only here. Low error correction makes the code as small as can be; a screen has no stains.
 */
export async function qrRows(text: string, paint: (row: string) => string): Promise<string[]> {
  const { encodeQR } = await import("qr");
  return encodeQR(text, "ascii", { ecc: "low" }).trimEnd().split("\n").map(paint);
}
