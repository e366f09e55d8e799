/**
 * The clients attached to this peer [S8]: which are let in, what is sent to them, and what is passed on for them. A
 * client takes the committed log a piece at a time, each when it has read the one before, so a slow client delays only
 * itself. Its messages go to the leader as they are. Whatever a client sends can harm only its own connection.
 */
import type { Ask, Attach } from "../../core/client-frames.ts";
import { NOTICE_CHARS_MAX, QUESTIONS_MAX } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { ClientId } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import type { Chat, ChatAck, RefuseCode } from "../../core/message.ts";
import { messageId } from "../../core/message-id.ts";
import type { HerePerson, Question, Told } from "../../core/reports.ts";
import { encodeFrame } from "../../wire/encode.ts";
import { cut } from "../../wire/text.ts";
import { WireError } from "../../wire/wire-error.ts";
import { nameInUse } from "../answers/names.ts";
import { refusal } from "../net/channel.ts";
import { type Attachment, sendMore } from "./attachment.ts";
import { ClientChats } from "./client-chats.ts";
import type { ClientEvents, ClientLink } from "./client-link.ts";
import type { ClientsHost } from "./clients-host.ts";

export class Clients implements ClientEvents {
  readonly #host: ClientsHost;
  readonly #attachments = new Map<ClientLink, Attachment>();
  /** Messages sent for clients in this peer's session, with the client that waits for each. */
  readonly #said = new Map<string, { readonly by: Attachment; readonly request: number }>();
  readonly #chats: ClientChats;
  #nextId: ClientId = 1;
  #shown = "";

