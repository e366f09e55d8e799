/** A status while a change of the voters is under way: a majority of those before and of those after it is needed [M3]. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../../src/core/config.ts";
import type { Ballot } from "../../../src/core/ids.ts";
import type { Configuration, Role } from "../../../src/core/log-entry.ts";
import { LogState } from "../../../src/core/log-state.ts";
import { DEFAULT_ENGINE } from "../../../src/engines/default.ts";
import type { Engine } from "../../../src/engines/engine.ts";
import { describe } from "../../../src/host/answers/status.ts";
import { address, entryOf, genesisOf, seal } from "../../core/entries.ts";

const BALLOT: Ballot = { term: 1, leader_id: 1, inc: "i1", boot: 1 };
const key = (id: number) => ({ id, inc: `i${id}` });

/** Peer 1 on a log in which the three voters of the genesis become those of `roles`; that change is not settled. */
function changing(roles: readonly Role[]): Engine {
  const genesis = genesisOf(["voter", "voter", "voter"]);
  const data: Configuration = {
    members: roles.map((role, i) => ({ ...key(i + 1), ...address(i + 1), role })),
    prev_voters: [1, 2, 3].map(key),
  };
  const config = entryOf(2, BALLOT, "config", { data });
  seal(config, genesis.crc);
  const state = new LogState();
  for (const entry of [genesis, config]) state.apply(entry);
  const options = {
    ...{ self: { ...key(1), boot: 2 }, address: address(1), timings: DEFAULT_TIMINGS, seal },
    ...{ random: () => 0, wall: () => 0, session: "s", newSession: () => "t" },
  };
  const disk = { state, entries: [genesis, config], beforeCrc: 0, durable: 2, commit: 1, promised: BALLOT };
  return DEFAULT_ENGINE.create(options, { ...disk, faulty: false, outbox: [] }, 0);
}

/** Time passes, and what the engine wants on disk is there at once. */
function pass(engine: Engine, ms: number): void {
  for (let now = 0; now <= ms; now += 50) {
    engine.settle(now);
    for (const output of engine.takeOutputs()) {
      if (output.do === "promise") engine.step({ type: "promised", ballot: output.ballot }, now);
      if (output.do === "append") engine.step({ type: "durable", index: engine.view.log.last }, now);
    }
  }
}

const around = { seeds: [], hasCluster: true, twins: [], troubles: [] };

test("[M3] the only voter of the newest configuration waits for a majority of the one before", () => {
  const engine = changing(["voter", "observer", "observer"]);
  pass(engine, 20_000);
  const { quorum, leader_id, waiting } = describe(engine.view, 1, around);
  expect({ quorum, leader_id }).toEqual({ quorum: false, leader_id: null });
  expect(waiting?.needed).toBe(1);
  expect(waiting?.peers.map(({ id, why }) => `${id} ${why}`)).toEqual(["2 away", "3 away"]);
  expect(waiting?.message).toContain("waiting for a majority (1 of 3 voters here, 2 needed)");
});

test("[M3] with one voter more, of three, it has both majorities, and waits for no peer", () => {
  const engine = changing(["voter", "observer", "observer"]);
  engine.step({ type: "link-up", link: 7, peer: { ...key(2), boot: 1, ...address(2) } }, 0);
  expect(describe(engine.view, 1, around).waiting?.peers).toEqual([]);
});

test("[M3] who leaves while its vote still counts says who must be there: it may be no voter any more", () => {
  const engine = changing(["observer", "voter", "voter"]);
  expect(engine.view.lastWords()).toBe(
    "this peer stays a voter, because no majority could let it go: the cluster goes on when 2 of peer 2 and peer 3, and 2 of peer 1, peer 2 and peer 3 are there",
  );
  for (const id of [2, 3]) engine.step({ type: "link-up", link: id, peer: { ...key(id), boot: 1, ...address(id) } }, 0);
  expect(engine.view.lastWords()).toBeNull();
});
