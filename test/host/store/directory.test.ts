/** The small files of a data directory: identity, promise, progress. */
import { expect, test } from "bun:test";
import type { Ballot } from "../../../src/core/ids.ts";
import { PortError } from "../../../src/host/contracts.ts";
import { type Directory, openDirectory } from "../../../src/host/store/directory.ts";
import { makePromiseFile } from "../../../src/host/store/promise-file.ts";
import { readState, replaceStateNow } from "../../../src/host/store/state-files.ts";
import { HostError, lockDirectory } from "../../../src/host/store/unusable.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, promiseAbove } from "./log-maker.ts";

const BALLOT: Ballot = { term: 7, leader_id: 2, inc: "two", boot: 1 };

function machine(seed = 1) {
  const clock = new ManualClock(seeded(seed));
  const disk = new VirtualDisk({ clock, random: seeded(seed) });
  promiseAbove(disk);
  disk.faults.syncMs = () => 5;
  const failed: string[] = [];
  const noted: string[] = [];
  const events = {
    durable: () => {},
    failed: (e: Error) => void failed.push(e.message),
    noted: (file: string, error: PortError | null) => void noted.push(error === null ? file : `${file} ${error.code}`),
  };
  const open = (id = 1, founds = true) => {
    expect(lockDirectory(disk)).toBeNull();
    return openDirectory(disk, clock, { id, founds, fsync: true, events });
  };
  return { clock, disk, open, failed, noted };
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
  const { clusterId } = first;
  const { inc } = first.self;
  founder.disk.crash();
  const again = founder.open(1, false);
  expect([again.self.inc, again.clusterId]).toEqual([inc, clusterId]);

  const joiner = machine(2);
  const joining = joiner.open(2, false);
  expect([joining.clusterId, joining.foundingGenesis({ host: "h", port: 1 })]).toEqual([null, null]);
  expect(joining.self.inc).not.toBe(inc);
  joining.bindCluster("somewhere");
  joiner.disk.crash();
  expect(joiner.open(2, true).clusterId).toBe("somewhere");
});

test("[E14] the boot number is counted up at each start, for good before anything else, and never to the same from a copy", () => {
  const { disk, open } = machine();
  const counted = (): number => {
    const { self } = open();
    // A process that dies at once has used its number.
    disk.crash();
    return self.boot;
  };
  const boots = Array.from({ length: 20 }, counted);
  expect(boots).toEqual([...new Set(boots)].sort((a, b) => a - b));
  expect(boots[0]).toBeGreaterThan(0);

  const files = new Map(disk.paths().map((path) => [path, disk.contents(path).slice()]));
  const next = Array.from({ length: 5 }, (_, i) => {
    const copy = machine(100 + i);
    copy.disk.fill(files);
    return copy.open().self;
  });
  expect(new Set(next.map((self) => self.inc)).size).toBe(1);
  expect(new Set(next.map((self) => self.boot)).size).toBe(next.length);
  for (const { boot } of next) expect(boot).toBeGreaterThan(boots.at(-1) as number);
});

test("[E14] a start whose number cannot be kept does not begin", () => {
  const { disk, open } = machine();
  open().close();
  disk.faults.capacity = 0;
  expect(() => open()).toThrow("the data directory cannot be used");
});

