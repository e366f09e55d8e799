/** A run as one HTML page that needs nothing else: its figures, and plots of them. Nothing in it runs or fetches. */
import { badge, escapeHtml, htmlPage } from "../src/report/html.ts";
import { roundUp } from "../src/report/numbers.ts";
import { SERIES_COLORS, seriesColor } from "../src/report/series.ts";
import type { Color } from "../src/report/theme.ts";
import type { RunResult, RunTrace } from "./figures.ts";
import type { FloorFigures } from "./floor-figures.ts";
import { type Bar, type Mark, type Point, svg } from "./plot.ts";
import { count, floorBeside, floorTable, ms, runTable } from "./table.ts";

const STYLE = `
body { margin: 0 auto; max-width: 1240px; padding: 18px; font-size: 14px; line-height: 1.45; }
h1 { font-size: 20px; margin: 0; } h2 { font-size: 14px; margin: 0 0 6px; } p { margin: 2px 0 14px; color: var(--soft); }
.badge { float: right; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin-bottom: 12px; }
.card { padding: 12px 14px; min-width: 0; }
.tiles b { display: block; font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; } .tiles span { color: var(--soft); font-size: 12px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 520px), 1fr)); gap: 12px; }
svg { display: block; width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg text.told { font-weight: 600; }
.grid { stroke: var(--line); fill: none; } .axis { stroke: var(--soft); fill: none; } .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.area { opacity: .16; } .mark { stroke-width: 1.5; stroke-dasharray: 4 3; fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12px; color: var(--soft); } .legend i { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 5px; vertical-align: middle; }
pre { overflow: auto; margin: 0; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; } .figures { margin-top: 12px; }
`;

const LATENCY_BARS = 60;
const FAULT_WORDS = { kill: "killed", pause: "paused", cut: "cut off" } as const;
const FAULT_COLORS = { kill: "bad", pause: "unsure", cut: "c4" } as const satisfies Record<string, Color>;

export function reportPage(result: RunResult, trace: RunTrace, floor: FloorFigures | null): string {
  const { options, machine, verdict } = result;
  const title = `ScaleTest: ${options.peers} peers, ${count(result.messages)} messages`;
  const sound = verdict.violations.length === 0;
  const faults =
    result.faults.length > 0 ? [card("Failover gaps: nothing is delivered on the others", gapPlot(result))] : [];
  const figures = [runTable([result], floor), ...(floor === null ? [] : [floorTable(floor)])].join("\n\n");
  const wrong = verdict.violations.map(({ message, lines }) => [message, ...lines].join("\n  ")).join("\n");
  const body = `${sound ? badge("VERIFIED", "good") : badge("VIOLATED", "bad")}
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(`${options.size} bytes each, durability ${options.durability}, runtime ${options.runtime}, window ${count(options.window)} per sender; ${machine.cpus} × ${machine.model}, ${machine.memoryGb} GB, ${machine.system}`)}</p>
<section class="tiles">${tiles(result, floor)}</section>
<main class="plots">
${[
  card("Messages per second, delivered anywhere", ratePlot(result, trace)),
  card("Latency from submit to own delivery", latencyPlot(result, trace)),
  ...faults,
  card("Resident memory", memoryPlot(trace), legend(trace)),
].join("\n")}
</main>
<section class="card figures"><h2>Figures</h2><pre>${escapeHtml(figures)}</pre></section>
${sound ? "" : `<section class="card figures"><h2>What is violated</h2><pre>${escapeHtml(wrong)}</pre></section>`}`;
  return htmlPage({ title, style: STYLE, body });
}

function card(title: string, ...content: readonly string[]): string {
  return `<section class="card"><h2>${escapeHtml(title)}</h2>${content.join("")}</section>`;
}

function tiles(result: RunResult, floor: FloorFigures | null): string {
  const { perSecond, latencyMs, gapMs, peers } = result;
  const tile = (value: string, what: string) =>
    `<div class="card"><b>${escapeHtml(value)}</b><span>${escapeHtml(what)}</span></div>`;
  const gaps = Object.entries(gapMs).filter(([, gap]) => Number.isFinite(gap.median));
  return [
    tile(count(perSecond.sustained), "messages/s until all have all"),
    ...(floor === null
      ? []
      : [tile(count(perSecond.sustained / floorBeside(result, floor).perSecond, 2), "of the machine's floor")]),
    tile(ms(latencyMs.p50), "latency p50"),
    tile(ms(latencyMs.p99), "latency p99"),
    ...gaps.map(([kind, gap]) =>
      tile(ms(gap.median), `failover, median, leader ${FAULT_WORDS[kind as keyof typeof FAULT_WORDS]}`),
    ),
    tile(`${count(Math.max(...peers.map((p) => p.peakMb)))} MB`, "peak memory of a peer"),
  ].join("");
}

