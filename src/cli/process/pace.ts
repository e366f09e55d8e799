/** How far something is, how fast it goes, and how long it still takes, in words. */
import { number } from "../../report/numbers.ts";

export class Pace {
  readonly #what: string;
  readonly #unit: string;
  readonly #beganAt: number;
  readonly #from: number;

  /** `from`: the amount that was there already. Times are milliseconds. */
  constructor(what: string, unit: string, now: number, from = 0) {
    this.#what = what;
    this.#unit = unit;
    this.#beganAt = now;
    this.#from = from;
  }

  /** `reading the log: 120 of 480 MB, 95 a second, 4 s left` */
  text(at: number, of: number, now: number): string {
    const speed = ((at - this.#from) * 1000) / Math.max(1, now - this.#beganAt);
    return [
      `${this.#what}: ${number(Math.floor(at))} of ${number(Math.floor(Math.max(at, of)))} ${this.#unit}`,
      ...(speed >= 1 ? [`${number(speed)} a second`, `${timeSpan((Math.max(0, of - at) * 1000) / speed)} left`] : []),
    ].join(", ");
  }
}

/** `4 s`, `3 min`, `12 h` */
export function timeSpan(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
