/** Appending, truncating, reading and group commit of the log on disk. */
import { expect, test } from "bun:test";
import { PortError } from "../../../src/host/contracts.ts";
import { openDirectory } from "../../../src/host/store/directory.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { chainCrc } from "../../../src/wire/crc32c.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, lineOf, promiseAbove } from "./log-maker.ts";

function machine(fsync = true) {
  const clock = new ManualClock();
  const disk = new VirtualDisk({ clock, random: seeded(1) });
  promiseAbove(disk);
  disk.faults.syncMs = () => 5;
  const durable: number[] = [];
  const failed: string[] = [];
  const events = {
    durable: (index: number) => void durable.push(index),
    failed: (e: PortError) => void failed.push(e.code),
    noted: () => {},
  };
  const open = () => openDirectory(disk, clock, { id: 1, founds: true, fsync, events });
  return {
    clock,
    disk,
    durable,
    failed,
    open,
    directory: open(),
    log: new LogMaker({ segment_entries: 10, segment_bytes: 1_000_000 }),
  };
}

function countSyncs(disk: VirtualDisk): string[] {
  const syncs: string[] = [];
  disk.faults.before = (call, path) => {
    if (call === "sync" && path.startsWith("log/")) syncs.push(path);
  };
  return syncs;
}

test("[R4] one sync covers everything written before it; what came meanwhile is covered by the next", () => {
  const { clock, disk, directory, durable, log } = machine();
  const { store } = directory;
  store.append(log.fill(3));
  const syncs = countSyncs(disk);
  store.flush();
  store.append(log.fill(5));
  store.flush();
  store.append(log.fill(8));
  store.flush();
  expect(durable).toEqual([]);
  clock.run();
  expect(durable).toEqual([3, 8]);
  expect(syncs.length).toBe(2);
  store.flush();
  clock.run();
  expect(syncs.length).toBe(2);
});

test("[R4] across a segment boundary an entry is durable only with all files before it and their names", () => {
  const { clock, disk, directory, durable, log } = machine();
  directory.store.append(log.fill(35));
  const syncs = countSyncs(disk);
  directory.store.flush();
  while (durable.length === 0) clock.step();
  disk.crash();
  expect(durable).toEqual([35]);
  expect(syncs.length).toBe(4);
  expect(disk.list("log").length).toBe(4);
});

test("[R4] what is truncated while a sync runs is not reported, and what replaces it waits for the next sync", () => {
  const { clock, directory, durable, log } = machine();
  directory.store.append(log.fill(35));
  directory.store.flush();
  clock.step();
  directory.truncate(6);
  log.truncate(6);
  log.term = 2;
  directory.store.append(log.fill(12));
  directory.store.flush();
  const reported = () => durable[durable.length - 1] ?? 0;
  clock.step();
  while (reported() < 12) {
    expect(reported()).toBeLessThanOrEqual(5);
    expect(clock.step()).toBe(true);
  }
  expect(durable).toEqual([5, 12]);
});

test("[D3] after a failed sync nothing is reported durable, nothing is retried, and it is said once", () => {
  const { clock, disk, directory, durable, failed, log } = machine();
  directory.store.append(log.fill(3));
  disk.faults.syncError = "EIO";
  directory.store.flush();
  clock.run();
  disk.faults.syncError = null;
  const syncs = countSyncs(disk);
  directory.store.append(log.fill(6));
  directory.store.flush();
  clock.run();
  expect([durable, failed, syncs]).toEqual([[], ["EIO"], []]);
});

test("[D3] after a failed sync and a restart, a power cut loses nothing of what the restart took for durable", () => {
  const { clock, disk, directory, open, log } = machine();
  directory.store.append(log.fill(25));
  disk.faults.syncError = "EIO";
  directory.store.flush();
  clock.run();
  disk.faults.syncError = null;
  disk.kill();
  const last = open().restored.durable;
  expect(last).toBe(25);
  disk.crash();
  const after = open();
  expect(after.restored.faulty).toBe(false);
  expect(after.store.readEntries(1, 25).map(lineOf)).toEqual(log.entries.map(lineOf));
});

test("with --durability os nothing is synced, and durable is still reported after the call", () => {
  const { clock, disk, directory, durable, log } = machine(false);
  const syncs = countSyncs(disk);
  directory.store.append(log.fill(3));
  directory.store.flush();
  expect(durable).toEqual([]);
  clock.run();
  expect([durable, syncs]).toEqual([[3], []]);
});

