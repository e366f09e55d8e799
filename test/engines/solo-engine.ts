/**
 * The smallest engine there can be: one peer, which numbers what it is given and commits what is on its disk. It shows
 * what an engine needs of a host, and that a host needs nothing else of an engine.
 */
import type { Address } from "../../src/core/address.ts";
import {
  type Ballot,
  ballotOf,
  type LinkId,
  type LogIndex,
  type MemberKey,
  type Millis,
  type PeerId,
  type ProcessKey,
  sameBallot,
  sameMember,
} from "../../src/core/ids.ts";
import { Log } from "../../src/core/log.ts";
import type { Configuration, Draft, Entry, Member, PeerInfo } from "../../src/core/log-entry.ts";
import type { AccessView } from "../../src/core/log-view.ts";
import type { Chat, DiskTimes, Twin } from "../../src/core/message.ts";
import type { Standing, Waiting } from "../../src/core/reports.ts";
import type { Engine, EngineFactory, Input, Output, PeerOptions, Restored } from "../../src/engines/engine.ts";
import type { EngineView, Linked } from "../../src/engines/view.ts";
import { entryOf } from "../core/entries.ts";

export const SOLO: EngineFactory = (options, restored, now) => new SoloEngine(options, restored, now);

const NOBODY: readonly PeerInfo[] = [];
const NO_TWINS: readonly Twin[] = [];
const NO_KEYS: ReadonlySet<string> = new Set();

/** A message on its way into the log. `session` as entries have it. */
interface Unnumbered {
  readonly session: string;
  readonly counter: number;
  readonly draft: Draft;
}

class SoloEngine implements Engine, EngineView, Standing {
  readonly self: ProcessKey;
  readonly log: Log;
  readonly links = new Map<LinkId, Linked>();
  readonly strangers = new Map<LinkId, Linked>();
  readonly twins = NO_TWINS;
  readonly role = "leader";
  readonly term = 1;
  readonly founding = 0;
  readonly secure = false;
  readonly #options: PeerOptions;
  readonly #ballot: Ballot;
  /** The disk has this process's ballot: entries that bear it may follow. */
  #promised = false;
  /** Sessions of this peer, as entries have them. */
  readonly #own = new Set<string>();
  #unnumbered: Unnumbered[] = [];
  /** Own messages that are in the log and not committed. */
  #uncommitted: Entry[] = [];
  #outputs: Output[];
  #now: Millis;
  nextCounter = 1;
  quitting = false;

  constructor(options: PeerOptions, restored: Restored, now: Millis) {
    const { self } = options;
    this.#options = options;
    this.self = self;
    this.#now = now;
    this.#ballot = { term: this.term, leader_id: self.id, inc: self.inc, boot: self.boot };
    this.log = new Log(restored.state, restored.entries, restored.beforeCrc, restored.durable, restored.commit);
    this.#own.add(`${self.id}.${options.session}`);
    for (const { session: name, first, drafts } of restored.outbox) {
      const session = `${self.id}.${name}`;
      this.#own.add(session);
      const numbered = this.log.state.sessions.get(session);
      for (const [i, draft] of drafts.entries())
        if (first + i > numbered) this.#unnumbered.push({ session, counter: first + i, draft });
    }
    this.#outputs = [
      { do: "role", role: this.role, term: this.term, leader_id: this.leader_id },
      { do: "promise", ballot: this.#ballot },
    ];
  }

  // ── Engine ─────────────────────────────────────────────────────────────────────────────────────────────────────

  step(input: Input, now: Millis): void {
    this.#now = now;
    switch (input.type) {
      case "submit":
        for (const draft of input.drafts) {
          const session = `${this.self.id}.${this.#options.session}`;
          this.#unnumbered.push({ session, counter: this.nextCounter, draft });
          this.nextCounter += 1;
        }
        return;
      case "client-chat":
        return this.#onClientChat(input.client, input.chat);
      case "promised":
        this.#promised ||= sameBallot(input.ballot, this.#ballot);
        return;
      case "durable":
        this.log.durable = Math.max(this.log.durable, Math.min(input.index, this.log.last));
        return;
      case "link-up":
        this.links.set(input.link, { link: input.link, ...input.peer });
        return;
      case "link-down":
        this.links.delete(input.link);
        return;
      case "quit":
        this.quitting = true;
        this.#outputs.push({ do: "stop", reason: "nobody to say goodbye to" });
        return;
    }
  }

