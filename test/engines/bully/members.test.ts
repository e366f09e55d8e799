/** Who gets into the configuration, how many there may be, and who is forgotten [M4] [M5] [M6]. */
import { describe, expect, test } from "bun:test";
import { CONFIGURATION_MEMBERS_MAX, LEFT_KEPT_MAX, MEMBERS_MAX } from "../../../src/core/config.ts";
import type { Role } from "../../../src/core/log-entry.ts";
import { address } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

/** Hundreds of peers take the seconds that they take. */
const PATIENCE_MS = 60_000;

/** Somebody of that id who says JOIN, and from then on no word more. */
function knock(stage: Stage, leader: Puppet, id: number): Puppet {
  const one = stage.add(id, `inc${id}`).start();
  stage.held = (_frame, from) => from === one;
  stage.connect(one, leader);
  stage.hand(one, leader, { type: "JOIN", id, inc: one.inc, ...address(9) });
  stage.quiet();
  return one;
}

function leave(stage: Stage, puppet: Puppet): void {
  puppet.crash();
  stage.puppets.splice(stage.puppets.indexOf(puppet), 1);
}

/** New peers join, say something perhaps, and leave in good order. */
function comeAndGo(stage: Stage, leader: Puppet, ids: readonly number[], text: string | null): void {
  const those = ids.map((id) => stage.add(id).start());
  for (const one of those) stage.connect(leader, one);
  stage.until("they are members", () => those.every((p) => p.role === "observer" && p.peer.leader !== null));
  if (text !== null) those[0]?.say(text);
  for (const one of those) one.input({ type: "quit" });
  stage.until("they have left", () => those.every((p) => p.stopped !== null));
  for (const one of those) leave(stage, one);
}

describe("[M4] peers that ask to be let in", () => {
  test("is a guest until it has answered a heartbeat: a JOIN alone leaves no trace", () => {
    const { stage, b, leader } = trio();
    const { last } = leader;
    const guest = knock(stage, leader, 9);
    stage.pass(2000);
    expect([leader.last, leader.peer.memberOf(guest)]).toEqual([last, null]);
    expect(stage.under(leader, guest, "SEQ_CHAT")).toEqual([]);
    // It works after all.
    stage.held = () => false;
    stage.until("it is a member", () => b.peer.memberOf(guest)?.role === "observer");
  });

  test("and goes without an answer was nobody: hundreds of them change nothing, and nobody dials them", () => {
    const { stage, b, c, leader } = trio();
    const { last } = leader;
    for (let i = 0; i < 300; i++) {
      leave(stage, knock(stage, leader, 100 + i));
    }
    stage.held = () => false;
    stage.pass(2000);
    for (const peer of [b, c, leader]) expect([peer.last, peer.peer.targets().length]).toEqual([last, 2]);
  });

  test("takes no absent member's place by its id alone [M6]", () => {
    const { stage, b, c, leader } = trio();
    leader.say("hello");
    stage.pass(500);
    c.crash();
    stage.pass(stage.timings.eviction + 1000);
    const thief = knock(stage, leader, c.id);
    stage.pass(2000);
    leave(stage, thief);
    stage.held = () => false;
    c.start();
    stage.connect(b, c, leader);
    stage.until("C is here", () => c.peer.leader !== null);
    expect(leader.peer.memberOf(c)?.role).not.toBe("left");
    c.say("it is me");
    stage.until("C is heard", () => leader.heard.includes("it is me"));
  });

  test("is let in also where it knows a higher ballot than the leader's [E13]", () => {
    const { stage, b, c, leader } = trio();
    leader.say("hello");
    stage.pass(500);
    c.crash();
    leader.input({ type: "evict", id: c.id });
    stage.until("C is out", () => leader.peer.memberOf(c)?.role === "left");
    c.disk.promised = { term: leader.peer.promised.term + 5, leader_id: c.id, inc: c.inc, boot: 1 };
    c.start();
    stage.connect(b, c, leader);
    stage.until("C is a member and follows", () => c.peer.leader !== null && c.role !== null && c.role !== "left");
  });
});

