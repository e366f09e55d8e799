/** A fixed budget of seeds in every test run: production host and core under drops, delays, crashes, cuts and full disks. */
import { expect, test } from "bun:test";
import { World } from "../../src/sim/world.ts";

const SEEDS = Number(process.env.SEEDS ?? 200);
const FIRST = Number(process.env.FIRST_SEED ?? 1);

test(`[I1] [I2] [I3] [I4] [I6] [I9] hold in ${SEEDS} seeded worlds`, () => {
  let virtualMs = 0;
  let messages = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const peers = 1 + (seed % 5);
    const { violation, trace, ...counts } = new World({ seed, peers, faultsMs: 60_000 }).run();
    if (violation !== null) throw new Error(`seed ${seed}: ${violation.message}\n${trace.slice(-80).join("\n")}`);
    virtualMs += counts.virtualMs;
    messages += counts.messages;
  }
  console.log(`${SEEDS} seeds, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours, ${messages} messages`);
  expect(messages).toBeGreaterThan(SEEDS);
}, 300_000);

test("the same seed makes the same world", () => {
  const [one, two] = [1, 2].map(() => new World({ seed: 7, peers: 3, faultsMs: 20_000 }).run());
  expect(one).toEqual(two as NonNullable<typeof two>);
});
