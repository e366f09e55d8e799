/** An open file of a virtual disk, by the contract of `File`. */
import { assert } from "../core/assert.ts";
import { type Clock, type File, PortError } from "../host/contracts.ts";
import type { Inode } from "./inode.ts";

export type DiskCall = "write" | "truncate" | "sync" | "create" | "rename" | "remove" | "sync-directory";

/** A process that has files open. Processes at different places do not see whether the other one lives. */
export interface User {
  readonly place: string;
  /** Carries the time of its asynchronous syncs. */
  readonly clock: Pick<Clock, "after">;
  ended: boolean;
}

/** What a file needs of its disk. */
export interface FileDisk {
  /** Bytes that still fit. */
  readonly room: number;
  readonly faults: { readonly before: ((call: DiskCall, path: string) => void) | null };
  /** Completes after the time that a sync takes; never where the process has ended. */
  later(user: User, path: string, done: (error: PortError | null) => void, settle: (failed: boolean) => void): void;
  syncFailure(path: string): PortError | null;
}

export class VirtualFile implements File {
  readonly #disk: FileDisk;
  readonly #user: User;
  readonly #file: Inode;
  readonly #path: string;
  readonly #readOnly: boolean;
  #closed = false;

  constructor(disk: FileDisk, user: User, file: Inode, path: string, readOnly: boolean) {
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

export function noRoom(action: string, path: string): PortError {
  return new PortError("ENOSPC", `cannot ${action} ${path}: no space left on device (ENOSPC)`);
}
