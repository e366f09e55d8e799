/** Who visits a peer that has no time waits for it; who visits one that is not there, or will not, is told. */
import { describe, expect, test } from "bun:test";
import { PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { Visitor } from "../../../src/host/client/visitor.ts";
import { refusal } from "../../../src/host/net/refusal.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { seeded } from "../manual-clock.ts";

const ATTACHED: Frame = {
  ...{ type: "ATTACHED", cluster_id: "c", id: 1, sender_id: 1, members: [], heartbeat: 200, leader_timeout: 1200 },
  commit: { index: 0, ballot: { term: 0, leader_id: 0, inc: "", boot: 0 } },
};

const HELLO: Frame = {
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: "c", id: 1, inc: "one", boot: 1 },
  ...{ host: "virtual", port: 6001 },
};

/** A visitor at a peer that answers its connections so, one after the other; the last answer is repeated. */
function visiting(answers: readonly (Frame | "silence")[]) {
  const time = new VirtualTime();
  const random = seeded(1);
  const network = new VirtualNetwork(time, random);
  const site = (id: number) => {
    const clock = new VirtualClock(time, random);
    return { clock, network: network.attach(id, clock).network };
  };
  const [here, peer] = [site(1), site(2)];
  let visits = 0;
  peer.network.listen(
    "virtual",
    6001,
    (connection) => {
      const answer = answers[Math.min(visits, answers.length - 1)] as Frame | "silence";
      visits += 1;
      const said = answer === "silence" ? [] : answer.type === "ATTACHED" ? [HELLO, answer] : [answer];
      for (const piece of said.flatMap(encodeFrame)) connection.write(piece);
      if (answer === "silence" || answer.type === "REFUSE") connection.end();
      return { data() {}, drain() {}, close() {} };
    },
    () => {},
  );
  const told: string[] = [];
  const visitor = new Visitor(
    here,
    { host: "virtual", port: 6001 },
    {
      attached: () => told.push("attached"),
      told() {},
      lost: (why) => told.push(`lost: ${why}`),
    },
  );
  time.runUntil(10_000, () => told.length > 0);
  return { told, visits, visitor, time };
}

describe("a visitor", () => {
  test("of a peer with too many connections tries again until there is room", () => {
    const full = refusal("limit", "too many");
    expect(visiting([full, full, refusal("closing", "starting"), ATTACHED])).toMatchObject({
      told: ["attached"],
      visits: 4,
    });
  });

  test("that is never let in can say why not, and goes when it is told to", () => {
    const { told, visits, visitor, time } = visiting([refusal("limit", "too many")]);
    expect(told).toEqual([]);
    expect(visits).toBeGreaterThan(20);
    expect(visitor.why).toBe("too many");
    visitor.close();
    time.runUntil(time.now + 10_000);
    expect(told).toEqual([]);
  });

  test("is told of a refusal for good, and of who closes without a word", () => {
    expect(visiting([refusal("wrong-version", "too old")]).told).toEqual(["lost: too old"]);
    expect(visiting(["silence"]).told).toEqual(["lost: it closed the connection"]);
  });
});
