/** What others send is shown by the terminal, never obeyed: control characters and those that hide or reorder text. */
import { describe, expect, test } from "bun:test";
import { visible } from "../../src/cli/sanitize.ts";

const all = function* () {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code);
  }
};

describe("what is shown instead", () => {
  test("C0 and DEL in caret notation", () => {
    expect(visible("\0\x01\t\n\r\x1b\x1f\x7f")).toBe("^@^A^I^J^M^[^_^?");
    for (let code = 0; code < 0x20; code++) {
      expect(visible(String.fromCharCode(code))).toBe(`^${"@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_"[code]}`);
    }
  });

  test("C1, among them the one-byte CSI and OSC, as their code", () => {
    for (let code = 0x80; code < 0xa0; code++) {
      expect(visible(String.fromCharCode(code))).toBe(`\\u{${code.toString(16)}}`);
    }
    expect(visible("\x9b31mred")).toBe("\\u{9b}31mred");
  });

  test("characters that turn the direction of text around, by the property that Unicode gives them", () => {
    const bidi = [...all()].filter((c) => /\p{Bidi_Control}/u.test(c));
    expect(bidi.length).toBeGreaterThanOrEqual(12);
    for (const c of bidi) expect(visible(`a${c}b`)).toBe(`a\\u{${c.codePointAt(0)?.toString(16)}}b`);
    expect(visible("user\u202e\u2066txt.exe")).toBe("user\\u{202e}\\u{2066}txt.exe");
  });

  test("line and paragraph separators, byte order mark, zero-width characters, lone surrogates", () => {
    expect(visible("\u2028\u2029\ufeff\u200b\u2060")).toBe("\\u{2028}\\u{2029}\\u{feff}\\u{200b}\\u{2060}");
    expect(visible("\ud800a\udfff")).toBe("\\u{d800}a\\u{dfff}");
    expect(visible("\udc00\ud800")).toBe("\\u{dc00}\\u{d800}");
    expect(visible("\ud83d\ud83d\udc4b")).toBe("\\u{d83d}👋");
  });
});

describe("sequences that terminals obey", () => {
  test("colours, cursor, titles, clipboard, queries: none gets through", () => {
    for (const sequence of [
      "\x1b[31m",
      "\x1b[2J\x1b[H",
      "\x1b]0;title\x07",
      "\x1b]52;c;ZXZpbA==\x1b\\",
      "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
      "\x1bP+q544e\x1b\\",
      "\x1b[6n",
      "\x9d0;title\x9c",
      "\x1bc",
      "\x0e\x0f",
      "over\rwritten",
      "back\b\b\b\bfront",
    ]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(visible(sequence)).not.toMatch(/[\0-\x1f\x7f-\x9f]/);
    }
  });

  test("of all characters there are, no control, separator or surrogate is left, and a line stays one line", () => {
    const shown = visible([...all()].join(""));
    expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
    expect(shown.length).toBeGreaterThan(1_000_000);
  });
});

test("text of every script, symbols and emoji are left alone", () => {
  for (const text of [
    "",
    "plain text ~ with \\ ^ and `",
    "naïve café Ωmega Привет",
    "שלום עולם",
    "مرحبا بالعالم",
    "नमस्ते दुनिया",
    "こんにちは世界 안녕",
    "👋🏽 🇩🇪 𝔘𝔫𝔦",
    "e\u0301 \u00a0 \u3000",
  ]) {
    expect(visible(text)).toBe(text);
  }
});
