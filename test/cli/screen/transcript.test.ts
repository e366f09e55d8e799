/** What people read as it happens: events in, rows out, in an order that can be followed. */
import { describe, expect, test } from "bun:test";
import { Readers } from "../../../src/cli/chat/readers.ts";
import { type Bell, type Told, Transcript } from "../../../src/cli/screen/transcript.ts";
import type { DeliveredMessage, HostEvent } from "../../../src/host/events.ts";
import { roomsOf } from "../chat/rooms.ts";
import { PLAIN } from "./paints.ts";

const NOON = new Date(2026, 10, 21, 12, 0).getTime();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Somebody who reads, at a time of day that can be set. */
class Reading {
  readonly rooms = roomsOf("general").rooms;
  readonly readers = new Readers();
  name = "alice";
  readonly transcript: Transcript;
  wall = NOON;
  now = 0;
  #seq = 0;

  constructor(options: { bell?: Bell; plain?: boolean } = {}) {
    const all = { bell: "mention" as Bell, paint: PLAIN, plain: false, ...options };
    this.transcript = new Transcript(all, this, this.wall);
  }

  isOwn({ sender_id, user }: DeliveredMessage): boolean {
    return sender_id === 1 && user === this.name;
  }

  get moment() {
    return { now: this.now, wall: this.wall, columns: 80 };
  }

  at(now: number): this {
    this.now = now;
    return this;
  }

  tell(event: HostEvent): readonly string[] {
    return this.told(event).rows;
  }

  told(event: HostEvent): Told {
    return this.transcript.event(event, this.moment);
  }

  message(payload: string, more: Partial<DeliveredMessage> = {}): DeliveredMessage {
    const seq_no = ++this.#seq;
    return {
      ...{
        event: "message",
        index: seq_no,
        term: 1,
        room_id: "general",
        seq_no,
        sender_id: 2,
        msg_id: `2.s.${seq_no}`,
      },
      ...{ user: "bob", payload, ts: this.wall },
      ...more,
    };
  }

  says(payload: string, more: Partial<DeliveredMessage> = {}): readonly string[] {
    return this.tell(this.message(payload, more));
  }

  role(role: "leader" | "follower" | "candidate", leader_id: number | null, term: number): readonly string[] {
    return this.tell({ event: "role", role, leader_id, term });
  }

  member(id: number, state: "alive" | "unreachable" | "left", role: "voter" | "observer" = "voter"): readonly string[] {
    return this.tell({ event: "member", id, state, role });
  }
}

describe("elections are one line", () => {
  test("[E10] who is gone, who leads, and how long nobody did", () => {
    const reading = new Reading();
    expect(reading.role("follower", 3, 4)).toEqual(["-- peer 3 leads (term 4)"]);
    expect(reading.at(1000).member(3, "unreachable")).toEqual([]);
    expect(reading.role("candidate", null, 4)).toEqual([]);
    expect(reading.at(1034).role("follower", 2, 5)).toEqual(["-- peer 3 is gone, peer 2 leads (term 5), 34 ms"]);
    expect(reading.role("follower", 2, 5)).toEqual([]);
    expect(reading.member(3, "alive")).toEqual(["-- peer 3 is here (voter)"]);
  });

  test("in whatever order it is learnt; this peer may be the one", () => {
    const reading = new Reading();
    reading.role("follower", 3, 4);
    reading.at(500).role("follower", null, 4);
    expect(reading.at(510).member(3, "unreachable")).toEqual([]);
    expect(reading.at(3000).role("leader", 1, 6)).toEqual(["-- peer 3 is gone, this peer leads (term 6), 2.5 s"]);
    reading.member(3, "alive");
    expect(reading.member(3, "unreachable")).toEqual(["-- peer 3 is gone"]);
  });

  test("in a handover nobody is gone; a peer that is gone and did not lead is told at once", () => {
    const reading = new Reading();
    reading.role("follower", 3, 4);
    reading.at(10).role("follower", null, 4);
    expect(reading.at(15).role("follower", 2, 5)).toEqual(["-- peer 2 leads (term 5), 5 ms"]);
    expect(reading.member(3, "unreachable")).toEqual(["-- peer 3 is gone"]);
    expect(reading.member(3, "left")).toEqual(["-- peer 3 left"]);
  });

  test("a peer that is gone and gets another role is not told to be gone a second time", () => {
    const reading = new Reading();
    reading.member(2, "alive");
    expect(reading.member(2, "unreachable")).toEqual(["-- peer 2 is gone"]);
    expect(reading.member(2, "unreachable", "observer")).toEqual([]);
    expect(reading.member(2, "alive", "observer")).toEqual(["-- peer 2 is here (observer)"]);
  });

  test("[M5] a peer that is here and gets another role is not told to come a second time", () => {
    const reading = new Reading();
    expect(reading.member(2, "alive", "observer")).toEqual(["-- peer 2 is here (observer)"]);
    expect(reading.member(2, "alive", "voter")).toEqual(["-- peer 2 has a vote now"]);
    expect(reading.member(2, "alive", "observer")).toEqual(["-- peer 2 has no vote now, only a copy (observer)"]);
    reading.member(2, "unreachable", "observer");
    expect(reading.member(2, "alive", "voter")).toEqual(["-- peer 2 is here (voter)"]);
  });

  test("what takes long is told before: by itself, or with why messages wait", () => {
    const reading = new Reading();
    reading.role("follower", 3, 4);
    reading.member(3, "unreachable");
    expect(reading.transcript.holds).toBe(true);
    expect(reading.transcript.overdue(reading.moment)).toEqual(["-- peer 3 is gone, nobody leads"]);
    expect(reading.transcript.holds).toBe(false);
    expect(reading.at(200_000).role("follower", 2, 9)).toEqual(["-- peer 2 leads (term 9), 3 min"]);
    reading.member(2, "unreachable");
    expect(reading.tell({ event: "notice", code: "waiting", message: "waiting for a majority" })).toEqual([
      "-- peer 2 is gone, nobody leads",
      "-- waiting for a majority",
    ]);
  });
});

