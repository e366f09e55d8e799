/** Rolled-back directories are caught by the others [D6]. */
import { describe, expect, test } from "bun:test";
import { fallsShort, Memory } from "../../../src/engines/bully/memory.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

const b1 = { term: 1, leader_id: 2, inc: "x", boot: 1 };
const b2 = { term: 2, leader_id: 1, inc: "y", boot: 1 };

describe("what is remembered", () => {
  test("the highest promise, and the highest match under it", () => {
    const memory = new Memory();
    const member = { id: 3, inc: "i3" };
    memory.saw(member, b1, 7);
    memory.saw(member, b1, 5);
    expect(memory.of(member)).toEqual({ promised: b1, match: 7 });
    memory.saw(member, b2, 0);
    memory.saw(member, b1, 9);
    expect(memory.of(member)).toEqual({ promised: b2, match: 0 });
    expect(memory.of({ id: 3, inc: "other" })).toBe(null);
  });

  test("a log may be shorter under a higher promise, not under the same one", () => {
    expect(fallsShort(b1, 6, { promised: b1, match: 7 })).toBe(true);
    expect(fallsShort(b1, 7, { promised: b1, match: 7 })).toBe(false);
    expect(fallsShort(b1, 9, { promised: b2, match: 7 })).toBe(true);
    expect(fallsShort(b2, 1, { promised: b1, match: 7 })).toBe(false);
  });
});

/** Puts the peer's directory back to what it held at `index` under `promised`, and starts it. */
function rollBack(peer: Puppet, index: number, promised = peer.disk.promised): void {
  peer.crash();
  peer.disk.entries.length = index;
  peer.disk.durable = index;
  peer.disk.promised = promised;
  peer.start();
}

describe("a directory put back", () => {
  test("a voter that lost what it had acknowledged helps no candidate that lacks it", () => {
    const { stage, b, c, leader: a } = trio();
    // A and B have it; that suffices.
    stage.cut(a, c);
    stage.cut(b, c);
    a.say("kept");
    stage.pass(1000);
    expect(a.sent).toEqual(["kept"]);
    const place = c.last;
    rollBack(b, place);
    // B meets those who remember before anybody asks it for a vote, and is not repaired yet when A dies.
    stage.held = (frame) => frame.type === "SEQ_CHAT";
    stage.connect(a, b);
    stage.quiet();
    expect(b.notices).toContain("damaged");
    expect(b.notices).toContain("rolled-back");
    a.crash();
    stage.connect(b, c);
    stage.pass(10_000);
    expect([b.leads, c.leads]).toEqual([false, false]);
    stage.held = () => false;
    a.start();
    stage.connect(a, b, c);
    stage.until("all have it", () => [a, b, c].every((p) => p.texts.includes("kept")));
    stage.until("B is whole", () => !b.peer.faulty);
  });

  test("a forgotten promise is kept again", () => {
    const { stage, b, leader: a } = trio();
    const given = b.peer.promised;
    rollBack(b, 1, { term: 0, leader_id: 0, inc: "", boot: 0 });
    stage.held = (frame) => frame.type === "SEQ_CHAT";
    stage.connect(a, b);
    stage.quiet();
    expect(b.peer.promised).toEqual(given);
    expect(b.peer.faulty).toBe(true);
    stage.held = () => false;
    stage.until("B is whole", () => !b.peer.faulty && b.last === a.last);
    expect(b.notices).toContain("repaired");
  });

  test("followers remember too, from the leader's heartbeats: the leader may be the one that dies", () => {
    const { stage, b, c, leader: a } = trio();
    a.say("kept");
    stage.pass(1000);
    rollBack(b, 2);
    a.crash();
    stage.connect(b, c);
    stage.quiet();
    expect(b.peer.faulty).toBe(true);
    stage.pass(5000);
    expect([b.leads, c.leads]).toEqual([false, false]);
  });

  test("a leader is remembered as well: put back, it neither leads again nor makes its ballot a second time", () => {
    for (const forgets of [false, true]) {
      const { stage, b, c, leader: a } = trio();
      const given = a.peer.promised;
      stage.cut(a, c);
      stage.cut(b, c);
      const place = a.last;
      a.say("kept");
      stage.pass(1000);
      expect([a.sent, b.heard]).toEqual([["kept"], ["kept"]]);
      stage.held = (frame, from) => frame.type === "SEQ_CHAT" || (frame.type === "PROMISE" && from === b);
      rollBack(a, forgets ? 1 : place, forgets ? { term: 0, leader_id: 0, inc: "", boot: 0 } : given);
      stage.connect(a, b);
      stage.quiet();
      expect([a.peer.faulty, a.peer.promised]).toEqual([true, given]);
      stage.connect(a, b, c);
      stage.pass(6000);
      expect(a.leads).toBe(false);
      stage.held = () => false;
      stage.until("all have it", () => [a, b, c].every((p) => p.heard.includes("kept")));
    }
  });

  test("a peer that only restarted is not accused", () => {
    const { stage, b, c, leader: a } = trio();
    a.say("m");
    stage.pass(1000);
    for (const peer of [b, c, a]) {
      peer.crash();
      peer.start();
      stage.connect(a, b, c);
      stage.until("a leader", () => [a, b, c].some((p) => p.leads));
      stage.pass(1000);
    }
    for (const peer of [a, b, c]) expect(peer.notices).not.toContain("rolled-back");
  });

  test("a peer whose uncommitted tail was cut by a new leader is not accused", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter"]);
    const [c, b, a] = peers;
    stage.connect(...peers);
    stage.until("A leads", () => a.leads && peers.every((p) => p.last === a.last));
    stage.isolate(a);
    a.say("lost");
    stage.until("B leads", () => b.leads);
    b.say("instead");
    stage.connect(a, b, c);
    stage.until("A has it", () => a.texts.includes("instead"));
    stage.pass(2000);
    for (const peer of peers) expect(peer.notices).not.toContain("rolled-back");
  });
});
