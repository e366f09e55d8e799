/** What goes into a peer and what comes out of it: the contract between the core and its host. */
import type { Timings } from "../core/config.ts";
import type { Ballot, ClientId, LinkId, LogIndex, Millis, PeerId, ProcessKey } from "../core/ids.ts";
import type { LogState } from "../core/log-state.ts";
import type {
  Chat,
  ChatAck,
  DiskTimes,
  Draft,
  Entry,
  Frame,
  Member,
  Person,
  ReadReport,
  Refusal,
  RefuseCode,
  Seal,
  Tail,
  Twin,
} from "../core/message.ts";

export interface PeerOptions {
  readonly self: ProcessKey;
  readonly address: { readonly host: string; readonly port: number };
  readonly timings: Timings;
  readonly seal: Seal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The wall clock in milliseconds, for display only. */
  readonly wall: () => number;
  /** Session of the messages submitted from now on [S1]. */
  readonly session: string;
  /** A fresh name for another one, which nobody can have guessed [S10]. */
  readonly newSession: () => string;
}

/** What the directory held. */
export interface Restored {
  readonly state: LogState;
  readonly entries: readonly Entry[];
  readonly beforeCrc: number;
  readonly durable: LogIndex;
  readonly commit: LogIndex;
  readonly promised: Ballot;
  /** The log was damaged below its watermark and is being refetched [D5]. */
  readonly faulty: boolean;
  /** Milliseconds that the disk took at the start to make a small file durable, where that was measured. */
  readonly syncMs?: Millis;
  /** Old sessions with messages still pending, oldest first [S3]. */
  readonly outbox: readonly { readonly session: string; readonly first: number; readonly drafts: readonly Draft[] }[];
}

export type Input =
  | {
      readonly type: "link-up";
      readonly link: LinkId;
      readonly peer: ProcessKey & { readonly host: string; readonly port: number };
    }
  | { readonly type: "link-down"; readonly link: LinkId }
  | { readonly type: "frame"; readonly link: LinkId; readonly frame: Frame }
  | { readonly type: "submit"; readonly drafts: readonly Draft[] }
  /** A client numbers its messages in `session` and speaks through this peer [S8]. */
  | { readonly type: "client-up"; readonly client: ClientId; readonly session: string }
  | { readonly type: "client-down"; readonly client: ClientId }
  | { readonly type: "client-chat"; readonly client: ClientId; readonly chat: Chat }
  /** Somebody at this peer or at one of its clients came, changed the name, or left [P2]. */
  | { readonly type: "person"; readonly person: Person }
  /** That client went without a word: others may hear of its person again. */
  | { readonly type: "silence"; readonly user: string }
  /** Somebody here has read a room through a number [P4]. */
  | { readonly type: "read"; readonly read: ReadReport }
  /** Everything through `index` is durable. */
  | { readonly type: "durable"; readonly index: LogIndex }
  | { readonly type: "promised"; readonly ballot: Ballot }
  /** The other side of a link answered after `roundTrip` milliseconds, and said how long its disk takes [E15]. */
  | { readonly type: "measured"; readonly link: LinkId; readonly roundTrip: Millis; readonly disk: DiskTimes }
  /**
   * What a link carries [R10]: bytes of bulk that may be under way on it, and of one frame; whether a frame that takes long is just coming in;
   * where something that was handed over more than a heartbeat interval ago has not arrived, the time through which all has; else null.
   */
  | {
      readonly type: "flow";
      readonly link: LinkId;
      readonly window: number;
      readonly frame: number;
      readonly receives: boolean;
      readonly arrivedUntil: Millis | null;
    }
  /** Nothing can be written [D4]: the host keeps what it could not write and goes on with it when it can again. */
  | { readonly type: "disk-refuses"; readonly why: Refusal }
  | { readonly type: "disk-ok" }
  /** Another process runs on a copy of this peer's directory, and lives [E16]. */
  | { readonly type: "twin"; readonly twin: Twin }
  | { readonly type: "transfer"; readonly to: PeerId }
  | { readonly type: "evict"; readonly id: PeerId }
  | { readonly type: "quit" }
  | { readonly type: "tick" };

/**
 * What the host does, in this order and before the next input:
 * `append` and `truncate` change the log file at once (an append's durability comes back as `durable`); `promise`
 * persists [D2] and comes back as `promised`; `serve` answers with CATCHUP_RESP from disk; `commit` delivers.
 * Nothing here waits: what depends on durability is held back by core until the input says so.
 */
export type Output =
  | { readonly do: "append"; readonly entries: Entry[] }
  | { readonly do: "truncate"; readonly from: LogIndex }
  | { readonly do: "promise"; readonly ballot: Ballot }
  | { readonly do: "send"; readonly link: LinkId; readonly frame: Frame }
  | {
      readonly do: "serve";
      readonly link: LinkId;
      readonly ballot: Ballot | null;
      readonly after: Tail;
      readonly through: LogIndex;
    }
  | { readonly do: "commit"; readonly through: LogIndex }
  /** Own messages that are committed now, in the order of their counters. */
  | { readonly do: "sent"; readonly entries: Entry[] }
  | { readonly do: "answer-client"; readonly client: ClientId; readonly frame: ChatAck }
  /** Pending messages go on in another session, from 1: there is a gap before them [S3], or somebody else writes there [S10]. */
  | {
      readonly do: "renamed";
      readonly session: string;
      /** What they had before, in ascending order. */
      readonly counters: readonly number[];
      readonly to: string;
      readonly drafts: readonly Draft[];
    }
  /** What was confirmed is lost from this index on [D6]: to be noted, as damage that a start finds is [D5]. */
  | { readonly do: "damaged"; readonly from: LogIndex }
  | { readonly do: "repaired" }
  /** Another peer's messages that wait for a leader [S7]. */
  | {
      readonly do: "unsent";
      readonly sender: PeerId;
      readonly session: string;
      readonly first: number;
      readonly drafts: readonly Draft[];
    }
  | { readonly do: "role"; readonly role: ShownRole; readonly term: number; readonly leader_id: PeerId | null }
  | {
      readonly do: "member";
      readonly id: PeerId;
      readonly state: "joined" | "alive" | "unreachable" | "left";
      readonly role: Member["role"];
    }
  /** This peer has a twin, and counts no more [E16]. */
  | { readonly do: "twins"; readonly at: readonly Twin[] }
  | { readonly do: "refuse"; readonly link: LinkId; readonly code: RefuseCode; readonly message: string }
  | { readonly do: "notice"; readonly code: string; readonly message: string }
  | { readonly do: "debug"; readonly message: string }
  | { readonly do: "stop"; readonly reason: string };

export type ShownRole = "leader" | "follower" | "candidate" | "observer";

export interface LinkedPeer extends ProcessKey {
  readonly link: LinkId;
  readonly host: string;
  readonly port: number;
  /** Bytes of bulk that may be under way on the link [R10]. */
  window: number;
  /** Bytes of one frame of that. */
  frame: number;
}

/** The leader this peer follows (or is), under the promised ballot. */
export interface FollowedLeader {
  readonly ballot: Ballot;
  heard: Millis;
  /** The leader says a majority hears it. */
  quorum: boolean;
}
