/** Makes the time of a wall clock one that a log can hold: people, and machines without a battery, set clocks wrong. */

/** Whole milliseconds since 1970, 0 for everything before. */
export function wallTime(ms: number): number {
  if (!(ms > 0)) return 0;
  return Math.min(Math.floor(ms), Number.MAX_SAFE_INTEGER);
}
