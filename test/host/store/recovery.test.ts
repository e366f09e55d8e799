/** What start-up makes of a log directory: checkpoints, cut tails, damage below the watermark. */
import { expect, test } from "bun:test";
import { type Directory, openDirectory } from "../../../src/host/store/directory.ts";
import { HostError } from "../../../src/host/store/unusable.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, lineOf, promiseAbove } from "./log-maker.ts";

const LIMITS = { segment_entries: 10, segment_bytes: 1_000_000 };
const segment = (first: number) => `log/${String(first).padStart(20, "0")}.jsonl`;

function machine() {
  const clock = new ManualClock();
  const disk = new VirtualDisk({ clock, random: seeded(1) });
  promiseAbove(disk);
  const failures: string[] = [];
  const read: [number, number][] = [];
  const reading = (segments: number, of: number) => void read.push([segments, of]);
  const events = { reading, durable: () => {}, failed: (e: Error) => void failures.push(e.message), noted: () => {} };
  const start = () => openDirectory(disk, clock, { id: 1, founds: true, fsync: true, events });
  return { clock, disk, start, failures, read };
}

/** A directory with `last` entries, all durable and committed through `commit`, closed in good order. */
function filled(last: number, commit = last) {
  const m = machine();
  const log = new LogMaker(LIMITS);
  const directory = m.start();
  directory.store.append(log.fill(last));
  directory.store.syncNow();
  directory.saveProgress({ durable: last, commit, delivered: commit, clean: true });
  directory.close();
  return { ...m, log };
}

const held = (directory: Directory) => directory.store.readEntries(1, directory.store.last).map(lineOf);

function flip(at: (bytes: Uint8Array) => number) {
  return (bytes: Uint8Array) => {
    const copy = bytes.slice();
    const i = at(copy);
    copy[i] = (copy[i] as number) ^ 0x04;
    return copy;
  };
}

test("[L4] segments are cut at the same places however the entries arrive", () => {
  const files = (batches: (n: number) => number) => {
    const m = machine();
    const log = new LogMaker({ segment_entries: 7, segment_bytes: 1200 });
    const directory = m.start();
    const entries = log.fill(100);
    for (let i = 0, n = 0; i < entries.length; n++) {
      const size = batches(n);
      directory.store.append(entries.slice(i, i + size));
      i += size;
    }
    return m.disk
      .paths()
      .filter((p) => p.startsWith("log/"))
      .map((p) => [p, Buffer.from(m.disk.contents(p)).toString("base64")]);
  };
  const one = files(() => 1);
  expect(one.length).toBeGreaterThan(14);
  expect(files(() => 100)).toEqual(one);
  expect(files((n) => 1 + (n % 13))).toEqual(one);
});

test("[L5] start-up parses what comes after the last checkpoint and no more", () => {
  const { disk, start, log } = filled(57);
  // A flipped bit in a closed segment is not even looked at; the same bit in the last one is.
  disk.damage(
    segment(21),
    flip(() => 30),
  );
  const directory = start();
  expect(directory.restored.faulty).toBe(false);
  expect(directory.store.last).toBe(57);
  expect(directory.restored.entries.map((e) => e.index)).toEqual([51, 52, 53, 54, 55, 56, 57]);
  expect(directory.restored.state.toData()).toEqual(log.state.toData());
});

test("a start is told how many of the segments it must read it has read", () => {
  const { disk, start, read } = filled(57);
  for (const path of disk.paths()) if (path.startsWith("checkpoints/")) disk.damage(path, () => null);
  read.length = 0;
  start().close();
  expect(read).toEqual([1, 2, 3, 4, 5, 6].map((segments) => [segments, 6]));
});

test("[L5] every uncommitted entry is restored, across segments", () => {
  const { start } = filled(57, 23);
  const { entries, commit, beforeCrc } = start().restored;
  expect(commit).toBe(23);
  expect(entries[0]?.index).toBeLessThanOrEqual(24);
  expect(entries[entries.length - 1]?.index).toBe(57);
  expect(beforeCrc).toBeGreaterThan(0);
});

test("[L5] a checkpoint that is torn, or speaks of other bytes, is not believed", () => {
  const whole = filled(57);
  for (const change of [(b: Uint8Array) => b.slice(0, 40), flip(() => 60), () => new Uint8Array(0), () => null]) {
    const { disk, start, log } = filled(57);
    disk.damage("checkpoints/00000000000000000041.json", change);
    const { restored } = start();
    expect(restored.faulty).toBe(false);
    expect(restored.state.toData()).toEqual(log.state.toData());
    expect(disk.contents("checkpoints/00000000000000000041.json")).toEqual(
      whole.disk.contents("checkpoints/00000000000000000041.json"),
    );
  }
  const other = new LogMaker(LIMITS);
  other.term = 9;
  const m = machine();
  const directory = m.start();
  directory.store.append(other.fill(57));
  const { disk, start, log } = filled(57);
  disk.damage("checkpoints/00000000000000000041.json", () => m.disk.contents("checkpoints/00000000000000000041.json"));
  expect(start().restored.state.toData()).toEqual(log.state.toData());
});

