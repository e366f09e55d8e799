/**
 * How much the clients of a peer may have under way together [S9]: as much as is committed within a few milliseconds here
 * and now. More would make nobody faster, since it only waits in one queue, and whoever says little would wait behind it.
 *
 * The law is that of FAST TCP (Wei, Jin, Low and Hegde 2006), with a queue that is measured in time: the bound goes
 * to where what is under way takes the shortest time seen, and QUEUE_MS.
 */
import type { Millis } from "../../core/ids.ts";

/** What is said waits so long behind what is under way. */
const QUEUE_MS = 8;
/** In one step it shrinks to half, or grows to twice of what it was. */
const STEP = 2;
/** The shortest time is that of the last one or two of these: disks and lines change. */
const SHORTEST_MS = 10_000;

export class BoundUnderWay {
  readonly #least: number;
  readonly #most: number;
  #bytes: number;
  #changedAt: Millis = Number.NEGATIVE_INFINITY;
  #shortest = Number.POSITIVE_INFINITY;
  #shortestBefore = Number.POSITIVE_INFINITY;
  #periodEnd: Millis = Number.NEGATIVE_INFINITY;

  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
    this.#bytes = least;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What went on its way at `since` is committed. `waits`: something waits for room. */
  arrived(since: Millis, now: Millis, waits: boolean): void {
    const took = now - since;
    if (now >= this.#periodEnd) {
      this.#shortestBefore = this.#shortest;
      this.#shortest = Number.POSITIVE_INFINITY;
      this.#periodEnd = now + SHORTEST_MS;
    }
    this.#shortest = Math.min(this.#shortest, took);
    // It tells of the bound as it was before the last change.
    if (since < this.#changedAt) return;
    const aim = Math.min(this.#shortest, this.#shortestBefore) + QUEUE_MS;
    const factor = Math.max(1 / STEP, Math.min(aim / Math.max(took, 1), STEP));
    if (factor > 1 && !waits) return;
    this.#bytes = Math.max(this.#least, Math.min(this.#bytes * factor, this.#most));
    this.#changedAt = now;
  }
}
