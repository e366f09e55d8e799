/**
 * Forced recovery [M9]: a majority of the voters is lost for good, and one stopped survivor's log becomes the history
 * of a new cluster of which it is the only voter. Entries that the lost voters had confirmed and this directory never
 * received are given up. Only a person can know that these voters are lost: hence the force.
 *
 *   inspect ─▶ recovery.json ─▶ log cut ─▶ + config, settled ─▶ outbox, promise, progress, identity ─▶ renamed
 *              (what will be,    └──────────── no peer starts on the directory meanwhile ──────┘      before-recovery-…
 *               what was)
 *
 * Before recovery.json is durable nothing has changed. From then on every step can be done again; a second run with the
 * same file does so, and ends where the first one would have. The old cluster and the new one never mix, because each
 * connection begins with the cluster's id [W2], and a member keeps the id of its cluster.
 */
import { lastTermAfter, TERM_LEAP_MAX, TERM_MAX, TERMS_LEFT_WARNED, TERMS_PER_CLUSTER } from "../../core/config.ts";
import {
  type Ballot,
  ballotOf,
  compareBallots,
  type LogIndex,
  NO_BALLOT,
  type PeerId,
  sameBallot,
  sameMember,
  type Term,
} from "../../core/ids.ts";
import type { Configuration, Member, Tail } from "../../core/log-entry.ts";
import { LogState } from "../../core/log-state.ts";
import { everyVoter, voterSets } from "../../core/quorum.ts";
import { type Clock, type Disk, PortError } from "../contracts.ts";
import { copyAside } from "./damaged.ts";
import { damageNoted, RECOVERY, REPAIR } from "./directory.ts";
import { HeldDisk, heldElsewhere } from "./holding.ts";
import { IDENTITY, type Identity, nextBoot, readIdentity } from "./identity.ts";
import { LogStore } from "./log-store.ts";
import { makeEntry } from "./made-entry.ts";
import { Outbox } from "./outbox.ts";
import { PROGRESS, readProgress } from "./progress-file.ts";
import { makePromiseFile, PROMISE, PROMISE_BEFORE_SLOTS, readPromise } from "./promise-file.ts";
import { type Progress, recoverLog, replay, UNKNOWN } from "./recovery.ts";
import { salvage } from "./salvage.ts";
import { LOG_DIRECTORY, listSegments, Segment, segmentPath } from "./segments.ts";
import { DamagedFile, readState, replaceStateNow } from "./state-files.ts";
import { HostError, lockDirectory, lockFailure, unusable } from "./unusable.ts";

/** Runs of readable entries that are named. */
const RUNS_MAX = 100;

/** What is in a directory, for the person who decides whether its log is to become the history. */
export interface Survivor {
  readonly id: PeerId;
  /** The cluster it belongs to; after the recovery the new one. */
  readonly clusterId: string;
  readonly self: Member;
  /** The members by the newest configuration in the log. */
  readonly members: readonly Member[];
  /** The voters whose majority decides now. */
  readonly voters: readonly PeerId[];
  /** The last entry that can be read: the history goes through here. */
  readonly tail: Tail;
  /** The log is committed through here, as far as this directory knows. */
  readonly commit: LogIndex;
  /** What is wrong behind the tail, if confirmed entries are lost there; else null. */
  readonly damage: string | null;
  /** Runs of entries behind the tail that can be read, at most 100 of them. They cannot follow it, and are set aside. */
  readonly rest: readonly Run[];
  /** Entries through here had been confirmed on this disk. It is above the tail where some are lost. */
  readonly confirmed: LogIndex;
  /**
   * Number of terms that its cluster can still use, as far as this directory knows. With none left no leader can be
   * elected.
   */
  readonly termsLeft: number;
  /** It is the only voter, its log is whole, and terms are left: there is nothing to recover. */
  readonly needless: boolean;
  /** A recovery was begun and waits to be finished. */
  readonly begun: boolean;
}

/** Entries in one chain. */
export interface Run {
  readonly from: LogIndex;
  readonly through: LogIndex;
}

export interface Recovery {
  /** As it was found. */
  readonly before: Survivor;
  readonly clusterId: string;
  /** The path where the replaced state is kept. */
  readonly kept: string;
  /** Further notes for a person. */
  readonly notes: readonly string[];
}

/** recovery.json: the new state and the old one, so that a second run ends as the first would have. */
interface Plan {
  readonly cluster_id: string;
  readonly ballot: Ballot;
  readonly before: Survivor;
  readonly identity: Identity;
  readonly promise: Ballot | null;
  readonly progress: Progress;
}

/** Looks at a directory and changes nothing. Throws HostError. */
export function inspectSurvivor(disk: Disk, clock: Clock): Survivor {
  return holding(disk, clock, (held) => {
    const plan = readPlan(held);
    return plan === null
      ? inspect(held, identityOf(held))
      : {
          // A plan that an earlier version has noted lacks these fields.
          ...{ termsLeft: TERMS_PER_CLUSTER, rest: [] },
          ...plan.before,
          begun: true,
        };
  });
}

