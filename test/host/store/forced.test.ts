/** Forced recovery: what becomes of one survivor's directory, also where the power is cut in the midst of it. */
import { describe, expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../../src/core/config.ts";
import type { MemberKey } from "../../../src/core/ids.ts";
import type { Configuration, Entry, Member } from "../../../src/core/log-entry.ts";
import { LogState } from "../../../src/core/log-state.ts";
import { Peer } from "../../../src/engines/bully/peer.ts";
import { type Directory, openDirectory } from "../../../src/host/store/directory.ts";
import { inspectSurvivor, type Recovery, recoverByForce } from "../../../src/host/store/forced.ts";
import { Outbox } from "../../../src/host/store/outbox.ts";
import { readState, replaceStateNow } from "../../../src/host/store/state-files.ts";
import { HostError } from "../../../src/host/store/unusable.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { EntryReader, sealEntry } from "../../../src/wire/entry.ts";
import { hashOf } from "../../core/entries.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, lineOf } from "./log-maker.ts";

const LIMITS = { segment_entries: 10, segment_bytes: 1_000_000 };
const MEMBERS = [1, 2, 3].map((id) => ({
  id,
  inc: ["one", "two", "three"][id - 1] as string,
  host: "h",
  port: 6000 + id,
}));
const KEYS = ["one", "two", "three"].map(hashOf);
const IDENTITY = { id: 1, inc: "one", cluster_id: "test", founder: true };
const PROMISE = { term: 7, leader_id: 2, inc: "two", boot: 1 };
const LAST = 37;
const COMMIT = 33;
const DELIVERED = 31;
/** Entries before the damage that `damaged` does. */
const KEPT = 23;
const segment = (first: number) => `log/${String(first).padStart(20, "0")}.jsonl`;

/** Peer 1 of three voters (or as many as said), stopped in good order: 37 entries, of which it knows 33 to be committed. */
function survivor(
  options: { voters?: readonly number[]; members?: readonly number[]; seed?: number; secured?: boolean } = {},
) {
  const { voters = [1, 2, 3], members = voters, seed = 1, secured = false } = options;
  const clock = new ManualClock(seeded(seed));
  const disk = new VirtualDisk({ clock, random: seeded(seed) });
  const events = { durable: () => {}, failed: () => {}, noted: () => {} };
  const start = () => {
    disk.lock();
    return openDirectory(disk, clock, { id: 1, founds: true, fsync: true, events });
  };
  disk.makeDirectory("");
  replaceStateNow(disk, "identity.json", IDENTITY);
  replaceStateNow(disk, "promise.json", PROMISE);
  const log = new LogMaker(LIMITS);
  log.genesis();
  log.leader();
  log.config(
    MEMBERS.filter((m) => members.includes(m.id)).map((m) => ({
      ...m,
      ...(secured && { key: KEYS[m.id - 1] as string }),
    })),
    voters,
  );
  log.settled();
  log.fill(LAST);
  const directory = start();
  directory.store.append(log.entries);
  directory.store.syncNow();
  // Typed and not yet in the log: messages 34 and 35 of the session that the log has through 33.
  for (const [counter, payload] of [
    [34, "pending"],
    [35, "too"],
  ] as const)
    directory.outbox.add("s", counter, { room_id: "general", user: "alice", ts: 1, payload });
  directory.outbox.write();
  directory.saveProgress({ durable: LAST, commit: COMMIT, delivered: DELIVERED, clean: true });
  directory.close();
  const recover = () => recoverByForce(disk, clock);
  return { clock, disk, log, start, recover };
}

const held = (directory: Directory) => directory.store.readEntries(1, directory.store.last);
const damaged = (disk: VirtualDisk) => disk.damage(segment(21), (bytes) => bytes.slice(0, 700));
const text = (disk: VirtualDisk, path: string) => new TextDecoder().decode(disk.contents(path));

/** What a recovered directory must be, whatever happened on the way; `kept` entries of the old log are its beginning. */
function check({ start, log }: ReturnType<typeof survivor>, kept: number): Directory {
  const directory = start();
  const { restored, clusterId, delivered } = directory;
  const entries = held(directory);
  expect(entries.slice(0, kept).map(lineOf)).toEqual(log.entries.slice(0, kept).map(lineOf));
  const [config, settled, ...more] = entries.slice(kept) as [Entry, Entry];
  expect(more).toEqual([]);
  const self = { id: 1, inc: "one", host: "h", port: 6001, role: "voter" };
  expect(config).toMatchObject({
    ...{ kind: "config", term: 8, leader_id: 1, inc: "one" },
    data: { members: [self], prev_voters: [{ id: 1, inc: "one" }], cluster_id: clusterId },
  });
  expect(settled).toMatchObject({ kind: "settled", term: 8, leader_id: 1, data: { config_index: kept + 1 } });
  expect([directory.self.inc, clusterId === "test", restored.state.clusterId]).toEqual([
    "one",
    false,
    clusterId as string,
  ]);
  expect(restored.state.formerClusters).toEqual(["test"]);
  // The recovery was a start of its own, and this is the next one [E14].
  expect([config.boot > 1, directory.self.boot > config.boot, settled.boot]).toEqual([true, true, config.boot]);
  expect(restored.promised).toEqual({ term: 8, leader_id: 1, inc: "one", boot: config.boot });
  expect([restored.faulty, restored.durable, restored.commit]).toEqual([false, kept + 2, kept + 2]);
  expect(delivered).toBe(Math.min(DELIVERED, kept));
  return directory;
}

test("[M9] a survivor of three becomes the only voter of a new cluster, with all of its log, and delivers on where it was", () => {
  const machine = survivor();
  const recovery = machine.recover();
  const directory = check(machine, LAST);
  expect(recovery).toMatchObject({
    clusterId: directory.clusterId as string,
    before: { clusterId: "test", voters: [1, 2, 3], commit: COMMIT, tail: { index: LAST }, damage: null },
    notes: [],
  });
  expect(directory.restored.outbox).toMatchObject([{ session: "s", first: 34 }]);
  // What was there is kept.
  expect(readState(machine.disk, recovery?.kept as string)).toMatchObject({
    ...{ identity: IDENTITY, promise: PROMISE, progress: { commit: COMMIT, delivered: DELIVERED } },
  });
  expect(machine.disk.list("damaged")).toEqual([]);
});

test("[M9] [A1] a secured cluster stays one: the survivor keeps its key, and the others have theirs no more", () => {
  const scene = survivor({ secured: true });
  scene.recover();
  const { newest } = check(scene, LAST).restored.state;
  expect(newest?.configuration).toMatchObject({ secure: true, members: [{ id: 1, key: KEYS[0] as string }] });
});

test("[M9] looking changes nothing, and tells what would become of it", () => {
  const { disk, clock } = survivor();
  const before = disk.paths().map((path) => [path, text(disk, path)]);
  expect(inspectSurvivor(disk, clock)).toMatchObject({
    ...{ id: 1, clusterId: "test", voters: [1, 2, 3], commit: COMMIT, confirmed: LAST, damage: null },
    ...{ tail: { index: LAST, ballot: { term: 1 } }, needless: false, begun: false },
  });
  damaged(disk);
  const left = disk.paths().map((path) => [path, text(disk, path)]);
  const { damage, tail, confirmed } = inspectSurvivor(disk, clock);
  expect(damage).toContain(segment(21));
  expect([tail.index, confirmed]).toEqual([KEPT, LAST]);
  expect(disk.paths().map((path) => [path, text(disk, path)])).toEqual(left);
  expect(left.length).toBe(before.length);
});

test("[M9] run again it finds nothing to do; a lone voter that is whole needs none", () => {
  const machine = survivor();
  machine.recover();
  const before = text(machine.disk, "identity.json");
  expect([machine.recover(), inspectSurvivor(machine.disk, machine.clock).needless]).toEqual([null, true]);
  expect(text(machine.disk, "identity.json")).toBe(before);
  expect(survivor({ voters: [1] }).recover()).toBeNull();
});

test("[M9] the survivor may lose its new majority in turn: each recovery is a cluster of its own", () => {
  const machine = survivor();
  const first = machine.recover();
  const directory = check(machine, LAST);
  const { log } = machine;
  log.adopt(held(directory));
  log.term = 9;
  log.leader();
  log.config(MEMBERS, [1, 2, 3]);
  directory.writePromise({ term: 9, leader_id: 1, inc: "one", boot: 1 }, () => {});
  machine.clock.run();
  directory.store.append(log.entries.slice(LAST + 2));
  directory.store.syncNow();
  directory.close();
  const second = machine.recover();
  const { state } = machine.start().restored;
  expect(state.formerClusters).toEqual(["test", first?.clusterId as string]);
  expect(state.clusterId).toBe(second?.clusterId as string);
  // Backwards too.
  const whole = LogState.fromData(state.toData());
  expect(whole.toData()).toEqual(state.toData());
});

test("[M9] [S5] the cluster's name follows from the log prefix, forwards and backwards", () => {
  const machine = survivor();
  machine.recover();
  const entries = held(machine.start());
  const state = new LogState();
  const states = entries.map((entry) => {
    const before = state.toData();
    expect(state.refusal(entry)).toBeNull();
    state.apply(entry);
    return before;
  });
  expect(LogState.fromData(state.toData()).toData()).toEqual(state.toData());
  for (let i = entries.length - 1; i > 0; i--) {
    state.undo(entries[i] as Entry, (entries[i - 1] as Entry).crc);
    expect(state.toData()).toEqual(states[i] as ReturnType<LogState["toData"]>);
  }
});

test("[M9] no log takes a configuration that names a cluster but for its maker alone", () => {
  const machine = survivor();
  machine.recover();
  const config = held(machine.start())[LAST] as Entry;
  const [self] = (config.data as Configuration).members as [Member];
  const refused = (members: Member[]) =>
    machine.log.state.refusal({ ...config, data: { members, prev_voters: [], cluster_id: "new" } });
  expect(refused([self])).toBeNull();
  for (const members of [[], [self, { ...self, id: 2 }], [{ ...self, id: 2 }], [{ ...self, inc: "other" }]])
    expect(refused(members)).toContain("names cluster new");
  const { chunk, start, end } = config;
  expect(new EntryReader().read(chunk, start, end, (machine.log.entries[LAST - 1] as Entry).crc).data).toEqual(
    config.data,
  );
});

test("[M9] [M4] a peer that is still catching up does not say which cluster it is: its log may name the one before", () => {
  const machine = survivor();
  const { clusterId } = machine.recover() as Recovery;
  const entries = held(machine.start());
  const answers = (count: number, member: MemberKey) => {
    const self = { ...member, boot: 1 };
    const state = new LogState();
    for (const entry of entries.slice(0, count)) state.apply(entry);
    const held = { state, entries: entries.slice(0, count), beforeCrc: 0, durable: count, commit: count };
    const options = { address: { host: "h", port: 1 }, timings: DEFAULT_TIMINGS, session: "s", newSession: () => "t" };
    const peer = new Peer(
      { ...options, self, seal: sealEntry, random: () => 0.5, wall: () => 0 },
      { ...held, promised: { term: 8, leader_id: 1, inc: "one", boot: 1 }, faulty: false, outbox: [] },
      0,
    );
    const joiner = { id: 5, inc: "five", boot: 1, host: "h", port: 2 };
    peer.step({ type: "link-up", link: 1, peer: joiner }, 0);
    peer.takeOutputs();
    peer.step({ type: "frame", link: 1, frame: { type: "JOIN", id: 5, inc: "five", host: "h", port: 2 } }, 0);
    return peer
      .takeOutputs()
      .flatMap((o) => (o.do === "send" && o.frame.type === "JOIN_ACK" ? o.frame.cluster_id : []));
  };
  expect(answers(LAST + 2, { id: 1, inc: "one" })).toEqual([clusterId]);
  expect(answers(LAST, { id: 4, inc: "four" })).toEqual([]);
});

describe("damage", () => {
  test("[M9] [D5] the log is cut before it, what was confirmed behind it is counted, and the files are kept", () => {
    const machine = survivor();
    damaged(machine.disk);
    const bad = text(machine.disk, segment(21));
    const recovery = machine.recover();
    const directory = check(machine, KEPT);
    expect(recovery?.before).toMatchObject({ tail: { index: KEPT }, confirmed: LAST });
    expect(text(machine.disk, "damaged/00000000000000000021.jsonl")).toBe(bad);
    expect(machine.disk.list("damaged").length).toBe(2);
    // The next message of the pending session would be one that no log has any more: it begins anew.
    const [pending, ...none] = directory.restored.outbox;
    expect(none).toEqual([]);
    expect(pending).toMatchObject({ first: 1, drafts: [{ payload: "pending" }, { payload: "too" }] });
    expect(pending?.session).not.toBe("s");
  });

  test("[M9] [D5] a lone voter so damaged stops, names recover, and that is its way out", () => {
    const machine = survivor({ voters: [1] });
    damaged(machine.disk);
    for (let i = 0; i < 2; i++) expect(machine.start).toThrow("accept the loss: `chatpeer recover DIR --force`");
    expect(inspectSurvivor(machine.disk, machine.clock)).toMatchObject({
      tail: { index: KEPT },
      rest: [{ from: 31, through: LAST }],
      confirmed: LAST,
      needless: false,
    });
    expect(machine.recover()?.before).toMatchObject({ tail: { index: KEPT }, confirmed: LAST });
    check(machine, KEPT).close();
    expect(machine.recover()).toBeNull();
  });

  test("[D5] a lone voter whose log has no beginning stops, and is not sent to a recovery that cannot be", () => {
    const machine = survivor({ voters: [1] });
    machine.disk.damage(segment(1), () => null);
    expect(machine.start).toThrow("but `chatpeer log DIR/log` prints what can be read");
    expect(machine.start).not.toThrow("recover DIR --force");
    expect(machine.recover).toThrow("the log cannot be read from its beginning");
  });

  test("[D5] … or its log comes back from a copy", () => {
    const { disk, start, log } = survivor({ voters: [1] });
    const copy = new Map([[segment(21), disk.contents(segment(21))]]);
    damaged(disk);
    for (let i = 0; i < 2; i++) expect(start).toThrow("restore log/ from a copy");
    disk.fill(copy);
    for (let i = 0; i < 2; i++) {
      const directory = start();
      expect([directory.restored.faulty, directory.notes]).toEqual([false, []]);
      expect(held(directory).map(lineOf)).toEqual(log.entries.map(lineOf));
      directory.close();
    }
  });

  test("[D5] … and not because nothing says any more how far it once reached", () => {
    const { disk, start } = survivor({ voters: [1] });
    damaged(disk);
    disk.damage("progress.json", (bytes) => bytes.slice(1));
    for (let i = 0; i < 3; i++) expect(start).toThrow("restore log/ from a copy");
  });

  test("[M9] [D5] a lone voter that waited for a copy to repair itself from, and the copy is lost too", () => {
    const machine = survivor({ voters: [1], members: [1, 2] });
    damaged(machine.disk);
    const waiting = machine.start();
    expect(waiting.restored.faulty).toBe(true);
    waiting.close();
    // The running peer noted how far it is now; how far it once was, only its commit index tells.
    expect(machine.recover()?.before).toMatchObject({ tail: { index: KEPT }, confirmed: COMMIT, voters: [1] });
    check(machine, KEPT);
  });

  test("[M9] an unconfirmed end is just cut, as any start does", () => {
    const machine = survivor();
    machine.disk.damage(segment(31), (bytes) => Buffer.concat([bytes, Buffer.from('{"index":38,')]));
    expect(machine.recover()?.before.damage).toBeNull();
    check(machine, LAST);
    expect(machine.disk.list("damaged")).toEqual([]);
  });

  for (const [what, damage] of [
    ["missing", () => null],
    ["damaged", (bytes: Uint8Array) => bytes.slice(1)],
  ] as const)
    test(`[M9] [D2] a promise that is ${what} binds to nobody but the lost: a new one above the log is made`, () => {
      const machine = survivor({ voters: [1] });
      machine.disk.damage("promise.slots", damage);
      expect(machine.start).toThrow("If there are no others: `chatpeer recover DIR --force`");
      machine.recover();
      const { promised, state } = machine.start().restored;
      expect(promised).toMatchObject({ term: 2, leader_id: 1, inc: "one" });
      expect(state.tail.ballot).toEqual(promised);
      expect(machine.disk.list("damaged")).toEqual(what === "damaged" ? ["promise.slots"] : []);
    });

  test("[M9] a progress note that is damaged is kept; the whole log counts", () => {
    const machine = survivor();
    machine.disk.damage("progress.json", (bytes) => bytes.slice(1));
    machine.recover();
    const { restored, delivered } = machine.start();
    expect([restored.commit, delivered]).toEqual([LAST + 2, 0]);
    expect(machine.disk.list("damaged")).toEqual(["progress.json"]);
  });
});

describe("refused, with the directory as it was", () => {
  const cases: Record<string, [(machine: ReturnType<typeof survivor>) => void, string]> = {
    "a peer runs on it": [({ disk }) => disk.lock(), "in use by another process"],
    "no identity": [({ disk }) => disk.damage("identity.json", () => null), "identity.json is missing beside a log"],
    "a damaged identity": [({ disk }) => disk.damage("identity.json", (b) => b.slice(1)), "identity.json is damaged"],
    "no cluster joined yet": [
      ({ disk }) => replaceStateNow(disk, "identity.json", { ...IDENTITY, cluster_id: null }),
      "nothing to recover",
    ],
    "no log": [
      ({ disk }) => [1, 11, 21, 31].forEach((s) => void disk.damage(segment(s), () => null)),
      "there is no log in the data directory",
    ],
    "no readable entry": [
      ({ disk }) => disk.damage(segment(1), (b) => b.slice(1)),
      "the log cannot be read from its beginning",
    ],
  };
  for (const [what, [prepare, words]] of Object.entries(cases))
    test(`[M9] ${what}`, () => {
      const machine = survivor();
      prepare(machine);
      const before = machine.disk.paths().map((path) => [path, text(machine.disk, path)]);
      expect(machine.recover).toThrow(HostError);
      expect(machine.recover).toThrow(words);
      expect(() => inspectSurvivor(machine.disk, machine.clock)).toThrow(words);
      expect(machine.disk.paths().map((path) => [path, text(machine.disk, path)])).toEqual(before);
    });
});

describe("cut short", () => {
  class Cut extends Error {}
  /** A kill leaves all that was written: its seeds only cut the second run elsewhere. */
  const SEEDS = { crash: 8, kill: 3 } as const;

  type Machine = ReturnType<typeof survivor>;

  /** Recovers, but for what comes after so many calls to the disk; whether there was no more. */
  function cutAfter({ disk, recover }: Machine, calls: number): boolean {
    let left = calls;
    disk.faults.before = () => {
      if (left-- <= 0) throw new Cut();
    };
    try {
      recover();
      return true;
    } catch (error) {
      if (!(error instanceof Cut)) throw error;
      return false;
    } finally {
      disk.faults.before = null;
    }
  }

  const states: Record<string, [(machine: Machine) => void, number]> = {
    whole: [() => {}, LAST],
    damaged: [({ disk }) => damaged(disk), KEPT],
    "damaged, and started since": [
      ({ disk, start }) => {
        damaged(disk);
        // Other members are known, so it has started, and waited for them.
        start().close();
      },
      KEPT,
    ],
  };
  for (const [what, [prepare, kept]] of Object.entries(states))
    for (const how of ["crash", "kill"] as const)
      test(`[M9] a ${how} at any call (${what}): as before, or complete when run again, and no peer runs in between`, () => {
        const seeds = SEEDS[how];
        let cuts = 0;
        // What a power cut leaves is drawn from the seed: each call is cut off with some of them.
        for (let calls = 0, seed = 1; ; seed = (seed % seeds) + 1, calls += seed === 1 ? 1 : 0) {
          const machine = survivor({ seed });
          const { disk, clock } = machine;
          prepare(machine);
          const done = cutAfter(machine, calls);
          if (!done) cuts += 1;
          disk[how]();
          const begun = disk.paths().includes("recovery.json");
          const finished = disk.paths().some((path) => path.startsWith("before-recovery-"));
          if (done) expect([begun, finished]).toEqual([false, true]);
          if (begun) {
            expect(machine.start).toThrow("begun and not finished");
            expect(inspectSurvivor(disk, clock).begun).toBe(true);
            const { cluster_id } = readState(disk, "recovery.json") as { cluster_id: string };
            // The second run may be cut short too.
            cutAfter(machine, (7 * calls + seed) % 60);
            disk[how]();
            const more = machine.recover();
            expect([cluster_id, null]).toContain(more === null ? null : more.clusterId);
            expect(machine.start().clusterId).toBe(cluster_id);
            disk.kill();
          } else if (finished) expect(machine.recover()).toBeNull();
          else {
            const directory = machine.start();
            expect([directory.clusterId, directory.store.last]).toEqual(["test", kept]);
            expect(held(directory).map(lineOf)).toEqual(machine.log.entries.slice(0, kept).map(lineOf));
            directory.close();
            machine.recover();
          }
          check(machine, kept).close();
          expect(machine.recover()).toBeNull();
          if (done && seed === seeds) break;
        }
        expect(cuts).toBeGreaterThan(20 * seeds);
      });

  test("[M9] [D4] a full disk: said, and done when there is room", () => {
    const machine = survivor();
    const used = machine.disk.paths().reduce((sum, path) => sum + machine.disk.contents(path).length, 0);
    for (let room = 0; ; room += 50) {
      machine.disk.faults.capacity = used + room;
      try {
        machine.recover();
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(HostError);
        expect((error as Error).message).toContain("no space left");
      }
    }
    machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
    check(machine, LAST);
  });

  test("[M9] a plan that was damaged is made anew on what the first one has left", () => {
    const machine = survivor();
    let appended = false;
    machine.disk.faults.before = (call, path) => {
      if (appended && call === "create" && path.startsWith("promise.slots")) throw new Cut();
      appended ||= call === "write" && path === segment(31);
    };
    expect(machine.recover).toThrow(Cut);
    machine.disk.faults.before = null;
    machine.disk.kill();
    machine.disk.damage("recovery.json", (bytes) => bytes.slice(1));
    expect(machine.start).toThrow("begun and not finished");
    machine.recover();
    const { restored, clusterId } = machine.start();
    expect([restored.state.index, restored.state.clusterId]).toEqual([LAST + 4, clusterId as string]);
    expect(machine.disk.list("damaged")).toEqual(["recovery.json"]);
  });
});

test("[M9] the outbox is left alone where its sessions go on", () => {
  const { disk } = survivor();
  const before = text(disk, "outbox.jsonl");
  Outbox.renumber(
    disk,
    () => false,
    () => "fresh",
    [],
  );
  expect(text(disk, "outbox.jsonl")).toBe(before);
});
