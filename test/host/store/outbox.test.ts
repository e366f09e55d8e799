import { expect, test } from "bun:test";
import type { Draft } from "../../../src/core/log-entry.ts";
import { PortError } from "../../../src/host/contracts.ts";
import { Outbox } from "../../../src/host/store/outbox.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";

const draft = (payload: string): Draft => ({ room_id: "general", user: "alice", ts: 1, payload });

/** One message on a line of its own. */
function keep(outbox: Outbox, session: string, counter: number, text: string): void {
  outbox.add(session, counter, draft(text));
  outbox.write();
}

function machine() {
  const disk = new VirtualDisk({ clock: new ManualClock(), random: seeded(1) });
  const notes: string[] = [];
  const open = () => Outbox.open(disk, notes);
  const pending = () =>
    open().pending.map(({ session, first, drafts }) => [session, first, drafts.map((d) => d.payload).join()]);
  return { disk, notes, open, pending };
}

test("[S1] [S3] what is not settled comes back after a kill: sessions in order, under their numbers", () => {
  const { disk, open, pending } = machine();
  const { outbox } = open();
  for (const [session, counter] of [
    ["old", 4],
    ["old", 5],
    ["new", 1],
    ["old", 6],
    ["new", 2],
  ] as const) {
    keep(outbox, session, counter, `${session}${counter}`);
  }
  outbox.settle("old", 4);
  outbox.settle("new", 1);
  disk.kill();
  // Settled lines may come again: what is in the log is settled by the log.
  expect(pending()).toEqual([
    ["old", 4, "old4,old5,old6"],
    ["new", 1, "new1,new2"],
  ]);
  const again = open().outbox;
  again.settle("old", 5);
  again.settle("new", 2);
  again.settle("old", 6);
  disk.kill();
  expect(pending()).toEqual([]);
  expect(disk.contents("outbox.jsonl").length).toBe(0);
});

test("[S1] every text that can be sent comes back as it was", () => {
  const { disk, open } = machine();
  const texts = ["\u2028\u2029", "\n\r\u0000", "ünïcödé 🎉", '"}{\\', "x".repeat(65_536)];
  const { outbox } = open();
  texts.forEach((text, i) => {
    outbox.add("s", i + 1, draft(text));
  });
  outbox.write();
  disk.kill();
  expect(open().pending[0]?.drafts).toEqual(texts.map(draft));
});

test("a torn last line is cut and its file goes on; a damaged line in the middle takes no other with it but those behind it in its session", () => {
  const { disk, notes, open, pending } = machine();
  const { outbox } = open();
  for (const [session, counter] of [
    ["a", 1],
    ["b", 1],
    ["a", 2],
    ["b", 2],
    ["a", 3],
  ] as const)
    keep(outbox, session, counter, `${session}${counter}`);
  disk.kill();
  disk.damage("outbox.jsonl", (b) => b.slice(0, b.length - 7));
  expect(pending()).toEqual([
    ["a", 1, "a1,a2"],
    ["b", 1, "b1,b2"],
  ]);
  expect(notes).toEqual([]);
  disk.damage("outbox.jsonl", (b) =>
    new TextEncoder().encode(
      new TextDecoder()
        .decode(b)
        .replace('"first":1,"messages":[{"room_id":"general","user":"alice","ts":1,"payload":"b1"', "garbage"),
    ),
  );
  expect(pending().filter(([session]) => session === "a")).toEqual([["a", 1, "a1,a2"]]);
  expect(notes.length).toBe(1);
});

test("[D4] on a full disk the file stays whole, and what was added is kept when there is room", () => {
  const { disk, open, pending } = machine();
  const { outbox } = open();
  keep(outbox, "s", 1, "one");
  const before = disk.contents("outbox.jsonl");
  disk.faults.capacity = before.length + 30;
  for (const [counter, text] of [
    [2, "two"],
    [3, "three"],
    [4, "four"],
  ] as const) {
    outbox.add("s", counter, draft(text));
    expect(() => outbox.write()).toThrow(PortError);
  }
  expect(disk.contents("outbox.jsonl")).toEqual(before);
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  outbox.write();
  disk.kill();
  expect(pending()).toEqual([["s", 1, "one,two,three,four"]]);
});

