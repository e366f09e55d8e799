/**
 * What travels between a peer and those who use it without a log of their own: thin clients and scripts [S8]. The
 * committed log itself comes in CATCHUP_RESP. A client asks for it piece by piece, so that a slow reader holds back
 * only itself.
 */
import type { Key, LogIndex, PeerId } from "./ids.ts";
import type { PeerInfo, Rights, Tail } from "./log-entry.ts";
import type { Question, Told } from "./reports.ts";
import type { SaidVersions } from "./versions.ts";

/** Where a member can be dialled, and in a secured cluster what it proves there. */
export type KnownPeer = PeerInfo & { readonly key?: Key };

/** First frame of a client. */
export interface Attach extends SaidVersions {
  readonly type: "ATTACH";
  /** The cluster whose log the client has read so far; null: none yet, any cluster will do. */
  readonly cluster_id: string | null;
  /** "" for a visitor, which asks and reads, and has no session of its own. */
  readonly user: string;
  /** The room the client talks in. */
  readonly room_id: string;
  /** The session in which the client's messages are numbered, at whichever peer it is attached; "" for a visitor. */
  readonly session: string;
  /** The peer under whose id the session began; 0: it begins now. */
  readonly sender_id: PeerId;
  /** Highest index that the client has seen. Only a peer whose log reaches beyond it serves the client. */
  readonly seen: LogIndex;
  /** What lets it in where the cluster is secured: the secret whose hash is in the log. */
  readonly token?: string;
}

/** The client is served. */
export interface Attached {
  readonly type: "ATTACHED";
  readonly cluster_id: string;
  readonly id: PeerId;
  /** The sender id that the ids of the client's messages have from now on. */
  readonly sender_id: PeerId;
  /** The end of the committed log. */
  readonly commit: Tail;
  /** Where to go when this peer dies. */
  readonly members: readonly KnownPeer[];
  /** In a secured cluster: the name that goes with what the client says, and what it may do. */
  readonly user?: string;
  readonly rights?: Rights;
  /** The cluster's times, in milliseconds: say something so often; who is silent for twice so long is gone. */
  readonly heartbeat: number;
  readonly leader_timeout: number;
}

/** First frame of a connection of its own: who is invited as a client asks for a token, once. */
export interface Redeem extends SaidVersions {
  readonly type: "REDEEM";
  readonly cluster_id: string;
  /** The secret of the invitation. */
  readonly invite: string;
  /**
   * Hash of the token that the client has made, and alone knows. Without one it only asks what the invitation would give,
   * be it for a member or for a client; nothing is used by that.
   */
  readonly token?: string;
  /** The name it would like; it counts where the invitation names nobody. */
  readonly user: string;
}

/** The token counts, by the log of who answers. */
export interface Redeemed {
  readonly type: "REDEEMED";
  readonly name: string;
  readonly rights: Rights;
  /** Of the entry that enrolled it: the sessions of this token begin with that. */
  readonly index: LogIndex;
  readonly cluster_id: string;
  /** Where to go, and the keys to expect there. */
  readonly members: readonly (PeerInfo & { readonly key: Key })[];
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

/** An answer. Request 0: nobody asked for it. */
export interface Tell {
  readonly type: "TELL";
  readonly request: number;
  readonly told: Told;
}

export type ClientFrame = Attach | Attached | Redeem | Redeemed | Detach | Ask | Tell;
