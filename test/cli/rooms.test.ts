/** Rooms: which are shown, which one is talked in, and what is unread in the others. */
import { expect, test } from "bun:test";
import { Rooms } from "../../src/cli/rooms.ts";
import type { DeliveredMessage } from "../../src/host/events.ts";

const message = (room_id: string, seq_no: number) => ({ room_id, seq_no }) as DeliveredMessage;

test("one talks in the room that was joined last; leaving it goes back to the one before", () => {
  const rooms = new Rooms("general");
  for (const room of ["dev", "ops", "dev"]) rooms.join(room);
  expect([rooms.active, rooms.shows("ops"), rooms.shows("general"), rooms.shows("other")]).toEqual([
    "dev",
    true,
    true,
    false,
  ]);
  expect(rooms.leave("dev")).toBe(true);
  expect(rooms.active).toBe("ops");
  expect(rooms.leave("general")).toBe(true);
  expect([rooms.active, rooms.shows("general")]).toEqual(["ops", false]);
});

test("the last room is not left, nor one that was never joined", () => {
  const rooms = new Rooms("general");
  expect([rooms.leave("general"), rooms.leave("dev"), rooms.active]).toEqual([false, false, "general"]);
});

test("others' messages are unread where the room is not shown, until it is joined", () => {
  const rooms = new Rooms("general");
  rooms.onMessage(message("general", 1), false);
  rooms.onMessage(message("dev", 1), false);
  rooms.onMessage(message("dev", 2), false);
  rooms.onMessage(message("dev", 3), true);
  const general = { room_id: "general", joined: true, active: true, last_seq_no: 1, unread: 0 };
  const dev = { room_id: "dev", joined: false, active: false, last_seq_no: 3, unread: 2 };
  expect(rooms.all).toEqual([dev, general]);
  rooms.join("dev");
  rooms.onMessage(message("dev", 4), false);
  expect(rooms.all).toEqual([
    { ...dev, joined: true, active: true, last_seq_no: 4, unread: 0 },
    { ...general, active: false },
  ]);
  rooms.leave("dev");
  rooms.onMessage(message("dev", 5), false);
  expect(rooms.all[0]).toEqual({ ...dev, last_seq_no: 5, unread: 1 });
});

test("names that objects have of themselves are rooms like others", () => {
  const rooms = new Rooms("__proto__");
  rooms.onMessage(message("constructor", 1), false);
  expect(rooms.all.map((room) => room.room_id)).toEqual(["__proto__", "constructor"]);
});
