/**
 * `chatpeer sim`: plays runs of the simulator, says what the checkers found, and of the first failure the shortest
 * schedule that still shows it. Verdicts come first; whatever else is asked of a run is got by playing it once more,
 * because the same seed is the same run.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { selfCommand } from "../../adapters/self.ts";
import { standardStream } from "../../adapters/standard-stream.ts";
import { reportHtml } from "../../report/report-html.ts";
import { type Job, judge, play, playPlan, reportOf, scenarioOfJob, type Verdict, wholeTrace } from "../../sim/play.ts";
import { printScenario, type Scenario, scenarioOf } from "../../sim/scenario.ts";
import { type Shrunk, shrink } from "../../sim/shrink.ts";
import type { Output } from "../process/output.ts";
import { timeSpan } from "../process/pace.ts";
import { type Progress, progressOn } from "../process/progress-line.ts";
import type { Paint } from "../screen/paint.ts";
import { visible } from "../screen/visible.ts";
import { UsageError } from "../usage/flag-values.ts";
import type { SimOptions } from "./sim-flags.ts";
import { SimPool } from "./sim-pool.ts";
import {
  endLines,
  listLines,
  listRules,
  listScenarios,
  progressLine,
  scheduleLines,
  summaryLine,
  verdictLine,
} from "./sim-text.ts";

const EXIT_CODES = { PASS: 0, FAIL: 1, UNKNOWN: 4 } as const;

/** How long, and through how many runs, a shorter schedule is looked for. */
const SHRINK_MS_MAX = 60_000;
const SHRINK_RUNS_MAX = 20_000;

export async function simulate(options: SimOptions, out: Output, paint: Paint): Promise<number> {
  const { list, json } = options;
  if (list !== null) {
    const rows = { scenarios: listScenarios, rules: listRules }[list]();
    for (const line of json ? rows.map((row) => JSON.stringify(row)) : listLines(rows, paint)) out.line(line);
    return 0;
  }
  return options.record.length > 0 ? record(options, out, paint) : simulated(options, out, paint);
}

async function simulated(options: SimOptions, out: Output, paint: Paint): Promise<number> {
  const { jobs, json, trace, report, budgetMs } = options;
  const began = performance.now();
  const deadline = began + (budgetMs ?? Number.POSITIVE_INFINITY);
  const progress = await progressOn(standardStream(2), { lines: !json });
  const say = (...lines: readonly string[]) => {
    progress.clear();
    for (const line of lines) out.line(line);
  };
  const alone = jobs.length === 1;
  const verdicts: Verdict[] = [];
  for await (const verdict of verdictsOf(jobs, budgetMs === null ? null : deadline)) {
    const job = jobs[verdicts.push(verdict) - 1] as Job;
    if (json) say(JSON.stringify(verdict));
    else if (alone || "scenario" in job || verdict.verdict === "FAIL") say(verdictLine(verdict, paint));
    if (!alone) progress.show(progressLine(verdicts, jobs.length, performance.now() - began));
  }
  progress.end();
  if (!alone && !json) say(summaryLine(verdicts, options.what, performance.now() - began, paint));

  const result =
    verdicts.find((v) => v.verdict === "FAIL") ?? verdicts.find((v) => v.verdict === "UNKNOWN") ?? verdicts[0];
  const code = EXIT_CODES[result?.verdict ?? "UNKNOWN"];
  if (result === undefined || result.verdict === "UNKNOWN" || (result.verdict === "PASS" && !alone)) return code;
  let scenario = scenarioOfJob(jobs[verdicts.indexOf(result)] as Job);
  let outcome = play(scenario, trace || report !== null);
  if (trace) say("", ...wholeTrace(outcome).map(visible));
  if (result.verdict === "FAIL" && !json) {
    const shrinkUntil = Math.min(deadline, performance.now() + SHRINK_MS_MAX);
    const shrunk = shorter(scenario, result.violated, outcome.virtualMs, shrinkUntil, progress);
    if (shrunk !== null) {
      const before = scenario.plan.steps.length;
      scenario = shortScenario(scenario, shrunk, result.violated);
      outcome = play(scenario, report !== null);
      say(...scheduleLines(printScenario(scenario), shrunk, before, paint));
    }
    say("", paint.bold("How it ends:"), ...endLines(outcome));
  }
  if (report !== null) {
    write(report, reportHtml(reportOf(scenario, outcome)));
    if (!json) say("", `The picture is in ${report}`);
  }
  return code;
}

/** Plays scenarios from files and writes their trace hashes down, of those that keep what they say. */
function record({ jobs, record: files }: SimOptions, out: Output, paint: Paint): number {
  let code = 0;
  for (const [i, file] of files.entries()) {
    const scenario = { ...scenarioOfJob(jobs[i] as Job), trace: null };
    const verdict = judge(scenario, play(scenario));
    out.line(verdictLine(verdict, paint));
    if (verdict.verdict === "PASS") write(file, printScenario({ ...scenario, trace: verdict.trace_hash }));
    else code = 1;
  }
  return code;
}

/** In the order of the jobs. One alone, without a deadline, needs no other process. */
async function* verdictsOf(jobs: readonly Job[], deadline: number | null): AsyncGenerator<Verdict> {
  if (jobs.length === 1 && deadline === null) {
    const scenario = scenarioOfJob(jobs[0] as Job);
    yield judge(scenario, play(scenario));
    return;
  }
  const pool = new SimPool(selfCommand(), Math.min(availableParallelism(), jobs.length));
  try {
    yield* jobs.map((job) => pool.play(job, deadline ?? undefined));
  } finally {
    pool.close();
  }
}

/** The shortest plan that breaks the same; null where only a claim or a trace of one scenario does not hold. */
function shorter(
  { plan, mutant }: Scenario,
  violated: string | null,
  atMs: number,
  deadline: number,
  progress: Progress,
): Shrunk | null {
  if (violated === null || !violated.startsWith("I")) return null;
  const run = (candidate: typeof plan) => {
    const { violation, virtualMs } = playPlan(candidate, mutant);
    return violation === null ? null : { invariant: violation.invariant, atMs: virtualMs };
  };
  const goOn = (steps: number) => {
    const left = deadline - performance.now();
    const size = `${steps} of ${plan.steps.length} steps`;
    progress.show(`looking for a shorter schedule: ${size}, for ${timeSpan(Math.max(0, left))} at most`);
    return left > 0;
  };
  return shrink(plan, { invariant: violated, atMs }, run, { runsMax: SHRINK_RUNS_MAX, goOn });
}

function shortScenario({ plan, mutant }: Scenario, shrunk: Shrunk, violated: string | null): Scenario {
  const steps = `${shrunk.plan.steps.length} of ${plan.steps.length} steps`;
  return scenarioOf(
    { ...shrunk.plan, title: `${plan.title}, made short` },
    mutant,
    `The shortest schedule found that breaks ${violated}: ${steps}.`,
  );
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${(error as Error).message}`);
  }
}
