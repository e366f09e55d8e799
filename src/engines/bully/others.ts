/** The other peers as this one knows them: those at the other ends of its links, and the leader. */
import type { Ballot, Millis } from "../../core/ids.ts";
import type { Linked } from "../view.ts";

export interface LinkedPeer extends Linked {
  /** Bytes of bulk that may be under way on the link [R10]. */
  window: number;
  /** Bytes of one frame of bulk. */
  frame: number;
}

/** The leader this peer follows (or is), under the promised ballot. */
export interface FollowedLeader {
  readonly ballot: Ballot;
  heard: Millis;
  /** The leader says a majority hears it. */
  quorum: boolean;
}
