/**
 * The long run of the simulator: many seeds of the sound protocol, none of which may fail, then every mutant from fresh
 * seeds, each of which must be found. Its progress is kept in a file: stop it when you like, and it goes on from there.
 *
 *   bun run sim:nightly [--seeds 50000] [--others 1000] [--minutes 5] [--rounds 5] [--only NAME,NAME]
 *       [--mutant-seeds 200] [--mutant-minutes 1] [--directed-seeds 1000]
 *       [--first N] [--state data/sim-nightly.json] [--table docs/mutants.md]
 *
 * `--others` is for each profile but `all`; `--first` is the first seed, otherwise drawn when a state begins. With 0
 * seeds and 0 others only the mutants run, with 0 rounds only the seeds; `--only` hunts these mutants and no others.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { SimPool } from "../src/cli/sim/sim-pool.ts";
import { MUTANTS, type Mutant } from "../src/sim/mutants.ts";
import type { Job, Verdict } from "../src/sim/play.ts";
import { PROFILES, type Profile } from "../src/sim/profile.ts";
import { printScenario, scenarioOf } from "../src/sim/scenario.ts";
import { PLANS } from "../test/sim/kill-plans.ts";
import { type Planned, planOf } from "../test/sim/kills.ts";
import { bothSurvived, type Find, median, type Round, type Source, table } from "./nightly/rounds.ts";
import { readState, type Sweep, writeState } from "./nightly/state.ts";

const root = new URL("..", import.meta.url).pathname;
const PEERS = 5;
/** Rounds of a mutant begin this many seeds apart. It is a prime, so that each begins with another profile and plan. */
const APART = 104_729;
/** A run takes a second or two: one that is still at it then never ends. */
const RUN_MS_MAX = 300_000;
const SAVE_EVERY_MS = 5000;
const PLAN_NAMES = Object.keys(PLANS) as (keyof typeof PLANS)[];

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "50000" },
    others: { type: "string", default: "1000" },
    minutes: { type: "string", default: "5" },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    "mutant-seeds": { type: "string", default: "200" },
    "mutant-minutes": { type: "string", default: "1" },
    "directed-seeds": { type: "string", default: "1000" },
    first: { type: "string" },
    state: { type: "string", default: join(root, "data/sim-nightly.json") },
    table: { type: "string", default: join(root, "docs/mutants.md") },
  },
});
const number = (name: keyof typeof values): number => {
  const text = values[name] as string;
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} must be a whole number, not ${JSON.stringify(text)}`);
  process.exit(2);
};
const [seeds, others, minutes, rounds] = [number("seeds"), number("others"), number("minutes"), number("rounds")];
const [mutantSeeds, directedSeeds] = [number("mutant-seeds"), number("directed-seeds")];
const mutantMinutes = number("mutant-minutes");
const chosen = values.only?.split(",") ?? MUTANTS.map((m) => m.name);
for (const name of chosen) {
  if (MUTANTS.some((m) => m.name === name)) continue;
  console.error(`--only: there is no mutant ${JSON.stringify(name)} (chatpeer sim --list-rules)`);
  process.exit(2);
}

/**
 * The plan in which a mutant is looked for, by the seed: one that a profile draws, or one that was written to break
 * something. Profiles take turns, so that a few seeds see them all. Written plans take turns too, because a plan does
 * not name its mutant; in these the seed decides everything but the steps.
 */
const SOURCES: Readonly<Record<Source, (seed: number) => Planned>> = {
  drawn: (seed) => ({
    profile: PROFILES[seed % PROFILES.length] as Profile,
    seed,
    peers: PEERS,
    minutes: mutantMinutes,
  }),
  directed: (seed) => ({ plan: PLAN_NAMES[seed % PLAN_NAMES.length] as keyof typeof PLANS, seed }),
};
const state = readState(values.state, values.first === undefined ? null : number("first"));
const pool = new SimPool([process.execPath, join(root, "src/cli/main.ts")], availableParallelism());
let savedAt = performance.now();
process.on("SIGINT", () => {
  save();
  console.log(`\nstopped; the same command goes on from here (${values.state})`);
  process.exit(130);
});

await sweep("all", seeds);
for (const profile of PROFILES) if (profile !== "all") await sweep(profile, others);
if (rounds > 0) await hunt();
save();
pool.close();
process.exit(summary() ? 0 : 1);

// ── the sound protocol ───────────────────────────────────────────────────────────────────────────────────────────

/** Plays the remaining seeds of `count`, a few ahead of the one whose verdict is next. */
async function sweep(profile: Profile, count: number): Promise<void> {
  state.sweeps[profile] ??= { done: 0, virtualS: 0, events: 0 };
  const done = state.sweeps[profile];
  const plannedFor = (turn: number) => ({ profile, seed: state.first + turn, peers: PEERS, minutes });
  const ahead: Promise<Verdict>[] = [];
  let next = done.done;
  while (done.done < count) {
    for (; next < count && ahead.length < 4 * availableParallelism(); next++) ahead.push(play(plannedFor(next), null));
    const verdict = await (ahead.shift() as Promise<Verdict>);
    if (verdict.verdict !== "PASS") failed(plannedFor(done.done), verdict);
    done.done += 1;
    done.virtualS += verdict.virtual_s;
    done.events += verdict.events;
    saveNowAndThen(`${profile}: ${done.done} of ${count} seeds`);
  }
}

function play(planned: Planned, mutant: string | null): Promise<Verdict> {
  return pool.play(jobOf(planned, mutant), performance.now() + RUN_MS_MAX);
}

function jobOf(planned: Planned, mutant: string | null): Job {
  return "profile" in planned ? { ...planned, mutant } : { scenario: scenarioText(planned, mutant) };
}

function scenarioText(planned: Planned & { plan: string }, mutant: string | null): string {
  return printScenario(scenarioOf(planOf(planned), mutant, `${planned.plan} of test/sim/kill-plans.ts.`));
}

function failed(planned: Planned, { verdict, message }: Verdict): void {
  const command = commandFor(planned);
  if (state.failures.some((failure) => failure.command === command)) return;
  const what = `${verdict} ${message?.split("\n")[0]}`;
  state.failures.push({ command, what });
  console.log(`${what}\n  ${command}`);
}

/** To see it again; a plan that has no flags is written beside the state. */
function commandFor(planned: Planned): string {
  const { seed } = planned;
  if ("profile" in planned) {
    const { profile, peers, minutes } = planned;
    return `chatpeer sim --seed ${seed} --profile ${profile} --peers ${peers} --minutes ${minutes}`;
  }
  const file = join(dirname(values.state), `${planned.plan}-${seed}.txt`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, scenarioText(planned, null));
  return `chatpeer sim --scenario ${file}`;
}

// ── the mutants ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The rounds of all mutants that are not done yet, as many at once as there are cores. */
async function hunt(): Promise<void> {
  const firsts = Array.from({ length: rounds }, (_, i) => state.first + i * APART);
  const left = firsts.flatMap((first) =>
    MUTANTS.filter((m) => chosen.includes(m.name) && !roundsOf(m).some((round) => round.first === first)).map(
      (mutant) => ({ mutant, first }),
    ),
  );
  const hunter = async () => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const { name } = task.mutant;
      const round = await huntOnce(task.mutant, task.first);
      state.mutants[name] = [...(state.mutants[name] ?? []), round];
      saveNowAndThen(`mutants: ${left.length} rounds to go`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, hunter));
}

/** The sources take turns: what one has found, the other need not find later. */
async function huntOnce(mutant: Mutant, first: number): Promise<Round> {
  const drawn = await find(mutant, "drawn", first, mutantSeeds);
  const turns = Math.min(directedSeeds, drawn?.survived ?? directedSeeds);
  return { first, drawn, directed: await find(mutant, "directed", first, turns) };
}

/** A plan that the sound protocol fails as well is no find. */
async function find(mutant: Mutant, source: Source, first: number, seeds: number): Promise<Find | null> {
  for (let survived = 0; survived < seeds; survived++) {
    const seed = first + survived;
    const planned = SOURCES[source](seed);
    const { verdict, violated } = await play(planned, mutant.name);
    if (verdict !== "FAIL" || violated === null) continue;
    const sound = await play(planned, null);
    if (sound.verdict === "PASS") return { survived, seed, violated };
    failed(planned, sound);
  }
  return null;
}

// ── what comes of it ─────────────────────────────────────────────────────────────────────────────────────────────

/** True if all is as it should be. */
function summary(): boolean {
  const sweeps = Object.values(state.sweeps);
  const total = (field: keyof Sweep) => sweeps.reduce((sum, one) => sum + one[field], 0);
  const hours = total("virtualS") / 3600;
  console.log(
    `${total("done")} seeds from ${state.first} on, ${hours.toFixed(1)} virtual hours, ${total("events")} events, ${(state.ms / 1000).toFixed(0)} s with the mutants`,
  );
  for (const { what, command } of state.failures) console.log(`${what}\n  ${command}`);
  const hunted = MUTANTS.filter((m) => roundsOf(m).length > 0);
  const survivors = hunted.filter((m) => median(roundsOf(m), bothSurvived) === Number.POSITIVE_INFINITY);
  if (hunted.length > 0) {
    mkdirSync(dirname(values.table), { recursive: true });
    writeFileSync(
      values.table,
      table(hunted, roundsOf, {
        ...{ first: state.first, rounds, peers: PEERS, mutantMinutes, mutantSeeds, directedSeeds },
        plans: PLAN_NAMES.length,
      }),
    );
    const hardest = hunted
      .filter((m) => !survivors.includes(m))
      .sort((a, b) => median(roundsOf(b), bothSurvived) - median(roundsOf(a), bothSurvived))[0];
    const killed = `${hunted.length - survivors.length} of ${hunted.length} mutants killed`;
    console.log(`${killed}${hardest === undefined ? "" : `, the hardest: ${hardest.name}`}; ${values.table}`);
    for (const { name, what } of survivors) console.log(`SURVIVED ${name}: ${what}`);
  }
  console.log(`${state.failures.length} failures, ${survivors.length} mutants that survived`);
  return state.failures.length === 0 && survivors.length === 0;
}

function roundsOf(mutant: Mutant): readonly Round[] {
  return state.mutants[mutant.name] ?? [];
}

function saveNowAndThen(progress: string): void {
  if (performance.now() < savedAt + SAVE_EVERY_MS) return;
  save();
  if (process.stdout.isTTY) console.log(progress);
}

function save(): void {
  const now = performance.now();
  state.ms += now - savedAt;
  savedAt = now;
  writeState(values.state, state);
}
