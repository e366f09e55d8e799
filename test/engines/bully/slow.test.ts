/**
 * Slow disks and far lines [E15]: who is slow is waited for as long as it needs, nobody makes it begin again, and one
 * that is slower than the others does not stand in their way.
 */
import { describe, expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../../src/core/config.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

const { leaderTimeout, quorumCheck, stall, defer } = DEFAULT_TIMINGS;
const SECOND = 1000;

/** `by` has measured the others so often that nothing is a surprise any more. */
function measured(by: Puppet, others: readonly Puppet[], roundTrip: number, sync = 0): void {
  for (const other of others) {
    const link = by.peer.linkTo(other);
    if (link === null) throw new Error(`peer ${by.id} has no link with peer ${other.id}`);
    const disk = { mean: sync, bound: sync };
    for (let i = 0; i < 20; i++) by.input({ type: "measured", link, roundTrip, disk });
  }
}

/** Three voters without a leader, of which the lowest asks for an election and the second begins none. */
function leaderless(): { stage: Stage; a: Puppet; b: Puppet; c: Puppet } {
  const { stage, b: middle, c: lowest, leader } = trio();
  leader.crash();
  return { stage, a: lowest, b: middle, c: leader };
}

describe("[E6] while a promise is on its way to the disk", () => {
  test("its giver begins no election of its own, however long it takes", () => {
    const { stage, a, b } = leaderless();
    a.promises = false;
    stage.until("b asks a for its promise", () => a.disk.promising?.leader_id === b.id);
    const ballot = a.disk.promising;
    stage.pass(20 * SECOND);
    expect(a.disk.promising).toBe(ballot);
    expect(b.leads).toBe(false);
  });

  test("a candidate that waits for its own disk makes no other ballot", () => {
    const { stage, b } = leaderless();
    b.promises = false;
    stage.until("b prepares", () => b.disk.promising?.leader_id === b.id);
    const ballot = b.disk.promising;
    stage.pass(20 * SECOND);
    expect(b.disk.promising).toBe(ballot);
    b.promises = true;
    b.syncPromise();
    stage.until("b leads", () => b.leads);
    expect(b.peer.promised).toEqual(ballot as NonNullable<typeof ballot>);
  });

  test("nobody else is granted an election; when the promised candidate is gone, everybody is", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter", "voter", "voter"]);
    const [a, b, c, d, leader] = peers;
    stage.connect(...peers);
    stage.until("the highest leads", () => leader.leads && peers.every((p) => p.delivered.length === leader.last));
    for (const voter of [a, b, c]) voter.promises = false;
    // What c says is late, and it hears nothing of what d begins.
    const apart = (x: Puppet, y: Puppet) => (x === c && y === d) || (x === d && y === c);
    stage.held = (_, from, to) => from === c || apart(from, to);
    leader.crash();
    stage.until("d asks a and b for promises", () => [a, b].every((v) => v.disk.promising?.leader_id === d.id));
    stage.held = (_, from, to) => apart(from, to);
    stage.pass(10 * SECOND);
    expect([a, b].map((v) => v.disk.promising?.leader_id)).toEqual([d.id, d.id]);
    expect(c.disk.promising).toBeNull();
    d.crash();
    stage.until("c prepares with the grants of a and b", () => c.disk.promising?.leader_id === c.id);
  });
});

describe("[E15] a candidate", () => {
  test("waits for promises as long as the disks of a majority take", () => {
    const { stage, a, b } = leaderless();
    measured(b, [a], 1, 2 * SECOND);
    a.promises = false;
    stage.until("b asks a for its promise", () => a.disk.promising?.leader_id === b.id);
    const { term } = b.peer.promised;
    stage.pass(2 * leaderTimeout);
    a.promises = true;
    a.syncPromise();
    stage.pass(100);
    expect([b.leads, b.peer.promised.term]).toEqual([true, term]);
  });

  test("is not waited for any longer when it said that it would lead, and its disk was measured to be fast", () => {
    const { stage, a, b } = leaderless();
    measured(a, [b], 1);
    // b answers that it will lead, and then nothing of it comes.
    stage.held = (frame, from) => from === b && frame.type !== "ELECTION_OK";
    stage.until("a stands down", () => a.peer.election.campaigning && stage.under(b, a, "ELECTION").length > 0);
    const began = stage.now;
    stage.until("a goes on without b", () => a.disk.promised.leader_id === a.id || a.peer.promised.leader_id === a.id);
    expect(stage.now - began).toBeLessThan(2 * defer + 200);
  });
});

