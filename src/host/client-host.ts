/**
 * A thin client: a user without a log of its own, attached to some peer [S8]. Takes the committed log from there piece by
 * piece, says its own messages through it, and goes to another peer when that one dies; `Client` in core remembers what
 * makes that safe. Nothing is kept on disk: what is not sent when this process ends was never promised.
 */

import { Client } from "../core/client.ts";
import type { Attached, Tell } from "../core/client-frames.ts";
import { CLIENT_SESSION_CHARS, DEFAULT_TIMINGS, QUESTIONS_MAX, READS_WAITING_MAX } from "../core/config.ts";
import type { LogIndex, PeerId } from "../core/ids.ts";
import { messageId } from "../core/log.ts";
import type { CatchupResp, Entry, Frame, Refuse } from "../core/message.ts";
import type { Status, Told } from "../core/reports.ts";
import { encodeFrame } from "../wire/encode.ts";
import { refuseText } from "./admission.ts";
import { Channel, type Target } from "./channel.ts";
import type { Clock, Network, Timer } from "./contracts.ts";
import { toMessage } from "./delivery.ts";
import type { HostListener } from "./host.ts";
import { toReadNote, toSystemNote } from "./people.ts";
import { Rooms } from "./rooms.ts";
import type { OwnQuestion, Service, Submitted } from "./service.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ClientHostOptions {
  /** Peers to begin with; the others are learned from them. */
  readonly addresses: readonly Address[];
  /** "": somebody who only reads. */
  readonly name: string;
  readonly room: string;
  /** Everything from this message of the room on is told; null: what is said from now on. */
  readonly since: number | null;
  /** What was read is confirmed to the others [P4]. Default: it is. */
  readonly receipts?: boolean;
  /** Goes on at the end of what there was when it began. */
  readonly follow: boolean;
}

/** A peer that has not begun to serve by then is left for another. */
const ATTACH_MS = 3000;
/** Between two rounds through all the addresses. */
const ROUND_PAUSE_MS = 300;
const CONFIRM_MS = 1000;

export class ClientHost implements Service {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #options: ClientHostOptions;
  readonly #listener: HostListener;
  readonly #client: Client;
  #channel: Channel | null = null;
  #address: Address;
  /** The address that is tried next, and how often all of them were tried in vain. */
  #next = 0;
  #rounds = 0;
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
  #lastFailure = "";
  #beat: Timer | null = null;
  #timer: Timer | null = null;
  #nextRequest = 1;
  /** Questions under way: they are asked again where this client goes. */
  readonly #questions = new Map<number, { readonly question: OwnQuestion; readonly answer: (told: Told) => void }>();
  /** The end of the log when it began. */
  #endsAt: LogIndex = 0;
  readonly #lastSeqNos = new Map<string, number>();
  readonly rooms = new Rooms(
    () => this.#lastSeqNos,
    (event) => this.#listener.event(event),
  );
  /** What was read and not confirmed yet, by room. */
  readonly #reads = new Map<string, number>();
  #confirmAt = 0;

  constructor(
    ports: { readonly clock: Clock; readonly network: Network },
    options: ClientHostOptions,
    listener: HostListener,
  ) {
    this.#clock = ports.clock;
    this.#network = ports.network;
    this.#options = options;
    this.#listener = listener;
    this.#address = options.addresses[0] as Address;
    const { name: user, room } = options;
    this.#client = new Client({ user, room, session: user === "" ? "" : ports.clock.word(CLIENT_SESSION_CHARS) });
  }

