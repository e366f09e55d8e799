/** The hosts' disks: directories, some of them on a small file system of their own that can be filled; and disks that are slow. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { command, works } from "./command.ts";
import { type Fault, HOSTS, SMALL_DISKS } from "./plan.ts";

const PIECE_BYTES = 64 * 1024;

export class Disks {
  /** Faults that cannot be made here, and why. */
  readonly missing = new Map<Fault, string>();
  readonly #root: string;
  readonly #mounted = new Set<number>();
  readonly #full = new Set<number>();
  readonly #slow = new Map<number, Bun.Subprocess>();

  constructor(root: string, megabytes: number) {
    this.#root = root;
    for (let host = 1; host <= HOSTS; host++) mkdirSync(this.#of(host), { recursive: true });
    for (const host of SMALL_DISKS)
      try {
        command("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", this.#of(host));
        this.#mounted.add(host);
      } catch (error) {
        this.missing.set("fill", (error as Error).message);
      }
    if (!works("strace", "-qq", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=1", "true"))
      this.missing.set("slow-disk", "strace is not installed, or may not trace");
  }

  /** Where a peer keeps its data. */
  directory(host: number, peer: number): string {
    return join(this.#of(host), `peer-${peer}`);
  }

  /** Nothing fits on it any more. Does nothing to a disk that is not a small one. */
  fill(host: number): void {
    if (!this.#mounted.has(host)) return;
    const file = openSync(this.#ballast(host), "a");
    this.#full.add(host);
    try {
      for (let size = PIECE_BYTES; size > 0; size >>= 1) fillWith(file, new Uint8Array(size));
    } finally {
      closeSync(file);
    }
  }

  isFull(host: number): boolean {
    return this.#full.has(host);
  }

  /** Makes every sync of this process take longer by `ms`. */
  slow(pid: number, ms: number): void {
    if (this.#slow.has(pid)) return;
    const what = ["-e", "trace=fsync,fdatasync", "-e", `inject=fsync,fdatasync:delay_enter=${ms * 1000}`];
    const strace = ["strace", "-f", "-qq", "-o", "/dev/null", ...what, "-p", `${pid}`];
    this.#slow.set(pid, Bun.spawn(strace, { stdin: "ignore", stdout: "ignore", stderr: "ignore" }));
  }

  async heal(): Promise<void> {
    for (const host of this.#full) rmSync(this.#ballast(host));
    this.#full.clear();
    const tracers = [...this.#slow.values()];
    this.#slow.clear();
    for (const tracer of tracers) tracer.kill("SIGINT");
    await Promise.all(tracers.map((tracer) => tracer.exited));
  }

  /** The content of the small disks is gone then, unless it is kept: it is copied beside them. */
  close(keep: boolean): void {
    for (const tracer of this.#slow.values()) tracer.kill("SIGKILL");
    for (const host of this.#mounted) {
      if (keep) works("cp", "-a", this.#of(host), `${this.#of(host)}-kept`);
      works("umount", "--lazy", this.#of(host));
    }
  }

  #of(host: number): string {
    return join(this.#root, `host-${host}`);
  }

  #ballast(host: number): string {
    return join(this.#of(host), "ballast");
  }
}

function fillWith(file: number, bytes: Uint8Array): void {
  try {
    while (writeSync(file, bytes) > 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
