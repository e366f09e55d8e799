/**
 * What an engine shows of itself: all that a host needs for its status, its people, its history and its links.
 *
 * Rules for implementers
 * - Everything is as of the last `step` or `settle`. Nothing here changes the engine.
 * - A property is cheap and makes no object, because the host reads it in every turn. What makes an object is a method.
 *
 * Rules for the host
 * - What is shown may change with the next input: copy what you want to keep.
 */
import type { Address } from "../core/address.ts";
import type { Ballot, Key, LinkId, MemberKey, Millis, ProcessKey } from "../core/ids.ts";
import type { Configuration, Member, PeerInfo } from "../core/log-entry.ts";
import type { AccessView, LogView } from "../core/log-view.ts";
import type { DiskTimes, Twin } from "../core/message.ts";
import type { Standing, Waiting } from "../core/reports.ts";

export interface EngineView {
  // ── this process ─────────────────────────────────────────────────────────────────────────────────────────────────

  readonly self: ProcessKey;
  /** The address at which others dial it. */
  readonly address: Address;
  /** The engine's own part of a status. */
  readonly standing: Standing;
  /** The log as the engine has it, ahead of what is durable. */
  readonly log: LogView;
  /** What others are told about its disk; and why it has no vote, if it has none. */
  diskTimes(): DiskTimes;
  /** Both processes where another one runs on a copy of this directory [E16], this one first; else empty. */
  readonly twins: readonly Twin[];
  /** It has taken the input "quit". */
  readonly quitting: boolean;
  /** What to tell people when it stops and the others cannot go on without it; null where they can. */
  lastWords(): string | null;

  // ── the others ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The newest one in the log, committed or not; null while the log is empty. */
  readonly configuration: Configuration | null;
  /** Its members, each with the address at which it last said it listens [M8]. */
  present(): readonly Member[];
  /** The member of that key in the newest configuration; null: there is none. */
  memberOf(key: MemberKey): Member | null;
  /**
   * Whether that is a member by any configuration that may be the one in force, or because another member has named it
   * [M7].
   */
  knows(key: MemberKey): boolean;
  /** The newest configuration says that members prove their keys [A1]. */
  readonly secure: boolean;
  /** Invitations and tokens, by the log. */
  readonly access: AccessView;
  /** What a link of that member must prove; null: nothing, as it is no member or its cluster is plain. */
  keyOf(key: MemberKey): Key | null;
  /** Of all that may be dialled: members, and whom a member has named [M7]. The same set as long as it says the same. */
  keys(): ReadonlySet<Key>;
  /** Entries that a member lacks of this log; null where this peer does not know. */
  lagOf(member: MemberKey): number | null;
  /** Peers to keep connected. It is the same array as long as its content is the same. */
  targets(): readonly PeerInfo[];
  /** The links that are up. */
  readonly links: ReadonlyMap<LinkId, Linked>;
  /** In a secured cluster: those that have not proven to be a member's. Nothing is heard of them but a JOIN [A3]. */
  readonly strangers: ReadonlyMap<LinkId, Linked>;
  /** True of this peer itself. */
  isLinked(member: MemberKey): boolean;
  /** A link on which nothing was heard for this long is given up; null: there is no such link. */
  linkSilence(link: LinkId): Millis | null;

  // ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The ballot of the peer that numbers messages now, which new entries bear; null: nobody does, as far as this peer
   * knows.
   */
  readonly sequencer: Ballot | null;
  /** Own messages that are not committed yet. */
  readonly pending: number;
  /** Counter of the next one that is submitted. */
  readonly nextCounter: number;
  /** Counter of the first pending one in a session of this peer; infinite if there is none. */
  firstPending(session: string): number;
  /**
   * How much longer it takes no message, though nobody is missing, because it has just founded a cluster [M1]. 0: it
   * takes them.
   */
  readonly founding: Millis;
  /**
   * Why messages wait, for whom, and what can be done [S9]; null: they are taken. The host cuts the words if they are
   * too long.
   */
  waiting(around: Surroundings): Waiting | null;
}

/** The peer at the other end of a link. */
export interface Linked extends ProcessKey, Address {
  readonly link: LinkId;
  /** What TLS has proven; on a plain link what the other side says. */
  readonly key?: Key;
}

/** What the host knows besides its engine. */
export interface Surroundings {
  readonly seeds: readonly PeerInfo[];
  /** It belongs to a cluster, or somebody that it is linked with does. */
  readonly hasCluster: boolean;
}