test("[D4] a full disk keeps whole entries only, says so, and takes the rest when there is room", () => {
  for (let room = 0; room < 4000; room += 97) {
    const { clock, disk, directory, durable, log } = machine();
    directory.store.append(log.fill(2));
    const entries = log.fill(24).slice(0);
    disk.faults.capacity = disk.paths().reduce((sum, p) => sum + disk.contents(p).length, 0) + room;
    let code = "";
    try {
      directory.store.append(entries);
    } catch (error) {
      expect(error).toBeInstanceOf(PortError);
      code = (error as PortError).code;
    }
    const kept = directory.store.last;
    expect(code === "ENOSPC" || kept === 24).toBe(true);
    const files = disk.paths().filter((p) => p.startsWith("log/"));
    expect(files.map((p) => Buffer.from(disk.contents(p)).toString()).join("")).toBe(
      log.entries.slice(0, kept).map(lineOf).join(""),
    );
    disk.faults.capacity = Number.POSITIVE_INFINITY;
    directory.store.append(entries.filter((e) => e.index > kept));
    directory.store.flush();
    clock.run();
    expect(durable[durable.length - 1]).toBe(24);
    expect(directory.store.readEntries(1, 24).map(lineOf)).toEqual(log.entries.map(lineOf));
  }
});

test("a read gives whole lines that continue the chain, at least one, from any place and over segment ends", () => {
  const { directory, log } = machine();
  directory.store.append(log.fill(3));
  directory.store.append([log.chat("x".repeat(50_000))]);
  directory.store.append(log.fill(57));
  for (let after = 0; after < 57; after++) {
    for (const bytesMax of [1, 700, 1_000_000]) {
      const through = after % 2 === 0 ? 57 : Math.min(57, after + 5);
      const read = directory.read(after, bytesMax, through);
      if (read === null) throw new Error(`nothing read after ${after}`);
      expect(read.prevCrc).toBe(after === 0 ? 0 : (log.entries[after - 1]?.crc ?? -1));
      const text = Buffer.concat(read.lines).toString();
      expect(read.count).toBeGreaterThan(0);
      expect(text).toBe(
        log.entries
          .slice(after, after + read.count)
          .map(lineOf)
          .join(""),
      );
      if (bytesMax === 1) expect(read.count).toBe(1);
      if (bytesMax === 1_000_000) expect(after + read.count).toBe(through);
    }
  }
});

test("[W3] however long the lines, a read passes the bytes asked for by less than one line", () => {
  for (const small of [10, 900, 20_000]) {
    const { directory, log } = machine();
    log.genesis();
    for (let n = 0; n < 60; n++) log.chat(n % 12 === 5 ? "\u0001".repeat(65_536) : "x".repeat(small));
    directory.store.append(log.entries);
    for (let after = 0; after < log.last; after++) {
      for (const bytesMax of [100_000, 196_000, 524_288]) {
        const lines = directory.read(after, bytesMax, log.last)?.lines ?? [];
        const bytes = lines.reduce((sum, piece) => sum + piece.length, 0);
        expect(bytes).toBeLessThan(bytesMax + 394_000);
      }
    }
  }
});

test("[L3] a line whose bytes and crc were changed together is not served: it no longer continues the chain", () => {
  const { disk, directory, log } = machine();
  directory.store.append(log.fill(9));
  const path = disk.list("log")[0] as string;
  disk.damage(`log/${path}`, (bytes) => {
    const lines = Buffer.from(bytes).toString().split("\n");
    const head = (lines[4] as string).replace("message 5", "message X").replace(/"crc":\d+}$/, "");
    const encoded = new TextEncoder().encode(head);
    lines[4] = `${head}"crc":${chainCrc(log.entries[3]?.crc ?? 0, encoded, 0, encoded.length)}}`;
    return new TextEncoder().encode(lines.join("\n"));
  });
  expect(directory.read(4, 10_000, 9)).toBeNull();
});

test("[R4] what replaces a truncated durable entry is reported durable in its turn", () => {
  const { clock, directory, durable, log } = machine();
  directory.store.append(log.fill(30));
  directory.store.flush();
  clock.run();
  directory.truncate(6);
  log.truncate(6);
  log.term = 2;
  directory.store.append(log.fill(12));
  directory.store.flush();
  clock.run();
  expect(durable).toEqual([30, 12]);
});

test("[L4] a truncation removes later segments and their checkpoints, and the log goes on from there", () => {
  const { disk, directory, log } = machine();
  directory.store.append(log.fill(57));
  directory.truncate(23);
  log.truncate(23);
  expect(directory.store.last).toBe(22);
  expect(disk.list("log").length).toBe(3);
  expect(disk.list("checkpoints").filter((n) => n.endsWith(".json")).length).toBe(2);
  log.term = 2;
  directory.store.append([log.leader(), ...log.fill(41)]);
  expect(directory.store.readEntries(1, 41).map(lineOf)).toEqual(log.entries.map(lineOf));
  expect(disk.list("log").length).toBe(5);
});

test("[D5] the watermark falls before a truncation does, so that a crash right after it is no damage", () => {
  const { disk, directory, open, log } = machine();
  directory.store.append(log.fill(30));
  directory.store.syncNow();
  directory.saveProgress({ durable: 30, commit: 3, delivered: 3, clean: false }, true);
  disk.faults.before = (call, path) => {
    if (call === "remove" && path.startsWith("log/")) throw new Error("power cut");
  };
  expect(() => directory.truncate(5)).toThrow("power cut");
  expect(directory.progress.durable).toBe(4);
  disk.faults.before = null;
  disk.crash();
  expect(open().restored.faulty).toBe(false);
});
