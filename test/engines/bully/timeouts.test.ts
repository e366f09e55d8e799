/** [E15] Times that follow what was measured: never below what is configured, and never without an end. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DEFAULT_TIMINGS, DISK_SLOW_MS, TIMEOUT_MS_MAX } from "../../../src/core/config.ts";
import type { MemberKey } from "../../../src/core/ids.ts";
import { OwnDisk } from "../../../src/engines/bully/own-disk.ts";
import { type Surroundings, Timeouts } from "../../../src/engines/bully/timeouts.ts";

const member = (id: number): MemberKey => ({ id, inc: `i${id}` });
const VOTERS = [1, 2, 3].map(member);
const SELF = member(1);
const timings = DEFAULT_TIMINGS;

interface Measured {
  readonly id: number;
  readonly roundTrip: number;
  readonly disk: number;
}

/** Peer 1 of three voters, with so many measurements of each kind; `own`: what its own syncs took. */
function timeouts(measured: readonly Measured[], own: readonly number[] = [], gone: readonly number[] = []): Timeouts {
  let now = 1000;
  const around: Surroundings = {
    timings,
    self: SELF,
    get now() {
      return now;
    },
    voterSets: [VOTERS],
    otherVoters: VOTERS.slice(1),
    catchesUp: false,
    isLinked: ({ id }) => !gone.includes(id),
  };
  const made = new Timeouts(around);
  for (const { id, roundTrip, disk } of measured)
    for (let i = 0; i < 20; i++) made.onMeasured(member(id), roundTrip, { mean: disk, bound: disk });
  for (const [i, took] of own.entries()) {
    made.disk.onAppend(i + 1, now);
    now += took;
    made.onDurable(i + 1);
  }
  return made;
}

const near = (id: number): Measured => ({ id, roundTrip: 1, disk: 2 });

/** Everything that is waited for, as one list. */
function all(t: Timeouts): number[] {
  const of = VOTERS.slice(1).flatMap((v) => [
    ...[t.leaderTimeout(v), t.quorumCheck(v), t.answer(v), t.deferral(v), t.patience(v), t.handover(v)],
  ]);
  return [...of, t.stall, t.poll, t.promises(0), t.promises(5), t.deference(1), t.quit];
}

const measurement = fc.record({
  id: fc.integer({ min: 2, max: 3 }),
  roundTrip: fc.nat(100_000),
  disk: fc.nat(100_000),
});

