/** A leader as the other parts of its peer see it; they never see how it leads. */
import type { Ballot, LinkId, LogIndex, MemberKey, Millis, PeerId } from "../../core/ids.ts";
import type { Configuration, Entry, EntryData, EntryKind, Member } from "../../core/log-entry.ts";
import type { Chat, Join } from "../../core/message.ts";
import type { LinkedPeer } from "./others.ts";

/** What an entry of the leader says. A message's fields, also where the entry is about one user. */
export interface Content {
  readonly data?: EntryData;
  /** Of an access entry. */
  readonly ts?: number;
  readonly chat?: {
    readonly room_id: string;
    readonly seq_no: number;
    readonly sender_id: PeerId;
    readonly session: string;
    readonly counter: number;
    readonly user: string;
    readonly ts: number;
    readonly text: string;
  };
}

export interface Leading {
  readonly ballot: Ballot;
  /** Index of the `leader` entry that opened this ballot: only from here on may the commit index move [R5]. */
  readonly opened: LogIndex;
  /** [E11] A majority acknowledged within the quorum check time. */
  readonly quorumConnected: boolean;
  readonly guests: GuestList;
  readonly sequencer: Numbering;
  /** Appends one entry of this ballot and returns it. Its bytes are final at once. */
  append(kind: EntryKind, content: Content): Entry;
  /** It acknowledged within the quorum check time. */
  isAlive(member: MemberKey): boolean;
  /** Alive, repaired and at most a little behind: fit to vote and to lead. */
  isCaughtUp(member: MemberKey): boolean;
  /** Null: not a member under this ballot. */
  progressOf(member: MemberKey): KnownMember | null;
  /** Tells a member who leads. */
  greet(who: MemberKey): void;
  /** Without a place before: the receiver then fetches what is committed. */
  heartbeatTo(link: LinkId): void;
}

/** What the leader knows of one member. */
export interface KnownMember {
  /** Durable and proven equal there: what counts in a quorum. */
  readonly match: LogIndex;
  /** When it last acknowledged anything. */
  readonly heard: Millis;
  /** Ids of the peers that it is connected to; empty until its first answer to a heartbeat. */
  readonly linked: readonly PeerId[];
}

/** Gives messages their places in the log. */
export interface Numbering {
  /**
   * Appends the messages that come next in their session [S2]. Returns the counter expected next where the sender must be
   * told, null where the log itself will tell it.
   */
  sequence(chat: Chat): number | null;
}

/** Who asks to be let in: `invite` is the hash of a secret. */
export type Asking = Pick<Join, "id" | "inc" | "invite">;

/** One that the next configuration brings in. */
export interface Newcomer {
  readonly member: Member;
  /** Hash of the invitation that this uses up; a plain cluster needs none, nor does who has its place already. */
  readonly invite?: string;
}

/** Peers that ask to be let in [M4] [M6]. */
export interface GuestList {
  /** Guests that have answered a heartbeat, and invited peers: the next configuration brings them in. */
  readonly joins: Map<PeerId, Newcomer>;
  /** It has asked, and not answered a heartbeat yet. */
  has(who: MemberKey): boolean;
  /** Heartbeats go there from now on, the first one at once. */
  welcome(from: LinkedPeer, newcomer: Newcomer): void;
  /** Forgets those whose invitation is no good any more, just before the others are brought in. */
  dropUninvited(): void;
  /** False: it is refused, and told so. */
  mayJoin(from: LinkedPeer, who: Asking, configuration: Configuration): boolean;
}
