/** The checks of the house find what they are for. */
import { expect, test } from "bun:test";
import { circles } from "../../scripts/house/circles.ts";
import { deadExports } from "../../scripts/house/exports.ts";
import { sameNames } from "../../scripts/house/names.ts";
import { brokenLinks, lostFiles, uncitedRules, wrongCitations } from "../../scripts/house/references.ts";

const SPEC = "- **R1** One.\n- **R2** _(host)_ Two.\n\nInvariants: I1 holds.";

function file(path: string, ...lines: string[]) {
  return { path, text: lines.join("\n") };
}

test("files that import one another, over any number of others, types included", () => {
  const found = circles([
    file("src/a.ts", 'import type { B } from "./b.ts";'),
    file("src/b.ts", 'export { c } from "./rooms/c.ts";'),
    file("src/rooms/c.ts", 'const a = await import("../a.ts");', 'import { d } from "./d.ts";'),
    file("src/rooms/d.ts", 'import { x } from "yaml";'),
  ]);
  expect(found).toEqual([["src/a.ts", "src/b.ts", "src/rooms/c.ts"]]);
});

test("exports that nobody imports; a type may stand in a signature", () => {
  const sources = [
    file("src/a.ts", "export interface Shape {}", "export function used(shape: Shape) {}", "export const dead = 1;"),
    file("src/b.ts", 'import { used as taken } from "./a.ts";', "export type Lonely = 1;"),
    file("src/index.ts", "export const published = 1;"),
  ];
  expect(deadExports(sources, "src/index.ts").map((line) => line.split(" is ")[0])).toEqual([
    "src/a.ts: dead",
    "src/b.ts: Lonely",
  ]);
});

test("files of one name in a room", () => {
  const sources = ["src/cli/a.ts", "src/cli/x/a.ts", "src/cli/x/b.ts", "src/host/b.ts"].map((path) => file(path));
  expect(sameNames(sources, "src/cli")).toEqual(["one name twice: src/cli/a.ts, src/cli/x/a.ts"]);
});

test("rules that are cited and not stated, and stated and not cited", () => {
  const sources = [file("test/a.test.ts", `// [${"R1"}] [${"I1"}] [${"R9"}]`)];
  expect(wrongCitations(sources, SPEC)).toEqual(["test/a.test.ts: SPEC.md has no rule R9"]);
  expect(uncitedRules(sources, SPEC)).toEqual(["SPEC.md: no test names rule R2"]);
});

test("links and files that lead nowhere", () => {
  const page = file(
    "README.md",
    "# A title, here",
    "[up](#a-title-here) [down](#there) [gone](docs/none.md) [web](https://x.y)",
  );
  expect(brokenLinks([page])).toEqual([
    "README.md: README.md has no section #there",
    "README.md: there is no docs/none.md",
  ]);
  const source = file("src/a.ts", `/** As links.ts says, not ${"lost"}.ts. */`, 'const name = "data.ts";');
  expect(lostFiles([source], ["src/host/net/links.ts"])).toEqual(["src/a.ts: there is no file lost.ts"]);
});
