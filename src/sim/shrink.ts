/**
 * The shortest plan that still shows a violation. Delta debugging (Zeller & Hildebrandt 2002): leave out ever smaller
 * chunks of steps for as long as the same invariant breaks; then do without peers and without waiting.
 *
 * Two things are peculiar to plans. Steps after the violation can be cut off without a trial, which makes every further
 * run shorter. And a run is chaotic: removing a step changes the delays of every frame after it, so the rest of the
 * plan may need hundreds of steps only to reach the right moment. Other seeds have other delays: a piece of the plan,
 * tried under many seeds, often finds the same bug in a shorter story.
 */

import type { Plan, Step } from "./plan.ts";
import * as edit from "./plan-edits.ts";
import { seeded } from "./virtual-time.ts";

/** The invariant that a run broke, and when; null: none. */
export type Broken = { readonly invariant: string; readonly atMs: number } | null;

export interface Limits {
  readonly runsMax: number;
  /** Asked before each run. False: time is up, and the shortest plan so far is the answer. */
  goOn(stepsLeft: number): boolean;
}

export interface Shrunk {
  readonly plan: Plan;
  readonly runs: number;
  /** Nothing more could be left out; false: the limits ended the search. */
  readonly shortest: boolean;
}

/**
 * Size of the chunks in the first rounds, as parts of the plan: while runs are expensive, single steps are not tried.
 */
const FIRST_GRAINS = [8, 64] as const;
/** Parts of its time after which a plan may end, as long as nothing is known about it. */
const EARLY_ENDS = [1 / 64, 1 / 16, 1 / 4, 1 / 2] as const;
/** A plan with more steps than this is not a story yet: then other seeds are tried as well. */
const STORY_STEPS = 30;
const PIECES = 200;
const PIECE_STEPS_MIN = 6;
/** Longest waits in a piece: short waits make it cheap to try. */
const PIECE_GAPS_MS = [50, 250, 1000] as const;
/** The peers of a cluster have met after this time. */
const MEETING_MS = 1500;
/** Waits between two steps that are tried, the shortest first. */
const GAPS_MS = [50, 250, 1000, 3000] as const;

/** `plan` broke `broken`; `run` says what another plan breaks. */
export function shrink(plan: Plan, broken: NonNullable<Broken>, run: (plan: Plan) => Broken, limits: Limits): Shrunk {
  const search = new Search(plan, broken, run, limits);
  search.pieces();
  search.endEarly();
  for (const grain of FIRST_GRAINS) {
    search.round(grain);
    search.pieces();
  }
  let before: Plan;
  do {
    before = search.best;
    search.round(Number.POSITIVE_INFINITY);
    search.saidAtOnce();
    search.fewerPeers();
    search.lessWaiting();
    if (search.best === before) search.pieces();
  } while (search.best !== before && !search.over);
  return { plan: search.best, runs: search.runs, shortest: !search.over };
}

class Search {
  best: Plan;
  runs = 0;
  over = false;
  readonly #invariant: string;
  readonly #run: (plan: Plan) => Broken;
  readonly #limits: Limits;
  readonly #random: () => number;

  constructor(plan: Plan, broken: NonNullable<Broken>, run: (plan: Plan) => Broken, limits: Limits) {
    this.best = edit.withoutAftermath(plan, broken.atMs);
    this.#invariant = broken.invariant;
    this.#run = run;
    this.#limits = limits;
    this.#random = seeded(plan.seed);
  }

  /** Tries short pieces of a plan that is no story yet under other seeds, the last pieces as often as all others. */
  pieces(): void {
    const { best } = this;
    if (best.steps.length <= STORY_STEPS) return;
    const starts = edit.firstStarts(best.steps).length;
    const pick = (count: number) => Math.floor(this.#random() * count);
    for (let i = 0; i < PIECES; i++) {
      const size = PIECE_STEPS_MIN + pick(Math.max(1, STORY_STEPS - starts - PIECE_STEPS_MIN));
      const last = Math.max(0, best.steps.length - starts - size);
      const gapMs = PIECE_GAPS_MS[pick(PIECE_GAPS_MS.length)] as number;
      const piece = edit.piece(best, i % 2 === 0 ? last : pick(last), size, gapMs, MEETING_MS);
      if (this.#try({ ...piece, seed: pick(2 ** 32) })) return;
    }
  }

  /** A violation that shows only at the end may need no more than the beginning of the plan. */
  endEarly(): void {
    const whole = this.best;
    for (const part of EARLY_ENDS) {
      const untilMs = Math.ceil(whole.untilMs * part);
      if (this.#try({ ...whole, untilMs, steps: whole.steps.filter((step) => step.at <= untilMs) })) return;
    }
  }

  /** Leaves out chunks down to the n-th part: messages first, because they cost most of a run's time. */
  round(grain: number): void {
    this.#leaveOut(edit.isSaid, grain);
    this.#leaveOut((step) => !edit.isSaid(step), grain);
    const { untilMs, steps } = this.best;
    const last = steps.at(-1)?.at ?? 0;
    for (const gap of GAPS_MS) if (untilMs > last + gap && this.#try({ ...this.best, untilMs: last + gap })) return;
  }

  /** Makes many messages one flood, which is one step. */
  saidAtOnce(): void {
    const flooded = edit.saidAtOnce(this.best);
    if (flooded.steps.length < this.best.steps.length) this.#try(flooded);
    for (let i = 0; i < this.best.steps.length; i++) {
      for (
        let smaller = edit.withSmallerFlood(this.best, i);
        smaller !== null && this.#try(smaller) && i < this.best.steps.length;
        smaller = edit.withSmallerFlood(this.best, i)
      );
    }
  }

  fewerPeers(): void {
    for (let peer = this.best.peers; peer >= 1 && this.best.peers > 1; peer--)
      this.#try(edit.withoutPeer(this.best, peer));
  }

  lessWaiting(): void {
    const { ending } = this.best;
    if (ending === "heal-part") this.#try({ ...this.best, ending: "heal-all" });
    if (ending !== "stop") this.#try({ ...this.best, ending: "stop" });
    for (let i = 0; i < this.best.steps.length; i++) {
      for (const gap of GAPS_MS) {
        const closer = edit.withGap(this.best, i, gap);
        if (closer !== null && this.#try(closer)) break;
      }
    }
  }

  /** Chunks of the steps that fit, from half of them down to the n-th part, or to single ones. */
  #leaveOut(fits: (step: Step) => boolean, grain: number): void {
    const chosen = () => this.best.steps.filter(fits);
    const count = chosen().length;
    const smallest = Math.max(1, Math.floor(count / grain));
    for (let size = count; size >= smallest; size = Math.floor(size / 2)) {
      // From the end, because steps far behind the cause are needed least.
      for (let end = chosen().length; end > 0; end -= size) {
        const chunk = chosen().slice(Math.max(0, end - size), end);
        if (chunk.length > 0) this.#try(edit.without(this.best, chunk));
      }
    }
  }

  #try(plan: Plan): boolean {
    this.over ||= this.runs >= this.#limits.runsMax || !this.#limits.goOn(this.best.steps.length);
    if (this.over) return false;
    this.runs += 1;
    const broken = this.#run(plan);
    if (broken?.invariant !== this.#invariant) return false;
    this.best = edit.withoutAftermath(plan, broken.atMs);
    return true;
  }
}
