/**
 * chatpeer as a library: a replicated, totally ordered log inside your own process.
 *
 * Every peer that is created with the same cluster delivers the same messages in the same order; what was reported as
 * sent is durable on a majority of the voters and is never lost.
 */
import { platformPorts } from "./adapters/platform.ts";
import { checkTimings, DEFAULT_TIMINGS, HISTORY_MESSAGES_MAX, PEER_ID_MAX, type Timings } from "./core/config.ts";
import type { LogIndex, PeerId } from "./core/ids.ts";
import type { PeerInfo } from "./core/message.ts";
import type { Confirmations, RoomStatus, Told, WhoRow } from "./core/reports.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Status } from "./host/events.ts";
import { Host, HostError } from "./host/host.ts";
import { lastMessages } from "./host/pages.ts";
import type { OwnQuestion } from "./host/service.ts";

export type { Confirmations, RoomStatus, WhoRow } from "./core/reports.ts";
export type { DeliveredMessage, HostEvent, LogRecord, MemberStatus, Status } from "./host/events.ts";
export type { PeerInfo, Timings };

export interface CreatePeerOptions {
  /** Positive integer, unique in the cluster; the higher id wins an election. */
  readonly id: number;
  /** The directory of this peer alone; made if missing. */
  readonly dataDir: string;
  /** Default 127.0.0.1. Traffic is neither encrypted nor authenticated: think before listening on more. */
  readonly host?: string;
  /** Default 6000 + id; 0 takes a free one. */
  readonly port?: number;
  /** What others dial, where that differs from host and port. */
  readonly advertise?: { readonly host: string; readonly port: number };
  /** Peers to join through. None, on an empty directory: this peer founds a cluster. */
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
  /** Roles, members, notices, errors: everything but messages and what is sent. */
  readonly onEvent?: (event: HostEvent) => void;
  readonly onLog?: (record: LogRecord) => void;
}

export type PeerErrorCode =
  | "bad-option"
  | "start"
  | "empty"
  | "too-large"
  | "bad-room"
  | "bad-name"
  | "name-in-use"
  | "disk"
  | "closed";

export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;
  constructor(code: PeerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
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
  /** Resolves when the message is sent; rejects with code "closed" if this peer closes first (it stays in the outbox). */
  sent(): Promise<Sent>;
}

export interface ChatPeer {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  /**
   * Takes one text (1 byte to 64 KiB of UTF-8). Waits while the outbox is full (backpressure).
   * Rejects with PeerError: "empty", "too-large", "bad-room", "disk", "closed".
   */
  submit(text: string, options?: { readonly room?: string }): Promise<Submission>;
  /**
   * The same for several texts, one behind the other; resolves with the submission of the last one when all are taken.
   * A sender's messages are sent in order: when that one is, all are. If one is refused, those before it are taken.
   */
  submitAll(texts: readonly string[], options?: { readonly room?: string }): Promise<Submission>;
  /**
   * Messages in log order, each once per directory. One stream: all iterators share it. While nobody reads, messages
   * wait in the log, not in memory. Ends when the peer closes; throws if it failed.
   */
  readonly messages: AsyncIterable<DeliveredMessage>;
  /** The same stream, as many at a time as are there: for who takes a hundred thousand a second. */
  readonly batches: AsyncIterable<readonly DeliveredMessage[]>;
  status(): Status;
  /** Every room, whether it was joined (kept across restarts), and how much of it was not shown yet. */
  rooms(): RoomStatus[];
  /** From now on; false where the text is no room's name. Delivery is of all rooms, joined or not. */
  joinRoom(room: string): boolean;
  leaveRoom(room: string): void;
  /** The last `count` (at most 500) committed messages of a room that hold `text`, oldest first. */
  history(count: number, options?: { readonly room?: string; readonly text?: string }): Promise<DeliveredMessage[]>;
  /** A person was shown a joined room through this number: told to the others at most once a second. */
  confirmRead(room: string, seqNo: number): void;
  /** Who has read a room through which number. */
  confirmations(room: string): Promise<Confirmations["readers"]>;
  /** Peers and clients, each with its round trip and lag as of now. */
  who(): Promise<readonly WhoRow[]>;
  /** Another name. Rejects with PeerError "bad-name" or "name-in-use". */
  rename(name: string): Promise<void>;
  /** Leaves the cluster in good order (at most about 2 s) and ends the stream. */
  close(): Promise<void>;
}

const closed = () => new PeerError("closed", "this peer is closed");

/** Messages that wait in memory for the reader of `messages`. */
const BUFFERED_MAX = 1024;

/** Starts a peer. Resolves when it listens; rejects with PeerError "bad-option" or "start". */
export async function createPeer(options: CreatePeerOptions): Promise<ChatPeer> {
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const wrong = refuseOptions(options) ?? checkTimings(timings);
  if (wrong !== null) throw new PeerError("bad-option", wrong);
  const peer = new EmbeddedPeer(options, timings);
  await peer.started;
  return peer;
}

