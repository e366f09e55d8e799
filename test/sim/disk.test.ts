import { expect, test } from "bun:test";
import type { PortError } from "../../src/host/contracts.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../host/manual-clock.ts";
import { diskContract } from "../host/store/disk-contract.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

function make(seed = 1) {
  const clock = new ManualClock();
  return { clock, disk: new VirtualDisk({ clock, random: seeded(seed) }) };
}

diskContract("the virtual disk", () => {
  const { clock, disk } = make();
  return { disk, settle: async () => clock.run(), cleanUp: () => {} };
});

test("what is synced, with its name, survives every crash; what is not synced survives some crashes only", () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const { disk } = make(seed);
    const file = disk.open("a", "create");
    file.write(0, bytes("durable"));
    file.syncNow();
    disk.syncDirectoryNow("");
    file.write(7, bytes(" and not"));
    disk.open("b", "create").close();
    disk.crash();
    const after = text(disk.contents("a"));
    expect(after.startsWith("durable")).toBe(true);
    outcomes.add(
      `${after === "durable" ? "lost" : after === "durable and not" ? "kept" : "torn"}, ${disk.list("").includes("b") ? "kept" : "lost"}`,
    );
  }
  expect([...outcomes].sort()).toEqual([
    "kept, kept",
    "kept, lost",
    "lost, kept",
    "lost, lost",
    "torn, kept",
    "torn, lost",
  ]);
});

test("a synced file without a synced name is lost in some crashes", () => {
  let lost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const { disk } = make(seed);
    const file = disk.open("a", "create");
    file.write(0, bytes("x"));
    file.syncNow();
    disk.crash();
    if (disk.list("").length === 0) lost += 1;
  }
  expect(lost).toBeGreaterThan(0);
  expect(lost).toBeLessThan(50);
});

test("a rename that was not synced shows the old file or the new one, never neither", () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const { disk } = make(seed);
    for (const [name, content] of [
      ["a", "old"],
      ["a.new", "new"],
    ] as const) {
      const file = disk.open(name, "create");
      file.write(0, bytes(content));
      file.syncNow();
    }
    disk.syncDirectoryNow("");
    disk.rename("a.new", "a");
    disk.crash();
    seen.add(`${disk.list("")}: ${text(disk.contents("a"))}`);
  }
  expect([...seen].sort()).toEqual(["a,a.new: old", "a: new"]);
});

test("a sync covers what was written before it began, not what came while it ran", () => {
  let lost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const { clock, disk } = make(seed);
    disk.faults.syncMs = () => 5;
    const file = disk.open("a", "create");
    disk.syncDirectoryNow("");
    file.write(0, bytes("before"));
    file.sync(() => {});
    file.write(6, bytes("after"));
    clock.run();
    expect(clock.now()).toBe(5);
    disk.crash();
    expect(text(disk.contents("a")).startsWith("before")).toBe(true);
    if (disk.contents("a").length === 6) lost += 1;
  }
  expect(lost).toBeGreaterThan(0);
});

test("a sync of one directory covers its names even if another directory is synced meanwhile", () => {
  const { clock, disk } = make();
  disk.makeDirectory("log");
  disk.faults.syncMs = () => 5;
  disk.open("log/a", "create");
  disk.open("top", "create");
  disk.syncDirectory("", () => {});
  disk.syncDirectory("log", () => {});
  clock.run();
  disk.crash();
  expect(disk.paths()).toEqual(["log/a", "top"]);
});

test("a killed process leaves what it wrote and no lock; its syncs never complete", () => {
  const { clock, disk } = make();
  disk.lock();
  const file = disk.open("a", "create");
  file.write(0, bytes("x"));
  let completed = false;
  file.sync(() => {
    completed = true;
  });
  disk.kill();
  clock.run();
  expect(completed).toBe(false);
  disk.lock();
  expect(text(disk.contents("a"))).toBe("x");
  expect(() => file.read(0, 1)).toThrow("bug in chatpeer");
});

test("[D3] what a failed sync covered is readable until the power is cut, and no later sync saves it", () => {
  const { disk } = make();
  const file = disk.open("a", "create");
  disk.syncDirectoryNow("");
  file.write(0, bytes("refused"));
  disk.faults.syncError = "EIO";
  expect(() => file.syncNow()).toThrow("EIO");
  disk.faults.syncError = null;
  file.syncNow();
  expect(text(file.read(0, 10))).toBe("refused");
  disk.crash();
  expect(disk.contents("a").length).toBe(0);
});

test("[D4] a disk that fills up takes what fits, and has room again after a truncation", () => {
  const { disk } = make();
  disk.faults.capacity = 10;
  const file = disk.open("a", "create");
  file.write(0, bytes("12345678"));
  let code = "";
  try {
    file.write(8, bytes("9abc"));
  } catch (error) {
    code = (error as PortError).code;
  }
  expect([code, file.size]).toEqual(["ENOSPC", 10]);
  file.truncate(0);
  file.write(0, bytes("again"));
});

test("the same seed gives the same crash", () => {
  const run = () => {
    const { disk } = make(7);
    for (const name of ["a", "b", "c", "d", "e"]) disk.open(name, "create").write(0, bytes(name.repeat(50)));
    disk.crash();
    return disk.paths().map((p) => [p, text(disk.contents(p))]);
  };
  expect(run()).toEqual(run());
});
