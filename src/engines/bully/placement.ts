/**
 * Decides which members should vote [M5]: a pure function of what the leader knows, so that every leader would choose
 * the same.
 *
 * - The number of voters is the largest odd number up to the peers that have not quit, at most VOTERS_MAX.
 * - The leader is among them; a live voter is never replaced for its id; a crash never shrinks the set.
 * - Better candidates are those alive and caught up, then the higher id.
 */
import { VOTERS_MAX } from "../../core/config.ts";
import type { PeerId } from "../../core/ids.ts";

/** One member that has not quit, as the leader sees it. */
export interface Candidate {
  readonly id: PeerId;
  readonly voter: boolean;
  /** Acknowledged under this ballot within the quorum check time, and caught up. */
  readonly fit: boolean;
  /** It has been away for the eviction time, and no other voter reaches it either. */
  readonly gone: boolean;
}

export interface PlacementInput {
  readonly leader: PeerId;
  readonly members: readonly Candidate[];
  /** The leader wants to quit, and needs a voter to hand over to. */
  readonly leaderQuits: boolean;
}

/** Returns the ids of the voters to be. */
export function placeVoters({ leader, members, leaderQuits }: PlacementInput): Set<PeerId> {
  const voters = members.filter((m) => m.voter);
  const spare = members.filter((m) => !m.voter && m.fit).sort((a, b) => b.id - a.id);
  // The leader hands over before it goes, so nothing changes now: the new leader places the voters.
  if (leaderQuits && voters.some((v) => v.fit && v.id !== leader)) return new Set(voters.map((v) => v.id));
  const gone = voters.filter((v) => v.gone && v.id !== leader);
  const replaced = Math.min(gone.length, spare.length);
  const wanted = largestOdd(Math.min(members.length, VOTERS_MAX, voters.length - replaced + spare.length));
  const live = voters.filter((v) => !gone.includes(v));
  live.sort(
    (a, b) => Number(b.id === leader) - Number(a.id === leader) || Number(b.fit) - Number(a.fit) || b.id - a.id,
  );
  gone.sort((a, b) => b.id - a.id);
  // A pair has one voter. The leader needs a second one to hand over to.
  const places = leaderQuits && wanted === 1 && spare.length > 0 ? 2 : wanted;
  return new Set([...live, ...spare, ...gone].slice(0, places).map((m) => m.id));
}

function largestOdd(n: number): number {
  return n % 2 === 1 ? n : Math.max(1, n - 1);
}
