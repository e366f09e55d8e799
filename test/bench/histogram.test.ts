import { expect, test } from "bun:test";
import fc from "fast-check";
import { Histogram, median } from "../../bench/histogram.ts";

function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
}

test("a percentile is at most 1/64 above the exact one, and never below", () => {
  const values = fc.array(fc.double({ min: 0.001, max: 4_000_000, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (ms, share) => {
      const histogram = new Histogram();
      for (const value of ms) histogram.record(value);
      const [found, truth] = [histogram.percentile(share), exact(ms, share)];
      // A value is rounded to a microsecond.
      expect(found).toBeGreaterThanOrEqual(truth - 0.0005001);
      expect(found).toBeLessThanOrEqual(truth * (1 + 1 / 64) + 0.0005001);
    }),
  );
});

test("what one hands out another takes in, piece by piece", () => {
  const [here, there, whole] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 1; i <= 1000; i++) {
    here.record(i / 7);
    whole.record(i / 7);
    if (i % 100 === 0) there.add(here.takeNew(), here.max);
  }
  expect(here.takeNew()).toEqual([]);
  expect(there.count).toBe(1000);
  expect(there.max).toBe(whole.max);
  expect([...there.bars()]).toEqual([...whole.bars()]);
});

test("the highest percentile is the maximum itself, and an empty histogram has none", () => {
  const histogram = new Histogram();
  expect(histogram.percentile(0.5)).toBeNaN();
  for (const value of [0, 0.4, 12.3456, 99.99]) histogram.record(value);
  expect(histogram.percentile(1)).toBe(99.99);
  expect(histogram.percentile(0)).toBe(0);
  expect(histogram.max).toBe(99.99);
});

test("a value beyond the last bucket counts as the last bucket", () => {
  const histogram = new Histogram();
  histogram.record(1e9);
  expect(histogram.percentile(0.5)).toBeCloseTo(2 ** 32 / 1000, -5);
});

test("the median of an even number is between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});
