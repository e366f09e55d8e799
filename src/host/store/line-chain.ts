/** Checks lines of the log, as bytes, by the chain of their crcs. */
import { checkCrc, readCrc } from "../../wire/entry.ts";
import { WireError } from "../../wire/wire-error.ts";

/** The crc of the last line, if all lines continue the chain from `prevCrc`; null if one does not. */
export function checkLines(bytes: Uint8Array, prevCrc: number): number | null {
  return orNull(() => crcAfter(bytes, prevCrc));
}

function crcAfter(bytes: Uint8Array, prevCrc: number): number {
  let crc = prevCrc;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start) + 1;
    crc = checkCrc(bytes, start, end, crc);
    start = end;
  }
  return crc;
}

/** The crc written in a line, or in the end of one; NaN if that place is damaged. */
export function statedCrc(line: Uint8Array): number {
  return orNull(() => readCrc(line, 0, line.length)) ?? Number.NaN;
}

/** Null if it is damaged. */
function orNull(read: () => number): number | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
