/**
 * The clients attached to this peer [S8]: which are let in, what is sent to them, and what is passed on for them. A
 * client takes the committed log a piece at a time, each when it has read the one before, so a slow client delays only
 * itself. Its messages go to the leader as they are. Whatever a client sends can harm only its own connection.
 */
import type { Ask, Attach, Redeem } from "../../core/client-frames.ts";
import { CLIENT_OUTSTANDING_BYTES_MAX, NOTICE_CHARS_MAX, QUESTIONS_MAX } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { ClientId } from "../../core/ids.ts";
import type { Chat, ChatAck } from "../../core/message.ts";
import type { Against } from "../../core/refuse-codes.ts";
import type { HerePerson, Notice, Question, Told } from "../../core/reports.ts";
import { knownPeer } from "../../core/thin-client.ts";
import { weigh } from "../../core/weigh.ts";
import { encodeFrame } from "../../wire/encode.ts";
import { cut } from "../../wire/text.ts";
import { WireError } from "../../wire/wire-error.ts";
import { nameInUse } from "../answers/names.ts";
import { refusal, refusalFor } from "../net/refusal.ts";
import { Allowances } from "./allowances.ts";
import { type Attachment, sendMore } from "./attachment.ts";
import { ClientChats } from "./client-chats.ts";
import type { ClientEvents, ClientLink } from "./client-link.ts";
import { READ_ONLY } from "./client-options.ts";
import { Pace } from "./client-pace.ts";
import { ClientSays } from "./client-says.ts";
import type { ClientsHost } from "./clients-host.ts";
import { Enrolments } from "./enrolments.ts";
import { includes } from "./grants.ts";
import { inTheNameOf, isLimited, judgeAttach, nameOf } from "./judge-attach.ts";
import { isReserved } from "./reserved-names.ts";

/** A frame costs one, and one more for each so many bytes that it says: what is dropped has been read, too. */
const FRAME_BYTES = 4096;

export class Clients implements ClientEvents {
  readonly #host: ClientsHost;
  readonly #attachments = new Map<ClientLink, Attachment>();
  readonly #allowances = new Allowances();
  readonly #enrolments: Enrolments;
  readonly #chats: ClientChats;
  /** In this peer's own session. */
  readonly says: ClientSays;
  #nextId: ClientId = 1;
  #shown = "";

