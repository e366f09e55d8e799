/** How long a sender waits for a sign of the messages under way before it takes them for lost, and sends them again. */
import type { Millis } from "./ids.ts";

/**
 * A sender doubles its patience up to this factor. With more, messages that a full leader did not take would wait for
 * too long.
 */
const TIMES_MAX = 16;

export class Patience {
  #since: Millis = 0;
  /** It waits this many times the usual time. */
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