  settle(now: Millis): void {
    this.#now = now;
    this.#number();
    this.#commit();
  }

  takeOutputs(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  carriedOut(delivered: LogIndex): void {
    this.log.trim(true, delivered);
  }

  wakeAt(): Millis {
    return this.#now + this.#options.timings.heartbeat;
  }

  get view(): EngineView {
    return this;
  }

  #onClientChat(client: number, { sender_id, session: name, first, messages }: Chat): void {
    const session = `${sender_id}.${name}`;
    const last = this.#unnumbered.findLast((one) => one.session === session)?.counter;
    const expected = (last ?? this.log.state.sessions.get(session)) + 1;
    if (first > expected) {
      const frame = { type: "CHAT_ACK", sender_id, session: name, expected } as const;
      return void this.#outputs.push({ do: "answer-client", client, frame });
    }
    for (const [i, draft] of messages.entries())
      if (first + i >= expected) this.#unnumbered.push({ session, counter: first + i, draft });
  }

  #number(): void {
    if (!this.#promised || this.configuration === null || this.#unnumbered.length === 0) return;
    const { log } = this;
    const entries: Entry[] = [];
    for (const { session, counter, draft } of this.#unnumbered) {
      const { room_id, user, ts, payload: text } = draft;
      const seq_no = log.state.rooms.get(room_id) + 1;
      const sender_id = Number.parseInt(session, 10);
      const said = { room_id, seq_no, sender_id, session, counter, user, ts, text };
      const entry = entryOf(log.last + 1, this.#ballot, "chat", said);
      this.#options.seal(entry, log.state.crc);
      log.append(entry);
      entries.push(entry);
      if (this.#own.has(session)) this.#uncommitted.push(entry);
    }
    this.#unnumbered = [];
    this.#outputs.push({ do: "append", entries });
  }

  #commit(): void {
    const { log } = this;
    if (log.durable <= log.commit) return;
    log.commitThrough(log.durable);
    this.#outputs.push({ do: "commit", through: log.commit });
    const sent = this.#uncommitted.filter((entry) => entry.index <= log.commit);
    this.#uncommitted = this.#uncommitted.filter((entry) => entry.index > log.commit);
    if (sent.length > 0) this.#outputs.push({ do: "sent", entries: sent });
  }

  // ── EngineView ─────────────────────────────────────────────────────────────────────────────────────────────────

  get standing(): Standing {
    return this;
  }

  get leader_id(): PeerId {
    return this.self.id;
  }

  get quorum(): boolean {
    return this.configuration !== null;
  }

  get address(): Address {
    return this.#options.address;
  }

  get sequencer(): Ballot | null {
    return this.quorum ? ballotOf(this.#ballot) : null;
  }

  get configuration(): Configuration | null {
    return this.log.state.newest?.configuration ?? null;
  }

  get pending(): number {
    return this.#uncommitted.length + this.#unnumbered.filter(({ session }) => this.#own.has(session)).length;
  }

  firstPending(name: string): number {
    const session = `${this.self.id}.${name}`;
    const counters = [...this.#uncommitted, ...this.#unnumbered].flatMap((one) =>
      one.session === session ? [one.counter] : [],
    );
    return Math.min(Number.POSITIVE_INFINITY, ...counters);
  }

  present(): readonly Member[] {
    return this.configuration?.members ?? [];
  }

  memberOf(key: MemberKey): Member | null {
    return this.present().find((m) => sameMember(m, key)) ?? null;
  }

  knows(key: MemberKey): boolean {
    return this.memberOf(key) !== null;
  }

  isLinked(member: MemberKey): boolean {
    return sameMember(member, this.self);
  }

  lagOf(member: MemberKey): number | null {
    return this.isLinked(member) ? 0 : null;
  }

  get access(): AccessView {
    return this.log.state.access;
  }

  keyOf(): null {
    return null;
  }

  keys(): ReadonlySet<string> {
    return NO_KEYS;
  }

  targets(): readonly PeerInfo[] {
    return NOBODY;
  }

  linkSilence(link: LinkId): Millis | null {
    return this.links.has(link) ? 2 * this.#options.timings.leaderTimeout : null;
  }

  diskTimes(): DiskTimes {
    return { mean: 0, bound: 0 };
  }

  lastWords(): string | null {
    return null;
  }

  waiting(): Waiting | null {
    return this.quorum ? null : { message: "this engine joins nobody: start it without --seed", needed: 0, peers: [] };
  }
}
