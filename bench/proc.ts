/** What Linux tells of a process, of the loopback device and of a folder. NaN where it is not told (another system, a process that is gone). */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Usage {
  /** Resident memory now and at its peak, MB (10⁶ bytes). */
  readonly residentMb: number;
  readonly peakMb: number;
  /** Processor seconds, user and system. */
  readonly cpuSeconds: number;
  /** Bytes that this process had the system write to storage. */
  readonly writtenBytes: number;
}

/** Of /proc/PID/stat: 100 on every Linux that Bun runs on. */
const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage {
  const status = read(`/proc/${pid}/status`);
  const kb = (field: string) =>
    (Number(new RegExp(`${field}:\\s+([0-9]+) kB`).exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    residentMb: kb("VmRSS"),
    peakMb: kb("VmHWM"),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    writtenBytes: Number(/^write_bytes: ([0-9]+)/m.exec(read(`/proc/${pid}/io`))?.[1] ?? Number.NaN),
  };
}

/** Bytes sent over the loopback device so far, TCP/IP headers included, by every process of this machine. */
export function loopbackBytes(): number {
  const line = /^\s*lo:(.*)$/m.exec(read("/proc/net/dev"))?.[1] ?? "";
  return Number(line.trim().split(/\s+/)[8] ?? Number.NaN);
}

/** Bytes of all files in a folder and below. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    bytes += entry.isDirectory() ? folderBytes(path) : statSync(path).size;
  }
  return bytes;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
