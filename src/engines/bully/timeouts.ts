/**
 * How long to wait for whom [E15]. Each time is the configured one, or what was measured demands, whichever is larger:
 * the round trip to a member, what its disk takes to make something durable, and of several members what the slowest of
 * a majority takes. Where disks and lines are fast nothing is ever longer than configured.
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

/** What a message takes besides, on machines that are busy. */
const RESEND_MS = 100;

/** What of a peer the times depend on. */
export interface Surroundings {
  readonly timings: Timings;
  readonly self: MemberKey;
  readonly now: Millis;
  readonly voterSets: readonly (readonly MemberKey[])[];
  readonly otherVoters: readonly MemberKey[];
  /** This peer has not had all of the log yet: what it is sent may fill its line. */
  readonly catchesUp: boolean;
  isLinked(member: MemberKey): boolean;
}

interface Measured {
  readonly roundTrip: Estimator;
  /** As its peer last told. */
  disk: DiskTimes;
}

/** Of a majority of the linked voters, the slowest. */
interface Majority {
  readonly of: readonly unknown[];
  /** … to answer. */
  readonly roundTrip: Millis;
  /** … to make something durable and say so. */
  readonly durable: Millis;
}

export class Timeouts {
  readonly disk: OwnDisk;
  readonly #around: Surroundings;
  readonly #measured = new MemberMap<Measured>();
  /** [R10] The own line is taken for narrow until then, and the lines to others. */
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

  /** A frame takes long to come in: everybody's next one has the same line. */
  onReceiving(): void {
    const { now, timings } = this.#around;
    this.#narrowUntil = now + timings.leaderTimeout;
  }

  /** What was sent to a member that is heard takes long to arrive there. */
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

  /** Somebody was measured, or is linked, or no more. */
  changed(): void {
    this.#majority = null;
  }

  /** Until a member answers; 0 as long as nothing was measured. */
  roundTrip(member: MemberKey): Millis {
    return this.#measured.get(member)?.roundTrip.bound ?? 0;
  }

  /** Until a member has made something durable and said so. */
  durable(member: MemberKey): Millis {
    return this.roundTrip(member) + this.#diskBound(member);
  }

  /** Until an entry is committed. */
  get commit(): Millis {
    return this.#ofMajority.durable;
  }

  abstentionOf(member: MemberKey): Abstention | null {
    return this.#measured.get(member)?.disk.abstains ?? null;
  }

  /** The own disk is so much slower than a member's that this peer should rather not lead it. */
  isSlowerThan(member: MemberKey): boolean {
    const other = this.#measured.get(member)?.disk.mean ?? 0;
    return this.disk.mean(this.#around.now) >= DISK_SLOW_MS + DISK_SLOW_FACTOR * other;
  }

  /** The same of another, as far as this one knows. */
  isSlower(member: MemberKey): boolean {
    const other = this.#measured.get(member)?.disk.mean ?? 0;
    return other >= DISK_SLOW_MS + DISK_SLOW_FACTOR * this.disk.mean(this.#around.now);
  }

  // ── times ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** [E1] A leader not heard for so long is suspected. What waits for it on the way to it does not keep it from speaking. */
  leaderTimeout(leader: MemberKey): Millis {
    return bounded(this.#ownPatience * this.#around.timings.leaderTimeout, this.#silence(leader));
  }

  /** A link on which a member is not heard for so long is given up: whoever follows it goes first. */
  linkSilence(member: MemberKey): Millis {
    return 2 * bounded(this.#patience(member) * this.#around.timings.leaderTimeout, this.#silence(member));
  }

  /** Between two heartbeats to a follower: where the line is narrow or far, both sides have more patience than a round trip. */
  heartbeat(follower: MemberKey): Millis {
    const { heartbeat, leaderTimeout } = this.#around.timings;
    const seldom = (2 / 3) * leaderTimeout;
    return this.isNarrowTo(follower) ? seldom : Math.max(heartbeat, Math.min(this.roundTrip(follower) / 2, seldom));
  }

  /** [E11] A follower that acknowledged nothing for so long counts as gone. Nothing is on its way from one without a link. */
  quorumCheck(follower: MemberKey): Millis {
    const { quorumCheck } = this.#around.timings;
    return this.#around.isLinked(follower)
      ? bounded(this.#patience(follower) * quorumCheck, this.#silence(follower))
      : quorumCheck;
  }

  /** [E11] A leader whose entries move nowhere for so long abdicates. */
  get stall(): Millis {
    return bounded(this.#around.timings.stall, 3 * this.#ofMajority.durable);
  }

  /** [E4] A majority that is connected has so long to answer a candidate. */
  get poll(): Millis {
    return bounded(this.#around.timings.leaderTimeout, 2 * this.#ofMajority.roundTrip);
  }

  /** A member that is linked has so long to answer a question, perhaps with frames that take long. */
  answer(member: MemberKey): Millis {
    return bounded(NARROW_PATIENCE * this.#around.timings.leaderTimeout, 2 * this.roundTrip(member));
  }

  /** [E3] A higher voter has so long to stand a candidate down. */
  deference(id: PeerId): Millis {
    const { timings, otherVoters } = this.#around;
    const higher = otherVoters.filter((v) => v.id > id && this.#around.isLinked(v));
    return bounded(timings.defer, timings.defer + Math.max(0, ...higher.map((v) => this.roundTrip(v))));
  }

  /** [E4] Who said that it will lead has so long to do it: those above it are asked first. */
  deferral(member: MemberKey): Millis {
    return bounded(this.#around.timings.defer, this.deference(member.id) + this.election(member));
  }

  /**
   * [E6] A majority of the voters has so long to promise a ballot. What their disks take may not be known yet, after a start:
   * then only growing can find out [E12].
   */
  promises(attempts: number): Millis {
    const { leaderTimeout } = this.#around.timings;
    return bounded(leaderTimeout * Math.min(2 ** attempts, TIMEOUT_GROWTH_MAX), 2 * this.#ofMajority.durable);
  }

  /** What an election takes, from the first question to the news that this member leads. */
  election(member: MemberKey): Millis {
    const { roundTrip, durable } = this.#ofMajority;
    return 2 * roundTrip + this.durable(member) + durable;
  }

  /** Whoever has promised somebody a ballot, or was refused, begins nothing for so long. */
  patience(member: MemberKey): Millis {
    return bounded(this.#around.timings.leaderTimeout, this.election(member));
  }

  /** [S4] What was sent through this member, or appended, is committed by then, or was lost on the way. */
  resend(via: MemberKey): Millis {
    return 2 * this.#around.timings.heartbeat + RESEND_MS + this.roundTrip(via) + this.commit;
  }

  /** [E10] A successor has so long to hold all that its leader has, committed. */
  handover(to: MemberKey): Millis {
    return bounded(this.#around.timings.leaderTimeout, 2 * (this.durable(to) + this.commit));
  }

  /** [M5] A departure: where this peer leads, an election and its entry; then two configurations. */
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

  /** A piece that is lost on the way comes again after about a round trip; a disk may hold up a whole process. */
  #silence(member: MemberKey): Millis {
    return this.#around.timings.heartbeat + 2 * this.durable(member);
  }

  #diskBound(member: MemberKey): Millis {
    const told = sameMember(member, this.#around.self) ? 0 : (this.#measured.get(member)?.disk.bound ?? 0);
    // Until it has told, it may be as slow as the own one.
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

/** What is demanded beyond the configured time is followed up to a limit. */
function bounded(configured: Millis, demanded: Millis): Millis {
  return Math.max(configured, Math.min(demanded, TIMEOUT_MS_MAX));
}
