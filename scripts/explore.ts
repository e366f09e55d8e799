/**
 * Searches the election and the membership of the production core for a state that must not be (see src/sim/explore.ts),
 * each of the nightly bounds to its end.
 *
 *   bun scripts/explore.ts [--model election|membership|parted] [--states N] [--break TRAP]
 *
 * `--states` ends each search after that many states. `--break` breaks a rule first, and searches where that is found
 * soon (with `--model`: in the nightly bounds). Exits 1 where an invariant is violated, 2 where it is not understood.
 */
import { parseArgs } from "node:util";
import { type Explored, explore, MODELS, type ModelName, NIGHTLY } from "../src/sim/explore.ts";
import { ANY, type Bounds } from "../src/sim/explore-cluster.ts";
import { INVARIANTS } from "../src/sim/explore-history.ts";
import { BREAKS, openCore } from "./open-core.ts";

/** More do not fit into 4 GiB. */
const STATES_MAX = 4_000_000;

const { values } = parseArgs({
  options: { model: { type: "string" }, states: { type: "string" }, break: { type: "string" } },
});
const statesMax = values.states === undefined ? STATES_MAX : Number(values.states);
if (!(Number.isInteger(statesMax) && statesMax > 0)) refuse(`--states must be a positive number, not ${values.states}`);
const model = chosen("model", values.model, MODELS);
const trap = chosen("break", values.break, BREAKS);

function chosen<T extends object>(flag: string, value: string | undefined, among: T): keyof T | null {
  if (value === undefined) return null;
  if (Object.hasOwn(among, value)) return value as keyof T;
  return refuse(`--${flag} must be one of ${Object.keys(among).join(", ")}, not ${value}`);
}

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

function searches(): (readonly [ModelName, Bounds])[] {
  if (model === null && trap !== null) return [[BREAKS[trap].model, BREAKS[trap].bounds]];
  const models = model === null ? (Object.keys(MODELS) as ModelName[]) : [model];
  return models.flatMap((name) => NIGHTLY[name].map((bounds) => [name, bounds] as const));
}

function report({ violation, ...found }: Explored, seconds: number): void {
  const count = (n: number) => n.toLocaleString("en");
  console.log(
    `  ${count(found.states)} states, ${count(found.transitions)} transitions, ${found.depth} steps deep, ${count(found.actors)} states of single peers`,
  );
  console.log(
    `  terms up to ${found.term}, logs of up to ${found.index} entries with up to ${found.changes} changes of the configuration, ${seconds.toFixed(1)} s`,
  );
  if (violation === null) {
    console.log(found.complete ? "  complete: no violation" : "  stopped at the bound on states: no violation so far");
    return;
  }
  console.log(`  VIOLATION: ${INVARIANTS[violation.invariant]}\n  ${violation.what}`);
  for (const [i, step] of violation.trace.entries()) console.log(`  ${String(i + 1).padStart(3)}  ${step}`);
}

const core = await openCore(trap);
if (trap !== null) console.log(`broken on purpose: ${BREAKS[trap].rule}`);
let states = 0;
let violations = 0;
for (const [name, bounds] of searches()) {
  const counts = Object.entries(bounds).map(([what, n]) => `${what} ${n === ANY ? "any" : n}`);
  console.log(`${name}: at most ${counts.join(", ")}`);
  const began = performance.now();
  const found = explore(core, MODELS[name], bounds, statesMax);
  report(found, (performance.now() - began) / 1000);
  states += found.states;
  violations += found.violation === null ? 0 : 1;
}
console.log(`${states.toLocaleString("en")} states in all, ${violations} violations`);
process.exit(violations === 0 ? 0 : 1);
