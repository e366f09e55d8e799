/**
 * The long run of the simulator: many seeds of the sound protocol, none of which may fail, then every mutant from fresh
 * seeds, each of which must be found. What is done is kept in a file: stop it when you like, it goes on from there.
 *
 *   bun run sim:nightly [--seeds 50000] [--others 1000] [--minutes 5] [--rounds 5] [--mutant-seeds 200]
 *       [--mutant-minutes 1] [--first N] [--state data/sim-nightly.json] [--table docs/mutants.md]
 *
 * `--others` is for each profile but `all`; `--first` is the first seed, otherwise drawn when a state begins. With 0
 * seeds and 0 others only the mutants run, with 0 rounds only the seeds.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";
import { SimPool } from "../src/cli/sim-pool.ts";
import { MUTANTS, type Mutant } from "../src/sim/mutants.ts";
import type { Verdict } from "../src/sim/play.ts";
import { PROFILES, type Profile } from "../src/sim/profile.ts";

const root = new URL("..", import.meta.url).pathname;
const PEERS = 5;
/** Rounds of a mutant begin so many seeds apart. */
const APART = 100_000;
/** A run takes a second or two: one that is still at it then never ends. */
const RUN_MS_MAX = 300_000;
const SAVE_EVERY_MS = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "50000" },
    others: { type: "string", default: "1000" },
    minutes: { type: "string", default: "5" },
    rounds: { type: "string", default: "5" },
    "mutant-seeds": { type: "string", default: "200" },
    "mutant-minutes": { type: "string", default: "1" },
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
const [mutantSeeds, mutantMinutes] = [number("mutant-seeds"), number("mutant-minutes")];

interface Sweep {
  /** Seeds from the first one on that have a verdict. */
  done: number;
  virtualS: number;
  events: number;
}

/** How one round of a mutant ended: after so many seeds that it survived, or null, by all of them. */
interface Round {
  readonly survived: number;
  readonly seed: number | null;
  readonly violated: string | null;
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
  const ahead: Promise<Verdict>[] = [];
  let next = done.done;
  while (done.done < count) {
    for (; next < count && ahead.length < 4 * availableParallelism(); next++)
      ahead.push(play(profile, state.first + next, minutes, null));
    const verdict = await (ahead.shift() as Promise<Verdict>);
    if (verdict.verdict !== "PASS") failed(profile, verdict, minutes);
    done.done += 1;
    done.virtualS += verdict.virtual_s;
    done.events += verdict.events;
    saveNowAndThen(`${profile}: ${done.done} of ${count} seeds`);
  }
}

function play(profile: Profile, seed: number, minutes: number, mutant: string | null): Promise<Verdict> {
  return pool.play({ seed, profile, peers: PEERS, minutes, mutant }, performance.now() + RUN_MS_MAX);
}

function failed(profile: Profile, { seed, verdict, message }: Verdict, minutes: number): void {
  const command = `chatpeer sim --seed ${seed} --profile ${profile} --peers ${PEERS} --minutes ${minutes}`;
  if (state.failures.some((failure) => failure.command === command)) return;
  const what = `${verdict} ${message?.split("\n")[0]}`;
  state.failures.push({ command, what });
  console.log(`${what}\n  ${command}`);
}

// ── the mutants ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Every round of every mutant that is not done yet, as many at once as there are cores. */
async function hunt(): Promise<void> {
  const left = MUTANTS.flatMap((mutant) => {
    state.mutants[mutant.name] ??= [];
    const done = roundsOf(mutant).length;
    return Array.from({ length: Math.max(0, rounds - done) }, (_, i) => ({ mutant, round: done + i }));
  });
  const hunter = async () => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const round = await huntOnce(task.mutant, state.first + task.round * APART);
      state.mutants[task.mutant.name]?.push(round);
      saveNowAndThen(`mutants: ${left.length} rounds to go`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, hunter));
}

/** Profiles take turns, so that a few seeds see them all. What the sound protocol fails too is no kill. */
async function huntOnce(mutant: Mutant, first: number): Promise<Round> {
  for (let survived = 0; survived < mutantSeeds; survived++) {
    const seed = first + survived;
    const profile = PROFILES[seed % PROFILES.length] as Profile;
    const { verdict, violated } = await play(profile, seed, mutantMinutes, mutant.name);
    if (verdict === "PASS") continue;
    const sound = await play(profile, seed, mutantMinutes, null);
    if (sound.verdict === "PASS") return { survived, seed, violated };
    failed(profile, sound, mutantMinutes);
  }
  return { survived: mutantSeeds, seed: null, violated: null };
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
  const hunted = MUTANTS.filter((m) => (state.mutants[m.name] ?? []).length > 0);
  const survivors = hunted.filter((m) => !roundsOf(m).some((round) => round.seed !== null));
  if (hunted.length > 0) {
    mkdirSync(dirname(values.table), { recursive: true });
    writeFileSync(values.table, table(hunted));
    const hardest = hunted.filter((m) => !survivors.includes(m)).sort((a, b) => median(b) - median(a))[0];
    const killed = `${hunted.length - survivors.length} of ${hunted.length} mutants killed`;
    console.log(`${killed}${hardest === undefined ? "" : `, the hardest: ${hardest.name}`}; ${values.table}`);
    for (const { name, what } of survivors) console.log(`SURVIVED ${name}: ${what}`);
  }
  console.log(`${state.failures.length} failures, ${survivors.length} mutants that survived`);
  return state.failures.length === 0 && survivors.length === 0;
}

function table(hunted: readonly Mutant[]): string {
  const rows = hunted.map((mutant) => {
    const kills = roundsOf(mutant).filter((round) => round.seed !== null);
    const invariants = [...new Set(kills.map((round) => round.violated))].sort().join(", ");
    const survived = kills.length === 0 ? `all ${mutantSeeds}` : `${median(mutant)}`;
    return `| ${mutant.rule} | \`${mutant.name}\` | ${mutant.what} | ${invariants || "–"} | ${survived} | ${kills.length} of ${roundsOf(mutant).length} |`;
  });
  return `# Mutants

Each is the protocol with one rule broken on purpose (\`chatpeer sim --break NAME\`), played from fresh seeds until a checker
complains: ${PEERS} peers, ${mutantMinutes} virtual minute${mutantMinutes === 1 ? "" : "s"} a seed, profiles in turn, at most ${mutantSeeds} seeds a round. *Survived* is the median number of
seeds that found nothing before one did. Written by \`bun run sim:nightly\`.

| rule | mutant | what it does | found by | survived | rounds that found it |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function roundsOf(mutant: Mutant): readonly Round[] {
  return state.mutants[mutant.name] ?? [];
}

function median(mutant: Mutant): number {
  const sorted = roundsOf(mutant)
    .map((round) => round.survived)
    .sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[middle]] as [number, number];
  return (low + high) / 2;
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
  for (const file of [...new Glob("src/{core,wire,host,sim}/**/*.ts").scanSync(root)].sort())
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
