/**
 * What the parts of a peer share: facts about this process, questions about its cluster that follow from these facts,
 * and outputs. The role changes in `roles` only.
 */
import type { Address } from "../../core/address.ts";
import type { NoticeCode } from "../../core/codes.ts";
import type { Timings } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import {
  type Ballot,
  type Key,
  type LinkId,
  type LogIndex,
  leaderKey,
  type MemberKey,
  type Millis,
  type ProcessKey,
  sameMember,
} from "../../core/ids.ts";
import { Log } from "../../core/log.ts";
import type { Configuration, Entry, Member, PeerInfo } from "../../core/log-entry.ts";
import type { LoggedConfiguration } from "../../core/log-state.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Abstention, DiskTimes, Refusal, Twin } from "../../core/message.ts";
import { everyVoter, hasQuorum, voterSets } from "../../core/quorum.ts";
import type { Output, PeerOptions, Restored } from "../engine.ts";
import { Hearsay } from "./hearsay.ts";
import type { Leading } from "./leading.ts";
import { Memory } from "./memory.ts";
import type { FollowedLeader, LinkedPeer } from "./others.ts";
import { type Surroundings, Timeouts } from "./timeouts.ts";

/**
 * The voters, kept because every step asks for them many times. They are made anew when `settled` of a configuration
 * changes.
 */
interface KnownVoters {
  readonly of: LoggedConfiguration | null;
  readonly settled: LogIndex;
  readonly sets: readonly (readonly MemberKey[])[];
  /** All of them but this peer. */
  readonly others: readonly MemberKey[];
}

/** Until a link is measured. */
export const UNLIMITED = { window: Number.POSITIVE_INFINITY, frame: Number.POSITIVE_INFINITY };
const NO_VOTERS: KnownVoters = { of: null, settled: 0, sets: [], others: [] };

export class Node implements Surroundings {
  readonly options: PeerOptions;
  readonly timings: Timings;
  readonly timeouts: Timeouts;
  readonly self: ProcessKey;
  readonly log: Log;
  readonly links = new Map<LinkId, LinkedPeer>();
  /** Links that have not proven to be a member's, in a secured cluster [A3]. */
  readonly strangers = new Map<LinkId, LinkedPeer>();
  readonly memory = new Memory();
  readonly hearsay = new Hearsay();
  /** Present while this peer leads. */
  leadership: Leading | null = null;
  leader: FollowedLeader | null = null;
  now: Millis;
  /** The highest ballot bound to; `promiseDurable` once the disk has it. */
  promised: Ballot;
  promiseDurable = true;
  faulty: boolean;
  /** It has once had all that was committed, as the leader that it promised said. */
  isLevel = false;
  /** Why the disk takes nothing now [D4], or null. */
  refused: Refusal | null = null;
  quitting = false;
  /**
   * Another process that runs on a copy of this directory. Neither counts until a person decides which one stays [E16].
   */
  twin: Twin | null = null;
  readonly foundingUntil: Millis;
  readonly #linkOf = new MemberMap<LinkId>();
  #outputs: Output[] = [];
  #knownVoters = NO_VOTERS;

  constructor(options: PeerOptions, restored: Restored, now: Millis) {
    this.options = options;
    this.timings = options.timings;
    this.self = options.self;
    this.now = now;
    this.foundingUntil = now + options.timings.founding;
    this.promised = restored.promised;
    this.faulty = restored.faulty;
    this.log = new Log(restored.state, restored.entries, restored.beforeCrc, restored.durable, restored.commit);
    this.timeouts = new Timeouts(this);
    if (restored.syncMs !== undefined) this.timeouts.disk.onSync(restored.syncMs);
  }

  // ── outputs ────────────────────────────────────────────────────────────────────────────────────────────────────

