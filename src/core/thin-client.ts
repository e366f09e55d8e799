/**
 * A thin client's side of its conversation with a peer [S8]. It numbers its own messages, keeps each until it sees it
 * in the committed log, and sends again what may have been lost. It remembers how far it has read, so that any peer can
 * go on where another one died. Pure like the rest of this folder: the host connects, and calls.
 */
import type { Attach, Attached } from "./client-frames.ts";
import {
  BATCH_BYTES_MAX,
  CLIENT_OUTSTANDING_BYTES_MAX,
  CLIENT_OUTSTANDING_MESSAGES_MAX,
  CLIENT_PENDING_BYTES_MAX,
  CLIENT_PENDING_MESSAGES_MAX,
} from "./config.ts";
import { ballotOf, type LogIndex, type Millis, type PeerId } from "./ids.ts";
import type { Configuration, Draft, Entry, PeerInfo, Tail } from "./log-entry.ts";
import type { Chat, ChatAck } from "./message.ts";
import { messageId } from "./message-id.ts";
import { OwnSession, type Verdict } from "./own-session.ts";
import { Patience } from "./patience.ts";
import { OWN_VERSIONS, sayVersions } from "./versions.ts";
import { Batch, weigh } from "./weigh.ts";

/** A client that has not read all entries yet waits this many times as long for a sign of its own messages. */
const BEHIND_TIMES = 16;

export interface ClientOptions {
  readonly user: string;
  readonly room: string;
  /** Fresh for every process. */
  readonly session: string;
}