describe("[E15] where round trips take longer than the leader timeout", () => {
  const FAR = 2 * SECOND;

  test("a leader bears the silence of its followers, and they of it", () => {
    const { stage, b, c, leader } = trio();
    measured(leader, [b, c], FAR);
    for (const follower of [b, c]) measured(follower, [leader], FAR);
    stage.held = (_, from, to) => from === leader || to === leader;
    stage.pass(2 * Math.max(leaderTimeout, quorumCheck));
    expect(leader.leads).toBe(true);
    expect([b, c].map((p) => p.peer.leader?.ballot.leader_id)).toEqual([leader.id, leader.id]);
    // Not without an end.
    stage.pass(3 * FAR);
    expect(leader.leads).toBe(false);
    expect([b, c].map((p) => p.peer.leader?.ballot.leader_id)).not.toContain(leader.id);
  });

  test("[E11] near ones are not borne any longer because another one is far", () => {
    const { stage, b, c, leader } = trio();
    measured(leader, [b], 1);
    measured(leader, [c], FAR);
    c.crash();
    stage.held = (_, from) => from === b;
    stage.pass(quorumCheck + 100);
    expect(leader.leads).toBe(false);
  });

  test("[S4] a message is not sent again before it could be known to be sent", () => {
    const { stage, b, leader } = trio();
    measured(b, [leader], FAR);
    stage.held = (frame, from, to) => from === b && to === leader && frame.type === "CHAT";
    b.say("across the sea");
    stage.pass(FAR);
    expect(stage.under(b, leader, "CHAT")).toHaveLength(1);
    stage.pass(2 * FAR);
    expect(stage.under(b, leader, "CHAT").length).toBeGreaterThan(1);
  });
});

describe("[E11] a leader whose entries become durable nowhere", () => {
  test("gives up at the stall time where disks are fast, and later where a majority is known to be slow", () => {
    const givesUpAfter = (sync: number): number => {
      const { stage, b, c, leader } = trio();
      measured(leader, [b, c], 1, sync);
      for (const peer of [leader, b, c]) peer.syncs = false;
      leader.say("on no disk");
      const began = stage.now;
      stage.until("it gives up", () => !leader.leads);
      return stage.now - began;
    };
    expect(givesUpAfter(2)).toBeLessThan(stall + 200);
    expect(givesUpAfter(2 * SECOND)).toBeGreaterThan(2 * stall - 200);
  });
});

describe("one whose disk is much slower than the others'", () => {
  const SLOW = 2 * SECOND;

  /** Makes a peer know that its own disk is slow. */
  function slowDown(stage: Stage, peer: Puppet): void {
    peer.syncs = false;
    for (let i = 0; i < 3; i++) {
      peer.say(`slow ${i}`);
      stage.pass(SLOW);
      peer.sync();
      stage.pass(50);
    }
    peer.syncs = true;
  }

  test("[E4] stands nobody down and begins later, so that another one leads", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter", "voter"]);
    const [a, b, slow, leader] = peers;
    stage.connect(...peers);
    stage.until("the highest leads", () => leader.leads && peers.every((p) => p.delivered.length === leader.last));
    slowDown(stage, slow);
    expect(slow.notices).toContain("disk-slow");
    leader.crash();
    stage.until("somebody leads", () => [a, b, slow].some((p) => p.leads));
    expect([a, b, slow].map((p) => p.leads)).toEqual([false, true, false]);
  });

  test("[E10] is handed no young cluster, but the lead when a person says so", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter"]);
    const [a, b, slow] = peers;
    stage.connect(a, b);
    stage.until("b leads", () => b.leads && a.delivered.length === b.last);
    stage.connect(...peers);
    measured(b, [slow], 1, SLOW);
    stage.pass(5 * SECOND);
    expect(b.leads).toBe(true);
    b.input({ type: "transfer", to: slow.id });
    stage.until("it leads", () => slow.leads);
  });
});
