/**
 * Brings typed texts to the leader. The sender keeps every message until it sees it committed, and sends again from its
 * first uncommitted one whenever something may have been lost. What the leader does with them is in `sequencer`.
 */
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  OUTSTANDING_BYTES_MAX,
  OUTSTANDING_MESSAGES_MAX,
} from "../../core/config.ts";
import { leaderKey, type MemberKey, type Millis, sameBallot, sameMember } from "../../core/ids.ts";
import type { Draft, Entry } from "../../core/log-entry.ts";
import type { Chat, ChatAck } from "../../core/message.ts";
import { numberTaken, OwnSession } from "../../core/own-session.ts";
import { Patience } from "../../core/patience.ts";
import { Batch, weigh } from "../../core/weigh.ts";
import type { Node } from "./node.ts";
import type { Relay } from "./relay.ts";

export class Sender {
  readonly #node: Node;
  readonly #relay: Pick<Relay, "via">;
  /** Oldest first; only the oldest one with messages sends [S3]. */
  readonly #sessions: OwnSession[];
  /** Some session is spoiled [S10]. */
  #isSpoiled = false;
  /**
   * Messages in the order in which they were typed, beginning with one whose number was lost. None is reported as sent
   * before those in front of it are.
   */
  #held: { readonly draft: Draft; entry: Entry | null }[] = [];
  /**
   * Highest counter of the sending session that went to the present leader, and the weight of those that are not
   * committed yet.
   */
  #sentThrough = 0;
  #underWayBytes = 0;
  /** When the messages under way were sent, oldest first: each item through a counter. */
  #sent: { readonly through: number; readonly at: Millis }[] = [];
  /** Runs since the sending session last made progress. */
  readonly #patience = new Patience();
  /** Expected counter of the last CHAT_ACK that was acted on: one gap causes many of them. */
  #rewoundTo = 0;