const seconds = (max: number) => ({
  min: 0,
  max: Math.max(max, 0.1),
  label: "seconds",
  say: (v: number) => count(v, max < 3 ? 1 : 0),
});

function ratePlot({ seconds: end, faults }: RunResult, { rates }: RunTrace): string {
  const marks: Mark[] = faults.map(({ at, kind, leader }) => ({
    x: at,
    color: FAULT_COLORS[kind],
    label: `${leader} ${FAULT_WORDS[kind]}`,
  }));
  const max = ceiling(rates.map(([, rate]) => rate));
  return svg({
    x: seconds(end),
    y: { min: 0, max, label: "messages per second", say: (v) => count(v) },
    lines: [{ name: "delivered", color: "c1", points: rates, filled: true }],
    marks,
  });
}

function latencyPlot({ latencyMs }: RunResult, { latency }: RunTrace): string {
  const total = latency.reduce((sum, [, n]) => sum + n, 0);
  const low = Math.max(1e-3, (latency[0]?.[0] ?? 1) / 1.2);
  const high = Math.max((latency.at(-1)?.[0] ?? 1) * 1.2, low * 10);
  const factor = (high / low) ** (1 / LATENCY_BARS);
  const shares = Array<number>(LATENCY_BARS).fill(0);
  for (const [value, n] of latency) {
    const bar = Math.min(LATENCY_BARS - 1, Math.floor(Math.log(value / low) / Math.log(factor)));
    shares[bar] = (shares[bar] as number) + (100 * n) / total;
  }
  const bars: Bar[] = shares.flatMap((height, i) => {
    const [from, to] = [low * factor ** i, low * factor ** (i + 1)];
    return height === 0
      ? []
      : [{ from, to, height, color: "c1", title: `${ms(from)} to ${ms(to)}: ${count(height, 2)} %` }];
  });
  const marks: Mark[] = (["p50", "p95", "p99"] as const).map((p) => ({ x: latencyMs[p], color: "c2", label: p }));
  return svg({
    x: { min: low, max: high, log: true, label: "milliseconds", say: (v) => `${v}` },
    y: {
      min: 0,
      max: ceiling(shares),
      label: "share of the messages",
      say: (v) => `${count(v, v > 0 && v < 1 ? 1 : 0)} %`,
    },
    bars,
    marks,
  });
}

function gapPlot({ faults }: RunResult): string {
  const few = faults.length <= 20;
  const bars: Bar[] = faults.map(({ kind, leader, gapMs }, i) => ({
    ...{
      from: i + 0.6,
      to: i + 1.4,
      height: gapMs,
      color: FAULT_COLORS[kind],
      title: `leader ${leader} ${FAULT_WORDS[kind]}: ${ms(gapMs)}`,
    },
    ...(few && { label: count(gapMs) }),
  }));
  return svg({
    x: {
      min: 0.4,
      max: faults.length + 0.6,
      label: "faults, one after the other",
      say: (v) => (Number.isInteger(v) ? `${v}` : ""),
    },
    y: { min: 0, max: ceiling(faults.map((f) => f.gapMs)), label: "milliseconds", say: (v) => `${count(v)} ms` },
    bars,
  });
}

function memoryPlot({ memory }: RunTrace): string {
  const points = memory.flat();
  return svg({
    x: seconds(Math.max(0, ...points.map(([at]) => at))),
    y: { min: 0, max: ceiling(points.map(([, mb]) => mb)), label: "MB", say: (v) => `${count(v)} MB` },
    lines: memory.map((line: readonly Point[], i) => ({
      name: `peer ${i + 1}`,
      color: seriesColor(i + 1),
      points: line,
    })),
  });
}

function legend({ memory }: RunTrace): string {
  // The colours repeat: of more peers they say nothing.
  if (memory.length > SERIES_COLORS) return "";
  return `<div class="legend">${memory.map((_, i) => `<span><i style="background: var(--${seriesColor(i + 1)})"></i>peer ${i + 1}</span>`).join("")}</div>`;
}

/** A round number above all of these. */
function ceiling(values: readonly number[]): number {
  const top = Math.max(0, ...values.filter((v) => Number.isFinite(v)));
  const step = roundUp(top / 5);
  return Math.max(step, Math.ceil((top * 1.04) / step) * step);
}
