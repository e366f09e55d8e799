/**
 * What a peer answers to whoever asks it: a person at its terminal, a script, a thin client far away. Shapes only.
 * Field names are those of the documented `--json` interface; over the wire they travel as they are.
 */
import type { AccessReport, AdminQuestion, InvitationTold } from "./access-reports.ts";
import type { ErrorCode, NoticeCode } from "./codes.ts";
import type { LogIndex, PeerId } from "./ids.ts";
import type { Presence, Role, Tail } from "./log-entry.ts";
import type { Abstention, Twin } from "./message.ts";

/** An engine's own part of a status: what this peer is to the others, and under which ballot. */
export interface Standing {
  readonly role: "leader" | "follower" | "candidate" | "observer" | "client";
  /** 0 where the engine has no terms, or none yet. */
  readonly term: number;
  /** Who orders the messages; null: nobody, as far as this peer knows. */
  readonly leader_id: PeerId | null;
  /** A majority of the voters is connected, as far as this peer knows: of each set of voters while a change is under way [M3]. */
  readonly quorum: boolean;
}

export interface Status extends Standing {
  readonly event: "status";
  readonly id: PeerId;
  readonly members: readonly MemberStatus[];
  readonly first_index: LogIndex;
  readonly last_index: LogIndex;
  readonly commit_index: LogIndex;
  /** Own messages not yet sent. */
  readonly pending: number;
  /** Why messages wait; null: they are taken. */
  readonly waiting: Waiting | null;
  /** What this peer cannot write now. */
  readonly troubles: readonly Trouble[];
  /** Milliseconds that this peer's disk takes to make something durable; 0 before that was measured. */
  readonly disk_ms: number;
  /** Members whose directory runs twice, by copies, as far as this peer knows; none of them counts [E16]. */
  readonly twins: readonly { readonly id: PeerId; readonly at: readonly Twin[] }[];
}

/** Why nothing is being sequenced, and whom that waits for. */
export interface Waiting {
  /** In words for a person: who is missing and where, and what can be done. */
  readonly message: string;
  /** Number of `peers` that must vote before it can go on; 0: nobody is missing. */
  readonly needed: number;
  /** The voters that do not vote: they are away, or here without a vote. */
  readonly peers: readonly MissingVoter[];
}

export interface MissingVoter {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  readonly why: "away" | Abstention;
}