  constructor(
    node: Node,
    relay: Pick<Relay, "via">,
    old: readonly { readonly session: string; readonly first: number; readonly drafts: readonly Draft[] }[],
  ) {
    this.#node = node;
    this.#relay = relay;
    this.#sessions = [
      // Nobody knows what an earlier process sent: perhaps all of it.
      ...old.map(
        ({ session, first, drafts }) =>
          new OwnSession(session, this.#keyOf(session), first, drafts, first + drafts.length - 1),
      ),
      new OwnSession(node.options.session, this.#keyOf(node.options.session)),
    ];
    this.#dropCommitted();
    this.#rewind();
  }

  /** The pending messages, session by session, oldest first: at most `max` of each session. */
  pendingRuns(max: number): { session: string; first: number; drafts: readonly Draft[] }[] {
    return this.#sessions
      .filter((s) => s.length > 0)
      .map((s) => ({ session: s.name, first: s.first, drafts: s.drafts(max) }));
  }

  /** Own messages not yet seen committed. */
  get pending(): number {
    let pending = 0;
    for (const session of this.#sessions) pending += session.pending;
    return pending;
  }

  /** Counter of a session's first pending message; infinite if none is. */
  firstPending(session: string): number {
    return this.#sessions.find((s) => s.name === session && s.length > 0)?.first ?? Number.POSITIVE_INFINITY;
  }

  get #current(): OwnSession {
    return this.#sessions[this.#sessions.length - 1] as OwnSession;
  }

  /** Counter that the next submitted message gets. */
  get nextCounter(): number {
    return this.#current.next;
  }

  submit(drafts: readonly Draft[]): void {
    this.#current.push(drafts);
  }

  /** [S4] */
  onLeaderChange(): void {
    this.#rewind();
  }

  /** This peer is a member now. What it sent before was ignored [W6]. */
  onAdmitted(): void {
    this.#rewind();
  }

  /**
   * [R10] What was sent to that member after `arrivedUntil` may not have arrived yet, so it is too early to send it
   * again.
   */
  onSending(to: MemberKey, arrivedUntil: Millis): void {
    const { leader } = this.#node;
    const towards = leader === null ? this.#relay.via : leaderKey(leader.ballot);
    const oldest = this.#sent[0];
    if (oldest === undefined || oldest.at <= arrivedUntil) return;
    if (towards !== null && sameMember(towards, to)) this.#patience.restart(this.#node.now);
  }

  onChatAck(ack: ChatAck): void {
    const session = this.#sessions[0] as OwnSession;
    if (ack.sender_id !== this.#node.self.id || ack.session !== session.name) return;
    if (ack.expected < session.first) return this.#onGap(session, ack.expected);
    if (ack.expected > this.#sentThrough || ack.expected === this.#rewoundTo) return;
    this.#rewoundTo = ack.expected;
    this.#sentThrough = ack.expected - 1;
    this.#sent = this.#sent.filter(({ through }) => through < ack.expected);
    this.#underWayBytes = session.weigh(session.first, this.#sentThrough);
  }

  /**
   * The leader lacks the messages before this run, and so does this peer's outbox, which was damaged. The log lacks
   * them, too. It also holds a committed entry of this leader's own ballot, so no older entry can bring the missing
   * messages back. So no message of the run can be in any log, and the run goes on under new numbers.
   */
  #onGap(session: OwnSession, expected: number): void {
    const { log, leader } = this.#node;
    if (leader === null || log.state.sessions.get(session.key) + 1 !== expected) return;
    if (!sameBallot(log.state.ballotAt(log.commit), leader.ballot)) return;
    // One session may have several gaps. The new name is longer than a client's, whatever the counter is.
    this.#renew(session, `${session.name}r${String(session.first).padStart(8, "0")}`);
    this.#node.notice("renumbered", "messages behind a damaged part of the outbox go out under new numbers");
  }

  /** All messages of a session that are not sent go on in another session, numbered from 1. */
  #renew(session: OwnSession, to: string): void {
    const rest = session.rest();
    const drafts = rest.map(({ draft }) => draft);
    const at = this.#sessions.indexOf(session);
    this.#sessions[at] = new OwnSession(to, this.#keyOf(to), 1, drafts);
    if (at === 0) this.#rewind();
    this.#node.out({ do: "renamed", session: session.name, counters: rest.map((r) => r.counter), to, drafts });
  }

  /**
   * [S10] Leaves sessions in which somebody else writes: what was under way there is decided, and the rest goes on in
   * another session.
   */
  #leaveSpoiled(): void {
    for (const session of this.#sessions.filter((s) => s.isOver)) {
      if (session.pending > 0 || session === this.#current) this.#renew(session, this.#node.options.newSession());
      else this.#sessions.splice(this.#sessions.indexOf(session), 1);
    }
    this.#isSpoiled = this.#sessions.some((s) => s.isSpoiled);
  }

  /** One of the log's entries is committed: if it is our own, it is sent and leaves the outbox [S1]. */
  onCommitted(entry: Entry): void {
    if (entry.sender_id !== this.#node.self.id) return;
    const [sending] = this.#sessions;
    const own = sending?.key === entry.session ? sending : this.#sessions.find((s) => s.key === entry.session);
    if (own === undefined) return;
    const draft = own.at(own.first);
    const verdict = own.take(entry);
    if (verdict === null) return;
    if (verdict !== "own") this.#onStranger(entry, verdict);
    if (draft === undefined || verdict === "strange") return;
    if (own === sending && entry.counter <= this.#sentThrough) this.#underWayBytes -= weigh(draft);
    while (own === sending && (this.#sent[0]?.through ?? own.first) < own.first) this.#sent.shift();
    this.#patience.renew(this.#node.now);
    this.#tellInOrder(draft, verdict === "own" ? entry : null);
    if (own === this.#sessions[0] && own.length === 0) {
      this.#dropEmpty();
      this.#rewind();
    }
  }

  /** Reports messages as sent in the order in which they were typed, even where their numbers have changed. */
  #tellInOrder(draft: Draft, entry: Entry | null): void {
    if (this.#held.length === 0 && entry !== null) return this.#node.tellSent(entry);
    const known = this.#held.find((h) => h.draft === draft);
    if (known !== undefined) known.entry = entry;
    else this.#held.push({ draft, entry });
    const unsent = this.#held.findIndex((h) => h.entry === null);
    const sent = unsent < 0 ? this.#held : this.#held.slice(0, unsent);
    this.#held = this.#held.slice(sent.length);
    for (const h of sent) if (h.entry !== null) this.#node.tellSent(h.entry);
  }

  #onStranger(entry: Entry, verdict: "lost" | "strange"): void {
    this.#isSpoiled = true;
    this.#node.notice("number-taken", numberTaken(entry, verdict));
  }

  /**
   * Sends as many messages as the windows allow, to the leader or to the member that relays to it [S6]. Where this peer
   * leads it sequences them itself.
   */
  pump(): void {
    const node = this.#node;
    if (this.#isSpoiled) this.#leaveSpoiled();
    const session = this.#sessions[0] as OwnSession;
    if (node.leader !== null && !sameBallot(node.leader.ballot, node.promised)) return;
    const towards = node.leader === null ? this.#relay.via : leaderKey(node.leader.ballot);
    if (towards === null || !node.isLinked(towards)) return;
    if (session.last < session.first) return;
    // With nothing under way there is nothing to wait for.
    if (this.#sentThrough < session.first) this.#patience.restart(node.now);
    // Something may have been lost on the way, or the leader had no room for it.
    else if (this.#patience.isOver(node.now, node.timeouts.resend(towards))) this.#rewind();
    const { window, frame } = node.flowTo(towards);
    for (;;) {
      const chat = this.#nextBatch(session, window, frame);
      if (chat === null) return;
      if (node.leadership !== null) {
        const expected = node.leadership.sequencer.sequence(chat);
        if (expected !== null) return this.#onGap(session, expected);
        const taken = node.log.state.sessions.get(`${chat.sender_id}.${chat.session}`);
        if (taken < chat.first + chat.messages.length - 1) {
          this.#sentThrough = Math.max(session.first - 1, taken);
          session.reached = Math.max(session.reached, this.#sentThrough);
          return;
        }
      } else node.sendTo(towards, chat);
      this.#sentThrough = chat.first + chat.messages.length - 1;
      this.#sent.push({ through: this.#sentThrough, at: node.now });
      session.reached = Math.max(session.reached, this.#sentThrough);
      this.#underWayBytes += session.weigh(chat.first, this.#sentThrough);
    }
  }

  #nextBatch(session: OwnSession, window: number, frame: number): Chat | null {
    const first = Math.max(this.#sentThrough + 1, session.first);
    const count = Math.min(session.first + OUTSTANDING_MESSAGES_MAX - first, BATCH_ENTRIES_MAX);
    const batch = new Batch(Math.min(frame, BATCH_BYTES_MAX / 2));
    const { messages } = batch;
    for (let i = first; i <= session.last && messages.length < count; i++) {
      const draft = session.at(i) as Draft;
      const underWay = this.#underWayBytes + batch.weight + weigh(draft);
      if (underWay > Math.min(2 * window, OUTSTANDING_BYTES_MAX) && first + messages.length > session.first) break;
      if (!batch.add(draft)) break;
    }
    if (messages.length === 0) return null;
    return { type: "CHAT", sender_id: this.#node.self.id, session: session.name, first, messages };
  }

  #rewind(): void {
    this.#underWayBytes = 0;
    this.#sent = [];
    this.#sentThrough = (this.#sessions[0] as OwnSession).first - 1;
    this.#patience.restart(this.#node.now);
    this.#rewoundTo = 0;
  }

  /** After a restart: what was committed before the old process could note it has left the outbox already. */
  #dropCommitted(): void {
    const { log } = this.#node;
    for (const session of this.#sessions) {
      const { key } = session;
      let committed = log.state.sessions.get(key);
      for (let i = log.commit + 1; i <= log.last; i++) {
        const entry = log.entryAt(i);
        if (entry?.kind === "chat" && entry.session === key) committed -= 1;
      }
      session.forward(Math.min(session.length, Math.max(0, committed - session.first + 1)));
    }
    this.#dropEmpty();
  }

  #dropEmpty(): void {
    while (this.#sessions.length > 1 && this.#sessions[0]?.pending === 0) this.#sessions.shift();
  }

  #keyOf(session: string): string {
    return `${this.#node.self.id}.${session}`;
  }
}
