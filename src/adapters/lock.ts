/**
 * One process per data directory [D1], by file names alone: Node has no flock, and Bun, Node and Deno must see the same.
 *
 * `lock/` always holds exactly one file, whose name says who has the directory: `free`, or
 * `<pid>-<start time>-<boot>-<random>`. It changes hands only by renaming that one file. A rename takes its source away,
 * so of all who saw the same name one succeeds and the others look again: a compare-and-swap, and taking over from the
 * dead is no different from taking what is free. A random word in the name makes each holder's name one of a kind.
 *
 * A holder is dead when its pid is gone, is a zombie, started at another time (the pid was used again), or ran before
 * the machine's last boot. A process in another container that shares the directory but not the pids cannot be seen:
 * never mount one data directory into two of them.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PortError } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import { systemClock } from "./clock.ts";

const FREE = "free";
/** Each round ends in a win, a living holder, or means that somebody else has won a round: starters are few. */
const ROUNDS_MAX = 10_000;

/** Takes the directory and returns the function that gives it back. Throws PortError("ELOCKED") and what node:fs throws. */
export function takeLock(root: string): () => void {
  const lock = join(root, "lock");
  const own = `${process.pid}-${startTime(process.pid) ?? ""}-${bootId()}-${systemClock.word(12)}`;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const names = entries(lock);
    if (names.length === 0) makeLock(root, lock);
    for (const name of names) {
      const holder = livingHolder(name);
      if (holder !== null) throw new PortError("ELOCKED", `process ${holder} has it`);
      if (moved(join(lock, name), join(lock, own))) return () => void moved(join(lock, own), join(lock, FREE));
    }
  }
  throw new PortError("EBUSY", `${lock} changes hands all the time`);
}

/** Puts `lock/` with its one file in place as a whole: the rename fails if there is one that is not empty. */
function makeLock(root: string, lock: string): void {
  const fresh = join(root, `lock.${systemClock.word(12)}`);
  mkdirSync(fresh);
  writeFileSync(join(fresh, FREE), "");
  if (!moved(fresh, lock)) rmSync(fresh, { recursive: true, force: true });
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

/** The pid in a holder's name, if that very process still runs. */
function livingHolder(name: string): number | null {
  const [pid, start, boot] = name.split("-");
  const holder = Number(pid);
  if (!Number.isSafeInteger(holder) || holder < 1 || boot !== bootId()) return null;
  return startTime(holder) === start ? holder : null;
}

/** When a process started, in a form that is the same for everyone who asks; null if it does not run. */
function startTime(pid: number): string | null {
  if (process.platform === "linux") {
    try {
      // pid (name) state ppid …: the name may hold anything, so the fields are counted from the last ")". [proc(5)]
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
    } catch (error) {
      if (["ENOENT", "ESRCH"].includes(codeOf(error))) return null;
      throw error;
    }
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== "EPERM") return null;
  }
  if (process.platform === "win32") return "";
  try {
    const { execFileSync } = loadChildProcess();
    const answer = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { LC_ALL: "C", TZ: "UTC" },
    }).trim();
    const [state = "", ...start] = answer.split(/\s+/);
    return state.startsWith("Z") ? null : start.join("").replace(/[^A-Za-z0-9]/g, "");
  } catch {
    // ps ends with 1 when there is no such process any more.
    return null;
  }
}

/** Of no use where there is a /proc; it takes 2 MB. */
function loadChildProcess(): typeof import("node:child_process") {
  return builtin("node:child_process");
}

function bootId(): string {
  if (process.platform !== "linux") return "";
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
