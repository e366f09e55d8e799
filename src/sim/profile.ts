/**
 * Plans drawn from a seed. Every run has its own mix of faults, in which many kinds are missing: a run full of one kind
 * of fault reaches states that a run with a little of everything never reaches (Groce et al. 2012, swarm testing).
 */

import { CALLS, type Plan, type Step, type Verb } from "./plan.ts";
import { drawClients } from "./profile-clients.ts";
import { drawArrivals, drawStories } from "./profile-trust.ts";
import { seeded } from "./virtual-time.ts";

export const PROFILES = [
  ...(["calm", "network", "process", "disk", "membership", "overload"] as const),
  ...(["slow-disks", "far-lines", "narrow-lines", "copies", "trust", "all"] as const),
] as const;
export type Profile = (typeof PROFILES)[number];

/** Milliseconds of a sync, at most and at least: random ones, and constant ones. */
const SLOWNESS = [[5000], [120], [300, 300], [2000, 1000]] as const;

/** Faults by profile; each is one step, or several that belong together as [delay in ms, step]. */
const FAULTS: Record<
  Exclude<Profile, "calm" | "copies" | "trust" | "all" | keyof typeof CONDITIONS>,
  readonly Fault[]
> = {
  network: [
    fault("isolate", 6000),
    fault("bridge", 6000),
    { verb: "cut", args: (p, r, n) => [p, other(p, r, n)], undo: healLater(6000) },
    { verb: "cut-way", args: (p, r, n) => [p, other(p, r, n)], undo: healLater(6000) },
    { verb: "split", args: (_p, r, n) => groups(r, n), undo: () => [5000, "heal", []] },
    { verb: "slow-link", args: (p, r, n) => [p, other(p, r, n), Math.round(r() * 800)], undo: healLater(9000) },
    { verb: "reset", args: (p, r, n) => [p, other(p, r, n)] },
    // Addresses are given out anew, to one or to all.
    { verb: "move", args: only },
    { verb: "move-all", args: () => [] },
    { verb: "swap", args: (p, r, n) => [p, other(p, r, n)] },
    // A link that flaps.
    { verb: "cut", args: (p, r, n) => [p, other(p, r, n)], undo: healLater(150), times: 8 },
  ],
  process: [
    { verb: "kill", args: only, undo: startLater(4000) },
    { verb: "vanish", args: only, undo: startLater(6000) },
    { verb: "power-cut", args: only, undo: startLater(4000) },
    { verb: "pause", args: (p, r) => [p, Math.round(1000 * 60 ** r())] },
    { verb: "pause", args: (p, r) => [p, Math.round(r() * 1500)] },
    { verb: "twin", args: only },
    // It stands still for so long that another process on its directory may just take it for dead, or may not.
    { verb: "pause", args: (p, r) => [p, Math.round(8000 + r() * 25_000)], undo: (p) => [4000, "double", [p]] },
    { verb: "clock", args: (p, r) => [p, Math.round((r() - 0.3) * 5000)] },
    { verb: "crash-at", args: (p, r) => [p, pick(CALLS, r), 1 + Math.floor(r() * 12)], undo: startLater(3000) },
    // A restart storm.
    { verb: "kill", args: only, undo: startLater(60), times: 8 },
  ],
  disk: [
    { verb: "full", args: only, undo: (p) => [4000, "room", [p]] },
    { verb: "no-names", args: only, undo: (p) => [4000, "room", [p]] },
    { verb: "slow-disk", args: (p, r) => [p, ...pick(SLOWNESS, r)], undo: (p) => [4000, "slow-disk", [p, 2]] },
    { verb: "fail-sync", args: only },
    { verb: "power-cut", args: only, undo: startLater(3000) },
    { verb: "crash-at", args: (p, r) => [p, pick(CALLS, r), 1 + Math.floor(r() * 12)], undo: startLater(3000) },
    { verb: "flip", args: only, undo: startLater(2000) },
    { verb: "bad-line", args: only, undo: startLater(2000) },
    { verb: "shorten", args: only, undo: startLater(2000) },
    { verb: "lose-segment", args: only, undo: startLater(2000) },
    { verb: "snapshot", args: only },
    { verb: "rollback", args: only },
  ],
  membership: [
    { verb: "quit", args: only, undo: startLater(5000) },
    { verb: "quit", args: only, undo: startLater(200), times: 4 },
    { verb: "transfer", args: (p, r, n) => [p, r() < 0.5 ? 0 : 1 + Math.floor(r() * n)] },
    { verb: "evict", args: (p, r, n) => [p, other(p, r, n)] },
    { verb: "wipe", args: only, undo: startLater(3000) },
    // Away for longer than the eviction time: replaced, and back as an observer.
    { verb: "kill", args: only, undo: startLater(15_000) },
  ],
  overload: [
    { verb: "flood", args: (p, r) => [p, Math.round(20 + r() * 400)] },
    { verb: "slow-link", args: (p, r, n) => [p, other(p, r, n), Math.round(r() * 2000)], undo: healLater(8000) },
    { verb: "garbage", args: only },
    { verb: "giant", args: only },
    { verb: "usurp", args: (p, r) => [p, Math.round(2 ** (48 * r()))] },
    { verb: "knock", args: (p, r) => [p, 1 + Math.floor(r() * 20)] },
  ],
};

