/**
 * The long run of the simulator: many seeds of the sound protocol, none of which may fail, then every mutant from fresh
 * seeds, each of which must be found. What is done is kept in a file: stop it when you like, it goes on from there.
 *
 *   bun run sim:nightly [--seeds 50000] [--others 1000] [--minutes 5] [--rounds 5] [--only NAME,NAME]
 *       [--mutant-seeds 200] [--mutant-minutes 1] [--directed-seeds 1000]
 *       [--first N] [--state data/sim-nightly.json] [--table docs/mutants.md]
 *
 * `--others` is for each profile but `all`; `--first` is the first seed, otherwise drawn when a state begins. With 0
 * seeds and 0 others only the mutants run, with 0 rounds only the seeds; `--only` hunts these mutants and no others.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";
import { SimPool } from "../src/cli/sim/sim-pool.ts";
import { MUTANTS, type Mutant } from "../src/sim/mutants.ts";
import type { Job, Verdict } from "../src/sim/play.ts";
import { PROFILES, type Profile } from "../src/sim/profile.ts";
import { printScenario, scenarioOf } from "../src/sim/scenario.ts";
import { PLANS } from "../test/sim/kill-plans.ts";
import { type Planned, planOf } from "../test/sim/kills.ts";

const root = new URL("..", import.meta.url).pathname;
const PEERS = 5;
/** Rounds of a mutant begin so many seeds apart: a prime, so that each begins with another profile and plan. */
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
 * Where a mutant is looked for under a seed: in what the profiles draw, taking turns so that a few seeds see them all;
 * or in the plans written to break something, taking turns too, because nobody says which one is whose. Of those the
 * seed decides all but the steps.
 */
const SOURCES = {
  drawn: (seed: number): Planned => ({
    profile: PROFILES[seed % PROFILES.length] as Profile,
    seed,
    peers: PEERS,
    minutes: mutantMinutes,
  }),
  directed: (seed: number): Planned => ({ plan: PLAN_NAMES[seed % PLAN_NAMES.length] as keyof typeof PLANS, seed }),
};
type Source = keyof typeof SOURCES;

interface Sweep {
  /** Seeds from the first one on that have a verdict. */
  done: number;
  virtualS: number;
  events: number;
}

/** What found a mutant, after so many seeds of one source that it survived. */
interface Find {
  readonly survived: number;
  readonly seed: number;
  readonly violated: string;
}

/** null: it survived all seeds, or those before the other source found it. */
interface Round extends Readonly<Record<Source, Find | null>> {
  /** The first seed of both. */
  readonly first: number;
}

interface State {
  /** Of everything that a run depends on. */
  readonly sources: string;
  readonly first: number;
  /** Spent so far, in all sittings. */
  ms: number;
  readonly sweeps: { [profile in Profile]?: Sweep };
  readonly failures: { readonly command: string; readonly what: string }[];
  readonly mutants: { [name: string]: Round[] };
}

const state = readState();
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

/** Plays the seeds that are left of so many, a few ahead of the one whose verdict is next. */
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

/** The sources take turns: what one finds, the other need not find later. */
async function huntOnce(mutant: Mutant, first: number): Promise<Round> {
  const drawn = await find(mutant, "drawn", first, mutantSeeds);
  const turns = Math.min(directedSeeds, drawn?.survived ?? directedSeeds);
  return { first, drawn, directed: await find(mutant, "directed", first, turns) };
}

/** What the sound protocol fails too is no find. */
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
  const survivors = hunted.filter((m) => median(m, bothSurvived) === Number.POSITIVE_INFINITY);
  if (hunted.length > 0) {
    mkdirSync(dirname(values.table), { recursive: true });
    writeFileSync(values.table, table(hunted));
    const hardest = hunted
      .filter((m) => !survivors.includes(m))
      .sort((a, b) => median(b, bothSurvived) - median(a, bothSurvived))[0];
    const killed = `${hunted.length - survivors.length} of ${hunted.length} mutants killed`;
    console.log(`${killed}${hardest === undefined ? "" : `, the hardest: ${hardest.name}`}; ${values.table}`);
    for (const { name, what } of survivors) console.log(`SURVIVED ${name}: ${what}`);
  }
  console.log(`${state.failures.length} failures, ${survivors.length} mutants that survived`);
  return state.failures.length === 0 && survivors.length === 0;
}

