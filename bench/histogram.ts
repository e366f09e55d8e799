/**
 * Latencies as HdrHistogram keeps them (Tene, http://hdrhistogram.org): buckets that widen with the value, so that a
 * percentile of any size is at most 1/64 = 1.6 % above the truth, in a fixed 14 KB however many values there are.
 */

/** Buckets per doubling. */
const STEPS = 64;
const BITS = 6;
const US_MAX = 2 ** 32 - 1;
const BUCKETS = (32 - BITS + 1) * STEPS;

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  /** Values that `takeNew` has not handed out yet. */
  readonly #news = new Map<number, number>();
  count = 0;
  /** Milliseconds, exact; 0 while empty. */
  max = 0;

  /** One value in milliseconds; finer than a microsecond is lost, more than 71 minutes counts as that. */
  record(ms: number): void {
    const bucket = bucketOf(ms * 1000);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#news.set(bucket, (this.#news.get(bucket) ?? 0) + 1);
    this.count += 1;
    if (ms > this.max) this.max = ms;
  }

  /** What was recorded since the last call, flat: bucket, count, bucket, count … For `add` in another process. */
  takeNew(): number[] {
    const flat = [...this.#news].flat();
    this.#news.clear();
    return flat;
  }

  add(flat: readonly number[], max: number): void {
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const [bucket, count] = [flat[i] as number, flat[i + 1] as number];
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
      this.count += count;
    }
    this.max = Math.max(this.max, max);
  }

  /** The smallest value (ms) that a share of at least `share` (0 to 1) does not exceed; NaN while empty. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return Math.min(upperOf(bucket), this.max);
    }
    return Number.NaN;
  }

  /** Buckets that hold something: upper bound in milliseconds, and how many values. */
  *bars(): Generator<readonly [number, number]> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0) yield [Math.min(upperOf(bucket), this.max), count];
    }
  }
}

function bucketOf(us: number): number {
  const value = Math.min(Math.max(0, Math.round(us)), US_MAX);
  const shift = Math.max(0, 31 - Math.clz32(value) - BITS);
  return shift * STEPS + (value >>> shift);
}

/** Highest value of a bucket, in milliseconds. */
function upperOf(bucket: number): number {
  const shift = Math.max(0, (bucket >> BITS) - 1);
  return ((bucket - shift * STEPS + 1) * 2 ** shift - 1) / 1000;
}

/** The middle of some numbers, the mean of the two middle ones where they are even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
