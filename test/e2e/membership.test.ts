/** Joining, leaving and returning, with real processes of the compiled binary. */
import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { freePorts } from "../../bench/processes.ts";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { BINARY, Cluster, endAll, type PeerEvent, run, sentBy } from "./harness.ts";
import { checkHistory } from "./history.ts";

afterEach(endAll);

const isMember = (e: PeerEvent | undefined) => e !== undefined && e.leader_id !== null;

test("[M4] a peer joins through a seed that is a follower", async () => {
  const cluster = await Cluster.reserve(4);
  for (const id of [1, 2, 3]) cluster.start(id);
  await cluster.formed(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  const joiner = cluster.start(4, { seeds: [1] });
  await joiner.event("message", (e) => e.payload === "before");
  joiner.say("from the newcomer");
  await cluster.delivered(2);
  await cluster.stop();
});

test("[M4] a peer joins through one seed that is dead and one that lives", async () => {
  const cluster = await Cluster.reserve(4);
  for (const id of [1, 2]) cluster.start(id);
  await cluster.formed(2);
  const joiner = cluster.start(3, { seeds: [4, 2] });
  await joiner.until("it belongs", () => isMember(joiner.role));
  joiner.say("hello");
  await cluster.delivered(1);
  await cluster.stop();
});

test("[M1] a peer whose seed is not up yet says so once and joins when it comes", async () => {
  const cluster = await Cluster.reserve(2);
  const early = cluster.start(2, { seeds: [1] });
  await early.until("it says that it tries again", () => early.stderr.some((l) => l.includes("cannot reach peer 1")));
  cluster.start(1);
  await early.until("it belongs", () => isMember(early.role));
  expect(early.stderr.filter((l) => l.includes("cannot reach peer 1")).length).toBe(1);
  await cluster.stop();
});

test("[M5] a fourth and a fifth peer join while messages flow, and five vote", async () => {
  const cluster = await Cluster.reserve(5);
  for (const id of [1, 2, 3]) cluster.start(id);
  await cluster.formed(3);
  for (const id of [1, 2, 3]) cluster.peer(id).say(...Array.from({ length: 500 }, (_, i) => `p${id}-${i}`));
  cluster.start(4, { seeds: [2] });
  cluster.start(5, { seeds: [3] });
  await cluster.delivered(1500);
  await cluster.peer(1).until("five voters", () => {
    const roles = new Map(
      cluster
        .peer(1)
        .all("member")
        .map((e) => [e.id, e.role]),
    );
    return [1, 2, 3, 4, 5].every((id) => roles.get(id) === "voter");
  });
  const status = await cluster.peer(5).status();
  expect(status.members.map((m: { role: string }) => m.role)).toEqual(["voter", "voter", "voter", "voter", "voter"]);
  checkHistory(
    [1, 2, 3, 4, 5].map((id) => cluster.dir(id)),
    sentBy(cluster.peers.values()),
  );
  await cluster.stop();
});

test("[M5] peers quit one by one down to the last, which still delivers; all return one by one", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("all here");
  await cluster.delivered(1);
  let count = 1;
  for (const id of [3, 2]) {
    cluster.peer(id).say("/quit");
    expect(await cluster.peer(id).exited).toBe(0);
    count += 1;
    cluster.peer(1).say(`without ${id}`);
    await cluster.delivered(count, id === 3 ? [1, 2] : [1]);
  }
  expect((await cluster.peer(1).status()).members.filter((m: { role: string }) => m.role !== "left").length).toBe(1);
  cluster.peer(1).say("/quit");
  expect(await cluster.peer(1).exited).toBe(0);
  for (const id of [1, 2, 3]) {
    cluster.start(id);
    await cluster.peer(id).until("it belongs", () => isMember(cluster.peer(id).role));
    cluster.peer(id).say(`back ${id}`);
    await cluster.peer(id).event("sent");
  }
  await cluster.peer(1).until("everything", () => cluster.peer(1).messages.at(-1)?.payload === "back 3");
  const chats = checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    [],
  );
  expect(chats.map((c) => c.payload)).toEqual(["all here", "without 3", "without 2", "back 1", "back 2", "back 3"]);
  await cluster.stop();
});

test("[M5] who left first waits for who left last, and /status says so", async () => {
  const cluster = await Cluster.start(2);
  cluster.peer(1).say("x");
  await cluster.delivered(1);
  cluster.peer(2).say("/quit");
  expect(await cluster.peer(2).exited).toBe(0);
  await cluster.peer(1).stop("SIGTERM");
  const early = cluster.start(2);
  const notice = await early.event("notice", (e) => e.code === "waiting");
  expect(notice.message).toContain("peer 1");
  cluster.start(1);
  await early.until("it belongs", () => isMember(early.role));
  await cluster.stop();
});

test("[M8] a restart on another port: the others follow the new address", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("one");
  await cluster.delivered(1);
  await cluster.peer(2).stop();
  const [port] = (await freePorts(1)) as [number];
  const moved = cluster.start(2, { port, seeds: [] });
  await moved.until("it belongs", () => isMember(moved.role));
  moved.say("from elsewhere");
  await cluster.delivered(2, [1, 3]);
  const asked = cluster.peer(1);
  // Each answer is an event; the address changes with a configuration that follows.
  let seen = 0;
  while (seen !== port) seen = (await asked.status()).members.find((m: { id: number }) => m.id === 2).port;
  await cluster.stop();
});

