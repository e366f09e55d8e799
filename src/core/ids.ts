/**
 * Names of things that cross every layer: who (peer ids, incarnations), when (terms, ballots), where (log indexes).
 *
 * The brands are weak on purpose: a plain number may be used as any of them, but one of them never as another.
 */

/** Positive integer, unique in the cluster; also the election priority: higher wins (Garcia-Molina 1982). */
export type PeerId = number & { readonly __unit?: "peer" };
/** Election number. 0 only in the genesis entry; bounded by the cluster's own end and by TERM_MAX [E12]. */
export type Term = number & { readonly __unit?: "term" };
/** Place in the log: 1, 2, 3 … without gaps; 0 means "before the first entry". */
export type LogIndex = number & { readonly __unit?: "index" };
/** Monotonic milliseconds of the host's clock. */
export type Millis = number & { readonly __unit?: "ms" };
/** One connection's handle, given by the host; never reused within a process. */
export type LinkId = number & { readonly __unit?: "link" };

/** One attached client's handle on its peer, given by the host; never reused within a process. */
export type ClientId = number & { readonly __unit?: "client" };

/**
 * A ballot belongs to one leader for ever and ends with that leader's process (Lamport 2001). The boot number binds it
 * to that process: where a directory runs twice, or was put back to an older state, a process does not know which terms
 * the other process of that directory has used.
 */
export interface Ballot {
  readonly term: Term;
  readonly leader_id: PeerId;
  readonly inc: string;
  /** Counted up in the directory at each start; 0 in what was written before there were boot numbers. */
  readonly boot: number;
}

/** Lower than every ballot a peer can make: what a fresh peer has promised. */
export const NO_BALLOT: Ballot = { term: 0, leader_id: 0, inc: "", boot: 0 };

/** Ballots compare by term, then leader id, then incarnation, then boot. Returns < 0, 0 or > 0. */
export function compareBallots(a: Ballot, b: Ballot): number {
  if (a.term !== b.term) return a.term - b.term;
  if (a.leader_id !== b.leader_id) return a.leader_id - b.leader_id;
  if (a.inc !== b.inc) return a.inc < b.inc ? -1 : 1;
  return a.boot - b.boot;
}

export function sameBallot(a: Ballot, b: Ballot): boolean {
  return a.term === b.term && a.leader_id === b.leader_id && a.inc === b.inc && a.boot === b.boot;
}

/** The ballot that an entry bears, or one as stored: what older directories wrote has no boot number. */
export function ballotOf(from: Omit<Ballot, "boot"> & { readonly boot?: number }): Ballot {
  const { term, leader_id, inc, boot = 0 } = from;
  return { term, leader_id, inc, boot };
}

export function formatBallot(b: Ballot): string {
  return `${b.term}.${b.leader_id}.${b.inc}.${b.boot}`;
}

/**
 * Names a directory of a secured cluster to the others: SHA-256 of its certificate, in base32 (52 characters). A link's is
 * what its TLS session has proven.
 */
export type Key = string;

/** A member as it counts in a quorum. An id alone is not enough: an emptied data directory is another member [M6]. */
export interface MemberKey {
  readonly id: PeerId;
  readonly inc: string;
}

export function sameMember(a: MemberKey, b: MemberKey): boolean {
  return a.id === b.id && a.inc === b.inc;
}

/** One run of a member. Ballots belong to it, and end with its process. */
export interface ProcessKey extends MemberKey {
  /** Higher at each start of the same directory. */
  readonly boot: number;
}

export function sameProcess(a: ProcessKey, b: ProcessKey): boolean {
  return a.boot === b.boot && sameMember(a, b);
}

/** The process that made a ballot. */
export function makerOf(ballot: Ballot): ProcessKey {
  return { id: ballot.leader_id, inc: ballot.inc, boot: ballot.boot };
}

/** The member that a ballot belongs to. */
export function leaderKey(ballot: Ballot): MemberKey {
  return { id: ballot.leader_id, inc: ballot.inc };
}