test("[L5] [D4] where there is no room for a missing checkpoint, start-up does without it, says so, and leaves no half of one", () => {
  const { disk, start, log } = filled(57);
  const checkpoint = "checkpoints/00000000000000000041.json";
  const size = disk.contents(checkpoint).length;
  disk.damage(checkpoint, () => null);
  const held = disk.paths().reduce((sum, path) => sum + disk.contents(path).length, 0);
  disk.faults.capacity = held + size - 1;
  const directory = start();
  expect(directory.restored.state.toData()).toEqual(log.state.toData());
  expect(directory.notes).toEqual([expect.stringContaining(`no checkpoint of ${segment(41)} could be written`)]);
  expect(disk.paths().filter((path) => path.startsWith(checkpoint))).toEqual([]);
  directory.close();
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  expect(start().notes).toEqual([]);
  expect(disk.contents(checkpoint)).toHaveLength(size);
});

test("[D5] what lies above the watermark and cannot be read is cut, and said", () => {
  const { disk, start, log } = filled(57);
  for (const garbage of ["no newline", "garbage\n", '{"index":58}\n', `${log.line(57)}`, "\u0000\u0000\n\n"]) {
    const before = disk.contents(segment(51));
    disk.damage(segment(51), (b) => Buffer.concat([b, Buffer.from(garbage)]));
    const directory = start();
    expect(directory.restored.faulty).toBe(false);
    expect(directory.store.last).toBe(57);
    expect(directory.notes.join()).toStartWith("cut what was written but never confirmed behind index 57");
    expect(disk.contents(segment(51))).toEqual(before);
    directory.close();
  }
});

const damages: Record<string, { damage: (disk: VirtualDisk) => void; good: number; aside: string[] }> = {
  "a flipped bit in the last segment": {
    damage: (d) =>
      d.damage(
        segment(51),
        flip((b) => b.length - 100),
      ),
    good: 56,
    aside: [segment(51)],
  },
  "a last segment cut short": {
    damage: (d) => d.damage(segment(51), (b) => b.slice(0, b.length - 1)),
    good: 56,
    aside: [segment(51)],
  },
  "an emptied last segment": {
    damage: (d) => d.damage(segment(51), () => new Uint8Array(0)),
    good: 50,
    aside: [segment(51)],
  },
  "a missing last segment": { damage: (d) => d.damage(segment(51), () => null), good: 50, aside: [] },
  "an old segment cut short": {
    damage: (d) => d.damage(segment(21), (b) => b.slice(0, 950)),
    good: 24,
    aside: [segment(21), segment(31), segment(41), segment(51)],
  },
  "an old segment with bytes behind its end": {
    damage: (d) => d.damage(segment(21), (b) => Buffer.concat([b, Buffer.from("more\n")])),
    good: 30,
    aside: [segment(21), segment(31), segment(41), segment(51)],
  },
  "a missing old segment": {
    damage: (d) => d.damage(segment(21), () => null),
    good: 20,
    aside: [segment(31), segment(41), segment(51)],
  },
  "a missing first segment": {
    damage: (d) => d.damage(segment(1), () => null),
    good: 0,
    aside: [segment(11), segment(21), segment(31), segment(41), segment(51)],
  },
  "all segments missing": {
    damage: (d) => [1, 11, 21, 31, 41, 51].forEach((s) => void d.damage(segment(s), () => null)),
    good: 0,
    aside: [],
  },
};

