/** What commands answer to people: each word of it, numbers and their nouns, and nothing raw that others chose. */
import { describe, expect, test } from "bun:test";
import { confirmationLines, memberRows, roomLines, statusLines, whoRows } from "../../../src/cli/screen/answer-rows.ts";
import { inColumns } from "../../../src/cli/screen/columns.ts";
import type { WhoRow } from "../../../src/core/reports.ts";
import type { MemberStatus, Status } from "../../../src/host/events.ts";

const MEMBER: MemberStatus = { id: 2, host: "127.0.0.1", port: 6002, role: "voter", state: "alive", lag: 0 };
const STATUS: Status = {
  ...{ event: "status", id: 1, role: "follower", term: 3, leader_id: 2, quorum: true, members: [] },
  ...{ first_index: 1, last_index: 9, commit_index: 8, waiting: null, pending: 0, troubles: [], disk_ms: 0, twins: [] },
};

const memberLines = (status: Status) => inColumns(memberRows(status));
const whoLines = (people: readonly WhoRow[]) => inColumns(whoRows(people));

describe("/status and /peers", () => {
  test("who leads, whether a majority is here, what waits", () => {
    expect(statusLines(STATUS)).toEqual([
      "peer 1: follower, peer 2 leads, term 3, a majority is here",
      "log: entries 1 to 9, committed through 8; nothing waiting",
    ]);
    expect(statusLines({ ...STATUS, role: "leader", leader_id: 1 })[0]).toBe(
      "peer 1: leader, this peer leads, term 3, a majority is here",
    );
    expect(
      statusLines({ ...STATUS, role: "candidate", leader_id: null, quorum: false, waiting: null, pending: 7 }),
    ).toEqual([
      "peer 1: candidate, no leader, term 3, no majority: messages wait",
      "log: entries 1 to 9, committed through 8; 7 own messages waiting",
    ]);
  });

  test("[E16] who runs twice is named, with both addresses", () => {
    const at = [6003, 7003].map((port) => ({ boot: port, host: "h", port }));
    expect(statusLines({ ...STATUS, twins: [{ id: 3, at }] }).at(-1)).toBe(
      "peer 3 runs twice, at h:6003 and h:7003: neither counts",
    );
  });

  test("[E15] a slow disk is named, a fast one is not", () => {
    const message = "waiting for the only voter: peer 4";
    const troubles = [{ file: "log", message: "cannot write the log", since: 0 }];
    expect(statusLines({ ...STATUS, waiting: { message, needed: 1, peers: [] }, troubles }).slice(2)).toEqual([
      message,
      "trouble: cannot write the log",
    ]);
    expect(statusLines({ ...STATUS, disk_ms: 1200 }).at(-1)).toBe("disk: slow, 1200 ms for a sync");
    expect(statusLines({ ...STATUS, disk_ms: 20 })).toEqual(statusLines(STATUS));
  });

  test("each member with address, part, state and how far behind where that is known", () => {
    const members: MemberStatus[] = [
      { ...MEMBER, id: 1, port: 6001, lag: null },
      MEMBER,
      { ...MEMBER, id: 3, role: "observer", state: "unreachable", lag: 1 },
      { ...MEMBER, id: 4, role: "left", state: "left", lag: null },
    ];
    expect(memberLines({ ...STATUS, members })).toEqual([
      "peer 1  127.0.0.1:6001  voter, this peer",
      "peer 2  127.0.0.1:6002  voter, alive, leads, 0 entries behind",
      "peer 3  127.0.0.1:6002  observer, unreachable, 1 entry behind",
      "peer 4  127.0.0.1:6002  left",
    ]);
    expect(memberLines({ ...STATUS, members: [MEMBER, { ...MEMBER, id: 10, port: 60_010 }] })).toEqual([
      "peer 2   127.0.0.1:6002   voter, alive, leads, 0 entries behind",
      "peer 10  127.0.0.1:60010  voter, alive, 0 entries behind",
    ]);
    expect(memberLines({ ...STATUS, id: 2, members: [MEMBER] })[0]).toContain("voter, this peer, leads");
    expect(memberLines(STATUS)).toEqual(["no members known yet: waiting for a seed"]);
  });

  test("a member's host is made visible: others chose it", () => {
    const members = [{ ...MEMBER, host: "evil\u202e\u2066host" }];
    expect(memberLines({ ...STATUS, members })[0]).toBe(
      "peer 2  evil\\u{202e}\\u{2066}host:6002  voter, alive, leads, 0 entries behind",
    );
  });
});