/**
 * Makes the directory the only voter of a new cluster. Returns null if it is the only voter already, and whole. Throws
 * HostError. After any failure, even a power cut, it can be called again.
 */
export function recoverByForce(disk: Disk, clock: Clock): Recovery | null {
  return holding(disk, clock, (held) => {
    const plan = readPlan(held) ?? makePlan(held, clock);
    return plan === null ? null : carryOut(held, clock, plan);
  });
}

function holding<T>(disk: Disk, clock: Clock, work: (held: Disk) => T): T {
  const holder = lockDirectory(disk);
  if (holder !== null) throw new HostError(lockFailure(heldElsewhere(holder)));
  // If the lock is lost or not renewed, the next call throws.
  const held = new HeldDisk(disk, clock, { lost: () => {}, unrenewed: () => {} });
  try {
    return work(held);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new HostError(error.code === "ELOST" ? error.message : unusable(error));
  } finally {
    held.unlock();
  }
}

// ── looking ────────────────────────────────────────────────────────────────────────────────────────────────────────

function identityOf(disk: Disk): Identity & { readonly cluster_id: string } {
  const identity = readIdentity(disk);
  const cluster_id = identity?.cluster_id ?? null;
  if (identity === null || cluster_id === null || listSegments(disk).length === 0)
    throw new HostError("there is no log in the data directory, so nothing to recover: take another survivor's");
  return { ...identity, cluster_id };
}

function inspect(disk: Disk, { id, inc, cluster_id }: Identity & { readonly cluster_id: string }): Survivor {
  const { state, wrong } = readLog(disk);
  const { newest, tail } = state;
  if (newest === null)
    throw new HostError(
      `the log cannot be read from its beginning (${wrong}): restore that from a copy or from another peer's log/, where segments have the same bytes, or take another survivor's directory. \`chatpeer log DIR/log\` prints what can be read of this one; nothing of it was changed`,
    );
  const progress = readProgress(disk);
  const isShort = progress.durable === UNKNOWN ? wrong !== null : tail.index < progress.durable;
  const damage = isShort || damageNoted(disk) ? (wrong ?? `entries behind index ${tail.index} were lost before`) : null;
  const { members } = newest.configuration;
  const self = members.find((m) => sameMember(m, { id, inc }));
  const voters = everyVoter(voterSets(newest));
  const promised = orNull(() => readPromise(disk)) ?? NO_BALLOT;
  const termsLeft = Math.max(0, lastTermAfter(state.formerClusters.length) - Math.max(tail.ballot.term, promised.term));
  const isWhole = damage === null && compareBallots(tail.ballot, promised) <= 0;
  return {
    id,
    clusterId: cluster_id,
    // A peer that the log does not know yet gets the default address; the right one follows by itself [M8].
    self: self ?? { id, inc, host: "127.0.0.1", port: 6000 + id, role: "observer" },
    members,
    voters: [...new Set(voters.map((v) => v.id))].sort((a, b) => a - b),
    tail,
    commit: Math.min(progress.commit, tail.index),
    damage,
    rest: damage === null ? [] : runsBehind(disk, tail.index),
    confirmed: Math.max(progress.durable, progress.commit, progress.delivered, 0),
    begun: false,
    termsLeft,
    needless: isWhole && termsLeft >= TERMS_LEFT_WARNED && voters.every((v) => sameMember(v, { id, inc })),
  };
}

/** Reads every line through the last good one. `wrong` says what is behind that line. */
function readLog(disk: Disk): { state: LogState; wrong: string | null } {
  const state = new LogState();
  for (const first of listSegments(disk)) {
    if (first !== state.index + 1) return { state, wrong: `segment ${segmentPath(state.index + 1)} is missing` };
    const file = disk.open(segmentPath(first), "read");
    try {
      const wrong = replay(new Segment(first, file), state, () => {});
      if (wrong !== null) return { state, wrong };
    } finally {
      file.close();
    }
  }
  return { state, wrong: null };
}

function runsBehind(disk: Disk, tail: LogIndex): readonly Run[] {
  const runs: Run[] = [];
  for (const found of salvage(disk, LOG_DIRECTORY)) {
    if (!("entry" in found) || found.entry.index <= tail) continue;
    const { index } = found.entry;
    const last = runs.at(-1);
    if (last?.through === index - 1) runs[runs.length - 1] = { from: last.from, through: index };
    else if (runs.length < RUNS_MAX) runs.push({ from: index, through: index });
  }
  return runs;
}

/** A damaged plan counts as none: another one is made from what the first run has left. */
function readPlan(disk: Disk): Plan | null {
  return orNull(() => readState(disk, RECOVERY) as Plan | null);
}

