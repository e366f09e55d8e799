/** Lines of standard input, as bytes come from a pipe: any pieces, any bytes, any length. */
import { describe, expect, test } from "bun:test";
import { type Line, LineSplitter } from "../../../src/cli/process/line-splitter.ts";
import { MESSAGE_BYTES_MAX } from "../../../src/core/config.ts";
import { seeded } from "../../../src/sim/virtual-time.ts";

/** A line of more bytes than this is skipped. */
const LINE_BYTES_MAX = MESSAGE_BYTES_MAX + 1024;

const bytesOf = (text: string) => new TextEncoder().encode(text);
const join = (...pieces: (string | number[])[]) =>
  new Uint8Array(Buffer.concat(pieces.map((p) => (typeof p === "string" ? bytesOf(p) : Uint8Array.from(p)))));

/** All lines of some bytes that come in pieces of some sizes, in turn. */
function split(bytes: Uint8Array, ...sizes: number[]): Line[] {
  const splitter = new LineSplitter();
  const lines: Line[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? bytes.length;
    lines.push(...splitter.push(bytes.slice(at, at + size)));
    at += size;
  }
  return [...lines, ...splitter.end()];
}

const texts = (lines: readonly Line[]) => lines.map((line) => (line.ok ? line.text : line.code));

describe("lines", () => {
  test("[L6] they end at byte 0x0A and nowhere else", () => {
    const odd = "a\u2028b\u2029c\u0085d\ve\ff\rg\x1cz";
    expect(texts(split(bytesOf(`${odd}\nnext\n`)))).toEqual([odd, "next"]);
  });

  test("one carriage return before the newline belongs to the line's end, others to the text", () => {
    expect(texts(split(bytesOf("windows\r\ntwo\r\r\n\r\nin\rside\nlast\r")))).toEqual([
      "windows",
      "two\r",
      "",
      "in\rside",
      "last",
    ]);
  });

  test("empty lines are lines; what stands behind the last newline is one if there is anything", () => {
    expect(texts(split(bytesOf("\n\na\n\nb")))).toEqual(["", "", "a", "", "b"]);
    expect(texts(split(bytesOf("a\n")))).toEqual(["a"]);
    expect(texts(split(new Uint8Array(0)))).toEqual([]);
    expect(new LineSplitter().end()).toEqual([]);
  });

  test("any pieces give the same lines, characters of two to four bytes cut in the middle", () => {
    const bytes = bytesOf("é€👋\n\nabc\r\n👩‍🚀\u2028\n\ufeffend");
    const expected = ["é€👋", "", "abc", "👩‍🚀\u2028", "\ufeffend"];
    for (let size = 1; size <= bytes.length; size++) expect(texts(split(bytes, size))).toEqual(expected);
    const random = seeded(1);
    for (let round = 0; round < 200; round++) {
      const sizes = Array.from({ length: 7 }, () => 1 + Math.floor(random() * 9));
      expect(texts(split(bytes, ...sizes))).toEqual(expected);
    }
  });

  test("each line is there as soon as its newline is", () => {
    const splitter = new LineSplitter();
    expect(splitter.push(bytesOf("a"))).toEqual([]);
    expect(splitter.push(bytesOf("b\nc"))).toEqual([{ ok: true, text: "ab" }]);
    expect(splitter.push(bytesOf("\n"))).toEqual([{ ok: true, text: "c" }]);
    expect(splitter.end()).toEqual([]);
  });

  test("what was pushed may be written over afterwards: streams reuse their memory", () => {
    const splitter = new LineSplitter();
    const piece = bytesOf("half a ");
    splitter.push(piece);
    piece.fill(0x58);
    expect(splitter.push(bytesOf("line\n"))).toEqual([{ ok: true, text: "half a line" }]);
  });
});

describe("lines that are refused", () => {
  test("not UTF-8: only that line, with what to do", () => {
    const wrong = [
      [0xff],
      [0xc3],
      [0x80],
      [0xe9, 0x74, 0xe9],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
    ];
    for (const bytes of wrong) {
      const lines = split(join("before\n", bytes, "\nafter\n"), 3);
      expect(texts(lines)).toEqual(["before", "not-utf8", "after"]);
      expect(lines[1]).toMatchObject({ ok: false, message: expect.stringContaining("iconv -t utf-8") });
    }
    // A character that the end of the line cuts is none; the next line does not get its rest.
    expect(texts(split(join("caf", [0xc3], "\n", [0xa9], "\nok\n")))).toEqual(["not-utf8", "not-utf8", "ok"]);
  });

  test("too long: only that line, with its length and the limit, in whatever pieces it came", () => {
    const long = "x".repeat(LINE_BYTES_MAX + 1);
    for (const size of [100, 4096, 65_536, 1 << 20]) {
      const lines = split(bytesOf(`before\n${long}\nafter\n`), size);
      expect(texts(lines)).toEqual(["before", "too-large", "after"]);
      expect(lines[1]).toMatchObject({
        message: `a line of ${LINE_BYTES_MAX + 1} bytes: the limit of a message is ${MESSAGE_BYTES_MAX} bytes of UTF-8, send it in parts`,
      });
    }
    expect(texts(split(bytesOf(`a\n${long}`), 1000))).toEqual(["a", "too-large"]);
  });

  test("the longest line that is taken, in bytes and not in characters", () => {
    for (const text of ["x".repeat(LINE_BYTES_MAX), "é".repeat(LINE_BYTES_MAX / 2)]) {
      expect(texts(split(bytesOf(`${text}\n`), 1000))).toEqual([text]);
      expect(texts(split(bytesOf(`${text}x\n`), 1000))).toEqual(["too-large"]);
    }
  });

  test("a line without an end is not kept: 200 MiB of it need no memory", () => {
    const splitter = new LineSplitter();
    const piece = new Uint8Array(1 << 20).fill(0x78);
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200; i++) expect(splitter.push(piece)).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
    expect(texts(splitter.push(bytesOf("\nnext\n")))).toEqual(["too-large", "next"]);
  });
});
