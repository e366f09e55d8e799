/**
 * A thin client: a user without a log, attached to some peer [S8], and to another one when that dies; `Client` in core
 * remembers what makes that safe. Nothing is kept on disk: what is not sent when this process ends was never promised.
 */
import { type Address, place } from "../../core/address.ts";
import type { Attached, Tell } from "../../core/client-frames.ts";
import type { ErrorCode, NoticeCode } from "../../core/codes.ts";
import { CLIENT_SESSION_CHARS, DEFAULT_TIMINGS } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { LogIndex, PeerId } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import type { CatchupResp, Refuse } from "../../core/message.ts";
import { messageId } from "../../core/message-id.ts";
import { numberTaken } from "../../core/own-session.ts";
import type { Status, Told } from "../../core/reports.ts";
import { Client } from "../../core/thin-client.ts";
import type { Clock, Network, Timer } from "../contracts.ts";
import { toTold } from "../delivered.ts";
import type { HostListener } from "../host-contract.ts";
import { refuseText } from "../net/admission.ts";
import { Rooms } from "../rooms.ts";
import type { OwnQuestion, Service, Submitted } from "../service.ts";
import { type ClientHostOptions, type MakeClient, ROUNDS_UNTOLD } from "./client-options.ts";
import { ClientQuestions } from "./client-questions.ts";
import { clientStatus, peerAddresses } from "./client-status.ts";
import { PeerSearch } from "./peer-search.ts";

export class ClientHost implements Service {
  readonly #clock: Clock;
  readonly #options: ClientHostOptions;
  readonly #listener: HostListener;
  readonly #client: Client;
  readonly #search: PeerSearch;
  /** The peer that serves this client; null while none does. */
  #peerId: PeerId | null = null;
  #times = { heartbeat: DEFAULT_TIMINGS.heartbeat, leaderTimeout: DEFAULT_TIMINGS.leaderTimeout };
  #started = false;
  #stopping = false;
  #paused = false;
  /** A piece of the log is asked for and has not come. */
  #reading = false;
  #full = false;
  #status: Status | null = null;
  #beat: Timer | null = null;
  readonly #questions: ClientQuestions;
  /** The end of the log when it began. */
  #endsAt: LogIndex = 0;
  /** The refusal of one of several peers that were dialled at once: it says that the name is in use. */
  #nameInUse: string | null = null;
  readonly #lastSeqNos = new Map<string, number>();
  readonly rooms = new Rooms(
    () => this.#lastSeqNos,
    (event) => this.#listener.event(event),
  );