export class Client {
  readonly #options: ClientOptions;
  #user: string;
  /** Its key is set when the first peer has taken the client. */
  #session: OwnSession;
  #bytes = 0;
  #sentThrough = 0;
  readonly #patience = new Patience();
  /** After this time a message is committed, or was lost on the way, as far as its peer knows. */
  #resendMs: Millis = 0;
  /** Null before the first peer took it. */
  #senderId: PeerId | null = null;
  #clusterId: string | null = null;
  /** The highest commit index of which the peer has told. */
  #committed: LogIndex = 0;
  /** Where the client has read to; null before the first peer told it where the log ends. */
  #seen: Tail | null = null;
  /** Where the cluster's peers are, as last told. */
  #members: readonly PeerInfo[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#user = options.user;
    this.#session = new OwnSession(options.session, "");
  }

  /** The name as of now: another peer is told this one. */
  get user(): string {
    return this.#user;
  }

  rename(user: string): void {
    this.#user = user;
  }

  get pending(): number {
    return this.#session.pending;
  }

  /**
   * It needs another session: somebody else writes in the present one, and nothing is under way there any more [S10].
   */
  get needsSession(): boolean {
    return this.#session.isOver;
  }

  /** null before the first peer has said so. */
  get clusterId(): string | null {
    return this.#clusterId;
  }

  get members(): readonly PeerInfo[] {
    return this.#members;
  }

  get seen(): Tail | null {
    return this.#seen;
  }

  /** Room for another message. */
  get isFull(): boolean {
    return this.pending >= CLIENT_PENDING_MESSAGES_MAX || this.#bytes >= CLIENT_PENDING_BYTES_MAX;
  }

  /** The first frame to any peer. */
  attach(): Attach {
    return {
      type: "ATTACH",
      ...sayVersions(OWN_VERSIONS),
      cluster_id: this.#clusterId,
      user: this.#user,
      room_id: this.#options.room,
      session: this.#session.name,
      sender_id: this.#senderId ?? 0,
      seen: this.#seen?.index ?? 0,
    };
  }

  /** The peer serves this client: what it was told on other connections may never have arrived. */
  onAttached(frame: Attached, now: Millis): void {
    this.#clusterId = frame.cluster_id;
    this.#senderId ??= frame.sender_id;
    this.#session.key = this.#keyOf(this.#session.name);
    this.#seen ??= frame.commit;
    this.#members = frame.members;
    this.#resendMs = 2 * frame.heartbeat + 100;
    this.resend(now);
    this.#patience.renew(now);
  }

  /** Reads on from another place: for users who want the past, or less than everything. */
  readFrom(place: Tail): void {
    this.#seen = place;
  }

  /** Takes a text; returns its message id, or null while nothing says under whose id it is numbered. */
  submit(draft: Draft): string | null {
    if (this.#senderId === null) return null;
    const { key, next } = this.#session;
    this.#session.push([draft]);
    this.#bytes += weigh(draft);
    return messageId({ session: key, counter: next });
  }

  /** The peer holds entries through this index, which come [R10]: the client's own messages may be among them. */
  onCommitted(index: LogIndex): void {
    this.#committed = index;
  }

  get #isBehind(): boolean {
    return this.#seen !== null && this.#seen.index < this.#committed;
  }

  /** One more committed entry; what it is if it stands in this client's session: with "own" that message is sent. */
  onEntry(entry: Entry, now: Millis): Verdict | null {
    this.#seen = { index: entry.index, ballot: ballotOf(entry) };
    if (entry.kind === "config") this.#members = staying(entry.data as Configuration);
    if (entry.kind !== "chat" || entry.session !== this.#session.key) return null;
    const draft = this.#session.at(this.#session.first);
    const verdict = this.#session.take(entry);
    if (verdict === "own" && draft !== undefined) this.#bytes -= weigh(draft);
    if (verdict === "own" || verdict === "lost") this.#patience.renew(now);
    return verdict;
  }

  /**
   * All messages that are not sent go on in another session, numbered from 1. The peer that serves this client must be
   * told so, by `attach`.
   */
  renew(session: string): readonly { readonly was: string; readonly msg_id: string; readonly draft: Draft }[] {
    const { key } = this.#session;
    const rest = this.#session.rest();
    const drafts = rest.map(({ draft }) => draft);
    this.#session = new OwnSession(session, this.#keyOf(session), 1, drafts);
    this.#sentThrough = 0;
    return rest.map(({ counter, draft }, i) => ({
      was: messageId({ session: key, counter }),
      msg_id: messageId({ session: this.#session.key, counter: i + 1 }),
      draft,
    }));
  }

  #keyOf(session: string): string {
    return `${this.#senderId}.${session}`;
  }

  onChatAck(ack: ChatAck): void {
    const { name, first } = this.#session;
    if (ack.session !== name || ack.expected < first || ack.expected > this.#sentThrough) return;
    this.#sentThrough = ack.expected - 1;
  }

  /** There is another leader. It may never have heard what went to the one before. */
  onLeaderChange(now: Millis): void {
    this.resend(now);
    this.#patience.renew(now);
  }

  /** Messages under way may not have arrived at the peer yet. Until they have, they are not sent again [R10]. */
  onSending(now: Millis): void {
    this.#patience.restart(now);
  }

  /** Goes back to the first message not seen committed. */
  resend(now: Millis): void {
    this.#sentThrough = this.#session.first - 1;
    this.#patience.restart(now);
  }

  /** The next messages to send, about `bytes` of them; null while there are none or the window is full. */
  nextChat(now: Millis, bytes = BATCH_BYTES_MAX): Chat | null {
    const session = this.#session;
    if (this.#senderId === null || session.last < session.first) return null;
    if (this.#sentThrough < session.first) this.#patience.restart(now);
    else if (this.#patience.isOver(now, this.#isBehind ? BEHIND_TIMES * this.#resendMs : this.#resendMs))
      this.resend(now);
    const first = Math.max(this.#sentThrough + 1, session.first);
    const outstanding = session.weigh(session.first, first - 1);
    const batch = new Batch(Math.min(bytes, BATCH_BYTES_MAX / 2));
    const { messages } = batch;
    const last = Math.min(session.last, session.first + CLIENT_OUTSTANDING_MESSAGES_MAX - 1);
    for (let i = first; i <= last; i++) {
      const draft = session.at(i) as Draft;
      if (outstanding + batch.weight + weigh(draft) > CLIENT_OUTSTANDING_BYTES_MAX && i > session.first) break;
      if (!batch.add(draft)) break;
    }
    if (messages.length === 0) return null;
    this.#sentThrough = first + messages.length - 1;
    session.reached = Math.max(session.reached, this.#sentThrough);
    return { type: "CHAT", sender_id: this.#senderId, session: session.name, first, messages };
  }
}

function staying({ members }: Configuration): PeerInfo[] {
  return members.filter((m) => m.role !== "left").map(({ id, host, port }) => ({ id, host, port }));
}
