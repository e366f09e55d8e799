/**
 * A thin client's side of its conversation with a peer [S8]: numbers its own messages, keeps each until it sees it in the
 * committed log, sends again what may have been lost, and remembers how far it has read, so that any peer can go on
 * where another died. Pure like the rest of this folder: the host connects, and calls.
 */
import type { Attach, Attached } from "./client-frames.ts";
import {
  CLIENT_OUTSTANDING_BYTES_MAX,
  CLIENT_OUTSTANDING_MESSAGES_MAX,
  CLIENT_PENDING_BYTES_MAX,
  CLIENT_PENDING_MESSAGES_MAX,
  PROTOCOL_VERSION,
} from "./config.ts";
import { ballotOf, type Millis, type PeerId } from "./ids.ts";
import type { Chat, ChatAck, Configuration, Draft, Entry, PeerInfo, Tail } from "./message.ts";
import { Batch, weigh } from "./weigh.ts";

export interface ClientOptions {
  readonly user: string;
  readonly room: string;
  /** Fresh for every process. */
  readonly session: string;
}

export class Client {
  readonly #options: ClientOptions;
  #user: string;
  readonly #drafts: Draft[] = [];
  #bytes = 0;
  /** Counter of the first message that has not been seen committed: `#drafts[0]`. */
  #first = 1;
  #sentThrough = 0;
  #movedAt: Millis = 0;
  #patience: Millis = 0;
  #patienceMin: Millis = 0;
  /** Null before the first peer took it. */
  #senderId: PeerId | null = null;
  #clusterId: string | null = null;
  /** Where the client has read to; null before the first peer told it where the log ends. */
  #seen: Tail | null = null;
  /** Where the cluster's peers are, as last told. */
  #members: readonly PeerInfo[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#user = options.user;
  }

  /** The name as of now: another peer is told this one. */
  get user(): string {
    return this.#user;
  }

  rename(user: string): void {
    this.#user = user;
  }

  get pending(): number {
    return this.#drafts.length;
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

  /** `<sender_id>.<session>`, as entries have it. */
  get #session(): string {
    return `${this.#senderId}.${this.#options.session}`;
  }

  /** Room for another message. */
  get isFull(): boolean {
    return this.#drafts.length >= CLIENT_PENDING_MESSAGES_MAX || this.#bytes >= CLIENT_PENDING_BYTES_MAX;
  }

  /** The first frame to any peer. */
  attach(): Attach {
    const { room, session } = this.#options;
    return {
      type: "ATTACH",
      version: PROTOCOL_VERSION,
      cluster_id: this.#clusterId,
      user: this.#user,
      room_id: room,
      session,
      sender_id: this.#senderId ?? 0,
      seen: this.#seen?.index ?? 0,
    };
  }

  /** The peer serves this client: what it was told on other connections may never have arrived. */
  onAttached(frame: Attached, now: Millis): void {
    this.#clusterId = frame.cluster_id;
    this.#senderId ??= frame.sender_id;
    this.#seen ??= frame.commit;
    this.#members = frame.members;
    this.#patienceMin = 2 * frame.heartbeat + 100;
    this.resend(now);
  }

  /** Reads on from another place: for who wants the past, or less than everything. */
  readFrom(place: Tail): void {
    this.#seen = place;
  }

  /** Takes a text; returns its message id, or null while nothing says under whose id it is numbered. */
  submit(draft: Draft): string | null {
    if (this.#senderId === null) return null;
    this.#drafts.push(draft);
    this.#bytes += weigh(draft);
    return `${this.#session}.${this.#first + this.#drafts.length - 1}`;
  }

  /** One more committed entry; true if it is this client's own, and sent with that. */
  onEntry(entry: Entry, now: Millis): boolean {
    this.#seen = { index: entry.index, ballot: ballotOf(entry) };
    if (entry.kind === "config") this.#members = staying(entry.data as Configuration);
    if (entry.kind !== "chat" || entry.session !== this.#session || entry.counter !== this.#first) return false;
    this.#bytes -= weigh(this.#drafts.shift() as Draft);
    this.#first += 1;
    this.#movedAt = now;
    this.#patience = this.#patienceMin;
    return true;
  }

  onChatAck(ack: ChatAck): void {
    if (ack.session !== this.#options.session || ack.expected < this.#first || ack.expected > this.#sentThrough) return;
    this.#sentThrough = ack.expected - 1;
  }

  /** Goes back to the first message not seen committed: another peer, another leader. */
  resend(now: Millis): void {
    this.#sentThrough = this.#first - 1;
    this.#movedAt = now;
    this.#patience = this.#patienceMin;
  }

  /** The next messages to send, or null while there are none or the window is full. */
  nextChat(now: Millis): Chat | null {
    if (this.#senderId === null || this.#drafts.length === 0) return null;
    if (this.#sentThrough < this.#first) this.#movedAt = now;
    else if (now - this.#movedAt > this.#patience) {
      const patience = Math.min(2 * this.#patience, 16 * this.#patienceMin);
      this.resend(now);
      this.#patience = patience;
    }
    const from = Math.max(this.#sentThrough + 1, this.#first) - this.#first;
    let outstanding = 0;
    for (let i = 0; i < from; i++) outstanding += weigh(this.#drafts[i] as Draft);
    const batch = new Batch();
    const { messages } = batch;
    for (let i = from; i < Math.min(this.#drafts.length, CLIENT_OUTSTANDING_MESSAGES_MAX); i++) {
      const draft = this.#drafts[i] as Draft;
      if (outstanding + batch.weight + weigh(draft) > CLIENT_OUTSTANDING_BYTES_MAX && i > 0) break;
      if (!batch.add(draft)) break;
    }
    if (messages.length === 0) return null;
    const first = this.#first + from;
    this.#sentThrough = first + messages.length - 1;
    return { type: "CHAT", sender_id: this.#senderId, session: this.#options.session, first, messages };
  }
}

function staying({ members }: Configuration): PeerInfo[] {
  return members.filter((m) => m.role !== "left").map(({ id, host, port }) => ({ id, host, port }));
}
