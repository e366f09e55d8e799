/**
 * A disk in memory that can lose writes. Every file keeps apart what was written (what a process reads back: the page
 * cache) and what is durable (what a power cut leaves). Names in a directory are kept likewise. `kill` ends the
 * process: everything written stays. `crash` cuts the power: any part of what was not synced may survive, as on real
 * disks.
 *
 * Everything follows from the calls and from `random`, so the same seed gives the same run.
 */
import { assert } from "../core/assert.ts";
import { type Clock, type Disk, type File, type Holder, PortError } from "../host/contracts.ts";
import { directoryOf, FileNames } from "./file-names.ts";
import { Inode } from "./inode.ts";
import { type DiskCall, noRoom, type User, VirtualFile } from "./virtual-file.ts";
import { VirtualLock } from "./virtual-lock.ts";

/** What goes wrong; a test changes it at any time. */
export interface DiskFaults {
  /** Bytes that all files together may hold; a write takes what fits, then ENOSPC. */
  capacity: number;
  /**
   * Number of files that there may be. One more is ENOSPC, whatever room there is: the file system is out of inodes.
   */
  filesMax: number;
  /** Virtual milliseconds of the next sync. */
  syncMs: () => number;
  /** Code with which syncs fail, or null. What a failed sync covered never becomes durable [D3]. */
  syncError: string | null;
  /** Sees each call that changes or syncs something, before it is carried out; may throw. */
  before: ((call: DiskCall, path: string) => void) | null;
}

export interface VirtualDiskOptions {
  /** Carries the time of asynchronous syncs. */
  readonly clock: Pick<Clock, "after">;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class VirtualDisk implements Disk {
  readonly faults: DiskFaults = {
    ...{ capacity: Number.POSITIVE_INFINITY, filesMax: Number.POSITIVE_INFINITY },
    ...{ syncMs: () => 0, syncError: null, before: null },
  };
  readonly clock: Pick<Clock, "after">;
  readonly #random: () => number;
  readonly #names = new FileNames();
  readonly #lock = new VirtualLock();
  /** Directories are durable as soon as they are made. */
  readonly #directories = new Set<string>([""]);
  /**
   * The process that uses this port; `beside` makes ports of other processes. Files and syncs of a process that has
   * ended are dead.
   */
  user: User;

  constructor({ clock, random }: VirtualDiskOptions) {
    this.clock = clock;
    this.user = { place: "here", clock, ended: false };
    this.#random = random;
  }

  // ── what happens to a machine ──────────────────────────────────────────────────────────────────────────────────

  /** The process is gone; the machine goes on. */
  kill(): void {
    this.user.ended = true;
    this.user = { ...this.user, ended: false };
  }

  /**
   * The power is cut: what was not synced survives in part, torn or not at all. The holder of the lock is known to be
   * dead.
   */
  crash(): void {
    this.kill();
    this.#lock.free();
    this.#names.crash(this.#random);
    for (const file of this.#names.durableFiles()) file.crash(this.#random);
  }

  /**
   * Bit rot, or a careless person: changes the content of a file, durably, without any process noticing. Null removes
   * the file.
   */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    const file = this.#names.get(path);
    assert(file !== undefined, `${path} is there to be damaged`);
    const bytes = change(file.bytes());
    if (bytes === null) this.#names.drop(path);
    else file.replace(bytes);
  }

  /** The last file of a directory by name, if it has one. */
  newest(directory: string): string | undefined {
    let newest: string | undefined;
    for (const path of this.#names.paths())
      if (path.startsWith(`${directory}/`) && (newest === undefined || path > newest)) newest = path;
    return newest;
  }

  /** Paths of all files as a process sees them, sorted. */
  paths(): string[] {
    return [...this.#names.paths()].sort();
  }

  /** What a process would read. */
  contents(path: string): Uint8Array {
    const file = this.#names.get(path);
    assert(file !== undefined, `${path} is there`);
    return file.bytes();
  }

  /** What a power cut would leave for certain; nothing of a file whose name is not durable. */
  durableContents(path: string): Uint8Array {
    return this.#names.durable(path)?.durableBytes() ?? new Uint8Array(0);
  }

  /** The file that a power cut would leave under this name. */
  durableFile(path: string): Inode | undefined {
    return this.#names.durable(path);
  }

  /** Puts durable files from elsewhere there, like a restored backup. */
  fill(files: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, bytes] of files) {
      this.makeDirectory(directoryOf(path));
      const file = new Inode();
      file.replace(bytes);
      this.#names.put(path, file);
    }
  }

  /** Bytes that still fit. */
  get room(): number {
    if (this.faults.capacity === Number.POSITIVE_INFINITY) return this.faults.capacity;
    let held = 0;
    for (const file of this.#names.files()) held += file.size;
    return this.faults.capacity - held;
  }

  // ── the port ───────────────────────────────────────────────────────────────────────────────────────────────────

  lock(dead?: Holder, user = this.user): Holder | null {
    return this.#lock.take(user, dead);
  }

  renewLock(user = this.user): null {
    return this.#lock.renew(user);
  }

  unlock(user = this.user): void {
    this.#lock.giveBack(user);
  }

  /** A person says that the holder of the lock is dead, if it has ended: so nobody has to wait. */
  unlockDead(): void {
    this.#lock.freeDead();
  }

  holds(user = this.user): boolean {
    return this.#lock.isOf(user);
  }

  /** The port of another process that does not see this one, nor is seen by it; both have the same files. */
  beside(place: string, clock: Pick<Clock, "after">): Disk & { holds(): boolean; kill(): void } {
    let user: User = { place, clock, ended: false };
    return {
      lock: (dead) => this.lock(dead, user),
      renewLock: () => this.renewLock(user),
      unlock: () => this.unlock(user),
      list: (directory) => this.list(directory),
      open: (path, mode) => this.open(path, mode, user),
      makeDirectory: (path) => this.makeDirectory(path),
      rename: (from, to) => this.rename(from, to),
      remove: (path) => this.remove(path),
      syncDirectory: (path, done) => this.syncDirectory(path, done, user),
      syncDirectoryNow: (path) => this.syncDirectoryNow(path),
      holds: () => this.holds(user),
      kill: () => {
        user.ended = true;
        user = { ...user, ended: false };
      },
    };
  }

  list(directory: string): string[] {
    return this.paths()
      .filter((path) => directoryOf(path) === directory)
      .map((path) => path.slice(directory === "" ? 0 : directory.length + 1));
  }

  open(path: string, mode: "existing" | "create" | "read", user = this.user): File {
    let file = this.#names.get(path);
    if (mode === "create") {
      this.#demandDirectory(path);
      this.faults.before?.("create", path);
      if (file === undefined) {
        if (this.#names.files().size >= this.faults.filesMax) throw noRoom("open", path);
        file = new Inode();
        this.#names.change([[path, file]]);
      } else file.change({ at: 0, bytes: null });
    }
    if (file === undefined) throw missing("open", path);
    return new VirtualFile(this, user, file, path, mode === "read");
  }

  makeDirectory(path: string): void {
    for (let directory = path; directory !== ""; directory = directoryOf(directory)) this.#directories.add(directory);
  }

  rename(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file === undefined) throw missing("rename", from);
    this.#demandDirectory(to);
    this.faults.before?.("rename", to);
    this.#names.change([
      [from, null],
      [to, file],
    ]);
  }

