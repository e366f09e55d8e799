/**
 * How long something takes, learned from how long it took: a smoothed mean and a smoothed deviation from it (Jacobson &
 * Karels 1988, with the weights of RFC 6298). It serves both for the syncs of a disk and for the answers of a member.
 */
import type { Millis } from "./ids.ts";

const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
const DEVIATIONS = 4;

export class Estimator {
  readonly #surpriseMax: Millis;
  #mean: Millis = 0;
  #deviation: Millis = 0;
  #samples = 0;

  /**
   * `surpriseMax`: one sample counts for at most this much more than the bound. A pulled cable, a sleeping machine or a
   * write that waited for room says nothing about the next time; if something has really become slower, further samples
   * show it.
   */
  constructor(surpriseMax: Millis) {
    this.#surpriseMax = surpriseMax;
  }

  /** Samples so far. */
  get samples(): number {
    return this.#samples;
  }

  /** The expected time, 0 before the first sample. */
  get mean(): Millis {
    return this.#mean;
  }

  /** A time that is seldom exceeded; 0 before the first sample. */
  get bound(): Millis {
    return this.#mean + DEVIATIONS * this.#deviation;
  }

  add(took: Millis): void {
    const sample = Math.min(Math.max(0, took), this.bound + this.#surpriseMax);
    this.#samples += 1;
    if (this.#samples === 1) {
      this.#mean = sample;
      this.#deviation = sample / 2;
      return;
    }
    this.#deviation += DEVIATION_WEIGHT * (Math.abs(this.#mean - sample) - this.#deviation);
    this.#mean += MEAN_WEIGHT * (sample - this.#mean);
  }
}
