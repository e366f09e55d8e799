/** What others send is shown by the terminal, never obeyed: control characters and those that hide or reorder text. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { visible } from "../../../src/cli/screen/visible.ts";
import { processorMs } from "../processor-time.ts";

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
    // Joined emoji, with and without skins; the longest there is; flags made of tags; a keycap.
    "👨‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 🧑🏻‍❤️‍💋‍🧑🏿 🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿🏴󠁧󠁢󠁷󠁬󠁳󠁿 1️⃣",
    // Persian, Hindi, Sinhala, Malayalam, Bengali words with joiners; a variant in a Japanese name; Mongolian.
    "می\u200cخواهم",
    "क्\u200cष क्\u200dष",
    "ශ්\u200dරී",
    "ന്\u200d",
    "র\u200d্যাব",
    "葛\u{e0100}城",
    "ᠠ\u180b",
    // As many marks as scripts use.
    "בְּרֵאשִׁ֖ית ཧཱུྃ ặ",
  ]) {
    expect(visible(text)).toBe(text);
  }
});

describe("what looks like nothing, or like something else", () => {
  test("characters without a shape, in names too: fillers, joiners out of place, tags, soft hyphens", () => {
    expect(visible("\u3164\u115f\u1160\uffa0")).toBe("\\u{3164}\\u{115f}\\u{1160}\\u{ffa0}");
    expect(visible("bo\u200db bo\u200cb \u200d")).toBe("bo\\u{200d}b bo\\u{200c}b \\u{200d}");
    expect(visible("علی\u200c")).toBe("علی\\u{200c}");
    expect(visible("a\u00adb\u034fc")).toBe("a\\u{ad}b\\u{34f}c");
    expect(visible("🏴\u{e0068}\u{e0069}\u{e007f}")).toBe("🏴\\u{e0068}\\u{e0069}\\u{e007f}");
  });

  test("of all characters that Unicode calls ignorable only those that choose a variant are left", () => {
    const left = [...all()].filter(
      (c) => /\p{Default_Ignorable_Code_Point}/u.test(c) && visible(c.repeat(9)).includes(c),
    );
    expect(left.every((c) => /\p{Variation_Selector}/u.test(c))).toBe(true);
  });

  test("an emoji of more than four parts is none", () => {
    expect(visible(["👩", "👩", "👩", "👩", "👩", "👩"].join("\u200d"))).toBe("👩‍👩‍👩‍👩\\u{200d}👩‍👩");
  });
});

describe("stacks of marks", () => {
  test("eight stay on each character, and it is said that there were more", () => {
    expect(visible(`Z${"\u0301".repeat(8)}a`)).toBe(`Z${"\u0301".repeat(8)}a`);
    expect(visible(`Z${"\u0301".repeat(9)}a`)).toBe(`Z${"\u0301".repeat(8)}…a`);
    const stack = "\u0300\u0301\u0323\u0488".repeat(500);
    expect(visible(`Z${stack}a${stack}l`)).toBe(`Z${stack.slice(0, 8)}…a${stack.slice(0, 8)}…l`);
  });

  test("a joiner does not begin a new stack", () => {
    const part = `\u094d\u200d${"\u0301".repeat(7)}`;
    expect(visible(`क${part}${part}`)).toBe(`क${part}${part}`.replaceAll("\u200d", "\\u{200d}"));
  });

  test("however they are mixed with what is invisible, no character has more", () => {
    const pieces = [
      "a",
      "字",
      "क",
      "\u094d",
      "\u200d",
      "\u200c",
      "\u0301",
      "\u0488",
      "\u034f",
      "\ufe0f",
      "👩",
      "🏽",
      "\u{e0100}",
      "ی",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 80 }), (text) => {
        expect(visible(text.join(""))).not.toMatch(/(?:\p{M}[\u200c\u200d]?){9}/u);
      }),
      { numRuns: 1000 },
    );
  });
});

test("the largest message, whatever it is made of, is made visible in no noticeable time", () => {
  for (const text of [
    "a",
    "\u0301",
    "\x1b",
    "👩\u200d",
    "👩",
    "क्\u200d",
    "ی\u200c",
    "🏴\u{e0067}\u{e0062}",
    "\u200d",
  ]) {
    expect(processorMs(() => visible(text.repeat(65_536 / text.length)))).toBeLessThan(200);
  }
});
