/**
 * What travels between peers: frames, as shapes only. The wire room validates them at the border and turns them into
 * bytes; core reads and makes them.
 */
import type { Ballot, LogIndex, MemberKey, Millis, PeerId, ProcessKey } from "./ids.ts";
import type { Draft, Entry, Member, PeerInfo, Tail } from "./log-entry.ts";
import type { SaidVersions } from "./versions.ts";

/** First frame of both sides of every connection [W2]. */
export interface Hello extends ProcessKey, SaidVersions {
  readonly type: "HELLO";
  /** null: it does not belong to a cluster yet, and wants to join one. */
  readonly cluster_id: string | null;
  readonly host: string;
  readonly port: number;
  /** The sender's wall clock, ms since 1970. It decides nothing; it helps people who look for clocks that differ. */
  readonly wall?: number;
}

/** Says why the sender closes the connection now. `seed` names a peer that an emptied founder should join [M1]. */
export interface Refuse {
  readonly type: "REFUSE";
  readonly code: RefuseCode;
  readonly message: string;
  readonly seed: string;
  /** The other process that runs on a copy of the receiver's directory, with code "twins" [E16]. */
  readonly twin?: Twin;
}

/** Where another process of the same member listens. */
export interface Twin {
  readonly boot: number;
  readonly host: string;
  readonly port: number;
}

/** Of that member two processes live: said to all members, since not everybody is greeted by both [E16]. */
export interface TwinsSeen extends MemberKey {
  readonly type: "TWINS";
  readonly at: readonly Twin[];
}

export type RefuseCode =
  | "wrong-version"
  | "wrong-cluster"
  | "needs-tls"
  | "duplicate-id"
  | "emptied-founder"
  | "id-away"
  | "twins"
  | "name-in-use"
  | "behind"
  | "malformed"
  | "limit"
  | "closing";

/** Says "still here" on an otherwise silent connection, and measures the round trip. */
export interface Ping {
  readonly type: "PING";
  /** The pinging side's monotonic clock, to be echoed. */
  readonly at: Millis;
}

export interface Pong {
  readonly type: "PONG";
  readonly at: Millis;
  /** How long the answering peer's disk takes; clients have none [E15]. */
  readonly disk?: DiskTimes;
}

/** Milliseconds until something handed to a disk is durable: the expected time, and one that is seldom exceeded. */
export interface DiskTimes {
  readonly mean: Millis;
  readonly bound: Millis;
  /** Why the disk's peer has no vote now, if it has none. */
  readonly abstains?: Abstention;
}

/**
 * What its files cannot be written for: room (or inodes), file handles, rights [D4]. Or its log is being repaired [D5],
 * or it runs twice [E14].
 */
export type Abstention = Refusal | "damaged" | "twin";
export type Refusal = "room" | "handles" | "rights";

export interface Join extends MemberKey {
  readonly type: "JOIN";
  readonly host: string;
  readonly port: number;
}

export interface JoinAck {
  readonly type: "JOIN_ACK";
  readonly cluster_id: string;
  readonly members: readonly Member[];
  readonly leader: PeerInfo | null;
  /** Index of the configuration in which the joiner is a member by the answerer's log, 0 if none [M7]. */
  readonly admitted: LogIndex;
  /** Index of the configuration that `members` come from. */
  readonly configured: LogIndex;
}

/** Asks the leader for the role `left` [M5]. */
export interface Leave extends MemberKey {
  readonly type: "LEAVE";
}

/**
 * A place in the sender's log. If the receiver's log has the same at that place, both are the same up to there [R2]
 * [R9].
 */
export interface Before {
  readonly prev_index: LogIndex;
  readonly prev_ballot: Ballot;
  /** crc of that line, and so of all before it [L3]. */
  readonly prev_crc: number;
}

/** The place before is the last entry sent to this follower: proves a match [R6]. */
export interface Heartbeat extends Before {
  readonly type: "HEARTBEAT";
  readonly ballot: Ballot;
  readonly commit: LogIndex;
  /** The leader has heard a majority within the quorum check time. */
  readonly quorum: boolean;
  /** Last entry of the leader's log. */
  readonly last_index: LogIndex;
  /** What each voter has acknowledged under this ballot, for all to remember [D6]. */
  readonly acked: readonly Acked[];
}

export interface Acked extends MemberKey {
  readonly match: LogIndex;
}

/**
 * The highest values that were seen of the receiver's own incarnation. If its directory holds less, the rest was lost
 * there [D6].
 */
export interface Seen {
  readonly type: "SEEN";
  readonly promised: Ballot;
  /** Acknowledged under that promise. */
  readonly match: LogIndex;
}

/** Entries behind a header line: the lines themselves, verbatim [W1]. */
export interface EntryFrame extends Before {
  readonly commit: LogIndex;
  readonly entries: readonly Entry[];
}

export interface SeqChat extends EntryFrame {
  readonly type: "SEQ_CHAT";
  readonly ballot: Ballot;
}

/** Answer to SEQ_CHAT and HEARTBEAT. */
export interface SeqAck {
  readonly type: "SEQ_ACK";
  readonly ballot: Ballot;
  /** min(durable, matched) [R3]. */
  readonly match: LogIndex;
  /** Last index proven equal (matched), durable or not: where the stream stands. */
  readonly last: LogIndex;
  /** Set when the entry before did not match: the highest place worth trying next. */
  readonly hint: Tail | null;
  /** Repairing [D5]: this acknowledgement moves the stream but counts in no quorum. */
  readonly faulty: boolean;
  /** With the answer to a heartbeat: the members this follower is connected to [M5]; null with other answers. */
  readonly linked: readonly PeerId[] | null;
}

