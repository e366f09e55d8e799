/** Arithmetic of majorities, apart from any state. Three voters bear one crash, five bear two. */
import type { LogIndex, MemberKey, Millis } from "./ids.ts";
import type { Configuration, Member } from "./log-entry.ts";
import type { LoggedConfiguration } from "./log-state.ts";

export function votersOf(configuration: Configuration): Member[] {
  return configuration.members.filter((m) => m.role === "voter");
}

/** The sets of which each needs its own majority: one when settled, two while a change is under way [M3]. */
export function voterSets(logged: LoggedConfiguration): readonly (readonly MemberKey[])[] {
  const voters = votersOf(logged.configuration);
  return logged.settled !== 0 ? [voters] : [voters, logged.configuration.prev_voters];
}

export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Whether a majority of every set satisfies `counts`. No set and an empty set have no majority. */
export function hasQuorum(sets: readonly (readonly MemberKey[])[], counts: (voter: MemberKey) => boolean): boolean {
  return sets.length > 0 && sets.every((set) => set.filter(counts).length >= majority(set.length));
}

/** The highest index that a majority of every set has reached. */
export function quorumIndex(
  sets: readonly (readonly MemberKey[])[],
  reached: (voter: MemberKey) => LogIndex,
): LogIndex {
  let lowest = Number.POSITIVE_INFINITY;
  for (const set of sets) {
    const sorted = set.map(reached).sort((a, b) => b - a);
    lowest = Math.min(lowest, sorted[majority(set.length) - 1] ?? 0);
  }
  return Number.isFinite(lowest) ? lowest : 0;
}

/**
 * The time within which a majority of every set answers, counting only voters that can be reached. Where these are
 * fewer than a majority it is the time of the slowest of them; 0 with none.
 */
export function quorumWait(
  sets: readonly (readonly MemberKey[])[],
  isReached: (voter: MemberKey) => boolean,
  timeOf: (voter: MemberKey) => Millis,
): Millis {
  const waits = sets.map((set) => {
    const sorted = set
      .filter((v) => isReached(v))
      .map((v) => timeOf(v))
      .sort((a, b) => a - b);
    return sorted[Math.min(majority(set.length), sorted.length) - 1] ?? 0;
  });
  return Math.max(0, ...waits);
}

/** Each voter of any of the sets, once. */
export function everyVoter(sets: readonly (readonly MemberKey[])[]): MemberKey[] {
  const seen = new Map<string, MemberKey>();
  for (const set of sets) for (const voter of set) seen.set(memberName(voter), voter);
  return [...seen.values()];
}

/** A member's name as a map key. */
export function memberName(member: MemberKey): string {
  return `${member.id}.${member.inc}`;
}
