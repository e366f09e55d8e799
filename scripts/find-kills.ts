/**
 * Tries the kept kill of every mutant, looks for another where it kills no more, and writes `test/sim/kills.json`
 * anew. With `--rounds` it also lets the mutants loose on drawn plans and prints how many seeds each survived.
 *
 *   bun scripts/find-kills.ts [--only NAME,NAME] [--rounds 0] [--seeds 70] [--first 1] [--minutes 0.4] [--dry]
 */
import { parseArgs } from "node:util";
import { MUTANTS, type Mutant } from "../src/sim/mutants.ts";
import { PROFILES } from "../src/sim/profile.ts";
import { World } from "../src/sim/world.ts";
import { PLANS } from "../test/sim/kill-plans.ts";
import { findingIn, KILLS, type Kill, type Planned, planOf, without } from "../test/sim/kills.ts";

/** Rounds begin so many seeds apart. */
const APART = 100_000;
/** Seeds that a plan written by hand is tried with. */
const HAND_SEEDS = 40;
/**
 * A plan on the edge of something else shows that, and not the mutant: the sound protocol passes it by chance. So what
 * is drawn must pass with other delays too.
 */
const CONTROLS = 5;
/** These say that something hangs or that a peer crashed; a kill that says more is kept rather. */
const VAGUE: ReadonlySet<string> = new Set(["I9", "I10"]);

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "0" },
    seeds: { type: "string", default: "70" },
    first: { type: "string", default: "1" },
    minutes: { type: "string", default: "0.4" },
    dry: { type: "boolean", default: false },
  },
});
const [rounds, seeds, first, minutes] = [values.rounds, values.seeds, values.first, values.minutes].map(Number) as [
  number,
  number,
  number,
  number,
];

const kept = new Map<string, Kill>(Object.entries(KILLS));
const chosen = values.only?.split(",") ?? MUTANTS.map((m) => m.name);
/** Whether a plan shows nothing without any mutant. */
const passes = new Map<string, boolean>();

for (const mutant of MUTANTS.filter((m) => chosen.includes(m.name))) {
  const { name, rule } = mutant;
  let best = byHand(mutant);
  const survived: number[] = [];
  const said: string[] = [];
  for (let round = 0; round < rounds; round++) {
    let count = 0;
    for (; count < seeds; count++) {
      const kill = attempt(mutant, draw(first + round * APART + count));
      if (kill === null) continue;
      said.push(kill.invariant);
      best ??= kill;
      break;
    }
    survived.push(count);
  }
  if (best === null) kept.delete(name);
  else kept.set(name, best);
  const median = survived.sort((a, b) => a - b)[rounds >> 1] ?? 0;
  const drawn = rounds === 0 ? "" : `median ${median}${median === seeds ? "+" : ""} (${survived}) ${said}`;
  console.log(
    `${rule.padEnd(4)} ${name.padEnd(24)} ${(best === null ? "SURVIVES" : written(best)).padEnd(80)} ${drawn}`,
  );
}
const lines = MUTANTS.flatMap(({ name }) => {
  const kill = kept.get(name);
  return kill === undefined ? [] : [`  ${JSON.stringify(name)}: ${written(kill)}`];
});
if (!values.dry) await Bun.write(new URL("../test/sim/kills.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);

/** The kept kill if it still is one, else one of a plan written by hand, its own plan first. */
function byHand(mutant: Mutant): Kill | null {
  const before = kept.get(mutant.name);
  const again = before === undefined ? null : attempt(mutant, without(before));
  if (again !== null) return again;
  const names = Object.keys(PLANS) as (keyof typeof PLANS)[];
  const own = before !== undefined && "plan" in before ? [before.plan] : [];
  let vague: Kill | null = null;
  for (const plan of [...own, ...names]) {
    for (let seed = 1; seed <= (own.includes(plan) ? HAND_SEEDS : 2); seed++) {
      const kill = attempt(mutant, { plan, seed });
      if (kill !== null && !VAGUE.has(kill.invariant)) return kill;
      vague ??= kill;
    }
    if (own.includes(plan) && vague !== null) return vague;
  }
  return vague;
}

/** Profiles and sizes take turns, so that a few seeds see them all. */
function draw(seed: number): Planned {
  const profile = PROFILES[seed % PROFILES.length] as (typeof PROFILES)[number];
  return { profile, seed, peers: 3 + (Math.floor(seed / PROFILES.length) % 3), minutes };
}

/** A kill if the plan shows the mutant, and nothing without it. */
function attempt(mutant: Mutant, planned: Planned): Kill | null {
  const invariant = findingIn(planned, mutant);
  return invariant === null || !isSound(planned) ? null : { ...planned, invariant };
}

function isSound(planned: Planned): boolean {
  const key = JSON.stringify(planned);
  let sound = passes.get(key);
  if (sound === undefined) {
    const plan = planOf(planned);
    const delays = Array.from({ length: 1 + ("plan" in planned ? 0 : CONTROLS) }, (_, i) => plan.seed + i);
    sound = delays.every((seed) => new World({ ...plan, seed }).run().violation === null);
    passes.set(key, sound);
  }
  return sound;
}

/** As the formatter wants it. */
function written(kill: Kill): string {
  const fields = Object.entries(kill).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{ ${fields.join(", ")} }`;
}
