/** How much clients may have under way follows from how long it takes [S9]. */
import { describe, expect, test } from "bun:test";
import { BoundUnderWay } from "../../../src/host/client/bound-under-way.ts";

const [LEAST, MOST] = [16 * 1024, 256 * 1024];

/** A flood through a log that takes `bytesPerMs`, and needs `shortest` ms for the first byte: what is said last waits so long. */
function flood(bound: BoundUnderWay, bytesPerMs: number, shortest: number, ms: number, from = 0): number {
  let wait = 0;
  for (let now = from; now < from + ms; now += wait) {
    wait = shortest + bound.bytes / bytesPerMs;
    bound.arrived(now, now + wait, true);
  }
  return wait;
}

describe("the bound of clients", () => {
  test("is what is committed within some milliseconds, whatever the log takes", () => {
    for (const [bytesPerMs, shortest] of [
      [3000, 1],
      [10_000, 2],
      [4000, 12],
    ] as const) {
      const bound = new BoundUnderWay(LEAST, MOST);
      const wait = flood(bound, bytesPerMs, shortest, 2000);
      // The shortest time is seen under the least bound, which takes some of it already.
      expect(wait).toBeLessThan(shortest + LEAST / bytesPerMs + 9);
      expect(bound.bytes).toBeGreaterThan(4 * bytesPerMs);
      // Half as fast: it follows within a few messages.
      expect(flood(bound, bytesPerMs / 2, shortest, 500, 2000)).toBeLessThan(shortest + (2 * LEAST) / bytesPerMs + 9);
    }
  });

  test("stays within its bounds, on the fastest and on the slowest disk", () => {
    const fast = new BoundUnderWay(LEAST, MOST);
    flood(fast, 1_000_000, 0.1, 1000);
    expect(fast.bytes).toBe(MOST);
    const slow = new BoundUnderWay(LEAST, MOST);
    flood(slow, 10, 300, 20_000);
    expect(slow.bytes).toBeLessThan(1.1 * LEAST);
  });

  test("does not grow where nothing waits: it would be too large when a flood begins", () => {
    const bound = new BoundUnderWay(LEAST, MOST);
    for (let now = 0; now < 1000; now += 10) bound.arrived(now, now + 2, false);
    expect(bound.bytes).toBe(LEAST);
  });

  test("a line that has become slow for good is as slow as that after a while", () => {
    const bound = new BoundUnderWay(LEAST, MOST);
    flood(bound, 3000, 1, 2000);
    flood(bound, 3000, 40, 30_000, 2000);
    expect(bound.bytes).toBeGreaterThan(LEAST);
  });
});
