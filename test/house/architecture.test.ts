/** docs/architecture.md says which functions a message passes: they are there. */
import { expect, test } from "bun:test";
import { filesOf } from "../../scripts/house/tree.ts";

const page = filesOf("docs/architecture.md")
  .map(({ text }) => text)
  .join("");
const hops = [...page.matchAll(/^\| ([0-9]+) \| `(src\/[^`]+)` \| (`.*?`) \|/gm)].map(([, hop, folder, functions]) => ({
  hop: Number(hop),
  folder: folder as string,
  functions: [...(functions as string).matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
}));

/** `encodeFrame`, or `Links.send`: a method or a property of a class. */
function isIn(text: string, name: string): boolean {
  const [first, member] = name.split(".");
  if (member === undefined) return text.includes(`export function ${first}(`);
  return new RegExp(`^(?:export )?class ${first} `, "m").test(text) && new RegExp(`^  ${member}\\(`, "m").test(text);
}

test("each hop of a message names functions that its folder has, in order", () => {
  expect(hops.length).toBeGreaterThan(30);
  expect(hops.map(({ hop }) => hop)).toEqual(hops.map(({ hop }) => hop).sort((a, b) => a - b));
  const missing = hops.flatMap(({ folder, functions }) => {
    const texts = filesOf(`${folder}/*.ts`).map(({ text }) => text);
    return functions
      .filter((name) => !texts.some((text) => isIn(text, name)))
      .map((name) => `${folder} has no ${name}`);
  });
  expect(missing).toEqual([]);
});

test("each part of the engine that it names is a class there", () => {
  const parts = [...page.matchAll(/^\| ((?:`[A-Z]\w+`(?:, )?)+) \|/gm)].flatMap(([, row]) =>
    [...(row as string).matchAll(/`(\w+)`/g)].map(([, name]) => name as string),
  );
  expect(parts.length).toBeGreaterThan(15);
  const texts = filesOf("src/engines/bully/*.ts").map(({ text }) => text);
  expect(parts.filter((name) => !texts.some((text) => text.includes(`export class ${name} `)))).toEqual([]);
});
