/**
 * The bottom of the screen: what it shows, and that nothing that happens above it, around it or to its size breaks a
 * half-typed line or loses a message. Bytes are judged by what a terminal makes of them.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { press } from "../../../src/cli/editor/editor.ts";
import { KeyReader } from "../../../src/cli/editor/keys.ts";
import { type Editor, newEditor } from "../../../src/cli/editor/state.ts";
import { bottomRows, type Span, type View } from "../../../src/cli/screen/bottom.ts";
import { clear, type Drawn, draw, erase, NOTHING_DRAWN } from "../../../src/cli/screen/drawing.ts";
import type { Paint } from "../../../src/cli/screen/paint.ts";
import { cut, width } from "../../../src/cli/screen/width.ts";
import { processorMs } from "../processor-time.ts";
import { MARKS, PLAIN } from "./paints.ts";
import { type Kind, VirtualTerminal } from "./virtual-terminal.ts";

const ANSI: Paint = {
  dim: (t) => `\x1b[2m${t}\x1b[22m`,
  bold: (t) => `\x1b[1m${t}\x1b[22m`,
  red: (t) => t,
  mark: (t) => t,
  lamp: (t) => t,
};
const FAMILY = "👩‍👩‍👧‍👦";
const STATUS: Span[] = [{ text: "general · peer 3 leads" }];

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A chat reduced to its screen: keys in, messages in, a terminal that shows it. */
class Chat {
  readonly terminal: VirtualTerminal;
  readonly #keys = new KeyReader();
  readonly #paint: Paint;
  #editor: Editor = newEditor();
  #drawn: Drawn = NOTHING_DRAWN;
  status = STATUS;
  above: readonly (readonly Span[])[] = [];

  constructor(columns = 40, rows = 10, kind: Kind = {}, paint = ANSI) {
    this.terminal = new VirtualTerminal(columns, rows, kind);
    this.#paint = paint;
    this.print();
  }

  get view(): View {
    const { columns, rows } = this.terminal;
    return {
      columns,
      rows,
      above: this.above,
      status: this.status,
      prompt: "alice> ",
      editor: this.#editor,
      paint: this.#paint,
    };
  }

