/** What a peer of this engine shows of itself: see `EngineView`. */
import type { Address } from "../../core/address.ts";
import {
  type Ballot,
  type Key,
  type LinkId,
  type LogIndex,
  type MemberKey,
  type Millis,
  type PeerId,
  type ProcessKey,
  sameMember,
} from "../../core/ids.ts";
import type { Configuration, Member, PeerInfo } from "../../core/log-entry.ts";
import type { AccessView, LogView } from "../../core/log-view.ts";
import type { DiskTimes, Twin } from "../../core/message.ts";
import type { Standing, Waiting } from "../../core/reports.ts";
import type { EngineView, Linked, Surroundings } from "../view.ts";
import type { Leadership } from "./leadership.ts";
import type { Sender } from "./sender.ts";
import { type Hindered, lastWords, waitingFor } from "./waiting.ts";

/** The parts of a peer of which others see something. */
interface Shown extends Hindered {
  readonly leadership: Leadership | null;
  readonly sender: Sender;
  readonly shownRole: Standing["role"];
}

const NO_TWINS: readonly Twin[] = [];

export class PeerView implements EngineView, Standing {
  readonly #peer: Shown;
  /** What `targets` returned last, and what it was made from. */
  #targets: { readonly configuration: unknown; readonly heardOf: unknown; readonly all: readonly PeerInfo[] } | null =
    null;
  /** The same of `keys`. */
  #keys: {
    readonly newest: unknown;
    readonly isCommitted: boolean;
    readonly heardOf: unknown;
    readonly all: ReadonlySet<Key>;
  } | null = null;

  constructor(peer: Shown) {
    this.#peer = peer;
  }

  // ── this process ─────────────────────────────────────────────────────────────────────────────────────────────────

  get self(): ProcessKey {
    return this.#peer.self;
  }

  get address(): Address {
    return this.#peer.options.address;
  }

  get standing(): Standing {
    return this;
  }

  get role(): Standing["role"] {
    return this.#peer.shownRole;
  }

  get term(): number {
    return this.#peer.promised.term;
  }

  get leader_id(): PeerId | null {
    return this.#peer.leader?.ballot.leader_id ?? null;
  }

  get quorum(): boolean {
    const { leadership, leader } = this.#peer;
    return leadership?.quorumConnected ?? leader?.quorum ?? false;
  }

  get log(): LogView {
    return this.#peer.log;
  }

  diskTimes(): DiskTimes {
    return this.#peer.diskTimes;
  }

  get twins(): readonly Twin[] {
    return this.#peer.twin === null ? NO_TWINS : this.#peer.ownTwins;
  }

  get quitting(): boolean {
    return this.#peer.quitting;
  }

  lastWords(): string | null {
    return lastWords(this.#peer);
  }

  // ── the others ───────────────────────────────────────────────────────────────────────────────────────────────────

  get configuration(): Configuration | null {
    return this.#peer.configuration;
  }

  present(): readonly Member[] {
    return this.#peer.membership.present;
  }

  memberOf(key: MemberKey): Member | null {
    return this.#peer.memberOf(key);
  }

  knows(key: MemberKey): boolean {
    return this.#peer.knows(key);
  }

  lagOf(member: MemberKey): LogIndex | null {
    const { log, self, leadership } = this.#peer;
    if (sameMember(member, self)) return log.last - log.commit;
    const progress = this.isLinked(member) ? leadership?.progressOf(member) : null;
    return progress ? log.last - Math.max(progress.match, progress.last) : null;
  }

  get secure(): boolean {
    return this.#peer.log.state.secure;
  }

  get access(): AccessView {
    return this.#peer.log.state.access;
  }

  keyOf(key: MemberKey): Key | null {
    return this.#peer.keyOf(key);
  }

  keys(): ReadonlySet<Key> {
    const { log, membership } = this.#peer;
    const { configurations, newest } = log.state;
    const { heardOf } = membership;
    const before = this.#keys;
    const isCommitted = newest !== null && newest.index <= log.commit;
    if (before?.newest === newest && before.isCommitted === isCommitted && before.heardOf === heardOf)
      return before.all;
    const members = [...configurations.flatMap(({ configuration }) => configuration.members), ...heardOf];
    const all = new Set(members.map((m) => this.keyOf(m)).filter((key) => key !== null));
    this.#keys = { newest, isCommitted, heardOf, all };
    return all;
  }

  targets(): readonly PeerInfo[] {
    const { configuration } = this.#peer;
    const { heardOf } = this.#peer.membership;
    const before = this.#targets;
    if (before !== null && before.configuration === configuration && before.heardOf === heardOf) return before.all;
    const all = [...heardOf, ...this.#peer.targets()];
    this.#targets = { configuration, heardOf, all };
    return all;
  }

  get links(): ReadonlyMap<LinkId, Linked> {
    return this.#peer.links;
  }

  get strangers(): ReadonlyMap<LinkId, Linked> {
    return this.#peer.strangers;
  }

  isLinked(member: MemberKey): boolean {
    return this.#peer.isLinked(member);
  }

  linkSilence(link: LinkId): Millis | null {
    const linked = this.#peer.links.get(link) ?? this.#peer.strangers.get(link);
    return linked === undefined ? null : this.#peer.timeouts.linkSilence(linked);
  }

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get sequencer(): Ballot | null {
    return this.#peer.leader?.ballot ?? null;
  }

  get pending(): number {
    return this.#peer.sender.pending;
  }

  get nextCounter(): number {
    return this.#peer.sender.nextCounter;
  }

  firstPending(session: string): number {
    return this.#peer.sender.firstPending(session);
  }

  get founding(): Millis {
    return this.#peer.founding;
  }

  waiting(around: Surroundings): Waiting | null {
    return waitingFor(this.#peer, around);
  }
}
