/**
 * How long to wait for which member [E15]. Each time is the configured one, or the one that measurements demand,
 * whichever is longer. Measured are the round trip to a member, and the time that its disk takes to make something
 * durable; for several members the slowest of a majority decides. Where disks and lines are fast, no time is longer
 * than configured.
 */
import {
  DISK_SLOW_FACTOR,
  DISK_SLOW_MS,
  NARROW_PATIENCE,
  TIMEOUT_GROWTH_MAX,
  TIMEOUT_MS_MAX,
  type Timings,
} from "../../core/config.ts";
import { Estimator } from "../../core/estimator.ts";
import { type LogIndex, type MemberKey, type Millis, type PeerId, sameMember } from "../../core/ids.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Abstention, DiskTimes } from "../../core/message.ts";
import { quorumWait } from "../../core/quorum.ts";
import { OwnDisk } from "./own-disk.ts";

/** Extra time for a message, on busy machines. */
const RESEND_MS = 100;

/** The facts about a peer that the times depend on. */
export interface Surroundings {
  readonly timings: Timings;
  readonly self: MemberKey;
  readonly now: Millis;
  readonly voterSets: readonly (readonly MemberKey[])[];
  readonly otherVoters: readonly MemberKey[];
  /** This peer has not received all of the log yet: what is sent to it may fill its line. */
  readonly catchesUp: boolean;
  isLinked(member: MemberKey): boolean;
}

interface Measured {
  readonly roundTrip: Estimator;
  /** As that peer last reported it. */
  disk: DiskTimes;
}

/** The slowest of a majority of the linked voters. */
interface Majority {
  readonly of: readonly unknown[];
  /** Its time to answer. */
  readonly roundTrip: Millis;
  /** Its time to make something durable and say so. */
  readonly durable: Millis;
}

