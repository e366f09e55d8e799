/** The simulator in each artefact: the same seed is the same run on Bun, Node and Deno, and all of them use all cores. */
import { expect, test } from "bun:test";
import { SCENARIOS } from "../../src/sim/scenarios.ts";
import { ROOT, RUNTIMES, run } from "./harness.ts";

const ARTEFACTS = { ...RUNTIMES, source: [process.execPath, `${ROOT}src/cli/main.ts`] } as const;

const SEEDS = ["--seeds", "4", "--minutes", "1", "--json"];
const STORIES = [...SCENARIOS.flatMap(({ name }) => ["--scenario", name]), "--json"];

test("the same seeds have the same trace hashes in the binary, on Node, on Deno and from the sources", async () => {
  const outputs: Record<string, string> = {};
  for (const [name, command] of Object.entries(ARTEFACTS)) {
    const [seeds, stories] = [await run([...command, "sim", ...SEEDS]), await run([...command, "sim", ...STORIES])];
    expect([name, seeds.err, stories.err, stories.code]).toEqual([name, "", "", 0]);
    outputs[name] = seeds.out + stories.out;
  }
  const lines = (outputs.source as string).split("\n").slice(0, -1);
  expect(lines).toHaveLength(4 + SCENARIOS.length);
  expect(new Set(lines.map((line) => JSON.parse(line).trace_hash)).size).toBe(4 + SCENARIOS.length);
  for (const output of Object.values(outputs)) expect(output).toBe(outputs.source as string);
}, 120_000);

test("a run that takes too long is ended in each of them: UNKNOWN, exit code 4", async () => {
  const ended = await Promise.all(
    Object.values(ARTEFACTS).map((command) => run([...command, "sim", "--minutes", "600", "--budget", "1", "--json"])),
  );
  for (const { code, out, err } of ended) {
    expect([code, err]).toEqual([4, ""]);
    expect(JSON.parse(out)).toMatchObject({ verdict: "UNKNOWN", trace_hash: null });
  }
}, 60_000);
