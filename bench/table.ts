/** Figures as text: aligned columns, units, and the tables that a run, a sweep and a comparison end with. */
import { number } from "../src/report/numbers.ts";
import type { RunResult } from "./figures.ts";
import type { FloorFigures } from "./floor-figures.ts";

/** Columns as wide as they need be: the first to the left, the others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((row) => (row[c] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** With thousands separated; `–` for what is not known. */
export function count(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return "–";
  return number(value, digits);
}

/** Milliseconds with the digits that matter. */
export function ms(value: number): string {
  return Number.isFinite(value) ? `${count(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)} ms` : "–";
}

/** The window of the floor that is nearest, by ratio, to what the cluster had outstanding in all. */
export function floorBeside(result: RunResult, floor: FloorFigures): FloorFigures["windows"][number] {
  const far = (window: number) => Math.abs(Math.log(window / outstanding(result)));
  return floor.windows.reduce((a, b) => (far(b.window) < far(a.window) ? b : a));
}

/** Messages submitted and not yet delivered to their senders, of all together. */
function outstanding({ options: { window, peers, senders } }: RunResult): number {
  return window * (senders === "all" ? peers : 1);
}

/** How a run went, one figure per line. Each further run is a column beside it. */
export function runTable(results: readonly RunResult[], floor: FloorFigures | null): string {
  const line = (name: string, of: (r: RunResult) => string) => [name, ...results.map(of)];
  const range = (values: readonly number[], say: (v: number) => string) => {
    const known = values.filter((v) => Number.isFinite(v));
    if (known.length === 0) return "–";
    const [low, high] = [say(Math.min(...known)), say(Math.max(...known))];
    return low === high ? low : `${low} to ${high}`;
  };
  const gaps = (kind: "kill" | "pause" | "cut", name: string) =>
    results.some((r) => r.faults.some((f) => f.kind === kind))
      ? [
          line(name, (r) => `median ${ms(r.gapMs[kind].median)}, worst ${ms(r.gapMs[kind].worst)}`),
          line("  each", (r) =>
            r.faults
              .filter((f) => f.kind === kind)
              .map((f) => count(f.gapMs))
              .join(" "),
          ),
        ]
      : [];
  const restarts = (r: RunResult) => r.faults.flatMap((f) => (f.restart === null ? [] : [f.restart]));
  const again = results.some((r) => restarts(r).length > 0);
  const beside = (r: RunResult) => (floor === null ? null : floorBeside(r, floor));
  const rows = [
    ["", ...results.map((r) => r.through)],
    line("messages", (r) => count(r.messages)),
    line("outstanding at most", (r) => count(outstanding(r))),
    line("messages/s, all have all", (r) => count(r.perSecond.sustained)),
    line("messages/s, worst second", (r) => count(r.perSecond.worst)),
    line("latency p50", (r) => ms(r.latencyMs.p50)),
    line("latency p95", (r) => ms(r.latencyMs.p95)),
    line("latency p99", (r) => ms(r.latencyMs.p99)),
    line("latency max", (r) => ms(r.latencyMs.max)),
    ...gaps("kill", "failover after SIGKILL"),
    ...gaps("pause", "failover after SIGSTOP"),
    ...gaps("cut", "failover after a cut"),
    ...(again
      ? [
          line("start again, until it listens", (r) =>
            range(
              restarts(r).map((s) => s.startMs),
              ms,
            ),
          ),
          line("  and has caught up", (r) =>
            range(
              restarts(r).map((s) => s.caughtUpMs ?? Number.NaN),
              ms,
            ),
          ),
          line("  missed messages", (r) =>
            range(
              restarts(r).map((s) => s.missed),
              count,
            ),
          ),
        ]
      : []),
    line("processor seconds per peer", (r) =>
      range(
        r.peers.map((p) => p.cpuSeconds),
        (v) => count(v, 2),
      ),
    ),
    line("peak memory per peer, MB", (r) =>
      range(
        r.peers.map((p) => p.peakMb),
        (v) => count(v),
      ),
    ),
    ...(results.some((r) => r.oneFollower !== null)
      ? [
          line("  one follower, MB", (r) =>
            r.oneFollower === null ? "–" : `peer ${r.oneFollower.id}: ${count(r.oneFollower.peakMb)}`,
          ),
        ]
      : []),
    ...(results.some((r) => r.idle.length > 0)
      ? [
          line("idle behind the end, % of one core", (r) =>
            range(
              r.idle.map((p) => p.cpuPercent),
              (v) => count(v, 1),
            ),
          ),
          line("  resident per peer, MB", (r) =>
            range(
              r.idle.map((p) => p.residentMb),
              (v) => count(v),
            ),
          ),
        ]
      : []),
    line("bytes/message on the wire", (r) => count(r.bytesPerMessage.wire)),
    line("bytes/message in a log", (r) => count(r.bytesPerMessage.log)),
    line("bytes/message written by a peer", (r) => count(r.bytesPerMessage.written)),
    ...(floor === null
      ? []
      : [
          line("floor of this machine, messages/s", (r) => count(beside(r)?.perSecond ?? Number.NaN)),
          line("  at a window of", (r) => count(beside(r)?.window ?? Number.NaN)),
          line("share of the floor", (r) => count(r.perSecond.sustained / (beside(r)?.perSecond ?? Number.NaN), 3)),
          // The floor's latency is that of a batch: to be compared where that is one message.
          ...(results.some((r) => outstanding(r) === 1)
            ? [
                line(
                  "latency p50 / the floor's",
                  (r) => `${count(r.latencyMs.p50 / (beside(r)?.latencyMs.p50 ?? Number.NaN), 1)} ×`,
                ),
              ]
            : []),
        ]),
  ];
  return textTable(rows);
}

export function floorTable(floor: FloorFigures): string {
  return textTable([
    ["floor: no protocol, durable on two", "messages/s", "p50", "p99"],
    ...floor.windows.map(({ window, perSecond, latencyMs }) => [
      `  window ${count(window)}`,
      count(perSecond),
      ms(latencyMs.p50),
      ms(latencyMs.p99),
    ]),
  ]);
}

/** One line per size of cluster; `error`: why there is no result. */
export function sweepTable(rows: readonly (RunResult | { readonly peers: number; readonly error: string })[]): string {
  const head = ["peers", "messages", "messages/s", "worst s", "p50", "p99", "peak MB", "cpu s", "formed", "verified"];
  const measured = rows.flatMap((r) => ("error" in r ? [] : [r]));
  const table = textTable([
    head,
    ...measured.map((r) => [
      `${r.options.peers}`,
      count(r.messages),
      count(r.perSecond.sustained),
      count(r.perSecond.worst),
      ms(r.latencyMs.p50),
      ms(r.latencyMs.p99),
      count(Math.max(...r.peers.map((p) => p.peakMb))),
      count(
        r.peers.reduce((sum, p) => sum + p.cpuSeconds, 0),
        1,
      ),
      `${count(r.formedMs / 1000, 1)} s`,
      r.verdict.violations.length === 0 ? "yes" : "NO",
    ]),
  ]);
  return [table, ...rows.flatMap((r) => ("error" in r ? [`${r.peers} peers: ${r.error}`] : []))].join("\n");
}