/** A file that cannot be written now. */
export interface Trouble {
  /** In the data directory; `log`, `lock` and `checkpoints` are directories there. */
  readonly file: string;
  /** What fails and why, what it costs, and what to do. */
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface MemberStatus {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  readonly role: Role;
  readonly state: "alive" | "unreachable" | "left";
  /** Entries behind the leader's log; null where this peer does not know. */
  readonly lag: number | null;
}

export interface DeliveredMessage {
  readonly event: "message";
  readonly index: LogIndex;
  readonly term: number;
  readonly room_id: string;
  readonly seq_no: number;
  readonly sender_id: PeerId;
  readonly msg_id: string;
  readonly user: string;
  readonly payload: string;
  readonly ts: number;
}

/** Another peer's message that waits for a majority: shown, not numbered; it comes again as a `message` [S7]. */
export interface Unsent {
  readonly event: "unsent";
  readonly sender_id: PeerId;
  readonly msg_id: string;
  readonly room_id: string;
  readonly user: string;
  readonly payload: string;
  readonly ts: number;
}

/** An own message that is durable on a majority. */
export interface SentMessage {
  readonly event: "sent";
  readonly msg_id: string;
  readonly index: LogIndex;
  readonly room_id: string;
  readonly seq_no: number;
}

/** What each code means is said in codes.ts. */
export type Notice =
  | { readonly event: "notice"; readonly code: NoticeCode; readonly message: string }
  | { readonly event: "error"; readonly code: ErrorCode; readonly message: string };

/** One room as one person sees it. */
export interface RoomStatus {
  readonly room_id: string;
  readonly last_seq_no: number;
  readonly joined: boolean;
  /** Messages that have not been shown. */
  readonly unread: number;
}

export interface RoomList {
  readonly event: "rooms";
  readonly rooms: readonly RoomStatus[];
}

/**
 * A person came, left, is gone without a word, or changed the name (`was` is the one before): an entry of the log, in
 * order.
 */
export interface SystemNote {
  readonly event: "system";
  readonly index: LogIndex;
  readonly room_id: string;
  /** The peer it was said by. */
  readonly sender_id: PeerId;
  readonly user: string;
  readonly change: Presence["change"];
  readonly was: string;
  readonly ts: number;
}

/** The user has read a room's messages after `from` through `through`: an entry of the log, in order. */
export interface ReadNote {
  readonly event: "read";
  readonly index: LogIndex;
  readonly room_id: string;
  readonly sender_id: PeerId;
  readonly user: string;
  readonly from: number;
  readonly through: number;
  readonly ts: number;
}

/** Which people have read a room, and through which number. */
export interface Confirmations {
  readonly event: "confirmations";
  readonly room_id: string;
  readonly readers: readonly { readonly user: string; readonly through: number }[];
}

/** A person as the peer it is at knows it. */
export interface HerePerson {
  readonly user: string;
  /** The person is a client of that peer, not at it. */
  readonly client: boolean;
  readonly heard_ms: number;
  readonly round_trip_ms: number | null;
  /** Number of entries that its peer has committed and it has not read. */
  readonly lag: number;
}

/** One peer's answer to another peer that asks which people are here. */
export interface Here {
  readonly event: "here";
  readonly id: PeerId;
  readonly commit_index: LogIndex;
  readonly people: readonly HerePerson[];
}

/** A peer with the person at it ("" if there is none), or a client of a peer. What nobody knows is null. */
export interface WhoRow {
  readonly user: string;
  readonly peer_id: PeerId | null;
  readonly client: boolean;
  /** Since it was last heard. */
  readonly heard_ms: number | null;
  readonly round_trip_ms: number | null;
  /** Entries behind what is committed. */
  readonly lag: number | null;
}

export interface WhoList {
  readonly event: "who";
  readonly people: readonly WhoRow[];
}

/**
 * Messages of a room that fit a question, oldest first. Where the page is full, or the time for one question is over,
 * `more` is the `before` (or `after`) of the next question. It is null where nothing is left to look at.
 */
export interface HistoryPage {
  readonly event: "history";
  readonly room_id: string;
  readonly messages: readonly DeliveredMessage[];
  readonly more: LogIndex | null;
}

/** Where in the log a message of a room stands: the place just before it, to read on from. */
export interface Place {
  readonly event: "place";
  readonly room_id: string;
  readonly before: Tail;
}

/** What a user of a peer can ask of it. */
export type Question =
  | { readonly what: "status" }
  /** The rooms of the log; what is joined and unread is the asker's own business. */
  | { readonly what: "rooms" }
  /**
   * The last `count` messages of a room (fewer if they are long or far away), before that log index if one is given; or
   * the first ones behind `after`. With `text` only those where the text or the name holds it, letter case aside.
   */
  | {
      readonly what: "history";
      readonly room_id: string;
      readonly count: number;
      readonly text: string;
      readonly before?: LogIndex;
      readonly after?: LogIndex;
    }
  | { readonly what: "place"; readonly room_id: string; readonly seq_no: number }
  | { readonly what: "who" }
  /** Asked between peers: which people are at the asked peer. */
  | { readonly what: "here" }
  | { readonly what: "confirmations"; readonly room_id: string }
  /** Takes another name. */
  | { readonly what: "nick"; readonly user: string }
  /** Confirms that the asker has read a room through a number. */
  | { readonly what: "read"; readonly room_id: string; readonly through: number }
  /** Says a text in the peer's own session, under another name; answered when it is sent [S8]. */
  | { readonly what: "say"; readonly room_id: string; readonly user: string; readonly payload: string }
  | AdminQuestion;

/** The answer to a question, or (unasked) what a peer's people would see on its screen. */
export type Told =
  | Status
  | RoomList
  | WhoList
  | Here
  | Confirmations
  | HistoryPage
  | Place
  | SentMessage
  | InvitationTold
  | AccessReport
  | Notice
  | Unsent;