test("what came together stands on few lines, so that damage takes little", () => {
  const { disk, open, pending } = machine();
  const { outbox } = open();
  for (let n = 1; n <= 1000; n++) outbox.add("s", n, draft(`m${n}`));
  outbox.write();
  const lines = new TextDecoder().decode(disk.contents("outbox.jsonl")).split("\n").length - 1;
  expect(lines).toBeGreaterThan(10);
  expect(lines).toBeLessThan(100);
  outbox.settle("s", 500);
  disk.kill();
  const text = pending()[0]?.[2] as string;
  expect(text.split(",").at(-1)).toBe("m1000");
});

test("[S2] a run behind a gap is one of its own, and goes on under another name", () => {
  const { disk, notes, open, pending } = machine();
  const { outbox } = open();
  for (const counter of [1, 2, 3, 4, 5, 6]) keep(outbox, "s", counter, `s${counter}`);
  keep(outbox, "t", 1, "t1");
  disk.kill();
  disk.damage("outbox.jsonl", (b) => new TextEncoder().encode(new TextDecoder().decode(b).replace("s2", "??")));
  expect(pending()).toEqual([
    ["s", 1, "s1"],
    ["s", 3, "s3,s4,s5,s6"],
    ["t", 1, "t1"],
  ]);
  expect(notes.length).toBe(1);
  const again = open().outbox;
  again.settle("s", 1);
  again.rename("s", [3, 4, 5, 6], "sr");
  again.settle("sr", 1);
  disk.kill();
  // Settled lines may come again, but never under the old name.
  expect(pending()).toEqual([
    ["sr", 1, "s3,s4,s5,s6"],
    ["t", 1, "t1"],
  ]);
});

test("[S1] a power cut after a restart does not take what an earlier one left on the disk", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const disk = new VirtualDisk({ clock: new ManualClock(), random: seeded(seed) });
    const { outbox } = Outbox.open(disk, []);
    keep(outbox, "s", 1, "old");
    const file = disk.open("outbox.jsonl", "existing");
    file.syncNow();
    disk.syncDirectoryNow("");
    disk.kill();
    Outbox.open(disk, []);
    disk.crash();
    expect(Outbox.open(disk, []).pending.length).toBe(1);
  }
});

test("settled lines do not pile up: the file stays within a few times what is pending", () => {
  const { disk, open } = machine();
  const { outbox } = open();
  const text = "x".repeat(60_000);
  for (let n = 1; n <= 1000; n++) {
    keep(outbox, "s", n, text);
    if (n > 3) outbox.settle("s", n - 3);
    if (n % 100 === 0) expect(disk.contents("outbox.jsonl").length).toBeLessThan(20_000_000);
  }
  outbox.settle("s", 998);
  outbox.settle("s", 999);
  disk.kill();
  const drafts = open().pending[0]?.drafts ?? [];
  expect(drafts[drafts.length - 1]).toEqual(draft(text));
});

test("a message is sent as it was typed or not at all: a flipped bit anywhere leaves out its line and no other", () => {
  for (let at = 0; at < 400; at += 3) {
    const { disk, open, pending } = machine();
    const { outbox } = open();
    for (const session of ["a", "b", "c", "d"]) keep(outbox, session, 1, session);
    disk.kill();
    disk.damage("outbox.jsonl", (bytes) => {
      const flipped = bytes.slice();
      const place = at % bytes.length;
      flipped[place] = (flipped[place] as number) ^ (1 << (at % 8));
      return flipped;
    });
    const kept = pending();
    const whole = ["a", "b", "c", "d"].map((session) => [session, 1, session]);
    // A newline that is gone joins two lines.
    expect(kept.length).toBeGreaterThanOrEqual(2);
    for (const line of kept) expect(whole).toContainEqual(line);
  }
});
