/** The nightly run: it goes on where it was stopped, begins anew for other sources, and finds what is broken. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROFILES } from "../../src/sim/profile.ts";

/** A first seed whose turn it is to be calm, where little shows. */
const CALM = String(PROFILES.length);
const SCRIPT = join(import.meta.dir, "../../scripts/sim-nightly.ts");
const root = mkdtempSync(join(tmpdir(), "chatpeer-nightly-"));
const STATE = join(root, "state.json");
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function nightly(...args: string[]) {
  const files = ["--state", STATE, "--table", join(root, "mutants.md")];
  const child = Bun.spawn([process.execPath, SCRIPT, ...files, "--minutes", "1", ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

const state = () => JSON.parse(readFileSync(STATE, "utf8"));
const rows = () =>
  readFileSync(join(root, "mutants.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));

test("seeds that are done are not done again, and other sources begin anew", async () => {
  const first = await nightly("--first", "1", "--seeds", "3", "--others", "0", "--rounds", "0");
  expect(first.err).toBe("");
  expect(first.out).toContain("3 seeds from 1 on, ");
  const before = state();
  const second = await nightly("--seeds", "4", "--others", "0", "--rounds", "0");
  expect(second.out).toContain("going on with ");
  expect(second.out).toContain("4 seeds from 1 on, ");
  expect(state().sweeps.all.done).toBe(4);
  expect(state().sweeps.all.virtualS).toBeGreaterThan(before.sweeps.all.virtualS + 50);
  expect(existsSync(join(root, "mutants.md"))).toBe(false);
  const other = await nightly("--first", CALM, "--seeds", "4", "--others", "0", "--rounds", "0");
  expect(other).toMatchObject({ code: 2, err: expect.stringContaining("began with seed 1") });
  writeFileSync(STATE, JSON.stringify({ ...state(), sources: "others" }));
  const anew = await nightly("--first", CALM, "--seeds", "1", "--others", "0", "--rounds", "0");
  expect(anew.out).toContain("the sources have changed");
  expect(anew.out).toContain(`1 seeds from ${CALM} on, `);
}, 60_000);

test("a mutant is found in what is drawn or in a directed plan; rounds that are done are not done again", async () => {
  const hunt = ["--seeds", "0", "--others", "0", "--only", "sent-early,cursor-ahead", "--mutant-seeds", "1"];
  writeFileSync(STATE, JSON.stringify({ ...state(), failures: [], mutants: {} }));
  const first = await nightly(...hunt, "--rounds", "1");
  expect(first).toMatchObject({ code: 0, err: "", out: expect.stringContaining("2 of 2 mutants killed") });
  const [early, ahead] = rows();
  expect(early).toMatch(/^\| `sent-early` \| S1 \| .* \| I8 \| 0 \| 0 \|$/);
  expect(ahead).toMatch(/^\| `cursor-ahead` \| D7 \| .* \| I4 \| > 1 \| [0-9]+ \|$/);
  const before = state().mutants;
  await nightly(...hunt, "--rounds", "2");
  expect(state().mutants["cursor-ahead"]).toHaveLength(2);
  expect(state().mutants["cursor-ahead"][0]).toEqual(before["cursor-ahead"][0]);
}, 60_000);

test("a mutant that no seed finds has survived", async () => {
  writeFileSync(STATE, JSON.stringify({ ...state(), mutants: {} }));
  const hunt = ["--seeds", "0", "--others", "0", "--only", "cursor-ahead", "--rounds", "1"];
  const { code, out } = await nightly(...hunt, "--mutant-seeds", "1", "--directed-seeds", "0");
  expect(code).toBe(1);
  expect(out).toContain("SURVIVED cursor-ahead: what is durable is noted as delivered");
  expect(rows()).toEqual([expect.stringMatching(/ \| – \| > 1 \| > 1 \|$/)]);
}, 60_000);

test("wrong numbers and names are refused", async () => {
  const refused = (err: string) => ({ code: 2, err: `${err}\n` });
  expect(await nightly("--seeds", "many")).toMatchObject(refused('--seeds must be a whole number, not "many"'));
  expect(await nightly("--only", "nothing")).toMatchObject(
    refused('--only: there is no mutant "nothing" (chatpeer sim --list-rules)'),
  );
});
