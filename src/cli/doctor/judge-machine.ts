/** Whether this machine can run a peer: runtime, disk, port, limits, clock. Leaves nothing behind. */
import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { platformVisit } from "../../adapters/platform.ts";
import { CONNECTIONS_PER_ADDRESS_MAX, DISK_SLOW_MS } from "../../core/config.ts";
import { DEFAULT_ENGINE } from "../../engines/default.ts";
import { type Finding, problem, well } from "./finding.ts";
import { greet } from "./greeting.ts";
import { portIsFree } from "./port.ts";

export interface Machine {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly id: number;
  /** Why this runtime is too old, or null; and what it is. */
  readonly tooOld: string | null;
  readonly runtime: string;
}

/** A full disk stops a chat: below this it is near. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** The median of this many measurements, or of as many as fit into the time that a person waits. */
const SYNCS = 15;
const SYNCS_MIN = 3;
const SYNCS_MS = 3000;
const SYNC_BYTES = 4096;
/** Segments, state files, what the runtime has open; beside these a peer has a connection for each member and client. */
const OTHER_FILES = 256;
const FILES_MIN = OTHER_FILES + CONNECTIONS_PER_ADDRESS_MAX;
const GREETING_MS_MAX = 1000;
const DAY_MS = 86_400_000;

export async function judgeMachine(machine: Machine): Promise<Finding[]> {
  const { tooOld, runtime, dataDir, host, port, id } = machine;
  return [
    tooOld === null ? well("runtime", runtime) : problem("runtime", "runtime", tooOld),
    ...disk(dataDir),
    await portFinding(host, port, id),
    ...openFiles(),
    clock(dataDir),
  ];
}

function disk(dataDir: string): Finding[] {
  const directory = existing(dataDir);
  const where = directory === dataDir ? dataDir : `${dataDir} (to be made in ${directory})`;
  const file = join(directory, `.chatpeer-doctor-${process.pid}`);
  try {
    const syncMs = timeSyncs(file);
    const { bavail, bsize } = statfsSync(directory);
    const free = bavail * bsize;
    const size = free < 10 * GIB ? `${Math.floor(free / MIB)} MiB` : `${Math.floor(free / GIB)} GiB`;
    return [
      well("data directory", `${where} can be written`),
      free >= FREE_BYTES_MIN
        ? well("free space", `${size} are free there`)
        : problem(
            "free space",
            "disk-full",
            `only ${size} are free in ${directory}: a full disk stops the chat; make room`,
          ),
      syncMs < DISK_SLOW_MS
        ? well("fsync", `${syncMs.toFixed(2)} ms: every message waits for one`)
        : problem(
            "fsync",
            "slow-disk",
            `${DEFAULT_ENGINE.slowDiskCost(syncMs)}. Choose a faster disk with --data-dir, or --durability os if power cuts may lose messages`,
          ),
    ];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [
      problem(
        "data directory",
        "not-writable",
        `${where} cannot be written (${code ?? message}): choose another --data-dir, or make it yours`,
      ),
    ];
  }
}

/** The directory, or the nearest one above it that is there. */
function existing(directory: string): string {
  const above = dirname(directory);
  return existsSync(directory) || above === directory ? directory : existing(above);
}

/** The median time of an fdatasync in milliseconds, of a file that is removed again. Throws system errors. */
function timeSyncs(file: string): number {
  const descriptor = openSync(file, "w");
  try {
    const times: number[] = [];
    const until = performance.now() + SYNCS_MS;
    while (times.length < SYNCS_MIN || (times.length < SYNCS && performance.now() < until)) {
      writeSync(descriptor, new Uint8Array(SYNC_BYTES), 0, SYNC_BYTES, times.length * SYNC_BYTES);
      const began = performance.now();
      fdatasyncSync(descriptor);
      times.push(performance.now() - began);
    }
    return times.sort((a, b) => a - b)[times.length >> 1] as number;
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

async function portFinding(host: string, port: number, id: number): Promise<Finding> {
  const ports = platformVisit();
  if (port === 0 || (await portIsFree(ports.network, host, port))) return well("port", `${host}:${port} is free`);
  const greeting = await greet(ports, { host, port }, GREETING_MS_MAX);
  if (greeting.result === "unreachable")
    return problem(
      "port",
      "port",
      `cannot listen on ${host}:${port}: is ${host} an address of this machine, and the port above 1023?`,
    );
  if (greeting.result === "refused" && greeting.code === "needs-tls")
    return well(
      "port",
      `${host}:${port} is in use by a peer of a secured cluster; if not by this one, choose another --port`,
    );
  if (greeting.result !== "peer")
    return problem("port", "port", `${host}:${port} is in use by another program: choose another --port`);
  if (greeting.hello.id === id) return well("port", `${host}:${port} is in use by peer ${id}, which is running`);
  return problem("port", "port", `${host}:${port} is in use by peer ${greeting.hello.id}: choose another --port`);
}

/** Only a shell can tell the limit. */
function openFiles(): Finding[] {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  const said = stdout?.trim() ?? "";
  if (said === "") return [];
  const limit = said === "unlimited" ? Number.POSITIVE_INFINITY : Number(said);
  return [
    limit >= FILES_MIN
      ? well("open files", `up to ${said}`)
      : problem(
          "open files",
          "open-files",
          `at most ${said}, ${FILES_MIN} and more may be needed: raise it with ulimit -n`,
        ),
  ];
}

/** Nothing that is on this machine was made in the future. */
function clock(dataDir: string): Finding {
  const now = Date.now();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const files = [process.execPath, process.argv[1] ?? "", join(dataDir, "progress.json")];
  const newest = Math.max(...files.map((file) => (existsSync(file) ? statSync(file).mtimeMs : 0)));
  const says = `${new Date(now).toISOString()} (${zone})`;
  return newest <= now + DAY_MS
    ? well("clock", says)
    : problem(
        "clock",
        "clock",
        `it says ${says}, but there are files here from ${new Date(newest).toISOString()}: set it by NTP`,
      );
}