test("[E10] an election that takes a while is still one line on a screen; plainly it is told as it goes", () => {
  const waiting: HostEvent = {
    event: "notice",
    code: "waiting",
    message: "waiting for a leader (2 of 3 voters here, …)",
  };
  const screen = new Reading();
  screen.role("follower", 3, 4);
  screen.member(3, "unreachable");
  expect(screen.tell(waiting)).toEqual([]);
  expect(screen.at(900).role("follower", 2, 5)).toEqual(["-- peer 3 is gone, peer 2 leads (term 5), 900 ms"]);
  const plain = new Reading({ plain: true });
  plain.role("follower", 3, 4);
  plain.member(3, "unreachable");
  expect(plain.tell(waiting)).toEqual(["-- peer 3 is gone, nobody leads", `-- ${waiting.message}`]);
});

describe("own messages", () => {
  const pending = (n: number, payload: string, room_id = "general"): HostEvent => ({
    ...{ event: "pending", msg_id: `1.s.${n}`, room_id, payload },
  });

  test("[S1] are pending until they are in the log, where they stand in its order among others'", () => {
    const reading = new Reading();
    reading.tell(pending(1, "mine 1"));
    reading.tell(pending(2, "mine 2\nsecond line\x1b"));
    reading.tell(pending(3, "elsewhere", "dev"));
    expect(reading.transcript.pending).toEqual([
      "12:00 [pending] alice: mine 1",
      "12:00 [pending] alice: mine 2⏎second line^[",
      "12:00 [pending] #dev alice: elsewhere",
    ]);
    const own = { user: "alice", sender_id: 1 };
    const rows = [
      ...reading.says("theirs"),
      ...reading.says("mine 1", { ...own, msg_id: "1.s.1" }),
      ...reading.says("theirs again"),
    ];
    expect(rows).toEqual([
      "12:00 [seq=1] bob: theirs",
      "12:00 [seq=2] alice: mine 1",
      "12:00 [seq=3] bob: theirs again",
    ]);
    expect(reading.transcript.pending).toHaveLength(2);
    reading.tell({ event: "sent", msg_id: "1.s.2", index: 9, room_id: "general", seq_no: 9 });
    expect(reading.transcript.pending).toEqual(["12:00 [pending] #dev alice: elsewhere"]);
  });
});

