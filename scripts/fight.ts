/**
 * The random fight on real processes: five hosts, peers, clients and writers, and every fault there is. After each round all is
 * healed, and everybody must be level within ten seconds; in the end nothing that was told as sent is missing anywhere.
 *
 *     bun scripts/fight.ts --minutes 10 --seed 7        # as root on Linux, for namespaces; elsewhere with fewer faults
 *
 * The seed decides the faults; how they hit, the machine does. Exit code 0: all was as promised.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Cast } from "./fight/cast.ts";
import { Disks } from "./fight/disks.ts";
import { Faults } from "./fight/faults.ts";
import { Ledger } from "./fight/ledger.ts";
import { openNetwork } from "./fight/network.ts";
import { drawPlan, HOSTS, stepText } from "./fight/plan.ts";
import { becomesLevel, dump, LEVEL_MS_MAX, playRound, type Scene } from "./fight/round.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const SEED_MAX = 1_000_000;
const FORMING_MS_MAX = 30_000;
const INTERRUPTED = 130;
/** Size of a disk that can be filled: what a fight writes, and some room. */
const DISK_MB = 32;
const DISK_MB_PER_MINUTE = 8;

const { minutes, seed, keep } = readOptions();
const build = Bun.spawnSync([process.execPath, `${ROOT}scripts/build.ts`], { stdout: "inherit", stderr: "inherit" });
if (!build.success) process.exit(1);

const root = mkdtempSync(join(tmpdir(), "chatpeer-fight-"));
const network = openNetwork(root.slice(root.lastIndexOf("/") + 1));
const disks = new Disks(root, Math.ceil(DISK_MB + DISK_MB_PER_MINUTE * minutes));
const ledger = new Ledger();
const cast = new Cast(root, network, disks, ledger);
const scene: Scene = { cast, faults: new Faults(network, disks, cast), disks, ledger };
const missing = new Map([...network.missing, ...disks.missing]);
const levels: number[] = [];
const failures: string[] = [];

// However this process ends, it leaves nothing behind except what was asked for.
let keeps = keep;
process.on("exit", () => {
  for (const talker of cast.talkers) talker.signal("SIGKILL");
  disks.close(keeps);
  network.close();
  if (!keeps) rmSync(root, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(INTERRUPTED));

console.log(`seed ${seed}, ${minutes} minutes, ${network.name}`);
for (const why of new Set(missing.values()))
  console.log(
    `skipped: ${[...missing].flatMap(([fault, reason]) => (reason === why ? fault : [])).join(", ")} (${why})`,
  );

for (let id = 1; id <= HOSTS; id++) cast.start(id);
if (!(await becomesLevel(cast, 0, FORMING_MS_MAX))) fail("the cluster does not form", dump(scene, []));
const until = performance.now() + minutes * 60_000;
for (let round = 1; failures.length === 0 && performance.now() < until; round++) {
  const plan = drawPlan(seed, round, (fault) => !missing.has(fault));
  const before = ledger.messages;
  const outcome = await playRound(scene, plan, round, seed);
  const { levelMs, term, members, surprises } = outcome;
  const steps = plan.steps.map((step) => stepText(step).replace(/^at \d+ /, "")).join(" · ");
  const level = levelMs === null ? "never level" : `level after ${(levelMs / 1000).toFixed(2)} s`;
  console.log(
    `round ${round}: ${steps} → ${level}, ${ledger.messages - before} messages, term ${term}, ${members} members`,
  );
  if (levelMs !== null) levels.push(levelMs);
  const wrong = [
    ...(levelMs === null || levelMs > LEVEL_MS_MAX ? [`round ${round}: ${level}`] : []),
    ...surprises,
    ...ledger.violations.splice(0),
  ];
  if (wrong.length > 0) fail(wrong.join("\n"), dump(scene, outcome.timeline));
}

const directories = cast.running.map((peer) => cast.directoryOf(peer));
await cast.close();
const all = [...cast.peers.values()].map((peer) => cast.directoryOf(peer));
const verify = Bun.spawnSync([`${ROOT}dist/chatpeer`, "verify", ...all]);
if (verify.exitCode !== 0) fail("chatpeer verify does not find one history", verify.stdout.toString());
ledger.check(directories);
for (const violation of ledger.violations) fail(violation, "");

levels.sort((a, b) => a - b);
const seconds = (ms: number | undefined) => (ms === undefined ? "-" : `${(ms / 1000).toFixed(2)} s`);
console.log(
  `${failures.length === 0 ? "PASS" : "FAIL"} seed ${seed}: ${levels.length} rounds, ${ledger.messages} messages, ${ledger.sent.size} told as sent; level after ${seconds(levels[levels.length >> 1])} (median), ${seconds(levels.at(-1))} (worst)`,
);
process.exit(failures.length === 0 ? 0 : 1);

/** Reports what is wrong, and keeps the files that show why. */
function fail(what: string, why: string): void {
  failures.push(what);
  keeps = true;
  console.log(`FAIL ${what}`);
  const path = join(root, `failure-${failures.length}.txt`);
  writeFileSync(path, `seed ${seed}\n${what}\n\n${why}\n`);
  console.log(`  see ${path}`);
}

function readOptions(): { minutes: number; seed: number; keep: boolean } {
  const { values } = parseArgs({
    options: { minutes: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } },
  });
  const minutes = Number(values.minutes ?? "1");
  const seed = Number(values.seed ?? Math.floor(Math.random() * SEED_MAX));
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.error("usage: bun scripts/fight.ts [--minutes N] [--seed S] [--keep]");
    process.exit(2);
  }
  return { minutes, seed, keep: values.keep === true };
}