describe("[M5] the members of a cluster", () => {
  /** One voter, and so many others that are not here. */
  function crowd(others: number, role: Role): { stage: Stage; leader: Puppet } {
    const { stage, peers } = Stage.with(["voter", ...Array.from({ length: others }, () => role)]);
    const [leader, ...rest] = peers as [Puppet, ...Puppet[]];
    for (const puppet of rest) leave(stage, puppet);
    stage.until("it leads", () => leader.leads);
    return { stage, leader };
  }

  test("are bounded: one more is told why and what to do", () => {
    const { stage, leader } = crowd(MEMBERS_MAX - 1, "observer");
    const told: string[] = [];
    const { out } = leader.peer;
    leader.peer.out = (output) => {
      if (output.do === "refuse") told.push(`${output.code}: ${output.message}`);
      out.call(leader.peer, output);
    };
    const { last } = leader;
    const one = stage.add(2000).start();
    stage.connect(leader, one);
    stage.pass(1000);
    expect(leader.last).toBe(last);
    expect(told[0]).toStartWith(`limit: the cluster has ${MEMBERS_MAX} members, which is the limit`);
    expect(told[0]).toContain("/evict");
  });

  test("make room for a peer that is here when they are gone, the longest first", () => {
    const { stage, leader } = crowd(MEMBERS_MAX - 1, "observer");
    stage.pass(stage.timings.eviction + 1000);
    const one = stage.add(2000).start();
    stage.connect(leader, one);
    stage.until("it is a member", () => one.role !== null);
    const members = leader.peer.configuration?.members ?? [];
    expect(members.filter((m) => m.role === "left")).toHaveLength(1);
    expect(members.filter((m) => m.role !== "left")).toHaveLength(MEMBERS_MAX);
  });

  test("who have left are forgotten when there are many of them", () => {
    const { stage, leader } = crowd(LEFT_KEPT_MAX, "left");
    expect(leader.peer.configuration?.members).toHaveLength(1 + LEFT_KEPT_MAX);
    const one = stage.add(2000).start();
    stage.connect(leader, one);
    stage.until("it is a member", () => one.role !== null);
    one.input({ type: "quit" });
    stage.until("it has left", () => one.stopped !== null);
    expect(leader.peer.configuration?.members.map((m) => m.id)).toEqual([1, 2000]);
  });

  test(
    "may be more than a thousand in its life",
    () => {
      const { stage, peers } = Stage.with(["voter", "voter", "voter"]);
      stage.connect(...peers);
      stage.until("one leads", () => peers.some((p) => p.leads));
      const [, b, leader] = peers;
      const rounds = 2 + CONFIGURATION_MEMBERS_MAX / 50;
      let named = 0;
      for (let round = 0; round < rounds; round++) {
        const ids = Array.from({ length: 50 }, (_, i) => 10 + 50 * round + i);
        comeAndGo(stage, leader, ids, `round ${round}`);
        named = Math.max(named, leader.peer.configuration?.members.length ?? 0);
      }
      expect(named).toBeLessThanOrEqual(CONFIGURATION_MEMBERS_MAX);
      expect(leader.peer.configuration?.members.length).toBeLessThanOrEqual(3 + LEFT_KEPT_MAX + 50);
      expect(b.heard).toHaveLength(rounds);
      expect(leader.leads).toBe(true);
    },
    PATIENCE_MS,
  );

  test("a peer that was evicted and forgotten learns that it is out, and comes back with what it had to say [M7] [D6]", () => {
    const { stage, b, c, leader } = trio();
    leader.say("hello");
    stage.pass(500);
    c.crash();
    leader.input({ type: "evict", id: c.id });
    stage.until("C is out", () => leader.peer.memberOf(c)?.role === "left");
    const ids = Array.from({ length: LEFT_KEPT_MAX }, (_, i) => 10 + i);
    comeAndGo(stage, leader, ids, null);
    expect(leader.peer.memberOf(c)).toBeNull();
    expect(leader.peer.memory.of(c)).toBeNull();
    const session = { session: "old", first: 1, drafts: [{ room_id: "lobby", user: "u", ts: 0, payload: "kept" }] };
    c.start({ outbox: [session] });
    stage.connect(b, c, leader);
    stage.until("C is heard", () => leader.heard.includes("kept"));
    stage.until("C votes", () => leader.peer.memberOf(c)?.role === "voter");
  });
});
