/** How a leader begins and what it sends first: whom a voter asks, what it announces, and how it streams its log. */
import { expect, test } from "bun:test";
import { Stage, trio } from "./puppets.ts";

test("[E2] a peer that suspects the leader asks the other voters, and no observer", () => {
  const { stage, peers } = Stage.with(["voter", "voter", "voter", "observer"]);
  const [a, b, leader, observer] = peers;
  stage.connect(...peers);
  stage.until("the highest leads", () => leader.leads && peers.every((p) => p.delivered.length === leader.last));
  stage.held = (frame) => frame.type === "ELECTION";
  leader.crash();
  stage.until("both ask", () =>
    [stage.under(a, b, "ELECTION"), stage.under(b, a, "ELECTION")].every((f) => f.length > 0),
  );
  expect(stage.under(a, observer, "ELECTION")).toEqual([]);
  expect(stage.under(b, observer, "ELECTION")).toEqual([]);
});

test("[E9] a leader announces itself to everybody, and its log begins with its own entry", () => {
  const { stage, b, c, leader } = trio();
  stage.held = (frame) => frame.type === "COORDINATOR";
  const before = b.last;
  leader.crash();
  stage.until("b leads", () => b.leads);
  expect(stage.under(b, c, "COORDINATOR").map(({ ballot }) => ballot)).toEqual([b.peer.promised]);
  expect(b.disk.entries[before]).toMatchObject({ kind: "leader", leader_id: b.id, term: b.peer.promised.term });
});

test("[R1] a leader sends one frame until it is taken, and does not wait between those that follow", () => {
  const { stage, b, leader } = trio();
  stage.held = (frame) => frame.type === "SEQ_CHAT";
  leader.say("one");
  leader.say("two");
  expect(stage.under(leader, b, "SEQ_CHAT")).toHaveLength(2);
  stage.cut(leader, b);
  stage.connect(leader, b);
  leader.say("three");
  leader.say("four");
  expect(stage.under(leader, b, "SEQ_CHAT")).toHaveLength(1);
  stage.held = () => false;
  stage.quiet();
  expect(b.texts).toEqual(["one", "two", "three", "four"]);
  stage.held = (frame) => frame.type === "SEQ_CHAT";
  leader.say("five");
  leader.say("six");
  expect(stage.under(leader, b, "SEQ_CHAT")).toHaveLength(2);
});
