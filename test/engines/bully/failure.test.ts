/**
 * The failure detector [E1]: a closed link is acted on at once, silence after the leader timeout, and never one's own
 * deafness: time in which this process itself stood still says nothing about others.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LateClock } from "../../../src/engines/bully/late-clock.ts";
import { Stage, trio } from "./puppets.ts";

describe("the clock that watches its own process", () => {
  test("is not late by scheduling alone, nor before its time", () => {
    const clock = new LateClock(1000);
    clock.expect(1200);
    expect(clock.advance(1100)).toBe(0);
    expect(clock.advance(1200)).toBe(0);
    expect(clock.advance(1299)).toBe(0);
  });

  test("says by how much it was held up, once", () => {
    const clock = new LateClock(1000);
    clock.expect(1200);
    expect(clock.advance(4200)).toBe(3000);
    expect(clock.advance(4200)).toBe(0);
    expect(clock.advance(4250)).toBe(0);
  });

  test("never counts more than the time that passed, however it is called", () => {
    const calls = fc.array(fc.record({ wait: fc.nat(1000), expected: fc.nat(300), settles: fc.boolean() }));
    fc.assert(
      fc.property(calls, (made) => {
        const clock = new LateClock(0);
        let now = 0;
        let late = 0;
        let due = 100;
        for (const { wait, expected, settles } of made) {
          now += wait;
          const said = clock.advance(now);
          expect(said).toBe(now - due >= 100 ? now - due : 0);
          if (said > 0) due = now;
          late += said;
          if (settles) {
            due = now + expected;
            clock.expect(due);
          }
        }
        expect(late).toBeLessThanOrEqual(now);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe("suspicion", () => {
  test("of a leader whose link closed comes at once", () => {
    const { stage, b, leader } = trio();
    stage.cut(b, leader);
    expect(b.peer.leader).toBeNull();
  });

  test("of a silent leader comes at the leader timeout, not before", () => {
    const { stage, b, leader } = trio();
    stage.held = (_, from) => from === leader;
    const heard = b.peer.leader?.heard ?? 0;
    const timeout = heard + stage.timings.leaderTimeout;
    stage.pass(timeout - 1 - stage.now);
    expect(b.peer.leader?.ballot.leader_id).toBe(leader.id);
    stage.pass(1);
    expect(b.peer.leader?.ballot.leader_id).not.toBe(leader.id);
  });

  test("does not come of one's own sleep, but of silence after it", () => {
    const { stage, b, leader } = trio();
    stage.held = (_, from) => from === leader;
    stage.now += 10_000;
    b.tick();
    expect(b.peer.leader?.ballot.leader_id).toBe(leader.id);
    // The others slept too; nobody acts before having had the time to hear.
    stage.pass(stage.timings.leaderTimeout - 300);
    expect(b.peer.leader?.ballot.leader_id).toBe(leader.id);
    stage.pass(400);
    expect(b.peer.leader?.ballot.leader_id).not.toBe(leader.id);
  });

  test("[E11] a leader that slept hears its followers before it gives up, and gives up if it does not", () => {
    const { stage, b, c, leader } = trio();
    stage.now += 10_000;
    for (const peer of [leader, b, c]) peer.tick();
    stage.pass(500);
    expect(leader.notices).not.toContain("abdicated");
    stage.held = (_, __, to) => to === leader;
    stage.now += 10_000;
    leader.tick();
    expect(leader.leads).toBe(true);
    stage.pass(stage.timings.quorumCheck + 100);
    expect(leader.leads).toBe(false);
  });

  test("an observer suspects nobody and never campaigns", () => {
    const { stage, peers } = Stage.with(["voter", "observer"]);
    const [only, observer] = peers;
    stage.connect(only, observer);
    stage.until("the only voter leads", () => only.leads && observer.delivered.length === only.last);
    only.crash();
    stage.pass(20_000);
    expect([observer.leads, observer.peer.election.campaigning, observer.peer.promised.leader_id]).toEqual([
      false,
      false,
      only.id,
    ]);
  });
});