  constructor(host: ClientsHost) {
    this.#host = host;
    this.#chats = new ClientChats(host);
    this.#enrolments = new Enrolments(host);
    this.says = new ClientSays({
      chats: this.#chats,
      say: (user, room, text) => host.say(user, room, text),
      tell: (attachment, request, told) => this.#tell(attachment, request, told),
    });
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────

  attach(link: ClientLink, frame: Attach): void {
    const host = this.#host;
    const { clock, timings } = host;
    if ((frame.user === "") !== (frame.session === "")) throw new WireError("ATTACH with a name or a session alone");
    const grant = judgeAttach(frame, host, [...this.#attachments.values()]);
    if ("code" in grant) return link.refuse(refusalFor(grant));
    // This client came back before its old connection was found dead.
    for (const other of this.#attachments.values())
      if (frame.session !== "" && other.attach.session === frame.session) this.#drop(other);
    const name = nameOf(frame, grant);
    const allowance = isLimited(grant) ? this.#allowances.of(grant.token, clock.now()) : null;
    const attachment: Attachment = {
      id: this.#nextId,
      link,
      attach: frame,
      grant,
      allowance,
      pace: allowance && new Pace(clock, allowance.messages, CLIENT_OUTSTANDING_BYTES_MAX),
      reads: null,
      name,
      roundTrip: null,
      sentThrough: frame.seen,
      // A client that continues a session has had its name all the time.
      isFree: name === "" || frame.sender_id !== 0,
      served: false,
      waitsAt: null,
      asker: {
        get name() {
          return attachment.name;
        },
        rights: grant.rights,
        get signs() {
          return grant.name === "" ? host.signs() : grant.name;
        },
        rename: (to) => this.#rename(attachment, to),
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
      const against = told.event === "who" ? nameInUse(name, told.people, 0) : null;
      if (against !== null) return link.refuse(refusal("name-in-use", against));
      attachment.isFree = true;
      if (this.#attachments.has(link)) this.#serveWhenPast(attachment);
    });
  }

  redeem(link: ClientLink, frame: Redeem): void {
    this.#enrolments.redeem(link, frame);
  }

  /** Whether one of the clients has this name. */
  has(name: string): boolean {
    return [...this.#attachments.values()].some((a) => a.name === name);
  }

  /** That name is a token's, or kept for whoever is invited under it. */
  keeps(name: string): boolean {
    const peer = this.#host.peer();
    return peer !== null && isReserved(name, peer, this.#host.clock.wall());
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
    this.#enrolments.closed(link);
    const attachment = this.#attachments.get(link);
    if (attachment !== undefined) this.#forget(attachment);
  }

  #drop(attachment: Attachment): void {
    this.#forget(attachment);
    attachment.link.end();
  }

  #forget(attachment: Attachment): void {
    attachment.patience?.cancel();
    attachment.reads?.cancel();
    attachment.pace?.drop();
    this.#host.answers.forget(attachment.asker);
    this.#host.past.forget(attachment);
    this.#chats.forget(attachment.id);
    this.#attachments.delete(attachment.link);
    this.says.forget(attachment);
    this.#host.input({ type: "client-down", client: attachment.id });
    if (attachment.served && attachment.name !== "") this.#host.input({ type: "silence", user: attachment.name });
  }

  /** Says why, and hears nothing of it any more. */
  #refuse(attachment: Attachment, against: Against): void {
    this.#forget(attachment);
    attachment.link.refuse(refusalFor(against));
  }

  frame(link: ClientLink, frame: Frame): void {
    const attachment = this.#attachments.get(link);
    if (attachment !== undefined && this.#isFlood(attachment, frame))
      return this.#refuse(attachment, { code: "limit", message: "you send more than this peer reads" });
    if (frame.type === "PING") return link.write(encodeFrame({ type: "PONG", at: frame.at }), false);
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

  #isFlood({ allowance }: Attachment, frame: Frame): boolean {
    if (allowance === null) return false;
    const bytes = frame.type === "CHAT" ? frame.messages.reduce((sum, draft) => sum + weigh(draft), 0) : 0;
    const cost = 1 + bytes / FRAME_BYTES;
    const now = this.#host.clock.now();
    if (allowance.frames.wait(cost, now) > 0) return true;
    allowance.frames.take(cost, now);
    return false;
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

  #onChat(attachment: Attachment, chat: Chat): void {
    const { id, attach, grant, pace } = attachment;
    const peer = this.#host.peer();
    if (peer === null) return;
    const senderId = attach.sender_id === 0 ? peer.self.id : attach.sender_id;
    if (attach.session === "" || chat.session !== attach.session || chat.sender_id !== senderId)
      throw new WireError("CHAT in another session than the client's own");
    if (!includes(grant.rights, "write"))
      return this.#refuse(attachment, { code: "forbidden", message: READ_ONLY.message });
    this.#chats.chat(id, pace, inTheNameOf(grant, chat));
  }

  // ── what peers tell their clients ──────────────────────────────────────────────────────────────────────────────

  /** Called after every turn of the host: clients that wait get what is new. */
  onTurn(): void {
    const peer = this.#host.peer();
    if (this.#attachments.size === 0 || peer === null) return;
    this.#chats.onTurn();
    for (const attachment of this.#attachments.values()) {
      const against = this.#host.grants.against(attachment.grant, peer);
      if (against !== null) this.#refuse(attachment, against);
      else if (!attachment.served) this.#serveWhenPast(attachment);
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

  #serveWhenPast(attachment: Attachment): void {
    const peer = this.#host.peer();
    const { link, attach, id, grant } = attachment;
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
      members: staying.map(knownPeer),
      heartbeat: Math.max(1, Math.round(heartbeat)),
      leader_timeout: Math.max(1, Math.round(leaderTimeout)),
      ...(grant.enrolled !== null && { user: attachment.name, rights: grant.rights }),
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
    const against = this.#againstQuestion(attachment, question);
    if (against !== null) return this.#tell(attachment, request, against);
    if (question.what === "say") return this.says.offer(attachment, request, question);
    answers.ask(question, attachment.asker, (told) => this.#tell(attachment, request, told));
  }

  #againstQuestion({ grant, name }: Attachment, { what }: Question): Notice | null {
    if (what === "nick" && grant.name !== "")
      return { event: "error", code: "refused", message: `your token's name is ${grant.name}, and stays so` };
    if (what === "nick" && name === "") throw new WireError("a visitor asked for a name");
    if (what === "say" && !includes(grant.rights, "write"))
      return { event: "error", code: "forbidden", message: READ_ONLY.message };
    return null;
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
