/** What the flags of `chatpeer sim` ask for, and what may stand together. */
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { nearest } from "../../nearest.ts";
import { MUTANTS } from "../../sim/mutants.ts";
import type { Job } from "../../sim/play.ts";
import { PROFILES } from "../../sim/profile.ts";
import { PEERS_MAX, parseScenario, ScenarioError, SEED_MAX } from "../../sim/scenario.ts";
import { SCENARIOS } from "../../sim/scenarios.ts";
import { UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";

export interface SimOptions {
  readonly jobs: readonly Job[];
  /** What the runs have in common, for the summary. */
  readonly what: string;
  /** Files of the scenarios that are to be recorded anew, one for each job; empty: none are. */
  readonly record: readonly string[];
  readonly list: "scenarios" | "rules" | null;
  readonly trace: boolean;
  readonly report: string | null;
  readonly json: boolean;
  /** null: as long as it takes. */
  readonly budgetMs: number | null;
}

const MINUTES_MAX = 600;
const SEEDS_MAX = 1_000_000;
/** Flags that cannot stand beside --scenario, because a scenario says the same itself. */
const OF_SEEDS = ["seed", "seeds", "peers", "minutes", "profile", "break"] as const;

/** Throws UsageError. */
export function readSim(settings: Settings, words: readonly string[]): SimOptions {
  if (words.length > 0) throw new UsageError(`sim takes only flags: chatpeer sim --scenario ${words[0]}`);
  const budget = settings.number("budget", 1, 1_000_000);
  const { jobs, what, files } = settings.given("scenario") ? scenariosOf(settings) : seedsOf(settings);
  const report = settings.text("report") ?? null;
  for (const flag of [...(settings.on("trace") ? ["--trace"] : []), ...(report === null ? [] : ["--report"])])
    if (jobs.length > 1)
      throw new UsageError(`${flag} shows one run, not ${jobs.length}: give one --seed or --scenario`);
  if (settings.on("trace") && settings.on("json"))
    throw new UsageError("--trace is for people and --json for programs: give one of them");
  if (report !== null) checkReport(report);
  if (settings.on("record") && (files.length === 0 || files.includes(null)))
    throw new UsageError("--record writes into a scenario's file: chatpeer sim --scenario FILE --record");
  return {
    jobs,
    what,
    record: settings.on("record") ? (files as string[]) : [],
    list: settings.on("list-rules") ? "rules" : settings.on("list") ? "scenarios" : null,
    trace: settings.on("trace"),
    report,
    json: settings.on("json"),
    budgetMs: budget === undefined ? null : 1000 * budget,
  };
}

/** A report that cannot be written is refused before the run, which may take minutes. */
function checkReport(file: string): void {
  if (!existsSync(dirname(file)))
    throw new UsageError(`--report cannot write ${file}: there is no folder ${dirname(file)}`);
  if (existsSync(file) && statSync(file).isDirectory())
    throw new UsageError(`--report needs a file, and ${file} is a folder: --report ${join(file, "report.html")}`);
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch {
    throw new UsageError(`--report cannot write ${file}: it is not yours to write`);
  }
}

interface Chosen {
  readonly jobs: readonly Job[];
  readonly what: string;
  /** null: built in. */
  readonly files: readonly (string | null)[];
}

function seedsOf(settings: Settings): Chosen {
  const number = (name: string, min: number, max: number) => settings.number(name, min, max) as number;
  const count = number("seeds", 1, SEEDS_MAX);
  const first = number("seed", 0, SEED_MAX - count + 1);
  const peers = number("peers", 1, PEERS_MAX);
  const minutes = number("minutes", 1, MINUTES_MAX);
  const profile = settings.choice("profile", PROFILES) ?? "all";
  const rule = settings.text("break");
  const mutant = rule === undefined ? null : mutantFor(rule);
  const jobs = Array.from({ length: count }, (_, i) => ({ seed: first + i, profile, peers, minutes, mutant }));
  const broken = mutant === null ? "" : `, ${mutant} broken`;
  return { jobs, what: `seeds ${first} to ${first + count - 1}, profile ${profile}${broken}`, files: [] };
}

function scenariosOf(settings: Settings): Chosen {
  const also = OF_SEEDS.find((flag) => settings.given(flag));
  if (also !== undefined) throw new UsageError(`--${also} does not go with --scenario: the scenario says that itself`);
  const names = settings.texts("scenario");
  const files = names.map((name) => (SCENARIOS.some((s) => s.name === name) ? null : name));
  const jobs = names.map((name) => ({ scenario: scenarioText(name) }));
  return { jobs, what: "scenarios", files };
}

/** The text of a listed scenario or of a file, checked. */
function scenarioText(name: string): string {
  const listed = SCENARIOS.find((s) => s.name === name);
  if (listed === undefined && !existsSync(name)) {
    const close = nearest(
      name,
      SCENARIOS.map((s) => s.name),
    );
    const meant = close === null ? "" : `, did you mean ${close}?`;
    throw new UsageError(`there is no scenario and no file ${name}${meant} (--list lists the scenarios)`);
  }
  try {
    const text = listed?.text ?? readFileSync(name, "utf8");
    const { mutant } = parseScenario(text);
    if (mutant !== null) mutantFor(mutant);
    return text;
  } catch (error) {
    if (error instanceof ScenarioError || error instanceof UsageError)
      throw new UsageError(`${name}: ${error.message}`);
    throw new UsageError(`cannot read ${name}: ${(error as Error).message}`);
  }
}

/** The name of the mutant that breaks a rule: `S2`, where it is the only one, or its name. */
function mutantFor(rule: string): string {
  const fitting = MUTANTS.filter((m) => m.name === rule || m.rule.toLowerCase() === rule.toLowerCase());
  const [one, another] = fitting;
  if (one !== undefined && another === undefined) return one.name;
  if (one !== undefined)
    throw new UsageError(`${rule} can be broken in several ways: --break ${fitting.map((m) => m.name).join(" or ")}`);
  const close = nearest(
    rule,
    MUTANTS.map((m) => m.name),
  );
  throw new UsageError(
    `no rule ${rule} can be broken${close === null ? "" : `, did you mean ${close}?`} (--list-rules lists them)`,
  );
}