  remove(path: string): void {
    if (this.#names.get(path) === undefined) throw missing("remove", path);
    this.faults.before?.("remove", path);
    this.#names.change([[path, null]]);
  }

  syncDirectory(path: string, done: (error: PortError | null) => void, user = this.user): void {
    this.faults.before?.("sync-directory", path);
    const through = this.#names.order;
    const known = this.#directories.has(path);
    this.later(
      user,
      path,
      (error) => done(known ? error : missing("sync", path)),
      (failed) => this.#names.synced(path, through, failed),
    );
  }

  syncDirectoryNow(path: string): void {
    if (!this.#directories.has(path)) throw missing("sync", path);
    this.faults.before?.("sync-directory", path);
    const error = this.syncFailure(path);
    this.#names.synced(path, this.#names.order, error !== null);
    if (error !== null) throw error;
  }

  /** Completes after the time that a sync takes; never where the process has ended. */
  later(user: User, path: string, done: (error: PortError | null) => void, settle: (failed: boolean) => void): void {
    user.clock.after(this.faults.syncMs(), () => {
      if (user.ended) return;
      const error = this.syncFailure(path);
      settle(error !== null);
      done(error);
    });
  }

  syncFailure(path: string): PortError | null {
    const code = this.faults.syncError;
    return code === null ? null : new PortError(code, `cannot sync ${path}: the disk failed (${code})`);
  }

  #demandDirectory(path: string): void {
    if (!this.#directories.has(directoryOf(path))) throw missing("open", path);
  }
}

function missing(action: string, path: string): PortError {
  return new PortError("ENOENT", `cannot ${action} ${path}: no such file or directory (ENOENT)`);
}
