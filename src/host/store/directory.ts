/**
 * One peer's data directory: opened once, by one process, and put in order before anything depends on it.
 *
 *   identity.json   who this is: id, incarnation, boot, cluster      promise.slots   the highest ballot bound to
 *   progress.json   watermark, commit index, delivery cursor         repair.json     from where the log is damaged
 *   log/            segments       checkpoints/  their ends          outbox.jsonl    own messages not sent yet
 *   damaged/        files set aside                                  lock            taken by the running process
 *   rooms.json      rooms joined, and how far they were shown
 *   recovery.json   a forced recovery that is not finished           before-recovery-*.json   what one replaced
 */
import type { Address } from "../../core/address.ts";
import { SEGMENTS, SESSION_CHARS } from "../../core/config.ts";
import {
  type Ballot,
  ballotOf,
  compareBallots,
  type LogIndex,
  NO_BALLOT,
  type PeerId,
  type ProcessKey,
} from "../../core/ids.ts";
import type { Entry, Genesis } from "../../core/log-entry.ts";
import { LogState } from "../../core/log-state.ts";
import type { Restored } from "../../engines/engine.ts";
import { WireError } from "../../wire/wire-error.ts";
import { type Clock, type Disk, PortError } from "../contracts.ts";
import { claimedByOthers } from "./claims.ts";
import { IDENTITY, type Identity, openIdentity } from "./identity.ts";
import { LogStore, type RawEntries, type StoreEvents } from "./log-store.ts";
import { Outbox, type PendingSession } from "./outbox.ts";
import { ProgressFile } from "./progress-file.ts";
import { makePromiseFile, PROMISE, readPromise } from "./promise-file.ts";
import { membersNoted, type Progress, type Recovered, recoverLog, UNKNOWN } from "./recovery.ts";
import { CHECKPOINT_DIRECTORY, LOG_DIRECTORY } from "./segments.ts";
import { SlotFile } from "./slots.ts";
import { DamagedFile, readState, readWhole, replaceStateNow } from "./state-files.ts";
import { passes, type TroubledFile } from "./troubles.ts";
import { HostError, unusable } from "./unusable.ts";

export const REPAIR = "repair.json";
export const RECOVERY = "recovery.json";

export interface DirectoryOptions {
  readonly id: PeerId;
  /** There are no seeds: an empty directory founds a cluster [M1]. */
  readonly founds: boolean;
  readonly fsync: boolean;
  readonly events: StoreEvents;
}

export class Directory {
  readonly store: LogStore;
  readonly outbox: Outbox;
  /** What the engine starts from. */
  restored: Restored;
  /** Last index delivered by earlier processes. */
  readonly delivered: LogIndex;
  readonly notes: readonly string[];
  /** Messages whose numbers differ from those that an earlier process reported [S10]. */
  readonly renamed: { readonly session: string; readonly counters: readonly number[]; readonly to: string }[] = [];
  readonly #disk: Disk;
  readonly #failed: StoreEvents["failed"];
  readonly #noted: StoreEvents["noted"];
  readonly #promise: SlotFile;
  #identity: Identity;
  readonly #progress: ProgressFile;
  /** News about damage (found, or repaired) that could not be noted yet. */
  #unnotedDamage: { readonly from: LogIndex | null } | null = null;

