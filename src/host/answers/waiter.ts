/**
 * When it is said why messages wait: not for what passes at once (a peer that joins, an election), once for each reason, and
 * where reasons change again and again, ever more seldom.
 */
import type { Clock } from "../contracts.ts";

/** A reason is told when there has been one for so long. */
const WAITING_MS = 300;
/** The least time between two that are told; it doubles as long as one follows the other. */
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

  /** The reason that was told last, if it still holds or another one does. */
  get told(): string | null {
    return this.#told;
  }

  /** Somebody has told it in other words. */
  wasTold(reason: string | null): void {
    this.#told = reason;
  }

  /** Why messages wait now, or null: asked at every turn. */
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