test("[E14] a directory that is older than boot numbers opens: it counts from 0, what it promised and wrote is of boot 0", () => {
  const { clock, disk, open } = machine();
  const older = open();
  const { inc } = older.self;
  older.close();
  const { boot: _, ...identity } = readState(disk, "identity.json") as Record<string, unknown>;
  replaceStateNow(disk, "identity.json", identity);
  makePromiseFile(disk, { term: 3, leader_id: 1, inc } as Ballot);
  const directory = open();
  expect(directory.self).toMatchObject({ id: 1, inc });
  expect(directory.self.boot).toBeGreaterThan(0);
  expect(directory.restored.promised).toEqual({ term: 3, leader_id: 1, inc, boot: 0 });
  expect(promise(directory, clock)).toBe("durable");
  directory.close();
  expect(open().restored.promised).toEqual(BALLOT);
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

test("[D2] a damaged identity stops the start with what to do, and is never taken for a fresh one", () => {
  const { disk, open } = machine();
  open().close();
  const whole = disk.contents("identity.json");
  for (let i = 0; i < whole.length; i++) {
    disk.damage("identity.json", () => whole.map((byte, at) => (at === i ? byte ^ 0x01 : byte)));
    expect(open).toThrow(HostError);
    expect(open).toThrow("restore it from a copy");
  }
  for (const length of [0, 1, whole.length - 1]) {
    disk.damage("identity.json", () => whole.slice(0, length));
    expect(open).toThrow("identity.json is damaged");
  }
  disk.damage("identity.json", () => whole);
  open().close();
});

test("[D2] damage to one place of the promise takes nothing; to both, it stops the start with what to do", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  promise(directory, clock);
  directory.secondPromise();
  clock.run();
  directory.saveProgress({ ...directory.progress, clean: true });
  directory.close();
  const whole = disk.contents("promise.slots");
  const slots = [0, 4096].map((start) => ({ start, end: whole.indexOf(0x0a, start) }));
  const flipped = (bytes: Uint8Array, i: number) => bytes.map((byte, at) => (at === i ? byte ^ 0x01 : byte));
  for (const { start, end } of slots)
    for (let i = start; i <= end; i++) {
      disk.damage("promise.slots", () => flipped(whole, i));
      const opened = open();
      expect(opened.restored.promised).toEqual(BALLOT);
      opened.saveProgress({ ...opened.progress, clean: true });
      opened.close();
    }
  const [first = 0, second = 0] = slots.map(({ end }) => end);
  for (let back = 0; back < 20; back++) {
    disk.damage("promise.slots", () => flipped(flipped(whole, first - back), second - back));
    expect(open).toThrow("without it this peer could break a promise");
  }
  for (const length of [0, 1, 4096, whole.length - 1]) {
    disk.damage("promise.slots", () => whole.slice(0, length));
    expect(open).toThrow("promise.slots is damaged");
  }
  disk.damage("promise.slots", () => whole);
  expect(open().restored.promised).toEqual(BALLOT);
});

test("[D2] a promise of before there were slots is kept, in slots", () => {
  const before = () => {
    const directory = machine();
    directory.disk.damage("promise.slots", () => null);
    replaceStateNow(directory.disk, "promise.json", BALLOT);
    return directory;
  };
  const { disk, open } = before();
  for (let start = 0; start < 2; start++) {
    const directory = open();
    expect(directory.restored.promised).toEqual(BALLOT);
    directory.close();
    disk.crash();
    expect(disk.list("").filter((name) => name.startsWith("promise"))).toEqual(["promise.slots"]);
  }
  const damaged = before();
  damaged.disk.damage("promise.json", (bytes) => bytes.slice(1));
  expect(damaged.open).toThrow("promise.json is damaged: without it this peer could break a promise");
});

test("[D2] a promise needs one sync of its file, no room and no new name", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  const calls: string[] = [];
  disk.faults.capacity = 0;
  disk.faults.before = (call, path) => void calls.push(`${call} ${path}`);
  expect(promise(directory, clock)).toBe("durable");
  expect(calls).toEqual(["write promise.slots", "sync promise.slots"]);
  disk.faults.before = null;
  disk.crash();
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  expect(open().restored.promised).toEqual(BALLOT);
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
  const whole = disk.contents("promise.slots");
  for (const older of [null, { term: log.term - 1, leader_id: 3, inc: "three", boot: 1 }]) {
    if (older === null) disk.damage("promise.slots", () => null);
    else makePromiseFile(disk, older);
    expect(open).toThrow("promise.slots is missing, or older than the log");
  }
  disk.damage("promise.slots", () => whole);
  open().close();
});

test("[D4] a promise that the disk has no room for even so says so, keeps the one before, and can be tried again", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  promise(directory, clock);
  // As on file systems that write elsewhere what is written over.
  disk.faults.before = (call, path) => {
    if (call === "write" && path === "promise.slots") throw new PortError("ENOSPC", "no space left on device (ENOSPC)");
  };
  expect(promise(directory, clock, { ...BALLOT, term: 8 })).toBe("ENOSPC");
  disk.faults.before = null;
  expect(promise(directory, clock, { ...BALLOT, term: 9 })).toBe("durable");
  disk.kill();
  expect(open().restored.promised.term).toBe(9);
});

test("[D3] a promise whose sync fails is not reported durable", () => {
  const { clock, disk, open } = machine();
  const directory = open();
  disk.faults.syncError = "EIO";
  expect(promise(directory, clock)).toBe("EIO");
});

test("[D7] a lazy progress note never replaces a later note, nor one of a later process", () => {
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

test("[D7] a note that cannot be made is told, and made the next time though nothing has changed", () => {
  const { clock, disk, open, failed, noted } = machine();
  const directory = open();
  const note = () => {
    directory.saveProgress({ durable: 0, commit: 0, delivered: 1, clean: false });
    clock.run();
    return noted.at(-1);
  };
  disk.faults.capacity = 0;
  expect(note()).toBe("progress.json ENOSPC");
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  disk.faults.syncError = "EIO";
  expect(note()).toBe("progress.json EIO");
  disk.faults.syncError = null;
  expect(note()).toBe("progress.json");
  expect(failed).toEqual([]);
  directory.close();
  expect(open().progress.delivered).toBe(1);
});

test("[D5] without a readable watermark, damage is never taken for an unconfirmed end", () => {
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
