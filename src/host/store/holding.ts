/**
 * Holds a data directory that processes may want which cannot be seen from here [D1]: on another machine, in another
 * container. No clock of another machine is believed: each side watches whether the lease moves, and measures with its
 * own clock.
 *
 *   holder    looks and renews ─ every second ─▶ ▏stands still … wakes, looks before it writes or says anything, stops
 *   start                       sees no move for 10 s ─▶ takes over ─ 3 s ─▶ reads
 *
 * The time between the takeover and the first read is longer than the greatest age of a look. So everything that a
 * holder did after its last good look is in the files by then.
 */
import { LOCK_LEASE_MS, LOCK_LOOK_MS, LOCK_SETTLE_MS } from "../../core/config.ts";
import { type Clock, type Disk, type File, type Holder, PortError, type Timer } from "../contracts.ts";

export interface HoldingEvents {
  /**
   * Another process has the directory, or it can no longer be seen which process has it. This process must stop. Called
   * once.
   */
  lost(reason: string): void;
  /** Says why the lease is not renewed; null when it is renewed again. */
  unrenewed(error: PortError | null): void;
}

/**
 * The disk of a process that has locked it. No call is carried out if the last look at the lock is older than a second.
 */
export class HeldDisk implements Disk {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #events: HoldingEvents;
  #lookedAt: number;
  #lookedWall: number;
  #isRenewed = true;
  #lost: PortError | null = null;
  #timer: Timer | null = null;

  /** From now on it looks at the lock by itself, until `unlock`. */
  constructor(disk: Disk, clock: Clock, events: HoldingEvents) {
    this.#disk = disk;
    this.#clock = clock;
    this.#events = events;
    this.#lookedAt = clock.now();
    this.#lookedWall = clock.wall();
    this.#lookLater();
  }

  /** Throws PortError if this process no longer has the directory. Cheap, except for one call in a second. */
  check(): void {
    if (this.#lost !== null) throw this.#lost;
    // After a machine has slept, perhaps only its wall clock shows that.
    const isFresh =
      this.#clock.now() - this.#lookedAt < LOCK_LOOK_MS &&
      Math.abs(this.#clock.wall() - this.#lookedWall) < LOCK_LOOK_MS;
    if (!isFresh) this.#look();
  }

  #look(): void {
    const [now, wall] = [this.#clock.now(), this.#clock.wall()];
    let unrenewed: PortError | null;
    try {
      unrenewed = this.#disk.renewLock();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#timer?.cancel();
      this.#lost = new PortError("ELOST", lostText(error));
      this.#events.lost(this.#lost.message);
      throw this.#lost;
    }
    this.#lookedAt = now;
    this.#lookedWall = wall;
    if ((unrenewed === null) === this.#isRenewed) return;
    this.#isRenewed = unrenewed === null;
    this.#events.unrenewed(unrenewed);
  }

  #lookLater(): void {
    this.#timer = this.#clock.after(LOCK_LOOK_MS, () => {
      try {
        this.#look();
      } catch (error) {
        // The `lost` event has told it.
        if (error instanceof PortError) return;
        throw error;
      }
      this.#lookLater();
    });
  }

  // ── the disk ───────────────────────────────────────────────────────────────────────────────────────────────────

  lock(dead?: Holder): Holder | null {
    return this.#disk.lock(dead);
  }

  renewLock(): PortError | null {
    return this.#disk.renewLock();
  }

  unlock(): void {
    this.#timer?.cancel();
    this.#disk.unlock();
  }

  list(directory: string): string[] {
    return this.#disk.list(directory);
  }

  open(path: string, mode: "existing" | "create" | "read"): File {
    this.check();
    return new HeldFile(this.#disk.open(path, mode), () => this.check());
  }

  makeDirectory(path: string): void {
    this.check();
    this.#disk.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.check();
    this.#disk.rename(from, to);
  }

  remove(path: string): void {
    this.check();
    this.#disk.remove(path);
  }

  syncDirectory(path: string, done: (error: PortError | null) => void): void {
    this.#disk.syncDirectory(path, done);
  }

  syncDirectoryNow(path: string): void {
    this.#disk.syncDirectoryNow(path);
  }
}

/**
 * Syncs need no look, because what they make durable was written after one. Reads do need one: a process that reads for
 * long renews its lease in no other way.
 */
class HeldFile implements File {
  readonly #file: File;
  readonly #check: () => void;

