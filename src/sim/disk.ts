/**
 * A disk in memory that forgets. Every file keeps apart what was written (what a process reads back, the page cache)
 * and what is durable (what a power cut leaves); names in a directory likewise. `kill` ends the process: what was
 * written stays. `crash` cuts the power: of what was not synced any part may survive, as real disks have it.
 *
 * Everything follows from the calls and from `random`, so a seed replays it.
 */
import { assert } from "../core/assert.ts";
import { type Clock, type Disk, type File, type Holder, PortError } from "../host/contracts.ts";
import { Inode } from "./inode.ts";

export type DiskCall = "write" | "truncate" | "sync" | "create" | "rename" | "remove" | "sync-directory";

/** What goes wrong; a test changes it at any time. */
export interface DiskFaults {
  /** Bytes that all files together may hold; a write takes what fits, then ENOSPC. */
  capacity: number;
  /** Files that there may be; one more is ENOSPC, whatever room there is: a file system out of inodes. */
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

/** One change to the names of a directory, in the order made: path → file, or null where the name is gone. */
interface NameChange {
  readonly order: number;
  readonly directory: string;
  readonly effects: readonly (readonly [path: string, file: Inode | null])[];
}

/** Somebody who has files open. Whoever is at another place is not seen to live or to be dead. */
interface User {
  readonly place: string;
  /** Carries the time of its asynchronous syncs. */
  readonly clock: Pick<Clock, "after">;
  ended: boolean;
}

/** Who has the lock. */
interface Held {
  readonly user: User;
  readonly number: number;
  renewals: number;
}

export class VirtualDisk implements Disk {
  readonly faults: DiskFaults = {
    ...{ capacity: Number.POSITIVE_INFINITY, filesMax: Number.POSITIVE_INFINITY },
    ...{ syncMs: () => 0, syncError: null, before: null },
  };
  readonly clock: Pick<Clock, "after">;
  readonly #random: () => number;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #changes: NameChange[] = [];
  /** Changes to names so far. */
  #order = 0;
  /** Directories are durable as soon as they are made. */
  readonly #directories = new Set<string>([""]);
  #holder: Held | null = null;
  /** Holders so far. */
  #holders = 0;
  /** Whose port this is; `beside` makes those of others. Files and syncs of one that has ended are dead. */
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