  constructor(host: ClientsHost) {
    this.#host = host;
    this.#chats = new ClientChats(host);
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────

  attach(link: ClientLink, frame: Attach): void {
    const { clock, timings } = this.#host;
    if ((frame.user === "") !== (frame.session === "")) throw new WireError("ATTACH with a name or a session alone");
    const against = this.#judge(frame);
    if (against !== null) return link.refuse(refusal(...against));
    // This client came back before its old connection was found dead.
    for (const other of this.#attachments.values())
      if (frame.session !== "" && other.attach.session === frame.session) this.#drop(other);
    const attachment: Attachment = {
      id: this.#nextId,
      link,
      attach: frame,
      name: frame.user,
      roundTrip: null,
      sentThrough: frame.seen,
      // A client that continues a session has had its name all the time.
      isFree: frame.user === "" || frame.sender_id !== 0,
      served: false,
      waitsAt: null,
      asker: {
        get name() {
          return attachment.name;
        },
        rename: (name) => this.#rename(attachment, name),
      },
      asked: 0,
      patience: clock.after(timings.handshake, () =>
        link.refuse(refusal("behind", "this peer is behind what you have seen already: another one may not be")),
      ),
    };
    this.#nextId += 1;
    this.#attachments.set(link, attachment);
    if (attachment.isFree) return this.#serveWhenPast(attachment);
    this.#host.answers.ask({ what: "who" }, attachment.asker, (told) => {
      const against = told.event === "who" ? nameInUse(frame.user, told.people, 0) : null;
      if (against !== null) return link.refuse(refusal("name-in-use", against));
      attachment.isFree = true;
      if (this.#attachments.has(link)) this.#serveWhenPast(attachment);
    });
  }

  #judge(frame: Attach): [RefuseCode, string] | null {
    const peer = this.#host.peer();
    const clusterId = this.#host.clusterId();
    if (peer === null || peer.quitting) return ["closing", "this peer is starting or stopping: try again"];
    if (clusterId === null || peer.configuration === null)
      return ["closing", "this peer is not in a cluster yet: try again when it has met another one"];
    if (frame.cluster_id !== null && frame.cluster_id !== clusterId)
      return ["wrong-cluster", `this peer belongs to cluster ${clusterId}, not to ${frame.cluster_id}`];
    // The peer whose id its messages bear may have left long ago, and be forgotten.
    if (frame.sender_id !== 0 && frame.cluster_id === null)
      return ["malformed", "a client that goes on in a session names the cluster in which it began"];
    const others = [...this.#attachments.values()].filter((a) => a.attach.session !== frame.session);
    const taken = others.some((a) => a.name === frame.user) || this.#host.ownName() === frame.user;
    return frame.user !== "" && taken
      ? [
          "name-in-use",
          `the name ${JSON.stringify(frame.user)} is in use on peer ${peer.self.id}: choose another --name`,
        ]
      : null;
  }

  /** Whether one of the clients has this name. */
  has(name: string): boolean {
    return [...this.#attachments.values()].some((a) => a.name === name);
  }

  /** The clients that are served, as they are now; with `claims` also those whose names are being asked about. */
  people(claims: boolean): HerePerson[] {
    const now = this.#host.clock.now();
    const commit = this.#host.peer()?.log.commit ?? 0;
    // Measures round trips anew for the next question; the first measurement is made when a client is served.
    for (const { link, served } of this.#attachments.values()) if (served) this.#ping(link);
    const named = [...this.#attachments.values()].filter((a) => (a.served || claims) && a.name !== "");
    return named.map(({ name, link, roundTrip, waitsAt, sentThrough }) => ({
      user: name,
      client: true,
      heard_ms: Math.max(0, Math.round(now - link.heardAt)),
      round_trip_ms: roundTrip,
      lag: Math.max(0, commit - (waitsAt?.index ?? sentThrough)),
    }));
  }

  #ping(link: ClientLink): void {
    link.write(encodeFrame({ type: "PING", at: this.#host.clock.now() }), false);
  }

  closed(link: ClientLink): void {
    const attachment = this.#attachments.get(link);
    if (attachment !== undefined) this.#forget(attachment);
  }

  #drop(attachment: Attachment): void {
    this.#forget(attachment);
    attachment.link.end();
  }

  #forget(attachment: Attachment): void {
    attachment.patience?.cancel();
    this.#host.answers.forget(attachment.asker);
    this.#host.past.forget(attachment);
    this.#chats.forget(attachment.id);
    this.#attachments.delete(attachment.link);
    for (const [msgId, { by }] of this.#said) if (by === attachment) this.#said.delete(msgId);
    this.#host.input({ type: "client-down", client: attachment.id });
    if (attachment.served && attachment.name !== "") this.#host.input({ type: "silence", user: attachment.name });
  }

  frame(link: ClientLink, frame: Frame): void {
    if (frame.type === "PING") return link.write(encodeFrame({ type: "PONG", at: frame.at }), false);
    const attachment = this.#attachments.get(link);
    if (attachment === undefined || !attachment.served) return;
    switch (frame.type) {
      case "CHAT":
        return this.#onChat(attachment, frame);
      case "CATCHUP_REQ":
        if (frame.ballot !== null) throw new WireError("a client asked for what is not committed");
        attachment.waitsAt = frame.after;
        return sendMore(this.#host, attachment);
      case "ASK":
        return this.#onAsk(attachment, frame);
      case "DETACH":
        this.#drop(attachment);
        // This is told after the silence, and overrules it.
        if (attachment.name !== "") this.#tellPresence(attachment, false);
        return;
      case "PONG":
        attachment.roundTrip = Math.max(0, this.#host.clock.now() - frame.at);
        return;
      default:
        throw new WireError(`${frame.type} from a client`);
    }
  }

  #tellPresence({ name: user, attach: { room_id } }: Attachment, here: boolean, was = ""): void {
    this.#host.input({ type: "person", person: { user, room_id, ts: this.#host.clock.wall(), was, here } });
  }

  #rename(attachment: Attachment, name: string): void {
    const was = attachment.name;
    attachment.name = name;
    if (was === name) return;
    this.#tellPresence(attachment, true, was);
    this.#host.onRenamed();
  }

  #onChat({ id, attach }: Attachment, chat: Chat): void {
    const peer = this.#host.peer();
    if (peer === null) return;
    const senderId = attach.sender_id === 0 ? peer.self.id : attach.sender_id;
    if (attach.session === "" || chat.session !== attach.session || chat.sender_id !== senderId)
      throw new WireError("CHAT in another session than the client's own");
    this.#chats.chat(id, chat);
  }

  // ── what peers tell their clients ──────────────────────────────────────────────────────────────────────────────

  /** Called after every turn of the host: clients that wait get what is new. */
  onTurn(): void {
    const peer = this.#host.peer();
    if (this.#attachments.size === 0 || peer === null) return;
    this.#chats.onTurn();
    for (const attachment of this.#attachments.values()) {
      if (!attachment.served) this.#serveWhenPast(attachment);
      else sendMore(this.#host, attachment);
    }
    const { term, leader_id, quorum } = peer.standing;
    const where = `${term} ${leader_id} ${quorum} ${peer.links.size}`;
    const shown = `${where} ${this.#host.hindrances()}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tellThose(this.#host.status(), ({ served }) => served);
  }

  /** Tells clients with a person, not visitors. */
  tellAll(told: Told): void {
    this.#tellThose(told, ({ served, attach }) => served && attach.user !== "");
  }

  /** The names of those who are served. */
  names(): readonly string[] {
    return [...this.#attachments.values()].filter(({ served, name }) => served && name !== "").map(({ name }) => name);
  }

  tellName(name: string, told: Told): void {
    this.#tellThose(told, (attachment) => attachment.served && attachment.name === name);
  }

  #tellThose(told: Told, whom: (attachment: Attachment) => boolean): void {
    const pieces = encodeFrame({ type: "TELL", request: 0, told: cutWords(told) });
    for (const attachment of this.#attachments.values()) if (whom(attachment)) attachment.link.write(pieces, true);
  }

  answer(client: ClientId, frame: ChatAck): void {
    this.#chats.onChatAck(client);
    for (const { id, link } of this.#attachments.values()) if (id === client) link.write(encodeFrame(frame), true);
  }

  /** A message of this peer's session has another id now; true if it is a client's. */
  onRenamed(was: string, msgId: string): boolean {
    const said = this.#said.get(was);
    if (said === undefined) return false;
    this.#said.delete(was);
    this.#said.set(msgId, said);
    return true;
  }

  /** A message of this peer's session is sent; true if it was a client's. */
  onSent(entry: Entry): boolean {
    if (this.#said.size === 0) return false;
    const msg_id = messageId(entry);
    const said = this.#said.get(msg_id);
    if (said === undefined) return false;
    this.#said.delete(msg_id);
    this.#chats.said(said.by.id, { payload: entry.text });
    this.#tell(said.by, said.request, {
      event: "sent",
      msg_id,
      index: entry.index,
      room_id: entry.room_id,
      seq_no: entry.seq_no,
    });
    return true;
  }

  /** Messages for clients in this peer's session that are not sent will never be sent. */
  refuseSaid(message: string): void {
    for (const { by, request } of this.#said.values())
      this.#tell(by, request, { event: "error", code: "refused", message });
    this.#said.clear();
  }

  #serveWhenPast(attachment: Attachment): void {
    const peer = this.#host.peer();
    const { link, attach, id } = attachment;
    if (peer === null || !attachment.isFree || peer.log.commit < attach.seen) return;
    attachment.served = true;
    attachment.patience?.cancel();
    if (attach.session !== "") {
      this.#host.input({ type: "client-up", client: id, session: attach.session });
      this.#tellPresence(attachment, true);
    }
    const { heartbeat, leaderTimeout } = this.#host.timings;
    const staying = peer.present().filter((m) => m.role !== "left");
    const attached = encodeFrame({
      type: "ATTACHED",
      cluster_id: this.#host.clusterId() as string,
      id: peer.self.id,
      sender_id: attach.sender_id === 0 ? peer.self.id : attach.sender_id,
      commit: peer.log.tailAt(peer.log.commit),
      members: staying.map((m) => ({ id: m.id, host: m.host, port: m.port })),
      heartbeat: Math.max(1, Math.round(heartbeat)),
      leader_timeout: Math.max(1, Math.round(leaderTimeout)),
    });
    link.write(attached, true);
    this.#ping(link);
    this.#tell(attachment, 0, this.#host.status());
    const why = this.#host.waiting();
    if (why !== null) this.#tell(attachment, 0, { event: "notice", code: "waiting", message: why });
  }

  // ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────

  #onAsk(attachment: Attachment, { request, question }: Ask): void {
    const { answers } = this.#host;
    if (attachment.asked >= QUESTIONS_MAX) throw new WireError(`more than ${QUESTIONS_MAX} questions at a time`);
    attachment.asked += 1;
    if (question.what === "here") throw new WireError("a client asked what peers ask");
    if (question.what !== "say") {
      if (question.what === "nick" && attachment.name === "") throw new WireError("a visitor asked for a name");
      return answers.ask(question, attachment.asker, (told) => this.#tell(attachment, request, told));
    }
    this.#chats.offer(attachment.id, question, () => this.#say(attachment, request, question));
  }

  #say(attachment: Attachment, request: number, said: Extract<Question, { what: "say" }>): void {
    const submitted = this.#host.say(said.user, said.room_id, said.payload);
    if (submitted.ok) return void this.#said.set(submitted.msg_id, { by: attachment, request });
    this.#chats.said(attachment.id, said);
    this.#tell(attachment, request, { event: "error", code: submitted.code, message: submitted.message });
  }

  #tell(attachment: Attachment, request: number, told: Told): void {
    if (request > 0) attachment.asked -= 1;
    attachment.link.write(encodeFrame({ type: "TELL", request, told: cutWords(told) }), true);
  }
}

/** Cuts the words of an answer: they may name many members, each with a long address. */
function cutWords(told: Told): Told {
  if (told.event === "notice" || told.event === "error")
    return { ...told, message: cut(told.message, NOTICE_CHARS_MAX) };
  return told;
}
