/** A minute of the random fight on real processes: `scripts/fight.ts`, which plays it for as long as it is told. */
import { expect, test } from "bun:test";
import { ROOT, run } from "./harness.ts";

const SEED = 1;

const fights = process.platform === "linux" ? test : test.skip;
if (fights === test.skip) console.log("the random fight needs Linux: it is not played here");

fights(
  "[I1] [I2] [I4] [I9] five hosts, peers, clients and every fault: nothing sent is lost, and all are level within 10 s of healing",
  async () => {
    const { code, out, err } = await run([
      process.execPath,
      `${ROOT}scripts/fight.ts`,
      "--minutes",
      "1",
      "--seed",
      `${SEED}`,
    ]);
    // What could not be played here is seen, too.
    console.log(out.trimEnd());
    expect(err).toBe("");
    expect(out).toContain(`PASS seed ${SEED}: `);
    expect(code).toBe(0);
  },
  180_000,
);