  constructor(
    ports: { readonly clock: Clock; readonly network: Network },
    options: ClientHostOptions,
    listener: HostListener,
    makeClient: MakeClient = (core) => new Client(core),
  ) {
    this.#clock = ports.clock;
    this.#options = options;
    this.#listener = listener;
    const { name: user, room } = options;
    this.#client = makeClient({ user, room, session: user === "" ? "" : ports.clock.word(CLIENT_SESSION_CHARS) });
    this.#questions = new ClientQuestions((frame) => this.#peerId !== null && this.#search.write(frame));
    this.#search = new PeerSearch(ports, {
      addresses: () => this.addresses,
      attach: () => this.#client.attach(),
      frame: (frame) => this.#onFrame(frame),
      refused: (refuse, address) => this.#onRefused(refuse, address),
      lost: () => this.#onLost(),
      inVain: (rounds, why) => this.#inVain(rounds, why),
    });
  }

  start(): void {
    this.#search.dial();
    this.#onBeat();
  }

  // ── what people do ─────────────────────────────────────────────────────────────────────────────────────────────

  submit(room: string, text: string): Submitted {
    const refused = refuseText(room, text);
    if (refused !== null) return refused;
    if (this.#client.isFull) {
      this.#full = true;
      return { ok: false, code: "full", message: `${this.pending} messages wait to be sent: wait until some are` };
    }
    const draft = { room_id: room, user: this.#client.user, ts: this.#clock.wall(), payload: text };
    const msgId = this.#stopping ? null : this.#client.submit(draft);
    if (msgId === null) return { ok: false, code: "closing", message: "this client is attached to no peer yet" };
    this.#listener.event({ event: "pending", msg_id: msgId, room_id: room, payload: text });
    this.#clock.soon(() => this.#say());
    return { ok: true, msg_id: msgId };
  }

  get pending(): number {
    return this.#client.pending;
  }

  /** Nothing: a client's peer sends missed messages together with new ones. */
  catchUp(): null {
    return null;
  }

  status(): Status {
    const { delivered: seen, pending } = this;
    return clientStatus(this.#status, { seen, pending, isServed: this.#peerId !== null });
  }

  get delivered(): LogIndex {
    return this.#client.seen?.index ?? 0;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    this.#questions.ask(question, (told) => {
      if (question.what === "nick" && told.event === "notice") this.#client.rename(question.user);
      answer(told);
    });
  }

  confirmRead(room: string, seqNo: number): void {
    this.rooms.show(room, seqNo);
    if (this.#options.receipts === false || this.#client.user === "") return;
    this.#questions.noteRead(room, seqNo);
    if (this.#peerId !== null) this.#questions.confirmReads(this.#clock.now());
  }

  transfer(_to: PeerId): void {
    this.#refusePeersCommand("hand over the lead");
  }

  evict(_id: PeerId): void {
    this.#refusePeersCommand("evict a peer");
  }

  #refusePeersCommand(what: string): void {
    this.#error("refused", `a client cannot ${what}: say so on a peer`);
  }

  /** Nothing is kept of what a client was told. */
  acknowledge(): void {}

  pauseDelivery(): void {
    this.#paused = true;
  }

  resumeDelivery(): void {
    this.#paused = false;
    this.#readOn();
  }

  quit(): void {
    this.#search.write({ type: "DETACH" });
    const unknown = this.pending;
    if (unknown === 0) return this.#end(0, "left");
    const message = `${unknown} messages were not seen sent, and nobody keeps them now: whether they were is not known`;
    this.#error("unknown", message);
    this.#end(1, message);
  }

  stop(): void {
    this.#end(0, "stopped");
  }

  // ── finding a peer ─────────────────────────────────────────────────────────────────────────────────────────────

  get addresses(): Address[] {
    return peerAddresses(this.#status, this.#client.members, this.#options.addresses);
  }

  #onRefused({ code, message }: Refuse, address: Address): void {
    const refused = `refused by ${place(address)}: ${message}`;
    if (code === "wrong-cluster" || code === "wrong-version") return this.#fail(refused);
    if (code !== "name-in-use" || this.#client.seen !== null) return;
    // The name may be held by this very client, at another dialled peer that has not answered yet.
    if (this.#search.triesSeveral) this.#nameInUse = refused;
    else this.#fail(refused, code);
  }

  #onLost(): void {
    const where = place(this.#search.address);
    this.#notice("peer-lost", `peer ${this.#peerId} at ${where} is gone: looking for another one`);
    this.#peerId = null;
    this.#reading = false;
  }

  /** Gives up at once if never attached, or if it only reads what is there; else it waits as long as it takes. */
  #inVain(rounds: number, why: string): boolean {
    if (this.#client.seen === null || !this.#options.follow) {
      if (this.#nameInUse !== null) this.#fail(this.#nameInUse, "name-in-use");
      else this.#fail(`cannot reach ${place(this.#search.address)} (${why}): is a peer running there?`);
      return false;
    }
    if (rounds === ROUNDS_UNTOLD + 1)
      this.#notice("waiting", `no peer serves this client (${why}): messages are kept here and will be sent`);
    return true;
  }

  #onAttached(frame: Attached): void {
    this.#peerId = frame.id;
    this.#times = { heartbeat: frame.heartbeat, leaderTimeout: frame.leader_timeout };
    const isFirst = this.#client.seen === null;
    this.#client.onAttached(frame, this.#clock.now());
    this.#questions.askAgain();
    if (isFirst) return this.#remember(frame.commit.index);
    if (this.#started) this.#notice("attached", `now on peer ${frame.id} at ${place(this.#search.address)}`);
    this.#say();
    this.#readOn();
  }

  /** Notes the state through `index`, before anything is told. */
  #remember(index: LogIndex): void {
    this.#endsAt = index;
    const { room, since } = this.#options;
    if (since !== null)
      return this.ask({ what: "place", room_id: room, seq_no: since }, (told) => {
        if (told.event === "place") this.#client.readFrom(told.before);
        this.#begin();
      });
    this.ask({ what: "rooms" }, (told) => {
      if (told.event === "rooms") for (const r of told.rooms) this.#heard(r.room_id, r.last_seq_no);
      this.rooms.begin();
      this.#begin();
    });
  }

  #begin(): void {
    this.#started = true;
    const [id, cluster_id] = [this.#peerId ?? 0, this.#client.clusterId];
    this.#listener.event({ event: "started", id, ...this.#search.address, cluster_id });
    this.#readOn();
  }

  // ── frames ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case "ATTACHED":
        return this.#onAttached(frame);
      case "CATCHUP_RESP":
        return this.#onEntries(frame);
      case "CHAT_ACK":
        this.#client.onChatAck(frame);
        return this.#say();
      case "TELL":
        return this.#onTold(frame);
    }
  }

  #onEntries({ prev_index, entries, more, commit }: CatchupResp): void {
    if (!this.#reading || prev_index !== this.#client.seen?.index || entries.length === 0) return;
    this.#reading = more;
    this.#client.onCommitted(commit);
    for (const entry of entries) {
      const verdict = this.#client.onEntry(entry, this.#clock.now());
      this.#show(entry);
      const { index, room_id, seq_no } = entry;
      if (verdict === "own") this.#listener.event({ event: "sent", msg_id: messageId(entry), index, room_id, seq_no });
      else if (verdict !== null) this.#notice("number-taken", numberTaken(entry, verdict));
    }
    if (this.#client.needsSession) this.#leaveSession();
    this.#say();
    this.#readOn();
    if (!this.#full || this.#client.isFull) return;
    this.#full = false;
    this.#listener.writable();
  }

  /** [S10] A session belongs to a connection: the peer is greeted again with a new one, and reading goes on there. */
  #leaveSession(): void {
    for (const { was, msg_id, draft } of this.#client.renew(this.#clock.word(CLIENT_SESSION_CHARS)))
      this.#listener.event({ event: "pending", msg_id, room_id: draft.room_id, payload: draft.payload, was });
    this.#peerId = null;
    this.#search.again();
  }

  #show(entry: Entry): void {
    const told = toTold(entry);
    if (told?.event === "message") this.#heard(told.room_id, told.seq_no);
    if (told !== null) this.#listener.event(told);
  }

  #heard(room: string, seqNo: number): void {
    if (seqNo > (this.#lastSeqNos.get(room) ?? 0)) this.#lastSeqNos.set(room, seqNo);
  }

  #onTold({ request, told }: Tell): void {
    if (request > 0) return this.#questions.onAnswer(request, told);
    if (told.event === "notice" || told.event === "error" || told.event === "unsent") return this.#listener.event(told);
    if (told.event !== "status") return;
    const before = this.#status;
    this.#status = told;
    if (before?.term === told.term && before.leader_id === told.leader_id) return;
    this.#listener.event({ event: "role", role: "client", term: told.term, leader_id: told.leader_id });
    this.#client.onLeaderChange(this.#clock.now());
    this.#say();
  }

  /** Asks for the next piece of the log, when the one before has been shown. */
  #readOn(): void {
    const { seen } = this.#client;
    if (!this.#started || this.#reading || this.#paused || seen === null) return;
    if (!this.#options.follow && seen.index >= this.#endsAt) return this.#end(0, "read to the end");
    if (this.#peerId === null) return;
    this.#reading = true;
    this.#search.write({ type: "CATCHUP_REQ", ballot: null, after: seen });
  }

  #say(): void {
    const now = this.#clock.now();
    if (this.#search.isSending) this.#client.onSending(now);
    if (this.#peerId !== null) this.#search.say((bytes) => this.#client.nextChat(now, bytes));
  }

  // ── time and end ───────────────────────────────────────────────────────────────────────────────────────────────

  #onBeat(): void {
    const { heartbeat, leaderTimeout } = this.#times;
    this.#search.keepAlive(heartbeat, leaderTimeout);
    this.#say();
    if (this.#peerId !== null) this.#questions.confirmReads(this.#clock.now());
    this.#beat = this.#clock.after(heartbeat, () => this.#onBeat());
  }

  #notice(code: NoticeCode, message: string): void {
    this.#listener.event({ event: "notice", code, message });
  }

  #error(code: ErrorCode, message: string): void {
    this.#listener.event({ event: "error", code, message });
  }

  #fail(message: string, code: "fatal" | "name-in-use" = "fatal"): void {
    if (this.#stopping) return;
    this.#error(code, message);
    this.#end(1, message);
  }

  #end(code: 0 | 1, reason: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#beat?.cancel();
    this.#search.close();
    this.#listener.stopped({ code, reason });
  }
}
