/**
 * One process per data directory [D1], by file names alone: Node has no flock, a network directory may have none, and
 * Bun, Node and Deno must see the same.
 *
 * `lock/` always holds exactly one file, whose name says who has the directory: `free`, or `<pid>-<start
 * time>-<boot>-<random>-<pid namespace>-<host>`. It changes hands only by renaming that one file. A rename removes its
 * source, so of all processes that saw the same name one succeeds, and the others look again: it is a compare-and-swap.
 * Taking over from a dead holder works like taking a free lock. A random word in the name makes each holder's name
 * unique.
 *
 * A process on the same kernel and in the same pid namespace sees whether a holder lives: it is dead when its pid is
 * gone, is a zombie, or started at another time (the pid was used again). All other processes see its lease: a count in
 * the file, which the holder raises whenever it looks at the lock. The file is opened anew for each look, because a
 * network file system asks its server then. Some ask only for the content and not for the name, so the name is in the
 * file, too.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Holder, PortError } from "../host/contracts.ts";
import { systemClock } from "./clock.ts";
import { HAS_BOOT_ID, HAS_PID_NAMESPACES, ownStartTime, type Place, placeOf, startTime } from "./place.ts";
import { codeOf, fileError } from "./system-errors.ts";

const FREE = "free";
/**
 * Limit for the rounds of a start. In each round this process wins, finds a living holder, or another process has won;
 * few processes start at a time.
 */
const ROUNDS_MAX = 10_000;
/** The count is before the name, so that a late look of a holder that has lost the lock changes only the count. */
const COUNT_BYTES = 16;
/** The file has this size from the beginning, so that a look needs no room on the disk. */
const FILE_BYTES = 512;
/** Stands for the pid namespace of a holder that wrote none: it renews nothing, so that it is judged by its pid alone. */
const BEFORE_LEASES = "before leases";
/**
 * File systems that only one kernel at a time can mount, as `statfs` numbers them: ext2 to ext4, XFS, Btrfs, F2FS, ZFS.
 * A lock there with another boot id was held before this kernel's start.
 */
const OF_ONE_KERNEL: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1]);

