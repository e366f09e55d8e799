/** The shapes of the library: what a peer is made from, and what it can do. */

import type { AccessReport } from "./core/access-reports.ts";
import type { Timings } from "./core/config.ts";
import type { LogIndex, PeerId } from "./core/ids.ts";
import type { PeerInfo, Rights } from "./core/log-entry.ts";
import type { Confirmations, RoomStatus, WhoRow } from "./core/reports.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Status } from "./host/events.ts";
import type { SignalOption, WaitOptions } from "./waiting.ts";

/** The signal ends the start; a peer that has started does not look at it any more. */
export interface CreatePeerOptions extends SignalOption {
  /** Positive integer, unique in the cluster; the higher id wins an election. */
  readonly id: number;
  /** The directory of this peer alone; made if missing. */
  readonly dataDir: string;
  /** Default 127.0.0.1. What is founded on another address is secured. */
  readonly host?: string;
  /** Default 6000 + id; 0 takes a free one. */
  readonly port?: number;
  /** What others dial, where that differs from host and port. */
  readonly advertise?: { readonly host: string; readonly port: number };
  /** What is founded is secured: TLS, and nobody comes in without an invitation. Default: beyond loopback it is. */
  readonly secure?: boolean;
  /** A plain cluster may be reached from other machines: whoever reaches the port reads, writes and forges. Default false. */
  readonly insecure?: boolean;
  /** An invitation to a secured cluster, as `invite` makes it. Not needed, and not looked at, where this directory has joined. */
  readonly invite?: string;
  /** Peers of a plain cluster to join through. None, on an empty directory: this peer founds a cluster. */
  readonly seeds?: readonly PeerInfo[];
  /** User name that stands with this peer's messages. Default `peer_<id>`. */
  readonly name?: string;
  /** Somebody of that name is here: coming and going are told in the log, to all. Default: nobody is. */
  readonly presence?: boolean;
  /** False: `confirmRead` tells nobody. Default true. */
  readonly receipts?: boolean;
  /** Milliseconds; see `DEFAULT_TIMINGS`. */
  readonly timings?: Partial<Timings>;
  /** "fsync" (default): confirmed means on disk. "os": confirmed means handed to the operating system. */
  readonly durability?: "fsync" | "os";
  /**
   * Roles, members, notices, errors: everything but messages and what is sent. What it throws becomes an unhandled rejection:
   * the peer goes on.
   */
  readonly onEvent?: (event: HostEvent) => void;
  readonly onLog?: (record: LogRecord) => void;
}

/** A message's place once it is durable on a majority. */
export interface Sent {
  readonly msg_id: string;
  readonly index: LogIndex;
  readonly room_id: string;
  readonly seq_no: number;
}

/** A message taken into the outbox: it goes out even if this process dies and is started again. */
export interface Submission {
  readonly msg_id: string;
  /**
   * Resolves when the message is sent; rejects with code "closed" if this peer closes first, "timeout" or "aborted". It stays
   * in the outbox all the same, and whoever asks again waits for it again.
   */
  sent(options?: WaitOptions): Promise<Sent>;
}

export interface SubmitOptions extends SignalOption {
  /** Default `general`. */
  readonly room?: string;
}

/** Where a reader begins, and what it reads. The signal makes its loops throw "aborted" when they ask for the next piece. */
export interface ReadOptions extends SignalOption {
  /**
   * A log index: the first message there or behind it. "start": the first message of all. "new": what is committed after
   * this call. Default: behind what is acknowledged.
   */
  readonly from?: LogIndex | "start" | "new";
  /** Messages of this room alone. */
  readonly room?: string;
}

/**
 * Messages in log order. Loop over it as it is, and it is this directory's own stream, which goes on behind what was
 * acknowledged, also in the next process. Called with `from` or `room` it gives a reader of its own: that takes nothing away
 * from anybody, and acknowledges nothing by itself.
 */
export interface MessageStream<T> extends AsyncIterable<T> {
  (options?: ReadOptions): AsyncIterable<T>;
}

/**
 * Arguments are looked at before anything is done: a method that is given something else, or an option that it does not know,
 * throws (or rejects with) PeerError "bad-option", and "bad-room" for a text that is no room's name.
 */