test("/rooms: how much was said, what is unread, where one talks", () => {
  const room = { joined: false, active: false, last_seq_no: 0, unread: 0 };
  expect(
    roomLines([
      { ...room, room_id: "dev", last_seq_no: 12, unread: 4 },
      { ...room, room_id: "evil\x1b[2J", last_seq_no: 1 },
      { ...room, room_id: "general", joined: true, active: true, last_seq_no: 7 },
      { ...room, room_id: "new", joined: true },
    ]),
  ).toEqual([
    "dev: 12 messages, 4 unread",
    "evil^[[2J: 1 message",
    "general: 7 messages, you talk here",
    "new: no message seen yet, joined",
  ]);
});

describe("of clients and people", () => {
  const status: Status = {
    ...{ event: "status", id: 2, role: "client", term: 3, leader_id: 2, quorum: true, members: [] },
    ...{
      first_index: 1,
      last_index: 9,
      commit_index: 9,
      waiting: null,
      pending: 0,
      troubles: [],
      disk_ms: 0,
      twins: [],
    },
  };

  test("[S8] a client says through whom it is there, and never leads", () => {
    expect(statusLines(status)[0]).toBe("client of peer 2, peer 2 leads, term 3, a majority is here");
    expect(statusLines({ ...status, id: 0, leader_id: null, quorum: false })[0]).toBe(
      "client, at no peer now, no leader, term 3, no majority: messages wait",
    );
  });

  test("who is here: persons, clients and peers without anybody, each with what is known", () => {
    const known = { heard_ms: 12, round_trip_ms: 0.42, lag: 1 };
    const unknown = { heard_ms: null, round_trip_ms: null, lag: null };
    expect(
      whoLines([
        { user: "a\x1bnn", peer_id: 1, client: false, ...known },
        { user: "bob", peer_id: 1, client: true, ...known, heard_ms: 4200, lag: null },
        { user: "字", peer_id: 3, client: false, ...known, round_trip_ms: 0, lag: 0 },
        { user: "", peer_id: 2, client: false, ...unknown },
        { user: "", peer_id: 4, client: false, ...unknown, heard_ms: 125_000 },
        { user: "", peer_id: 5, client: false, ...known, heard_ms: 8_000_000 },
        { user: "eve", peer_id: null, client: false, ...unknown },
        { user: "x".repeat(60), peer_id: null, client: false, ...unknown },
      ]),
    ).toEqual([
      "a^[nn (peer 1)          heard now, round trip 0.4 ms, 1 entry behind",
      "bob (client of peer 1)  heard 4 s ago, round trip 0.4 ms",
      "字 (peer 3)             heard now, 0 entries behind",
      "peer 2, no answer       not heard yet",
      "peer 4, no answer       heard 2 min ago",
      "peer 5, nobody at it    heard 2 h ago, round trip 0.4 ms, 1 entry behind",
      "eve                     at no peer that answers",
      `${"x".repeat(60)}  at no peer that answers`,
    ]);
  });

  test("[P4] who has read: a room, or one message", () => {
    const read = {
      event: "confirmations" as const,
      room_id: "general",
      readers: [
        { user: "ann", through: 4 },
        { user: "bob", through: 7 },
      ],
    };
    expect(confirmationLines(read, null)).toEqual(["ann has read general through 4", "bob has read general through 7"]);
    expect(confirmationLines(read, 4)).toEqual(["4 of general is read by ann, bob"]);
    const nobody = { ...read, readers: [] };
    expect(confirmationLines(nobody, 4)).toEqual(["nobody has read 4 of general yet"]);
    expect(confirmationLines(nobody, null)).toEqual(["nobody has confirmed anything in general yet"]);
  });
});
