import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Entry } from "../../../src/core/log-entry.ts";
import { LineSearch, lineOfMessage } from "../../../src/host/store/line-search.ts";
import { LogMaker, lineOf } from "./log-maker.ts";

const LIMITS = { segment_entries: 1000, segment_bytes: 1_000_000 };

function logOf(said: readonly (readonly [string, string])[]): LogMaker {
  const log = new LogMaker(LIMITS);
  log.genesis();
  log.leader();
  for (const [room, text] of said) log.chat(text, room);
  return log;
}

const linesOf = (entries: readonly Entry[]) => entries.map(lineOf).join("");

/** As the candidates are used: parsed, and looked at once more. */
function found(log: LogMaker, room: string, text: string): number[] {
  const search = new LineSearch(room, text);
  return search.candidates(linesOf(log.entries)).filter((index) => {
    const entry = log.entries[index - 1] as Entry;
    return entry.kind === "chat" && entry.room_id === room && search.fits(entry.user, entry.text);
  });
}

describe("looking for a text in lines of the log", () => {
  test("passes over the names of fields, other rooms and other kinds", () => {
    const log = logOf([
      ["general", "nothing"],
      ["other", "chat"],
      ["general", "we Chat here"],
      ["general", 'say "chat", or \\chat\\'],
    ]);
    expect(found(log, "general", "chat")).toEqual([5, 6]);
    expect(new LineSearch("general", "chat").candidates(linesOf(log.entries))).toEqual([5, 6]);
    expect(new LineSearch("general", "room_id").candidates(linesOf(log.entries))).toEqual([]);
    expect(new LineSearch("general", "crc").candidates(linesOf(log.entries))).toEqual([]);
    expect(found(log, "general", '"chat"')).toEqual([6]);
    expect(found(log, "general", "\\")).toEqual([6]);
  });

  test("letter case aside, in all scripts", () => {
    const log = logOf([["general", "GRÖSSE, ΣΊΣΥΦΟΣ, Привет"]]);
    for (const text of ["größe".replace("ß", "ss"), "σίσυφος", "ПРИВЕТ"])
      expect(found(log, "general", text)).toEqual([3]);
  });

  test("a text never stands for a pattern, and finds names as well", () => {
    const log = logOf([["general", "a.b (c) [d]* $1 ^x|y"]]);
    for (const text of ["a.b", "(c)", "[d]*", "$1", "^x|y"]) expect(found(log, "general", text)).toEqual([3]);
    expect(found(log, "general", "a*b")).toEqual([]);
    const { user } = log.entries[2] as Entry;
    expect(found(log, "general", user.toUpperCase())).toEqual([3]);
  });

  test("finds just what looking at every message finds", () => {
    const piece = fc.constantFrom(
      "a",
      "B",
      '"',
      "\\",
      "\n",
      "é",
      "É",
      "user",
      '","ts":',
      "😀",
      "\u2028",
      "seq_no",
      "x",
    );
    const text = fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
    const room = fc.constantFrom("general", 'qu"ote', "user", "ü");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(room, text), { maxLength: 12 }),
        room,
        fc.oneof(text, fc.constant("")),
        (said, r, t) => {
          const log = logOf(said);
          const search = new LineSearch(r, t);
          const each = log.entries.filter((e) => e.kind === "chat" && e.room_id === r && search.fits(e.user, e.text));
          expect(found(log, r, t)).toEqual(each.map((e) => e.index));
        },
      ),
      { numRuns: 500 },
    );
  });
});

test("a message is found by its room and number", () => {
  const log = logOf([
    ["general", "one"],
    ["other", "one"],
    ["general", '"room_id":"general","seq_no":2,'],
    ["general", "two comes third"],
  ]);
  const lines = linesOf(log.entries);
  expect([1, 2, 3, 4].map((n) => lineOfMessage(lines, "general", n))).toEqual([3, 5, 6, null]);
  expect(lineOfMessage(lines, "nowhere", 1)).toBeNull();
});
