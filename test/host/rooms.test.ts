/** The rooms somebody looks at: joined, left, shown, unread, and noted for the next process. */
import { expect, test } from "bun:test";
import { ROOMS_JOINED_MAX } from "../../src/core/config.ts";
import { Log } from "../../src/core/log.ts";
import { LogState } from "../../src/core/log-state.ts";
import { committedRooms, Rooms } from "../../src/host/rooms.ts";
import { written } from "../core/logs.ts";

function book(last: Record<string, number> = {}) {
  const seqNos = new Map(Object.entries(last));
  const told: unknown[] = [];
  const rooms = new Rooms(
    () => seqNos,
    (event) => told.push(event),
  );
  return { rooms, seqNos, told };
}

test("who joins a room has read what is there; what comes later is unread until it is shown", () => {
  const { rooms, seqNos, told } = book({ attic: 7, hall: 2 });
  expect(rooms.join("attic")).toBe(true);
  seqNos.set("attic", 10);
  expect(rooms.list()).toEqual([
    { room_id: "attic", last_seq_no: 10, joined: true, unread: 3 },
    { room_id: "hall", last_seq_no: 2, joined: false, unread: 2 },
  ]);
  rooms.show("attic", 9);
  rooms.show("attic", 8);
  expect(rooms.list()[0]).toMatchObject({ unread: 1 });
  rooms.leave("attic");
  rooms.leave("hall");
  rooms.join("cellar");
  expect(told).toEqual([
    { event: "room", room_id: "attic", last_seq_no: 7, joined: true, unread: 0 },
    { event: "room", room_id: "attic", last_seq_no: 10, joined: false, unread: 1 },
    { event: "room", room_id: "cellar", last_seq_no: 0, joined: true, unread: 0 },
  ]);
  expect(rooms.list().map((r) => [r.room_id, r.joined])).toEqual([
    ["attic", false],
    ["cellar", true],
    ["hall", false],
  ]);
});

test("what was noted is known again; what is no such note changes nothing", () => {
  const before = book({ attic: 4 });
  before.rooms.join("attic");
  before.seqNos.set("attic", 6);
  before.rooms.show("attic", 5);
  expect(before.rooms.changed).toBe(true);
  const data = JSON.parse(JSON.stringify(before.rooms.data()));
  const after = book({ attic: 6 });
  for (const wrong of [{}, { rooms: [{ room_id: "", joined: true, shown: 1 }] }, 7])
    expect(after.rooms.load(wrong)).toBe(false);
  expect(after.rooms.load(data)).toBe(true);
  expect(after.rooms.list()).toEqual(before.rooms.list());
});

test("[I10] names that are none are refused, and nobody joins without end", () => {
  const { rooms } = book();
  for (const name of ["", "a\nb", "é".repeat(33)]) expect(rooms.join(name)).toBe(false);
  for (let i = 0; i < ROOMS_JOINED_MAX; i++) expect(rooms.join(`room ${i}`)).toBe(true);
  expect(rooms.join("one more")).toBe(false);
  rooms.leave("room 3");
  expect(rooms.join("one more")).toBe(true);
  expect(rooms.list()).toHaveLength(ROOMS_JOINED_MAX);
});

test("[S5] numbers of a room are those of committed messages: the others may still be taken back", () => {
  const said = (room: string) => ({ kind: "chat", room, session: "1.a" }) as const;
  const entries = written([said("lobby"), said("lobby"), said("attic"), said("lobby")]);
  const state = new LogState();
  for (const entry of entries) state.apply(entry);
  const log = new Log(state, entries, 0, entries.length, 2);
  expect(committedRooms(log)).toEqual(new Map([["lobby", 1]]));
  log.commitThrough(4);
  expect(committedRooms(log)).toEqual(
    new Map([
      ["lobby", 2],
      ["attic", 1],
    ]),
  );
});
