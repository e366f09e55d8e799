/**
 * Bounded explicit-state model checking (Holzmann 1997: SPIN; Yu, Manolios & Lamport 1999: TLC) of the production core
 * itself, not of a model of it. From the beginning of a story every continuation within bounds is tried, breadth
 * first, so the violation found has the fewest steps. States are compared in full, not by a hash.
 *
 * A *state* is all that each peer's objects hold, its promise file and its durable log, the frames under way, and what
 * has happened (`History`). *Steps*: the next frame arrives; a frame is late; a disk is slow, and confirms a promise or
 * the log; time passes for one peer until its next deadline; a peer loses power and starts again without what its
 * disk had not confirmed; a connection closes, and what is under way on it is lost; two peers connect; one leaves; the
 * leader says something.
 *
 * Frames arrive in the order in which they were sent, whoever sent them, except for a bounded number that are late:
 * these arrive at any later time, or never. Few delays reach deep, and few are what bugs need (Emmi, Qadeer & Rakamarić
 * 2011: delay-bounded scheduling). With `late` unbounded any frame may overtake any other, and any may be lost.
 *
 * *What this hides*: no order of deadlines, since each peer's clock moves by itself. But equal frames under way at once
 * are one; polls, which bind nobody [E2], are answered at once; both ends see at once that a connection is closed; a
 * leader that nobody answers does not abdicate [E11]; nobody joins; no disk is damaged or full.
 */
import type { OpenCore } from "./explore-actors.ts";
import { ANY, type Bounds, Cluster, type Model } from "./explore-cluster.ts";
import { Broken, type Invariant } from "./explore-history.ts";

/** Nobody hands over to a higher peer any more once something was said [E10]. */
export const MODELS = {
  /** Three voters; the highest leads. */
  election: {
    roles: ["voter", "voter", "voter"],
    begin: [
      ["time", 3],
      ["say", 3],
    ],
  },
  /** Three of four vote: a voter that leaves or is gone is replaced, and meanwhile the majorities of both sets count. */
  membership: {
    roles: ["observer", "voter", "voter", "voter"],
    begin: [
      ["time", 4],
      ["say", 4],
    ],
  },
  /** The same, but peer 3 has lost the leader, and hears of a change only from others. */
  parted: {
    roles: ["observer", "voter", "voter", "voter"],
    begin: [
      ["time", 4],
      ["say", 4],
      ["cut", 3, 4],
    ],
  },
} as const satisfies Record<string, Model>;
export type ModelName = keyof typeof MODELS;

/** What is searched every night, each to its end: some million states in all. */
export const NIGHTLY: Readonly<Record<ModelName, readonly Bounds[]>> = {
  election: [
    { restart: 2, connect: 2, time: 1, say: 1 },
    { late: 1, slow: 1, restart: 1, connect: 1, time: 1, term: 5 },
    { late: 2, slow: 1, restart: 1, connect: 1, say: 1 },
    { late: ANY, restart: 1, cut: 1, connect: 1, say: 1 },
  ],
  membership: [
    { leave: 1, late: 1, cut: 1, time: 1 },
    { leave: 2, cut: 1, time: 1 },
    { leave: 2, cut: 1, restart: 1 },
    // Nobody leaves. A peer that is away for the eviction time is replaced.
    { cut: 2, time: 2 },
    { cut: 1, time: 3 },
  ],
  parted: [
    { leave: 1, late: 1, cut: 1, time: 1 },
    { leave: 1, cut: 1, restart: 1, time: 1 },
  ],
};

export interface Violation {
  readonly invariant: Invariant;
  readonly what: string;
  /** The steps that lead there from the beginning of the story, in words; none where it does not get that far. */
  readonly trace: readonly string[];
}

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** States of single peers. */
  readonly actors: number;
  /** The highest values that were reached. */
  readonly term: number;
  readonly index: number;
  readonly changes: number;
  /** Everything within the bounds was tried. */
  readonly complete: boolean;
  readonly violation: Violation | null;
}

/** Tries everything until a violation is found, or `statesMax` states are known. */
export function explore(core: OpenCore, model: Model, bounds: Bounds, statesMax: number): Explored {
  const cluster = new Cluster(core, model, bounds);
  const states: string[] = [];
  const known = new Set<string>();
  const depths: number[] = [];
  /** How each state was first reached: from which state, by which of its moves. */
  const parents: number[] = [];
  const moves: number[] = [];
  const meet = (state: string, depth: number, parent: number, move: number) => {
    if (known.has(state)) return;
    known.add(state);
    states.push(state);
    depths.push(depth);
    parents.push(parent);
    moves.push(move);
  };
  let transitions = 0;
  /** The state under way, and the move tried in it; before the first, the beginning of the story. */
  let at = -1;
  let tried = -1;
  let broken: Broken | null = null;
  try {
    meet(cluster.begin(), 0, at, tried);
    for (at = 0; at < states.length && states.length < statesMax; at++) {
      const world = cluster.worldOf(states[at] as string);
      for (const [i, move] of cluster.moves(world).entries()) {
        transitions += 1;
        tried = i;
        meet(cluster.textOf(cluster.after(world, move)), (depths[at] as number) + 1, at, tried);
      }
    }
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    broken = error;
  }
  const trace = (): string[] => {
    const path: number[] = [];
    for (let s = at, move = tried; s >= 0; move = moves[s] as number, s = parents[s] as number) path.unshift(move);
    return at < 0 ? [] : cluster.retell(states[0] as string, path);
  };
  return {
    states: states.length,
    transitions,
    depth: depths.at(-1) ?? 0,
    actors: cluster.actors.size,
    ...cluster.actors.highest,
    complete: broken === null && at === states.length,
    violation: broken && { invariant: broken.invariant, what: broken.message, trace: trace() },
  };
}
