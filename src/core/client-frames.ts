/**
 * What travels between a peer and those who use it without a log of their own: thin clients and scripts [S8]. The
 * committed log itself comes in CATCHUP_RESP, asked for piece by piece, so that a slow reader holds back only itself.
 */
import type { LogIndex, PeerId } from "./ids.ts";
import type { PeerInfo, Tail } from "./log-entry.ts";
import type { Question, Told } from "./reports.ts";
import type { SaidVersions } from "./versions.ts";

/** First frame of a client. */
export interface Attach extends SaidVersions {
  readonly type: "ATTACH";
  /** The cluster that the client has read so far; null: none yet, any will do. */
  readonly cluster_id: string | null;
  /** "": a visitor, who asks and reads, and says nothing in a session of its own. */
  readonly user: string;
  /** The room the client talks in. */
  readonly room_id: string;
  /** Numbers the client's messages, wherever it is attached; "" for a visitor. */
  readonly session: string;
  /** The peer under whose id the session began; 0: it begins now. */
  readonly sender_id: PeerId;
  /** Highest index that the client saw. It is served only by a peer that is past it. */
  readonly seen: LogIndex;
}

/** The client is served. */
export interface Attached {
  readonly type: "ATTACHED";
  readonly cluster_id: string;
  readonly id: PeerId;
  /** Stands in the ids of the client's messages from now on. */
  readonly sender_id: PeerId;
  /** The end of the committed log. */
  readonly commit: Tail;
  /** Where to go when this peer dies. */
  readonly members: readonly PeerInfo[];
  /** The cluster's times, in milliseconds: say something so often; who is silent for twice so long is gone. */
  readonly heartbeat: number;
  readonly leader_timeout: number;
}

/** The client goes and does not come back. */
export interface Detach {
  readonly type: "DETACH";
}

/** `request` is the asker's own number, echoed by the answer. */
export interface Ask {
  readonly type: "ASK";
  readonly request: number;
  readonly question: Question;
}

/** An answer; with request 0 unasked. */
export interface Tell {
  readonly type: "TELL";
  readonly request: number;
  readonly told: Told;
}

export type ClientFrame = Attach | Attached | Detach | Ask | Tell;
