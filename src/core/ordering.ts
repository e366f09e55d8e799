/**
 * From a typed text to its place in the log. The sender keeps every message until it sees it committed, and sends
 * again from its first uncommitted one whenever something may have been lost; the leader takes each session's
 * messages in order, each once, because counters follow from the log itself.
 */
import {
  BATCH_ENTRIES_MAX,
  OUTSTANDING_BYTES_MAX,
  OUTSTANDING_MESSAGES_MAX,
  UNCOMMITTED_BYTES_MAX,
  UNCOMMITTED_ENTRIES_MAX,
} from "./config.ts";
import { leaderKey, type Millis, sameBallot } from "./ids.ts";
import type { Chat, ChatAck, Draft, Entry } from "./message.ts";
import type { Peer } from "./peer.ts";
import type { Leadership } from "./replication.ts";
import { Batch, weigh } from "./weigh.ts";

/** A sender doubles its patience up to this: more would leave messages lying that a full leader did not take. */
const PATIENCE_MAX = 16;

/**
 * Leader's side [S2]: appends the messages that come next in their session. Returns the counter expected next where
 * the sender must be told, null where the log itself will tell it.
 */
export function sequence(peer: Peer, leadership: Leadership, chat: Chat): number | null {
  const { log } = peer;
  const session = `${chat.sender_id}.${chat.session}`;
  let expected = log.state.sessions.get(session) + 1;
  if (chat.first > expected) return expected;
  for (let i = expected - chat.first; i < chat.messages.length; i++) {
    if (log.last - log.commit >= UNCOMMITTED_ENTRIES_MAX || log.uncommittedBytes >= UNCOMMITTED_BYTES_MAX) return null;
    if (peer.membership.handover.active || peer.founding > 0) return null;
    const draft = chat.messages[i] as Draft;
    leadership.appendChat(chat.sender_id, session, expected, draft);
    expected += 1;
  }
  return null;
}

interface Session {
  session: string;
  /** `<sender_id>.<session>`, as entries have it. */
  key: string;
  /** Counter of the first message not yet committed; the drafts from `head` on are that one and those after it. */
  first: number;
  drafts: Draft[];
  head: number;
}

export class Sender {
  readonly #peer: Peer;
  /** Oldest first; only the oldest one with messages sends [S3]. */
  readonly #sessions: Session[];
  /** Highest counter of the sending session that went to the present leader, and what of it is not committed yet. */
  #sentThrough = 0;
  #underWayBytes = 0;
  /** When the sending session last got further, and how many times the usual it is waited before sending again. */
  #movedAt: Millis = 0;
  #patience = 1;
  /** Expected counter of the last CHAT_ACK acted on: one gap makes many of them. */
  #rewoundTo = 0;

  constructor(
    peer: Peer,
    old: readonly { readonly session: string; readonly first: number; readonly drafts: readonly Draft[] }[],
  ) {
    this.#peer = peer;
    this.#sessions = [
      ...old.map(({ session, first, drafts }) => ({
        session,
        key: this.#keyOf(session),
        first,
        drafts: [...drafts],
        head: 0,
      })),
      { session: peer.options.session, key: this.#keyOf(peer.options.session), first: 1, drafts: [], head: 0 },
    ];
    this.#dropCommitted();
    this.#rewind();
  }

  /** What is pending, session by session, oldest first: of each at most so many messages. */
  pendingRuns(max: number): { session: string; first: number; drafts: readonly Draft[] }[] {
    return this.#sessions
      .filter((s) => s.drafts.length > s.head)
      .map(({ session, first, drafts, head }) => ({ session, first, drafts: drafts.slice(head, head + max) }));
  }

