/**
 * How each row of the table of figures is measured: runs of the harness, composed. Sizes are those of the full table.
 * Whatever has something beside it is measured in turn with that, run by run: a machine's other work then hits both.
 */
import { DEFAULT_TIMINGS } from "../src/core/config.ts";
import { shippedBinary } from "./artefacts.ts";
import type { RunTrace } from "./figures.ts";
import { atLeast, atMost, type Bench, type Lines, repeat } from "./measuring.ts";
import type { Member } from "./member.ts";
import type { FigureRow, OneFollower } from "./options.ts";
import { PEOPLE_ROWS } from "./people-rows.ts";
import { whyNot } from "./run.ts";
import { type Ended, startUp } from "./start-up.ts";
import { floorBeside } from "./table.ts";

const FAULTS_PER_RUN = 4;
const FIFTY = 50;
/** Fifty processes on few cores take ten seconds to warm up. A flood that lasts longer shows what they sustain. */
const FIFTY_MESSAGES = 300_000;
/** The window with which fifty peers have as much outstanding as three peers with the common window. */
const FIFTY_WINDOW = 600;
/** The flood of a run that is about something else than its length. */
const MESSAGES = 1_000_000;
/** So that the first second, in which everything is compiled, is a small part. */
const DURABLE_MESSAGES = 4_000_000;
const ALL_MESSAGES = 5_000_000;

export const ROWS: { readonly [row in FigureRow]: (bench: Bench) => Promise<Lines> } = {
  ...PEOPLE_ROWS,

  async durable(bench) {
    const runs = await repeat(bench.runs, async () => {
      const floor = await bench.floor();
      const { result } = await bench.run({ messages: bench.sized(DURABLE_MESSAGES) });
      return { value: result.perSecond.sustained, beside: floorBeside(result, floor) };
    });
    const values = runs.map((r) => r.value);
    const what = "messages/s, three peers flooding, durable and delivered on all";
    return [
      { what, unit: "messages/s", values, figure: "median", beside: null, reach: atLeast(150_000) },
      {
        ...{ what: "  … beside the floor", unit: "messages/s", values, figure: "median" },
        beside: { what: `floor, window ${runs[0]?.beside.window}:`, values: runs.map((r) => r.beside.perSecond) },
        reach: { of: "ratio", is: "at least", bound: 0.2 },
      },
    ];
  },

  async latency(bench) {
    const runs = await repeat(bench.runs, async () => {
      const floor = await bench.floor();
      const { result } = await bench.run({
        ...{ messages: null, seconds: bench.sized(10), window: 1, senders: "follower" },
      });
      return { value: result.latencyMs.p50, beside: floorBeside(result, floor) };
    });
    return [
      {
        ...{ what: "p50 with one outstanding, from a follower to its own delivery", unit: "ms", figure: "median" },
        values: runs.map((r) => r.value),
        beside: { what: `floor, window ${runs[0]?.beside.window}:`, values: runs.map((r) => r.beside.latencyMs.p50) },
        reach: { of: "ratio", is: "at most", bound: 4 },
      },
    ];
  },

  async kill(bench) {
    const values = await gaps(bench, "kill");
    const what = "gap in deliveries on the others after SIGKILL of the leader, flooded";
    return [
      { what, unit: "ms", values, figure: "median", beside: null, reach: atMost(60) },
      { what: "  … the worst", unit: "ms", values, figure: "worst", beside: null, reach: atMost(300) },
    ];
  },

  async pause(bench) {
    const values = await gaps(bench, "pause");
    const what = "the same after SIGSTOP";
    const reach = atMost(DEFAULT_TIMINGS.leaderTimeout + 300);
    return [
      { what, unit: "ms", values, figure: "median", beside: null, reach },
      { what: "  … the worst", unit: "ms", values, figure: "worst", beside: null, reach: null },
    ];
  },

  async memory(bench) {
    const runs = await repeat(bench.runs, () => bench.run({ messages: bench.sized(ALL_MESSAGES), idle: 5 }));
    const peaks = runs.map(({ result }) => Math.max(...result.peers.map((p) => p.peakMb)));
    const after = runs.map(({ result }) => Math.max(...result.idle.map((p) => p.residentMb)));
    const values = runs.map(({ trace, result }) => growth(trace.memory, result.seconds));
    const what = `peak of the largest peer, ${bench.sized(ALL_MESSAGES)} messages`;
    return [
      { what, unit: "MB", values: peaks, figure: "median", beside: null, reach: atMost(250) },
      { what: "  … 6 s after the end", unit: "MB", values: after, figure: "median", beside: null, reach: atMost(250) },
      {
        ...{ what: "  … flat: most in the second half / in the first", unit: "times", values, figure: "median" },
        ...{ beside: null, reach: atMost(1.1) },
      },
    ];
  },

  async "catch-up"(bench) {
    const away = bench.sized(MESSAGES);
    const values = await repeat(bench.runs, async () => {
      const { result } = await bench.run({ messages: away, faults: ["kill"], restart: true, away });
      const restart = result.faults[0]?.restart;
      if (!restart || restart.caughtUpMs === null) return Number.NaN;
      return restart.delivered / ((restart.caughtUpMs - restart.startMs) / 1000);
    });
    const what = `(${away} missed + what came meanwhile) / time from \`started\`, the others go on`;
    return [{ what, unit: "messages/s", values, figure: "median", beside: null, reach: atLeast(200_000) }];
  },

  async start(bench) {
    const times: { readonly [ended in Ended]: number[] } = { killed: [], quit: [] };
    const binary = await shippedBinary();
    const messages = bench.sized(ALL_MESSAGES);
    await bench.run({ messages }, false, async (members) => {
      for (let i = 0; i < bench.runs; i++) {
        // The flood ended with SIGKILL of all three: each of them is started once behind that.
        const { id, dir } = members[i % members.length] as Member;
        times.killed.push(await startUp(binary, id, dir, "quit"));
        times.quit.push(await startUp(binary, id, dir, "killed"));
      }
    });
    const reach = atMost(1500);
    const what = `spawn to \`started\` with a log of ${messages}, after SIGKILL`;
    return [
      { what, unit: "ms", values: times.killed, figure: "median", beside: null, reach },
      { what: "  … after a clean stop", unit: "ms", values: times.quit, figure: "median", beside: null, reach },
    ];
  },

  "paused-voter": (bench) => oneVoter(bench, "paused", "messages/s, one of three voters paused (SIGSTOP)"),
  "slow-disk": (bench) => oneVoter(bench, "slow-disk", "messages/s, every sync of one of three voters 50 ms longer"),

  async fifty(bench) {
    const missing = whyNot(FIFTY);
    if (missing !== null) return [{ why: missing }];
    const options = { peers: FIFTY, messages: bench.sized(FIFTY_MESSAGES), window: FIFTY_WINDOW };
    const values = await repeat(bench.runs, async () => (await bench.run(options)).result.perSecond.sustained);
    const what = "messages/s delivered at each of 50 peers, all flooding";
    return [{ what, unit: "messages/s", values, figure: "median", beside: null, reach: atLeast(5000) }];
  },

  async idle(bench) {
    const seconds = bench.sized(60);
    const runs = await repeat(bench.runs, async () => {
      const { result } = await bench.run({ messages: 3, window: 1, idle: seconds }, true);
      return result.idle;
    });
    const most = (of: "cpuPercent" | "residentMb") => runs.map((peers) => Math.max(...peers.map((p) => p[of])));
    const what = `of one core, over ${seconds} s, the busiest of three idle peers (shipped binary)`;
    return [
      { what, unit: "%", values: most("cpuPercent"), figure: "median", beside: null, reach: atMost(1) },
      {
        ...{ what: "  … resident, the largest", unit: "MB", values: most("residentMb"), figure: "median" },
        ...{ beside: null, reach: atMost(60) },
      },
    ];
  },

  async deaf(bench) {
    const messages = bench.sized(MESSAGES);
    const peakOf = async (oneFollower: OneFollower) =>
      (await bench.run({ messages, oneFollower }, true)).result.oneFollower?.peakMb ?? Number.NaN;
    const runs = await repeat(bench.runs, async () => ({
      read: await peakOf("silent"),
      unread: await peakOf("deaf"),
    }));
    const what = `more at the peak where nobody reads its --json, ${messages} messages (shipped binary)`;
    return [
      {
        ...{ what, unit: "MB", values: runs.map((r) => r.unread - r.read), figure: "median", beside: null },
        reach: atMost(100),
      },
      {
        ...{ what: "  … that peer's peak", unit: "MB", values: runs.map((r) => r.unread), figure: "median" },
        ...{ beside: { what: "read", values: runs.map((r) => r.read) }, reach: null },
      },
    ];
  },
};

