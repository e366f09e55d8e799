/**
 * What happens in a round of the fight, drawn from the seed: the same seed and round are the same plan, whatever came of the
 * rounds before. When a step hits, and whom "the leader" means then, the processes decide.
 */
import { seeded } from "../../src/sim/virtual-time.ts";

/** Hosts, each with a peer of its number, and places for others. */
export const HOSTS = 5;
/** Hosts whose disk is a small one, which can be filled. */
export const SMALL_DISKS: readonly number[] = [4, 5];
/** Peers that join and leave for good have these ids. */
const GUESTS: readonly number[] = [6, 7, 8];

export type Step =
  | { readonly do: "kill" | "quit" | "restart" | "evict" | "leave" | "mute"; readonly peer: number }
  | { readonly do: "freeze"; readonly peer: number; readonly ms: number }
  | { readonly do: "kill-leader" | "quit-leader" | "kill-all" }
  | { readonly do: "freeze-leader"; readonly ms: number }
  | { readonly do: "join"; readonly peer: number; readonly host: number }
  | { readonly do: "cut" | "cut-way"; readonly from: number; readonly to: number }
  | { readonly do: "split"; readonly side: readonly number[] }
  | { readonly do: "unplug" | "fill"; readonly host: number }
  | { readonly do: "slow-line"; readonly host: number; readonly kbit: number }
  | { readonly do: "lossy-line"; readonly host: number; readonly percent: number }
  | { readonly do: "far-line"; readonly host: number; readonly ms: number }
  | { readonly do: "slow-disk"; readonly peer: number; readonly ms: number }
  | { readonly do: "move"; readonly host: number; readonly quits: boolean }
  | { readonly do: "move-all" }
  | { readonly do: "burst"; readonly peer: number; readonly count: number };

export type Fault = Step["do"];

export interface Plan {
  readonly ms: number;
  readonly steps: readonly (Step & { readonly at: number })[];
  /** The order in which peers that are away are started again. */
  readonly order: readonly number[];
}

/** How often, against each other. */
const WEIGHTS: Readonly<Record<Fault, number>> = {
  kill: 4,
  "kill-leader": 5,
  "kill-all": 2,
  quit: 3,
  "quit-leader": 2,
  restart: 4,
  evict: 3,
  join: 4,
  leave: 2,
  mute: 1,
  freeze: 3,
  "freeze-leader": 4,
  cut: 3,
  "cut-way": 3,
  split: 4,
  unplug: 3,
  "slow-line": 2,
  "lossy-line": 2,
  "far-line": 2,
  "slow-disk": 2,
  fill: 2,
  move: 3,
  "move-all": 2,
  burst: 3,
};

const PHASE_MS_MIN = 2000;
const PHASE_MS_MAX = 12_000;
const STEPS_MAX = 7;
/** Of a round, the part in which faults begin. */
const BEGINS_WITHIN = 0.7;

/** `possible`: the faults that this machine can make. */
export function drawPlan(seed: number, round: number, possible: (fault: Fault) => boolean): Plan {
  const random = seeded(seed * 100_003 + round);
  const below = (count: number) => Math.floor(random() * count);
  const between = (min: number, max: number) => min + below(max - min + 1);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T;
  const peer = () => 1 + below(HOSTS);
  const two = (): [number, number] => {
    const from = peer();
    return [from, 1 + ((from + below(HOSTS - 1)) % HOSTS)];
  };
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);

  const draw = (fault: Fault): Step => {
    switch (fault) {
      case "kill-leader":
      case "quit-leader":
      case "kill-all":
      case "move-all":
        return { do: fault };
      case "kill":
      case "quit":
      case "restart":
      case "evict":
      case "mute":
        return { do: fault, peer: peer() };
      case "leave":
        return { do: fault, peer: pick(GUESTS) };
      case "join":
        return { do: fault, peer: pick(GUESTS), host: peer() };
      case "freeze":
        return { do: fault, peer: peer(), ms: pick([300, 1000, 2500, 8000, 15_000]) };
      case "freeze-leader":
        return { do: fault, ms: pick([300, 1000, 2500, 8000, 15_000]) };
      case "cut":
      case "cut-way": {
        const [from, to] = two();
        return { do: fault, from, to };
      }
      case "split":
        return { do: fault, side: shuffled([1, 2, 3, 4, 5]).slice(0, between(1, 2)) };
      case "unplug":
        return { do: fault, host: peer() };
      case "fill":
        return { do: fault, host: pick(SMALL_DISKS) };
      case "slow-line":
        return { do: fault, host: peer(), kbit: pick([64, 256, 1000, 3000]) };
      case "lossy-line":
        return { do: fault, host: peer(), percent: pick([2, 5, 15]) };
      case "far-line":
        return { do: fault, host: peer(), ms: pick([50, 200, 600]) };
      case "slow-disk":
        return { do: fault, peer: peer(), ms: pick([50, 300, 1000]) };
      case "move":
        return { do: fault, host: peer(), quits: random() < 0.5 };
      case "burst":
        return { do: fault, peer: peer(), count: pick([200, 500, 1000]) };
    }
  };

  const ms = between(PHASE_MS_MIN, PHASE_MS_MAX);
  const faults = (Object.keys(WEIGHTS) as Fault[]).filter(possible);
  const bag = faults.flatMap((fault) => Array.from({ length: WEIGHTS[fault] }, () => fault));
  const steps = Array.from({ length: between(1, STEPS_MAX) }, () => ({
    ...draw(pick(bag)),
    at: below(ms * BEGINS_WITHIN),
  }));
  return { ms, steps: steps.sort((a, b) => a.at - b.at), order: shuffled([1, 2, 3, 4, 5, ...GUESTS]) };
}

/** `at 1200 split 2,4` */
export function stepText({ at, do: what, ...rest }: Step & { readonly at: number }): string {
  return [`at ${at}`, what, ...Object.values(rest)].join(" ");
}
