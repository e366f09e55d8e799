/** The verifier on small logs made by hand: a sound history passes, and each kind of damage is found and named. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textOf } from "../../bench/protocol.ts";
import { type Verdict, verifyLogs } from "../../bench/verify.ts";

const SIZE = 40;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-verify-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Lines of a log: `1.a.1` is a chat, another word the kind of an entry. */
function lines(...what: string[]): string[] {
  const numbers = new Map<string, number>();
  return what.map((said, i) => {
    const [sender, , counter] = said.split(".");
    if (counter === undefined) return JSON.stringify({ index: i + 1, kind: said });
    const seq = (numbers.get("general") ?? 0) + 1;
    numbers.set("general", seq);
    const chat = { room_id: "general", seq_no: seq, sender_id: Number(sender), msg_id: said };
    return JSON.stringify({ index: i + 1, kind: "chat", ...chat, payload: textOf(Number(counter), SIZE) });
  });
}

const SOUND = lines("genesis", "leader", "1.a.1", "2.b.1", "1.a.2", "2.b.2", "1.a.3", "settled");

/** A log of these lines, in segments of three. */
function log(name: string, content: readonly string[], through: number | null = null) {
  const folder = join(root, name);
  mkdirSync(folder);
  for (let i = 0; i < content.length; i += 3) {
    const segment = content.slice(i, i + 3).map((line) => `${line}\n`);
    writeFileSync(join(folder, `${String(i + 1).padStart(20, "0")}.jsonl`), segment.join(""));
  }
  return { name, folder, through };
}

function changed(
  at: number,
  change: (entry: Record<string, unknown>) => void,
  from: readonly string[] = SOUND,
): string[] {
  const entry = JSON.parse(from[at - 1] as string);
  change(entry);
  return from.with(at - 1, JSON.stringify(entry));
}

const kinds = ({ violations }: Verdict): string[] => violations.map((v) => v.kind);
const everywhere = (content: readonly string[]): Verdict =>
  verifyLogs([log("a", content), log("b", content)], [], SIZE);

test("a sound history on all passes, and everything sent is in it", () => {
  const logs = ["a", "b", "c"].map((name) => log(name, SOUND));
  const marks = [
    { peer: 1, session: "1.a", sent: 3, index: 8 },
    { peer: 2, session: "2.b", sent: 1, index: 8 },
    { peer: 3, session: "", sent: 0, index: 8 },
  ];
  expect(verifyLogs(logs, marks, SIZE)).toEqual({ entries: 8, chats: 5, violations: [] });
});

test("one byte that differs is found, with both lines", () => {
  const other = changed(5, (e) => {
    e.payload = `${e.payload}!`;
  });
  const verdict = verifyLogs([log("a", SOUND), log("b", SOUND), log("c", other)], [], SIZE);
  expect(kinds(verdict)).toEqual(["differs"]);
  expect(verdict.violations[0]).toMatchObject({
    message: "entry 5 of c is not that of a",
    lines: [SOUND[4] as string, other[4] as string],
  });
});

test("a log that lacks a message at its end is found", () => {
  expect(kinds(verifyLogs([log("a", SOUND), log("b", SOUND.slice(0, 6))], [], SIZE))).toEqual(["short"]);
  expect(kinds(verifyLogs([log("c", SOUND.slice(0, 6)), log("d", SOUND)], [], SIZE))).toEqual(["short"]);
});

test("a log that lacks only a change of members at its end is none", () => {
  expect(kinds(verifyLogs([log("a", SOUND.slice(0, 7)), log("b", SOUND)], [], SIZE))).toEqual([]);
});

test("a torn last line counts as not there", () => {
  const torn = log("b", SOUND.slice(0, 6));
  writeFileSync(join(torn.folder, "00000000000000000007.jsonl"), (SOUND[6] as string).slice(0, 20));
  expect(kinds(verifyLogs([log("a", SOUND), torn], [], SIZE))).toEqual(["short"]);
});

