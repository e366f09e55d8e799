/**
 * The place where this process runs, and whether another process runs there: what one kernel can see of processes, and
 * what distinguishes it from other kernels.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { builtin } from "./builtin.ts";
import { codeOf } from "./system-errors.ts";

const HOST_CHARS_MAX = 64;
export const HAS_BOOT_ID = process.platform === "linux" || process.platform === "darwin";
export const HAS_PID_NAMESPACES = process.platform === "linux";

export interface Place {
  /** Identifies one start of one kernel; "" if it cannot be read. */
  readonly boot: string;
  /** The pid namespace; "" where it cannot be read. */
  readonly pids: string;
  readonly host: string;
}

export function placeOf(): Place {
  return {
    boot: bootId(),
    pids: pidNamespace(),
    host: hostname()
      .slice(0, HOST_CHARS_MAX)
      .replace(/[^A-Za-z0-9.-]/g, "_"),
  };
}

/** Identifies the kernel's start; "" if it cannot be read, as in a service that sees only the processes in /proc. */
function bootId(): string {
  try {
    if (process.platform === "linux") return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").slice(0, 8);
    if (process.platform === "darwin") return run("sysctl", ["-n", "kern.bootsessionuuid"]).slice(0, 8);
  } catch {
    // Without it, leases decide.
  }
  return "";
}

/** The pid namespace; "" if it cannot be read, or if /proc belongs to another namespace. */
function pidNamespace(): string {
  if (!HAS_PID_NAMESPACES) return "";
  try {
    if (readlinkSync("/proc/self") !== String(process.pid)) return "";
    return readlinkSync("/proc/self/ns/pid").replace(/[^0-9]/g, "");
  } catch {
    return "";
  }
}

/**
 * The start time of this process; "" if it may not look, as in Deno without all permissions: it does not see the boot
 * either, and leases decide.
 */
export function ownStartTime(): string {
  try {
    return startTime(process.pid) ?? "";
  } catch {
    return "";
  }
}

/** When a process started, in a form that is the same for everyone who asks; null if it does not run. */
export function startTime(pid: number): string | null {
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
    const [state = "", ...start] = run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]).split(/\s+/);
    return state.startsWith("Z") ? null : start.join("").replace(/[^A-Za-z0-9]/g, "");
  } catch {
    // ps ends with 1 if there is no such process.
    return null;
  }
}

function run(command: string, args: readonly string[]): string {
  const { execFileSync } = loadChildProcess();
  return execFileSync(command, [...args], { encoding: "utf8", env: { LC_ALL: "C", TZ: "UTC" } }).trim();
}

/** Loaded late, because it takes 2 MB and is not needed where there is a /proc. */
function loadChildProcess(): typeof import("node:child_process") {
  return builtin("node:child_process");
}