/** Running directories that are copied, and copies put back: one at a time, where the others see it [D6] [E16]. */
const COPIES: readonly Fault[] = [
  { verb: "clone-seen", args: only },
  { verb: "clone-seen", args: only },
  { verb: "snapshot", args: only },
  { verb: "rollback", args: only },
  { verb: "kill", args: only, undo: startLater(2000) },
  { verb: "transfer", args: (p, r, n) => [p, r() < 0.5 ? 0 : 1 + Math.floor(r() * n)] },
];

/** Faults that also happen in profiles with lasting conditions: crashes, cuts, frozen processes. */
const USUAL: readonly Fault[] = [
  { verb: "kill", args: only, undo: startLater(6000) },
  { verb: "power-cut", args: only, undo: startLater(6000) },
  { verb: "pause", args: (p, r) => [p, Math.round(r() * 5000)] },
  fault("isolate", 8000),
  { verb: "cut", args: (p, r, n) => [p, other(p, r, n)], undo: healLater(8000) },
  { verb: "reset", args: (p, r, n) => [p, other(p, r, n)] },
  { verb: "transfer", args: (p, r, n) => [p, r() < 0.5 ? 0 : 1 + Math.floor(r() * n)] },
];

/** Conditions that last for the whole run: for all peers or for one, constant or changing. */
const CONDITIONS = {
  "slow-disks"(peers: number, random: () => number): Condition[] {
    const ms = Math.round(100 * 20 ** random());
    const least = random() < 0.5 ? ms : 0;
    const one = random() < 0.3 ? 1 + Math.floor(random() * peers) : 0;
    const all = Array.from({ length: peers }, (_, i) => i + 1);
    return all.filter((p) => one === 0 || p === one).map((p) => ["slow-disk", [p, ms, least]]);
  },
  "far-lines"(peers: number, random: () => number): Condition[] {
    const ms = Math.round(50 * 20 ** random());
    const least = random() < 0.5 ? ms : 0;
    const percent = random() < 0.3 ? 0 : Math.round(random() * 10);
    const one = random() < 0.3 ? 1 + Math.floor(random() * peers) : 0;
    const all = Array.from({ length: peers }, (_, i) => i + 1);
    const ways = all.flatMap((a) =>
      all.filter((b) => a !== b && (one === 0 || a === one || b === one)).map((b) => [a, b]),
    );
    return ways.flatMap((way): Condition[] => [
      ["slow-link", [...way, ms, least]],
      ["lossy-link", [...way, percent]],
    ]);
  },
  "narrow-lines"(peers: number, random: () => number): Condition[] {
    const kbits = Math.round(64 * 32 ** random());
    const one = random() < 0.5 ? 1 + Math.floor(random() * peers) : 0;
    const all = Array.from({ length: peers }, (_, i) => i + 1);
    return all.filter((p) => one === 0 || p === one).map((p) => ["narrow", [p, kbits]]);
  },
} as const;

type Condition = [Verb, (number | string)[]];

interface Fault {
  readonly verb: Verb;
  readonly args: (peer: number, random: () => number, peers: number) => (number | string)[];
  /** The step that ends the fault: [at most this many ms later, verb, args]. */
  readonly undo?: (peer: number, args: readonly (number | string)[]) => [number, Verb, (number | string)[]];
  /** How many times in a row the fault begins and ends. */
  readonly times?: number;
}

