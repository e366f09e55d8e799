/** The nightly run: it goes on where it was stopped, and begins anew for other sources. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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
  const other = await nightly("--first", "7", "--seeds", "4", "--others", "0", "--rounds", "0");
  expect(other).toMatchObject({ code: 2, err: expect.stringContaining("began with seed 1") });
  writeFileSync(STATE, JSON.stringify({ ...state(), sources: "others" }));
  const anew = await nightly("--first", "7", "--seeds", "1", "--others", "0", "--rounds", "0");
  expect(anew.out).toContain("the sources have changed");
  expect(anew.out).toContain("1 seeds from 7 on, ");
}, 60_000);

test("wrong numbers are refused", async () => {
  expect(await nightly("--seeds", "many")).toMatchObject({
    code: 2,
    err: '--seeds must be a whole number, not "many"\n',
  });
});
