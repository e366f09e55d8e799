/**
 * Names of things that cross every layer: who (peer ids, incarnations), when (terms, ballots), where (log indexes).
 *
 * The brands are weak on purpose: a plain number may be used as any of them, but one of them never as another.
 */

/** Positive integer, unique in the cluster; also the election priority: higher wins (Garcia-Molina 1982). */
export type PeerId = number & { readonly __unit?: "peer" };
/** Election number. 0 only in the genesis entry; bounded by TERM_MAX [E12]. */
export type Term = number & { readonly __unit?: "term" };
/** Place in the log: 1, 2, 3 … without gaps; 0 means "before the first entry". */
export type LogIndex = number & { readonly __unit?: "index" };
/** Monotonic milliseconds of the host's clock. */
export type Millis = number & { readonly __unit?: "ms" };
/** One connection's handle, given by the host; never reused within a process. */
export type LinkId = number & { readonly __unit?: "link" };

/** One attached client's handle on its peer, given by the host; never reused within a process. */
export type ClientId = number & { readonly __unit?: "client" };

/** A ballot belongs to one leader for ever and ends with that leader's process (Lamport 2001). */
export interface Ballot {
  readonly term: Term;
  readonly leader_id: PeerId;
  readonly inc: string;
}

/** Lower than every ballot a peer can make: what a fresh peer has promised. */
export const NO_BALLOT: Ballot = { term: 0, leader_id: 0, inc: "" };

/** Ballots compare by term, then leader id, then incarnation. Returns < 0, 0 or > 0. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.term !== b.term) return a.term - b.term;
  if (a.leader_id !== b.leader_id) return a.leader_id - b.leader_id;
  return a.inc < b.inc ? -1 : a.inc > b.inc ? 1 : 0;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.term === b.term && a.leader_id === b.leader_id && a.inc === b.inc;
}

export function formatBallot(b: Ballot): string {
  return `${b.term}.${b.leader_id}.${b.inc}`;
}

/** Who counts in a quorum: an id alone does not, an emptied data directory is another member [M6]. */
export interface MemberKey {
  readonly id: PeerId;
  readonly inc: string;
}

export function sameMember(a: MemberKey, b: MemberKey): boolean {
  return a.id === b.id && a.inc === b.inc;
}

/** The member that a ballot belongs to. */
export function leaderKey(ballot: Ballot): MemberKey {
  return { id: ballot.leader_id, inc: ballot.inc };
}