/** The frame's ballot is below what the sender promised [E13]. */
export interface Nack {
  readonly type: "NACK";
  readonly ballot: Ballot;
  readonly promised: Ballot;
  /** The sender follows a live leader of the promised ballot (then a refused leader just steps down). */
  readonly led: boolean;
}

/** The sender has lost what it had confirmed, or is whole again [D5] [D6]. */
export interface Lost {
  readonly type: "LOST";
  readonly whole: boolean;
  /** What it holds for certain. */
  readonly durable: LogIndex;
  /** What others saw it confirm; 0 where nobody has said so. */
  readonly confirmed: LogIndex;
}

/** The receiver's log and the sender's have the same ballot at that place, but differ before it [R9]. */
export interface Fork {
  readonly type: "FORK";
  /** The sender's promise. */
  readonly ballot: Ballot;
  readonly index: LogIndex;
  /** The ballots differ there, but the sender has that entry committed. */
  readonly committed: boolean;
}

export interface Election {
  readonly type: "ELECTION";
  /** The candidate's own counter, echoed by the answers. */
  readonly round: number;
  readonly tail: Tail;
}
export interface ElectionAnswer {
  readonly type: "ELECTION_OK" | "ELECTION_DENY" | "ELECTION_GRANT";
  readonly round: number;
  /** The highest promise of the answering peer, so that a fresh ballot can be above it. */
  readonly promised: Ballot;
}

export interface Prepare {
  readonly type: "PREPARE";
  readonly ballot: Ballot;
}
export interface Promised {
  readonly type: "PROMISE";
  readonly ballot: Ballot;
  /** The *written* tail, read after the decision to promise [E6]. */
  readonly tail: Tail;
}
export interface Coordinator {
  readonly type: "COORDINATOR";
  readonly ballot: Ballot;
  readonly peer: PeerInfo;
}
/** The leader of this ballot no longer leads; `to` is the peer that should lead next, 0 for no particular one [E10]. */
export interface Abdicate {
  readonly type: "ABDICATE";
  readonly ballot: Ballot;
  readonly to: PeerId;
}

/**
 * A run of one session's messages, with the counters first, first + 1, … [S1]. If it comes from another peer than the
 * sender, it is relayed [S6].
 */
export interface Chat {
  readonly type: "CHAT";
  readonly sender_id: PeerId;
  readonly session: string;
  readonly first: number;
  readonly messages: readonly Draft[];
}
/** Messages of the sending peer that wait for a leader, to be shown as such [S7]. */
export interface Pending {
  readonly type: "PENDING";
  readonly session: string;
  readonly first: number;
  readonly messages: readonly Draft[];
}
/** The counter the log expects next from this session [S2]. */
export interface ChatAck {
  readonly type: "CHAT_ACK";
  readonly sender_id: PeerId;
  readonly session: string;
  readonly expected: number;
}

/** One of the people at a peer or at one of its clients. */
export interface Person {
  readonly user: string;
  readonly room_id: string;
  /** The wall clock there when this person came, changed or left, for display only. */
  readonly ts: number;
  /** The person's name before, "" if it was always this one. */
  readonly was: string;
  /** False: the person has left. */
  readonly here: boolean;
}
export interface ReadReport {
  readonly user: string;
  readonly room_id: string;
  readonly through: number;
  readonly ts: number;
}
/** The people at the sending peer, and what they have read that the log does not show yet [P2] [P4]. */
export interface People {
  readonly type: "PEOPLE";
  readonly users: readonly Person[];
  readonly reads: readonly ReadReport[];
}

/** Asks for entries after a place. With a ballot: a candidate asks its donor for the written tail [E7]. */
export interface CatchupReq {
  readonly type: "CATCHUP_REQ";
  readonly ballot: Ballot | null;
  readonly after: Tail;
}
export interface CatchupResp extends EntryFrame {
  readonly type: "CATCHUP_RESP";
  readonly ballot: Ballot | null;
  /** Set when the place asked for is not in the answerer's log: the highest place worth trying next. */
  readonly hint: Tail | null;
  /** Another CATCHUP_RESP follows without a request. */
  readonly more: boolean;
}

/** A person's command that only the leader can carry out. */
export interface Admin {
  readonly type: "ADMIN";
  readonly op: "transfer" | "evict";
  /** 0 with transfer: the leader chooses. */
  readonly id: PeerId;
}
export interface AdminAck {
  readonly type: "ADMIN_ACK";
  readonly ok: boolean;
  readonly message: string;
}

/** What peers say to one another. */
export type PeerFrame =
  | Hello
  | Refuse
  | TwinsSeen
  | Ping
  | Pong
  | Join
  | JoinAck
  | Leave
  | Heartbeat
  | SeqChat
  | SeqAck
  | Nack
  | Fork
  | Lost
  | Election
  | ElectionAnswer
  | Prepare
  | Promised
  | Coordinator
  | Abdicate
  | Chat
  | ChatAck
  | Pending
  | People
  | Seen
  | CatchupReq
  | CatchupResp
  | Admin
  | AdminAck;
