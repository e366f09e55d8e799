import { expect, test } from "bun:test";
import type { Disk } from "../../../src/host/contracts.ts";
import { openDirectory } from "../../../src/host/store/directory.ts";
import { compareHistories, DamagedLog, readCommitted } from "../../../src/host/store/history.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, lineOf, promiseAbove } from "./log-maker.ts";

const LIMITS = { segment_entries: 10, segment_bytes: 1_000_000 };

/** A directory that holds `log`, of which `commit` entries are noted as committed; open beside a living peer if `living`. */
function directoryOf(log: LogMaker, commit: number, living = false): VirtualDisk {
  const clock = new ManualClock();
  const disk = new VirtualDisk({ clock, random: seeded(1) });
  promiseAbove(disk);
  const directory = openDirectory(disk, clock, {
    id: 1,
    founds: true,
    fsync: true,
    events: { durable() {}, failed() {}, noted() {} },
  });
  directory.store.append(log.entries);
  directory.store.syncNow();
  directory.saveProgress({ durable: log.last, commit, delivered: 0, clean: true });
  if (!living) directory.close();
  return disk;
}

function filled(last: number): LogMaker {
  const log = new LogMaker(LIMITS);
  log.fill(last);
  return log;
}

/** Fails on every call that takes, changes or syncs something. */
function readOnly(disk: VirtualDisk): Disk {
  return {
    ...({} as Disk),
    list: (directory) => disk.list(directory),
    open: (path, mode) => {
      expect(mode).toBe("read");
      return disk.open(path, mode);
    },
  };
}

test("[D7] a reader sees the committed prefix beside a living peer, takes no lock and writes nothing", () => {
  const log = filled(57);
  for (const commit of [0, 1, 10, 11, 23, 57]) {
    const disk = directoryOf(log, commit, true);
    expect([...readCommitted(readOnly(disk))].map(lineOf)).toEqual(log.entries.slice(0, commit).map(lineOf));
  }
});

test("a line longer than the block that is read at a time is read", () => {
  const log = new LogMaker(LIMITS);
  log.fill(2);
  log.chat("\u0001".repeat(65_536).slice(0, 65_536));
  for (let n = 0; n < 30; n++) log.chat("x".repeat(65_536));
  const disk = directoryOf(log, log.last);
  expect([...readCommitted(disk)].length).toBe(log.last);
});

test("identical logs are one history, and so is a log with its own beginning", () => {
  const log = filled(57);
  expect(compareHistories([directoryOf(log, 57), directoryOf(log, 57)].map(readOnly))).toEqual({
    result: "one-history",
    lengths: [57, 57],
  });
  expect(compareHistories([directoryOf(log, 57), directoryOf(log, 12), directoryOf(log, 0)])).toEqual({
    result: "one-history",
    lengths: [57, 12, 0],
  });
});

test("[I2] the first entry that differs is named with both lines, also when the first directory is the shortest", () => {
  const log = filled(40);
  const other = new LogMaker(LIMITS);
  other.adopt(log.entries.slice(0, 33));
  other.term = 2;
  other.fill(36);
  const found = compareHistories([directoryOf(log, 20), directoryOf(log, 40), directoryOf(other, 36)]);
  expect(found).toEqual({
    result: "differ",
    index: 34,
    a: 1,
    b: 2,
    lines: [log.line(34).trimEnd(), other.line(34).trimEnd()],
  });
  // What is not committed may differ.
  expect(compareHistories([directoryOf(log, 33), directoryOf(other, 33)]).result).toBe("one-history");
});

test("damage is named with its file and index, and never read over", () => {
  const log = filled(57);
  const path = "log/00000000000000000021.jsonl";
  const flip = (disk: VirtualDisk) => disk.damage(path, (b) => b.map((byte, i) => (i === 30 ? byte ^ 4 : byte)));
  const cases: [(disk: VirtualDisk) => void, RegExp][] = [
    [flip, /00000000000000000021\.jsonl, index 21: /],
    [
      (disk) => disk.damage(path, () => null),
      /the log ends at index 20, but 57 entries were committed: .*21\.jsonl is missing/,
    ],
    [(disk) => disk.damage(path, (b) => b.slice(0, b.length - 1)), /the log ends at index 29.*0030.jsonl/],
    [(disk) => disk.damage("log/00000000000000000001.jsonl", () => null), /the log ends at index 0/],
    [(disk) => disk.damage("progress.json", (b) => b.slice(1)), /progress\.json is damaged/],
  ];
  for (const [damage, words] of cases) {
    const disk = directoryOf(log, 57);
    damage(disk);
    expect(() => [...readCommitted(disk)]).toThrow(DamagedLog);
    expect(() => compareHistories([directoryOf(log, 57), disk])).toThrow(words);
  }
});