  type(text: string): this {
    for (const key of this.#keys.push(bytesOf(text))) this.#editor = press(this.#editor, key).editor;
    return this.print();
  }

  print(...lines: string[]): this {
    const { bytes, drawn } = draw(this.#drawn, this.view, lines);
    this.terminal.write(bytes);
    this.#drawn = drawn;
    return this;
  }

  /** Without a drawing, as when several come at once. */
  resized(columns: number, rows: number): this {
    this.terminal.resize(columns, rows);
    return this;
  }

  redraw(): this {
    this.terminal.write(clear(this.terminal.rows));
    this.#drawn = NOTHING_DRAWN;
    return this.print();
  }

  leave(): this {
    this.terminal.write(erase(this.#drawn, this.terminal.columns));
    this.#drawn = NOTHING_DRAWN;
    return this;
  }
}

/** What the bottom should be, as plain rows with the cursor. */
function rowsOf(view: View): string[] {
  const rows = bottomRows({ ...view, paint: PLAIN });
  return rows.map(({ head, tail }, i) => (i < rows.length - 1 ? head + tail : `${head}▏${tail}`).trimEnd());
}

function viewOf(typed: string, columns = 30, status = STATUS, rows = 10): View {
  let editor = newEditor(["an older line"]);
  for (const key of new KeyReader().push(bytesOf(typed))) editor = press(editor, key).editor;
  return { columns, rows, above: [], status, prompt: "alice> ", editor, paint: PLAIN };
}

const LEFT = "\x1b[D";

describe("the rows", () => {
  const KNOWN: readonly [string, View, string][] = [
    ["a prompt and nothing", viewOf(""), "alice> ▏"],
    ["the cursor in the draft", viewOf(`Hello${LEFT}${LEFT}`), "alice> Hel▏lo"],
    ["what just fits is shown whole", viewOf("0123456789012345678901"), "alice> 0123456789012345678901▏"],
    ["what is too long scrolls sideways", viewOf("01234567890123456789012"), "alice> ‹234567890123456789012▏"],
    [
      "in the middle both sides are marked",
      viewOf(`${"0123456789".repeat(6)}${LEFT.repeat(30)}`),
      "alice> ‹4567890123456789▏0123›",
    ],
    ["at the start", viewOf(`${"0123456789".repeat(6)}\x01`), "alice> ▏012345678901234567890›"],
    ["wide characters are not cut in two", viewOf(`x${"字".repeat(20)}`), "alice> ‹字字字字字字字字字字▏"],
    [
      "emoji and marks are measured as they are drawn",
      viewOf(`${FAMILY}${"e\u0301".repeat(19)}🇩🇪`),
      `alice> ‹${"e\u0301".repeat(19)}🇩🇪▏`,
    ],
    ["several lines in one row", viewOf("\x1b[200~one\rtwo\r\x1b[201~"), "alice> one⏎two⏎▏"],
    ["what a paste may hide", viewOf("\x1b[200~a\x1b[31m\tb\u202e\x1b[201~"), "alice> a^[[31m^Ib\\u{202e}▏"],
    ["words that are spelled with joiners", viewOf("می\u200cخ"), "alice> می\u200cخ▏"],
    ["a search", viewOf("dra\x12OLD", 60), "history 'OLD': an ▏older line"],
    ["a search that finds nothing", viewOf("dra\x12x", 60), "not in the history 'x': dra▏"],
    ["a narrow terminal leaves half to the prompt", viewOf("0123456789", 10), "ali…56789▏"],
  ];
  for (const [what, view, row] of KNOWN) test(what, () => expect(rowsOf(view).at(-1)).toBe(row));

  test("a stack of marks in the draft is capped as in messages", () => {
    expect(rowsOf(viewOf(`a${"\u0301".repeat(50)}b`)).at(-1)).toBe(`alice> a${"\u0301".repeat(8)}…b▏`);
  });

  test("the status line is cut to the width, its parts painted after that", () => {
    const status: Span[] = [
      { text: "alice in general" },
      { text: " · ", paint: (t) => t },
      { text: "no majority", paint: MARKS.red },
    ];
    const row = (columns: number) => bottomRows({ ...viewOf("", columns, status), paint: MARKS })[0]?.head;
    expect(row(80)).toBe("<dim>alice in general</> · <red>no majority</>");
    expect(row(26)).toBe("<dim>alice in general</> · <red>no ma…</>");
    expect(row(10)).toBe("<dim>alice in…</>");
    expect(row(1)).toBe("");
  });

  test("after Ctrl-C the status line says what the next one does", () => {
    expect(rowsOf(viewOf("draft\x03"))).toEqual(["Ctrl-C again quits", "alice> ▏"]);
    expect(rowsOf(viewOf("draft\x03x"))).toEqual(["general · peer 3 leads", "alice> x▏"]);
  });

  test("rows above the status line are cut, and left out from the top where the screen is low", () => {
    const above = ["one", "two", "three and more"].map((text) => [{ text }]);
    const rows = (columns: number, high: number) => rowsOf({ ...viewOf("x", columns, STATUS, high), above });
    expect(rows(12, 10)).toEqual(["one", "two", "three and …", "general · …", "alic…x▏"]);
    expect(rows(30, 5)).toEqual(["two", "three and more", "general · peer 3 leads", "alice> x▏"]);
    expect(rows(30, 3)).toEqual(["general · peer 3 leads", "alice> x▏"]);
    expect(rows(30, 2)).toEqual(["alice> x▏"]);
  });

  test("a terminal of two rows has no status line", () => {
    expect(rowsOf(viewOf("x", 30, STATUS, 2))).toEqual(["alice> x▏"]);
  });

  test("the marks of the draft are dim, the prompt is bold", () => {
    const [, row] = bottomRows({ ...viewOf("\x1b[200~a\rb\x07\x1b[201~"), paint: MARKS });
    expect(row?.head).toBe("<b>alice> </>a<dim>⏎</>b<dim>^G</>");
  });

  const texts = fc.array(
    fc.constantFrom("a", "bc ", "字", FAMILY, "e\u0301", "🇩🇪", "\u200b", "\n", "\t", "👋🏽", "한", "क्षि", "ﾞ", "\u0301"),
    { maxLength: 60 },
  );
  test("no row is ever wider than all columns but one, and the cursor is where the widths say", () => {
    fc.assert(
      fc.property(texts, fc.nat({ max: 60 }), fc.integer({ min: 1, max: 60 }), (pieces, moves, columns) => {
        const view = viewOf(`\x1b[200~${pieces.join("")}\x1b[201~${LEFT.repeat(moves)}`, columns);
        for (const row of bottomRows(view)) {
          expect(row.width).toBeLessThanOrEqual(Math.max(0, columns - 1));
          expect(row.headWidth).toBeLessThanOrEqual(row.width);
          expect(width(row.head) + width(row.tail)).toBe(row.width);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("the largest draft is drawn in no noticeable time", () => {
    const view = viewOf(`\x1b[200~${"字 e\u0301👋🏽 ".repeat(4096)}\x1b[201~`, 200);
    expect(processorMs(() => bottomRows(view))).toBeLessThan(100);
  });
});

describe("cut", () => {
  test("keeps whole characters and says that more was there", () => {
    expect(["字字字", "abc", FAMILY, "e\u0301e\u0301e\u0301"].map((text) => cut(text, 2))).toEqual([
      "…",
      "a…",
      FAMILY,
      "e\u0301…",
    ]);
    expect(cut("abc", 3)).toBe("abc");
    expect(cut("abc", 0)).toBe("");
    expect(cut("", 0)).toBe("");
  });
});

describe("messages above a half-typed line", () => {
  test("stand above it in order, the draft and its cursor below as they were", () => {
    const chat = new Chat().type("Hel").print("[seq=1] bob: hi").print("[seq=2] bob: there", "-- peer 3 leads");
    const above = ["[seq=1] bob: hi", "[seq=2] bob: there", "-- peer 3 leads"];
    expect(chat.terminal.screen).toEqual([...above, "general · peer 3 leads", "alice> Hel▏"]);
    chat.type(`lo${LEFT}${LEFT}`).print("[seq=3] bob: again").type("X");
    expect(chat.terminal.prompt).toBe("alice> HelX▏lo");
    expect(chat.terminal.history.at(-3)).toBe("[seq=3] bob: again");
  });

  test("long ones are wrapped by the terminal, which keeps them in one piece", () => {
    const line = "[seq=1] bob: ".padEnd(5000, "0123456789");
    const exact = "x".repeat(40);
    const chat = new Chat().type("dra").print(line, exact, exact);
    expect(chat.terminal.history).toEqual([line, exact, exact, "general · peer 3 leads", "alice> dra"]);
  });

  test("a burst of 5,000 is one write, all of it in the scrollback, and the draft below", () => {
    const chat = new Chat(80, 24).type(`half${LEFT}`);
    const lines = Array.from({ length: 5000 }, (_, i) => `[seq=${i}] bob: ${"字".repeat(i % 60)}.`);
    const before = chat.terminal.writes;
    chat.print(...lines);
    expect(chat.terminal.writes).toBe(before + 1);
    expect(chat.terminal.history.slice(0, -2)).toEqual(lines);
    expect(chat.terminal.prompt).toBe("alice> hal▏f");
  });

  test("typing between 500 single messages", () => {
    const chat = new Chat();
    const text = `the quick brown ${FAMILY} jumps over the lazy 犬`;
    const typed = [...text];
    for (let i = 0; i < 500; i++) chat.print(`message ${i}`).type(typed[i] ?? "");
    expect(chat.view.editor.text).toBe(text);
    expect(chat.terminal.history.slice(0, -2)).toEqual(Array.from({ length: 500 }, (_, i) => `message ${i}`));
  });
});

describe("own messages on their way", () => {
  const pending = (...texts: string[]) => texts.map((text) => [{ text }]);

  test("stand above the status line until they are messages; the draft stays, and no row is left behind", () => {
    const chat = new Chat().print("[seq=1] bob: hi").type("dra");
    for (const waiting of [["a"], ["a", "b"], ["… and 9 more", "c", "d", "e", "f"]]) {
      chat.above = pending(...waiting);
      chat.print();
      expect(chat.terminal.history).toEqual(["[seq=1] bob: hi", ...waiting, "general · peer 3 leads", "alice> dra"]);
    }
    chat.above = pending("f");
    chat.print("[seq=2] alice: a", "[seq=3] alice: b");
    chat.above = [];
    chat.print("[seq=4] alice: f").type("ft");
    const said = ["[seq=1] bob: hi", "[seq=2] alice: a", "[seq=3] alice: b", "[seq=4] alice: f"];
    expect(chat.terminal.history.filter((row) => row !== "")).toEqual([
      ...said,
      "general · peer 3 leads",
      "alice> draft",
    ]);
  });

  test("a narrower window while they wait loses no message", () => {
    const chat = new Chat(60, 16);
    chat.above = pending("a text that is longer than what the next window takes", "another of them, as long as it");
    chat.print("[seq=1] bob: hi").type("draft").resized(20, 16).print("[seq=2] bob: ho").resized(70, 16);
    chat.above = [];
    chat.print("[seq=3] bob: hu");
    const said = ["[seq=1] bob: hi", "[seq=2] bob: ho", "[seq=3] bob: hu"];
    expect(chat.terminal.history).toEqual([...said, "general · peer 3 leads", "alice> draft"]);
  });
});

describe("the edge of the screen", () => {
  for (let typed = 25; typed < 40; typed++) {
    test(`a draft of wide characters behind ${typed} others stays in its row`, () => {
      const chat = new Chat().print("above").type("x".repeat(typed)).type(`字${FAMILY}字`).print("below");
      expect(chat.terminal.history.slice(0, -2)).toEqual(["above", "below"]);
      expect(chat.terminal.screen.at(-1)).toBe(rowsOf(chat.view).at(-1) ?? "");
    });
  }

  test("a terminal that measures code points may show less, but no row is lost and the cursor is where it types", () => {
    const chat = new Chat(40, 10, { measures: "code points" }).print("above").type(`ab${FAMILY}${LEFT}`);
    expect(chat.terminal.prompt).toBe(`alice> ab▏${FAMILY}`);
    chat.type(FAMILY.repeat(4)).print("between").type("end").print("below");
    expect(chat.terminal.history.slice(0, -2)).toEqual(["above", "between", "below"]);
    expect(chat.terminal.history.length).toBe(5);
  });
});

describe("resizes", () => {
  test("narrower, wider, lower: the draft stays, and no message is lost or doubled", () => {
    const chat = new Chat(60, 12)
      .print("first message")
      .type(`a draft that is rather long, longer than narrow screens${LEFT}`);
    for (const [columns, rows] of [
      [20, 12],
      [90, 5],
      [33, 6],
      [12, 9],
      [60, 12],
    ] as const) {
      chat.resized(columns, rows).print(`at ${columns}`);
      expect(chat.terminal.screen.slice(-rowsOf(chat.view).length)).toEqual(rowsOf(chat.view));
    }
    const above = ["first message", "at 20", "at 90", "at 33", "at 12", "at 60"];
    expect(chat.terminal.history.slice(0, -2)).toEqual(above);
  });

  test("several before the next drawing", () => {
    const chat = new Chat(60, 12).print("one").type("0123456789".repeat(5));
    chat.resized(10, 12).resized(45, 5).resized(13, 9).print("two");
    expect(chat.terminal.history.slice(0, -2)).toEqual(["one", "two"]);
  });

  test("a terminal that cuts rows off loses nothing while the bottom is narrow enough", () => {
    const chat = new Chat(60, 12, { resizes: "cutting" }).print("one").type("short");
    chat.resized(24, 12).print("two").resized(60, 12).print("three");
    expect(chat.terminal.history.slice(0, -2)).toEqual(["one", "two", "three"]);
  });

  test("whatever is typed, printed and resized: messages once and in order, the bottom as it should be", () => {
    const keys = [
      "a",
      "word ",
      "字",
      FAMILY,
      "e\u0301",
      LEFT,
      "\x7f",
      "\x17",
      "\x01",
      "\x05",
      "\x1b[200~one\rtwo\x1b[201~",
    ];
    const lines = ["short", "字字字字字字字字字", `${FAMILY} and friends`, "x".repeat(150)];
    // Never so low that the bottom, wrapped by the terminal, is higher than the screen: see below.
    const size = fc.record({ columns: fc.integer({ min: 10, max: 70 }), rows: fc.integer({ min: 12, max: 20 }) });
    const steps = fc.oneof(
      fc.record({ type: fc.constantFrom(...keys) }),
      fc.record({ print: fc.constantFrom(...lines) }),
      fc.record({ resize: size }),
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 50 }), (script) => {
        const chat = new Chat(50, 20);
        for (const step of script) {
          if ("type" in step) chat.type(step.type);
          else if ("print" in step) chat.print(step.print);
          else chat.resized(step.resize.columns, step.resize.rows);
        }
        chat.print();
        expect(chat.terminal.history.slice(0, -2)).toEqual(
          script.flatMap((step) => ("print" in step ? [step.print] : [])),
        );
        expect(chat.terminal.screen.slice(-2)).toEqual(rowsOf(chat.view));
      }),
      { numRuns: 200 },
    );
  });

  test("so small that the old bottom does not fit: what has scrolled away stays, the draft and the messages too", () => {
    const chat = new Chat(60, 12).print("one").type("a draft that is rather long, longer than small screens");
    chat.resized(8, 2).print("two").resized(60, 12).print("three");
    expect(chat.terminal.history.join("\n")).toMatch(/^one\n[\s\S]*two\nthree\n.*\n.*$/);
    expect(chat.terminal.screen.slice(-2)).toEqual(rowsOf(chat.view));
  });
});

test("Ctrl-L clears the screen into the scrollback", () => {
  const chat = new Chat(40, 5).print("one", "two").type("dra").redraw();
  expect(chat.terminal.screen.filter((row) => row !== "")).toEqual(["general · peer 3 leads", "alice> dra▏"]);
  expect(chat.terminal.history.filter((row) => row !== "").slice(0, 2)).toEqual(["one", "two"]);
});

test("left, nothing of it stays, and the cursor is where the shell goes on", () => {
  const chat = new Chat(40, 5).print("one").type("dra").leave();
  expect(chat.terminal.screen).toEqual(["one", "▏"]);
});

test("never the alternate screen, and wrapping is on again after every drawing", () => {
  const { bytes } = draw(NOTHING_DRAWN, viewOf("draft"), ["message"]);
  expect(bytes).not.toMatch(/\?(47|1047|1049)/);
  expect(bytes.lastIndexOf("\x1b[?7h")).toBeGreaterThan(bytes.lastIndexOf("\x1b[?7l"));
  expect(bytes.endsWith("\x1b[?2026l")).toBe(true);
});
