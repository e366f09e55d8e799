/**
 * Plays a scenario and judges it by comparing the wanted outcome with the real one. A scenario that breaks a rule in
 * order to violate an invariant passes if that happens.
 */
import type { ReportVerdict, SimReport } from "../report/sim-report.ts";
import type { Parts } from "./machine.ts";
import { MUTANTS, type Mutant } from "./mutants.ts";
import type { Plan } from "./plan.ts";
import { drawPlan, type Profile } from "./profile.ts";
import { siteName } from "./recorder.ts";
import { parseScenario, type Scenario } from "./scenario.ts";
import { type Outcome, World } from "./world.ts";

/** Number of last lines of a failed run that are shown beside its picture. */
const STEPS_SHOWN = 40;

/**
 * A run to be played, small enough to be handed to another process: a seed and its profile, or the text of a scenario.
 */
export type Job =
  | {
      readonly seed: number;
      readonly profile: Profile;
      readonly peers: number;
      readonly minutes: number;
      readonly mutant: string | null;
    }
  | { readonly scenario: string };

/** The outcome of a run, in numbers and words. */
export interface Verdict {
  readonly seed: number;
  readonly title: string;
  /** UNKNOWN: time ran out. */
  readonly verdict: "PASS" | "FAIL" | "UNKNOWN";
  /** The violated invariant, or `expect`, or `trace`; in a run that passes, the invariant that was to be violated. */
  readonly violated: string | null;
  readonly message: string | null;
  /** 16 hexadecimal digits; null where there was no end. */
  readonly trace_hash: string | null;
  readonly virtual_s: number;
  readonly events: number;
  readonly messages: number;
  /** Liveness was shown as well: a part healed, and everything pending there was delivered [I9]. */
  readonly drained: boolean;
}

export function scenarioOfJob(job: Job): Scenario {
  if ("scenario" in job) return parseScenario(job.scenario);
  const plan = drawPlan(job.seed, job.profile, job.peers, job.minutes);
  return { plan, mutant: job.mutant, violates: null, trace: null, notes: [] };
}

/** The mutant of a name. Throws where there is none: names are checked where they come in. */
function mutantNamed(name: string): Mutant {
  const mutant = MUTANTS.find((m) => m.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
  return mutant;
}

/** `picture`: keep every event and frame, for a report or a whole trace. */
export function play(scenario: Scenario, picture = false): Outcome {
  return playPlan(scenario.plan, scenario.mutant, picture);
}

export function playPlan(plan: Plan, mutant: string | null, picture = false): Outcome {
  const parts: Parts = mutant === null ? {} : mutantNamed(mutant).parts;
  return new World(plan, { parts, picture }).run();
}

export function judge(scenario: Scenario, outcome: Outcome): Verdict {
  const [verdict, violated, message] = judgement(scenario, outcome);
  const { seed, title } = scenario.plan;
  const { hash: trace_hash, events, messages, drained } = outcome;
  const virtual_s = Math.round(outcome.virtualMs) / 1000;
  return { seed, title, verdict, violated, message, trace_hash, virtual_s, events, messages, drained };
}

function judgement(
  { violates, trace }: Scenario,
  { violation, hash }: Outcome,
): ["PASS" | "FAIL", string | null, string | null] {
  const broken = violation?.invariant ?? null;
  if (broken !== violates) {
    const wanted = violates === null ? "" : ` (${violates} was to be violated)`;
    return ["FAIL", broken, `${violation?.message ?? "every invariant holds"}${wanted}`];
  }
  if (trace !== null && trace !== hash)
    return [
      "FAIL",
      "trace",
      `the trace is ${hash}, recorded was ${trace}: if that is meant, record it anew (--record)`,
    ];
  return ["PASS", broken, violation?.message ?? null];
}

/** Every event in words, oldest first; of a run that kept its picture. */
export function wholeTrace({ recorder }: Outcome): string[] {
  return recorder.events.map(
    ({ atMs, peer, note }) => `${atMs.toFixed(1).padStart(9)} ${peer === 0 ? "" : `${siteName(peer)} `}${note}`,
  );
}

/** What a picture is drawn from; of a run that kept it. */
export function reportOf(scenario: Scenario, outcome: Outcome): SimReport {
  const { verdict, violated, message } = judge(scenario, outcome);
  const { events, frames } = outcome.recorder;
  const { seed, title, peers } = scenario.plan;
  const sites = new Set([...Array.from({ length: peers }, (_, i) => i + 1), ...events.map((e) => e.peer)]);
  sites.delete(0);
  const said: ReportVerdict = {
    result: verdict,
    invariant: violated ?? "",
    message: message ?? "",
    atMs: outcome.virtualMs,
    steps: outcome.violation === null ? [] : outcome.trace.slice(-STEPS_SHOWN),
  };
  return {
    ...{ title, seed, events, verdict: said, endMs: outcome.virtualMs },
    peers: [...sites].sort((a, b) => a - b),
    messages: frames?.messages ?? [],
  };
}
