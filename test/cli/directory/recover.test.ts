/** `chatpeer recover` on real directories: what it prints, and the exit code that scripts go by. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { systemClock } from "../../../src/adapters/clock.ts";
import { openDisk } from "../../../src/adapters/disk.ts";
import { printLog } from "../../../src/cli/directory/read-directory.ts";
import { recover } from "../../../src/cli/directory/recover.ts";
import { Output } from "../../../src/cli/process/output.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";
import { makePromiseFile } from "../../../src/host/store/promise-file.ts";
import { replaceStateNow } from "../../../src/host/store/state-files.ts";
import { LogMaker } from "../../host/store/log-maker.ts";
import { PLAIN } from "../screen/paints.ts";

const SEGMENT = "log/00000000000000000001.jsonl";
const MEMBERS = [
  { id: 1, inc: "one", host: "127.0.0.1", port: 6001 },
  { id: 2, inc: "two", host: "10.0.0.2", port: 7002 },
  { id: 3, inc: "three", host: "h\u202e", port: 6003 },
];

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-recover-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Peer 2 of three voters, stopped: ten entries, eight of them known to be committed. */
function survivor(members: typeof MEMBERS = MEMBERS, left: readonly number[] = []): string {
  const log = new LogMaker({ segment_entries: 100, segment_bytes: 1 << 24 });
  log.genesis();
  log.leader();
  log.config(
    members,
    members.map((m) => m.id).filter((id) => !left.includes(id)),
    left,
  );
  log.settled();
  log.fill(10);
  const path = join(root, "peer2");
  mkdirSync(join(path, "log"), { recursive: true });
  writeFileSync(join(path, SEGMENT), log.entries.map((_, i) => log.line(i + 1)).join(""));
  const disk = openDisk(path);
  replaceStateNow(disk, "identity.json", { id: 2, inc: "two", cluster_id: "test", founder: false });
  makePromiseFile(disk, { term: 4, leader_id: 3, inc: "three", boot: 1 });
  replaceStateNow(disk, "progress.json", { durable: 10, commit: 8, delivered: 8, clean: true });
  return path;
}

function kept() {
  const pieces: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(chunk.toString());
      done();
    },
  });
  return { output: new Output(stream), text: () => pieces.join("") };
}

async function run(words: readonly string[], force = false, takesLock = false) {
  const [out, err] = [kept(), kept()];
  const code = await recover(words, { force, takesLock }, systemClock, out.output, err.output);
  return { code, out: out.text(), err: err.text() };
}

