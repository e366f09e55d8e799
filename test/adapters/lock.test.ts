import { afterAll, beforeAll, expect, test } from "bun:test";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { openDisk } from "../../src/adapters/disk.ts";
import { type Holder, PortError } from "../../src/host/contracts.ts";

const SOURCE = join(import.meta.dir, "lock-holder.ts");
const scratch = mkdtempSync(join(tmpdir(), "chatpeer-lock-"));
const bundle = join(scratch, "lock-holder.mjs");
/** File systems that one kernel at a time mounts: ext4, XFS, Btrfs. */
const ONE_KERNEL: readonly number[] = [0xef53, 0x58465342, 0x9123683e];
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

/** `before`: a command that runs it, in another namespace. */
async function start(
  runtime: string,
  directory: string,
  before: readonly string[] = [],
): Promise<{ child: ChildProcess; answer: string }> {
  const [command, ...args] = [...before, ...(runtimes[runtime] as readonly string[]), directory];
  const child = spawn(command as string, args, { stdio: ["pipe", "pipe", "inherit"] });
  children.add(child);
  return { child, answer: await nextWord(child) };
}

async function nextWord(child: ChildProcess): Promise<string> {
  const [data] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return data.toString().trim();
}

function renew(child: ChildProcess): Promise<string> {
  child.stdin?.write("\n");
  return nextWord(child);
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

/** Names that stand for a holder in the place of the one that is there. */
function rename(directory: string, name: string): void {
  const lock = join(directory, "lock");
  renameSync(join(lock, readdirSync(lock)[0] as string), join(lock, name));
}

test("[D1] a holder whose pid was used again is dead; a living one is named", () => {
  const directory = fresh();
  openDisk(directory).lock();
  const [held] = readdirSync(join(directory, "lock")) as [string];
  const [pid, started, ...rest] = held.split("-");
  expect(() => openDisk(directory).lock()).toThrow(`process ${process.pid} has it`);
  for (const dead of [
    [pid, Number(started) - 1, ...rest].join("-"),
    ["4194305", started, ...rest].join("-"),
    // As before there were leases, which nobody renews then.
    [pid, Number(started) - 1, rest[0], rest[1]].join("-"),
    [pid, started, "0".repeat(8), rest[1]].join("-"),
    "anything",
  ]) {
    rename(directory, dead);
    const next = openDisk(directory);
    expect(next.lock()).toBeNull();
    expect(readdirSync(join(directory, "lock"))).toHaveLength(1);
    next.unlock();
  }
  rename(directory, [pid, started, rest[0], rest[1]].join("-"));
  expect(() => openDisk(directory).lock()).toThrow(`process ${process.pid} has it`);
});

/** What this process is, with other values in some places of its name. */
function nameOf(held: string, other: { boot?: string; pids?: string; host?: string }): string {
  const [pid, started, boot, word, pids, ...host] = held.split("-");
  return [pid, started, other.boot ?? boot, word, other.pids ?? pids, other.host ?? host.join("-")].join("-");
}

for (const [where, directory, cases] of [
  [
    "on a disk of its own",
    scratch,
    {
      "another boot": "dead",
      "no boot": "alive",
      "other pids": "unseen",
      "no pids": "unseen",
      "another host": "alive",
    },
  ],
  [
    "on a disk that several kernels may share",
    "/dev/shm",
    {
      "another boot": "unseen",
      "no boot": "unseen",
      "other pids": "unseen",
      "no pids": "unseen",
      "another host": "unseen",
    },
  ],
] as const) {
  const types = { [scratch]: ONE_KERNEL, "/dev/shm": [0x01021994] };
  const isThere = existsSync(directory) && types[directory]?.includes(statfsSync(directory).type) === true;
  if (!isThere) console.warn(`skipped: a lock ${where} (${directory} is none)`);
  for (const [what, state] of Object.entries(cases))
    test.skipIf(!isThere)(`[D1] ${where} a holder with ${what} is ${state}`, () => {
      const root = mkdtempSync(join(directory, "chatpeer-lock-"));
      try {
        openDisk(root).lock();
        const [held] = readdirSync(join(root, "lock")) as [string];
        const other = {
          "another boot": { boot: "00000000" },
          "no boot": { boot: "" },
          "other pids": { pids: "1" },
          "no pids": { pids: "" },
          "another host": { host: "else-where" },
        }[what] as Parameters<typeof nameOf>[1];
        rename(root, nameOf(held, other));
        const next = openDisk(root);
        if (state === "alive") return expect(() => next.lock()).toThrow(`process ${process.pid}`);
        const seen = next.lock();
        if (state === "dead") return expect(seen).toBeNull();
        expect(seen?.who).toBe(`process ${process.pid} on ${other.host ?? hostname()}`);
        // Nothing has changed, until it is said to be dead as it was seen.
        expect(readdirSync(join(root, "lock"))).toEqual([nameOf(held, other)]);
        expect(next.lock({ ...(seen as Holder), lease: "another" })).toEqual(seen);
        expect(next.lock(seen as Holder)).toBeNull();
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    });
}

test("[D1] a holder sees that its lock is another's or gone, changes nothing then, and gives nothing back", () => {
  const directory = fresh();
  const disk = openDisk(directory);
  disk.lock();
  const [held] = readdirSync(join(directory, "lock")) as [string];
  const file = join(directory, "lock", held);
  const leases = [0, 1, 2].map((look) => {
    if (look > 0) expect(disk.renewLock()).toBeNull();
    return readFileSync(file, "latin1");
  });
  expect(new Set(leases).size).toBe(3);
  expect(new Set(leases.map((lease) => lease.length))).toEqual(new Set([512]));

  const taken = nameOf(held, { host: "else-where" });
  rename(directory, taken);
  expect(() => disk.renewLock()).toThrow(`process ${process.pid} on else-where has taken it`);
  disk.unlock();
  expect(readdirSync(join(directory, "lock"))).toEqual([taken]);

  const emptied = openDisk(fresh());
  emptied.lock();
  rmSync(join(scratch, `data-${directories - 1}`), { recursive: true });
  expect(() => emptied.renewLock()).toThrow("its lock is gone");
});

test("[D1] a name that a file system still shows to the one that lost it does not help it: another's stands in the file", () => {
  const directory = fresh();
  const disk = openDisk(directory);
  disk.lock();
  const [held] = readdirSync(join(directory, "lock")) as [string];
  const file = join(directory, "lock", held);
  writeFileSync(file, readFileSync(file, "latin1").replace(held, nameOf(held, { host: "else-where" })));
  expect(() => disk.renewLock()).toThrow(PortError);
});

const pidNamespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const noBootId = ["unshare", "-m", "sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh"];
const can = (before: readonly string[]) => spawnSync(before[0] as string, [...before.slice(1), "true"]).status === 0;
for (const before of [pidNamespace, noBootId])
  if (!can(before))
    console.warn(`skipped: the lock and namespaces (${before.slice(0, 2).join(" ")} is not allowed here)`);

for (const runtime of ["bun", "node"]) {
  test.skipIf(!can(pidNamespace))(
    `[D1] two pid namespaces, on ${runtime}: neither takes the other's directory, and the lease shows that it lives`,
    async () => {
      const directory = fresh();
      const first = await start(runtime, directory, pidNamespace);
      expect(first.answer).toBe("locked");
      const second = await start(runtime, directory, pidNamespace);
      expect(second.answer).toStartWith("unseen: process 1 on ");
      const disk = openDisk(directory);
      const seen = disk.lock() as Holder;
      expect(await renew(first.child)).toBe("renewed");
      expect(disk.lock()?.lease).not.toBe(seen.lease);
      expect(disk.lock(disk.lock() as Holder)).toBeNull();
      expect(await renew(first.child)).toBe("ELOST");
      await stop(second.child, "SIGKILL");
      await stop(first.child, "SIGKILL");
    },
    20_000,
  );

  test.skipIf(!can(noBootId))(
    `[D1] where the boot id cannot be read, on ${runtime}, a directory is locked, and free again`,
    async () => {
      const directory = fresh();
      for (const end of ["SIGKILL", null] as const) {
        const { child, answer } = await start(runtime, directory, noBootId);
        expect(answer).toBe("locked");
        const other = await start(runtime, directory);
        expect(["ELOCKED", `unseen: process ${child.pid} on ${hostname()}`]).toContain(other.answer);
        await stop(other.child, null);
        await stop(child, end);
        // What was killed on a disk of its own is seen to be dead; elsewhere only its lease can tell.
        const disk = openDisk(directory);
        const seen = disk.lock();
        if (ONE_KERNEL.includes(statfsSync(directory).type)) expect(seen).toBeNull();
        else if (seen !== null) expect(disk.lock(seen)).toBeNull();
        disk.unlock();
      }
    },
    20_000,
  );
}

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