/** A lock that this process has taken. */
export class Lock {
  readonly #directory: string;
  readonly #name: string;
  #looks = 0;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
  }

  /**
   * Checks that this process still has the lock, and raises the count. Throws PortError("ELOST") if it has lost the
   * lock, and an error of node:fs if that cannot be seen. Returns why the count could not be raised, or null.
   */
  renew(): PortError | null {
    const path = join(this.#directory, this.#name);
    let refused: PortError | null = null;
    let fd: number;
    try {
      fd = openSync(path, "r+");
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ESTALE") throw lost(this.#directory);
      if (code === "EMFILE" || code === "ENFILE") return this.#touch(path);
      if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") throw error;
      refused = fileError("renew the lease of", path, error);
      fd = openSync(path, "r");
    }
    try {
      if (nameIn(fd) !== this.#name) throw lost(this.#directory);
      return refused ?? this.#raise(fd, path);
    } finally {
      closeSync(fd);
    }
  }

  release(): void {
    moved(join(this.#directory, this.#name), join(this.#directory, FREE));
  }

  #raise(fd: number, path: string): PortError | null {
    this.#looks += 1;
    try {
      writeSync(fd, countOf(this.#looks), 0, "latin1");
      return null;
    } catch (error) {
      return fileError("renew the lease of", path, error);
    }
  }

  /** For when no file handle is left: the time of an existing name can still be set. */
  #touch(path: string): null {
    try {
      const now = systemClock.wall() / 1000;
      utimesSync(path, now, now);
      return null;
    } catch (error) {
      throw codeOf(error) === "ENOENT" ? lost(this.#directory) : error;
    }
  }
}

/**
 * Takes the directory, or returns the holder if it cannot be seen whether that lives. Throws PortError("ELOCKED"), and
 * errors of node:fs.
 */
export function takeLock(root: string, dead?: Holder): Lock | Holder {
  const directory = join(root, "lock");
  const here = placeOf();
  const own = [process.pid, ownStartTime(), here.boot, systemClock.word(12), here.pids, here.host].join("-");
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const names = entries(directory);
    if (names.length === 0) makeLock(root, directory);
    for (const name of names) {
      const state = stateOf(name, here, directory);
      if (state === "alive") throw new PortError("ELOCKED", `${whoIs(name, here)} has it`);
      if (state === "unseen") {
        const seen = look(directory, name);
        if (seen === null) continue;
        if (seen.name !== dead?.name || seen.lease !== dead.lease) return seen;
      }
      if (moved(join(directory, name), join(directory, own))) return begin(directory, own);
    }
  }
  throw new PortError("EBUSY", `${directory} changes hands all the time`);
}

function begin(directory: string, own: string): Lock {
  try {
    const fd = openSync(join(directory, own), "r+");
    try {
      writeSync(fd, `${countOf(0)}\n${own}\n`.padEnd(FILE_BYTES), 0, "latin1");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    moved(join(directory, own), join(directory, FREE));
    throw error;
  }
  return new Lock(directory, own);
}

/** Puts `lock/` with its one file in place as a whole. The rename fails if there is already one that is not empty. */
function makeLock(root: string, directory: string): void {
  const fresh = join(root, `lock.${systemClock.word(12)}`);
  mkdirSync(fresh);
  writeFileSync(join(fresh, FREE), "");
  if (!moved(fresh, directory)) rmSync(fresh, { recursive: true, force: true });
}

/** Whether this process made the move; false if another was there first. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTEMPTY", "EEXIST"].includes(codeOf(error))) return false;
    throw error;
  }
}

/** A rename under way can hide the one file from a listing: an empty answer means "look again". */
function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

// ── who has it ─────────────────────────────────────────────────────────────────────────────────────────────────────

interface HolderName extends Place {
  readonly pid: number;
  readonly started: string;
}

/** Parses a holder's name; null if no holder has written it. Names from before there were leases have fewer parts. */
function parseName(name: string): HolderName | null {
  const [pid, started = "", boot = "", , pids, ...host] = name.split("-");
  const holder = Number(pid);
  if (!Number.isSafeInteger(holder) || holder < 1) return null;
  return { pid: holder, started, boot, pids: pids ?? BEFORE_LEASES, host: host.join("-") };
}

/** `dead` counts as free; `unseen` means that only the lease can tell. */
function stateOf(name: string, here: Place, directory: string): "dead" | "alive" | "unseen" {
  const holder = parseName(name);
  if (holder === null) return "dead";
  const byPid = () => (startTime(holder.pid) === holder.started ? "alive" : "dead");
  if (holder.pids === BEFORE_LEASES) return holder.boot === here.boot ? byPid() : "dead";
  const sameBoot = holder.boot === here.boot && (here.boot !== "" || !HAS_BOOT_ID);
  const samePids = holder.pids === here.pids && (here.pids !== "" || !HAS_PID_NAMESPACES);
  if (sameBoot && samePids && holder.host === here.host) return byPid();
  if (!isOfOneKernel(directory)) return "unseen";
  const knowsBoots = holder.boot !== "" && here.boot !== "";
  if (knowsBoots && !sameBoot) return "dead";
  return samePids ? byPid() : "unseen";
}

function isOfOneKernel(directory: string): boolean {
  return process.platform === "linux" && OF_ONE_KERNEL.has(statfsSync(directory).type);
}

/** The holder as seen from here; null if it has gone meanwhile. */
function look(directory: string, name: string): Holder | null {
  try {
    const fd = openSync(join(directory, name), "r");
    try {
      const lease = `${text(fd)} ${fstatSync(fd).mtimeMs}`;
      return { name, who: whoIs(name, null), lease };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (["ENOENT", "ESTALE"].includes(codeOf(error))) return null;
    throw error;
  }
}

function lost(directory: string): PortError {
  const [name] = entries(directory).filter((entry) => entry !== FREE);
  return new PortError("ELOST", name === undefined ? "its lock is gone" : `${whoIs(name, null)} has taken it`);
}

/** The holder in words, without its host if that is this one. */
function whoIs(name: string, here: Place | null): string {
  const { pid = 0, host = "" } = parseName(name) ?? {};
  return `process ${pid}${host === "" || host === here?.host ? "" : ` on ${host}`}`;
}

function nameIn(fd: number): string {
  return text(fd).slice(COUNT_BYTES).split("\n")[1] ?? "";
}

function text(fd: number): string {
  const bytes = new Uint8Array(FILE_BYTES);
  return new TextDecoder("latin1").decode(bytes.subarray(0, readSync(fd, bytes, 0, FILE_BYTES, 0)));
}

function countOf(looks: number): string {
  return String(looks).padStart(COUNT_BYTES, "0");
}
