/** Small files held to their readers [W7]: what is written is read back, and what would not be is an assertion. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AssertionError } from "../../../src/core/assert.ts";
import { LogState } from "../../../src/core/log-state.ts";
import { ROOMS, Rooms, readRooms, saveRooms } from "../../../src/host/rooms.ts";
import { RECOVERY, REPAIR } from "../../../src/host/store/directory.ts";
import { IDENTITY } from "../../../src/host/store/identity.ts";
import { Outbox } from "../../../src/host/store/outbox.ts";
import { PROGRESS } from "../../../src/host/store/progress-file.ts";
import { PROMISE, PROMISE_BEFORE_SLOTS } from "../../../src/host/store/promise-file.ts";
import { checkpointPath } from "../../../src/host/store/segments.ts";
import { makeSlots, readSlots } from "../../../src/host/store/slots.ts";
import { DamagedFile, readState, replaceStateNow } from "../../../src/host/store/state-files.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { seeded, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { anyNumber, anyText, attempt, planted, positive } from "../../wire/any-values.ts";
import { Sampler } from "../../wire/samples.ts";
import { LogMaker } from "./log-maker.ts";

function emptyDisk(): VirtualDisk {
  const time = new VirtualTime();
  const disk = new VirtualDisk({ clock: { after: (ms, fn) => time.at(time.now + ms, fn) }, random: seeded(1) });
  for (const path of ["", "checkpoints"]) disk.makeDirectory(path);
  return disk;
}

const BALLOT = { term: 7, leader_id: 2, inc: "abc", boot: 5 };
const IDENTITY_OF = { id: 2, inc: "abc", boot: 4, cluster_id: "test", founder: false };
const PROGRESS_OF = { durable: 9, commit: 8, delivered: 7, clean: true };

function checkpoint(): object {
  const log = new LogMaker({ segment_entries: 100, segment_bytes: 1e6 });
  log.genesis();
  log.leader();
  for (let i = 0; i < 5; i++) log.chat(`text ${i}`, `room ${i % 2}`);
  const state = new LogState();
  for (const entry of log.entries) state.apply(entry);
  return { bytes: 1000, state: { ...state.toData(), present: ["ann"], read: [["room 0", "ann", 2]] } };
}

const member = { id: 2, inc: "abc", host: "127.0.0.1", port: 6002, role: "voter" };
const FILES: Record<string, object> = {
  [IDENTITY]: IDENTITY_OF,
  [PROMISE_BEFORE_SLOTS]: BALLOT,
  [PROGRESS]: PROGRESS_OF,
  [REPAIR]: { from: 3 },
  [RECOVERY]: {
    ...{ cluster_id: "fresh", ballot: BALLOT, identity: IDENTITY_OF, promise: null },
    progress: { ...PROGRESS_OF, durable: -1 },
    before: {
      ...{ id: 2, clusterId: "test", self: member, members: [member], voters: [2], tail: { index: 9, ballot: BALLOT } },
      ...{ commit: 8, damage: "it is cut short", confirmed: 9, needless: false, begun: false },
    },
  },
  [checkpointPath(1)]: checkpoint(),
};

describe("[W7] a small file", () => {
  for (const [path, content] of Object.entries(FILES)) {
    test(`${path}: any number or text at any place is read back as it was, or an assertion`, () => {
      const disk = emptyDisk();
      replaceStateNow(disk, path, content);
      expect(readState(disk, path)).toEqual(positive(content));
      let refused = 0;
      fc.assert(
        fc.property(fc.oneof(anyNumber, anyText), fc.nat(200), (value, at) => {
          const changed = planted(content, value, at);
          const written = attempt(() => replaceStateNow(disk, path, changed));
          if (written instanceof AssertionError) refused += 1;
          else expect(readState(disk, path)).toEqual(positive(changed));
        }),
        { numRuns: 300 },
      );
      expect(refused).toBeGreaterThan(0);
    });
  }

  test(`${PROMISE}: the same, in slots`, () => {
    const disk = emptyDisk();
    fc.assert(
      fc.property(fc.oneof(anyNumber, anyText), fc.nat(10), (value, at) => {
        const changed = planted(BALLOT, value, at);
        const written = attempt(() => makeSlots(disk, PROMISE, changed));
        if (!(written instanceof AssertionError)) expect(readSlots(disk, PROMISE)).toEqual(positive(changed));
      }),
      { numRuns: 300 },
    );
  });

  test(`${ROOMS}: whatever rooms a person joins and reads`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyText, anyNumber), { maxLength: 20 }), (looked) => {
        const disk = emptyDisk();
        const make = () =>
          new Rooms(
            () => new Map(),
            () => {},
          );
        const rooms = make();
        for (const [room, seqNo] of looked) if (rooms.join(room)) attempt(() => rooms.show(room, seqNo));
        saveRooms(disk, rooms);
        const again = make();
        expect(readRooms(disk, again)).toBe(true);
        expect(again.list()).toEqual(rooms.list());
        expect(again.data()).toEqual(rooms.data());
      }),
      { numRuns: 200 },
    );
  });

  test("one with a right crc that no chatpeer has written is as damaged as any, and one of a later version is not", () => {
    const disk = emptyDisk();
    replaceStateNow(disk, PROGRESS, { ...PROGRESS_OF, more: ["of", "this"] });
    expect(readState(disk, PROGRESS)).toEqual({ ...PROGRESS_OF, more: ["of", "this"] });
    replaceStateNow(disk, REPAIR, { from: 3 });
    disk.rename(REPAIR, PROGRESS);
    expect(() => readState(disk, PROGRESS)).toThrow(DamagedFile);
  });
});

test("[W7] the outbox: any drafts are there when it is opened again, or an assertion, and then what was there before", () => {
  const sampler = new Sampler(4);
  fc.assert(
    fc.property(fc.oneof(anyNumber, anyText), fc.nat(20), (value, at) => {
      const disk = emptyDisk();
      const good = { room_id: sampler.name(), user: sampler.name(), ts: sampler.index(), payload: sampler.text() };
      const run = { session: "abc", counter: 2, draft: good };
      const changed = planted(run, value, at);
      const { outbox } = Outbox.open(disk, []);
      outbox.add("abc", 1, good);
      outbox.write();
      const written = attempt(() => {
        outbox.add(changed.session, changed.counter, changed.draft);
        outbox.write();
      });
      outbox.close();
      const notes: string[] = [];
      const { outbox: again, pending } = Outbox.open(disk, notes);
      again.close();
      expect(notes).toEqual([]);
      const all = pending.flatMap(({ session, first, drafts }) =>
        drafts.map((draft, i) => ({ session, counter: first + i, draft })),
      );
      const expected = [{ ...run, counter: 1 }, ...(written instanceof AssertionError ? [] : [changed])];
      expect(positive(all)).toEqual(positive(expected));
    }),
    { numRuns: 400 },
  );
});