test("the dead are held to what they delivered, and to no more", () => {
  const stray = [...SOUND.slice(0, 5), ...lines("x", "x", "x", "x", "x", "9.z.1").slice(5)];
  expect(kinds(verifyLogs([log("a", SOUND), log("b", stray, 5)], [], SIZE))).toEqual([]);
  expect(kinds(verifyLogs([log("c", SOUND), log("d", stray, 6)], [], SIZE))).toEqual(["differs"]);
  expect(kinds(verifyLogs([log("e", SOUND), log("f", SOUND.slice(0, 3), 5)], [], SIZE))).toEqual(["short"]);
  // What a dead peer delivered and nobody else has.
  expect(kinds(verifyLogs([log("h", SOUND.slice(0, 6)), log("g", SOUND, 7)], [], SIZE))).toEqual(["short"]);
  expect(kinds(verifyLogs([log("k", SOUND), log("l", SOUND, 9)], [], SIZE))).toEqual(["short"]);
});

test("a number left out is found", () => {
  const verdict = everywhere(
    changed(6, (e) => {
      e.seq_no = 5;
    }),
  );
  expect(kinds(verdict)).toEqual(["seq_no", "seq_no"]);
  expect(verdict.violations[0]?.message).toBe("seq_no 5 in room general where 4 was due");
});

test("a message twice is found", () => {
  const verdict = everywhere(lines("genesis", "1.a.1", "1.a.2", "1.a.1"));
  expect(kinds(verdict)).toEqual(["repeated"]);
  expect(verdict.violations[0]?.message).toBe("message 1.a.1 comes again: 1.a was at 2");
});

test("messages of a sender in another order are found, within a session and across", () => {
  expect(kinds(everywhere(lines("genesis", "1.a.2", "1.a.1")))).toEqual(["order", "repeated"]);
  rmSync(root, { recursive: true });
  mkdirSync(root);
  expect(kinds(everywhere(lines("genesis", "1.a.1", "1.b.1", "1.a.2")))).toEqual(["order"]);
});

test("a message under another's name is found", () => {
  const verdict = everywhere(
    changed(3, (e) => {
      e.sender_id = 2;
    }),
  );
  expect(kinds(verdict)).toContain("order");
});

test("a text that nobody submitted is found, also where all logs have it", () => {
  const verdict = everywhere(
    changed(3, (e) => {
      e.payload = textOf(2, SIZE);
    }),
  );
  expect(kinds(verdict)).toEqual(["text"]);
});

test("what was sent and is not there is found", () => {
  const mark = { peer: 1, session: "1.a", sent: 4, index: 8 };
  const verdict = verifyLogs([log("a", SOUND), log("b", SOUND)], [mark], SIZE);
  expect(kinds(verdict)).toEqual(["missing"]);
  expect(verdict.violations[0]?.message).toBe("peer 1 was told that 1.a.4 is sent: the log has 3 of that session");
});

test("a line that is no JSON, and a line out of its place, are found", () => {
  expect(kinds(everywhere(SOUND.with(1, '{"index":2,')))).toEqual(["unreadable"]);
  rmSync(root, { recursive: true });
  mkdirSync(root);
  const verdict = everywhere(
    changed(2, (e) => {
      e.index = 3;
    }),
  );
  expect(kinds(verdict)).toEqual(["index"]);
});

test("only the first violations are told", () => {
  expect(everywhere(Array<string>(500).fill("no json")).violations.length).toBe(10);
});

test("lines longer than a block, and logs of many blocks, are read whole", () => {
  const long = JSON.stringify({ index: 2, kind: "config", payload: "x".repeat(3_000_000) });
  const many = lines("genesis", "config", ...Array.from({ length: 30_000 }, (_, i) => `1.a.${i + 1}`)).with(1, long);
  const folder = join(root, "a");
  mkdirSync(folder);
  writeFileSync(join(folder, "00000000000000000001.jsonl"), `${many.join("\n")}\n`);
  const log = { name: "a", folder, through: null };
  expect(verifyLogs([log, { ...log, name: "b" }], [], SIZE)).toEqual({
    entries: 30_002,
    chats: 30_000,
    violations: [],
  });
});
