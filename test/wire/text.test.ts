/** Text and bytes at the border: lengths as UTF-8 has them, quotes that a terminal can bear. */
import { expect, test } from "bun:test";
import { encodeUtf8, isMessage, isName, quote, utf8Length } from "../../src/wire/text.ts";
import { ascii, Sampler } from "./samples.ts";

test("the length of a text is that of its bytes, lone surrogates included", () => {
  const sampler = new Sampler(1);
  const units = [0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff];
  for (const a of units) {
    for (const b of units) {
      for (const c of units) {
        const text = String.fromCharCode(a, b, c);
        expect(utf8Length(text)).toBe(encodeUtf8(text).length);
      }
    }
  }
  for (let round = 0; round < 300; round++) {
    const text = sampler.text();
    expect(utf8Length(text)).toBe(Buffer.byteLength(text));
  }
  expect(utf8Length("")).toBe(0);
});

test("a quote is the first 40 bytes in printable ASCII, and says how many there are if there are more", () => {
  expect(quote(ascii("plain text"), 0, 10)).toBe("plain text");
  expect(quote(ascii("xxplain textxx"), 2, 12)).toBe("plain text");
  expect(quote(Uint8Array.of(0, 0x1b, 0x7f, 0x9b, 0xff, 0x20, 0x7e), 0, 7)).toBe("\\x00\\x1b\\x7f\\x9b\\xff ~");
  expect(quote(ascii("A".repeat(40)), 0, 40)).toBe("A".repeat(40));
  expect(quote(ascii("A".repeat(50)), 0, 41)).toBe(`${"A".repeat(40)}… (41 bytes)`);
  expect(quote(ascii(`{"token":"${"abcdef234567".repeat(3)}"`), 0, 47)).toBe('{"token":"…… (47 bytes)');
});

test("half a character is no name and no message, alone, beside others, and the wrong way round", () => {
  for (const half of ["\ud83d", "\udc4b", "a\ud83d", "\ud83da", "\udc4b\ud83d", "👋\udc4b"])
    for (const text of [half, "x".repeat(30) + half]) expect([isName(text), isMessage(text)]).toEqual([false, false]);
  expect([isName("👋"), isMessage("👋"), isMessage("\ufffd")]).toEqual([true, true, true]);
});