  constructor(disk: Disk, clock: Clock, options: DirectoryOptions) {
    this.#disk = disk;
    this.#failed = options.events.failed;
    this.#noted = options.events.noted;
    if (readWhole(disk, RECOVERY) !== null)
      throw new HostError(
        "a forced recovery of the data directory was begun and not finished: run `chatpeer recover DIR --force` on it again",
      );
    for (const directory of ["", LOG_DIRECTORY, CHECKPOINT_DIRECTORY]) disk.makeDirectory(directory);
    this.#identity = openIdentity(disk, clock, options);
    this.#progress = new ProgressFile(disk, options.events.noted);
    const progress = this.#progress.noted;
    const notes: string[] = [];
    const mayCut = (state: LogState) => {
      if (this.#isAlone(state, options.founds)) throw this.#lost(state);
    };
    const recovered = recoverLog(disk, progress, damageNoted(disk), mayCut, options.events.reading);
    notes.push(...recovered.notes);
    const promised = this.#readPromise(recovered.state.tail.ballot);
    // As with the log: after an unclean stop the page cache may hold bytes that the medium has refused [D3].
    if (!progress.clean) makePromiseFile(disk, promised);
    this.#promise = new SlotFile(disk, PROMISE);
    const faulty = this.#noteDamage(recovered, options.founds);
    const { state } = recovered;
    this.store = new LogStore(disk, clock, options.fsync, options.events, recovered.segments, state);
    // The entries that recovery has kept may be in the page cache only.
    this.store.syncNow();
    const commit = Math.min(progress.commit, state.index);
    const { outbox, pending } = Outbox.open(disk, notes);
    this.outbox = outbox;
    this.#leaveClaimed(clock, pending, { ...recovered, commit }, notes);
    // Delivered entries were committed, and stay delivered even where this log has lost them.
    this.delivered = progress.delivered;
    this.notes = notes;
    this.restored = {
      // The store and the engine each change their own copy of the state, at their own pace.
      state: LogState.fromData(state.toData()),
      entries: recovered.entries,
      beforeCrc: recovered.beforeCrc,
      durable: state.index,
      commit,
      promised,
      faulty,
      outbox: outbox.pending,
    };
    // From here on, a stop that is not noted is an unclean one.
    const began = clock.now();
    this.saveProgress({ ...progress, durable: state.index, clean: false }, true);
    const syncMs = clock.now() - began;
    // If the clock stands still nothing was measured.
    if (syncMs > 0) this.restored = { ...this.restored, syncMs };
  }

  /** [S10] Messages whose numbers other texts have got while this peer was not running go out under new numbers. */
  #leaveClaimed(
    clock: Clock,
    pending: readonly PendingSession[],
    { state, commit, entries }: Recovered & { readonly commit: LogIndex },
    notes: string[],
  ): void {
    const uncommitted = entries.filter((e) => e.index > commit);
    const readEntries = (from: LogIndex, count: number) => this.store.readEntries(from, count);
    const claimed = claimedByOthers(pending, this.#identity.id, { state, commit, uncommitted, readEntries });
    for (const [session, counters] of claimed) {
      const to = clock.word(SESSION_CHARS);
      this.outbox.rename(session, counters, to);
      this.renamed.push({ session, counters, to });
      notes.push(
        `somebody else has written in this peer's name: the numbers of ${counters.length} ${counters.length === 1 ? "message" : "messages"} that waited here went to other texts, so they go out under new ones`,
      );
    }
  }

  /** The key of this process, unique among all that ever ran on the directory or on a copy of it. */
  get self(): ProcessKey {
    const { id, inc, boot = 0 } = this.#identity;
    return { id, inc, boot };
  }

  /** The cluster this directory belongs to, null while it has not joined one. */
  get clusterId(): string | null {
    return this.#identity.cluster_id;
  }

  /**
   * From its first JOIN_ACK on, a directory belongs to one cluster. Returns false if that cannot be noted; the answer
   * comes again.
   */
  bindCluster(clusterId: string): boolean {
    const identity = { ...this.#identity, cluster_id: clusterId };
    const isBound = this.#attempt(IDENTITY, () => replaceStateNow(this.#disk, IDENTITY, identity));
    if (isBound) this.#identity = identity;
    return isBound;
  }

  /** Tries a write that can wait; returns whether it was done. */
  #attempt(file: TroubledFile, write: () => void): boolean {
    try {
      write();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#noted(file, error);
      return false;
    }
    this.#noted(file, null);
    return true;
  }

  /** The first entry of the log, for a founder that has none yet; null for everybody else. */
  foundingGenesis(
    address: Address,
    segments: { readonly entries: number; readonly bytes: number } = SEGMENTS,
  ): Genesis | null {
    const { id, inc, cluster_id, founder } = this.#identity;
    if (!founder || cluster_id === null || this.store.last > 0 || this.restored.faulty) return null;
    return {
      members: [{ id, inc, ...address, role: "voter" }],
      prev_voters: [],
      cluster_id,
      segment_entries: segments.entries,
      segment_bytes: segments.bytes,
    };
  }

  writePromise(ballot: Ballot, done: (error: PortError | null) => void): void {
    this.#promise.write(ballotOf(ballot), done);
  }

  /** Writes the promise into the second slot, without haste: then it survives damage to one place of the file. */
  secondPromise(): void {
    this.#promise.writeTwice((error) => {
      if (error !== null && !passes(error)) this.#failed(error);
    });
  }

  /** Lowers the watermark first: it must not cover entries that will be gone. Throws HostError, PortError. */
  truncate(from: LogIndex): void {
    if (this.progress.durable >= from) this.saveProgress({ ...this.progress, durable: from - 1 }, true);
    this.#findingDamage(from, () => this.store.truncate(from));
  }

  /** Notes how far this peer is: without haste; or, with `durable`, before it returns (throws PortError). */
  saveProgress(progress: Progress, durable = progress.clean): void {
    this.#progress.save(progress, durable);
  }

  get progress(): Progress {
    return this.#progress.noted;
  }

  read(after: LogIndex, bytesMax: number, through: LogIndex): RawEntries | null {
    return this.store.read(after, bytesMax, through);
  }

  /** Lines of the log, unchecked. Throws HostError where they are missing. */
  readLines(from: LogIndex, count: number): Uint8Array[] {
    return this.#findingDamage(from, () => this.store.readLines(from, count));
  }

  /** Throws HostError where the log is damaged; the next start then repairs it [D5]. */
  readEntries(from: LogIndex, count: number): Entry[] {
    return this.#findingDamage(from, () => this.store.readEntries(from, count));
  }

  #findingDamage<T>(from: LogIndex, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.markDamage(from);
      throw new HostError(
        `the log is damaged behind index ${from - 1} (${error.message}): start again, and it is fetched anew from the others`,
      );
    }
  }

  /** The lost entries are back: this peer counts again [D5]. */
  clearDamage(): void {
    this.#unnotedDamage = { from: null };
    this.retryNotes();
  }

  /** Notes damage found while running: the next start reads everything and sets bad files aside. */
  markDamage(from: LogIndex): void {
    this.#unnotedDamage = { from };
    this.retryNotes();
  }

  /** Writes, without haste, what could not be noted before. */
  retryNotes(): void {
    const damage = this.#unnotedDamage;
    if (damage !== null && this.#attempt(REPAIR, () => this.#writeDamage(damage.from))) this.#unnotedDamage = null;
  }

  #writeDamage(from: LogIndex | null): void {
    if (from !== null) return replaceStateNow(this.#disk, REPAIR, { from });
    if (damageNoted(this.#disk)) this.#disk.remove(REPAIR);
    this.#disk.syncDirectoryNow("");
  }

  close(): void {
    this.#progress.close();
    this.store.close();
    this.outbox.close();
    this.#promise.close();
    this.#disk.unlock();
  }

  /**
   * A promise is on disk before any entry of its ballot. So if it is below the log's last ballot, it was lost or put
   * back.
   */
  #readPromise(tail: Ballot): Ballot {
    const amends = `without it this peer could break a promise it gave. Start with an empty directory instead, and if the others refuse that, say /evict ${this.#identity.id} there. If there are no others: \`chatpeer recover DIR --force\``;
    let promised: Ballot;
    try {
      promised = readPromise(this.#disk) ?? NO_BALLOT;
    } catch (error) {
      if (!(error instanceof DamagedFile)) throw error;
      throw new HostError(`${error.message}: ${amends}`);
    }
    if (tail.term > 0 && compareBallots(tail, promised) > 0)
      throw new HostError(`${PROMISE} is missing, or older than the log beside it: ${amends}`);
    return promised;
  }

  /** Notes damage until it is repaired. A peer that is alone cannot repair itself. */
  #noteDamage({ state, damagedFrom }: Recovered, founds: boolean): boolean {
    const noted = damageNoted(this.#disk);
    if (!noted && damagedFrom === null) return false;
    if (!noted) this.#writeDamage(damagedFrom);
    if (!this.#isAlone(state, founds)) return true;
    if (damagedFrom !== null || this.progress.durable === UNKNOWN) throw this.#lost(state);
    // The log was restored from a copy: everything that was confirmed is here again.
    this.#writeDamage(null);
    return false;
  }

  /** Neither its log nor its seeds name another member. */
  #isAlone(state: LogState, founds: boolean): boolean {
    const members = state.newest?.configuration.members.filter((m) => m.role !== "left") ?? [];
    return founds && members.length <= 1 && (members.length === 1 || this.#identity.founder);
  }

  #lost(state: LogState): HostError {
    const others = membersNoted(this.#disk).filter((m) => m.id !== this.#identity.id && m.role !== "left");
    const seeds = others.map((m) => `--seed ${m.id}:${m.host}:${m.port}`).join(" or ") || "--seed and its address";
    // Without its beginning a log is nobody's history: it cannot be recovered by force either.
    const last =
      state.newest === null
        ? `. Without its beginning nothing can go on from it, but \`chatpeer log DIR/${LOG_DIRECTORY}\` prints what can be read`
        : ", or accept the loss: `chatpeer recover DIR --force`";
    return new HostError(
      `the log is damaged behind index ${state.index} and what is left of it names no other member to fetch it from: if one lives, start with ${seeds}; else restore ${LOG_DIRECTORY}/ from a copy (its files have the same bytes on every peer that has them)${last}`,
    );
  }
}

/** Opens a directory that this process has locked; if that fails, the lock is given back. Throws HostError. */
export function openDirectory(disk: Disk, clock: Clock, options: DirectoryOptions): Directory {
  try {
    return new Directory(disk, clock, options);
  } catch (error) {
    disk.unlock();
    if (error instanceof PortError) throw new HostError(unusable(error));
    throw error;
  }
}

/** Whether damage was found before and is not repaired yet [D5]. */
export function damageNoted(disk: Disk): boolean {
  try {
    return readState(disk, REPAIR) !== null;
  } catch (error) {
    if (error instanceof DamagedFile) return true;
    throw error;
  }
}