function table(hunted: readonly Mutant[]): string {
  const rows = hunted.map((mutant) => {
    const finds = roundsOf(mutant).flatMap(({ drawn, directed }) =>
      [drawn, directed].filter((found) => found !== null),
    );
    const invariants = [...new Set(finds.map((found) => found.violated))].sort().join(", ");
    const [drawn, both] = [median(mutant, drawnSurvived), median(mutant, bothSurvived)];
    const medians = `${finite(drawn, mutantSeeds)} | ${finite(both, mutantSeeds + directedSeeds)}`;
    return `| \`${mutant.name}\` | ${mutant.rule} | ${mutant.what} | ${invariants || "–"} | ${medians} |`;
  });
  const flags = [
    ...["--seeds 0 --others 0", `--rounds ${rounds}`, `--mutant-seeds ${mutantSeeds}`],
    ...[`--mutant-minutes ${mutantMinutes}`, `--directed-seeds ${directedSeeds}`, `--first ${state.first}`],
  ].join(" ");
  return `# Mutants

A mutant is the protocol with one rule broken on purpose (\`chatpeer sim --break NAME\`). Each is played from fresh seeds
until a checker complains; it is found only if the protocol as it is passes the same plan under the same seed.

*Survived* is the median, over the rounds, of the seeds that showed nothing before one did. *Drawn*: plans that follow
from the seed altogether (${PEERS} peers, ${mutantMinutes} virtual minute${mutantMinutes === 1 ? "" : "s"}, the profiles in turn). *And directed*: every other seed is spent on one of
the ${PLAN_NAMES.length} plans in \`test/sim/kill-plans.ts\`, in turn, whichever mutant it was written for; the seed decides all delays in it.
*Found by* names invariants (\`docs/simulator.md\`); \`expect\` is a claim that the plan makes itself.

Written by the nightly run, here:

\`\`\`sh
npm run sim:nightly -- ${flags}
\`\`\`

| mutant | rule | what is broken | found by | survived, drawn | survived, drawn and directed |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function roundsOf(mutant: Mutant): readonly Round[] {
  return state.mutants[mutant.name] ?? [];
}

function drawnSurvived({ drawn }: Round): number {
  return drawn?.survived ?? Number.POSITIVE_INFINITY;
}

/** The sources take turns, seed by seed. */
function bothSurvived({ drawn, directed }: Round): number {
  const of = (find: Find | null) => 2 * (find?.survived ?? Number.POSITIVE_INFINITY);
  return Math.min(of(drawn), of(directed) + 1);
}

function median(mutant: Mutant, survived: (round: Round) => number): number {
  const sorted = roundsOf(mutant)
    .map(survived)
    .sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]] as [number, number];
  return low === high ? low : (low + high) / 2;
}

function finite(median: number, of: number): string {
  return median === Number.POSITIVE_INFINITY ? `> ${of}` : `${median}`;
}

// ── the state ────────────────────────────────────────────────────────────────────────────────────────────────────

function readState(): State {
  const sources = sourcesHash();
  const fresh = values.first === undefined ? 1 + Math.floor(Math.random() * 1_000_000_000) : number("first");
  const empty: State = { sources, first: fresh, ms: 0, sweeps: {}, failures: [], mutants: {} };
  if (!existsSync(values.state)) return began(empty);
  const old = JSON.parse(readFileSync(values.state, "utf8")) as State;
  if (old.sources !== sources) {
    renameSync(values.state, `${values.state}.old`);
    console.log(`the sources have changed: the state before is in ${values.state}.old`);
    return began(empty);
  }
  if (values.first !== undefined && old.first !== fresh) {
    console.error(`${values.state} began with seed ${old.first}: leave --first away, or name another --state`);
    process.exit(2);
  }
  console.log(`going on with ${values.state}`);
  return old;
}

function began(state: State): State {
  console.log(`first seed ${state.first}, state in ${values.state}`);
  return state;
}

function sourcesHash(): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const sources = [...new Glob("src/{core,wire,host,sim}/**/*.ts").scanSync(root)].sort();
  for (const file of [...sources, "test/sim/kill-plans.ts"])
    hasher.update(`${file}\n`).update(readFileSync(root + file));
  return hasher.digest("hex");
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
  mkdirSync(dirname(values.state), { recursive: true });
  writeFileSync(`${values.state}.new`, JSON.stringify(state));
  renameSync(`${values.state}.new`, values.state);
}
