/** How much clients may have under way follows from how long it takes [S9]. */
import { describe, expect, test } from "bun:test";
import { Allowance } from "../../../src/host/client/allowance.ts";

const [LEAST, MOST] = [16 * 1024, 256 * 1024];

/** A flood through a log that takes `bytesPerMs`, and needs `shortest` ms for the first byte: what is said last waits so long. */
function flood(allowance: Allowance, bytesPerMs: number, shortest: number, ms: number, from = 0): number {
  let wait = 0;
  for (let now = from; now < from + ms; now += wait) {
    wait = shortest + allowance.bytes / bytesPerMs;
    allowance.arrived(now, now + wait, true);
  }
  return wait;
}

describe("the allowance of clients", () => {
  test("is what is committed within some milliseconds, whatever the log takes", () => {
    for (const [bytesPerMs, shortest] of [
      [3000, 1],
      [10_000, 2],
      [4000, 12],
    ] as const) {
      const allowance = new Allowance(LEAST, MOST);
      const wait = flood(allowance, bytesPerMs, shortest, 2000);
      // The shortest time is seen under the least allowance, which takes some of it already.
      expect(wait).toBeLessThan(shortest + LEAST / bytesPerMs + 9);
      expect(allowance.bytes).toBeGreaterThan(4 * bytesPerMs);
      // Half as fast: it follows within a few messages.
      expect(flood(allowance, bytesPerMs / 2, shortest, 500, 2000)).toBeLessThan(
        shortest + (2 * LEAST) / bytesPerMs + 9,
      );
    }
  });

  test("stays within its bounds, on the fastest and on the slowest disk", () => {
    const fast = new Allowance(LEAST, MOST);
    flood(fast, 1_000_000, 0.1, 1000);
    expect(fast.bytes).toBe(MOST);
    const slow = new Allowance(LEAST, MOST);
    flood(slow, 10, 300, 20_000);
    expect(slow.bytes).toBeLessThan(1.1 * LEAST);
  });

  test("does not grow where nothing waits: it would be too large when a flood begins", () => {
    const allowance = new Allowance(LEAST, MOST);
    for (let now = 0; now < 1000; now += 10) allowance.arrived(now, now + 2, false);
    expect(allowance.bytes).toBe(LEAST);
  });

  test("a line that has become slow for good is as slow as that after a while", () => {
    const allowance = new Allowance(LEAST, MOST);
    flood(allowance, 3000, 1, 2000);
    flood(allowance, 3000, 40, 30_000, 2000);
    expect(allowance.bytes).toBeGreaterThan(LEAST);
  });
});
