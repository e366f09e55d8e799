/** The status line and the rows above it, in words. */
import { describe, expect, test } from "bun:test";
import type { Span } from "../../../src/cli/screen/bottom.ts";
import { pendingSpans, type Standing, statusSpans, waitingSpans } from "../../../src/cli/screen/status-line.ts";
import type { MemberStatus, Status } from "../../../src/host/events.ts";
import { roomsOf } from "../chat/rooms.ts";
import { PLAIN } from "./paints.ts";

const member = (id: number, state: MemberStatus["state"], role: MemberStatus["role"] = "voter"): MemberStatus => ({
  ...{ id, host: "h", port: 6000 + id, role, state, lag: null },
});
const STATUS: Status = {
  ...{ event: "status", id: 1, role: "follower", term: 5, leader_id: 3, quorum: true },
  members: [member(1, "unreachable"), member(2, "alive"), member(3, "alive"), member(4, "left", "left")],
  ...{ first_index: 1, last_index: 9, commit_index: 9, pending: 2, waiting: null, troubles: [], disk_ms: 0, twins: [] },
};
const WIDE = 200;
const text = (spans: readonly Span[] | null) => spans?.map((span) => span.text).join("") ?? null;

describe("the status line", () => {
  const line = (status: Status, { rooms } = roomsOf("general"), name = "alice", read: Standing["read"] = null) =>
    text(statusSpans({ status, name, rooms: rooms.all, read }, PLAIN, WIDE));

  test("name, room, who leads, term, who is here, whether a quorum is, what is pending", () => {
    expect(line(STATUS)).toBe("alice · general · 2 pending · peer 3 leads (term 5) · 3 of 3 here · quorum held");
    expect(line({ ...STATUS, leader_id: 1, pending: 0 })).toContain("general · 0 pending · you lead (term 5) · ");
    expect(
      line({ ...STATUS, leader_id: null, quorum: false, members: [member(1, "alive"), member(2, "unreachable")] }),
    ).toBe("alice · general · 2 pending · no leader (term 5) · 1 of 2 here · quorum lost");
  });

  test("what is unread elsewhere; names of others are made visible", () => {
    const rooms = roomsOf("general\u2066", { "d\u202eev": 2 });
    expect(line(STATUS, rooms, "a\x07")).toBe(
      "a^G · general\\u{2066} · 2 pending · unread: d\\u{202e}ev 2 · peer 3 leads (term 5) · 3 of 3 here · quorum held",
    );
    const long = roomsOf("general", { [`${"漢".repeat(20)}`]: 3 });
    expect(line(STATUS, long)).toContain(` · unread: ${"漢".repeat(7)}… 3 · peer 3 leads`);
    for (const room of ["a", "b", "c"]) rooms.last.set(room, 1);
    expect(line(STATUS, rooms)).toContain(" · unread: a 1, b 1, 2 more rooms · peer 3 leads");
  });
});

test("[P4] who has read the last own message, or how many", () => {
  const line = (readers: string[], pending = 0) =>
    text(
      statusSpans(
        { status: { ...STATUS, pending }, name: "alice", rooms: [], read: { seqNo: 42, readers } },
        PLAIN,
        WIDE,
      ),
    );
  expect(line(["bob", "ev\x07e"])).toContain(
    " · 0 pending ✓✓ · peer 3 leads (term 5) · 3 of 3 here · quorum held · 42 read by bob, ev^Ge",
  );
  expect(line(["bob"], 1)).toContain(" · 1 pending · peer 3");
  expect(line(["a", "b", "c", "d"])).toContain(" · 42 read by 4");
});

