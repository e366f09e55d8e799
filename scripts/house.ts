/**
 * House rules as a check: no circle of imports, no dead export, no file that is too long to be read at once, no reference
 * to what does not exist, and no rule of SPEC.md without a test. Prints every violation and exits 1 if there is one.
 * Who may import whom is checked by layers.ts.
 */
import { circles } from "./house/circles.ts";
import { deadExports } from "./house/exports.ts";
import { sameNames } from "./house/names.ts";
import { brokenLinks, lostFiles, uncitedRules, wrongCitations } from "./house/references.ts";
import { DOCUMENTS, filesOf, SOURCES } from "./house/tree.ts";

const LINES_MAX = 350;
/** Longer ones, by the reason why they are. */
const LONG: Readonly<Record<string, readonly string[]>> = {
  "many cases of one subject": [
    "test/cli/chat/chat.test.ts",
    "test/cli/editor/editor.test.ts",
    "test/cli/screen/screen.test.ts",
    "test/engines/bully/traces.test.ts",
    "test/e2e/bad-input.test.ts",
    "test/host/store/forced.test.ts",
    "test/host/host.test.ts",
    "test/host/net/links.test.ts",
    "test/host/net/network-contract.ts",
    "test/sim/kill-plans.ts",
    "test/wire/decoder.test.ts",
    "test/wire/entry.test.ts",
    "test/wire/samples.ts",
  ],
};

const long = new Set(Object.values(LONG).flat());
const spec = filesOf("src/core/SPEC.md")
  .map(({ text }) => text)
  .join();
const tests = [...SOURCES.filter(({ path }) => path.startsWith("test/")), ...filesOf("test/**/*.txt")];
const files = ["*", ".ci/*", "{src,bench,scripts,test,docs}/**/*"].flatMap((pattern) =>
  filesOf(pattern).map(({ path }) => path),
);

const problems = [
  ...circles(SOURCES).map((circle) => `these import one another: ${circle.join(", ")}`),
  ...deadExports(SOURCES, "src/index.ts"),
  ...SOURCES.flatMap(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > LINES_MAX && !long.has(path) ? [`${path}: ${lines} lines, more than ${LINES_MAX}`] : [];
  }),
  ...sameNames(SOURCES, "src"),
  ...wrongCitations([...SOURCES, ...DOCUMENTS], spec),
  ...uncitedRules(tests, spec),
  ...brokenLinks(DOCUMENTS),
  ...lostFiles([...SOURCES, ...DOCUMENTS], files),
];
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "house: every rule is kept" : `house: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