/** Draws a plan with `minutes` minutes of faults, followed by the end in which a part must drain. */
export function drawPlan(seed: number, profile: Profile, peers: number, minutes: number): Plan {
  const random = seeded(seed ^ 0x5eed);
  const untilMs = minutes * 60_000;
  const steps: Step[] = [];
  const add = (at: number, verb: Verb, args: readonly (number | string)[]) =>
    steps.push({ at: Math.round(at), verb, args: args.map(String) });
  // In a third of the runs a program embeds one of the peers [C1]; no draw is spent on that.
  if (seed % 3 === 0) add(0, "application", [1 + (seed % peers), 100 * (1 + (seed % 5))]);
  const conditions = isCondition(profile) ? CONDITIONS[profile](peers, random) : [];
  for (const [verb, args] of conditions) add(0, verb, args);
  const secured = profile === "trust";
  if (secured) {
    for (const [at, verb, args] of drawArrivals(random, peers)) add(at, verb, args);
    const settled = Math.max(...steps.map(({ at }) => at)) + 3000;
    for (const [at, verb, args] of drawStories(random, peers, settled, untilMs)) add(at, verb, args);
  } else for (let peer = 1; peer <= peers; peer++) add((peer - 1) * 50 * random(), "start", [peer]);

  const kinds = kindsOf(profile);
  const weights = kinds.map(() => (random() < 0.5 ? random() : 0));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const gap = 300 + random() * 4000;
  for (let at = 500; total > 0 && at < untilMs; at += random() * 2 * gap) {
    const kind = drawWeighted(kinds, weights, random() * total);
    const peer = 1 + Math.floor(random() * peers);
    let when = at;
    for (let i = 0; i < (kind.times ?? 1); i++) {
      const args = kind.args(peer, random, peers);
      add(when, kind.verb, args);
      const undo = kind.undo?.(peer, args);
      if (undo === undefined) break;
      when += random() * undo[0];
      add(when, undo[1], undo[2]);
    }
  }
  const pause = 30 + random() * 500;
  let said = 0;
  for (let at = 400; at < untilMs; at += random() * 2 * pause)
    add(at, "say", [1 + Math.floor(random() * peers), `message ${said++}`]);
  // Another third has clients. Their steps are drawn separately, so that the other steps are the same as without
  // clients.
  if (seed % 3 === 1 && !secured)
    for (const [at, verb, args] of drawClients(seed, peers, untilMs, profile !== "calm")) add(at, verb, args);
  steps.sort((a, b) => a.at - b.at);
  // Afterwards everything heals, once.
  while ((steps.at(-1)?.at ?? 0) >= untilMs) steps.pop();
  return {
    title: `seed ${seed}, profile ${profile}`,
    seed,
    peers,
    steps,
    untilMs,
    ...(secured && { secured }),
    ending: isCondition(profile) ? "heal-slow" : random() < 0.5 ? "heal-all" : "heal-part",
  };
}

function isCondition(profile: Profile): profile is keyof typeof CONDITIONS {
  return Object.hasOwn(CONDITIONS, profile);
}

function kindsOf(profile: Profile): readonly Fault[] {
  if (isCondition(profile) || profile === "trust") return USUAL;
  if (profile === "copies") return COPIES;
  return profile === "all" ? Object.values(FAULTS).flat() : profile === "calm" ? [] : FAULTS[profile];
}

function only(peer: number): number[] {
  return [peer];
}

function fault(verb: Verb, msMax: number): Fault {
  return { verb, args: only, undo: (p) => [msMax, "heal", [p]] };
}

function healLater(msMax: number): NonNullable<Fault["undo"]> {
  return (_peer, args) => [msMax, "heal", args.slice(0, 2)];
}

function startLater(msMax: number): NonNullable<Fault["undo"]> {
  return (peer) => [msMax, "start", [peer]];
}

function other(peer: number, random: () => number, peers: number): number {
  return peers === 1 ? 1 : 1 + ((peer + Math.floor(random() * (peers - 1))) % peers);
}

function groups(random: () => number, peers: number): string[] {
  const left: number[] = [];
  const right: number[] = [];
  for (let peer = 1; peer <= peers; peer++) (random() < 0.5 ? left : right).push(peer);
  return [left.join(",") || "0", right.join(",") || "0"];
}

function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)] as T;
}

function drawWeighted<T>(items: readonly T[], weights: readonly number[], draw: number): T {
  let left = draw;
  const index = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return items[index] as T;
}
