/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, appendix B.4), sixteen bytes at a time with one
 * table each (slicing, Kounavis & Berry 2005). Our own, because the runtimes' CRCs are another polynomial.
 */

const SLICES = 16;
const TABLES = makeTables();

function makeTables(): Int32Array[] {
  const tables = Array.from({ length: SLICES }, () => new Int32Array(256));
  const first = tables[0] as Int32Array;
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    first[n] = c;
  }
  for (let t = 1; t < SLICES; t++) {
    const before = tables[t - 1] as Int32Array;
    const table = tables[t] as Int32Array;
    for (let n = 0; n < 256; n++) {
      const c = before[n] as number;
      table[n] = (first[c & 0xff] as number) ^ (c >>> 8);
    }
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15] = TABLES as [
  ...[Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array],
  ...[Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array],
];

/** The raw register after bytes[start, end), from the raw register `crc`. */
function update(crc: number, bytes: Uint8Array, start: number, end: number): number {
  let c = crc;
  let i = start;
  for (; i + 16 <= end; i += 16) {
    const low =
      c ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    c =
      (T15[low & 0xff] as number) ^
      (T14[(low >>> 8) & 0xff] as number) ^
      (T13[(low >>> 16) & 0xff] as number) ^
      (T12[low >>> 24] as number) ^
      (T11[bytes[i + 4] as number] as number) ^
      (T10[bytes[i + 5] as number] as number) ^
      (T9[bytes[i + 6] as number] as number) ^
      (T8[bytes[i + 7] as number] as number) ^
      (T7[bytes[i + 8] as number] as number) ^
      (T6[bytes[i + 9] as number] as number) ^
      (T5[bytes[i + 10] as number] as number) ^
      (T4[bytes[i + 11] as number] as number) ^
      (T3[bytes[i + 12] as number] as number) ^
      (T2[bytes[i + 13] as number] as number) ^
      (T1[bytes[i + 14] as number] as number) ^
      (T0[bytes[i + 15] as number] as number);
  }
  for (; i < end; i++) c = (T0[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return c;
}

/** CRC-32C of bytes[start, end), as an unsigned number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return ~update(-1, bytes, start, end) >>> 0;
}

/** One link of the log's chain [L3]: over the previous line's crc, big-endian, and bytes[start, end). */
export function chainCrc(previous: number, bytes: Uint8Array, start: number, end: number): number {
  let c = -1;
  for (let shift = 24; shift >= 0; shift -= 8) c = (T0[(c ^ (previous >>> shift)) & 0xff] as number) ^ (c >>> 8);
  return ~update(c, bytes, start, end) >>> 0;
}
