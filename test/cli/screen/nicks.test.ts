/** Colours of names: readable wherever they are shown, and the same everywhere. */
import { describe, expect, test } from "bun:test";
import { NICK_COLOURS, nickColour, paintNick } from "../../../src/cli/screen/nicks.ts";
import { MARKS, PLAIN } from "./paints.ts";

/** xterm's cube: six steps of red, green and blue from 16 on. */
function rgb(colour: number): [number, number, number] {
  const steps = [0, 95, 135, 175, 215, 255];
  const n = colour - 16;
  return [Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map((step) => steps[step]) as [number, number, number];
}

/** WCAG 2: relative luminance. */
function luminance(colour: readonly number[]): number {
  const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (r as number) + 0.7152 * (g as number) + 0.0722 * (b as number);
}

function contrast(a: readonly number[], b: readonly number[]): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

describe("the palette", () => {
  for (const [name, background] of [
    ["black", [0, 0, 0]],
    ["dark", [0x1e, 0x1e, 0x1e]],
    ["white", [255, 255, 255]],
  ] as const) {
    test(`has a contrast of 3 at least on ${name}`, () => {
      for (const colour of NICK_COLOURS) expect(contrast(rgb(colour), background)).toBeGreaterThanOrEqual(3);
    });
  }

  test("is of the cube, which themes leave alone, each colour once", () => {
    expect(new Set(NICK_COLOURS).size).toBe(NICK_COLOURS.length);
    expect(Math.min(...NICK_COLOURS)).toBeGreaterThanOrEqual(16);
    expect(Math.max(...NICK_COLOURS)).toBeLessThanOrEqual(231);
  });
});

describe("names", () => {
  test("have the colours they had in earlier versions", () => {
    expect(["alice", "bob", "carol", "peer_1", "字", ""].map(nickColour)).toEqual([69, 134, 100, 30, 166, 164]);
  });

  test("of teams as they are in textbooks, and of a new cluster, are of as many colours", () => {
    const letters = ["alice", "bob", "carol", "dave", "eve"];
    const numbers = [1, 2, 3, 4, 5].map((id) => `peer_${id}`);
    for (const team of [letters, letters.map((name) => (name[0] as string).toUpperCase() + name.slice(1)), numbers])
      expect(new Set(team.map(nickColour)).size).toBe(team.length);
  });

  test("however their accents are encoded, have one", () => {
    expect(nickColour("Zoe\u0308")).toBe(nickColour("Zoë"));
  });

  test("of a numbered team spread over the palette", () => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 1400; i++) counts.set(nickColour(`peer_${i}`), (counts.get(nickColour(`peer_${i}`)) ?? 0) + 1);
    expect(counts.size).toBe(NICK_COLOURS.length);
    expect(Math.max(...counts.values())).toBeLessThan(200);
    expect(Math.min(...counts.values())).toBeGreaterThan(50);
  });

  test("are painted bold in their colour, made visible; where nothing is painted they are plain", () => {
    expect(paintNick("alice", MARKS)).toBe(`\x1b[38;5;${nickColour("alice")}m<b>alice</>\x1b[39m`);
    expect(paintNick("al\x1b[31mice\u202e", PLAIN)).toBe("al^[[31mice\\u{202e}");
    expect(paintNick("al\x1b[31m", MARKS)).toContain("<b>al^[[31m</>");
  });
});
