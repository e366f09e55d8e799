/**
 * How long this peer's disk takes to make something durable, measured with its own log and promises: from handing over
 * an entry or a ballot until it is confirmed, including the wait for earlier writes.
 */
import { DISK_SLOW_MS } from "../../core/config.ts";
import { Estimator } from "../../core/estimator.ts";
import type { LogIndex, Millis } from "../../core/ids.ts";
import type { DiskTimes } from "../../core/message.ts";

/** What a sync of `ms` milliseconds costs, in words for a person. */
export function slowDiskCost(ms: Millis): string {
  const seconds = (time: Millis) => `${(time / 1000).toFixed(1)} s`;
  // An election waits for the candidate's disk, then for those of others, and its first entry for both again.
  return `a sync takes ${Math.round(ms)} ms: where a majority needs this disk a message is sent after ${seconds(ms)} and more, and without a leader it takes about ${seconds(3 * ms)} until messages are sent again`;
}

/** One slow sync does not make a slow disk: this many are measured before anything is said. */
const SAMPLES_MIN = 3;

export class OwnDisk {
  readonly #estimator: Estimator;
  /** The append that is being measured: the first one since the one measured before became durable. */
  #append: { readonly through: LogIndex; readonly at: Millis } | null = null;
  #promiseAt: Millis | null = null;
  #isSlow = false;

  constructor(surpriseMax: Millis) {
    this.#estimator = new Estimator(surpriseMax);
  }

  /** Takes a time that was measured elsewhere: at the start, before there is anything to wait for. */
  onSync(took: Millis): void {
    this.#estimator.add(took);
  }

  onAppend(index: LogIndex, now: Millis): void {
    this.#append ??= { through: index, at: now };
  }

  onTruncate(from: LogIndex): void {
    if (this.#append !== null && this.#append.through >= from) this.#append = null;
  }

  onDurable(index: LogIndex, now: Millis): void {
    if (this.#append === null || index < this.#append.through) return;
    this.#estimator.add(now - this.#append.at);
    this.#append = null;
  }

  /** The newest promise is measured; it may wait for the one before. */
  onPromise(now: Millis): void {
    this.#promiseAt = now;
  }

  onPromised(now: Millis): void {
    if (this.#promiseAt !== null) this.#estimator.add(now - this.#promiseAt);
    this.#promiseAt = null;
  }

  /** This process was held up for that long, so that time was not the disk's. */
  discount(late: Millis): void {
    if (this.#append !== null) this.#append = { ...this.#append, at: this.#append.at + late };
    if (this.#promiseAt !== null) this.#promiseAt += late;
  }

  /** The measured bound: how long to wait for this disk. */
  get bound(): Millis {
    return this.#estimator.bound;
  }

  /** The measured mean, and at least the time that the sync under way has taken so far. */
  mean(now: Millis): Millis {
    const oldest = Math.min(this.#append?.at ?? now, this.#promiseAt ?? now);
    return Math.max(this.#estimator.mean, now - oldest);
  }

  /** What others are told. */
  get times(): DiskTimes {
    return { mean: Math.ceil(this.#estimator.mean), bound: Math.ceil(this.bound) };
  }

  /** What to tell people: once when the disk became slow, and what that costs, and once when it is fast again; else null. */
  news(): { readonly code: "disk-slow" | "disk-fast"; readonly message: string } | null {
    const { mean, samples } = this.#estimator;
    // Between the two limits nothing changes, so that a disk near the limit is not reported again and again.
    const isSlow = this.#isSlow ? mean >= DISK_SLOW_MS / 2 : mean >= DISK_SLOW_MS;
    if (isSlow === this.#isSlow || samples < SAMPLES_MIN) return null;
    this.#isSlow = isSlow;
    if (!isSlow) return { code: "disk-fast", message: `the disk is fast again: a sync takes ${Math.round(mean)} ms` };
    const message = `the disk is slow, ${slowDiskCost(mean)}. Choose a faster one for the data directory; \`chatpeer doctor\` measures it`;
    return { code: "disk-slow", message };
  }
}
