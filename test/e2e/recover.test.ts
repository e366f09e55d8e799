/** A majority lost for good and `chatpeer recover`, with real processes of the compiled binary. */
import { afterEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDisk } from "../../src/adapters/disk.ts";
import { TERMS_PER_CLUSTER } from "../../src/core/config.ts";
import type { Ballot } from "../../src/core/ids.ts";
import { makePromiseFile, readPromise } from "../../src/host/store/promise-file.ts";
import { BINARY, Cluster, endAll, type PeerEvent, run, sentBy } from "./harness.ts";
import { checkHistory, logLines } from "./history.ts";

afterEach(endAll);

const recover = (dir: string, ...flags: string[]) => run([BINARY, "recover", dir, ...flags]);
const said = (messages: readonly PeerEvent[]) => messages.map((m) => [m.seq_no, m.payload]);

test("[M9] two of three die for good: the third is recovered and goes on, a fresh peer joins, an old one is refused", async () => {
  const cluster = await Cluster.start(3);
  const sent: string[] = [];
  for (const id of [1, 2, 3]) cluster.peer(id).say(`one from ${id}`);
  await cluster.delivered(3);
  const survivor = cluster.peer(1);
  // It sees all of that committed before its own disk is all there is.
  await survivor.until("its message is sent", () => survivor.all("sent").length === 1);
  for (const id of [2, 3]) await cluster.peer(id).stop();
  survivor.say("typed without a majority");
  await survivor.event("notice", (e) => e.code === "waiting");
  expect((await recover(cluster.dir(1), "--force")).err).toContain("in use by another process");
  sent.push(...sentBy(cluster.peers.values()));
  const before = said(survivor.messages);
  await survivor.stop("SIGTERM");

  const looked = await recover(cluster.dir(1));
  expect(looked).toMatchObject({
    code: 0,
    err: "",
    out: expect.stringContaining("voters    1 (this directory), 2, 3"),
  });
  const lines = logLines(cluster.dir(1));
  expect(await recover(cluster.dir(1), "--force")).toMatchObject({ code: 0, err: "" });
  expect(logLines(cluster.dir(1)).slice(0, lines.length)).toEqual(lines);

  // It starts alone, delivers nothing again, and what waited goes out under the next number.
  const alone = cluster.start(1);
  const waited = await alone.event("message");
  expect([waited.seq_no, waited.payload]).toEqual([4, "typed without a majority"]);
  alone.say("going on");
  await alone.event("message", (e) => e.seq_no === 5 && e.payload === "going on");

  // A fresh peer, even with the id of a lost one, has the whole history and writes it on.
  const fresh = await Cluster.reserve(2);
  const joined = fresh.start(2, { seeds: [], args: ["--seed", `1:127.0.0.1:${cluster.portOf(1)}`] });
  await joined.event("message", (e) => e.payload === "going on");
  joined.say("new here");
  await alone.event("message", (e) => e.payload === "new here");
  await joined.event("sent");
  expect(said(joined.messages)).toEqual([...before, ...said(alone.messages)]);

  // One of the old cluster that was not dead after all is told what to do, and nobody follows it.
  const old = cluster.start(3, { seeds: [] });
  const refused = await old.event("error", (e) => e.code === "wrong-cluster");
  expect(refused.message).toMatch(/lost its majority and was recovered by force: it goes on as cluster [a-z0-9]+\./);
  expect(refused.message).toContain(`start it with an empty one and --seed 1:127.0.0.1:${cluster.portOf(1)}`);
  expect(old.role?.leader_id ?? null).toBeNull();
  alone.say("undisturbed");
  await joined.event("message", (e) => e.payload === "undisturbed");

  sent.push(...sentBy([alone, joined]));
  checkHistory([cluster.dir(1), fresh.dir(2)], sent);
  const verified = await run([BINARY, "verify", cluster.dir(1), fresh.dir(2)]);
  expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("one history") });
  await fresh.stop();
  await cluster.stop();
});

test("[M9] [D5] a lone voter whose log is damaged stops and names recover, which is its way out", async () => {
  const cluster = await Cluster.start(1);
  const peer = cluster.peer(1);
  peer.say("one", "two", "three");
  await cluster.delivered(3);
  peer.say("/quit");
  expect(await peer.exited).toBe(0);
  const [name] = readdirSync(join(cluster.dir(1), "log"));
  const path = join(cluster.dir(1), "log", name as string);
  writeFileSync(path, readFileSync(path, "utf8").replace('"payload":"two"', '"payload":"owt"'));

  const stopped = cluster.start(1);
  expect(await stopped.exited).toBe(1);
  expect(stopped.all("error").at(-1)?.message).toContain("accept the loss: `chatpeer recover DIR --force`");

  const recovered = await recover(cluster.dir(1), "--force");
  expect(recovered).toMatchObject({ code: 0, err: "" });
  expect(recovered.out).toMatch(/lost +at least [0-9]+ entries that had been confirmed here/);
  expect(readdirSync(join(cluster.dir(1), "damaged"))).toEqual([name as string]);

  const again = cluster.start(1);
  again.say("four");
  expect((await again.event("message")).seq_no).toBe(2);
  expect((await run([BINARY, "log", cluster.dir(1)])).code).toBe(0);
  await cluster.stop();
});

test("[M9] [E12] a directory at the end of its terms says so, and recovered it is one history that goes on", async () => {
  const cluster = await Cluster.start(1);
  const peer = cluster.peer(1);
  peer.say("before");
  await cluster.delivered(1);
  await peer.stop("SIGTERM");
  const disk = openDisk(cluster.dir(1));
  const promise = readPromise(disk) as Ballot;
  makePromiseFile(disk, { ...promise, term: TERMS_PER_CLUSTER - 1 });
  const last = cluster.start(1);
  last.say("in the last term");
  await last.event("sent");
  await last.stop("SIGTERM");
  const stuck = cluster.start(1);
  const said = await stuck.event("notice", (e) => e.code === "terms-used-up");
  expect(said.message).toContain("chatpeer recover DIR --force");
  await stuck.stop("SIGTERM");

  const looked = await recover(cluster.dir(1));
  expect(looked).toMatchObject({ code: 0, err: "", out: expect.stringContaining("terms     0 are left") });
  expect(await recover(cluster.dir(1), "--force")).toMatchObject({ code: 0, err: "" });
  expect(await run([BINARY, "verify", cluster.dir(1)])).toMatchObject({ code: 0 });
  const again = cluster.start(1);
  const fresh = await Cluster.reserve(2);
  const joined = fresh.start(2, { seeds: [], args: ["--seed", `1:127.0.0.1:${cluster.portOf(1)}`] });
  joined.say("after");
  await again.event("message", (e) => e.payload === "after");
  await joined.event("sent");
  await joined.stop("SIGTERM");
  await again.stop("SIGTERM");
  const verified = await run([BINARY, "verify", cluster.dir(1), fresh.dir(2)]);
  expect(verified).toMatchObject({ code: 0, out: expect.stringContaining("one history") });
});
