/** Events and states as lines for people: what they say, and that nothing which others chose reaches the terminal raw. */
import { describe, expect, test } from "bun:test";
import { paintFor } from "../../../src/cli/screen/paint.ts";
import { logLine, messageLine, type Note, noteOf } from "../../../src/cli/screen/text-lines.ts";
import type { DeliveredMessage, HostEvent } from "../../../src/host/events.ts";
import { MARKS, PLAIN } from "./paints.ts";

const MESSAGE: DeliveredMessage = {
  ...{ event: "message", index: 50, term: 3, room_id: "general", seq_no: 42, sender_id: 1, msg_id: "1.s.1" },
  ...{ user: "alice", payload: "Hello", ts: 0 },
};
/** What a stranger may put in a text, and how it is shown. */
const EVIL = "a\x1b[2J\n\u202eb\x9b";
const SHOWN = "a^[[2J^J\\u{202e}b\\u{9b}";

describe("messages", () => {
  test("a message shows its number, who said it and what", () => {
    expect(messageLine(MESSAGE, PLAIN)).toBe("[seq=42] alice: Hello");
    expect(messageLine(MESSAGE, MARKS)).toBe("<dim>[seq=42]</> <b>alice</>: Hello");
  });

  test("name and text are made visible: one message is one line and no command to the terminal", () => {
    expect(messageLine({ ...MESSAGE, user: EVIL, payload: EVIL }, PLAIN)).toBe(`[seq=42] ${SHOWN}: ${SHOWN}`);
  });
});

describe("events", () => {
  test("what people see of each", () => {
    const member = (state: "joined" | "alive" | "unreachable" | "left"): HostEvent => ({
      event: "member",
      id: 2,
      state,
      role: "voter",
    });
    const dim = (text: string): Note => ({ text, tone: "dim" });
    const notes: [HostEvent, Note | null][] = [
      [member("alive"), dim("-- peer 2 is here (voter)")],
      [member("unreachable"), dim("-- peer 2 is gone")],
      [member("joined"), dim("-- peer 2 joined")],
      [member("left"), dim("-- peer 2 left")],
      [{ event: "notice", code: "waiting", message: EVIL }, dim(`-- ${SHOWN}`)],
      [{ event: "notice", code: "leading", message: "x" }, null],
      [{ event: "notice", code: "abdicated", message: "x" }, null],
      [
        { event: "error", code: "disk", message: EVIL },
        { text: `error: ${SHOWN}`, tone: "red" },
      ],
      [{ event: "started", id: 1, host: "127.0.0.1", port: 6001, cluster_id: "abc" }, null],
      [{ event: "sent", msg_id: "1.s.1", index: 1, room_id: "general", seq_no: 1 }, null],
    ];
    for (const [event, note] of notes) expect([event, noteOf(event)]).toEqual([event, note]);
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
