/** The flags of `chatpeer sim`: what there is, and what may stand together. */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { CAC } from "cac";
import { MUTANTS } from "../sim/mutants.ts";
import type { Job } from "../sim/play.ts";
import { PROFILES } from "../sim/profile.ts";
import { PEERS_MAX, parseScenario, ScenarioError, SEED_MAX } from "../sim/scenario.ts";
import { SCENARIOS } from "../sim/scenarios.ts";
import { nearest, oneOf, rawFlag, rawFlags, UsageError, wholeNumber } from "./flags.ts";

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
/** What a scenario says itself. */
const OF_SEEDS = ["seed", "seeds", "peers", "minutes", "profile", "break"] as const;

export function defineSim(cli: CAC): void {
  cli
    .command("sim", "Play a cluster with virtual network, disks and time, and check that every promise is kept")
    .option("--seed <n>", "What happens follows from it: the same seed, the same run", { default: 1 })
    .option("--seeds <k>", "So many seeds, from --seed on, on all cores", { default: 1 })
    .option("--peers <n>", `Peers, 1 to ${PEERS_MAX}`, { default: 5 })
    .option("--minutes <n>", "Virtual minutes of faults", { default: 5 })
    .option("--profile <name>", `Kinds of faults: ${PROFILES.join(", ")}`, { default: "all" })
    .option("--scenario <file>", "Play a scenario, a file or the name of a listed one; may be repeated")
    .option("--record", "Write the trace hash of the run into the scenario's file")
    .option("--trace", "Print everything that happened, in words")
    .option("--report <file.html>", "Draw the run (on failure the shortest one) as a page of its own")
    .option("--break <rule>", "Break a rule of the protocol, to see the checkers find it")
    .option("--list-rules", "List the rules that can be broken")
    .option("--list", "List the scenarios that come with the program")
    .option("--json", "One JSON object per run")
    .option("--budget <seconds>", "Stop then; what has no verdict is UNKNOWN, exit code 4");
}

export function readSim(args: readonly string[], words: readonly string[], switches: ReadonlySet<string>): SimOptions {
  if (words.length > 0) throw new UsageError(`sim takes only flags: chatpeer sim --scenario ${words[0]}`);
  const budget = rawFlag(args, "budget");
  const { jobs, what, files } = rawFlag(args, "scenario") === undefined ? seedsOf(args) : scenariosOf(args);
  const report = rawFlag(args, "report") ?? null;
  for (const flag of [...(switches.has("trace") ? ["--trace"] : []), ...(report === null ? [] : ["--report"])])
    if (jobs.length > 1)
      throw new UsageError(`${flag} shows one run, not ${jobs.length}: give one --seed or --scenario`);
  if (switches.has("trace") && switches.has("json"))
    throw new UsageError("--trace is for people and --json for programs: give one of them");
  if (report !== null && !existsSync(dirname(report)))
    throw new UsageError(`--report cannot write ${report}: there is no folder ${dirname(report)}`);
  if (switches.has("record") && (files.length === 0 || files.includes(null)))
    throw new UsageError("--record writes into a scenario's file: chatpeer sim --scenario FILE --record");
  return {
    jobs,
    what,
    record: switches.has("record") ? (files as string[]) : [],
    list: switches.has("list-rules") ? "rules" : switches.has("list") ? "scenarios" : null,
    trace: switches.has("trace"),
    report,
    json: switches.has("json"),
    budgetMs: budget === undefined ? null : 1000 * wholeNumber("--budget", budget, 1, 1_000_000),
  };
}

interface Chosen {
  readonly jobs: readonly Job[];
  readonly what: string;
  /** null: built in. */
  readonly files: readonly (string | null)[];
}

function seedsOf(args: readonly string[]): Chosen {
  const number = (name: string, fallback: number, min: number, max: number) =>
    wholeNumber(`--${name}`, rawFlag(args, name) ?? `${fallback}`, min, max);
  const count = number("seeds", 1, 1, SEEDS_MAX);
  const first = number("seed", 1, 0, SEED_MAX - count + 1);
  const peers = number("peers", 5, 1, PEERS_MAX);
  const minutes = number("minutes", 5, 1, MINUTES_MAX);
  const profile = oneOf("--profile", rawFlag(args, "profile") ?? "all", PROFILES);
  const rule = rawFlag(args, "break");
  const mutant = rule === undefined ? null : mutantFor(rule);
  const jobs = Array.from({ length: count }, (_, i) => ({ seed: first + i, profile, peers, minutes, mutant }));
  const broken = mutant === null ? "" : `, ${mutant} broken`;
  return { jobs, what: `seeds ${first} to ${first + count - 1}, profile ${profile}${broken}`, files: [] };
}

function scenariosOf(args: readonly string[]): Chosen {
  const also = OF_SEEDS.find((flag) => rawFlag(args, flag) !== undefined);
  if (also !== undefined) throw new UsageError(`--${also} does not go with --scenario: the scenario says that itself`);
  const names = rawFlags(args, "scenario");
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