export interface ChatPeer extends AsyncDisposable {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  /**
   * Takes one text (1 byte to 64 KiB of UTF-8). Waits while the outbox is full (backpressure), or until the signal ends that.
   * Rejects with PeerError: "empty", "too-large", "not-utf8" (a lone surrogate), "bad-room", "disk", "aborted", "closed".
   */
  submit(text: string, options?: SubmitOptions): Promise<Submission>;
  /**
   * The same for several texts, one behind the other; resolves with the submission of the last one when all are taken.
   * A sender's messages are sent in order: when that one is, all are. If one is refused, those before it are taken.
   */
  submitAll(texts: readonly string[], options?: SubmitOptions): Promise<Submission>;
  /**
   * Resolves when a leader is known that has a majority, so that what is submitted is sent at once. Rejects with "timeout", in
   * words why it still waits, "aborted" or "closed".
   */
  ready(options?: WaitOptions): Promise<void>;
  /**
   * Every message of every room, at least once. A message is acknowledged when the loop asks for the next one; one in whose
   * handling the loop ends (`break`, `return`, an exception) or the process dies is not, and comes again: to the next loop,
   * or in the next process. Done with it all the same? `ack(message.index)` before the `break`.
   *
   * The cursor is written about once a second and at `close`, so after SIGKILL or a power cut what was acknowledged in
   * the last second or so comes again as well: with the same `index`, which rises strictly. Who keeps the last index with the
   * effect of the message, and passes over what is not above it, handles each message exactly once.
   *
   * Loops over this and over `batches` at the same time share the one stream, each message going to one of them. While
   * nobody asks, messages wait in the log, not in memory. Ends when the peer closes; throws if it failed.
   */
  readonly messages: MessageStream<DeliveredMessage>;
  /** The same stream, as many at a time as are there: for who takes a hundred thousand a second. Acknowledged as a whole. */
  readonly batches: MessageStream<readonly DeliveredMessage[]>;
  /**
   * By hand: every message through that index is dealt with, whoever read it. At most the commit index; one that is
   * acknowledged already changes nothing (to read again, say `from`).
   */
  ack(index: LogIndex): void;
  /** Through here messages are acknowledged. */
  readonly acknowledged: LogIndex;
  status(): Status;
  /** Every room, whether it was joined (kept across restarts), and how much of it was not shown yet. */
  rooms(): RoomStatus[];
  /** From now on; false where the text is no room's name. Delivery is of all rooms, joined or not. */
  joinRoom(room: string): boolean;
  leaveRoom(room: string): void;
  /**
   * A page of a room's committed messages that hold `text` (letter case aside; in the user's name, too), oldest first: the
   * last `count`, of those below index `before` if it is given; or, with `after`, the first `count` behind that index.
   * Fewer than `count`: there are no more.
   */
  history(count: number, options?: HistoryOptions): Promise<DeliveredMessage[]>;
  /** A person was shown a joined room through this number: told to the others at most once a second. */
  confirmRead(room: string, seqNo: number): void;
  /** Who has read a room through which number. */
  confirmations(room: string): Promise<Confirmations["readers"]>;
  /** Peers and clients, each with its round trip and lag as of now. */
  who(): Promise<readonly WhoRow[]>;
  /** Another name. Rejects with PeerError "bad-name" or "name-in-use". */
  rename(name: string): Promise<void>;
  /**
   * Makes an invitation to a secured cluster; resolves when it counts. It is a secret: whoever has it comes in.
   * Rejects with PeerError "refused" (a plain cluster, a name that is taken, too many; in words which), "aborted" or "closed".
   */
  invite(options?: InviteOptions): Promise<Invited>;
  /** Who may come in: members with their keys, tokens, invitations. Rejects as `invite`. */
  access(): Promise<Access>;
  /** Takes back a token, or an invitation that is open, by its name. Rejects as `invite`. */
  revoke(name: string): Promise<void>;
  /** Puts a member out, dead or alive. Rejects as `invite`. */
  evict(id: PeerId): Promise<void>;
  /** Leaves the cluster in good order (at most about 2 s) and ends the stream. So does the end of an `await using`. */
  close(): Promise<void>;
}

export interface HistoryOptions extends SignalOption {
  /** Default `general`. */
  readonly room?: string;
  readonly text?: string;
  readonly before?: LogIndex;
  readonly after?: LogIndex;
}

export interface InviteOptions extends SignalOption {
  /** A member has a log of its own; a client is a guest of one. Default "member". */
  readonly role?: "member" | "client";
  /** Whom it is for: a client has that name then. Default: it chooses one. */
  readonly name?: string;
  /** Of a client: "admin" also invites, evicts, revokes. Default "write". */
  readonly rights?: Rights;
  /** How many may come with it, 1 (default) to 1000. */
  readonly uses?: number;
  /** Milliseconds until it is over. Default: a day. */
  readonly expiresIn?: number;
}

export interface Invited {
  readonly invitation: string;
  /** ms since 1970. */
  readonly expires: number;
}

export type Access = Omit<AccessReport, "event">;
