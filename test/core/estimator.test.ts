/** What is expected of the next time, checked against the same sums written out by hand. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Estimator } from "../../src/core/estimator.ts";

const RUNS = { seed: 1, numRuns: 300 };
const NEVER = Number.POSITIVE_INFINITY;
const times = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { minLength: 1, maxLength: 60 });

function estimate(samples: readonly number[], surpriseMax = NEVER): Estimator {
  const estimator = new Estimator(surpriseMax);
  for (const sample of samples) estimator.add(sample);
  return estimator;
}

/** All samples at once: each counts by its age, the first one for all that were never made. */
function weighed(samples: readonly number[], weight: number): number {
  return samples.reduce((sum, sample, i) => {
    const age = samples.length - 1 - i;
    return sum + sample * (1 - weight) ** age * (i === 0 ? 1 : weight);
  }, 0);
}

test("[E15] mean and deviation are those of RFC 6298", () => {
  fc.assert(
    fc.property(times, (samples) => {
      const off = samples.map((sample, i) =>
        i === 0 ? sample / 2 : Math.abs(weighed(samples.slice(0, i), 1 / 8) - sample),
      );
      const mean = weighed(samples, 1 / 8);
      const { mean: found, bound } = estimate(samples);
      expect(found).toBeCloseTo(mean, 6);
      expect(bound).toBeCloseTo(mean + 4 * weighed(off, 1 / 4), 6);
    }),
    RUNS,
  );
});

test("the mean lies between the shortest and the longest time, the bound never below the mean", () => {
  fc.assert(
    fc.property(times, (samples) => {
      const { mean, bound } = estimate(samples);
      expect(mean).toBeGreaterThanOrEqual(Math.min(...samples) - 1e-9);
      expect(mean).toBeLessThanOrEqual(Math.max(...samples) + 1e-9);
      expect(bound).toBeGreaterThanOrEqual(mean);
    }),
    RUNS,
  );
});

test("of times that are always the same nothing more is expected; of none, nothing at all", () => {
  const { mean, bound } = estimate(Array.from({ length: 60 }, () => 700));
  expect([mean, bound]).toEqual([700, expect.closeTo(700, 0)]);
  expect([estimate([]).mean, estimate([]).bound, estimate([]).samples]).toEqual([0, 0, 0]);
});

test("one time counts for at most the surprise more than the bound, whatever it was", () => {
  fc.assert(
    fc.property(times, fc.double({ min: 0, max: 1e9, noNaN: true }), (samples, last) => {
      const before = estimate(samples, 1000);
      const capped = estimate([...samples, Math.min(last, before.bound + 1000)], 1000);
      const after = estimate([...samples, last], 1000);
      expect([after.mean, after.bound]).toEqual([capped.mean, capped.bound]);
    }),
    RUNS,
  );
});

test("a pulled cable is forgotten soon; what has become slower for good is believed soon", () => {
  const near = Array.from({ length: 30 }, () => 5);
  expect(estimate([...near, 60_000, ...near.slice(0, 8)], 1200).bound).toBeLessThan(600);
  expect(estimate([...near, 3000, 3000, 3000], 1200).bound).toBeGreaterThan(3000);
});
