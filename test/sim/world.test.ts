/** A fixed budget of seeds in every test run: the production host, core, wire and storage under drawn faults. */
import { expect, test } from "bun:test";
import { drawPlan, PROFILES } from "../../src/sim/profile.ts";
import { World } from "../../src/sim/world.ts";

const SEEDS = Number(process.env.SEEDS ?? 30);
const FIRST = Number(process.env.FIRST_SEED ?? 1);

const hash = (seed: number) => new World(drawPlan(seed, "all", 3, 1)).run().hash;
const atFirst = hash(7);

for (const profile of PROFILES) {
  test(`[I1] to [I9] hold in ${SEEDS} seeds of profile ${profile}`, () => {
    let messages = 0;
    let drained = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const peers = 1 + (seed % 5);
      const { violation, trace, ...counts } = new World(drawPlan(seed, profile, peers, 1)).run();
      if (violation !== null)
        throw new Error(`seed ${seed}, ${peers} peers: ${violation.message}\n${trace.slice(-80).join("\n")}`);
      messages += counts.messages;
      drained += Number(counts.drained);
    }
    // All but a few that have lost a majority for good.
    expect(drained).toBeGreaterThan(0.9 * SEEDS);
    expect(messages).toBeGreaterThan(SEEDS);
  }, 120_000);
}

test("the same seed makes the same world, whatever the process did before; another seed another one", () => {
  expect(hash(7)).toBe(atFirst);
  expect(hash(8)).not.toBe(atFirst);
});
