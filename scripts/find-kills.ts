/**
 * Tries the kept kill of every mutant, looks for another among the plans written by hand where it kills no more, and
 * writes `test/sim/kills.json` anew. How many fresh seeds a mutant survives is for `scripts/sim-nightly.ts` to say.
 *
 *   bun scripts/find-kills.ts [--only NAME,NAME] [--dry]
 */
import { parseArgs } from "node:util";
import { MUTANTS, type Mutant } from "../src/sim/mutants.ts";
import { PLANS } from "../test/sim/kill-plans.ts";
import { findingIn, KILLS, type Kill, type Planned, without } from "../test/sim/kills.ts";

/** Seeds that a mutant's own plan is tried with, and every other plan. */
const [OWN_SEEDS, OTHER_SEEDS] = [40, 2];
/** These say that something hangs or that a peer crashed; a kill that says more is kept rather. */
const VAGUE: ReadonlySet<string> = new Set(["I9", "I10"]);

const { values } = parseArgs({
  options: { only: { type: "string" }, dry: { type: "boolean", default: false } },
});

const kept = new Map<string, Kill>(Object.entries(KILLS));
const chosen = values.only?.split(",") ?? MUTANTS.map((m) => m.name);
/** Whether a plan shows nothing without any mutant. */
const passes = new Map<string, boolean>();

for (const mutant of MUTANTS.filter((m) => chosen.includes(m.name))) {
  const kill = killOf(mutant);
  if (kill === null) kept.delete(mutant.name);
  else kept.set(mutant.name, kill);
  console.log(`${mutant.rule.padEnd(4)} ${mutant.name.padEnd(24)} ${kill === null ? "SURVIVES" : written(kill)}`);
}
const lines = MUTANTS.flatMap(({ name }) => {
  const kill = kept.get(name);
  return kill === undefined ? [] : [`  ${JSON.stringify(name)}: ${written(kill)}`];
});
if (!values.dry) await Bun.write(new URL("../test/sim/kills.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);

/** The kept kill if it still is one, else one of a plan written by hand, its own plan first. */
function killOf(mutant: Mutant): Kill | null {
  const before = kept.get(mutant.name);
  const again = before === undefined ? null : attempt(mutant, without(before));
  if (again !== null) return again;
  const names = Object.keys(PLANS) as (keyof typeof PLANS)[];
  const own = before !== undefined && "plan" in before ? [before.plan] : [];
  let vague: Kill | null = null;
  for (const plan of [...own, ...names]) {
    for (let seed = 1; seed <= (own.includes(plan) ? OWN_SEEDS : OTHER_SEEDS); seed++) {
      const kill = attempt(mutant, { plan, seed });
      if (kill !== null && !VAGUE.has(kill.invariant)) return kill;
      vague ??= kill;
    }
    if (own.includes(plan) && vague !== null) return vague;
  }
  return vague;
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
    sound = findingIn(planned, null) === null;
    passes.set(key, sound);
  }
  return sound;
}

/** As the formatter wants it. */
function written(kill: Kill): string {
  const fields = Object.entries(kill).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{ ${fields.join(", ")} }`;
}
