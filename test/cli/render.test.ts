/** Events and states as lines for people: what they say, and that nothing which others chose reaches the terminal raw. */
import { describe, expect, test } from "bun:test";
import { type Paint, paintFor } from "../../src/cli/paint.ts";
import { eventLine, logLine, memberLines, messageLine, statusLines } from "../../src/cli/render.ts";
import type { DeliveredMessage, HostEvent, MemberStatus, Status } from "../../src/host/events.ts";

const PLAIN: Paint = { dim: (t) => t, bold: (t) => t, red: (t) => t };
const MARKS: Paint = { dim: (t) => `<dim>${t}</>`, bold: (t) => `<b>${t}</>`, red: (t) => `<red>${t}</>` };

const MESSAGE: DeliveredMessage = {
  ...{ event: "message", index: 50, term: 3, room_id: "general", seq_no: 42, sender_id: 1, msg_id: "1.s.1" },
  ...{ user: "alice", payload: "Hello", ts: 0 },
};
/** What a stranger may put in a text, and how it is shown. */
const EVIL = "a\x1b[2J\n\u202eb\x9b";
const SHOWN = "a^[[2J^J\\u{202e}b\\u{9b}";

const MEMBER: MemberStatus = { id: 2, host: "127.0.0.1", port: 6002, role: "voter", state: "alive", lag: 0 };
const STATUS: Status = {
  ...{ event: "status", id: 1, role: "follower", term: 3, leader_id: 2, quorum: true, members: [] },
  ...{ first_index: 1, last_index: 9, commit_index: 8, pending: 0 },
};

describe("messages", () => {
  test("a message shows its number, who said it and what", () => {
    expect(messageLine(MESSAGE, PLAIN)).toBe("[seq=42] alice: Hello");
    expect(eventLine(MESSAGE, MARKS)).toBe("<dim>[seq=42]</> <b>alice</>: Hello");
  });

  test("name and text are made visible: one message is one line and no command to the terminal", () => {
    expect(messageLine({ ...MESSAGE, user: EVIL, payload: EVIL }, PLAIN)).toBe(`[seq=42] ${SHOWN}: ${SHOWN}`);
  });
});

describe("events", () => {
  test("[S7] another peer's waiting message has no number, and its name and text are made visible", () => {
    const event: HostEvent = {
      ...{ event: "unsent", sender_id: 2, msg_id: "2.s.1", room_id: "general", ts: 0 },
      ...{ user: EVIL, payload: EVIL },
    };
    expect(eventLine(event, MARKS)).toBe(`<dim>[waiting] ${SHOWN}: ${SHOWN}</>`);
  });

  test("what people see of each", () => {
    const role = (role: "leader" | "follower" | "candidate" | "observer", leader_id: number | null): HostEvent => ({
      event: "role",
      role,
      term: 4,
      leader_id,
    });
    const member = (state: "joined" | "alive" | "unreachable" | "left"): HostEvent => ({
      event: "member",
      id: 2,
      state,
      role: "voter",
    });
    const lines: [HostEvent, string | null][] = [
      [role("leader", 1), "<dim>-- this peer leads (term 4)</>"],
      [role("follower", 2), "<dim>-- peer 2 leads (term 4)</>"],
      [role("observer", 2), "<dim>-- peer 2 leads (term 4)</>"],
      [role("candidate", null), "<dim>-- no leader: electing (term 4)</>"],
      [role("follower", null), null],
      [role("observer", null), null],
      [member("alive"), "<dim>-- peer 2 is here (voter)</>"],
      [member("unreachable"), "<dim>-- peer 2 is gone</>"],
      [member("joined"), "<dim>-- peer 2 joined</>"],
      [member("left"), "<dim>-- peer 2 left</>"],
      [{ event: "notice", code: "waiting", message: EVIL }, `<dim>-- ${SHOWN}</>`],
      [{ event: "notice", code: "leading", message: "x" }, null],
      [{ event: "notice", code: "abdicated", message: "x" }, null],
      [{ event: "error", code: "any", message: EVIL }, `<red>error: ${SHOWN}</>`],
      [{ event: "started", id: 1, host: "127.0.0.1", port: 6001 }, null],
      [{ event: "pending", msg_id: "1.s.1", room_id: "general", payload: "x" }, null],
      [{ event: "sent", msg_id: "1.s.1", index: 1, room_id: "general", seq_no: 1 }, null],
    ];
    for (const [event, line] of lines) expect([event, eventLine(event, MARKS)]).toEqual([event, line]);
  });
});

