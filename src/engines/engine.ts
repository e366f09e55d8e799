/**
 * The contract between an engine and its host. An engine decides: who orders the messages, what is committed, when it is
 * safe to say so. It has no clock, no disk and no network; the host has them, and does what it is told.
 *
 *              inputs                            outputs
 *   host ──▶ step, step, … settle ──▶ engine ──▶ takeOutputs ──▶ host carries them out ──▶ carriedOut
 *    ▲                                  │
 *    └────────── `view`, at any time ◀──┘                 "durable", "promised", … come back as inputs
 *
 * What the host does
 *
 *  1. Reads its directory, and makes the engine with what was there (`Restored`). What a founder needs it has written
 *     before: the genesis is the first entry of the log, and durable [M1].
 *  2. Hands over what happens, each with `step`: at once or together with what else has arrived, in the order in which it
 *     happened. Times are of one clock that never goes back.
 *  3. Calls `settle` once, then `takeOutputs`, when what arrived together is handed over. No other call lies between.
 *  4. Carries the outputs out, in this order, before the next `settle`. Nothing here waits: `append` and `truncate`
 *     change the log file at once, and what depends on durability is held back by the engine until an input says so.
 *     The host syncs many entries together; when a disk refuses, the host keeps what it could not write and says
 *     "disk-refuses".
 *  5. Calls `carriedOut`. From then on the engine may forget what the outputs refer to.
 *  6. Says "durable" when the log is on disk through an index, and "promised" when a ballot is: never before that is true.
 *     One "durable" speaks for all before it. It may speak of the log as it was before a truncation that has not been
 *     carried out yet: the engine takes that into account.
 *  7. Calls `settle` again no later than `wakeAt` says, with an input "tick" before it where nothing else has happened. That
 *     time may change with each step 3.
 *  8. Goes on until the output "stop". An engine has no end of its own: the next one begins with what the disk had
 *     confirmed. So a crash at any moment is safe if steps 4 and 6 are kept.
 *
 * What an engine does
 *
 *  - Every committed entry is the same at every peer, and none is ever taken back. An output `commit` says so; it never
 *    goes back, and what it names has been appended.
 *  - A ballot with a term above 0 is promised, and "promised" has come back, before an entry that bears it is appended: a
 *    host does not start on a log that is ahead of its promise [D2].
 *  - Entries follow one another as `LogState.refusal` demands: indexes without gaps, ballots that never go down (an engine
 *    without elections has one ballot for each process), a number for each message of a room and of a session.
 *  - The same inputs at the same times give the same outputs: randomness and the wall clock come from its options.
 *  - It takes any frame from any linked peer, and believes only what its protocol can stand.
 *  - It holds all uncommitted entries in memory, and asks the host (`serve`) only for what is on disk.
 *  - A frame or an input that its protocol does not have changes nothing.
 */
import type { Address } from "../core/address.ts";
import type { NoticeCode } from "../core/codes.ts";
import type { Timings } from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import type { Ballot, ClientId, Key, LinkId, LogIndex, Millis, PeerId, ProcessKey } from "../core/ids.ts";
import type { AccessChange, Draft, Entry, Member, Seal, Tail } from "../core/log-entry.ts";
import type { LogState } from "../core/log-state.ts";
import type { Chat, ChatAck, DiskTimes, Person, ReadReport, Refusal, Twin } from "../core/message.ts";
import type { RefuseCode } from "../core/refuse-codes.ts";
import type { Standing } from "../core/reports.ts";
import type { EngineView } from "./view.ts";

export interface Engine {
  /** Takes one input. Cheap: what follows from several together is left to `settle`. */
  step(input: Input, now: Millis): void;
  /** Draws the conclusions: batches, acknowledgements, timers that are due. */
  settle(now: Millis): void;
  /** What is to be done since this was last asked, in order. The array is the caller's. */
  takeOutputs(): Output[];
  /** The outputs are carried out, and messages through `delivered` were delivered. */
  carriedOut(delivered: LogIndex): void;
  /** When `settle` must run again at the latest. */
  wakeAt(): Millis;
  readonly view: EngineView;
}

/** Makes the engine of one process. `now`: the time of the first `step`, or earlier. */
export type EngineFactory = (options: PeerOptions, restored: Restored, now: Millis) => Engine;

/** One kind of engine, as it is chosen among others. */
export interface EngineKind {
  readonly create: EngineFactory;
  /** What a disk that takes `ms` milliseconds for a sync costs with this engine, in words for a person. */
  slowDiskCost(ms: Millis): string;
}

