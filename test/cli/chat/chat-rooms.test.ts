/** Rooms as somebody sees them who chats: which are shown, and which one is talked in. */
import { expect, test } from "bun:test";
import { roomsOf } from "./rooms.ts";

test("one talks in the room that was joined last; leaving it goes back to the one before", () => {
  const { rooms } = roomsOf("general");
  for (const room of ["dev", "ops", "dev"]) expect(rooms.join(room)).toBe(true);
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

test("the last room is not left, nor one that was never joined; rooms of an earlier start are gone to", () => {
  const { rooms, joined } = roomsOf("general");
  expect([rooms.leave("general"), rooms.leave("dev"), rooms.active]).toEqual([false, false, "general"]);
  joined.join("kept");
  expect(rooms.leave("general")).toBe(true);
  expect(rooms.active).toBe("kept");
});

test("each says what is unread in it, and whether one talks there", () => {
  const { rooms, joined, last } = roomsOf("general", { general: 3, dev: 2 });
  last.set("general", 4);
  joined.show("general", 4);
  const general = { room_id: "general", joined: true, active: true, last_seq_no: 4, unread: 0 };
  expect(rooms.all).toEqual([{ room_id: "dev", joined: false, active: false, last_seq_no: 2, unread: 2 }, general]);
});

test("names that objects have of themselves are rooms like others", () => {
  const { rooms } = roomsOf("__proto__", { constructor: 1 });
  expect(rooms.all.map((room) => room.room_id)).toEqual(["__proto__", "constructor"]);
});
