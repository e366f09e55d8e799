/**
 * The test command: every check of this project, the fast ones first, each counted. Ends with `N passed, N failed`.
 * `--only types,lint,layers,house,build,unit,sim,seeds,e2e,patient,bench` runs a part.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = new URL("..", import.meta.url).pathname;
const reports = mkdtempSync(join(tmpdir(), "chatpeer-test-"));
const bun = process.execPath;
/** Run together: none of these uses more than one core. */
const SIDE_BY_SIDE: readonly (readonly string[])[] = [
  ["unit", "sim"],
  ["e2e", "patient"],
];
/** End-to-end tests that wait for disks, lines and leases far more than they work. */
const PATIENT = ["copies", "fight", "lock", "narrow", "slow"].map((name) => `test/e2e/${name}.test.ts`);
/** Of five virtual minutes each. */
const SEEDS = 200;

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
    { cwd: root, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
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

/** Worlds of the simulator on all cores, each of them counted. */
async function seeds(): Promise<Counts> {
  const command = [bun, "src/cli/main.ts", "sim", "--profile", "all", "--seeds", String(SEEDS), "--json"];
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "inherit", stdin: "ignore" });
  const runs = (await new Response(child.stdout).text())
    .split("\n")
    .filter((line) => line !== "")
    .map(
      (line) =>
        JSON.parse(line) as {
          seed: number;
          verdict: string;
          message: string | null;
          virtual_s: number;
          drained: boolean;
        },
    );
  for (const { seed, verdict, message } of runs)
    if (verdict !== "PASS")
      console.log(`(fail) ${verdict} ${message ?? ""}: chatpeer sim --profile all --seed ${seed}`);
  const hours = runs.reduce((sum, r) => sum + r.virtual_s, 0) / 3600;
  const drained = runs.filter((r) => r.drained).length;
  console.log(`${runs.length} seeds of five peers, ${hours.toFixed(1)} virtual hours; liveness shown in ${drained}`);
  const passed = runs.filter((r) => r.verdict === "PASS").length;
  const broken = (await child.exited) !== 0 && passed === SEEDS ? 1 : 0;
  // All but the rare one that has lost a majority for good.
  const asleep = drained < 0.95 * SEEDS ? 1 : 0;
  return { passed, failed: SEEDS - passed + broken + asleep, skipped: 0 };
}

const tsc = ["node", "node_modules/typescript/bin/tsc"];
const stages: Record<string, () => Promise<Counts>> = {
  // The pages' browser code has types of its own: those of a browser, and of nothing else.
  types: () => types("tsconfig.json", "src/report/page/tsconfig.json"),
  purity: () => types("src/core/tsconfig.json", "src/engines/tsconfig.json"),
  lint: () => check("node", "node_modules/@biomejs/biome/bin/biome", "check"),
  layers: () => check(bun, "scripts/layers.ts"),
  house: () => check(bun, "scripts/house.ts"),
  build: () => check(bun, "scripts/build.ts"),
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
  seeds,
  e2e: () =>
    suite("e2e", ...[...new Bun.Glob("test/e2e/*.test.ts").scanSync(root)].filter((f) => !PATIENT.includes(f))),
  patient: () => suite("patient", ...PATIENT),
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
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}

rmSync(reports, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
process.exit(total.failed === 0 ? 0 : 1);