  /** Own messages not yet seen committed. */
  get pending(): number {
    let pending = 0;
    for (const { drafts, head } of this.#sessions) pending += drafts.length - head;
    return pending;
  }

  /** Counter of a session's first pending message; infinite if none is. */
  firstPending(session: string): number {
    return (
      this.#sessions.find((s) => s.session === session && s.drafts.length > s.head)?.first ?? Number.POSITIVE_INFINITY
    );
  }

  /** Counter that the next submitted message gets. */
  get nextCounter(): number {
    const current = this.#sessions[this.#sessions.length - 1] as Session;
    return current.first + current.drafts.length - current.head;
  }

  submit(drafts: readonly Draft[]): void {
    const current = this.#sessions[this.#sessions.length - 1] as Session;
    current.drafts.push(...drafts);
  }

  /** [S4] */
  onLeaderChange(): void {
    this.#rewind();
  }

  onChatAck(ack: ChatAck): void {
    const session = this.#sessions[0] as Session;
    if (ack.sender_id !== this.#peer.self.id || ack.session !== session.session) return;
    if (ack.expected < session.first) return this.#onGap(session, ack.expected);
    if (ack.expected > this.#sentThrough || ack.expected === this.#rewoundTo) return;
    this.#rewoundTo = ack.expected;
    this.#sentThrough = ack.expected - 1;
    this.#underWayBytes = 0;
    for (let i = session.first; i <= this.#sentThrough; i++)
      this.#underWayBytes += weigh(session.drafts[session.head + i - session.first] as Draft);
  }

  /**
   * The leader lacks what came before this run, and so does this peer's outbox: it was damaged. The log says the same,
   * and holds an entry of this leader's own ballot that is committed, so that no older one can bring the missing ones
   * back: nothing of the run can be in any log, and it goes on under numbers of its own.
   */
  #onGap(session: Session, expected: number): void {
    const { log, leader } = this.#peer;
    if (leader === null || log.state.sessions.get(session.key) + 1 !== expected) return;
    if (!sameBallot(log.state.ballotAt(log.commit), leader.ballot)) return;
    const { session: lost, first } = session;
    // One session may have several gaps; and the name is longer than a client's, whatever the counter.
    session.session = `${lost}r${String(first).padStart(8, "0")}`;
    session.key = this.#keyOf(session.session);
    session.first = 1;
    this.#rewind();
    const drafts = session.drafts.slice(session.head);
    this.#peer.out({ do: "renamed", session: lost, first, to: session.session, drafts });
    this.#peer.notice("renumbered", "messages behind a damaged part of the outbox go out under new numbers");
  }

  /** One of the log's entries is committed: if it is our own, it is sent and leaves the outbox [S1]. */
  onCommitted(entry: Entry): void {
    if (entry.sender_id !== this.#peer.self.id) return;
    const [sending] = this.#sessions;
    const own = sending?.key === entry.session ? sending : this.#sessions.find((s) => s.key === entry.session);
    if (own === undefined || entry.counter !== own.first || own.head >= own.drafts.length) return;
    if (own === sending && own.first <= this.#sentThrough) this.#underWayBytes -= weigh(own.drafts[own.head] as Draft);
    own.first += 1;
    own.head += 1;
    if (own.head >= 1024 || own.head === own.drafts.length) {
      own.drafts = own.drafts.slice(own.head);
      own.head = 0;
    }
    this.#movedAt = this.#peer.now;
    this.#patience = 1;
    this.#peer.tellSent(entry);
    if (own === this.#sessions[0] && own.drafts.length === 0) {
      this.#dropEmpty();
      this.#rewind();
    }
  }

  /** Sends what the windows allow to the leader or to who relays to it [S6], or sequences it where this peer leads. */
  pump(): void {
    const peer = this.#peer;
    const session = this.#sessions[0] as Session;
    if (peer.leader !== null && !sameBallot(peer.leader.ballot, peer.promised)) return;
    const towards = peer.leader === null ? peer.relay.via : leaderKey(peer.leader.ballot);
    if (towards === null || !peer.isLinked(towards)) return;
    if (session.drafts.length === session.head) return;
    // With nothing under way there is nothing to be impatient for.
    if (this.#sentThrough < session.first) this.#movedAt = peer.now;
    else if (peer.now - this.#movedAt > this.#patience * peer.timeouts.resend(towards)) {
      // Something may have been lost on the way, the leader's room for it included.
      this.#patience = Math.min(2 * this.#patience, PATIENCE_MAX);
      this.#rewind();
    }
    for (;;) {
      const chat = this.#nextBatch(session);
      if (chat === null) return;
      if (peer.leadership !== null) {
        const expected = sequence(peer, peer.leadership, chat);
        if (expected !== null) return this.#onGap(session, expected);
        const taken = peer.log.state.sessions.get(`${chat.sender_id}.${chat.session}`);
        if (taken < chat.first + chat.messages.length - 1) {
          this.#sentThrough = Math.max(session.first - 1, taken);
          return;
        }
      } else peer.sendTo(towards, chat);
      this.#sentThrough = chat.first + chat.messages.length - 1;
      for (const message of chat.messages) this.#underWayBytes += weigh(message);
    }
  }

  #nextBatch(session: Session): Chat | null {
    const first = Math.max(this.#sentThrough + 1, session.first);
    const window = Math.min(session.first + OUTSTANDING_MESSAGES_MAX - first, BATCH_ENTRIES_MAX);
    const start = session.head + first - session.first;
    const batch = new Batch();
    const { messages } = batch;
    for (let i = start; i < session.drafts.length && messages.length < window; i++) {
      const draft = session.drafts[i] as Draft;
      const underWay = this.#underWayBytes + batch.weight + weigh(draft);
      if (underWay > OUTSTANDING_BYTES_MAX && first + messages.length > session.first) break;
      if (!batch.add(draft)) break;
    }
    if (messages.length === 0) return null;
    return { type: "CHAT", sender_id: this.#peer.self.id, session: session.session, first, messages };
  }

  #rewind(): void {
    this.#underWayBytes = 0;
    this.#sentThrough = (this.#sessions[0] as Session).first - 1;
    this.#movedAt = this.#peer.now;
    this.#rewoundTo = 0;
  }

  /** After a restart: what was committed before the old process could note it has left the outbox already. */
  #dropCommitted(): void {
    const { log } = this.#peer;
    for (const session of this.#sessions) {
      const { key } = session;
      let committed = log.state.sessions.get(key);
      for (let i = log.commit + 1; i <= log.last; i++) {
        const entry = log.entryAt(i);
        if (entry?.kind === "chat" && entry.session === key) committed -= 1;
      }
      const gone = Math.min(session.drafts.length, Math.max(0, committed - session.first + 1));
      session.drafts = session.drafts.slice(gone);
      session.first += gone;
    }
    this.#dropEmpty();
  }

  #dropEmpty(): void {
    while (this.#sessions.length > 1 && (this.#sessions[0] as Session).drafts.length === 0) this.#sessions.shift();
  }

  #keyOf(session: string): string {
    return `${this.#peer.self.id}.${session}`;
  }
}
