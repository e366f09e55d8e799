/**
 * Decides when people are told why messages wait: not for short waits (a peer that joins, an election), once for each
 * reason, and more and more seldom where reasons keep changing.
 */
import type { Clock } from "../contracts.ts";

/** A reason is told when messages have waited for this long. */
const WAITING_MS = 300;
/** The least time between two reasons that are told. It doubles as long as one follows the other. */
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 60_000;

export class Waiter {
  readonly #clock: Pick<Clock, "now">;
  readonly #tell: (message: string) => void;
  /** Since when there has been a reason. */
  #since: number;
  #told: string | null = null;
  /** The next one may be told then. */
  #next = 0;
  #pause = PAUSE_MS_MIN;

  constructor(clock: Pick<Clock, "now">, tell: (message: string) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#since = clock.now();
  }

  /** The reason that was told last, while messages still wait, for that reason or another. */
  get told(): string | null {
    return this.#told;
  }

  /** The reason was told elsewhere, in other words. */
  wasTold(reason: string | null): void {
    this.#told = reason;
  }

  /** Takes the present reason why messages wait, or null. Called at every turn. */
  onTurn(reason: string | null): void {
    const now = this.#clock.now();
    if (reason === null) {
      this.#since = now;
      this.#told = null;
      this.#next = 0;
      this.#pause = PAUSE_MS_MIN;
      return;
    }
    if (reason === this.#told || now - this.#since < WAITING_MS || now < this.#next) return;
    this.#told = reason;
    this.#next = now + this.#pause;
    this.#pause = Math.min(2 * this.#pause, PAUSE_MS_MAX);
    this.#tell(reason);
  }
}
