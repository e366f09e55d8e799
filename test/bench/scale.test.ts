/** The harness itself, on real processes: a small flood whose leader dies and comes back, verified to the end. */
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../..", import.meta.url).pathname;

async function scale(...args: string[]) {
  const child = Bun.spawn([process.execPath, `${ROOT}bench/scale.ts`, ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("a flood whose leader is killed and started again is verified, told, drawn, and leaves nothing behind", async () => {
  const dir = mkdtempSync(join(tmpdir(), "chatpeer-scale-test-"));
  const [json, report] = [join(dir, "figures.json"), join(dir, "page.html")];
  const args = "--messages 3000 --window 200 --kill-leader 1 --restart".split(" ");
  const { code, out, err } = await scale(...args, "--dir", dir, "--json", json, "--report", report);
  expect(`${code} ${err}`).toStartWith("0 ");
  expect(out).toContain("one history, nothing lost, nothing twice");
  expect(out).toContain("failover after SIGKILL");
  const { runs, floor } = JSON.parse(readFileSync(json, "utf8"));
  expect(floor).toBeNull();
  expect(runs[0].messages).toBeGreaterThanOrEqual(3000);
  expect(runs[0].verdict.violations).toEqual([]);
  expect(runs[0].faults).toHaveLength(1);
  expect(runs[0].faults[0]).toMatchObject({ kind: "kill", leader: 3 });
  expect(runs[0].faults[0].gapMs).toBeGreaterThan(0);
  expect(runs[0].faults[0].restart.caughtUpMs).toBeGreaterThan(0);
  expect(runs[0].latencyMs.p50).toBeGreaterThan(0);
  expect(readFileSync(report, "utf8")).toContain("VERIFIED");
  expect(readdirSync(dir).sort()).toEqual(["figures.json", "page.html"]);
  rmSync(dir, { recursive: true });
}, 60_000);

test("a row of the table of figures is measured alone, told with its bounds, and leaves nothing behind", async () => {
  const dir = mkdtempSync(join(tmpdir(), "chatpeer-scale-test-"));
  const json = join(dir, "figures.json");
  const { code, out, err } = await scale(
    ..."--figures --quick --runs 1 --only idle --dir".split(" "),
    dir,
    "--json",
    json,
  );
  expect(`${code} ${err}`).toStartWith("0 ");
  expect(out).toContain("idle: of one core, over 6 s");
  const { lines } = JSON.parse(readFileSync(json, "utf8"));
  expect(lines.map((l: { row: string; unit: string }) => `${l.row} ${l.unit}`)).toEqual(["idle %", "idle MB"]);
  expect(lines[0].judged.figure).toBeGreaterThanOrEqual(0);
  expect(lines[1].judged.figure).toBeGreaterThan(10);
  expect(readdirSync(dir)).toEqual(["figures.json"]);
  rmSync(dir, { recursive: true });
}, 60_000);

test.each(["paused", "deaf"])(
  "a follower that is %s for the whole flood has everything in the end",
  async (how) => {
    const dir = mkdtempSync(join(tmpdir(), "chatpeer-scale-test-"));
    const json = join(dir, "figures.json");
    const args = ["--messages", "3000", "--window", "200", "--one-follower", how];
    const { code, out, err } = await scale(...args, "--dir", dir, "--json", json);
    expect(`${code} ${err}`).toStartWith("0 ");
    expect(out).toContain("one history, nothing lost, nothing twice");
    const { runs } = JSON.parse(readFileSync(json, "utf8"));
    expect(runs[0].oneFollower.id).not.toBe(3);
    expect(runs[0].oneFollower.peakMb).toBeGreaterThan(10);
    rmSync(dir, { recursive: true });
  },
  60_000,
);

test("wrong usage is exit code 2, in one line, and nothing is started", async () => {
  const { code, out, err } = await scale("--peers", "none");
  expect([code, out, err]).toEqual([2, "", 'scale: --peers must be a whole number from 1 to 100, not "none"\n']);
});
