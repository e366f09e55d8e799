/**
 * Virtual time: one queue of events for the whole world, in order of time and then of scheduling, so a seed decides
 * everything. Each simulated process has a clock of its own on it, which ends with the process and can be paused.
 */
import type { Clock, Timer } from "../host/contracts.ts";
import { wallTime } from "../host/wall.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | null;
}

/** The time on wall clocks at virtual time 0. */
const EPOCH_MS = 1_700_000_000_000;
/** More events than this at one instant are taken for an endless loop. */
const EVENTS_AT_ONCE_MAX = 1_000_000;

/** Numbers in [0, 1) that follow from the seed (mulberry32, T. Ettinger). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class VirtualTime {
  now = 0;
  /** Events carried out so far. */
  events = 0;
  #order = 0;
  #atOnce = 0;
  /** Binary heap by (at, order). */
  readonly #heap: Event[] = [];

  at(time: number, run: () => void): Timer {
    const event: Event = { at: Math.max(time, this.now), order: this.#order, run };
    this.#order += 1;
    this.#push(event);
    return {
      cancel() {
        event.run = null;
      },
    };
  }

  /** Carries out events until `time`, or until `stop` says so. */
  runUntil(time: number, stop: () => boolean = () => false): void {
    while (!stop()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > time) {
        this.now = Math.max(this.now, time);
        return;
      }
      this.#pop();
      if (next.run === null) continue;
      this.#atOnce = next.at > this.now ? 0 : this.#atOnce + 1;
      if (this.#atOnce > EVENTS_AT_ONCE_MAX)
        throw new Error(`time stands still: the peers go on for ever at ${this.now} ms`);
      this.now = next.at;
      this.events += 1;
      next.run();
    }
  }

  #before(a: Event, b: Event): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(event, heap[parent] as Event)) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!this.#before(heap[child] as Event, last)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = last;
  }
}

/** The clock of one process. Nothing runs on it after `end` or while it is paused: what was due then comes late. */
export class VirtualClock implements Clock {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  #ended = false;
  #pausedUntil = 0;
  /** How far this machine's clocks have jumped. A monotonic clock only jumps ahead. */
  #ahead = 0;
  #wallAhead = 0;

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  now(): number {
    return this.#time.now + this.#ahead;
  }

  wall(): number {
    return wallTime(EPOCH_MS + this.#time.now + this.#wallAhead);
  }

  /**
   * The machine slept for `ms` (its monotonic clock jumps as well); if `ms` is below 0, its wall clock was set back.
   */
  jump(ms: number): void {
    this.#ahead += Math.max(0, ms);
    this.#wallAhead += ms;
  }

  /** A person sets the wall clock, or its battery is empty: it shows `ms` milliseconds since 1970. */
  setWall(ms: number): void {
    this.#wallAhead = ms - EPOCH_MS - this.#time.now;
  }

  after(ms: number, fn: () => void): Timer {
    return this.#time.at(this.#time.now + ms, () => this.run(fn));
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

  /** Runs something on this process: now, or when its pause is over, or never. */
  run(fn: () => void): void {
    if (this.#ended) return;
    if (this.#time.now < this.#pausedUntil) {
      this.#time.at(this.#pausedUntil, () => this.run(fn));
      return;
    }
    try {
      fn();
    } catch (error) {
      // The machine lost power in the middle of this call, so the process must not see the error.
      if (!this.#ended) throw error;
    }
  }

  /** Stops the process for `ms`, like SIGSTOP. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#time.now + ms);
  }

  /** Virtual time at which the latest pause is, or was, over. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  get isPaused(): boolean {
    return this.#time.now < this.#pausedUntil;
  }

  end(): void {
    this.#ended = true;
  }
}
