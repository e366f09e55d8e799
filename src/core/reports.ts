/**
 * What a peer answers to those who ask it, a person at its terminal, a script, a thin client far away: shapes only.
 * Field names are those of the documented `--json` interface; over the wire they travel as they are.
 */
import type { LogIndex, PeerId } from "./ids.ts";
import type { Role, Tail } from "./message.ts";

export interface Status {
  readonly event: "status";
  readonly id: PeerId;
  readonly role: "leader" | "follower" | "candidate" | "observer" | "client";
  readonly term: number;
  readonly leader_id: PeerId | null;
  /** A majority of the voters is connected, as far as this peer knows. */
  readonly quorum: boolean;
  readonly members: readonly MemberStatus[];
  readonly first_index: LogIndex;
  readonly last_index: LogIndex;
  readonly commit_index: LogIndex;
  /** Own messages not yet sent. */
  readonly pending: number;
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

export interface Notice {
  readonly event: "notice" | "error";
  readonly code: string;
  readonly message: string;
}

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

/** The newest messages of a room that fit a question, oldest first. */
export interface HistoryPage {
  readonly event: "history";
  readonly room_id: string;
  readonly messages: readonly DeliveredMessage[];
}

/** Where in the log a message of a room stands: the place just before it, to read on from. */
export interface Place {
  readonly event: "place";
  readonly room_id: string;
  readonly before: Tail;
}

/** What somebody who uses a peer can ask of it. */
export type Question =
  | { readonly what: "status" }
  /** The rooms of the log; what is joined and unread is the asker's own business. */
  | { readonly what: "rooms" }
  /** The last `count` messages of a room that hold `text` ("": any), letter case aside. */
  | { readonly what: "history"; readonly room_id: string; readonly count: number; readonly text: string }
  | { readonly what: "place"; readonly room_id: string; readonly seq_no: number }
  /** Says a text in the peer's own session, under another name; answered when it is sent [S8]. */
  | { readonly what: "say"; readonly room_id: string; readonly user: string; readonly payload: string };

/** The answer to a question, or (unasked) what a peer's people would see on its screen. */
export type Told = Status | RoomList | HistoryPage | Place | SentMessage | Notice | Unsent;
