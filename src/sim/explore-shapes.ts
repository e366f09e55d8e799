/** What the exhaustive search moves and judges: peers of the bully engine, whose every state it looks into. */
import type { Ballot, MemberKey } from "../core/ids.ts";
import type { Entry } from "../core/log-entry.ts";
import type { Peer } from "../engines/bully/peer.ts";

/** One peer on its disk. Nobody changes it once it has a number. */
export interface Actor {
  readonly self: MemberKey;
  readonly peer: Peer;
  /** What the promise file says; `peer.promised` may be ahead of it. */
  readonly promised: Ballot;
  readonly boots: number;
  /** As written; durable through `peer.log.durable`. */
  readonly log: readonly Entry[];
}
