/** One peer in a program's own process: the host, with promises and loops instead of events. */
import type * as v from "valibot";
import { platformPorts } from "./adapters/platform.ts";
import { access, done, invite } from "./admitting.ts";
import {
  COUNT,
  type CREATE,
  checked,
  checkedRoom,
  HISTORY,
  INDEX,
  INVITE,
  PEER_ID,
  PERSON,
  SEQ_NO,
  SUBMIT,
  TEXT,
  TEXTS,
  WAIT,
} from "./arguments.ts";
import type {
  Access,
  ChatPeer,
  HistoryOptions,
  Invited,
  InviteOptions,
  MessageStream,
  Submission,
  SubmitOptions,
} from "./chat-peer.ts";
import type { LogIndex, PeerId } from "./core/ids.ts";
import { isTrustCode, type TrustCode } from "./core/refuse-codes.ts";
import type { Confirmations, RoomStatus, Told, WhoRow } from "./core/reports.ts";
import { DEFAULT_ENGINE } from "./engines/default.ts";
import { firstMessages, lastMessages } from "./host/answers/pages.ts";
import type { Clock } from "./host/contracts.ts";
import type { DeliveredMessage, Status } from "./host/events.ts";
import { Host } from "./host/host.ts";
import { Inbox } from "./host/inbox.ts";
import type { OwnQuestion } from "./host/service.ts";
import { HostError } from "./host/store/unusable.ts";
import { PeerError } from "./peer-error.ts";
import { guarded, hostOptions } from "./peer-options.ts";
import { Streams } from "./streams.ts";
import { Submissions } from "./submissions.ts";
import { refuseAborted, resolveAll, type Waiter, type WaitOptions, waitFor } from "./waits.ts";

type Settings = v.InferOutput<typeof CREATE>;

const closed = () => new PeerError("closed", "this peer is closed");

export class EmbeddedPeer implements ChatPeer {
  readonly id: PeerId;
  readonly host: string;
  port: number;
  readonly #clock: Clock;
  readonly #host: Host;
  readonly #inbox: Inbox;
  readonly #streams: Streams;
  readonly #submissions: Submissions;
  readonly #started = new Set<Waiter>();
  /** It has started when it is a member, and not when it listens. */
  readonly #isInvited: boolean;
  #isListening = false;
  /** What its last error says of why the cluster does not let it in. */
  #refused: TrustCode | null = null;
  readonly #roomAgain = new Set<Waiter>();
  readonly #unready = new Set<Waiter>();
  readonly #unanswered = new Set<Waiter<Told>>();
  #closed: (() => void)[] = [];

