/** Rows of a width: nothing is lost, no row is too wide, and words stay whole where they can. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { width } from "../../../src/cli/screen/width.ts";
import { wrap } from "../../../src/cli/screen/wrap.ts";
import { processorMs } from "../processor-time.ts";

test("what fits is one row; words stay whole, longer ones are cut", () => {
  const known: [string, string[]][] = [
    ["", [""]],
    ["one two", ["one two"]],
    ["one two three", ["one two", "three"]],
    ["one  two   three", ["one  two", "three"]],
    ["  indented code", ["", "indented", "code"]],
    ["x".repeat(20), ["x".repeat(8), "x".repeat(8), "x".repeat(4)]],
    ["a xxxxxxxxxx", ["a", "xxxxxxxx", "xx"]],
    ["exactly8 more", ["exactly8", "more"]],
    ["字字字字字", ["字字字字", "字"]],
    ["a字字字字b", ["a字字字", "字b"]],
    ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"]],
    ["e\u0301".repeat(10), ["e\u0301".repeat(8), "e\u0301e\u0301"]],
  ];
  for (const [text, rows] of known) expect([text, wrap(text, 8)]).toEqual([text, rows]);
});

test("the first row may be narrower or wider", () => {
  expect(wrap("one two three", 8, 4)).toEqual(["one", "two", "three"]);
  expect(wrap("one two three four", 5, 13)).toEqual(["one two three", "four"]);
});

test("whatever the text: nothing but spaces at the ends of rows is lost, and no row is too wide", () => {
  const texts = fc.array(fc.constantFrom("a", "word", " ", "  ", "字", "👋🏽", "e\u0301", "0123456789"), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(texts, fc.integer({ min: 2, max: 30 }), (pieces, columns) => {
      const rows = wrap(pieces.join(""), columns);
      expect(rows.join("").replaceAll(" ", "")).toBe(pieces.join("").replaceAll(" ", ""));
      for (const row of rows) expect(width(row)).toBeLessThanOrEqual(columns);
    }),
    { numRuns: 500 },
  );
});

test("the largest message is wrapped quickly", () => {
  expect(processorMs(() => wrap("字 e\u0301👋🏽 ".repeat(4096), 80))).toBeLessThan(1000);
});
