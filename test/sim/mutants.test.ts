/**
 * Does the simulator find anything? Every rule broken on purpose is caught by the plan kept for it, and the same plan
 * shows nothing wrong with the protocol as it is.
 */
import { describe, expect, test } from "bun:test";
import { MUTANTS, type Mutant } from "../../src/sim/mutants.ts";
import { findingIn, KILLS, type Kill, type Planned, without } from "./kills.ts";

/** Delays that the kept ones may be changed for: what is sent a little later by a new version misses its moment. */
const MORE_SEEDS = 30;
/** Several mutants may share a plan. */
const sound = new Map<string, string | null>();

describe("mutants", () => {
  test("there are many, each with a name of its own and a kept kill", () => {
    const names = MUTANTS.map((m) => m.name);
    expect(names.length).toBeGreaterThanOrEqual(28);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(KILLS).sort()).toEqual([...names].sort());
  });

  for (const mutant of MUTANTS) {
    test(`[${mutant.rule}] ${mutant.name}: ${mutant.what}`, () => {
      const { planned, finding } = killed(mutant, KILLS[mutant.name] as Kill);
      expect(finding).toBe((KILLS[mutant.name] as Kill).invariant);
      expect(findingWithout(planned)).toBeNull();
    });
  }
});

/** Plays the kept plan, with other delays if it kills no more. */
function killed(mutant: Mutant, kill: Kill): { planned: Planned; finding: string | null } {
  let planned = without(kill);
  for (let more = 0; ; more++) {
    const finding = findingIn(planned, mutant);
    if (finding === kill.invariant || !("plan" in planned) || more === MORE_SEEDS) return { planned, finding };
    planned = { ...planned, seed: planned.seed + 1 };
  }
}

function findingWithout(planned: Planned): string | null {
  const key = JSON.stringify(planned);
  let finding = sound.get(key);
  if (finding === undefined) {
    finding = findingIn(planned, null);
    sound.set(key, finding);
  }
  return finding;
}