  takeOutputs(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  out(output: Output): void {
    this.#outputs.push(output);
  }

  /** Hands an entry to the disk, together with those just before it. */
  write(entry: Entry): void {
    this.timeouts.disk.onAppend(entry.index, this.now);
    const last = this.#outputs[this.#outputs.length - 1];
    if (last?.do === "append") last.entries.push(entry);
    else this.#outputs.push({ do: "append", entries: [entry] });
  }

  /** Lowest index that the host was told to cut off and has not cut off yet; infinite if there is none. */
  get cutFrom(): LogIndex {
    const lowest = (least: LogIndex, o: Output) => (o.do === "truncate" ? Math.min(least, o.from) : least);
    return this.#outputs.reduce(lowest, Number.POSITIVE_INFINITY);
  }

  /** One more of its own messages is committed. */
  tellSent(entry: Entry): void {
    const last = this.#outputs[this.#outputs.length - 1];
    if (last?.do === "sent") last.entries.push(entry);
    else this.#outputs.push({ do: "sent", entries: [entry] });
  }

  notice(code: NoticeCode, message: string): void {
    this.out({ do: "notice", code, message });
  }

  debug(message: string): void {
    this.out({ do: "debug", message });
  }

  send(link: LinkId, frame: Frame): void {
    this.out({ do: "send", link, frame });
  }

  /** Sends to a member if it is connected; returns whether it is. */
  sendTo(member: MemberKey, frame: Frame): boolean {
    const link = this.linkTo(member);
    if (link === null) return false;
    this.send(link, frame);
    return true;
  }

  // ── links ──────────────────────────────────────────────────────────────────────────────────────────────────────

  connect(peer: LinkedPeer): void {
    this.links.set(peer.link, peer);
    this.#linkOf.set(peer, peer.link);
    this.timeouts.changed();
  }

  /** Returns the peer at its other end; null where it was closed before. */
  disconnect(link: LinkId): LinkedPeer | null {
    const peer = this.links.get(link);
    if (peer === undefined) return null;
    this.links.delete(link);
    if (this.#linkOf.get(peer) === link) this.#linkOf.delete(peer);
    if (this.memberOf(peer) === null) this.timeouts.forget(peer);
    this.timeouts.changed();
    return peer;
  }

  linkTo(member: MemberKey): LinkId | null {
    return this.#linkOf.get(member) ?? null;
  }

  isLinked(member: MemberKey): boolean {
    return sameMember(member, this.self) || this.#linkOf.has(member);
  }

  /** How much bulk may be under way to a linked member [R10]. */
  flowTo(member: MemberKey): Pick<LinkedPeer, "window" | "frame"> {
    const link = this.linkTo(member);
    return (link === null ? undefined : this.links.get(link)) ?? UNLIMITED;
  }

  // ── the configuration ──────────────────────────────────────────────────────────────────────────────────────────

  get configuration(): Configuration | null {
    return this.log.state.newest?.configuration ?? null;
  }

  /** The sets of voters whose majorities decide, by the newest configuration in the log. */
  get voterSets(): readonly (readonly MemberKey[])[] {
    return this.#voters.sets;
  }

  get otherVoters(): readonly MemberKey[] {
    return this.#voters.others;
  }

  get #voters(): KnownVoters {
    const { newest } = this.log.state;
    if (newest === null) return NO_VOTERS;
    const known = this.#knownVoters;
    if (known.of === newest && known.settled === newest.settled) return known;
    const sets = voterSets(newest);
    const others = everyVoter(sets).filter((v) => !sameMember(v, this.self));
    this.#knownVoters = { of: newest, settled: newest.settled, sets, others };
    return this.#knownVoters;
  }

  memberOf(key: MemberKey): Member | null {
    const { configuration } = this;
    if (configuration !== null) for (const member of configuration.members) if (sameMember(member, key)) return member;
    return null;
  }

  /**
   * Whether that is a member, or a voter whose vote still counts, by any configuration in the log that may be the one
   * in force (the newest may be taken back). Where the log does not lead to a leader, the members named in a JOIN_ACK
   * count as well [M7].
   */
  knows(key: MemberKey): boolean {
    const { configurations } = this.log.state;
    for (let i = configurations.length - 1; i >= 0; i--) {
      const { configuration, settled } = configurations[i] as LoggedConfiguration;
      for (const member of configuration.members) if (sameMember(member, key) && member.role !== "left") return true;
      if (settled === 0) for (const voter of configuration.prev_voters) if (sameMember(voter, key)) return true;
    }
    return this.hearsay.names(key);
  }

  /**
   * What a link of that member must prove in a secured cluster: its key by the newest configuration that names it, or by a
   * JOIN_ACK that is newer than what is committed here [M7]. An eviction counts once it is committed.
   */
  keyOf(key: MemberKey): Key | null {
    const { configurations } = this.log.state;
    let known: LogIndex = 0;
    for (let i = configurations.length - 1; i >= 0 && known === 0; i--) {
      const { configuration, index } = configurations[i] as LoggedConfiguration;
      const member = configuration.members.find((m) => sameMember(m, key));
      if (member?.key !== undefined) return member.key;
      if (index <= this.log.commit) known = index;
    }
    return this.hearsay.newerThan(known)?.find((m) => sameMember(m, key))?.key ?? null;
  }

  get isVoter(): boolean {
    return this.memberOf(this.self)?.role === "voter";
  }

  /** Peers to keep connected: everyone in the configuration who has not left, or whose vote still counts [M3]. */
  targets(): PeerInfo[] {
    const voters = this.otherVoters;
    const wanted = (m: Member) => m.role !== "left" || voters.some((v) => sameMember(v, m));
    return (this.configuration?.members ?? []).filter((m) => wanted(m) && !sameMember(m, this.self));
  }

  /** The address at which a member said it listens when it connected; the configuration follows later [M8]. */
  presentAddress(member: Member): Address {
    if (sameMember(member, this.self)) return this.options.address;
    const link = this.linkTo(member);
    const { host, port } = (link === null ? undefined : this.links.get(link)) ?? member;
    return { host, port };
  }

  /** A majority of the voters is connected to this peer. */
  get seesQuorum(): boolean {
    return hasQuorum(this.voterSets, (voter) => this.isLinked(voter));
  }

  // ── its vote ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** May count in quorums and elections. */
  get healthy(): boolean {
    return this.abstains === null;
  }

  /** Why this peer has no vote, though it may be a voter: others are told. */
  get abstains(): Abstention | null {
    if (this.faulty) return "damaged";
    return this.twin === null ? this.refused : "twin";
  }

  /** Both processes, where there are two; this one first. */
  get ownTwins(): readonly Twin[] {
    return this.twin === null ? [] : [{ ...this.options.address, boot: this.self.boot }, this.twin];
  }

  /** What others are told of its disk. */
  get diskTimes(): DiskTimes {
    return { ...this.timeouts.disk.times, ...(this.abstains !== null && { abstains: this.abstains }) };
  }

  /** Why a linked voter has no vote, as far as it has told. */
  abstentionOf(voter: MemberKey): Abstention | null {
    return sameMember(voter, this.self) ? this.abstains : this.timeouts.abstentionOf(voter);
  }

  // ── its leader ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * [E3] The link with the leader is alive, and the leader says that a majority hears it. A leader judges this by
   * itself.
   */
  get hearsLeader(): boolean {
    if (this.leadership !== null) return this.leadership.quorumConnected;
    const { leader } = this;
    if (leader === null) return false;
    const key = leaderKey(leader.ballot);
    return leader.quorum && this.linkTo(key) !== null && this.now - leader.heard < this.timeouts.leaderTimeout(key);
  }

  /** It has not yet had all that was committed under the leader it promised. */
  get catchesUp(): boolean {
    return this.leadership === null && !this.isLevel;
  }

  /**
   * [M1] How much longer a founder that nobody has joined takes no message; 0: it takes them. Its directory may have
   * been emptied, and peers that know it from before need the time to say so.
   */
  get founding(): Millis {
    if (this.now >= this.foundingUntil) return 0;
    const { newest, chats } = this.log.state;
    const isAlone = newest?.index === 1 && newest.configuration.members.every((m) => sameMember(m, this.self));
    return isAlone && chats === 0 ? this.foundingUntil - this.now : 0;
  }
}