/** Of all faults of all runs. */
async function gaps(bench: Bench, kind: "kill" | "pause"): Promise<number[]> {
  const faults = Array<"kill" | "pause">(FAULTS_PER_RUN).fill(kind);
  const options = { messages: null, seconds: bench.sized(20), faults, restart: kind === "kill" };
  const runs = await repeat(bench.runs, () => bench.run(options));
  return runs.flatMap(({ result }) => result.faults.map((f) => f.gapMs));
}

/** Two peers flood, the third only votes; beside it stands the same where that one is as it should be. */
async function oneVoter(bench: Bench, how: OneFollower, what: string): Promise<Lines> {
  const speedOf = async (oneFollower: OneFollower) =>
    (await bench.run({ messages: bench.sized(MESSAGES), oneFollower })).result.perSecond.sustained;
  const runs = await repeat(bench.runs, async () => ({ sound: await speedOf("silent"), hurt: await speedOf(how) }));
  return [
    {
      ...{ what, unit: "messages/s", values: runs.map((r) => r.hurt), figure: "median" },
      beside: { what: "without", values: runs.map((r) => r.sound) },
      reach: { of: "ratio", is: "at least", bound: 0.8 },
    },
  ];
}

/** The most memory of a peer in the second half of a flood, in shares of its most in the first half; of the worst peer. */
export function growth(memory: RunTrace["memory"], seconds: number): number {
  const most = (curve: RunTrace["memory"][number], from: number, to: number) =>
    Math.max(...curve.filter(([at]) => at >= from && at < to).map(([, mb]) => mb));
  return Math.max(...memory.map((curve) => most(curve, seconds / 2, seconds) / most(curve, 0, seconds / 2)));
}
