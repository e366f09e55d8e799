/** One peer in a program's own process: the host, with promises and loops in place of events. */
import { platformPorts } from "./adapters/platform.ts";
import type { ChatPeer, CreatePeerOptions, HistoryOptions, MessageStream, Submission } from "./chat-peer.ts";
import type { Timings } from "./core/config.ts";
import type { LogIndex, PeerId } from "./core/ids.ts";
import type { Confirmations, RoomStatus, Told, WhoRow } from "./core/reports.ts";
import type { DeliveredMessage, Status } from "./host/events.ts";
import { Host, HostError } from "./host/host.ts";
import { Inbox } from "./host/inbox.ts";
import { firstMessages, lastMessages } from "./host/pages.ts";
import type { OwnQuestion } from "./host/service.ts";
import { PeerError } from "./peer-error.ts";
import { Streams } from "./streams.ts";
import { Submissions } from "./submissions.ts";

const closed = () => new PeerError("closed", "this peer is closed");

export class EmbeddedPeer implements ChatPeer {
  readonly id: PeerId;
  readonly host: string;
  port: number;
  readonly started: Promise<void>;
  readonly #host: Host;
  readonly #inbox: Inbox;
  readonly #streams: Streams;
  readonly #submissions = new Submissions();
  #roomAgain: (() => void)[] = [];
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
    const ports = platformPorts(options.dataDir);
    const host = new Host(
      ports,
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
        acknowledges: true,
      },
      {
        event: (event) => {
          if (event.event === "started") {
            this.port = event.port;
            resolve();
          }
          if (event.event === "sent") this.#submissions.onSent(event);
          else if (event.event === "pending") this.#submissions.onPending(event);
          else if (event.event === "message") this.#onMessage(event);
          else options.onEvent?.(event);
        },
        log: (record) => options.onLog?.(record),
        writable: () => {
          const waiting = this.#roomAgain;
          this.#roomAgain = [];
          for (const go of waiting) go();
        },
        committed: () => this.#streams.wake(),
        stopped: ({ code, reason }) => {
          reject(new PeerError("start", reason));
          this.#end(code === 0 ? null : new PeerError("closed", reason));
        },
      },
    );
    this.#host = host;
    this.#inbox = new Inbox(host);
    this.#streams = new Streams(host, this.#inbox, ports.clock);
    try {
      host.start();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      reject(new PeerError("start", error.message));
    }
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────

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
    return this.#submissions.ofLast(id);
  }

  /** Its id; null: there is no room for it now. */
  #take(room: string, text: string): string | null {
    if (this.#streams.ended !== null) throw closed();
    const result = this.#host.submit(room, text);
    if (result.ok) {
      this.#submissions.onTaken(result.msg_id);
      return result.msg_id;
    }
    if (result.code === "full") return null;
    throw new PeerError(result.code === "closing" ? "closed" : result.code, result.message);
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  get messages(): MessageStream<DeliveredMessage> {
    return this.#streams.messages;
  }

  get batches(): MessageStream<readonly DeliveredMessage[]> {
    return this.#streams.batches;
  }

  ack(index: LogIndex): void {
    const { commit } = this.#host;
    if (!Number.isSafeInteger(index) || index < 0 || index > commit)
      throw new PeerError(
        "bad-option",
        `ack takes the index of a message that was delivered, at most ${commit}, not ${index}`,
      );
    this.#inbox.acknowledge(index);
  }

  get acknowledged(): LogIndex {
    return this.#host.acknowledged;
  }

  history(
    count: number,
    { room = "general", text = "", before, after }: HistoryOptions = {},
  ): Promise<DeliveredMessage[]> {
    const asked = { ask: (question: OwnQuestion) => this.#ask(question) };
    const place = { room, through: Math.min(this.#host.commit, (before ?? Number.POSITIVE_INFINITY) - 1) };
    return after === undefined
      ? lastMessages(asked, place, count, text)
      : firstMessages(asked, place, after, count, text);
  }

  #onMessage(message: DeliveredMessage): void {
    this.#inbox.push(message);
    this.#streams.wake();
  }

  // ── rooms and people ───────────────────────────────────────────────────────────────────────────────────────────

  rooms(): RoomStatus[] {
    return this.#host.rooms.list();
  }

  joinRoom(room: string): boolean {
    return this.#host.rooms.join(room);
  }

  leaveRoom(room: string): void {
    this.#host.rooms.leave(room);
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
      if (this.#streams.ended !== null) return reject(closed());
      this.#unanswered.add(reject);
      this.#host.ask(question, (told) => {
        this.#unanswered.delete(reject);
        resolve(told);
      });
    });
  }

  // ── the peer itself ────────────────────────────────────────────────────────────────────────────────────────────

  status(): Status {
    return this.#host.status();
  }

  close(): Promise<void> {
    if (this.#streams.ended !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#closed.push(resolve);
      this.#host.quit();
    });
  }

  #end(error: PeerError | null): void {
    this.#streams.end(error);
    this.#submissions.onClosed();
    for (const reject of this.#unanswered) reject(closed());
    for (const go of this.#roomAgain.splice(0)) go();
    for (const done of this.#closed.splice(0)) done();
  }
}
