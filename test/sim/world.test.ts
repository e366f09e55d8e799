/**
 * Seeds of every profile in every test run: the production host, core, wire and storage under drawn faults. The stage
 * `seeds` of the test command plays longer ones of five peers; here are clusters of all sizes, and every seed in which
 * something was ever found.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { drawPlan, PROFILES, type Profile } from "../../src/sim/profile.ts";
import { type Outcome, World } from "../../src/sim/world.ts";

/** One for each number of peers. */
const SEEDS = 5;

function play(profile: Profile, seed: number, peers: number, minutes: number): Outcome {
  const outcome = new World(drawPlan(seed, profile, peers, minutes)).run();
  const { violation, trace } = outcome;
  if (violation !== null)
    throw new Error(
      `${profile} ${seed} ${peers} ${minutes}: ${violation.message}\n${trace.slice(-40).join("\n")}\nbun src/cli/main.ts sim --profile ${profile} --seed ${seed} --peers ${peers} --minutes ${minutes}`,
    );
  return outcome;
}

const atFirst = play("all", 7, 3, 1).hash;

for (const profile of PROFILES) {
  test(`[I1] to [I9] hold in ${SEEDS} seeds of profile ${profile}, one to five peers`, () => {
    const outcomes = Array.from({ length: SEEDS }, (_, seed) => play(profile, seed + 1, 1 + seed, 1));
    expect(outcomes.every((o) => o.messages > 0)).toBe(true);
    // All but the rare one that has lost a majority for good.
    expect(outcomes.filter((o) => o.drained).length).toBeGreaterThanOrEqual(SEEDS - 1);
  }, 60_000);
}

const kept = readFileSync(new URL("./kept-seeds.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split(" ") as [Profile, string, string, string]);

test.each(kept)("kept: %s %s, %s peers, %s min", (profile, seed, peers, minutes) => {
  play(profile, Number(seed), Number(peers), Number(minutes));
});

test("the same seed makes the same world, whatever the process did before; another seed another one", () => {
  expect(play("all", 7, 3, 1).hash).toBe(atFirst);
  expect(play("all", 8, 3, 1).hash).not.toBe(atFirst);
});
