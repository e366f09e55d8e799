/** docs/architecture.md says which functions a message passes: they are there. */
import { expect, test } from "bun:test";
import { filesOf } from "../../scripts/house/tree.ts";

const [page] = filesOf("docs/architecture.md").map(({ text }) => text);
const hops = [...(page ?? "").matchAll(/^\| ([0-9]+) \| `([^`]+\.ts)` \| (.*?) \|/gm)].map(
  ([, hop, file, functions]) => ({
    hop: Number(hop),
    file: file as string,
    functions: [...(functions as string).matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
  }),
);

test("each hop of a message names a file and functions that it has, in order", () => {
  expect(hops.length).toBeGreaterThan(20);
  expect(hops.map(({ hop }) => hop)).toEqual(hops.map(({ hop }) => hop).sort((a, b) => a - b));
  const missing = hops.flatMap(({ file, functions }) => {
    const text = filesOf(file).map((source) => source.text)[0] ?? "";
    return functions
      .filter((name) => !new RegExp(`^(?:export function |  (?:readonly )?)${name}\\(|^  ${name} = `, "m").test(text))
      .map((name) => `${file} has no ${name}`);
  });
  expect(missing).toEqual([]);
});
