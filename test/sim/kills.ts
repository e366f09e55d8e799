/**
 * The kept kill of every mutant: a short plan in which it breaks something. `scripts/find-kills.ts` tries them anew.
 */
import type { Mutant } from "../../src/sim/mutants.ts";
import type { Plan } from "../../src/sim/plan.ts";
import { drawPlan, type Profile } from "../../src/sim/profile.ts";
import { parseScenario } from "../../src/sim/scenario.ts";
import { World } from "../../src/sim/world.ts";
import { PLANS } from "./kill-plans.ts";
import kept from "./kills.json";

/** A plan drawn from a seed, or one written by hand with the delays of a seed. */
export type Planned =
  | { readonly profile: Profile; readonly seed: number; readonly peers: number; readonly minutes: number }
  | { readonly plan: keyof typeof PLANS; readonly seed: number };

/** With what the checkers say is violated. */
export type Kill = Planned & { readonly invariant: string };

export const KILLS = kept as unknown as Readonly<Record<string, Kill>>;

/** What is wrong in this plan, with or without a mutant: the invariant, or null. */
export function findingIn(planned: Planned, mutant: Mutant | null): string | null {
  const plan = planOf(planned);
  return new World(plan, { parts: mutant?.parts ?? {} }).run().violation?.invariant ?? null;
}

export function planOf(planned: Planned): Plan {
  if ("plan" in planned) return { ...parseScenario(PLANS[planned.plan]).plan, seed: planned.seed };
  return drawPlan(planned.seed, planned.profile, planned.peers, planned.minutes);
}

export function without({ invariant: _, ...planned }: Kill): Planned {
  return planned;
}