describe("/status and /peers", () => {
  test("who leads, whether a majority is here, what waits", () => {
    expect(statusLines(STATUS)).toEqual([
      "peer 1: follower, peer 2 leads, term 3, a majority is here",
      "log: entries 1 to 9, committed through 8; own messages waiting: 0",
    ]);
    expect(statusLines({ ...STATUS, role: "leader", leader_id: 1 })[0]).toBe(
      "peer 1: leader, this peer leads, term 3, a majority is here",
    );
    expect(statusLines({ ...STATUS, role: "candidate", leader_id: null, quorum: false, pending: 7 })).toEqual([
      "peer 1: candidate, no leader, term 3, no majority: messages wait",
      "log: entries 1 to 9, committed through 8; own messages waiting: 7",
    ]);
  });

  test("each member with address, part, state and how far behind where that is known", () => {
    const members: MemberStatus[] = [
      { ...MEMBER, id: 1, port: 6001, lag: null },
      MEMBER,
      { ...MEMBER, id: 3, role: "observer", state: "unreachable", lag: 12 },
      { ...MEMBER, id: 4, role: "left", state: "left", lag: null },
    ];
    expect(memberLines({ ...STATUS, members })).toEqual([
      "peer 1  127.0.0.1:6001  voter, this peer",
      "peer 2  127.0.0.1:6002  voter, alive, leads, 0 entries behind",
      "peer 3  127.0.0.1:6002  observer, unreachable, 12 entries behind",
      "peer 4  127.0.0.1:6002  left, left",
    ]);
    expect(memberLines({ ...STATUS, id: 2, members: [MEMBER] })[0]).toContain("voter, this peer, leads");
    expect(memberLines(STATUS)).toEqual(["no members known yet: waiting for a seed"]);
  });

  // Known to fail: a host is printed as its peer gave it, and the wire lets all but C0 and C1 through.
  test("a member's host is made visible: others chose it", () => {
    const members = [{ ...MEMBER, host: "evil\u202e\u2066host" }];
    expect(memberLines({ ...STATUS, members })[0]).toBe(
      "peer 2  evil\\u{202e}\\u{2066}host:6002  voter, alive, leads, 0 entries behind",
    );
  });
});

describe("the operator's log", () => {
  const record = { level: "warn", time: 1_700_000_000_000, peer: 1, role: "leader", term: 3, message: EVIL } as const;

  test("as text: one line with the same places always, made visible", () => {
    expect(logLine(record, "text")).toBe(`2023-11-14T22:13:20.000Z warn  peer=1 role=leader term=3 index=- ${SHOWN}`);
    expect(logLine({ ...record, level: "error", index: 0, message: "m" }, "text")).toBe(
      "2023-11-14T22:13:20.000Z error peer=1 role=leader term=3 index=0 m",
    );
  });

  test("as JSON: one line that holds the message as it was", () => {
    const line = logLine({ ...record, index: 9 }, "json");
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({ ...record, time: "2023-11-14T22:13:20.000Z", index: 9 });
    expect(JSON.parse(logLine(record, "json"))).toEqual({ ...record, time: "2023-11-14T22:13:20.000Z" });
  });
});

describe("colours", () => {
  const names = ["NO_COLOR", "TERM"] as const;

  function painted(isTTY: boolean | undefined, env: { NO_COLOR?: string; TERM?: string }): string {
    const before = names.map((name) => process.env[name]);
    try {
      for (const name of names) {
        if (env[name] === undefined) delete process.env[name];
        else process.env[name] = env[name];
      }
      const paint = paintFor(isTTY === undefined ? {} : { isTTY });
      return paint.red("a") + paint.bold("b") + paint.dim("c");
    } finally {
      for (const [i, name] of names.entries()) {
        const value = before[i];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  }

  test("only in a terminal that knows them, and where nobody said NO_COLOR", () => {
    const coloured = "\x1b[31ma\x1b[39m\x1b[1mb\x1b[22m\x1b[2mc\x1b[22m";
    expect(painted(true, { TERM: "xterm" })).toBe(coloured);
    // https://no-color.org: "when present and not an empty string".
    expect(painted(true, { TERM: "xterm", NO_COLOR: "" })).toBe(coloured);
    expect(painted(true, { TERM: "xterm", NO_COLOR: "1" })).toBe("abc");
    expect(painted(true, { TERM: "dumb" })).toBe("abc");
    expect(painted(false, { TERM: "xterm" })).toBe("abc");
    expect(painted(undefined, { TERM: "xterm" })).toBe("abc");
  });
});
