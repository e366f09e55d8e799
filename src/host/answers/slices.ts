/**
 * Does work for others beside the peer's own work: a few milliseconds at a time, with everything that waits in between.
 * The askers take turns, one step each, so that one asker's many or long questions do not hold up another's.
 */
import type { Clock } from "../contracts.ts";

/**
 * Input that arrives meanwhile waits about this long at most in each turn of the loop; a message takes about five
 * turns.
 */
const SLICE_MS = 2;
/** Limits a slice where computing takes no time, as in a simulation. */
const SLICE_STEPS_MAX = 64;

/** One step, of less than a millisecond; false: it was the last. */
export type Step = () => boolean;

export class Slices {
  readonly #clock: Clock;
  readonly #guarded: (work: () => void) => void;
  /** The askers, the next one first, each with the steps that it waits for. */
  readonly #wanted = new Map<object, Step[]>();
  #scheduled = false;
  #stopped = false;

  /** `guarded` deals with what a step throws: the disk failed, or the log was found damaged. */
  constructor(clock: Clock, guarded: (work: () => void) => void) {
    this.#clock = clock;
    this.#guarded = guarded;
  }

  /** Begins soon, never inside this call. The steps of one asker run in the order of the calls. */
  run(asker: object, step: Step): void {
    const steps = this.#wanted.get(asker);
    if (steps === undefined) this.#wanted.set(asker, [step]);
    else steps.push(step);
    this.#schedule();
  }

  /** The asker is gone: its steps are dropped. */
  forget(asker: object): void {
    this.#wanted.delete(asker);
  }

  stop(): void {
    this.#stopped = true;
    this.#wanted.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped || this.#wanted.size === 0) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#guarded(() => this.#slice());
      this.#schedule();
    });
  }

  #slice(): void {
    const until = this.#clock.now() + SLICE_MS;
    for (let done = 0; done < SLICE_STEPS_MAX && (done === 0 || this.#clock.now() < until); done++) {
      const next = this.#wanted.entries().next().value;
      if (next === undefined) return;
      this.#step(...next);
    }
  }

  /** A step that throws is dropped. An asker that wants more goes behind the others. */
  #step(asker: object, steps: Step[]): void {
    this.#wanted.delete(asker);
    this.#wanted.set(asker, steps);
    let more = false;
    try {
      more = (steps[0] as Step)();
    } finally {
      if (!more) steps.shift();
      // Unless the asker was forgotten meanwhile.
      if (steps.length === 0 && this.#wanted.get(asker) === steps) this.#wanted.delete(asker);
    }
  }
}