describe("what is waited for", () => {
  const configured = all(timeouts([]));

  test("is what is configured where nothing was measured", () => {
    const t = timeouts([]);
    expect(t.leaderTimeout(member(2))).toBe(timings.leaderTimeout);
    expect(t.quorumCheck(member(2))).toBe(timings.quorumCheck);
    expect([t.stall, t.quit]).toEqual([timings.stall, timings.quit]);
    expect([t.poll, t.promises(0)]).toEqual([timings.leaderTimeout, timings.leaderTimeout]);
    expect([t.deference(1), t.deferral(member(3))]).toEqual([timings.defer, timings.defer]);
  });

  test("hardly changes on fast disks and lines: a failover takes as long as before", () => {
    const t = timeouts([near(2), near(3)], [2, 3, 2, 2]);
    expect(t.leaderTimeout(member(2))).toBe(timings.leaderTimeout);
    expect([t.stall, t.poll, t.promises(0)]).toEqual([timings.stall, timings.leaderTimeout, timings.leaderTimeout]);
    for (const [i, time] of all(t).entries()) expect(time - (configured[i] as number)).toBeLessThan(50);
  });

  test("is never less than configured, and never more than the limit, whatever was measured", () => {
    fc.assert(
      fc.property(fc.array(measurement, { maxLength: 6 }), fc.array(fc.nat(100_000), { maxLength: 6 }), (m, own) => {
        for (const [i, time] of all(timeouts(m, own)).entries()) {
          expect(time).toBeGreaterThanOrEqual(configured[i] as number);
          expect(time).toBeLessThanOrEqual(Math.max(TIMEOUT_MS_MAX, configured[i] as number));
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  test("of a majority: one slow disk and one far member of three change only their own times", () => {
    const t = timeouts([near(2), { id: 3, roundTrip: 1800, disk: 2000 }], [2, 2, 2]);
    expect([t.stall, t.poll, t.promises(0)]).toEqual([timings.stall, timings.leaderTimeout, timings.leaderTimeout]);
    expect(t.leaderTimeout(member(2))).toBe(timings.leaderTimeout);
    expect(t.leaderTimeout(member(3))).toBeGreaterThan(2 * 1800);
    // Where 2 is gone, 3 is needed.
    const alone = timeouts([near(2), { id: 3, roundTrip: 1800, disk: 2000 }], [2, 2, 2], [2]);
    expect(alone.promises(0)).toBeGreaterThanOrEqual(2 * (1800 + 2000));
    expect(alone.stall).toBeGreaterThan(1800 + 2000);
  });

  test("[E12] grows after failures where nothing could be measured, up to a factor", () => {
    const t = timeouts([]);
    expect([0, 1, 2, 3, 9].map((n) => t.promises(n) / timings.leaderTimeout)).toEqual([1, 2, 4, 4, 4]);
  });

  test("is forgotten together with the member it belongs to", () => {
    const t = timeouts([{ id: 3, roundTrip: 1800, disk: 0 }]);
    t.forget(member(3));
    expect([t.roundTrip(member(3)), t.leaderTimeout(member(3))]).toEqual([0, timings.leaderTimeout]);
  });
});

describe("whose disk is much slower", () => {
  const own = (ms: number) => Array.from({ length: 20 }, () => ms);
  test.each([
    ["both are fast", 2, 5, [false, false]],
    ["both are slow alike", 1000, 800, [false, false]],
    ["the own one is slow", 1000, 5, [true, false]],
    ["the other one is slow", 5, 1000, [false, true]],
    ["the own one is a little slower", 150, 5, [false, false]],
  ] as const)("%s", (_, ownMs, otherMs, expected) => {
    const t = timeouts([{ id: 2, roundTrip: 1, disk: otherMs }], own(ownMs));
    expect([t.isSlowerThan(member(2)), t.isSlower(member(2))]).toEqual([...expected]);
  });
});

describe("the own disk", () => {
  test("is measured from an append to its durability, one at a time", () => {
    const disk = new OwnDisk(10_000);
    disk.onAppend(1, 0);
    disk.onAppend(2, 50);
    disk.onDurable(1, 100);
    expect(disk.times.mean).toBe(100);
    // What was appended meanwhile is not measured; the next append is.
    disk.onDurable(2, 400);
    expect(disk.times.mean).toBe(100);
    disk.onAppend(3, 500);
    disk.onDurable(3, 600);
    expect(disk.times.mean).toBe(100);
  });

  test("an append that a truncation took away is no measurement", () => {
    const disk = new OwnDisk(10_000);
    disk.onAppend(5, 0);
    disk.onTruncate(5);
    disk.onAppend(5, 900);
    disk.onDurable(5, 1000);
    expect(disk.times.mean).toBe(100);
  });

  test("time in which the process itself stood still does not count for the disk", () => {
    const disk = new OwnDisk(10_000);
    disk.onAppend(1, 0);
    disk.onPromise(0);
    disk.discount(2000);
    disk.onDurable(1, 2100);
    disk.onPromised(2100);
    expect(disk.times.mean).toBe(100);
  });

  test("promises count as well, the newest one", () => {
    const disk = new OwnDisk(10_000);
    disk.onPromise(0);
    disk.onPromise(500);
    disk.onPromised(800);
    expect(disk.times.mean).toBe(300);
  });

  test("a sync under way counts for as long as it takes, to this peer itself; nobody waits for a disk that hangs", () => {
    const disk = new OwnDisk(10_000);
    disk.onAppend(1, 0);
    expect([disk.mean(5000), disk.bound, disk.times.mean]).toEqual([5000, 0, 0]);
  });

  test("is told to be slow once, after some measurements, and to be fast again once", () => {
    const disk = new OwnDisk(10_000);
    let index = 0;
    let now = 0;
    const told: (string | null)[] = [];
    const sync = (ms: number, times: number) => {
      for (let i = 0; i < times; i++) {
        index += 1;
        disk.onAppend(index, now);
        now += ms;
        disk.onDurable(index, now);
        told.push(disk.news()?.code ?? null);
      }
    };
    sync(2 * DISK_SLOW_MS, 6);
    expect(told).toEqual([null, null, "disk-slow", null, null, null]);
    told.length = 0;
    sync(1, 30);
    expect(told.filter((t) => t !== null)).toEqual(["disk-fast"]);
  });
});