  /** Rejects with PeerError "start" or "aborted". */
  static async start({ signal, ...settings }: Settings): Promise<EmbeddedPeer> {
    refuseAborted(signal);
    const peer = new EmbeddedPeer(settings);
    const stop = () => peer.#host.stop();
    signal?.addEventListener("abort", stop);
    try {
      await peer.#start();
    } catch (error) {
      refuseAborted(signal);
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    refuseAborted(signal);
    return peer;
  }

  private constructor(settings: Omit<Settings, "signal">) {
    const options = hostOptions(settings);
    this.id = options.id;
    this.host = options.host;
    this.port = options.port;
    this.#isInvited = options.invitation !== undefined;
    const ports = platformPorts(settings.dataDir);
    this.#clock = ports.clock;
    const toldTo = guarded(settings.onEvent);
    const host = new Host(
      ports,
      { ...options, engine: DEFAULT_ENGINE.create },
      {
        event: (event) => {
          if (event.event === "started") this.#onStarted(event.port);
          if (event.event === "error") this.#refused = isTrustCode(event.code) ? event.code : null;
          if (event.event === "sent") this.#submissions.onSent(event);
          else if (event.event === "pending") this.#submissions.onPending(event);
          else if (event.event === "message") this.#onMessage(event);
          else toldTo(event);
        },
        log: guarded(settings.onLog),
        writable: () => resolveAll(this.#roomAgain),
        committed: () => this.#streams.wake(),
        turned: () => this.#onTurn(),
        stopped: ({ code, reason }) => this.#onStopped(code, reason),
      },
    );
    this.#host = host;
    this.#inbox = new Inbox(host);
    this.#streams = new Streams(host, this.#inbox, ports.clock);
    this.#submissions = new Submissions(ports.clock);
  }

  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#started.add({ resolve, reject });
      try {
        this.#host.start();
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        reject(new PeerError("start", error.message));
      }
    });
  }

  #onStarted(port: number): void {
    this.port = port;
    this.#isListening = true;
    this.#onTurn();
  }

  #onTurn(): void {
    if (this.#started.size > 0 && this.#isListening && (!this.#isInvited || this.#isMember)) resolveAll(this.#started);
    if (this.#unready.size > 0 && this.status().waiting === null) resolveAll(this.#unready);
  }

  get #isMember(): boolean {
    return this.status().members.some(({ id, role }) => id === this.id && role !== "left");
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    const wait = checked(WAIT, options, "the options of ready");
    refuseAborted(wait.signal);
    this.#refuseEnded();
    if (this.status().waiting === null) return;
    await this.#wait(
      this.#unready,
      wait,
      () => `not ready after ${wait.timeout} ms: ${this.status().waiting?.message}`,
    );
  }

  /** Waits in `among` until an event, or the end of this peer, wakes it. */
  #wait(among: Set<Waiter>, wait: WaitOptions, late = () => ""): Promise<void> {
    return waitFor<void>(this.#clock, wait, late, (resolve, reject) => {
      const waiter = { resolve, reject };
      among.add(waiter);
      return () => among.delete(waiter);
    });
  }

  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────

  async submit(text: string, options: SubmitOptions = {}): Promise<Submission> {
    return this.#submit([checked(TEXT, text, "text")], checked(SUBMIT, options, "the options of submit"));
  }

  async submitAll(texts: readonly string[], options: SubmitOptions = {}): Promise<Submission> {
    return this.#submit(checked(TEXTS, texts, "texts"), checked(SUBMIT, options, "the options of submitAll"));
  }

  async #submit(texts: readonly string[], { room, signal }: v.InferOutput<typeof SUBMIT>): Promise<Submission> {
    refuseAborted(signal);
    let id: string | null = null;
    for (const text of texts) {
      id = this.#take(room, text);
      while (id === null) {
        await this.#wait(this.#roomAgain, { signal });
        id = this.#take(room, text);
      }
    }
    if (id === null) throw new PeerError("empty", "no message to send");
    return this.#submissions.ofLast(id);
  }

  /** Takes one text and returns its id; null: there is no room for it now. */
  #take(room: string, text: string): string | null {
    this.#refuseEnded();
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
    if (checked(INDEX, index, "index") > commit)
      throw new PeerError("bad-option", `ack takes the index of a delivered message, at most ${commit}, not ${index}`);
    this.#inbox.acknowledge(index);
  }

  get acknowledged(): LogIndex {
    return this.#host.acknowledged;
  }

  async history(count: number, options: HistoryOptions = {}): Promise<DeliveredMessage[]> {
    const wanted = checked(COUNT, count, "count");
    const { before, after, text, signal, ...rest } = checked(HISTORY, options, "the options of history");
    const asked = { ask: (question: OwnQuestion) => this.#ask(question, signal) };
    const end = Math.min(this.#host.commit, (before ?? Number.POSITIVE_INFINITY) - 1);
    const place = { room: checkedRoom(rest.room), through: end };
    return after === undefined
      ? lastMessages(asked, place, wanted, text)
      : firstMessages(asked, place, after, wanted, text);
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
    return this.#host.rooms.join(checked(TEXT, room, "room"));
  }

  leaveRoom(room: string): void {
    this.#host.rooms.leave(checked(TEXT, room, "room"));
  }

  confirmRead(room: string, seqNo: number): void {
    this.#host.confirmRead(checkedRoom(room), checked(SEQ_NO, seqNo, "seqNo"));
  }

  async confirmations(room: string): Promise<Confirmations["readers"]> {
    const told = await this.#ask({ what: "confirmations", room_id: checkedRoom(room) });
    return told.event === "confirmations" ? told.readers : [];
  }

  async who(): Promise<readonly WhoRow[]> {
    const told = await this.#ask({ what: "who" });
    return told.event === "who" ? told.people : [];
  }

  async rename(name: string): Promise<void> {
    const told = await this.#ask({ what: "nick", user: checked(TEXT, name, "name") });
    if (told.event === "error")
      throw new PeerError(told.code === "bad-name" ? "bad-name" : "name-in-use", told.message);
  }

  async invite(options: InviteOptions = {}): Promise<Invited> {
    return invite(this.#asking, checked(INVITE, options, "the options of invite"), this.#clock.wall());
  }

  async access(): Promise<Access> {
    return access(this.#asking);
  }

  async revoke(name: string): Promise<void> {
    return done(this.#asking, { what: "revoke", name: checked(PERSON, name, "name") });
  }

  async evict(id: PeerId): Promise<void> {
    return done(this.#asking, { what: "evict", id: checked(PEER_ID, id, "id") });
  }

  readonly #asking = (question: OwnQuestion, signal?: AbortSignal) => this.#ask(question, signal);

  async #ask(question: OwnQuestion, signal?: AbortSignal): Promise<Told> {
    refuseAborted(signal);
    this.#refuseEnded();
    return waitFor<Told>(
      this.#clock,
      { signal },
      () => "",
      (resolve, reject) => {
        const waiter = { resolve, reject };
        this.#unanswered.add(waiter);
        const answer = (told: Told) => this.#unanswered.has(waiter) && resolve(told);
        // Some are answered at once.
        this.#host.ask(question, (told) => this.#clock.soon(() => answer(told)));
        return () => this.#unanswered.delete(waiter);
      },
    );
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuseEnded(): void {
    if (this.#streams.ended !== null) throw closed();
  }

  #onStopped(code: number, reason: string): void {
    const error = code === 0 ? null : new PeerError(this.#refused ?? "closed", reason);
    this.#streams.end(error);
    this.#submissions.onClosed();
    for (const { reject } of this.#started) reject(new PeerError(this.#refused ?? "start", reason));
    for (const waiters of [this.#roomAgain, this.#unready, this.#unanswered])
      for (const { reject } of [...waiters]) reject(closed());
    for (const done of this.#closed.splice(0)) done();
  }
}
