/** What `chatpeer sim` says, as lines of text. */
import { number } from "../../report/numbers.ts";
import { MUTANTS } from "../../sim/mutants.ts";
import type { Verdict } from "../../sim/play.ts";
import { parseScenario } from "../../sim/scenario.ts";
import { SCENARIOS } from "../../sim/scenarios.ts";
import type { Shrunk } from "../../sim/shrink.ts";
import type { Outcome } from "../../sim/world.ts";
import { timeSpan } from "../process/pace.ts";
import type { Paint } from "../screen/paint.ts";
import { visible } from "../screen/visible.ts";

const TRACE_LINES_SHOWN = 30;
/** A longer schedule is not printed: nobody would read it, and the seed says the same. */
const STEPS_SHOWN_MAX = 200;

export function verdictLine({ seed, title, verdict, ...said }: Verdict, paint: Paint): string {
  const what = title.includes(`seed ${seed}`) ? title : `${title} (seed ${seed})`;
  const sizes =
    said.trace_hash === null
      ? []
      : [`${number(said.virtual_s, 1)} virtual s`, `${number(said.events)} events`, `trace ${said.trace_hash}`];
  const broken = said.violated === null ? "" : `${said.violated} is broken`;
  const found = verdict === "PASS" && broken !== "" ? `${broken}, as it should be` : broken;
  const first = [`${badge(verdict, paint)} ${what}`, ...sizes, ...(found === "" ? [] : [found])].join(" · ");
  const message = said.message === null ? [] : said.message.split("\n").map((line) => `  ${visible(line)}`);
  return [first, ...message].join("\n");
}

export function summaryLine(verdicts: readonly Verdict[], what: string, ms: number, paint: Paint): string {
  const count = (verdict: Verdict["verdict"]) => verdicts.filter((v) => v.verdict === verdict).length;
  const [failed, unknown] = [count("FAIL"), count("UNKNOWN")];
  const hours = sum(verdicts, "virtual_s") / 3600;
  const parts = [
    `${number(verdicts.length)} runs`,
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(unknown > 0 ? [`${number(unknown)} without a verdict, time ran out`] : []),
    `${number(hours, 1)} virtual hours in ${number(ms / 1000, 1)} s (${number((hours * 1000) / ms, 2)} a second)`,
    `${number(sum(verdicts, "messages"))} messages`,
  ];
  const worst = failed > 0 ? "FAIL" : unknown > 0 ? "UNKNOWN" : "PASS";
  return `${badge(worst, paint)} ${what}: ${parts.join(", ")}`;
}

export function progressLine(verdicts: readonly Verdict[], of: number, ms: number): string {
  const failed = verdicts.filter((v) => v.verdict === "FAIL").length;
  const rate = sum(verdicts, "virtual_s") / 3.6 / ms;
  const left = timeSpan((ms / verdicts.length) * (of - verdicts.length));
  return `${verdicts.length} of ${of} runs, ${failed} failed, ${rate.toFixed(2)} virtual hours a second, ${left} left`;
}

/** A schedule to be read, saved and played again. */
export function scheduleLines(text: string, { plan, runs, shortest }: Shrunk, before: number, paint: Paint): string[] {
  const steps = plan.steps.length;
  const how = `${steps} of ${before} steps, after ${runs} more runs${shortest ? "" : "; there was no time for more"}`;
  if (steps > STEPS_SHOWN_MAX) return ["", `The shortest schedule found is still long: ${how}`];
  const title = `The shortest schedule (${how}). Save it, and play it with chatpeer sim --scenario FILE:`;
  return ["", paint.bold(title), "", ...text.trimEnd().split("\n")];
}

/** The last lines of what happened, and what that broke. */
export function endLines({ trace, violation }: Outcome): string[] {
  return [...trace.slice(-TRACE_LINES_SHOWN), ...(violation?.message.split("\n") ?? [])].map(visible);
}

export interface Listed {
  /** The name by which it is asked for. */
  readonly name: string;
  readonly what: string;
  /** The rule of the protocol that is broken. */
  readonly rule?: string;
}

export function listScenarios(): Listed[] {
  return SCENARIOS.map(({ name, text }) => ({ name, what: parseScenario(text).plan.title }));
}

export function listRules(): Listed[] {
  return MUTANTS.map(({ rule, name, what }) => ({ name, rule, what }));
}

export function listLines(rows: readonly Listed[], paint: Paint): string[] {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ rule, name, what }) => {
    const line = `${paint.bold(name.padEnd(width))}  ${what}`;
    return rule === undefined ? line : `${rule.padEnd(4)} ${line}`;
  });
}

function badge(verdict: Verdict["verdict"], paint: Paint): string {
  return verdict === "PASS" ? paint.bold(verdict) : paint.red(verdict);
}

function sum(verdicts: readonly Verdict[], field: "virtual_s" | "messages"): number {
  return verdicts.reduce((total, verdict) => total + verdict[field], 0);
}
