/** One peer of a cluster, through all the processes that it is, one after the other. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Runtime } from "./options.ts";
import { type Usage, usageOf } from "./proc.ts";
import type { Mark, Report } from "./protocol.ts";

/** What was seen of a peer at one report. */
export interface Sample {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** Last number delivered. */
  readonly seq: number;
  readonly residentMb: number;
}

const NOTHING: Usage = { residentMb: 0, peakMb: 0, cpuSeconds: 0, writtenBytes: 0 };

export class Member {
  readonly id: number;
  readonly runtime: Runtime;
  readonly dir: string;
  /** `deaf`: it runs, and nobody reads what it delivers. */
  state: "starting" | "up" | "paused" | "deaf" | "down" = "down";
  /** Of the process that runs now. */
  report: Report | null = null;
  usage: Usage = NOTHING;
  /** Of the processes before. */
  #before: Usage = NOTHING;
  readonly samples: Sample[] = [];
  /** Times without a delivery, each the longest of its report. */
  readonly gaps: { readonly end: number; readonly ms: number }[] = [];
  /** Messages that processes before this one were known to have submitted. */
  submittedBefore = 0;
  processes = 0;
  /** The process that is the peer, and the one that was spawned: the same, unless the shipped binary is driven. */
  pid = 0;
  child: Bun.Subprocess<"pipe", "pipe", "pipe"> | null = null;

  constructor(id: number, runtime: Runtime, root: string) {
    this.id = id;
    this.runtime = runtime;
    this.dir = join(root, `peer${id}`);
  }

  get submitted(): number {
    return this.submittedBefore + (this.report?.submitted ?? 0);
  }

  get seq(): number {
    return Math.max(this.report?.seq ?? 0, this.samples.at(-1)?.seq ?? 0);
  }

  /** Over all its processes; the peak is the highest of them. */
  get totals(): Pick<Usage, "peakMb" | "cpuSeconds" | "writtenBytes"> {
    return {
      peakMb: Math.max(this.#before.peakMb, this.usage.peakMb),
      cpuSeconds: this.#before.cpuSeconds + this.usage.cpuSeconds,
      writtenBytes: this.#before.writtenBytes + this.usage.writtenBytes,
    };
  }

  markPath(process: number): string {
    return `${this.dir}.${process}.mark`;
  }

  /** What each of its processes claimed last; none where it was killed before it had delivered anything. */
  get marks(): Mark[] {
    return Array.from({ length: this.processes }, (_, i) => readMark(this.markPath(i + 1)) ?? []).flat();
  }

  sample(): void {
    if (this.state === "starting" || this.state === "down") return;
    const now = usageOf(this.pid);
    // Gone in this moment: what was seen last stands.
    if (!Number.isNaN(now.residentMb)) this.usage = now;
  }

  onReport(report: Report): void {
    this.report = report;
    if (report.gapMs > 0) this.gaps.push({ end: report.gapEnd, ms: report.gapMs });
    this.samples.push({ at: report.at, seq: this.seq, residentMb: this.usage.residentMb });
  }

  onEnd(): void {
    this.submittedBefore = this.submitted;
    this.#before = { ...NOTHING, ...this.totals };
    this.usage = NOTHING;
    this.report = null;
    this.child = null;
  }
}

/** null: nothing was written. */
function readMark(path: string): Mark | null {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return text === "" ? null : JSON.parse(text);
}