  /** The power is cut: what was not synced survives in part, torn or not at all. Whoever had the lock is known to be dead. */
  crash(): void {
    this.kill();
    this.#holder = null;
    this.#crashNames();
    for (const file of new Set(this.#durableNames.values())) file.crash(this.#random);
    this.#names = new Map(this.#durableNames);
    this.#changes = [];
  }

  /** Bit rot and careless people: changes what is in a file, synced, behind everyone's back. Null removes the file. */
  damage(path: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    const file = this.#names.get(path);
    assert(file !== undefined, `${path} is there to be damaged`);
    const bytes = change(file.bytes());
    if (bytes === null) {
      this.#names.delete(path);
      this.#durableNames.delete(path);
    } else file.replace(bytes);
  }

  /** The last file of a directory by name, if it has one. */
  newest(directory: string): string | undefined {
    let newest: string | undefined;
    for (const path of this.#names.keys())
      if (path.startsWith(`${directory}/`) && (newest === undefined || path > newest)) newest = path;
    return newest;
  }

  /** Paths of all files as a process sees them, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** What a process would read. */
  contents(path: string): Uint8Array {
    const file = this.#names.get(path);
    assert(file !== undefined, `${path} is there`);
    return file.bytes();
  }

  /** What a power cut would leave for certain; nothing of a file whose name is not durable. */
  durableContents(path: string): Uint8Array {
    return this.#durableNames.get(path)?.durableBytes() ?? new Uint8Array(0);
  }

  /** The file that a power cut would leave under this name. */
  durableFile(path: string): Inode | undefined {
    return this.#durableNames.get(path);
  }

  /** Durable files from elsewhere: a restored backup. */
  fill(files: ReadonlyMap<string, Uint8Array>): void {
    for (const [path, bytes] of files) {
      this.makeDirectory(directoryOf(path));
      const file = new Inode();
      file.replace(bytes);
      this.#names.set(path, file);
      this.#durableNames.set(path, file);
    }
  }

  /** Bytes that still fit. */
  get room(): number {
    if (this.faults.capacity === Number.POSITIVE_INFINITY) return this.faults.capacity;
    let held = 0;
    for (const file of new Set(this.#names.values())) held += file.size;
    return this.faults.capacity - held;
  }

  /**
   * Journaling file systems keep the order of changes to names, POSIX does not ask for it: mostly a prefix survives,
   * sometimes an arbitrary part.
   */
  #crashNames(): void {
    const ordered = this.#random() < 0.5;
    const kept = Math.floor(this.#random() * (this.#changes.length + 1));
    this.#changes.forEach((change, i) => {
      if (ordered ? i < kept : this.#random() < 0.5) this.#settle(change);
    });
  }

  #settle({ effects }: NameChange): void {
    for (const [path, file] of effects) {
      if (file === null) this.#durableNames.delete(path);
      else this.#durableNames.set(path, file);
    }
  }

  // ── the port ───────────────────────────────────────────────────────────────────────────────────────────────────

  lock(dead?: Holder, user = this.user): Holder | null {
    const held = this.#holder;
    if (held !== null && !(held.user.place === user.place && held.user.ended)) {
      if (held.user.place === user.place) throw new PortError("ELOCKED", "another process has it");
      const seen = { name: `holder ${held.number}`, who: `a process ${held.user.place}`, lease: `${held.renewals}` };
      if (seen.name !== dead?.name || seen.lease !== dead.lease) return seen;
    }
    this.#holders += 1;
    this.#holder = { user, number: this.#holders, renewals: 0 };
    return null;
  }

  renewLock(user = this.user): null {
    const held = this.#holder;
    if (held?.user !== user)
      throw new PortError("ELOST", held === null ? "its lock is free" : `a process ${held.user.place} has taken it`);
    held.renewals += 1;
    return null;
  }

  unlock(user = this.user): void {
    if (this.#holder?.user === user) this.#holder = null;
  }

  /** Somebody says that whoever had the lock and has ended is dead: nobody waits to see it. */
  unlockDead(): void {
    if (this.#holder?.user.ended === true) this.#holder = null;
  }

  holds(user = this.user): boolean {
    return this.#holder?.user === user;
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
        if (new Set(this.#names.values()).size >= this.faults.filesMax) throw noRoom("open", path);
        file = new Inode();
        this.#rename([[path, file]]);
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
    this.#rename([
      [from, null],
      [to, file],
    ]);
  }

  remove(path: string): void {
    if (!this.#names.has(path)) throw missing("remove", path);
    this.faults.before?.("remove", path);
    this.#rename([[path, null]]);
  }

  syncDirectory(path: string, done: (error: PortError | null) => void, user = this.user): void {
    this.faults.before?.("sync-directory", path);
    const through = this.#order;
    const known = this.#directories.has(path);
    this.later(
      user,
      path,
      (error) => done(known ? error : missing("sync", path)),
      (failed) => this.#syncNames(path, through, failed),
    );
  }

  syncDirectoryNow(path: string): void {
    if (!this.#directories.has(path)) throw missing("sync", path);
    this.faults.before?.("sync-directory", path);
    const error = this.syncFailure(path);
    this.#syncNames(path, this.#order, error !== null);
    if (error !== null) throw error;
  }

  /** A completion after the time a sync takes; never where the process has ended. */
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

  #syncNames(directory: string, through: number, failed: boolean): void {
    const covered = this.#changes.filter((c) => c.directory === directory && c.order <= through);
    this.#changes = this.#changes.filter((c) => !covered.includes(c));
    if (!failed) for (const change of covered) this.#settle(change);
  }

  #rename(effects: NameChange["effects"]): void {
    for (const [path, file] of effects) {
      if (file === null) this.#names.delete(path);
      else this.#names.set(path, file);
    }
    const last = effects[effects.length - 1] as NameChange["effects"][number];
    this.#changes.push({ order: ++this.#order, directory: directoryOf(last[0]), effects });
  }

  #demandDirectory(path: string): void {
    if (!this.#directories.has(directoryOf(path))) throw missing("open", path);
  }
}

class VirtualFile implements File {
  readonly #disk: VirtualDisk;
  readonly #user: User;
  readonly #file: Inode;
  readonly #path: string;
  readonly #readOnly: boolean;
  #closed = false;

  constructor(disk: VirtualDisk, user: User, file: Inode, path: string, readOnly: boolean) {
    this.#disk = disk;
    this.#user = user;
    this.#file = file;
    this.#path = path;
    this.#readOnly = readOnly;
  }

  get size(): number {
    return this.#file.size;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#use("write");
    assert(
      offset <= this.#file.size,
      `a write at ${offset} of ${this.#path}, which ends at ${this.#file.size}, leaves a hole`,
    );
    const growth = Math.max(0, offset + bytes.length - this.#file.size);
    const fits = Math.max(0, Math.min(growth, this.#disk.room));
    const taken = bytes.slice(0, bytes.length - growth + fits);
    if (taken.length > 0) this.#file.change({ at: offset, bytes: taken });
    if (fits < growth) throw noRoom("write", this.#path);
  }

  read(offset: number, length: number): Uint8Array {
    assert(!this.#closed && !this.#user.ended, `${this.#path} is read while open`);
    return this.#file.read(offset, length);
  }

  truncate(size: number): void {
    this.#use("truncate");
    assert(size <= this.#file.size, `${this.#path} is not made longer by truncation`);
    if (size < this.#file.size) this.#file.change({ at: size, bytes: null });
  }

  sync(done: (error: PortError | null) => void): void {
    this.#use("sync");
    const covered = this.#file.newest;
    const settle = (failed: boolean) => this.#file.settle(covered, failed);
    this.#disk.later(this.#user, this.#path, (error) => this.#closed || done(error), settle);
  }

  syncNow(): void {
    this.#use("sync");
    const error = this.#disk.syncFailure(this.#path);
    this.#file.settle(this.#file.newest, error !== null);
    if (error !== null) throw error;
  }

  close(): void {
    this.#closed = true;
  }

  #use(call: DiskCall): void {
    assert(!this.#closed && !this.#user.ended, `${this.#path} is used while open`);
    if (this.#readOnly)
      throw new PortError("EBADF", `cannot ${call} ${this.#path}: it is open for reading only (EBADF)`);
    this.#disk.faults.before?.(call, this.#path);
  }
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function noRoom(action: string, path: string): PortError {
  return new PortError("ENOSPC", `cannot ${action} ${path}: no space left on device (ENOSPC)`);
}

function missing(action: string, path: string): PortError {
  return new PortError("ENOENT", `cannot ${action} ${path}: no such file or directory (ENOENT)`);
}
