/** The small files of a data directory: identity, promise, progress. */
import { expect, test } from "bun:test";
import type { Ballot } from "../../src/core/ids.ts";
import { type Directory, HostError, openDirectory } from "../../src/host/directory.ts";
import { replaceStateNow } from "../../src/host/state-files.ts";
import { VirtualDisk } from "../../src/sim/disk.ts";
import { LogMaker, promiseAbove } from "./log-maker.ts";
import { ManualClock, seeded } from "./manual-clock.ts";

const BALLOT: Ballot = { term: 7, leader_id: 2, inc: "two" };

function machine(seed = 1) {
  const clock = new ManualClock(seeded(seed));
  const disk = new VirtualDisk({ clock, random: seeded(seed) });
  promiseAbove(disk);
  disk.faults.syncMs = () => 5;
  const failed: string[] = [];
  const events = { durable: () => {}, failed: (e: Error) => void failed.push(e.message) };
  const open = (id = 1, founds = true) => openDirectory(disk, clock, { id, founds, fsync: true, events });
  return { clock, disk, open, failed };
}

function promise(directory: Directory, clock: ManualClock, ballot = BALLOT): string {
  let answer = "none";
  directory.writePromise(ballot, (error) => {
    answer = error?.code ?? "durable";
  });
  expect(answer).not.toBe("durable");
  clock.run();
  return answer;
}

test("[M1] the incarnation is made once with the directory; a founder's cluster too, a joiner has none until it is told", () => {
  const founder = machine(1);
  const first = founder.open();
  expect(first.clusterId).not.toBeNull();
  const { inc, clusterId } = first;
  founder.disk.crash();
  const again = founder.open(1, false);
  expect([again.inc, again.clusterId]).toEqual([inc, clusterId]);

  const joiner = machine(2);
  const joining = joiner.open(2, false);
  expect([joining.clusterId, joining.foundingGenesis({ host: "h", port: 1 })]).toEqual([null, null]);
  expect(joining.inc).not.toBe(inc);
  joining.bindCluster("somewhere");
  joiner.disk.crash();
  expect(joiner.open(2, true).clusterId).toBe("somewhere");
});

test("a directory of another peer is refused with the id it belongs to", () => {
  const { disk, open } = machine();
  open().close();
  expect(() => open(2)).toThrow("belongs to peer 1, not to peer 2: start it with --id 1");
  disk.lock(); // the refused start has given the directory back
});

test("[D2] a promise reported durable survives every power cut; one under way is there whole or not at all", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { clock, disk, open } = machine(seed);
    const directory = open();
    expect(promise(directory, clock)).toBe("durable");
    directory.writePromise({ ...BALLOT, term: 8 }, () => {});
    for (let n = seed % 4; n > 0; n--) clock.step();
    disk.crash();
    const { promised } = open().restored;
    expect([7, 8]).toContain(promised.term);
    expect({ ...promised, term: 7 }).toEqual(BALLOT);
  }
});

test("[D2] a damaged promise or identity stops the start with what to do, and is never taken for a fresh one", () => {
  for (const [path, words] of [
    ["promise.json", "without it this peer could break a promise"],
    ["identity.json", "restore it from a copy"],
  ] as const) {
    const { clock, disk, open } = machine();
    const directory = open();
    promise(directory, clock);
    directory.close();
    const whole = disk.contents(path);
    for (let i = 0; i < whole.length; i++) {
      disk.damage(path, () => whole.map((byte, at) => (at === i ? byte ^ 0x01 : byte)));
      expect(open).toThrow(HostError);
      expect(open).toThrow(words);
    }
    for (const length of [0, 1, whole.length - 1]) {
      disk.damage(path, () => whole.slice(0, length));
      expect(open).toThrow(`${path} is damaged`);
    }
    disk.damage(path, () => whole);
    expect(open().restored.promised).toEqual(BALLOT);
  }
});

test("an identity that is missing beside a log is not made anew", () => {
  const { disk, open } = machine();
  const directory = open();
  directory.store.append(new LogMaker({ segment_entries: 10, segment_bytes: 10_000 }).fill(2));
  directory.close();
  disk.damage("identity.json", () => null);
  expect(open).toThrow("identity.json is missing beside a log");
});

test("[D2] a promise that is missing beside a log, or older than it, stops the start", () => {
  const { disk, open } = machine();
  const directory = open();
  const log = new LogMaker({ segment_entries: 10, segment_bytes: 10_000 });
  directory.store.append(log.fill(2));
  directory.close();
  const whole = disk.contents("promise.json") as Uint8Array;
  for (const text of [null, { term: log.term - 1, leader_id: 3, inc: "three" }]) {
    if (text === null) disk.damage("promise.json", () => null);
    else replaceStateNow(disk, "promise.json", text);
    expect(open).toThrow("promise.json is missing, or older than the log");
  }
  disk.damage("promise.json", () => whole);
  open().close();
});

test("[D4] a promise that finds the disk full says so, keeps the one before, and can be tried again", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  promise(directory, clock);
  disk.faults.capacity = 0;
  expect(promise(directory, clock, { ...BALLOT, term: 8 })).toBe("ENOSPC");
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  expect(promise(directory, clock, { ...BALLOT, term: 8 })).toBe("durable");
  disk.kill();
  expect(open().restored.promised.term).toBe(8);
});

test("[D3] a promise whose sync fails is not reported durable", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  disk.faults.syncError = "EIO";
  expect(promise(directory, clock)).toBe("EIO");
});

test("[D7] progress noted at leisure never overtakes a note made since, nor one of a later process", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  const log = new LogMaker({ segment_entries: 100, segment_bytes: 100_000 });
  directory.store.append(log.fill(20));
  directory.store.syncNow();
  directory.saveProgress({ durable: 20, commit: 3, delivered: 3, clean: false });
  directory.truncate(10);
  clock.run();
  disk.crash();
  const second = open();
  expect(second.restored.faulty).toBe(false);
  second.saveProgress({ durable: second.store.last, commit: 9, delivered: 9, clean: false });
  second.close();
  const third = open();
  const before = disk.contents("progress.json");
  clock.run();
  expect(disk.contents("progress.json")).toEqual(before);
  third.close();
});

test("[D7] a note that finds the disk full is left out; one whose sync fails stops the peer", () => {
  const { clock, disk, open, failed } = machine();
  const directory = open();
  disk.faults.capacity = 0;
  directory.saveProgress({ durable: 0, commit: 0, delivered: 1, clean: false });
  clock.run();
  expect(failed).toEqual([]);
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  disk.faults.syncError = "EIO";
  directory.saveProgress({ durable: 0, commit: 0, delivered: 2, clean: false });
  clock.run();
  expect(failed.length).toBe(1);
});

test("[D5] without a readable watermark nothing damaged is just cut", () => {
  const { disk, open } = machine();
  const directory = open();
  directory.store.append(new LogMaker({ segment_entries: 100, segment_bytes: 100_000 }).fill(20));
  directory.store.syncNow();
  directory.saveProgress({ durable: 20, commit: 20, delivered: 20, clean: true });
  directory.close();
  disk.damage("progress.json", (b) => b.slice(1));
  const intact = open();
  expect([intact.restored.faulty, intact.store.last]).toEqual([false, 20]);
  intact.close();
  disk.damage("progress.json", (b) => b.slice(1));
  disk.damage("log/00000000000000000001.jsonl", (b) => b.slice(0, b.length - 5));
  expect(open().restored.faulty).toBe(true);
});