class EmbeddedPeer implements ChatPeer {
  readonly id: PeerId;
  readonly host: string;
  port: number;
  readonly started: Promise<void>;
  readonly #host: Host;
  /** Delivered and not read yet: from `#read` on. */
  #buffer: DeliveredMessage[] = [];
  #read = 0;
  /** Readers that wait for something to come, or for the end. */
  readonly #readers: (() => void)[] = [];
  /** Messages taken, and sent of them; the id of the first one. */
  #taken = 0;
  #sent = 0;
  #firstId: string | null = null;
  /** What somebody holds, in the order in which it was taken; in front of `#settled` it is sent. */
  #open: OpenSubmission[] = [];
  #settled = 0;
  #roomAgain: (() => void)[] = [];
  #paused = false;
  #ended: { readonly error: PeerError | null } | null = null;
  #closed: (() => void)[] = [];
  readonly #unanswered = new Set<(error: PeerError) => void>();

  constructor(options: CreatePeerOptions, timings: Timings) {
    this.id = options.id;
    this.host = options.host ?? "127.0.0.1";
    this.port = options.port ?? 6000 + options.id;
    let resolve = () => {};
    let reject = (_error: PeerError) => {};
    this.started = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.#host = new Host(
      platformPorts(options.dataDir),
      {
        id: options.id,
        host: this.host,
        port: this.port,
        advertise: options.advertise ?? null,
        seeds: options.seeds ?? [],
        name: options.name ?? `peer_${options.id}`,
        announces: options.presence ?? false,
        receipts: options.receipts ?? true,
        timings,
        durability: options.durability ?? "fsync",
      },
      {
        event: (event) => {
          if (event.event === "started") {
            this.port = event.port;
            resolve();
          }
          this.#onEvent(event);
          if (event.event !== "message" && event.event !== "sent" && event.event !== "pending")
            options.onEvent?.(event);
        },
        log: (record) => options.onLog?.(record),
        writable: () => {
          const waiting = this.#roomAgain;
          this.#roomAgain = [];
          for (const go of waiting) go();
        },
        stopped: ({ code, reason }) => {
          reject(new PeerError("start", reason));
          this.#end(code === 0 ? null : new PeerError("closed", reason));
        },
      },
    );
    try {
      this.#host.start();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reject(new PeerError("start", error.message));
    }
  }

  submit(text: string, options?: { readonly room?: string }): Promise<Submission> {
    return this.submitAll([text], options);
  }

  async submitAll(texts: readonly string[], options: { readonly room?: string } = {}): Promise<Submission> {
    const room = options.room ?? "general";
    let id: string | null = null;
    for (const text of texts) {
      id = this.#take(room, text);
      while (id === null) {
        await new Promise<void>((resolve) => this.#roomAgain.push(resolve));
        id = this.#take(room, text);
      }
    }
    if (id === null) throw new PeerError("empty", "no message to send");
    const last = new OpenSubmission(id, this.#taken);
    this.#open.push(last);
    return last;
  }

  /** Its id; null: there is no room for it now. */
  #take(room: string, text: string): string | null {
    if (this.#ended !== null) throw closed();
    const result = this.#host.submit(room, text);
    if (result.ok) {
      this.#firstId ??= result.msg_id;
      this.#taken += 1;
      return result.msg_id;
    }
    if (result.code === "full") return null;
    throw new PeerError(result.code === "closing" ? "closed" : result.code, result.message);
  }

  get messages(): AsyncIterable<DeliveredMessage> {
    return this.#iterable(() => this.#shift());
  }

  get batches(): AsyncIterable<readonly DeliveredMessage[]> {
    return this.#iterable(() => this.#takeAll());
  }

  status(): Status {
    return this.#host.status();
  }

  rooms(): RoomStatus[] {
    return this.#host.rooms.list();
  }

  joinRoom(room: string): boolean {
    return this.#host.rooms.join(room);
  }

  leaveRoom(room: string): void {
    this.#host.rooms.leave(room);
  }

  async history(
    count: number,
    { room = "general", text = "" }: { readonly room?: string; readonly text?: string } = {},
  ): Promise<DeliveredMessage[]> {
    const asked = { ask: (question: OwnQuestion) => this.#ask(question) };
    const place = { room, through: this.#host.commit };
    return lastMessages(asked, place, Math.min(count, HISTORY_MESSAGES_MAX), text);
  }

  confirmRead(room: string, seqNo: number): void {
    this.#host.confirmRead(room, seqNo);
  }

  async confirmations(room: string): Promise<Confirmations["readers"]> {
    const told = await this.#ask({ what: "confirmations", room_id: room });
    return told.event === "confirmations" ? told.readers : [];
  }

  async who(): Promise<readonly WhoRow[]> {
    const told = await this.#ask({ what: "who" });
    return told.event === "who" ? told.people : [];
  }

  async rename(name: string): Promise<void> {
    const told = await this.#ask({ what: "nick", user: name });
    if (told.event === "error")
      throw new PeerError(told.code === "bad-name" ? "bad-name" : "name-in-use", told.message);
  }

  #ask(question: OwnQuestion): Promise<Told> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== null) return reject(closed());
      this.#unanswered.add(reject);
      this.#host.ask(question, (told) => {
        this.#unanswered.delete(reject);
        resolve(told);
      });
    });
  }

  close(): Promise<void> {
    if (this.#ended !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closed.push(resolve);
      this.#host.quit();
    });
  }

  #onEvent(event: HostEvent): void {
    if (event.event === "sent") {
      this.#onSent(event);
    } else if (event.event === "message") {
      this.#buffer.push(event);
      if (this.#buffer.length - this.#read >= BUFFERED_MAX) {
        this.#paused = true;
        this.#host.pauseDelivery();
      }
      // It looks when this turn is over: then all that came together is there.
      this.#readers.shift()?.();
    }
  }

  /** Messages are sent in the order in which they were taken; those that an earlier process left go first. */
  #onSent(sent: Sent): void {
    if (this.#sent === 0 && sent.msg_id !== this.#firstId) return;
    this.#sent += 1;
    const submission = this.#open[this.#settled];
    if (submission?.place !== this.#sent) return;
    submission.settle(sent);
    this.#settled += 1;
    if (this.#settled < 1024 && this.#settled < this.#open.length) return;
    this.#open = this.#open.slice(this.#settled);
    this.#settled = 0;
  }

  #iterable<T>(take: () => T | undefined): AsyncIterable<T> {
    const next = async (): Promise<IteratorResult<T>> => {
      for (;;) {
        const value = take();
        if (value !== undefined) {
          this.#resumeDelivery();
          return { done: false, value };
        }
        if (this.#ended?.error) throw this.#ended.error;
        if (this.#ended !== null) return { done: true, value: undefined };
        await new Promise<void>((resolve) => this.#readers.push(resolve));
      }
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #shift(): DeliveredMessage | undefined {
    const value = this.#buffer[this.#read];
    if (value === undefined) return undefined;
    this.#read += 1;
    if (this.#read === this.#buffer.length) {
      this.#buffer = [];
      this.#read = 0;
    }
    return value;
  }

  #takeAll(): readonly DeliveredMessage[] | undefined {
    if (this.#buffer.length === 0) return undefined;
    const all = this.#read === 0 ? this.#buffer : this.#buffer.slice(this.#read);
    this.#buffer = [];
    this.#read = 0;
    return all;
  }

  #resumeDelivery(): void {
    if (!this.#paused || this.#buffer.length - this.#read > BUFFERED_MAX / 2) return;
    this.#paused = false;
    this.#host.resumeDelivery();
  }

  #end(error: PeerError | null): void {
    this.#ended = { error };
    for (const wake of this.#readers.splice(0)) wake();
    for (const submission of this.#open.slice(this.#settled))
      submission.fail(
        new PeerError(
          "closed",
          "this peer closed before the message was sent: it is kept and goes out at the next start",
        ),
      );
    this.#open = [];
    for (const reject of this.#unanswered) reject(closed());
    for (const go of this.#roomAgain.splice(0)) go();
    for (const done of this.#closed.splice(0)) done();
  }
}

class OpenSubmission implements Submission {
  readonly msg_id: string;
  /** Of how many that were taken it is the last. */
  readonly place: number;
  #outcome: Sent | PeerError | null = null;
  /** Made when somebody asks. */
  #waiters: { resolve: (sent: Sent) => void; reject: (error: PeerError) => void }[] | null = null;

  constructor(msgId: string, place: number) {
    this.msg_id = msgId;
    this.place = place;
  }

  sent(): Promise<Sent> {
    if (this.#outcome instanceof PeerError) return Promise.reject(this.#outcome);
    if (this.#outcome !== null) return Promise.resolve(placeOf(this.#outcome));
    return new Promise((resolve, reject) => {
      this.#waiters ??= [];
      this.#waiters.push({ resolve, reject });
    });
  }

  settle(sent: Sent): void {
    this.#outcome = sent;
    for (const { resolve } of this.#waiters ?? []) resolve(placeOf(sent));
    this.#waiters = null;
  }

  fail(error: PeerError): void {
    this.#outcome = error;
    for (const { reject } of this.#waiters ?? []) reject(error);
    this.#waiters = null;
  }
}

/** Of an event that says more. */
function placeOf({ msg_id, index, room_id, seq_no }: Sent): Sent {
  return { msg_id, index, room_id, seq_no };
}

function refuseOptions({ id, port, dataDir, name }: CreatePeerOptions): string | null {
  if (!Number.isInteger(id) || id < 1 || id > PEER_ID_MAX)
    return `id must be a whole number from 1 to ${PEER_ID_MAX}, not ${id}`;
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535))
    return `port must be a whole number from 0 to 65535, not ${port}`;
  if (dataDir === "") return "dataDir must name a directory";
  if (name === "") return "name must not be empty";
  return null;
}
