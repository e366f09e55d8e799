/** Partial graphs: what a peer does that does not reach the leader, but somebody who does [S6], or nobody [S7]. */
import { describe, expect, test } from "bun:test";
import { Stage } from "./puppets.ts";

const FIVE = ["voter", "voter", "voter", "voter", "voter"] as const;

/** Five under way; then E, the lowest, reaches none but the given ones. */
function cutOff(...reached: number[]) {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, c, b, a] = peers;
  stage.connect(...peers);
  a.say("before");
  stage.until("everybody has it", () => a.leads && peers.every((p) => p.heard.length === 1));
  for (const other of [a, b, c, d]) if (!reached.includes(other.id)) stage.cut(e, other);
  return { stage, a, b, c, d, e };
}

describe("[S6] relay", () => {
  test("a peer that reaches a follower only has its messages sequenced, and is told that they are sent", () => {
    const { stage, a, d, e } = cutOff(2);
    e.say("one", "two");
    stage.until("E is told", () => e.sent.length === 2);
    expect(a.heard).toEqual(["before", "one", "two"]);
    expect(e.heard).toEqual(["before", "one", "two"]);
    expect(d.leads || e.leads).toBe(false);
  });

  test("it hears what others say as well, in order, though no leader reaches it", () => {
    const { stage, a, b, e } = cutOff(2);
    for (let i = 0; i < 10; i++) (i % 2 === 0 ? a : b).say(`m${i}`);
    stage.until("E has all", () => e.heard.length === 11);
    expect(e.heard).toEqual(a.heard);
    expect(e.peer.leader).toBe(null);
  });

  test("each message is there once, also where it went both ways", () => {
    const { stage, a, e, d } = cutOff(2);
    e.say("relayed");
    stage.until("A has it", () => a.texts.includes("relayed"));
    // Back with the leader before it heard of that: it sends again.
    stage.held = (frame, _, to) => to === e && frame.type === "CATCHUP_RESP";
    stage.connect(e, a);
    stage.until("E is told", () => e.sent.length === 1);
    stage.pass(2000);
    expect(a.texts).toEqual(["before", "relayed"]);
    expect(d.heard).toEqual(["before", "relayed"]);
  });

  test("one hop: a peer that has no leader itself passes nothing on", () => {
    const { stage, peers } = Stage.with(FIVE);
    const [e, d, c, b, a] = peers;
    stage.connect(...peers);
    stage.until("A leads", () => a.leads);
    // E reaches D only, D reaches C only: two hops from anybody with a leader.
    for (const other of [a, b, c]) stage.cut(e, other);
    for (const other of [a, b]) stage.cut(d, other);
    d.say("over C");
    e.say("too far");
    stage.until("D is told", () => d.sent.length === 1);
    stage.pass(3000);
    expect(a.texts).toEqual(["over C"]);
    expect(e.peer.sender.pending).toBe(1);
    stage.connect(e, c);
    stage.until("E is told", () => e.sent.length === 1);
  });

  test("where the relay dies, another one is found", () => {
    const { stage, d, c, e } = cutOff(2, 3);
    e.say("one");
    stage.until("E is told", () => e.sent.length === 1);
    stage.cut(e, d);
    stage.cut(d, c);
    e.say("two");
    stage.until("E is told", () => e.sent.length === 2);
    expect(c.heard).toEqual(["before", "one", "two"]);
  });

  test("whose place was given to another learns it from those it reaches, and asks to join anew [M7]", () => {
    const { stage, a, e } = cutOff();
    a.input({ type: "evict", id: e.id });
    stage.until("E is out", () => a.peer.memberOf(e)?.role === "left");
    stage.connect(e, stage.puppets[1] as typeof e);
    stage.until("E knows", () => e.peer.memberOf(e)?.role === "left");
    stage.connect(e, a);
    stage.until("E is back", () => e.role === "voter" || e.role === "observer");
  });
});

describe("[S7] without a leader", () => {
  test("peers that reach each other show each other what waits, unnumbered and once", () => {
    const { stage, a, b, c, d, e } = cutOff(2);
    for (const other of [a, b, c]) stage.cut(d, other);
    e.say("is anybody there?");
    d.say("I am");
    stage.pass(5000);
    expect([d.unsent, e.unsent]).toEqual([["is anybody there?"], ["I am"]]);
    expect([d.heard, e.heard]).toEqual([["before"], ["before"]]);
    // After healing they come with their numbers.
    stage.connect(a, b, c, d, e);
    stage.until("all have both", () => [a, d, e].every((p) => p.heard.length === 3));
    expect(e.heard).toEqual(d.heard);
  });

  test("with a leader, or a way to one, nothing is shown as pending", () => {
    const { stage, a, d, e } = cutOff(2);
    e.say("relayed");
    a.say("led");
    stage.until("E is told", () => e.sent.length === 1);
    expect([a, d, e].flatMap((p) => p.unsent)).toEqual([]);
  });

  test("a long outbox is not poured out: the oldest hundred are shown", () => {
    const { stage, d, e } = cutOff(2);
    for (const other of stage.puppets.slice(2)) stage.cut(d, other);
    e.say(...Array.from({ length: 1000 }, (_, i) => `m${i}`));
    stage.pass(300);
    expect(d.unsent.slice(0, 3)).toEqual(["m0", "m1", "m2"]);
    expect(d.unsent.length).toBeLessThan(300);
  });
});
