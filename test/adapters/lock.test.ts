import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDisk } from "../../src/adapters/disk.ts";

const SOURCE = join(import.meta.dir, "lock-holder.ts");
const scratch = mkdtempSync(join(tmpdir(), "chatpeer-lock-"));
const bundle = join(scratch, "lock-holder.mjs");
const children = new Set<ChildProcess>();
let directories = 0;

const runtimes: Record<string, readonly string[]> = {
  bun: [process.execPath, SOURCE],
  node: ["node", bundle],
};
try {
  const deno = join(createRequire(import.meta.url).resolve("deno/package.json"), "..", "..", ".bin", "deno");
  if (spawnSync(deno, ["--version"]).status === 0) runtimes.deno = [deno, "run", "--allow-all", "--no-config", bundle];
} catch {
  console.warn("skipped: the lock as Deno sees it (no deno in node_modules)");
}

beforeAll(async () => {
  const built = await Bun.build({ entrypoints: [SOURCE], target: "node" });
  await Bun.write(bundle, built.outputs[0] as Blob);
});

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

const fresh = () => join(scratch, `data-${directories++}`);

async function start(runtime: string, directory: string): Promise<{ child: ChildProcess; answer: string }> {
  const [command, ...args] = runtimes[runtime] as readonly string[];
  const child = spawn(command as string, [...args, directory], { stdio: ["pipe", "pipe", "inherit"] });
  children.add(child);
  const [data] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return { child, answer: data.toString().trim() };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals | null): Promise<void> {
  const ended = once(child, "exit");
  if (signal === null) child.stdin?.end();
  else child.kill(signal);
  await ended;
  children.delete(child);
}

for (const holder of Object.keys(runtimes)) {
  for (const other of Object.keys(runtimes)) {
    test(`[D1] a directory held by ${holder} is refused to ${other}, and free after kill -9`, async () => {
      const directory = fresh();
      const first = await start(holder, directory);
      expect(first.answer).toBe("locked");
      const refused = await start(other, directory);
      expect(refused.answer).toBe("ELOCKED");
      await stop(refused.child, null);
      await stop(first.child, "SIGKILL");
      const next = await start(other, directory);
      expect(next.answer).toBe("locked");
      await stop(next.child, null);
    }, 20_000);
  }
}

test("[D1] of 20 starters at once exactly one wins: on a fresh directory, after kill -9, and after a clean stop", async () => {
  const directory = fresh();
  const names = Object.keys(runtimes).filter((r) => r !== "deno");
  for (const end of ["SIGKILL", null, null] as const) {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => start(names[i % names.length] as string, directory)),
    );
    expect(all.map((s) => s.answer).sort()).toEqual([...Array(19).fill("ELOCKED"), "locked"]);
    await Promise.all(all.map(({ child, answer }) => stop(child, answer === "locked" ? end : null)));
    expect(readdirSync(directory)).toEqual(["lock"]);
  }
}, 60_000);

test("[D1] a killed holder that nobody has waited for yet is dead", async () => {
  const directory = fresh();
  // The shell becomes a sleeper that never waits for its child: killed, that stays behind as a zombie.
  const [command, ...args] = runtimes.bun as readonly string[];
  const parent = spawn(
    "sh",
    ["-c", `"$@" < /dev/zero & echo $!; exec sleep 1000`, "sh", command as string, ...args, directory],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.add(parent);
  let said = "";
  for await (const data of parent.stdout as NodeJS.ReadableStream) {
    said += data;
    if (said.includes("locked")) break;
  }
  const pid = Number(said.split("\n")[0]);
  process.kill(pid, "SIGKILL");
  while (!(await Bun.file(`/proc/${pid}/stat`).text()).includes(") Z "))
    await new Promise((resolve) => setImmediate(resolve));
  const disk = openDisk(directory);
  disk.lock();
  disk.unlock();
  await stop(parent, "SIGKILL");
});

test("[D1] a holder whose pid was used again, or that ran before the last boot, is dead; a living one is named", () => {
  const directory = fresh();
  const disk = openDisk(directory);
  disk.lock();
  const lock = join(directory, "lock");
  const [held] = readdirSync(lock) as [string];
  const [pid, started, boot, word] = held.split("-");
  expect(() => openDisk(directory).lock()).toThrow(`process ${process.pid} has it`);
  for (const dead of [
    `${pid}-${Number(started) - 1}-${boot}-${word}`,
    `${pid}-${started}-${"0".repeat(8)}-${word}`,
    `4194305-${started}-${boot}-${word}`,
    "anything",
  ]) {
    renameSync(join(lock, readdirSync(lock)[0] as string), join(lock, dead));
    const next = openDisk(directory);
    next.lock();
    expect(readdirSync(lock)).toHaveLength(1);
    next.unlock();
  }
});

test("[D1] a lock directory that a power cut emptied is made anew; a directory that cannot be written is refused in words", () => {
  const directory = fresh();
  mkdirSync(join(directory, "lock"), { recursive: true });
  const disk = openDisk(directory);
  disk.lock();
  expect(() => openDisk(directory).lock()).toThrow("has it");
  disk.unlock();
  const file = join(scratch, "file");
  writeFileSync(file, "");
  expect(() => openDisk(join(file, "data")).lock()).toThrow(/^cannot make .*file\/data: not a directory \(ENOTDIR\)$/);
});