  constructor(file: File, check: () => void) {
    this.#file = file;
    this.#check = check;
  }

  get size(): number {
    return this.#file.size;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#check();
    this.#file.write(offset, bytes);
  }

  read(offset: number, length: number): Uint8Array {
    this.#check();
    return this.#file.read(offset, length);
  }

  truncate(size: number): void {
    this.#check();
    this.#file.truncate(size);
  }

  sync(done: (error: PortError | null) => void): void {
    this.#file.sync(done);
  }

  syncNow(): void {
    this.#file.syncNow();
  }

  close(): void {
    this.#file.close();
  }
}

function lostText({ code, message }: PortError): string {
  return code === "ELOST"
    ? `the data directory is not this process's any more (${message}): it stood still, or could not be seen, for too long, or its files were moved. It stops; nothing that was sent is lost`
    : `whether the data directory is still this process's cannot be seen (${message}), so it stops; nothing that was sent is lost: check the disk, then start again`;
}

export interface OutwaitEvents {
  /** Called once for each holder, with words for people: which holder this start waits for, and how long. */
  waiting(message: string): void;
  /** The directory is locked. */
  taken(): void;
  refused(error: PortError): void;
}

/** Waits, at a start, to see whether the holder of the directory lives. */
export class Outwait {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #events: OutwaitEvents;
  readonly #force: boolean;
  #holder: Holder;
  /** How long the lease has not moved, without the time in which nobody looked. */
  #stillMs = 0;
  #lookedAt: number;
  #isTaken = false;
  #timer: Timer | null = null;

  /** `holder`: as `disk.lock()` returned it. `force`: a person says that it is dead. */
  constructor(disk: Disk, clock: Clock, holder: Holder, force: boolean, events: OutwaitEvents) {
    this.#disk = disk;
    this.#clock = clock;
    this.#events = events;
    this.#force = force;
    this.#holder = holder;
    this.#lookedAt = clock.now();
    if (!force) events.waiting(waitingText(holder));
    this.#after(0, () => (force ? this.#take() : this.#watch()));
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#isTaken) this.#disk.unlock();
    this.#isTaken = false;
  }

  #watch(): void {
    const now = this.#clock.now();
    this.#stillMs += Math.min(now - this.#lookedAt, 2 * LOCK_LOOK_MS);
    this.#lookedAt = now;
    const holder = this.#disk.lock();
    if (holder === null) return this.#events.taken();
    if (holder.name !== this.#holder.name) {
      this.#stillMs = 0;
      this.#holder = holder;
      this.#events.waiting(waitingText(holder));
    } else if (holder.lease !== this.#holder.lease) {
      return this.#events.refused(heldElsewhere(holder));
    } else if (this.#stillMs >= LOCK_LEASE_MS) return this.#take();
    this.#after(LOCK_LOOK_MS, () => this.#watch());
  }

  #take(): void {
    const holder = this.#disk.lock(this.#holder);
    if (holder === null) {
      this.#isTaken = true;
      return this.#settle(LOCK_SETTLE_MS);
    }
    const isSame = holder.name === this.#holder.name;
    if (isSame && !this.#force) return this.#events.refused(heldElsewhere(holder));
    if (!isSame) return this.#watch();
    // Its lease moves, but a person says that it is dead.
    this.#holder = holder;
    this.#after(0, () => this.#take());
  }

  #settle(leftMs: number): void {
    this.#disk.renewLock();
    if (leftMs <= 0) {
      this.#isTaken = false;
      return this.#events.taken();
    }
    this.#after(Math.min(leftMs, LOCK_LOOK_MS), () => this.#settle(leftMs - LOCK_LOOK_MS));
  }

  #after(ms: number, work: () => void): void {
    this.#timer = this.#clock.after(ms, () => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof PortError)) throw error;
        this.#events.refused(error);
      }
    });
  }
}

function waitingText({ who }: Holder): string {
  return `the data directory is held by ${who}, which cannot be seen from here: waiting ${LOCK_LEASE_MS / 1000} s to see whether it still runs (--take-lock if it surely does not)`;
}

/** The error for a holder that cannot be seen, and lives or may live. */
export function heldElsewhere({ who }: Holder): PortError {
  return new PortError("ELOCKED", `${who} has it, and renews its lease`);
}
