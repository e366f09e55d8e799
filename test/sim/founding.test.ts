/** [M1] Whenever a founder is emptied and founds anew, those who know it reach it before it takes a message. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { playPlan } from "../../src/sim/play.ts";
import { parseScenario } from "../../src/sim/scenario.ts";
import { seeded } from "../../src/sim/virtual-time.ts";

/** Runs of each kind: how long the peer was away falls anywhere between two dials. */
const RUNS = 60;
/** Longer than any pause, and than a dial that nobody answers. */
const AWAY_MS_MAX = 12_000;

for (const how of ["kill", "vanish"])
  test(`[M1] emptied after a ${how}, it is stopped before its ${DEFAULT_TIMINGS.founding} ms are over`, () => {
    const random = seeded(5);
    for (let seed = 1; seed <= RUNS; seed++) {
      const back = 2000 + Math.floor(random() * AWAY_MS_MAX);
      const end = back + DEFAULT_TIMINGS.founding;
      const { plan } = parseScenario(`title: away for ${back - 2000} ms
        peers: 3
        seed: ${seed}
        at 0 start 1
        at 0 start 2
        at 0 start 3
        at 1000 say 2 hello
        at 2000 ${how} 1
        at ${back} empty 1
        at ${back} start 1
        at ${back + 10} say 1 am I heard?
        at ${end} expect 1 is down
        at ${end} expect 1 has not delivered am I heard?
        at ${end} wipe 1
        until: ${end + 1}
        ending: stop`);
      expect(playPlan(plan, null).violation, plan.title).toBeNull();
    }
  });