/** Null for what is damaged. */
function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamagedFile) return null;
    throw error;
  }
}

// ── doing ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function makePlan(disk: Disk, clock: Clock): Plan | null {
  const found = identityOf(disk);
  const before = inspect(disk, found);
  if (before.needless) return null;
  const promise = orNull(() => readPromise(disk));
  // The recovery counts as a start: if a copy of this directory is recovered as well, it makes another ballot [E14].
  const identity = { ...found, boot: nextBoot(clock, found) };
  const term = termAbove(before.tail.ballot.term, promise?.term ?? 0);
  const promisePath = disk.list("").includes(PROMISE) ? PROMISE : PROMISE_BEFORE_SLOTS;
  keepIfDamaged(disk, promisePath, () => readPromise(disk));
  for (const path of [PROGRESS, RECOVERY]) keepIfDamaged(disk, path, () => readState(disk, path));
  const plan: Plan = {
    cluster_id: clock.word(12),
    ballot: { term, leader_id: identity.id, inc: identity.inc, boot: identity.boot },
    before,
    identity,
    promise,
    progress: readProgress(disk),
  };
  replaceStateNow(disk, RECOVERY, plan);
  return plan;
}

/**
 * A term above those of the log, whose ballots never go back, and above what was promised to the lost voters. A promise
 * that elections could not have reached from the end of the log is left out: it only used up the terms of its cluster,
 * and does not bind this peer in the new one.
 */
function termAbove(logged: Term, promised: Term): Term {
  const term = (promised - logged > TERM_LEAP_MAX ? logged : Math.max(logged, promised)) + 1;
  if (term < TERM_MAX) return term;
  throw new HostError(
    `the log ends in term ${logged}, and there are no higher ones: found a new cluster with an empty directory; this one's history can be read with \`chatpeer log\``,
  );
}

function keepIfDamaged(disk: Disk, path: string, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    copyAside(disk, path);
  }
}

/** Every step leaves intact what the steps before it need, so that this can be called again. */
function carryOut(disk: Disk, clock: Clock, plan: Plan): Recovery {
  const notes: string[] = [];
  const { cluster_id, before, identity } = plan;
  const ballot = ballotOf(plan.ballot);
  const state = writeHistory(disk, clock, plan);
  const isLost = ({ session, first }: { session: string; first: number }) =>
    first > state.sessions.get(`${identity.id}.${session}`) + 1;
  Outbox.renumber(disk, isLost, () => clock.word(8), notes);
  makePromiseFile(disk, ballot);
  const { delivered } = readProgress(disk);
  replaceStateNow(disk, PROGRESS, { durable: state.index, commit: state.index, delivered, clean: true });
  // A genesis is never due here again.
  replaceStateNow(disk, IDENTITY, { ...identity, cluster_id, founder: false });
  if (disk.list("").includes(REPAIR)) {
    disk.remove(REPAIR);
    // This file must be gone for good before the plan is; otherwise the damage would be found again.
    disk.syncDirectoryNow("");
  }
  const kept = `before-recovery-${cluster_id}.json`;
  disk.rename(RECOVERY, kept);
  disk.syncDirectoryNow("");
  return { before, clusterId: cluster_id, kept, notes };
}

/** Cuts the log behind its last good entry and appends the configuration of the new cluster, settled. */
function writeHistory(disk: Disk, clock: Clock, { cluster_id, ballot: planned, before }: Plan): LogState {
  const ballot = ballotOf(planned);
  const noted = readProgress(disk);
  const { segments, state } = recoverLog(disk, noted, true, () => {});
  // Entries of this ballot are from a run that was interrupted.
  const last = sameBallot(state.tail.ballot, ballot) ? state.runStart(state.index) - 1 : state.index;
  // Entries delivered from here on may have the indexes of others, now lost, that were delivered before.
  const delivered = Math.min(noted.delivered, last);
  const progress: Progress = { durable: last, commit: Math.min(noted.commit, last), delivered, clean: false };
  replaceStateNow(disk, PROGRESS, progress);
  const failed = (error: PortError) => {
    throw error;
  };
  const store = new LogStore(disk, clock, true, { durable: () => {}, failed, noted: () => {} }, segments, state);
  try {
    store.truncate(last + 1);
    const self: Member = { ...before.self, role: "voter" };
    const prev_voters = [{ id: self.id, inc: self.inc }];
    // It stays what it was [A1]: nobody comes in by a recovery who had no key before.
    const secure = state.secure ? { secure: true as const } : {};
    const alone: Configuration = { members: [self], prev_voters, cluster_id, ...secure };
    const config = makeEntry(last + 1, ballot, "config", alone, state.crc);
    store.append([config, makeEntry(last + 2, ballot, "settled", { config_index: last + 1 }, config.crc)]);
    store.syncNow();
  } finally {
    store.close();
  }
  return state;
}
