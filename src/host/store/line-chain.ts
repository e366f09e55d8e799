/** Lines of the log as bytes, held to the chain of their check sums. */
import { checkCrc, readCrc } from "../../wire/entry.ts";
import { WireError } from "../../wire/errors.ts";

/** The crc at the end of lines that continue the chain from `prevCrc`; null if one does not. */
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

/** The crc that a line, or the end of one, states; NaN if it is damaged there. */
export function statedCrc(line: Uint8Array): number {
  return orNull(() => readCrc(line, 0, line.length)) ?? Number.NaN;
}

/** Null for what is damaged. */
function orNull(read: () => number): number | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}