describe("where there is little room", () => {
  const { rooms } = roomsOf("general");
  const line = (columns: number, standing: Partial<Standing> = {}) =>
    text(
      statusSpans(
        { status: { ...STATUS, pending: 0 }, name: "alice", rooms: rooms.all, read: null, ...standing },
        PLAIN,
        columns,
      ),
    );
  const read = { seqNo: 42, readers: ["bob", "carol"] };

  test("readers are counted, then left out; then the name, words, and that all is well", () => {
    const rest = "general · 0 pending ✓✓ · peer 3 leads (term 5)";
    expect(line(106, { read })).toBe(`alice · ${rest} · 3 of 3 here · quorum held · 42 read by bob, carol`);
    expect(line(105, { read })).toBe(`alice · ${rest} · 3 of 3 here · quorum held · 42 read by 2`);
    expect(line(95, { read })).toBe(`alice · ${rest} · 3 of 3 here · quorum held`);
    expect(line(81, { read })).toBe(`${rest} · 3 of 3 here · quorum held`);
    expect(line(73, { read })).toBe(`${rest} · 3/3 here · quorum held`);
    expect(line(70, { read })).toBe(`${rest} · 3/3 here`);
    expect(line(10, { read })).toBe(`${rest} · 3/3 here`);
  });

  test("nothing moves when the mark of readers comes", () => {
    const unmarked = (columns: number) => line(columns, { read })?.replace(/ ✓✓| · 42 read by .*/g, "") ?? "";
    for (let columns = 40; columns < 100; columns++) expect(unmarked(columns)).toBe(line(columns) ?? "");
  });

  test("that the quorum is lost is never given up; a client says shorter where it is", () => {
    const status: Status = { ...STATUS, role: "client", leader_id: 2, pending: 0 };
    expect(line(80, { status })).toBe("general · 0 pending · at peer 1 · peer 2 leads (term 5) · 2/3 here");
    expect(line(70, { status: { ...status, quorum: false, leader_id: null } })).toBe(
      "general · 0 pending · no leader (term 5) · 2/3 here · quorum lost",
    );
  });
});

test("[S8] a client is told through whom it is there, and is none of those who lead or vote", () => {
  const client: Status = { ...STATUS, role: "client", leader_id: 1 };
  const shown = text(statusSpans({ status: client, name: "bob", rooms: [], read: null }, PLAIN, WIDE));
  expect(shown).toContain(" · through peer 1 · peer 1 leads (term 5) · 2 of 3 here · ");
  expect(text(waitingSpans({ ...client, quorum: false, members: [member(1, "unreachable")] }, PLAIN))).toContain(
    "(0 of 1 here)",
  );
  expect(text(waitingSpans({ ...client, id: 0, quorum: false }, PLAIN))).toBe(
    "waiting for a peer that serves: messages are kept here and will be sent",
  );
});

test("[S9] a lost majority is told in words, with what that means", () => {
  const lost = (members: MemberStatus[]) => text(waitingSpans({ ...STATUS, quorum: false, members }, PLAIN));
  const away = [member(1, "unreachable"), member(2, "unreachable"), member(3, "unreachable")];
  expect(lost(away)).toBe("waiting for a majority (1 of 3 here): messages are kept and will be sent");
  expect(lost([...away, member(4, "alive", "observer")])).toContain("(1 of 3 here)");
  expect(lost([away[0] as MemberStatus, member(2, "alive"), away[2] as MemberStatus])).toBe(
    "waiting for a leader (2 of 3 here): messages are kept and will be sent",
  );
  expect(lost([])).toBe("not in a cluster yet: messages are kept and will be sent");
  expect(waitingSpans(STATUS, PLAIN)).toBeNull();
});

test("[S9] the voters that are missing are named where they are, and why those who are here do not vote", () => {
  const peers = [
    { id: 2, host: "10.0.0.2", port: 6002, why: "room" },
    { id: 3, host: "::3", port: 6003, why: "away" },
  ] as const;
  const lost = (needed: number) =>
    text(waitingSpans({ ...STATUS, quorum: false, waiting: { message: "", needed, peers } }, PLAIN));
  expect(lost(1)).toBe(
    "waiting for 1 of peer 2 (10.0.0.2:6002: its disk is full), peer 3 ([::3]:6003): messages are kept and will be sent",
  );
  expect(lost(2)).toStartWith("waiting for peer 2 (10.0.0.2:6002: its disk is full), peer 3 ");
});

test("pending messages: the newest, and how many more; few rows or none where the screen is low", () => {
  const pending = Array.from({ length: 16 }, (_, i) => `text ${i + 1}`);
  const rows = (of: readonly string[], max: number) => pendingSpans(of, max).map(text);
  expect(rows(pending, 5)).toEqual(["… and 12 more", "text 13", "text 14", "text 15", "text 16"]);
  expect(rows(pending.slice(0, 5), 5)).toEqual(pending.slice(0, 5));
  expect(rows(pending, 1)).toEqual(["… 16 messages pending"]);
  expect(rows(pending.slice(0, 1), 1)).toEqual(["text 1"]);
  expect([rows(pending, 0), rows(pending, -1), rows([], 5)]).toEqual([[], [], []]);
});
