/** Wall clocks are set by people and by machines without a battery: what one says becomes a time that a log can hold. */

/** Whole milliseconds since 1970, 0 for everything before. */
export function wallTime(ms: number): number {
  if (!(ms > 0)) return 0;
  return Math.min(Math.floor(ms), Number.MAX_SAFE_INTEGER);
}
