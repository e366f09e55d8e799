/**
 * What must hold in every state of a search. It is judged from outside, by what peers hold and by what has happened,
 * even if no peer remembers it: what was ever committed, and which peers ever led. It shares no rule with the core that
 * it judges.
 */
import { type Ballot, compareBallots, formatBallot, type MemberKey, sameBallot, sameMember } from "../core/ids.ts";
import type { Configuration, Entry } from "../core/log-entry.ts";
import type { Actor } from "./explore-shapes.ts";

export const INVARIANTS = {
  "one leader": "a ballot has one leader, once [I3]",
  promise: "a promise never goes back, nor is one given that a loss of power would undo [I7] [D2]",
  agreement: "of any two peers' committed logs one begins with the other, for all time [I1] [I2]",
  completeness: "a leader's log holds everything committed under lower ballots [E7] [E8]",
  quorum:
    "everything committed is on the disks of a majority of the last settled configuration, and of the one to follow if that is committed, so that the quorums of both overlap in it [R5] [M3]",
  assertion: "the core's own assertions",
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** An invariant is violated. */
export class Broken extends Error {
  readonly invariant: Invariant;
  constructor(invariant: Invariant, what: string) {
    super(what);
    this.invariant = invariant;
  }
}

export interface History {
  readonly committed: readonly Entry[];
  /** The ballot under which each of these was first committed. */
  readonly by: readonly Ballot[];
  /** Ballots that had a leader, as text. */
  readonly led: readonly string[];
  /** Sets of voters, by the committed configurations; of each a majority must hold what is committed. */
  readonly sets: readonly (readonly MemberKey[])[];
}

export const NO_HISTORY: History = { committed: [], by: [], led: [], sets: [] };

export function historyText({ committed, by, led }: History): string {
  return `${committed.at(-1)?.crc} ${by.map(formatBallot)} ${led}`;
}

/** What has happened after an actor's step. Throws Broken. */
export function witness(history: History, before: Actor, after: Actor): History {
  return witnessCommit(witnessLeader(history, before, after), after);
}

function witnessLeader(history: History, before: Actor, after: Actor): History {
  const was = before.peer.leadership?.ballot;
  const is = after.peer.leadership?.ballot;
  if (is === undefined || (was !== undefined && sameBallot(was, is))) return history;
  const ballot = formatBallot(is);
  if (history.led.includes(ballot)) throw new Broken("one leader", `${ballot} has a leader for the second time`);
  return { ...history, led: [...history.led, ballot].sort() };
}

function witnessCommit(history: History, { self, peer, log }: Actor): History {
  const known = history.committed.length;
  const shared = Math.min(peer.log.commit, known) - 1;
  if (log[shared]?.crc !== history.committed[shared]?.crc)
    throw new Broken(
      "agreement",
      `peer ${self.id} has committed another entry ${shared + 1} than was committed before`,
    );
  if (peer.log.commit <= known) return history;
  const added = log.slice(known, peer.log.commit);
  const committed = [...history.committed, ...added];
  return { ...history, committed, by: [...history.by, ...added.map(() => peer.promised)], sets: setsOf(committed) };
}

/** Throws Broken unless these peers, together, keep what is committed. */
export function judge({ committed, by, sets }: History, actors: readonly Actor[]): void {
  const last = committed.at(-1);
  if (last === undefined) return;
  const holds = (voter: MemberKey) =>
    actors.some((a) => sameMember(a.self, voter) && a.peer.log.durable >= last.index && has(a, last));
  for (const set of sets) {
    const holders = set.filter(holds).map((v) => v.id);
    if (holders.length * 2 <= set.length) {
      const voters = set.map((v) => v.id).join(", ");
      const what = `entry ${last.index} is committed, and of the voters ${voters} have it on disk: ${holders.join(", ") || "none"}`;
      throw new Broken("quorum", what);
    }
  }
  for (const actor of actors) {
    const ballot = actor.peer.leadership?.ballot;
    if (ballot === undefined) continue;
    const bound = committed[by.findLastIndex((b) => compareBallots(b, ballot) < 0)];
    if (bound === undefined || has(actor, bound)) continue;
    const what = `peer ${actor.self.id} leads with ${formatBallot(ballot)} without entry ${bound.index}, committed under a lower ballot`;
    throw new Broken("completeness", what);
  }
}

/** Compares the whole log up to there, because the crc covers all of it. */
function has({ log }: Actor, entry: Entry): boolean {
  return log[entry.index - 1]?.crc === entry.crc;
}

function setsOf(committed: readonly Entry[]): MemberKey[][] {
  let sets: MemberKey[][] = [];
  for (const { kind, data } of committed) {
    if (kind === "settled") sets = sets.slice(-1);
    if (kind !== "genesis" && kind !== "config") continue;
    sets.push((data as Configuration).members.filter((m) => m.role === "voter"));
  }
  return sets;
}