export class Timeouts {
  readonly disk: OwnDisk;
  readonly #around: Surroundings;
  readonly #measured = new MemberMap<Measured>();
  /** [R10] Until then this peer's own line counts as narrow; so do the lines to others in the map. */
  #narrowUntil: Millis = 0;
  readonly #narrowTo = new MemberMap<Millis>();
  #majority: Majority | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
    this.disk = new OwnDisk(around.timings.leaderTimeout);
  }

  // ── measuring ──────────────────────────────────────────────────────────────────────────────────────────────────

  onMeasured(member: MemberKey, roundTrip: Millis, disk: DiskTimes): void {
    let measured = this.#measured.get(member);
    if (measured === undefined) {
      measured = { roundTrip: new Estimator(this.#around.timings.leaderTimeout), disk };
      this.#measured.set(member, measured);
    }
    measured.roundTrip.add(roundTrip);
    measured.disk = disk;
    this.changed();
  }

  /** A frame takes long to come in. The next frames of all others come on the same line. */
  onReceiving(): void {
    const { now, timings } = this.#around;
    this.#narrowUntil = now + timings.leaderTimeout;
  }

  /** What was sent to a member takes long to arrive there, though that member is heard. */
  onSending(to: MemberKey): void {
    const { now, timings } = this.#around;
    this.#narrowTo.set(to, now + 2 * timings.heartbeat);
  }

  /** [R10] What is sent to a member takes long to arrive there. */
  isNarrowTo(member: MemberKey): boolean {
    return this.#around.now < (this.#narrowTo.get(member) ?? 0);
  }

  forget(member: MemberKey): void {
    this.#measured.delete(member);
    this.#narrowTo.delete(member);
  }

  onDurable(index: LogIndex): void {
    this.disk.onDurable(index, this.#around.now);
    this.changed();
  }

  onPromised(): void {
    this.disk.onPromised(this.#around.now);
    this.changed();
  }

  /** A member was measured, or its link came up or went down. */
  changed(): void {
    this.#majority = null;
  }

  /** Time until a member answers; 0 as long as nothing was measured. */
  roundTrip(member: MemberKey): Millis {
    return this.#measured.get(member)?.roundTrip.bound ?? 0;
  }

  /** Time until a member has made something durable and said so. */
  durable(member: MemberKey): Millis {
    return this.roundTrip(member) + this.#diskBound(member);
  }

  /** Time until an entry is committed. */
  get commit(): Millis {
    return this.#ofMajority.durable;
  }

  abstentionOf(member: MemberKey): Abstention | null {
    return this.#measured.get(member)?.disk.abstains ?? null;
  }

  /** This peer's disk is so much slower than that member's that the member should rather lead. */
  isSlowerThan(member: MemberKey): boolean {
    const other = this.#measured.get(member)?.disk.mean ?? 0;
    return this.disk.mean(this.#around.now) >= DISK_SLOW_MS + DISK_SLOW_FACTOR * other;
  }

  /** The same comparison for another member, as far as this peer knows. */
  isSlower(member: MemberKey): boolean {
    const other = this.#measured.get(member)?.disk.mean ?? 0;
    return other >= DISK_SLOW_MS + DISK_SLOW_FACTOR * this.disk.mean(this.#around.now);
  }

  // ── times ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * [E1] A leader that was not heard for this long is suspected. Frames under way to the leader do not keep it from
   * sending, so they do not count.
   */
  leaderTimeout(leader: MemberKey): Millis {
    return bounded(this.#ownPatience * this.#around.timings.leaderTimeout, this.#silence(leader));
  }

  /**
   * A link on which a member was not heard for this long is given up. It is longer than the leader timeout, so that
   * followers suspect that member first.
   */
  linkSilence(member: MemberKey): Millis {
    return 2 * bounded(this.#patience(member) * this.#around.timings.leaderTimeout, this.#silence(member));
  }

  /**
   * Time between two heartbeats to a follower. Where the line is narrow or far, both sides wait longer than a round
   * trip anyway.
   */
  heartbeat(follower: MemberKey): Millis {
    const { heartbeat, leaderTimeout } = this.#around.timings;
    const seldom = (2 / 3) * leaderTimeout;
    return this.isNarrowTo(follower) ? seldom : Math.max(heartbeat, Math.min(this.roundTrip(follower) / 2, seldom));
  }

  /**
   * [E11] A follower that acknowledged nothing for this long counts as gone. From a follower without a link nothing can
   * be under way.
   */
  quorumCheck(follower: MemberKey): Millis {
    const { quorumCheck } = this.#around.timings;
    return this.#around.isLinked(follower)
      ? bounded(this.#patience(follower) * quorumCheck, this.#silence(follower))
      : quorumCheck;
  }

  /** [E11] A leader whose entries make no progress anywhere for this long abdicates. */
  get stall(): Millis {
    return bounded(this.#around.timings.stall, 3 * this.#ofMajority.durable);
  }

  /** [E4] A connected majority has this long to answer a candidate. */
  get poll(): Millis {
    return bounded(this.#around.timings.leaderTimeout, 2 * this.#ofMajority.roundTrip);
  }

  /** A linked member has this long to answer a question, perhaps with frames that take long. */
  answer(member: MemberKey): Millis {
    return bounded(NARROW_PATIENCE * this.#around.timings.leaderTimeout, 2 * this.roundTrip(member));
  }

  /** [E3] A higher voter has this long to stand a candidate down. */
  deference(id: PeerId): Millis {
    const { timings, otherVoters } = this.#around;
    const higher = otherVoters.filter((v) => v.id > id && this.#around.isLinked(v));
    return bounded(timings.defer, timings.defer + Math.max(0, ...higher.map((v) => this.roundTrip(v))));
  }

  /** [E4] A member that said it will lead has this long to do it: it asks those above it first. */
  deferral(member: MemberKey): Millis {
    return bounded(this.#around.timings.defer, this.deference(member.id) + this.election(member));
  }

  /**
   * [E6] A majority of the voters has this long to promise a ballot. After a start, the times of their disks may not be
   * known yet; then the time grows with each attempt until it is enough [E12].
   */
  promises(attempts: number): Millis {
    const { leaderTimeout } = this.#around.timings;
    return bounded(leaderTimeout * Math.min(2 ** attempts, TIMEOUT_GROWTH_MAX), 2 * this.#ofMajority.durable);
  }

  /** How long an election takes, from the first question to the news that this member leads. */
  election(member: MemberKey): Millis {
    const { roundTrip, durable } = this.#ofMajority;
    return 2 * roundTrip + this.durable(member) + durable;
  }

  /** A peer that has promised a ballot to another, or was refused, begins no election for this long. */
  patience(member: MemberKey): Millis {
    return bounded(this.#around.timings.leaderTimeout, this.election(member));
  }

  /**
   * [S4] After this time a message that was sent through this member, or appended, is committed, or was lost on the
   * way.
   */
  resend(via: MemberKey): Millis {
    return 2 * this.#around.timings.heartbeat + RESEND_MS + this.roundTrip(via) + this.commit;
  }

  /** [E10] A successor has this long until it holds all that its leader has, committed. */
  handover(to: MemberKey): Millis {
    return bounded(this.#around.timings.leaderTimeout, 2 * (this.durable(to) + this.commit));
  }

  /** [M5] How long a departure may take: where this peer leads, an election and its entry; then two configurations. */
  get quit(): Millis {
    const { timings, otherVoters } = this.#around;
    const elections = otherVoters.map((v) => this.election(v));
    return bounded(timings.quit, Math.max(0, ...elections) + 4 * this.commit);
  }

  // ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────────

  get #ownPatience(): number {
    const { now, catchesUp } = this.#around;
    return catchesUp || now < this.#narrowUntil ? NARROW_PATIENCE : 1;
  }

  #patience(member: MemberKey): number {
    return this.isNarrowTo(member) ? NARROW_PATIENCE : this.#ownPatience;
  }

  /**
   * Silence to tolerate. A packet that is lost comes again after about a round trip; a disk may hold up a whole
   * process.
   */
  #silence(member: MemberKey): Millis {
    return this.#around.timings.heartbeat + 2 * this.durable(member);
  }

  #diskBound(member: MemberKey): Millis {
    const told = sameMember(member, this.#around.self) ? 0 : (this.#measured.get(member)?.disk.bound ?? 0);
    // Until it has reported its times, assume that it may be as slow as this peer's own disk.
    return told > 0 ? told : this.disk.bound;
  }

  get #ofMajority(): Majority {
    const { voterSets } = this.#around;
    if (this.#majority !== null && this.#majority.of === voterSets) return this.#majority;
    const isReached = (v: MemberKey) => this.#around.isLinked(v);
    const majority = {
      of: voterSets,
      roundTrip: quorumWait(voterSets, isReached, (v) => this.roundTrip(v)),
      durable: quorumWait(voterSets, isReached, (v) => this.durable(v)),
    };
    this.#majority = majority;
    return majority;
  }
}

/** The longer of the two times; a demanded time is followed up to a limit. */
function bounded(configured: Millis, demanded: Millis): Millis {
  return Math.max(configured, Math.min(demanded, TIMEOUT_MS_MAX));
}
