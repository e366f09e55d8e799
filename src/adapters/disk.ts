/**
 * The Disk port on node:fs, as Bun, Node and Deno all have it: descriptors with explicit offsets and fdatasync.
 * Streams are avoided: they hide short writes and have no sync.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Disk, type File, type Holder, PortError } from "../host/contracts.ts";
import { Lock, takeLock } from "./lock.ts";
import { codeOf, fileError } from "./system-errors.ts";

/** The directory `root` as a Disk. Nothing is touched before the first call. */
export function openDisk(root: string): Disk {
  return new PlatformDisk(root);
}

class PlatformDisk implements Disk {
  readonly #root: string;
  #lock: Lock | null = null;

  constructor(root: string) {
    this.#root = root;
  }

  lock(dead?: Holder): Holder | null {
    this.makeDirectory("");
    const taken = attempt("lock", this.#root, () => takeLock(this.#root, dead));
    if (!(taken instanceof Lock)) return taken;
    this.#lock = taken;
    return null;
  }

  renewLock(): PortError | null {
    const lock = this.#lock;
    if (lock === null) throw new PortError("ELOST", "this process has given it back");
    return attempt("look at the lock of", this.#root, () => lock.renew());
  }

  unlock(): void {
    const lock = this.#lock;
    this.#lock = null;
    if (lock !== null) attempt("unlock", this.#root, () => lock.release());
  }

  list(directory: string): string[] {
    const path = join(this.#root, directory);
    try {
      const entries = readdirSync(path, { withFileTypes: true });
      return entries
        .filter((e) => e.isFile())
        .map((e) => e.name)
        .sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw fileError("list", path, error);
    }
  }

  open(path: string, mode: "existing" | "create" | "read"): File {
    const full = join(this.#root, path);
    const flags = { existing: "r+", create: "w+", read: "r" }[mode];
    return attempt("open", full, () => {
      const fd = openSync(full, flags, 0o600);
      return new PlatformFile(fd, full, fstatSync(fd).size);
    });
  }

  makeDirectory(path: string): void {
    const full = join(this.#root, path);
    // If a power cut removed a directory its files would be lost, too: so each new name is made durable in its parent.
    for (const made of attempt("make", full, () => makeMissing(full)).reverse()) syncDirectory(dirname(made));
  }

  rename(from: string, to: string): void {
    const target = join(this.#root, to);
    attempt("write", target, () => renameSync(join(this.#root, from), target));
  }

  remove(path: string): void {
    const full = join(this.#root, path);
    attempt("remove", full, () => rmSync(full));
  }

  syncDirectory(path: string, done: (error: PortError | null) => void): void {
    const full = join(this.#root, path);
    let fd: number;
    try {
      fd = openDirectory(full);
    } catch (error) {
      setImmediate(done, fileError("sync", full, error));
      return;
    }
    fsync(fd, (error) => {
      closeSync(fd);
      done(error === null || error === undefined || ignoresDirectories(error) ? null : fileError("sync", full, error));
    });
  }

  syncDirectoryNow(path: string): void {
    syncDirectory(join(this.#root, path));
  }
}

class PlatformFile implements File {
  readonly #fd: number;
  readonly #path: string;
  #size: number;
  #syncs = 0;
  #closed = false;

  constructor(fd: number, path: string, size: number) {
    this.#fd = fd;
    this.#path = path;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  write(offset: number, bytes: Uint8Array): void {
    attempt("write", this.#path, () => {
      // A nearly full disk writes a part, and reports ENOSPC only at the next call.
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
        this.#size = Math.max(this.#size, offset + done);
      }
    });
  }

  read(offset: number, length: number): Uint8Array {
    return attempt("read", this.#path, () => {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)));
      let done = 0;
      while (done < bytes.length) {
        const got = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
        if (got === 0) break; // somebody made the file shorter
        done += got;
      }
      return done < bytes.length ? bytes.subarray(0, done) : bytes;
    });
  }

  truncate(size: number): void {
    attempt("truncate", this.#path, () => ftruncateSync(this.#fd, size));
    this.#size = size;
  }

  sync(done: (error: PortError | null) => void): void {
    this.#syncs += 1;
    fdatasync(this.#fd, (error) => {
      this.#syncs -= 1;
      if (!this.#closed)
        return done(error === null || error === undefined ? null : fileError("sync", this.#path, error));
      if (this.#syncs === 0) closeSync(this.#fd);
    });
  }

  syncNow(): void {
    attempt("sync", this.#path, () => fdatasyncSync(this.#fd));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The system uses a descriptor number again at once. So it is kept while a sync of this file runs in another
    // thread.
    if (this.#syncs === 0) closeSync(this.#fd);
  }
}

/**
 * Makes a directory and those above it that are missing. Returns what was made, the outermost first. `mkdirSync` with
 * `recursive` would try for ever under Node.js where a file system takes no directories and says ENOENT, as /proc does.
 */
function makeMissing(path: string): string[] {
  try {
    return makeOne(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
  }
  const above = makeMissing(dirname(path));
  return [...above, ...makeOne(path)];
}

/** Empty where it is there already. */
function makeOne(path: string): string[] {
  try {
    mkdirSync(path, { mode: 0o700 });
    return [path];
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [];
    throw error;
  }
}

function openDirectory(path: string): number {
  return openSync(path, "r");
}

function syncDirectory(path: string): void {
  try {
    const fd = openDirectory(path);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!ignoresDirectories(error)) throw fileError("sync", path, error);
  }
}

/**
 * Whether the error only says that directories cannot be synced: Windows opens none, and some file systems sync none.
 * Names are then as durable as the system makes them.
 */
function ignoresDirectories(error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === "EINVAL" || (process.platform === "win32" && (code === "EPERM" || code === "EISDIR" || code === "EACCES"))
  );
}

function attempt<T>(action: string, path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw fileError(action, path, error);
  }
}