test("[M6] a duplicate id is refused while its owner lives, naming the owner's address", async () => {
  const cluster = await Cluster.start(3);
  const [port] = (await freePorts(1)) as [number];
  const twin = await Cluster.reserve(2);
  const imposter = twin.start(2, { port, seeds: [], args: ["--seed", `1:127.0.0.1:${cluster.portOf(1)}`] });
  expect(await imposter.exited).toBe(1);
  const error = imposter.all("error").at(-1);
  expect(error?.message).toContain(`127.0.0.1:${cluster.portOf(2)}`);
  expect(error?.message).toContain("--id");
  await twin.stop();
  await cluster.stop();
});

test("[M6] a dead peer's id is refused with the time left, and free after /evict", async () => {
  const cluster = await Cluster.start(3);
  await cluster.peer(2).stop();
  rmSync(cluster.dir(2), { recursive: true });
  const refused = cluster.start(2);
  expect(await refused.exited).toBe(1);
  expect(refused.all("error").at(-1)?.message).toMatch(/try again in [0-9]+ s/);
  rmSync(cluster.dir(2), { recursive: true });
  cluster.peer(1).say("/evict 2");
  await cluster.peer(1).event("notice", (e) => e.code === "done");
  const fresh = cluster.start(2);
  await fresh.until("it belongs", () => isMember(fresh.role));
  fresh.say("new here");
  await cluster.delivered(1);
  await cluster.stop();
});

test("[M1] a founder whose directory was emptied is told which --seed to use", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("kept by the others");
  await cluster.delivered(1);
  await cluster.peer(1).stop();
  rmSync(cluster.dir(1), { recursive: true });
  const emptied = cluster.start(1);
  expect(await emptied.exited).toBe(1);
  expect(emptied.all("error").at(-1)?.message).toMatch(/--seed [23]:127\.0\.0\.1:[0-9]+/);
  await cluster.stop();
});

test("[E10] /transfer hands the lead to the named peer", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("settle");
  await cluster.delivered(1);
  cluster.peer(2).say("/transfer 1");
  await cluster.peer(2).until("peer 1 leads", () => cluster.peer(2).role?.leader_id === 1);
  cluster.peer(3).say("after the transfer");
  await cluster.delivered(2);
  await cluster.stop();
});

test("[M8] all addresses change at once: seeds that say where the others are now bring them together", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  await Promise.all([1, 2, 3].map((id) => cluster.peer(id).stop()));
  cluster.ports.splice(0, 3, ...(await freePorts(3)));
  const start = (id: number) => cluster.start(id, { seeds: [1, 2, 3].filter((s) => s !== id) });
  const first = start(1);
  await start(2).until("two of three have met", () => isMember(cluster.peer(2).role));

  // What the third one knows is out of date, and what its person would say is not.
  const seeds = [1, 2].flatMap((id) => ["--seed", `${id}:127.0.0.1:${cluster.portOf(id)}`]);
  const port = ["--port", String(cluster.portOf(3))];
  const doctor = (...args: string[]) => run([BINARY, "doctor", "--data-dir", cluster.dir(3), "--id", "3", ...args]);
  const lost = await doctor(...port);
  expect([lost.code, lost.out]).toEqual([1, expect.stringContaining("the log says that peer 1 is here")]);
  const found = await doctor(...port, ...seeds);
  expect([found.code, found.out]).toEqual([0, expect.stringContaining("peer 1 is no longer here, as the log says")]);

  const last = start(3);
  first.say("after");
  await Promise.all([first, cluster.peer(2), last].map((p) => p.event("message", (e) => e.payload === "after")));
  // For whoever comes next the log has the new addresses.
  await last.until("everybody's new address", () => isMember(last.role));
  const { members } = await last.status();
  expect(members.map((m: { port: number }) => m.port)).toEqual(cluster.ports);
  await cluster.stop();
}, 60_000);

test("[M1] a founder on an emptied volume, started without a seed, tells nobody that anything is sent", async () => {
  const cluster = await Cluster.reserve(3);
  const byName = (id: number) => ["--advertise", `localhost:${cluster.portOf(id)}`];
  for (const id of [1, 2, 3]) cluster.start(id, { args: byName(id) });
  await cluster.formed(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  await cluster.peer(1).stop();
  rmSync(cluster.dir(1), { recursive: true });
  const emptied = cluster.start(1, { args: byName(1) });
  const started = await emptied.event("started");
  expect(started.founding_ms).toBeGreaterThan(0);
  emptied.say("into another cluster");
  const said = await run([BINARY, "send", `localhost:${cluster.portOf(1)}`, "from a script"]);
  expect([said.code, said.err]).toEqual([1, expect.stringContaining("not sent: ")]);
  expect(await emptied.exited).toBe(1);
  expect(emptied.all("sent")).toEqual([]);
  expect(emptied.all("error").at(-1)?.message).toContain("was the data directory emptied?");
  await cluster.stop();
});

test("[M1] a founder tells that it takes messages in a moment, and takes them when that is over or when another joins", async () => {
  const cluster = await Cluster.reserve(2);
  const alone = cluster.start(1);
  alone.say("first words");
  await alone.event("started", (e) => e.founding_ms > 0);
  expect((await alone.status()).waiting?.message).toContain("alone in it");
  await alone.event("sent");
  expect((await alone.status()).waiting).toBeNull();
  await alone.stop();
  rmSync(cluster.dir(1), { recursive: true });
  const founder = cluster.start(1);
  const began = performance.now();
  cluster.start(2);
  founder.say("to both");
  await cluster.delivered(1);
  expect(performance.now() - began).toBeLessThan(DEFAULT_TIMINGS.founding);
  await cluster.stop();
});