test("[M9] without --force: who the members are, what is known, what may be lost, and how to do it; nothing changes", async () => {
  const path = survivor();
  const before = readdirSync(path);
  const { code, out, err } = await run([path]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toBe(`${path}: peer 2 of cluster test
  voters    1, 2 (this directory), 3
  member    1, voter, 127.0.0.1:6001
  member    3, voter, h\\u{202e}:6003
  log       10 entries, the last one of term 1; 8 are known here to be committed

With --force, peer 2 becomes the only voter of a new cluster with this log as its history:
  kept      entries 1 to 10 under their numbers, the last 2 too, which may never have been confirmed
  lost      what the other voters confirmed and this directory never received; how much that is, nobody can tell
  others    join anew with empty data directories; a peer that still has its old one is refused

Only do it if a majority of the voters is lost for good: if they are only away, start them again, and nothing is lost.
Of several survivors take the one whose last entry has the highest term, and among those the longest log (here: term 1, 10 entries).
Nothing has been changed. To do it: chatpeer recover ${path} --force
`);
  expect(readdirSync(path).filter((name) => name !== "lock")).toEqual(before);
});

test("[M9] with --force: what it is now, what was kept, and how it and the others start; again: nothing to do", async () => {
  const path = survivor();
  const { code, out, err } = await run([path], true);
  expect([code, err]).toEqual([0, ""]);
  const cluster = /new cluster ([a-z0-9]+);/.exec(out)?.[1] as string;
  expect(
    out,
  ).toBe(`${path}: peer 2 is the only voter of the new cluster ${cluster}; its history is that of cluster test through entry 10
  kept      what was replaced, in ${path}/before-recovery-${cluster}.json
  start it  chatpeer --id 2 --port 7002 --data-dir ${path}
  others    with empty data directories: chatpeer --id N --seed 2:10.0.0.2:7002
`);
  expect(readdirSync(path)).toContain(`before-recovery-${cluster}.json`);
  const nothing =
    "it is the only voter of its cluster and its log is whole: there is nothing to recover, just start it\n";
  expect(await run([path], true)).toEqual({ code: 0, out: `${path}: ${nothing}`, err: "" });
  expect(await run([path])).toEqual({ code: 0, out: `${path}: peer 2 of cluster ${cluster}: ${nothing}`, err: "" });
});

test("[M9] a peer that had left is told so, before and after: what came later is with those who stayed", async () => {
  const path = survivor(MEMBERS, [2]);
  const told =
    "  left      peer 2 had left its cluster in good order, and 1, 3 went on: what was said since is not here";
  expect((await run([path])).out).toContain(told);
  expect((await run([path], true)).out).toContain(told);
});

test("[M9] [D5] damage: where, and how many entries are gone", async () => {
  const path = survivor();
  const text = readFileSync(join(path, SEGMENT), "utf8");
  writeFileSync(join(path, SEGMENT), text.replace('"payload":"message 8"', '"payload":"message 9"'));
  const lost =
    "  lost      at least 3 entries that had been confirmed here (8 to 10); the next messages take these numbers\n";
  const { out } = await run([path]);
  expect(out).toContain(`  damaged   ${SEGMENT}: the crc does not fit`);
  expect(out).toContain(lost);
  const done = await run([path], true);
  expect(done.out).toContain(lost);
  expect(done.out).toContain(`  kept      the damaged files, in ${path}/damaged/\n`);
  expect(readdirSync(join(path, "damaged"))).toEqual(["00000000000000000001.jsonl"]);
});

test("[M9] [D5] what is whole behind the damage is named, and can be read before and after", async () => {
  const path = survivor();
  const lines = readFileSync(join(path, SEGMENT), "utf8").split("\n").slice(0, -1);
  const broken = lines.map((line, i) => (i === 6 ? line.replace("message 7", "message x") : line));
  writeFileSync(join(path, SEGMENT), `${broken.join("\n")}\n`);
  const aside = (folder: string) =>
    `  aside     entries 8 to 10: whole, but what is before them is lost. \`chatpeer log ${path}/${folder}\` prints them\n`;
  expect((await run([path])).out).toContain(aside("log"));
  expect((await run([path], true)).out).toContain(aside("damaged"));
  const [out, err] = [kept(), kept()];
  await printLog(join(path, "damaged"), { json: false, room: null, after: 7 }, out.output, err.output, PLAIN);
  expect(out.text()).toContain("message 10");
});

test("[M9] what cannot be recovered is exit code 1, with the reason; wrong usage says what is wanted", async () => {
  const path = survivor();
  rmSync(join(path, "identity.json"));
  for (const force of [false, true]) {
    const { code, out, err } = await run([path], force);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toStartWith(`chatpeer: ${path}: identity.json is missing beside a log`);
  }
  for (const words of [[], ["a", "b"]])
    expect(() => run(words)).toThrow(new UsageError("recover needs one data directory: chatpeer recover DIR"));
  await expect(run([root])).rejects.toThrow("is no data directory of a peer");
});

test("[M9] [D1] a directory that is held where nobody can see it is outwaited, or taken when a person says so", async () => {
  const path = survivor();
  const disk = openDisk(path);
  disk.lock();
  const lock = join(path, "lock");
  const [held] = readdirSync(lock) as [string];
  const [pid, started, boot, word, , ...host] = held.split("-");
  const elsewhere = [pid, started, boot, word, "another namespace", ...host].join("-");
  renameSync(join(lock, held), join(lock, elsewhere));
  const waiting = run([path]);
  // Its lease moves.
  appendFileSync(join(lock, elsewhere), " ");
  expect(await waiting).toMatchObject({ code: 1, out: "" });
  expect((await waiting).err).toContain("cannot be seen from here: waiting 10 s");
  expect((await waiting).err).toContain(`in use by another process (process ${pid} on ${hostname()} has it`);
  expect(await run([path], true, true)).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(lock)).toEqual(["free"]);
}, 20_000);

test("[M9] as a process: exit codes, flags, help", async () => {
  const path = survivor();
  const chatpeer = async (...args: string[]) => {
    const main = join(import.meta.dir, "../../../src/cli/main.ts");
    const child = Bun.spawn([process.execPath, main, ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  };
  expect(await chatpeer("recover", path)).toMatchObject({ code: 0, err: "" });
  for (const wrong of [["recover"], ["recover", path, "--forced"], ["recover", path, path], ["recover", root]])
    expect(await chatpeer(...wrong)).toMatchObject({ code: 2, out: "" });
  const disk = openDisk(path);
  disk.lock();
  const locked = await chatpeer("recover", "--force", path);
  expect(locked).toMatchObject({ code: 1, out: "" });
  expect(locked.err).toContain(`is in use by another process (process ${process.pid} has it)`);
  disk.unlock();
  expect((await chatpeer("help", "recover")).out).toContain("Usage: chatpeer recover DIR [flags]");
  expect((await chatpeer("help", "recover")).out).toContain("--force");
  expect(await chatpeer("recover", "--force", path)).toMatchObject({ code: 0, err: "" });
});
