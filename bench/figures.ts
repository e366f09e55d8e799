/** What a run amounts to: the figures of the table, and the curves of the page. */
import { cpus, totalmem, type } from "node:os";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import type { Fault } from "./faults.ts";
import { median } from "./histogram.ts";
import type { Member, Sample } from "./member.ts";
import type { RunOptions } from "./options.ts";
import { folderBytes } from "./proc.ts";
import type { Verdict } from "./verify.ts";

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryGb: number;
  readonly system: string;
}

/** This one. */
export function machine(): Machine {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? "",
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${process.arch}`,
  };
}

/** What a peer costs while nobody sends. */
export interface IdlePeer {
  readonly id: number;
  /** Of one core. */
  readonly cpuPercent: number;
  readonly residentMb: number;
}

export interface RunResult {
  /** What was flooded: `library` or `shipped binary, --json`. */
  readonly through: string;
  readonly options: RunOptions;
  readonly machine: Machine;
  /** From the first spawn until all were one cluster. */
  readonly formedMs: number;
  /** From the start of the flood until all living peers had delivered everything. */
  readonly seconds: number;
  /** Messages in the log. */
  readonly messages: number;
  /** `sustained`: messages / seconds. `worst`: delivered anywhere, in the worst second of the flood. */
  readonly perSecond: { readonly sustained: number; readonly worst: number };
  /** Submit → own delivery, in milliseconds, of all senders. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  /** `at` in seconds of the flood. */
  readonly faults: readonly Fault[];
  /** Of the gaps, by kind of fault; NaN where there was none. */
  readonly gapMs: { readonly [kind in Fault["kind"]]: { readonly median: number; readonly worst: number } };
  readonly peers: readonly {
    readonly id: number;
    readonly runtime: string;
    readonly cpuSeconds: number;
    readonly peakMb: number;
  }[];
  /**
   * `wire`: sent over the loopback device meanwhile, headers and acknowledgements included, also by others on this
   * machine. `log`: of the log's files, `written`: all that reached storage by the system's count, of one peer on average.
   */
  readonly bytesPerMessage: { readonly wire: number; readonly log: number; readonly written: number };
  /** The follower that differed, and its peak memory until it differed no more. */
  readonly oneFollower: { readonly id: number; readonly peakMb: number } | null;
  /** Over the seconds of `--idle`; empty without. */
  readonly idle: readonly IdlePeer[];
  readonly verdict: Verdict;
}

/** What the page draws, besides. */
export interface RunTrace {
  /** Seconds of the flood → messages per second delivered anywhere. */
  readonly rates: readonly (readonly [number, number])[];
  /** For each peer: seconds of the flood → resident MB. */
  readonly memory: readonly (readonly (readonly [number, number])[])[];
  /** Milliseconds → messages. */
  readonly latency: readonly (readonly [number, number])[];
}

export interface Measured {
  /** Wall-clock milliseconds: the flood begins, its senders have no more to send, all have all. */
  readonly began: number;
  readonly full: number;
  readonly ended: number;
  readonly wireBytes: number;
  readonly faults: readonly Fault[];
  readonly oneFollower: RunResult["oneFollower"];
  readonly idle: readonly IdlePeer[];
  /** Who was there at the end. */
  readonly living: ReadonlySet<Member>;
}

export interface Run {
  readonly cluster: Cluster;
  readonly options: RunOptions;
  readonly measured: Measured;
  readonly verdict: Verdict;
  readonly formedMs: number;
  readonly shipped: boolean;
}

export function figures({ cluster, options, measured, verdict, formedMs, shipped }: Run): RunResult {
  const { began, full, ended } = measured;
  const seconds = (ended - began) / 1000;
  const { chats } = verdict;
  const { latency, members } = cluster;
  const faults = measured.faults.map((f) => ({ ...f, at: (f.at - began) / 1000 }));
  const gapsOf = (kind: Fault["kind"]) => {
    const gaps = faults.filter((f) => f.kind === kind).map((f) => f.gapMs);
    return { median: median(gaps), worst: gaps.length === 0 ? Number.NaN : Math.max(...gaps) };
  };
  const log = members.reduce((sum, m) => sum + folderBytes(join(m.dir, "log")), 0);
  const written = members.reduce((sum, m) => sum + m.totals.writtenBytes, 0);
  const perCopy = Math.max(1, chats) * members.length;
  return {
    through: shipped ? "shipped binary, --json" : "library",
    options,
    machine: machine(),
    ...{ formedMs, seconds, messages: chats },
    perSecond: { sustained: chats / seconds, worst: worstSecond(points(cluster.members, began), full - began) },
    latencyMs: {
      p50: latency.percentile(0.5),
      p95: latency.percentile(0.95),
      p99: latency.percentile(0.99),
      max: latency.max,
    },
    faults,
    gapMs: { kill: gapsOf("kill"), pause: gapsOf("pause"), cut: gapsOf("cut") },
    peers: members.map(({ id, runtime, totals }) => ({
      id,
      runtime: shipped ? "shipped" : runtime,
      cpuSeconds: totals.cpuSeconds,
      peakMb: totals.peakMb,
    })),
    bytesPerMessage: { wire: measured.wireBytes / Math.max(1, chats), log: log / perCopy, written: written / perCopy },
    oneFollower: measured.oneFollower,
    idle: measured.idle,
    verdict,
  };
}

/** Milliseconds since the flood began → messages delivered anywhere, at every report: where nothing moved, that shows. */
export function points(members: readonly { readonly samples: readonly Sample[] }[], began: number): [number, number][] {
  const all = members.flatMap((m) => m.samples.filter((s) => s.at >= began)).sort((a, b) => a.at - b.at);
  let highest = 0;
  return [
    [0, 0],
    ...all.map(({ at, seq }): [number, number] => {
      highest = Math.max(highest, seq);
      return [at - began, highest];
    }),
  ];
}

/** Delivered by `ms`, between the points on a straight line. */
function reader(rising: readonly (readonly [number, number])[]): (ms: number) => number {
  let i = 0;
  return (ms) => {
    while (i + 1 < rising.length && (rising[i + 1] as readonly [number, number])[0] <= ms) i += 1;
    while (i > 0 && (rising[i] as readonly [number, number])[0] > ms) i -= 1;
    const [t0, n0] = rising[i] as readonly [number, number];
    const [t1, n1] = rising[i + 1] ?? [t0, n0];
    return t1 === t0 ? n0 : n0 + (n1 - n0) * Math.min(1, Math.max(0, ms - t0) / (t1 - t0));
  };
}

const STEP_MS = 100;

/** The least that was delivered in any second of the first `ms`; NaN where there was no whole second. */
export function worstSecond(rising: readonly (readonly [number, number])[], ms: number): number {
  const [before, after] = [reader(rising), reader(rising)];
  let worst = Number.NaN;
  for (let t = 0; t + 1000 <= ms; t += STEP_MS) {
    const delivered = after(t + 1000) - before(t);
    if (!(delivered >= worst)) worst = delivered;
  }
  return worst;
}

export function traceOf(cluster: Cluster, { began, ended }: Measured): RunTrace {
  // At most 600 points, so that a long run draws as fast as a short one.
  const step = Math.max(STEP_MS, (ended - began) / 600);
  const at = reader(points(cluster.members, began));
  const rates: [number, number][] = [];
  for (let t = 0; t < ended - began; t += step)
    rates.push([(t + step / 2) / 1000, ((at(t + step) - at(t)) * 1000) / step]);
  const memory = cluster.members.map(({ samples }) => {
    const thinned: [number, number][] = [];
    for (const { at: when, residentMb } of samples) {
      const seconds = (when - began) / 1000;
      if (seconds >= 0 && residentMb > 0 && seconds >= (thinned.at(-1)?.[0] ?? -1) + step / 1000)
        thinned.push([seconds, residentMb]);
    }
    return thinned;
  });
  return { rates, memory, latency: [...cluster.latency.bars()] };
}
