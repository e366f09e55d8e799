/** What is told of members: each change at once, and after this process stood still what came of it, in one sentence. */
import { expect, test } from "bun:test";
import { type MemberEvent, Presence } from "../../../src/host/net/presence.ts";
import { ManualClock } from "../manual-clock.ts";

function setUp() {
  const clock = new ManualClock();
  const told: string[] = [];
  const presence = new Presence(
    clock,
    (id) => id !== 9,
    (event) =>
      told.push(
        event.event === "member" ? `${event.id} ${event.state} ${event.role}` : `${event.code}: ${event.message}`,
      ),
  );
  const say = (id: number, state: MemberEvent["state"], role: MemberEvent["role"] = "voter") =>
    presence.onMember({ event: "member", id, state, role });
  const take = () => told.splice(0);
  for (const id of [1, 2, 3]) say(id, "alive");
  say(9, "joined");
  return { clock, presence, say, take };
}

test("each change is told at once", () => {
  const { say, take } = setUp();
  say(2, "unreachable");
  expect(take()).toEqual(["1 alive voter", "2 alive voter", "3 alive voter", "9 joined voter", "2 unreachable voter"]);
});

test("who came and went while this process stood still is told in one sentence, whatever the connections that it finds", () => {
  const { clock, presence, say, take } = setUp();
  take();
  presence.goesOn(121_000);
  for (const id of [1, 2, 3]) say(id, "unreachable");
  for (let round = 0; round < 20; round++)
    for (const id of [1, 2, 3]) {
      say(id, "alive");
      clock.pass(1);
      say(id, "unreachable");
    }
  for (const id of [1, 2, 3]) say(id, "alive");
  clock.pass(499);
  expect(take()).toEqual([]);
  clock.pass(1);
  expect(take()).toEqual([
    "away: this peer stood still for 2 min (asleep, stopped, or short of processor time); 3 of 3 others are here again",
  ]);
  say(1, "unreachable");
  expect(take()).toEqual(["1 unreachable voter"]);
});

test("who is not back, has another part or came meanwhile is named behind it", () => {
  const { clock, presence, say, take } = setUp();
  take();
  presence.goesOn(10_000);
  for (const id of [1, 2, 3]) say(id, "unreachable");
  say(1, "alive");
  say(2, "alive", "observer");
  say(4, "joined");
  clock.pass(500);
  expect(take()).toEqual([
    "away: this peer stood still for 10 s (asleep, stopped, or short of processor time); 2 of 3 others are here again",
    "2 alive observer",
    "3 unreachable voter",
    "4 joined voter",
  ]);
});

test("where it does not settle it is told all the same; a clock that was put right alone is no news", () => {
  const { clock, presence, say, take } = setUp();
  take();
  presence.goesOn(10_000);
  for (let i = 0; i < 30; i++) {
    say(1, i % 2 === 0 ? "unreachable" : "alive");
    clock.pass(250);
  }
  expect(take()[0]).toContain("3 of 3 others");
  clock.pass(10_000);
  take();
  presence.goesOn(3_600_000);
  expect(presence.isSettling).toBe(true);
  clock.pass(500);
  expect(presence.isSettling).toBe(false);
  expect(take()).toEqual([]);
});
