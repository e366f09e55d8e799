/**
 * Who should vote [M5]: a pure function of what the leader knows, so that every leader would choose alike.
 *
 * - The number of voters is the largest odd number up to the peers that have not quit, at most VOTERS_MAX.
 * - The leader is among them; a live voter is never replaced for its id; a crash never shrinks the set.
 * - Better candidates are those alive and caught up, then the higher id.
 */
import { VOTERS_MAX } from "./config.ts";
import type { PeerId } from "./ids.ts";

/** One member that has not quit, as the leader sees it. */
export interface Candidate {
  readonly id: PeerId;
  readonly voter: boolean;
  /** Acknowledged under this ballot within the quorum check time, and caught up. */
  readonly fit: boolean;
  /** Away for the eviction time, and no other voter reaches it either. */
  readonly gone: boolean;
}

export interface PlacementInput {
  readonly leader: PeerId;
  readonly members: readonly Candidate[];
  /** The leader wants to quit and needs somebody to hand over to. */
  readonly leaderQuits: boolean;
}

/** Returns the ids of the voters to be. */
export function placeVoters({ leader, members, leaderQuits }: PlacementInput): Set<PeerId> {
  const voters = members.filter((m) => m.voter);
  const spare = members.filter((m) => !m.voter && m.fit).sort((a, b) => b.id - a.id);
  if (leaderQuits) {
    // It hands over before it goes, so nothing changes now, except that somebody must be there to hand over to: a pair
    // has one voter. The new leader tidies up.
    const successor = voters.length > 1 ? [] : spare.slice(0, 1);
    return new Set([...voters, ...successor].map((m) => m.id));
  }
  const replaceable = spare.length;
  const kept = voters
    .filter((v) => v.id === leader || !v.gone)
    .concat(voters.filter((v) => v.id !== leader && v.gone).slice(replaceable));
  const wanted = largestOdd(Math.min(members.length, VOTERS_MAX));
  const reachable = largestOdd(Math.min(wanted, kept.length + replaceable));
  kept.sort(
    (a, b) => Number(b.id === leader) - Number(a.id === leader) || Number(b.fit) - Number(a.fit) || b.id - a.id,
  );
  const chosen = kept.slice(0, reachable);
  const missing = Math.max(0, reachable - chosen.length);
  return new Set([...chosen, ...spare.slice(0, missing)].map((m) => m.id));
}

function largestOdd(n: number): number {
  return n % 2 === 1 ? n : Math.max(1, n - 1);
}
