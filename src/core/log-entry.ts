/**
 * What is stored: log entries and what they hold, as shapes only. The wire room validates them at the border and turns
 * them into bytes; core reads and makes them.
 */
import type { Ballot, Key, LogIndex, MemberKey, PeerId, Term } from "./ids.ts";

export type Role = "voter" | "observer" | "left";

export interface Member extends MemberKey {
  readonly host: string;
  readonly port: number;
  readonly role: Role;
  /** In a secured cluster: what its links must prove. Who was evicted has none. */
  readonly key?: Key;
}

/** Where a peer can be dialled. */
export interface PeerInfo {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
}

/** A whole configuration [M2]: members sorted by id, and the voters of the settled configuration before it. */
export interface Configuration {
  readonly members: readonly Member[];
  readonly prev_voters: readonly MemberKey[];
  /** In a genesis, and in the configuration of a forced recovery: from here on the log is this cluster's [M9]. */
  readonly cluster_id?: string;
  /** Members prove their keys, strangers need an invitation. Once true it is so in every later one [A1]. */
  readonly secure?: true;
  /** Hashes of the invitations of whom this one admits; each loses one of its uses by that [A7]. */
  readonly invites?: readonly string[];
}

/** First entry of a log: what never changes in a cluster, and its first configuration (settled from the start). */
export interface Genesis extends Configuration {
  readonly cluster_id: string;
  readonly segment_entries: number;
  readonly segment_bytes: number;
}

export type EntryKind = "genesis" | "chat" | "system" | "read" | "config" | "settled" | "leader" | "access";

/**
 * One log entry [L2]. Every field is always present, so that all entries have one hidden class; a field that the kind
 * does not use is `""`, `0` or null and is left out of the line.
 *
 * `chunk`, `start`, `end` say where its line stands, ready to be written or sent: chunk.subarray(start, end), with the
 * final "\n". They are set by `seal` for a leader's own entries and by the decoder for received ones.
 */
export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly leader_id: PeerId;
  readonly inc: string;
  /** 0 where the line has none, because it is older than boot numbers. */
  readonly boot: number;
  readonly kind: EntryKind;
  readonly room_id: string;
  readonly seq_no: number;
  readonly sender_id: PeerId;
  /** Of a chat: `<sender_id>.<session>`, whose messages are numbered by `counter` [S2]. The line has both as `msg_id`. */
  readonly session: string;
  readonly counter: number;
  readonly user: string;
  /** The sender's wall clock in milliseconds, for display only; of an access entry the leader's. */
  readonly ts: number;
  /** Text of chat entries; "" elsewhere. On the line both this and `data` are `payload`. */
  readonly text: string;
  /** Structured payload of genesis, config, settled, system, read and access entries; null elsewhere. */
  readonly data: EntryData | null;
  crc: number;
  chunk: Uint8Array;
  start: number;
  end: number;
}

export type EntryData = Genesis | Configuration | Settled | Presence | ReadThrough | AccessChange;

export interface Settled {
  /** Index of the config entry this settles [M3]. */
  readonly config_index: LogIndex;
}

/** What the user of a system entry did: came, left with a word, is gone without a word, or has another name now. */
export interface Presence {
  readonly change: "joined" | "left" | "gone" | "renamed";
  /** The name before, where it changed; else "". */
  readonly was: string;
}

/** The user of a read entry has read the messages after `from` through `through` of its room. */
export interface ReadThrough {
  readonly from: number;
  readonly through: number;
}

/** What a client may do at its peer: each right holds those before it. */
export type Rights = "read" | "write" | "admin";

/** Whom an invitation lets in: a peer with a log of its own, or a client of one. */
export type InvitedRole = "member" | "client";

/** Who may come in is changed. Secrets are never in the log: `hash` is SHA-256 of one, in base32 (52 characters). */
export type AccessChange = Invite | Enrolment | Revocation;

export interface Invite {
  readonly change: "invite";
  readonly hash: string;
  readonly role: InvitedRole;
  /** Whom it is for; "": who comes chooses a name. */
  readonly name: string;
  /** Of a client; a member has all. */
  readonly rights: Rights;
  /** So many may come with it. */
  readonly uses: number;
  /** ms since 1970, by the clock of the leader that somebody comes to. */
  readonly expires: number;
  /** The person who invites. */
  readonly by: string;
}

/** A client has a token from now on; that takes one use of its invitation. */
export interface Enrolment {
  readonly change: "user";
  /** Of the token. */
  readonly hash: string;
  readonly name: string;
  readonly rights: Rights;
  /** Hash of the invitation. */
  readonly invite: string;
}

/** An invitation, or a token, counts no more. */
export interface Revocation {
  readonly change: "revoke";
  readonly hash: string;
  /** The person who revokes. */
  readonly by: string;
}

/**
 * Serialises an entry: computes its crc from the line before, and sets crc, chunk, start and end. It has no other
 * effect. The host hands it to core, because core imports nothing.
 */
export type Seal = (entry: Entry, prevCrc: number) => void;

/** One text on its way to the log. */
export interface Draft {
  readonly room_id: string;
  readonly user: string;
  readonly ts: number;
  readonly payload: string;
}

/** Place of an entry and the ballot it bears: equal pairs mean equal logs up to there. */
export interface Tail {
  readonly index: LogIndex;
  readonly ballot: Ballot;
}
