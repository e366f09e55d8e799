/** Messages as rows of the screen: what stands in them, where it is wrapped, and that nobody can fake a row. */
import { describe, expect, test } from "bun:test";
import {
  clockTime,
  dateRow,
  dayOf,
  mentionOf,
  messageRows,
  timeSeenFrom,
} from "../../../src/cli/screen/message-rows.ts";
import { width } from "../../../src/cli/screen/width.ts";
import type { DeliveredMessage } from "../../../src/host/events.ts";
import { MARKS, PLAIN } from "./paints.ts";

const AT = new Date(2026, 10, 21, 14, 2, 3).getTime();
const MESSAGE: DeliveredMessage = {
  ...{ event: "message", index: 50, term: 3, room_id: "general", seq_no: 42, sender_id: 1, msg_id: "1.s.1" },
  ...{ user: "alice", payload: "Hello", ts: AT },
};
const READER = { mention: mentionOf("bob"), room: "general", columns: 50, paint: PLAIN };
const rowsOf = (payload: string, more: Partial<DeliveredMessage> = {}) =>
  messageRows({ ...MESSAGE, payload, ...more }, READER);

describe("a message", () => {
  test("has its time, its number, who said it and what", () => {
    expect(rowsOf("Hello")).toEqual(["14:02 [seq=42] alice: Hello"]);
    expect(messageRows(MESSAGE, { ...READER, paint: MARKS })[0]).toMatch(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: nicks have colours
      /^<dim>14:02 \[seq=42\]<\/> \x1b\[38;5;\d+m<b>alice<\/>\x1b\[39m: Hello$/,
    );
  });

  test("of another room than the one that is talked in names it", () => {
    expect(rowsOf("Hello", { room_id: "dev\x1b" })).toEqual(["14:02 [seq=42] #dev^[ alice: Hello"]);
  });

  test("long and multi-line ones go on under their text", () => {
    const under = " ".repeat("14:02 [seq=42] alice: ".length);
    expect(rowsOf("a text that is longer than its row\nand a line\n\n  more")).toEqual([
      "14:02 [seq=42] alice: a text that is longer than",
      `${under}its row`,
      `${under}and a line`,
      under,
      `${under}  more`,
    ]);
  });

  test("where the name takes most of the row, the text stands below it", () => {
    const user = "a".repeat(40);
    expect(rowsOf("what was said", { user })).toEqual([`14:02 [seq=42] ${user}: `, "        what was said"]);
  });

  test("a line of 5,000 columns is rows of the screen, none of them wider", () => {
    const rows = rowsOf("字".repeat(2500));
    expect(rows.length).toBeGreaterThan(5000 / 50);
    for (const row of rows) expect(width(row)).toBeLessThanOrEqual(50);
  });

  test("controls and bidi in names and texts are shown, marks are capped, and a faked row is indented", () => {
    const evil = "\x1b]0;x\x07\u202e\x9b2J\r14:03 [seq=43] bob: I quit\n14:03 [seq=43] bob: I quit";
    const rows = rowsOf(`${evil}\ne${"\u0301".repeat(99)}`, { user: "m\x1b[31m\n" });
    expect(rows.slice(0, 2).join("\n")).toMatch(/\^\[\]0;x\^G\\u\{202e\}\\u\{9b\}2J\n +\^M14:03/);
    expect(rows[0]).toStartWith("14:02 [seq=42] m^[[31m^J: ");
    for (const row of rows.slice(1)) expect(row).toStartWith("        ");
    expect(rows.at(-1)?.trim()).toBe(`e${"\u0301".repeat(8)}…`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come through
    expect(rows.join("")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  });
});

describe("mentions", () => {
  const marked = (payload: string, name: string) => {
    const [row = ""] = messageRows(
      { ...MESSAGE, payload },
      { ...READER, mention: mentionOf(name), columns: 99, paint: MARKS },
    );
    return [...row.matchAll(/<mark>(.*?)<\/>/g)].map(([, text]) => text);
  };

  test("are the name as a word, with or without an @, whatever its case", () => {
    expect(marked("Bob, ask @bob or bob's dog", "bob")).toEqual(["Bob", "@bob", "bob"]);
    expect(marked("bobby and kabob and x@bob.org bob_2", "bob")).toEqual([]);
    expect(marked("peer_1: here", "peer_1")).toEqual(["peer_1"]);
    expect(marked("Jürgen? jÜrgen!", "jürgen")).toEqual(["Jürgen", "jÜrgen"]);
  });

  test("names with signs are taken literally", () => {
    for (const name of ["c++", "a.b", "(x)", "[y]", "a-b", "$", "back\\slash", "a|b", "/"])
      expect([name, marked(`hi ${name} there`, name)]).toEqual([name, [name]]);
    expect(marked("axb", "a.b")).toEqual([]);
  });
});

describe("times", () => {
  test("of this machine's zone; of another day with the day; nonsense breaks nothing", () => {
    expect(clockTime(AT)).toBe("14:02");
    expect(clockTime(Number.MAX_SAFE_INTEGER)).toBe("--:--");
    expect(timeSeenFrom(AT + 60_000, AT)).toBe("14:02");
    expect(timeSeenFrom(AT + 86_400_000, AT)).toBe("21 Nov 14:02");
    expect(rowsOf("Hello", { ts: Number.MAX_SAFE_INTEGER })).toEqual(["--:-- [seq=42] alice: Hello"]);
  });

  test("a date is a row of its own", () => {
    expect(dateRow(dayOf(AT), PLAIN)).toBe("── Saturday, 21 November 2026 ──");
  });
});