  start(): void {
    this.#dial();
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

  status(): Status {
    const none = { event: "status", id: 0, term: 0, leader_id: null, quorum: false, members: [] } as const;
    const ends = { first_index: 0, last_index: 0, commit_index: this.#client.seen?.index ?? 0 };
    const told = this.#status ?? { ...none, ...ends };
    const own = { role: "client", pending: this.pending } as const;
    if (this.#peerId !== null) return { ...told, ...own };
    const members = told.members.map((m) => (m.state === "alive" ? { ...m, state: "unreachable" as const } : m));
    return { ...told, ...own, leader_id: null, quorum: false, members };
  }

  get delivered(): LogIndex {
    return this.#client.seen?.index ?? 0;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    if (question.what === "nick")
      return this.#ask(question, (told) => {
        if (told.event === "notice") this.#client.rename(question.user);
        answer(told);
      });
    this.#ask(question, answer);
  }

  #ask(question: OwnQuestion, answer: (told: Told) => void): void {
    if (this.#questions.size >= QUESTIONS_MAX)
      return answer({ event: "error", code: "busy", message: "too many questions wait for an answer: try again" });
    const request = this.#nextRequest++;
    this.#questions.set(request, { question, answer });
    if (this.#peerId !== null) this.#write({ type: "ASK", request, question });
  }

  confirmRead(room: string, seqNo: number): void {
    this.rooms.show(room, seqNo);
    if (this.#options.receipts === false || this.#client.user === "") return;
    if (this.#reads.size < READS_WAITING_MAX) this.#reads.set(room, Math.max(seqNo, this.#reads.get(room) ?? 0));
    this.#confirm();
  }

  /** Its peer says each to the others at most once a second: no use telling it more often. */
  #confirm(): void {
    const now = this.#clock.now();
    if (this.#reads.size === 0 || this.#peerId === null || now < this.#confirmAt) return;
    this.#confirmAt = now + CONFIRM_MS;
    for (const [room_id, through] of this.#reads) {
      if (this.#questions.size >= QUESTIONS_MAX / 2) return;
      this.#reads.delete(room_id);
      this.#ask({ what: "read", room_id, through }, () => {});
    }
  }

  transfer(_to: PeerId): void {
    this.#refusePeersCommand("hand over the lead");
  }

  evict(_id: PeerId): void {
    this.#refusePeersCommand("evict a peer");
  }

  #refusePeersCommand(what: string): void {
    this.#notice("error", "refused", `a client cannot ${what}: say so on a peer`);
  }

  pauseDelivery(): void {
    this.#paused = true;
  }

  resumeDelivery(): void {
    this.#paused = false;
    this.#readOn();
  }

  quit(): void {
    this.#write({ type: "DETACH" });
    const unknown = this.pending;
    if (unknown === 0) return this.#end(0, "left");
    const message = `${unknown} messages were not seen sent, and nobody keeps them now: whether they were is not known`;
    this.#notice("error", "unknown", message);
    this.#end(1, message);
  }

  stop(): void {
    this.#end(0, "stopped");
  }

  // ── finding a peer ─────────────────────────────────────────────────────────────────────────────────────────────

  #dial(): void {
    if (this.#stopping) return;
    const { host, port } = this.#address;
    const target: Target = { id: 0, host, port, pause: 0, timer: null, dialling: true, told: false };
    let channel: Channel | null = null;
    const connection = this.#network.connect(host, port, {
      open: () => channel?.handler.open?.(),
      data: (bytes) => channel?.handler.data(bytes),
      drain: () => channel?.handler.drain(),
      close: (code) => channel?.handler.close(code),
    });
    const dialled = new Channel(this.#clock, connection, target, this.#client.attach(), ATTACH_MS, {
      hello: () => {},
      attach: (c) => c.destroy("no peer"),
      frame: (c, frame) => c === this.#channel && this.#onFrame(frame),
      refused: (refuse) => this.#onRefused(refuse),
      malformed: (why) => {
        this.#lastFailure = why;
      },
      closed: (c, code) => c === this.#channel && this.#onClosed(code),
    });
    channel = dialled;
    this.#channel = dialled;
    this.#timer = this.#clock.after(ATTACH_MS, () => dialled === this.#channel && dialled.destroy("ETIMEDOUT"));
  }

  /** The peers that are known, those told at the start last. */
  get #addresses(): Address[] {
    const all = [...this.#client.members.map(({ host, port }) => ({ host, port })), ...this.#options.addresses];
    return all.filter((a, i) => all.findIndex((b) => a.host === b.host && a.port === b.port) === i);
  }

  #onRefused({ code, message }: Refuse): void {
    this.#lastFailure = message;
    const lasting =
      code === "wrong-cluster" || code === "wrong-version" || (code === "name-in-use" && this.#client.seen === null);
    if (lasting) this.#fail(`refused by ${place(this.#address)}: ${message}`);
  }

  #onClosed(code: string): void {
    const { host, port } = this.#address;
    const served = this.#peerId;
    this.#timer?.cancel();
    this.#channel = null;
    this.#peerId = null;
    this.#reading = false;
    if (this.#stopping) return;
    if (code !== "" || this.#lastFailure === "") this.#lastFailure = code === "" ? "it closed the connection" : code;
    const addresses = this.#addresses;
    if (served !== null) {
      this.#notice("notice", "peer-lost", `peer ${served} at ${host}:${port} is gone: looking for another one`);
      this.#next = 1 + addresses.findIndex((a) => a.host === host && a.port === port);
      this.#rounds = 0;
    } else this.#next += 1;
    if (this.#next >= addresses.length) {
      this.#next = 0;
      this.#rounds += 1;
    }
    if (this.#client.seen === null && this.#rounds > 0)
      return this.#fail(`cannot reach ${place(this.#address)} (${this.#lastFailure}): is a peer running there?`);
    this.#address = addresses[this.#next] as Address;
    if (this.#rounds === 0) return void this.#clock.soon(() => this.#dial());
    if (this.#rounds === 1 && this.#next === 0)
      this.#notice("notice", "waiting", "no peer can be reached: messages are kept here and will be sent");
    this.#timer = this.#clock.after(ROUND_PAUSE_MS * (0.5 + this.#clock.random()), () => this.#dial());
  }

  #onAttached(frame: Attached): void {
    this.#timer?.cancel();
    this.#lastFailure = "";
    this.#rounds = 0;
    this.#peerId = frame.id;
    this.#times = { heartbeat: frame.heartbeat, leaderTimeout: frame.leader_timeout };
    const isFirst = this.#client.seen === null;
    this.#client.onAttached(frame, this.#clock.now());
    for (const [request, { question }] of this.#questions) this.#write({ type: "ASK", request, question });
    if (isFirst) return this.#remember(frame.commit.index);
    if (this.#started) this.#notice("notice", "attached", `now on peer ${frame.id} at ${place(this.#address)}`);
    this.#say();
    this.#readOn();
  }

  /** What there is, through `index`, is known before anything is told. */
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
      this.#begin();
    });
  }

  #begin(): void {
    this.#started = true;
    const { host, port } = this.#address;
    this.#listener.event({ event: "started", id: this.#peerId ?? 0, host, port });
    this.#readOn();
  }

  // ── frames ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case "PING":
        return this.#write({ type: "PONG", at: frame.at });
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

  #onEntries({ prev_index, entries }: CatchupResp): void {
    if (!this.#reading || prev_index !== this.#client.seen?.index || entries.length === 0) return;
    this.#reading = false;
    for (const entry of entries) {
      const own = this.#client.onEntry(entry, this.#clock.now());
      this.#show(entry);
      const { index, room_id, seq_no } = entry;
      if (own) this.#listener.event({ event: "sent", msg_id: messageId(entry), index, room_id, seq_no });
    }
    this.#say();
    this.#readOn();
    if (!this.#full || this.#client.isFull) return;
    this.#full = false;
    this.#listener.writable();
  }

  #show(entry: Entry): void {
    if (entry.kind === "system") return this.#listener.event(toSystemNote(entry));
    if (entry.kind === "read") return this.#listener.event(toReadNote(entry));
    if (entry.kind !== "chat") return;
    const message = toMessage(entry);
    this.#heard(message.room_id, message.seq_no);
    this.#listener.event(message);
  }

  #heard(room: string, seqNo: number): void {
    if (seqNo > (this.#lastSeqNos.get(room) ?? 0)) this.#lastSeqNos.set(room, seqNo);
  }

  #onTold({ request, told }: Tell): void {
    if (request > 0) {
      const asked = this.#questions.get(request);
      this.#questions.delete(request);
      return asked?.answer(told);
    }
    if (told.event === "notice" || told.event === "error" || told.event === "unsent") return this.#listener.event(told);
    if (told.event !== "status") return;
    const before = this.#status;
    this.#status = told;
    if (before?.term === told.term && before.leader_id === told.leader_id) return;
    this.#listener.event({ event: "role", role: "client", term: told.term, leader_id: told.leader_id });
    this.#client.resend(this.#clock.now());
    this.#say();
  }

  /** Asks for the next piece of the log, when the one before has been shown. */
  #readOn(): void {
    const { seen } = this.#client;
    if (!this.#started || this.#reading || this.#paused || seen === null) return;
    if (!this.#options.follow && seen.index >= this.#endsAt) return this.#end(0, "read to the end");
    if (this.#peerId === null) return;
    this.#reading = true;
    this.#write({ type: "CATCHUP_REQ", ballot: null, after: seen });
  }

  #say(): void {
    if (this.#peerId === null) return;
    const now = this.#clock.now();
    for (let chat = this.#client.nextChat(now); chat !== null; chat = this.#client.nextChat(now)) this.#write(chat);
  }

  #write(frame: Frame): void {
    this.#channel?.write(encodeFrame(frame), frame.type === "CHAT");
  }

  // ── time and end ───────────────────────────────────────────────────────────────────────────────────────────────

  #onBeat(): void {
    const { heartbeat, leaderTimeout } = this.#times;
    const now = this.#clock.now();
    const channel = this.#channel;
    if (channel !== null && this.#peerId !== null) {
      if (now - channel.heardAt > 2 * leaderTimeout) channel.destroy("silent");
      else if (now - channel.sentAt >= heartbeat) this.#write({ type: "PING", at: now });
    }
    this.#say();
    this.#confirm();
    this.#beat = this.#clock.after(heartbeat, () => this.#onBeat());
  }

  #notice(event: "notice" | "error", code: string, message: string): void {
    this.#listener.event({ event, code, message });
  }

  #fail(message: string): void {
    if (this.#stopping) return;
    this.#notice("error", "fatal", message);
    this.#end(1, message);
  }

  #end(code: 0 | 1, reason: string): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#beat?.cancel();
    this.#timer?.cancel();
    this.#channel?.end();
    this.#listener.stopped({ code, reason });
  }
}

function place({ host, port }: Address): string {
  return `${host}:${port}`;
}
