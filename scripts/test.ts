/**
 * The test command: every check of this project, the fast ones first, each counted. Ends with `N passed, N failed`.
 * `--only types,lint,layers,house,build,unit,sim,e2e,seeds,bench` runs a part.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = new URL("..", import.meta.url).pathname;
const reports = mkdtempSync(join(tmpdir(), "chatpeer-test-"));
const bun = process.execPath;
/** "yes" when the artefacts are those of these sources: no end-to-end test need build them again. */
let built = "";
/** Stages that run together: unit and sim use a core each; seeds uses what the waiting e2e tests leave of both. */
const SIDE_BY_SIDE: readonly (readonly string[])[] = [
  ["unit", "sim"],
  ["e2e", "seeds"],
];
/** Files of end-to-end tests that run at once: they wait for processes, disks and leases far more than they work. */
const E2E_AT_ONCE = 4;
/** These begin first, so that none of them is left alone at the end. */
const E2E_LONG = ["fight", "slow", "narrow", "lock", "demo", "bad-input"].map(e2eFile);
/** Their claims are times and rates: nothing else but the seeds runs beside them. */
const E2E_ALONE = ["figures"].map(e2eFile);
/** Of each profile of the simulator, and of the one that mixes all faults; the nightly run plays new ones by the thousand. */
const SEEDS_EACH = 4;
const SEEDS_ALL = 28;

function e2eFile(name: string): string {
  return `test/e2e/${name}.test.ts`;
}

/** A command that passes or fails as one. */
async function check(...command: string[]): Promise<Counts> {
  const child = Bun.spawn(command, { cwd: root, stdout: "inherit", stderr: "inherit", stdin: "ignore" });
  const ok = (await child.exited) === 0;
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

async function types(...projects: string[]): Promise<Counts> {
  const found = await Promise.all(projects.map((project) => check(...tsc, "-p", project)));
  const sum = (field: keyof Counts) => found.reduce((n, counts) => n + counts[field], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: 0 };
}

/** A suite of bun test, counted from its report and shown when it is over. A suite that crashed or ran nothing has failed. */
async function suite(name: string, ...folders: string[]): Promise<Counts> {
  const report = join(reports, `${name}.xml`);
  const child = Bun.spawn(
    [bun, "test", "--timeout", "120000", "--reporter", "junit", "--reporter-outfile", report, ...folders],
    { cwd: root, env: { ...process.env, CHATPEER_BUILT: built }, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
  );
  const [said, told] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  process.stdout.write(said + told);
  let counts: Counts;
  try {
    const head = /<testsuites[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] ?? "";
    const number = (field: string) => Number(new RegExp(`${field}="([0-9]+)"`).exec(head)?.[1] ?? 0);
    const [tests, failed, skipped] = [number("tests"), number("failures"), number("skipped")];
    counts = { passed: tests - failed - skipped, failed, skipped };
  } catch {
    counts = { passed: 0, failed: 0, skipped: 0 };
  }
  if (counts.passed === 0 || (code !== 0 && counts.failed === 0)) counts.failed += 1;
  return counts;
}

/** Every file is a suite of its own. */
async function e2e(): Promise<Counts> {
  const all = [...new Bun.Glob("test/e2e/*.test.ts").scanSync(root)].sort();
  const others = all.filter((file) => !E2E_ALONE.includes(file) && !E2E_LONG.includes(file));
  const left = [...E2E_LONG, ...others];
  const sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  const play = async (file: string) => add(sum, await suite(basename(file), file));
  const player = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) await play(file);
  };
  await Promise.all(Array.from({ length: E2E_AT_ONCE }, player));
  for (const file of E2E_ALONE) await play(file);
  return sum;
}

/** Worlds of the simulator on all cores, each of them counted; they make way for whatever else runs. */
async function seeds(): Promise<Counts> {
  // Only here: where one of these cannot be loaded, the other stages say why.
  const { SimPool } = await import("../src/cli/sim/sim-pool.ts");
  const { PROFILES } = await import("../src/sim/profile.ts");
  const pool = new SimPool(["nice", "-n", "19", bun, join(root, "src/cli/main.ts")], availableParallelism());
  const worlds = PROFILES.flatMap((profile) =>
    Array.from({ length: profile === "all" ? SEEDS_ALL : SEEDS_EACH }, (_, i) => ({ profile, seed: i + 1 })),
  );
  const runs = await Promise.all(worlds.map((world) => pool.play({ ...world, peers: 5, minutes: 5, mutant: null })));
  pool.close();
  for (const [i, { verdict, message }] of runs.entries()) {
    const { profile, seed } = worlds[i] as (typeof worlds)[number];
    if (verdict !== "PASS")
      console.log(`(fail) ${verdict} ${message ?? ""}: chatpeer sim --profile ${profile} --seed ${seed}`);
  }
  const hours = runs.reduce((sum, r) => sum + r.virtual_s, 0) / 3600;
  const drained = runs.filter((r) => r.drained).length;
  console.log(`${runs.length} seeds of five peers, ${hours.toFixed(1)} virtual hours; liveness shown in ${drained}`);
  const passed = runs.filter((r) => r.verdict === "PASS").length;
  // All but the rare one that has lost a majority for good.
  const asleep = drained < 0.95 * runs.length ? 1 : 0;
  return { passed, failed: runs.length - passed + asleep, skipped: 0 };
}

const tsc = ["node", "node_modules/typescript/bin/tsc"];
const stages: Record<string, () => Promise<Counts>> = {
  // The pages' browser code has types of its own: those of a browser, and of nothing else.
  types: () => types("tsconfig.json", "src/report/page/tsconfig.json"),
  purity: () => types("src/core/tsconfig.json", "src/engines/tsconfig.json"),
  lint: () => check("node", "node_modules/@biomejs/biome/bin/biome", "check"),
  layers: () => check(bun, "scripts/layers.ts"),
  house: () => check(bun, "scripts/house.ts"),
  build: async () => {
    const counts = await check(bun, "scripts/build.ts");
    built = counts.failed === 0 ? "yes" : "";
    return counts;
  },
  unit: () =>
    suite(
      "unit",
      "test/core",
      "test/engines",
      "test/wire",
      "test/host",
      "test/adapters",
      "test/report",
      "test/cli",
      "test/house",
    ),
  sim: () => suite("sim", "test/sim"),
  e2e,
  seeds,
  bench: () => suite("bench", "test/bench"),
};

const [flag, names = "", ...more] = process.argv.slice(2);
const chosen = flag === undefined ? Object.keys(stages) : names.split(",");
const unknown = chosen.find((name) => stages[name] === undefined);
if ((flag !== undefined && flag !== "--only") || more.length > 0 || unknown !== undefined) {
  console.error(`npm test runs everything, npm test -- --only STAGE,... some of ${Object.keys(stages).join(", ")}`);
  process.exit(flag === "--help" ? 0 : 2);
}
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const name of chosen) {
  const group = (SIDE_BY_SIDE.find((names) => names.includes(name)) ?? [name]).filter((n) => chosen.includes(n));
  if (group[0] === name) await Promise.all(group.map(run));
}

async function run(name: string): Promise<void> {
  const began = performance.now();
  const counts = await (stages[name] as () => Promise<Counts>)();
  console.log(
    `── ${name}: ${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""} (${((performance.now() - began) / 1000).toFixed(1)} s)`,
  );
  add(total, counts);
}

function add(sum: Counts, counts: Counts): void {
  sum.passed += counts.passed;
  sum.failed += counts.failed;
  sum.skipped += counts.skipped;
}

rmSync(reports, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed === 0 ? 0 : 1);
