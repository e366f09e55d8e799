/**
 * The part of the failure detector that watches this very process (Chandra & Toueg 1996 call it unreliable for good
 * reason): after a stall, expired timers run before queued input. The others then seem silent only because this process
 * has not listened.
 */
import type { Millis } from "../../core/ids.ts";

/** Being later than this counts as a stall; less is scheduling. */
const LATE_MS = 100;

export class LateClock {
  #expected: Millis;

  constructor(now: Millis) {
    this.#expected = now + LATE_MS;
  }

  /** By when the next `advance` is due. */
  expect(at: Millis): void {
    this.#expected = at;
  }

  /** Returns by how many milliseconds this process was held up, 0 if it was not. */
  advance(now: Millis): number {
    const late = now - this.#expected;
    if (late < LATE_MS) return 0;
    this.#expected = now;
    return late;
  }
}
