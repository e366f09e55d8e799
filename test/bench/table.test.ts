import { expect, test } from "bun:test";
import { points, type RunResult, worstSecond } from "../../bench/figures.ts";
import type { FloorFigures } from "../../bench/floor-figures.ts";
import { readOptions } from "../../bench/options.ts";
import { reportPage } from "../../bench/page.ts";
import { count, ms, runTable, sweepTable, textTable } from "../../bench/table.ts";

const nothing = { median: Number.NaN, worst: Number.NaN };
const result: RunResult = {
  through: "library",
  options: readOptions([]),
  machine: { cpus: 2, model: "<Model & Co>", memoryGb: 16, system: "Linux x64" },
  formedMs: 900,
  seconds: 10,
  messages: 1_500_000,
  perSecond: { sustained: 150_000, worst: 90_000 },
  latencyMs: { p50: 0.5, p95: 5, p99: 50, max: 500 },
  faults: [
    { kind: "kill", at: 2, leader: 3, gapMs: 40, restart: { startMs: 200, missed: 9, caughtUpMs: 300, delivered: 9 } },
    { kind: "kill", at: 5, leader: 2, gapMs: 60, restart: { startMs: 250, missed: 9, caughtUpMs: null, delivered: 0 } },
  ],
  gapMs: { kill: { median: 50, worst: 60 }, pause: nothing, cut: nothing },
  peers: [1, 2, 3].map((id) => ({ id, runtime: "binary", cpuSeconds: id, peakMb: 100 * id })),
  bytesPerMessage: { wire: 700, log: 310, written: 400 },
  ...{ oneFollower: null, idle: [] },
  verdict: { entries: 1_500_009, chats: 1_500_000, violations: [] },
};
const floor: FloorFigures = {
  windows: [1, 1000, 10_000, 200_000].map((window) => ({
    window,
    perSecond: 100_000 + window,
    latencyMs: { p50: 0.1, p99: 1 },
  })),
};

test("columns line up: names to the left, figures to the right", () => {
  expect(
    textTable([
      ["a", "1", "22"],
      ["long", "333"],
      ["", "4", "5"],
    ]),
  ).toBe(["a       1  22", "long  333", "        4   5"].join("\n"));
});

test("figures have their thousands apart, the digits that matter, and a dash where there is none", () => {
  expect([count(1234567.8), count(0.126, 2), count(Number.NaN)]).toEqual(["1,234,568", "0.13", "–"]);
  expect([ms(0.1234), ms(1.234), ms(12.34), ms(1234.5), ms(Number.NaN)]).toEqual([
    ...["0.123 ms", "1.23 ms", "12.3 ms", "1,235 ms", "–"],
  ]);
});

test("a run is told with its gaps, its restarts, and beside the floor at the window nearest to its own", () => {
  const lines = runTable([result], floor).split("\n");
  const told = (name: string) =>
    lines
      .find((l) => l.trimStart().startsWith(name))
      ?.split(/ {2,}/)
      .at(-1);
  expect(told("messages/s, all have all")).toBe("150,000");
  expect(told("failover after SIGKILL")).toBe("median 50.0 ms, worst 60.0 ms");
  expect(told("each")).toBe("40 60");
  expect(told("start again")).toBe("200 ms to 250 ms");
  expect(told("at a window of")).toBe("10,000");
  expect(told("share of the floor")).toBe("1.364");
  expect(told("failover after SIGSTOP")).toBeUndefined();
  expect(told("idle")).toBeUndefined();
});

test("what one follower needed, and what was idle, is told where there was any", () => {
  const idle = [1, 2, 3].map((id) => ({ id, cpuPercent: id / 10, residentMb: 50 + id }));
  const lines = runTable([{ ...result, oneFollower: { id: 1, peakMb: 77 }, idle }], null).split("\n");
  const told = (name: string) =>
    lines
      .find((l) => l.includes(name))
      ?.split(/ {2,}/)
      .at(-1);
  expect(told("one follower")).toBe("peer 1: 77");
  expect(told("idle behind the end")).toBe("0.1 to 0.3");
  expect(told("resident per peer")).toBe("51 to 53");
});

test("a sweep has a line for each size, also for those that could not be", () => {
  const table = sweepTable([result, { peers: 100, error: "left out: too many" }]);
  expect(table.split("\n").length).toBe(3);
  expect(table).toContain("left out: too many");
});

test("the worst second shows a pause, wherever it begins", () => {
  const samples = (seqs: number[], every = 100) => seqs.map((seq, i) => ({ at: 1000 + i * every, seq, residentMb: 1 }));
  const steady = Array.from({ length: 51 }, (_, i) => i * 10);
  expect(worstSecond(points([{ samples: samples(steady) }], 1000), 5000)).toBeCloseTo(100);
  // Half a second of nothing, then what was missed at once.
  const paused = steady.map((seq, i) => (i > 20 && i < 26 ? 200 : seq));
  expect(worstSecond(points([{ samples: samples(paused) }], 1000), 5000)).toBeCloseTo(50);
  // Somebody else delivered meanwhile.
  expect(worstSecond(points([{ samples: samples(paused) }, { samples: samples(steady) }], 1000), 5000)).toBeCloseTo(
    100,
  );
  expect(worstSecond(points([{ samples: samples(steady) }], 1000), 900)).toBeNaN();
});

test("the page holds the figures and the plots, and no markup that it did not write", () => {
  const trace = {
    rates: [
      [0.5, 1000],
      [1.5, 2000],
    ],
    memory: [
      [
        [0, 50],
        [1, 60],
      ],
    ],
    latency: [
      [0.5, 10],
      [50, 1],
    ],
  } as const;
  const violated = {
    ...result,
    verdict: { ...result.verdict, violations: [{ kind: "text", message: "<evil>", lines: ["</pre><evil>"] }] },
  } as const;
  const page = reportPage(violated, trace, floor);
  expect(page.match(/<svg/g)?.length).toBe(4);
  expect(page).toContain("&lt;Model &amp; Co&gt;");
  expect(page).toContain("VIOLATED");
  expect(page).not.toMatch(/<evil>|<script|https?:|NaN|undefined/);
});
