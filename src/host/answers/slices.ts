/**
 * Work for others beside a peer's own: a few milliseconds at a time, and everything that waits in between. Those who
 * want something take turns, a step each, so that nobody's many or long questions hold up another one's.
 */
import type { Clock } from "../contracts.ts";

/** What arrives meanwhile waits at most about so long in each turn of the loop; a message takes some five turns. */
const SLICE_MS = 2;
/** Bounds a slice where computing takes no time, as in a simulation. */
const SLICE_STEPS_MAX = 64;

/** One step, of less than a millisecond; false: it was the last. */
export type Step = () => boolean;

export class Slices {
  readonly #clock: Clock;
  readonly #guarded: (work: () => void) => void;
  /** Who wants something, the next one first, and what. */
  readonly #wanted = new Map<object, Step[]>();
  #scheduled = false;
  #stopped = false;

  /** `guarded` deals with what a step throws: a disk that fails, a log found damaged. */
  constructor(clock: Clock, guarded: (work: () => void) => void) {
    this.#clock = clock;
    this.#guarded = guarded;
  }

  /** Begins soon, never inside this call; of one asker in the order of the calls. */
  run(asker: object, step: Step): void {
    const steps = this.#wanted.get(asker);
    if (steps === undefined) this.#wanted.set(asker, [step]);
    else steps.push(step);
    this.#schedule();
  }

  /** The asker is gone: nothing more is done for it. */
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

  /** What throws is done with; whoever wants more comes behind the others. */
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