describe("the past, what was missed, and now", () => {
  test("the last messages, a rule before what was missed, then what is new", () => {
    const reading = new Reading();
    const before = [
      reading.message("old", { ts: NOON - DAY }),
      reading.message("older today", { ts: NOON - 60 * MINUTE }),
    ];
    expect(reading.transcript.past(before, reading.moment)).toEqual([
      "── Friday, 20 November 2026 ──",
      "12:00 [seq=1] bob: old",
      "── Saturday, 21 November 2026 ──",
      "11:00 [seq=2] bob: older today",
    ]);
    // Its own, from the outbox, is not what one has missed.
    expect(reading.says("mine", { user: "alice", sender_id: 1, ts: NOON - MINUTE })).toEqual([
      "11:59 [seq=3] alice: mine",
    ]);
    expect(reading.says("missed", { ts: NOON - MINUTE })).toEqual([
      "── new since 11:00 ──",
      "11:59 [seq=4] bob: missed",
    ]);
    expect(reading.says("also missed", { ts: NOON - MINUTE })).toEqual(["11:59 [seq=5] bob: also missed"]);
  });

  test("where nothing was missed, or nothing was known before, there is no rule", () => {
    const reading = new Reading();
    reading.transcript.past([reading.message("old")], reading.moment);
    reading.wall += MINUTE;
    expect(reading.says("live")).toEqual(["12:01 [seq=2] bob: live"]);
    expect(reading.says("from a slow clock", { ts: NOON - MINUTE })).toEqual(["11:59 [seq=3] bob: from a slow clock"]);
    expect(new Reading().says("everything is new", { ts: NOON - MINUTE })).toEqual([
      "11:59 [seq=1] bob: everything is new",
    ]);
  });

  test("a new day is told once, also where clocks differ around midnight", () => {
    const reading = new Reading();
    reading.wall = NOON + DAY / 2;
    expect(reading.says("a", { ts: reading.wall })).toEqual(["── Sunday, 22 November 2026 ──", "00:00 [seq=1] bob: a"]);
    expect(reading.says("b", { ts: reading.wall - 1 })).toEqual(["23:59 [seq=2] bob: b"]);
    expect(reading.says("c", { ts: reading.wall + 1 })).toEqual(["00:00 [seq=3] bob: c"]);
    expect(reading.says("d", { ts: Number.MAX_SAFE_INTEGER })).toEqual(["--:-- [seq=4] bob: d"]);
  });

  test("an excerpt has all its dates, and says what it is", () => {
    const reading = new Reading();
    const messages = [reading.message("a", { ts: NOON - DAY }), reading.message("b"), reading.message("c")];
    expect(reading.transcript.excerpt("history of \x1b: 3 messages", messages, reading.moment)).toEqual([
      "── history of ^[: 3 messages ──",
      "── Friday, 20 November 2026 ──",
      "12:00 [seq=1] bob: a",
      "── Saturday, 21 November 2026 ──",
      "12:00 [seq=2] bob: b",
      "12:00 [seq=3] bob: c",
      "── end ──",
    ]);
    expect(reading.transcript.excerpt("nothing", [], reading.moment)).toEqual(["── nothing ──"]);
  });
});

describe("rooms and people", () => {
  test("messages of joined rooms are shown, those of other rooms only count", () => {
    const reading = new Reading();
    const dev = { room_id: "dev" };
    expect(reading.says("unseen", dev)).toEqual([]);
    expect(reading.tell({ ...reading.message("waits", dev), event: "unsent" })).toEqual([]);
    reading.rooms.join("dev");
    expect(reading.says("seen", dev)).toEqual(["12:00 [seq=3] bob: seen"]);
    expect(reading.says("behind")).toEqual(["12:00 [seq=4] #general bob: behind"]);
  });

  test("[S7] another's waiting message has no number, and its name and text are made visible", () => {
    const reading = new Reading();
    const unsent = { ...reading.message("te\x1bxt", { user: "b\u202eob" }), event: "unsent" } as const;
    expect(reading.tell(unsent)).toEqual(["12:00 [waiting] b\\u{202e}ob: te^[xt"]);
  });

  test("no row of another's waiting message but the first begins where a message does", () => {
    const reading = new Reading();
    const forged = `x${" ".repeat(90)}12:00 [seq=9] alice: I agree`;
    const rows = reading.tell({ ...reading.message(forged.repeat(3)), event: "unsent" });
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows.slice(1)) expect(row).toStartWith("   ");
  });

  test("whoever spoke last is the first name, and each is there once", () => {
    const reading = new Reading();
    for (const user of ["bob", "carol", "dave", "bob"]) reading.says("x", { user });
    expect(reading.transcript.names).toEqual(["bob", "dave", "carol"]);
    for (let i = 0; i < 2000; i++) reading.says("x", { user: `guest ${i}` });
    expect(reading.transcript.names).toHaveLength(1000);
  });

  test("the bell rings for mentions, for all or for none; never for what was said oneself", () => {
    const rings = (bell: Bell, payload: string, more: Partial<DeliveredMessage> = {}) => {
      const reading = new Reading({ bell });
      return reading.told(reading.message(payload, more)).bell;
    };
    expect([rings("mention", "hi @alice"), rings("mention", "Alice?"), rings("mention", "malice")]).toEqual([
      true,
      true,
      false,
    ]);
    expect([rings("all", "anything"), rings("off", "alice")]).toEqual([true, false]);
    expect(rings("all", "alice here", { user: "alice", sender_id: 1 })).toBe(false);
    expect(rings("all", "in another room", { room_id: "dev" })).toBe(false);
  });
});

test("plain: one line each, without times and rules", () => {
  const reading = new Reading({ plain: true });
  expect(reading.transcript.past([reading.message("old", { ts: NOON - DAY })], reading.moment)).toEqual([
    "[seq=1] bob: old",
  ]);
  expect(reading.says("a\nb", { ts: NOON - MINUTE })).toEqual(["[seq=2] bob: a^Jb"]);
  expect(reading.tell({ ...reading.message("w"), event: "unsent" })).toEqual(["[waiting] bob: w"]);
  reading.rooms.join("dev");
  expect(reading.says("c")).toEqual(["#general [seq=4] bob: c"]);
});

test("long notes go on under themselves", () => {
  const reading = new Reading();
  const message = `waiting for ${"peer 1, ".repeat(12)}and others`;
  const rows = reading.tell({ event: "notice", code: "waiting", message });
  expect(rows.length).toBe(2);
  expect(rows[1]).toStartWith("   ");
});