export interface PeerOptions {
  readonly self: ProcessKey;
  /** Where others dial this peer. */
  readonly address: Address;
  readonly timings: Timings;
  readonly seal: Seal;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The wall clock in milliseconds, for display only. */
  readonly wall: () => number;
  /** Session of the messages submitted from now on [S1]. */
  readonly session: string;
  /** Makes a fresh session name, which nobody can have guessed [S10]. */
  readonly newSession: () => string;
  /** Of this directory, in a secured cluster or where it is ready for one. */
  readonly key?: Key | undefined;
  /** The secret of the invitation with which this peer asks to be admitted, until it is a member. */
  readonly invite?: string;
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
      /** `key`: what TLS has proven; on a plain link what the other side says of itself, which proves nothing. */
      readonly peer: ProcessKey & Address & { readonly key?: Key };
    }
  | { readonly type: "link-down"; readonly link: LinkId }
  /** A JOIN has the hash of its invitation's secret in `invite`, not the secret. */
  | { readonly type: "frame"; readonly link: LinkId; readonly frame: Frame }
  | { readonly type: "submit"; readonly drafts: readonly Draft[] }
  /** A client numbers its messages in `session` and speaks through this peer [S8]. */
  | { readonly type: "client-up"; readonly client: ClientId; readonly session: string }
  | { readonly type: "client-down"; readonly client: ClientId }
  | { readonly type: "client-chat"; readonly client: ClientId; readonly chat: Chat }
  /** Somebody at this peer or at one of its clients came, changed the name, or left [P2]. */
  | { readonly type: "person"; readonly person: Person }
  /** That client went without a word. Its person may be at another peer by now. */
  | { readonly type: "silence"; readonly user: string }
  /** A person here has read a room through a number [P4]. */
  | { readonly type: "read"; readonly read: ReadReport }
  /** Everything through `index` is durable. */
  | { readonly type: "durable"; readonly index: LogIndex }
  | { readonly type: "promised"; readonly ballot: Ballot }
  /** The other side of a link answered after `roundTrip` milliseconds, and said how long its disk takes [E15]. */
  | { readonly type: "measured"; readonly link: LinkId; readonly roundTrip: Millis; readonly disk: DiskTimes }
  /**
   * What a link carries [R10]. `window`: bytes of bulk that may be under way; `frame`: bytes of one frame. `receives`:
   * a frame that takes long is coming in. `arrivedUntil`: null where everything older than a heartbeat interval has
   * arrived; else the time through which everything handed over has arrived.
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
  /** The plain cluster is to be a secured one. */
  | { readonly type: "secure" }
  /** A change of who may come in, on its way to the leader [A5]. `request`: the host's own number, for the answer. */
  | { readonly type: "access"; readonly request: number; readonly change: AccessChange }
  | { readonly type: "quit" }
  | { readonly type: "tick" };

/**
 * What the host is to do. `append` and `truncate` change the log file (an append's durability comes back as "durable");
 * `promise` persists [D2] and comes back as "promised"; `serve` answers with CATCHUP_RESP from disk; `commit` delivers.
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
  /**
   * Pending messages go on in another session, numbered from 1: there is a gap before them [S3], or somebody else
   * writes in the old session [S10].
   */
  | {
      readonly do: "renamed";
      readonly session: string;
      /** The counters that they had before, in ascending order. */
      readonly counters: readonly number[];
      readonly to: string;
      readonly drafts: readonly Draft[];
    }
  /**
   * Entries that were confirmed are lost from this index on [D6]. The host notes it, like damage found at a start [D5].
   */
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
  /** This peer has a twin, and no longer counts [E16]. */
  | { readonly do: "twins"; readonly at: readonly Twin[] }
  | { readonly do: "refuse"; readonly link: LinkId; readonly code: RefuseCode; readonly message: string }
  /** ok: a leader has it in its log. It counts when the committed log shows it. */
  | {
      readonly do: "access";
      readonly request: number;
      readonly ok: boolean;
      /** Why not; null where ok. "closing": nobody leads now, ask again. */
      readonly code: RefuseCode | null;
      readonly message: string;
    }
  | { readonly do: "notice"; readonly code: NoticeCode; readonly message: string }
  | { readonly do: "debug"; readonly message: string }
  | { readonly do: "stop"; readonly reason: string };

/** The roles that people are shown. */
export type ShownRole = Exclude<Standing["role"], "client">;
