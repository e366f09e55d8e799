/** A Clock whose time passes only when a test says so. */
import type { Clock, Timer } from "../../src/host/contracts.ts";

interface Due {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  #wallAhead = 0;
  #order = 0;
  #due: Due[] = [];
  readonly #random: () => number;

  constructor(random: () => number = seeded(1)) {
    this.#random = random;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return 1_700_000_000_000 + Math.floor(this.#now + this.#wallAhead);
  }

  /** Time passes, and nothing that is due in it runs yet. */
  skip(ms: number): void {
    this.#now += ms;
  }

  /** The wall clock alone is put ahead of where it was. */
  jumpWall(ms: number): void {
    this.#wallAhead += ms;
  }

  after(ms: number, fn: () => void): Timer {
    const entry = { at: this.#now + ms, order: this.#order++, fn };
    this.#due.push(entry);
    return {
      cancel: () => {
        this.#due = this.#due.filter((d) => d !== entry);
      },
    };
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  random(): number {
    return this.#random();
  }

  word(length: number): string {
    return Array.from({ length }, () => Math.floor(this.#random() * 36).toString(36)).join("");
  }

  /** Runs the next callback; false if none waits, or none until `end`. */
  step(end = Number.POSITIVE_INFINITY): boolean {
    let next = this.#due[0];
    if (next === undefined) return false;
    for (const due of this.#due) if (due.at < next.at || (due.at === next.at && due.order < next.order)) next = due;
    const { at, fn } = next;
    if (at > end) return false;
    this.#due = this.#due.filter((d) => d !== next);
    this.#now = Math.max(this.#now, at);
    fn();
    return true;
  }

  /** Runs everything that waits, and what that brings. */
  run(): void {
    while (this.step());
  }

  /** Runs what is due within so many milliseconds, and what that brings. */
  pass(ms: number): void {
    const end = this.#now + ms;
    while (this.step(end));
    this.#now = end;
  }
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
