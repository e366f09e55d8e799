/** How long a sender waits for a sign of what is under way before it takes it for lost, and says it again. */
import type { Millis } from "./ids.ts";

/** A sender doubles its patience up to this: more would leave messages lying that a full leader did not take. */
const TIMES_MAX = 16;

export class Patience {
  #since: Millis = 0;
  /** How many times the usual it waits. */
  #times = 1;

  /** Something got further: from now on it waits for the usual time. */
  renew(now: Millis): void {
    this.#since = now;
    this.#times = 1;
  }

  /** Waits as long as before, from now on. */
  restart(now: Millis): void {
    this.#since = now;
  }

  /** Whether the wait, `usual` milliseconds without setbacks, is over; the next one is twice as long. */
  isOver(now: Millis, usual: Millis): boolean {
    if (now - this.#since <= this.#times * usual) return false;
    this.#times = Math.min(2 * this.#times, TIMES_MAX);
    return true;
  }
}
