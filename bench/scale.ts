/**
 * The ScaleTest: real peers, flooded from inside, their leader killed, paused and cut off on the way; then the logs are
 * verified and the figures told. Exit codes: 0 done and verified, 1 not, 2 wrong usage, 130 interrupted.
 */
import { writeFileSync } from "node:fs";
import { standardStream } from "../src/adapters/standard-stream.ts";
import { RunFailed } from "./cluster.ts";
import { machine, type RunResult } from "./figures.ts";
import { measureFloor } from "./floor.ts";
import type { FloorFigures } from "./floor-figures.ts";
import { liveView } from "./live.ts";
import type { Bench } from "./measuring.ts";
import {
  FIGURE_ROWS,
  type FiguresOptions,
  type Options,
  type RunOptions,
  readOptions,
  USAGE,
  UsageError,
} from "./options.ts";
import { reportPage } from "./page.ts";
import { endAll } from "./processes.ts";
import { judge, type Line, type NoFigure, reachTable } from "./reach.ts";
import { ROWS } from "./rows.ts";
import { removeData, run, type Watcher, whyNot } from "./run.ts";
import { floorTable, runTable, sweepTable } from "./table.ts";

const SWEEP = [1, 3, 5, 10, 20, 50, 100];
const FLOOR_RUNS = 3;
const QUICK = 10;

type LiveView = Watcher & { end(): void };

const args = process.argv.slice(2);
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    endAll();
    removeData();
    process.exit(130);
  });

process.exit(await main());

async function main(): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    console.log(USAGE);
    return 0;
  }
  try {
    const options = readOptions(args);
    const view = liveView(standardStream(2));
    try {
      if (options.figures !== null) return await allFigures(options, options.figures, view);
      return await (options.sweep ? sweep(options, view) : single(options, view));
    } finally {
      view.end();
    }
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof RunFailed)) throw error;
    console.error(`${error instanceof UsageError ? "scale" : "FAILED"}: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function single(options: Options, view: LiveView): Promise<number> {
  const floor = await floorOf(options, view);
  const first = await run(options, false, view);
  view.end();
  const results = [first.result];
  let sound = told(first.result, first.keptIn);
  if (options.shipped) {
    const second = await run({ ...options, faults: [], restart: false, away: 0 }, true, view);
    view.end();
    results.push(second.result);
    sound = told(second.result, second.keptIn) && sound;
  }
  console.log(runTable(results, floor));
  if (floor !== null) console.log(`\n${floorTable(floor)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify({ runs: results, floor }, null, 2)}\n`);
  if (options.report !== null) writeFileSync(options.report, reportPage(first.result, first.trace, floor));
  return sound ? 0 : 1;
}

async function sweep(options: Options, view: LiveView): Promise<number> {
  const floor = await floorOf(options, view);
  const rows: (RunResult | { readonly peers: number; readonly error: string })[] = [];
  let sound = true;
  for (const peers of SWEEP) {
    const why = whyNot(peers);
    if (why !== null) {
      rows.push({ peers, error: `left out: ${why}` });
      continue;
    }
    try {
      const { result, keptIn } = await run(sized(options, peers), false, view);
      view.end();
      sound = told(result, keptIn) && sound;
      rows.push(result);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      view.end();
      console.error(`FAILED with ${peers} peers: ${error.message}`);
      rows.push({ peers, error: "FAILED" });
      sound = false;
    }
  }
  console.log(sweepTable(rows));
  if (floor !== null) console.log(`\n${floorTable(floor)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify({ runs: rows, floor }, null, 2)}\n`);
  return sound ? 0 : 1;
}

/** The table of figures. A row that fails does not keep the others from being measured. */
async function allFigures(options: Options, { runs, only, quick }: FiguresOptions, view: LiveView): Promise<number> {
  const lines: (Line | NoFigure)[] = [];
  let sound = true;
  const sized = (full: number) => (quick ? full / QUICK : full);
  const bench: Bench = {
    ...{ runs, sized, dir: options.dir },
    async run(own, shipped = false, look) {
      const done = await run({ ...options, ...own }, shipped, view, look);
      view.end();
      sound = told(done.result, done.keptIn) && sound;
      return done;
    },
    floor: () => measuredFloor(options, view),
  };
  for (const row of FIGURE_ROWS.filter((name) => only === null || only.includes(name))) {
    console.log(`${row} …`);
    try {
      lines.push(...(await ROWS[row](bench)).map((line) => ({ row, ...line })));
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
      view.end();
      console.error(`FAILED: ${error.message}`);
      lines.push({ row, why: "it FAILED" });
      sound = false;
    }
  }
  const { cpus, model, memoryGb, system } = machine();
  const sizes = quick ? `sizes divided by ${QUICK}: the figures say little` : "full sizes";
  console.log(`\n${cpus} × ${model}, ${memoryGb} GB, ${system}; runs of each row: ${runs}; ${sizes}\n`);
  console.log(reachTable(lines));
  const judged = lines.map((line) => ("why" in line ? line : { ...line, judged: judge(line) }));
  if (options.json !== null)
    writeFileSync(options.json, `${JSON.stringify({ machine: machine(), runs, quick, lines: judged }, null, 2)}\n`);
  return sound ? 0 : 1;
}

/** Every peer delivers every message, so more peers get fewer messages: the machine's work stays the same. */
function sized(options: Options, peers: number): RunOptions {
  const messages =
    options.messages === null ? null : Math.max(1, Math.round((options.messages * 3) / Math.max(3, peers)));
  return { ...options, peers, messages };
}

function floorOf(options: Options, view: Watcher): Promise<FloorFigures | null> {
  return options.floor ? measuredFloor(options, view) : Promise.resolve(null);
}

function measuredFloor({ size, dir, durability }: Options, view: Watcher): Promise<FloorFigures> {
  view.phase("measuring the floor");
  return measureFloor({ size, dir, durability, runs: FLOOR_RUNS });
}

/** Says what the verifier found; returns whether all is well. */
function told({ verdict, options }: RunResult, keptIn: string | null): boolean {
  const { violations, entries, chats } = verdict;
  for (const { message, lines } of violations) console.error(["VIOLATION", message, ...lines].join("\n  "));
  if (violations.length === 0)
    console.log(
      `${options.peers} peers, ${entries} entries, ${chats} messages: one history, nothing lost, nothing twice`,
    );
  if (keptIn !== null) console.log(`the data directories are in ${keptIn}`);
  return violations.length === 0;
}