for (const [what, { damage, good, aside }] of Object.entries(damages)) {
  test(`[D5] ${what}, below the watermark: faulty from there, what follows is set aside, and it stays so until repaired`, () => {
    const { disk, start, log } = filled(57);
    const before = new Map(aside.map((path) => [path, null as Uint8Array | null]));
    damage(disk);
    for (const path of before.keys()) before.set(path, disk.contents(path));
    if (good === 0) {
      // Nothing of the log names another member, but its checkpoints do; and nothing is moved while nobody helps.
      expect(start).toThrow("if one lives, start with --seed 2:127.0.0.1:6002; else restore log/ from a copy");
      for (const [path, bytes] of before) expect(disk.contents(path)).toEqual(bytes as Uint8Array);
      return;
    }
    const directory = start();
    expect(directory.restored.faulty).toBe(true);
    expect(directory.store.last).toBe(good);
    expect(held(directory)).toEqual(Array.from({ length: good }, (_, i) => log.line(i + 1)));
    expect(directory.restored.commit).toBeLessThanOrEqual(good);
    expect(directory.notes.join()).toInclude(`damaged behind index ${good}`);
    disk.kill();
    const again = start();
    expect(again.restored.faulty).toBe(true);
    expect(again.store.last).toBe(good);
    again.store.append(log.entries.slice(good));
    again.store.syncNow();
    again.clearDamage();
    again.close();
    const repaired = start();
    expect(repaired.restored.faulty).toBe(false);
    expect(held(repaired)).toEqual(log.entries.map(lineOf));
    for (const [path, bytes] of before)
      expect(disk.contents(path.replace("log/", "damaged/"))).toEqual(bytes as Uint8Array);
  });
}

test("[D5] a power cut at any call of the start-up that finds damage forgets none of it", () => {
  class PowerCut extends Error {}
  let cuts = 0;
  for (let calls = 0; ; calls++) {
    const { disk, start } = filled(57);
    disk.damage(
      segment(51),
      flip((b) => b.length - 100),
    );
    let left = calls;
    disk.faults.before = () => {
      if (left-- <= 0) throw new PowerCut();
    };
    try {
      start();
      break;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cuts += 1;
    }
    disk.faults.before = null;
    disk.crash();
    const { restored, store } = start();
    expect([calls, restored.faulty, store.last]).toEqual([calls, true, 56]);
  }
  expect(cuts).toBeGreaterThan(15);
});

test("[D5] a flipped bit in a closed segment is found when it is read: nothing of it is served, and the next start sets it right", () => {
  const { disk, start, log } = filled(57);
  disk.damage(
    segment(21),
    flip(() => 30),
  );
  const directory = start();
  expect(directory.read(15, 100_000, 57)).toBeNull();
  expect(() => directory.readEntries(15, 20)).toThrow(HostError);
  expect(directory.read(30, 100_000, 57)?.count).toBe(27);
  directory.close();
  const next = start();
  expect(next.restored.faulty).toBe(true);
  expect(held(next)).toEqual(log.entries.slice(0, 20).map(lineOf));
});

test("[D5] damage at the first line of any segment, after a clean stop or a crash: the log goes on right behind what is whole", () => {
  for (const first of [11, 21, 41, 51]) {
    for (const clean of [true, false]) {
      const { disk, start, log } = filled(57, first - 1);
      if (!clean) {
        const before = start();
        before.saveProgress({ durable: 57, commit: first - 1, delivered: first - 1, clean: false }, true);
        before.close();
      }
      disk.damage(
        segment(first),
        flip(() => 3),
      );
      const clock = new ManualClock();
      const read: [number, number][] = [];
      const reading = (segments: number, of: number) => void read.push([segments, of]);
      const events = { reading, durable: () => {}, failed: () => {}, noted: () => {} };
      const directory = openDirectory(disk, clock, { id: 1, founds: false, fsync: true, events });
      expect(directory.restored.faulty).toBe(true);
      expect(directory.store.last).toBe(first - 1);
      directory.store.append(log.entries.slice(first - 1));
      expect(held(directory)).toEqual(log.entries.map(lineOf));
      directory.close();
    }
  }
});

for (const confirmed of [true, false])
  test(`[D4] with little room, a start ${confirmed ? "that sets damage aside" : "after a power cut"} says what is wanting, and leaves no half file`, () => {
    const { disk } = filled(57);
    disk.damage(
      segment(51),
      flip((bytes) => bytes.length - 5),
    );
    if (!confirmed) disk.damage("progress.json", () => null);
    const files = new Map(disk.paths().map((path) => [path, disk.contents(path)]));
    const size = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    const spoiled = files.get(segment(51)) as Uint8Array;
    let refused = 0;
    for (let room = 0, isOpen = false; !isOpen; room += 499) {
      const m = machine();
      for (const path of m.disk.paths()) m.disk.damage(path, () => null);
      m.disk.fill(files);
      m.disk.faults.capacity = size + room;
      try {
        m.start().close();
        isOpen = true;
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        refused += 1;
        expect(error.message).toContain("(ENOSPC); make room there (space, inodes or quota), then start again");
        expect(m.disk.paths().filter((path) => path.endsWith(".new"))).toEqual([]);
        for (const path of m.disk.paths().filter((p) => p.startsWith("damaged/")))
          expect(m.disk.contents(path)).toEqual(spoiled);
      }
    }
    expect(refused).toBeGreaterThan(1);
  });
