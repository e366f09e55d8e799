/** Directories that were copied: one that runs twice, and a majority that is put back [E16] [D8] [R9]. */
import { afterEach, expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { BINARY, Cluster, endAll, type PeerEvent, PeerProcess, run } from "./harness.ts";

afterEach(endAll);

/** The directory of a peer as it is now, without the lock of its process. */
function copy(cluster: Cluster, id: number): string {
  const to = join(cluster.root, `copy${id}`);
  cpSync(cluster.dir(id), to, { recursive: true });
  rmSync(join(to, "lock"), { recursive: true, force: true });
  return to;
}

function putBack(cluster: Cluster, id: number): void {
  rmSync(cluster.dir(id), { recursive: true });
  cpSync(join(cluster.root, `copy${id}`), cluster.dir(id), { recursive: true });
}

const stopped = (cluster: Cluster, ...ids: number[]) => Promise.all(ids.map((id) => cluster.peer(id).stop("SIGTERM")));

test("[E16] a copy that is started beside the original: both are refused and told, with both addresses, until one starts again", async () => {
  const cluster = await Cluster.start(3);
  const [port] = (await freePorts(1)) as [number];
  const seeds = [1, 2].flatMap((id) => ["--seed", `${id}:127.0.0.1:${cluster.portOf(id)}`]);
  const twin = new PeerProcess([
    ...[BINARY, "--id", "3", "--port", `${port}`, "--data-dir", copy(cluster, 3), "--json"],
    ...seeds,
  ]);
  const ports = [cluster.portOf(3), port].sort();
  const names = (e: PeerEvent) =>
    e.id === 3 && JSON.stringify(e.at.map((at: PeerEvent) => at.port).sort()) === `[${ports}]`;
  const others = [1, 2].map((id) => cluster.peer(id));
  // Who finds out tells all the others: from then on neither of the two greets anybody.
  for (const peer of [cluster.peer(3), twin, ...others]) await peer.event("twins", names);
  // The others go on without either.
  for (const peer of others) await peer.until("a leader", () => [1, 2].includes(peer.role?.leader_id));
  cluster.peer(3).say("from the original");
  twin.say("from the copy");
  cluster.peer(1).say("from another");
  await cluster.delivered(1, [1, 2]);
  for (const { twins } of await Promise.all([...others, twin].map((peer) => peer.status())))
    expect(twins[0].id).toBe(3);
  expect([...cluster.peer(3).all("sent"), ...twin.all("sent")]).toEqual([]);

  await twin.stop();
  await cluster.peer(3).stop();
  cluster.start(3);
  await cluster.delivered(2, [1, 2, 3]);
  expect(cluster.peer(1).messages.map((m) => m.payload)).toEqual(["from another", "from the original"]);
  await cluster.stop();
}, 60_000);

test("a restart beside a connection that looks open is no twin", async () => {
  const cluster = await Cluster.start(3);
  await cluster.peer(2).stop();
  cluster.start(2);
  cluster.peer(2).say("again");
  await cluster.delivered(1);
  for (const peer of cluster.peers.values()) expect(peer.all("twins")).toEqual([]);
  await cluster.stop();
}, 60_000);

test("[D8] two of three put back beside the third: nobody leads, and all are told why and what to do", async () => {
  const cluster = await Cluster.start(3);
  for (const id of [2, 3]) copy(cluster, id);
  // It hands over to whom it knows to be caught up.
  while ((await cluster.peer(3).status()).members.some((m: PeerEvent) => m.lag !== 0));
  // A leader knows at once what the others confirm.
  cluster.peer(3).say("/transfer 1");
  await cluster.peer(1).event("role", (e) => e.role === "leader" && e.term > 1);
  for (const text of ["after", "the copies"]) {
    cluster.peer(1).say(text);
    await cluster.peer(1).event("sent", () => cluster.peer(1).all("sent").length === cluster.peer(1).messages.length);
    while ((await cluster.peer(1).status()).members.some((m: PeerEvent) => m.lag !== 0));
  }
  const before = cluster.peer(1).events.length;
  await Promise.all([2, 3].map((id) => cluster.peer(id).stop()));
  // As long as it leads it makes them whole.
  await cluster.peer(1).event("role", (e) => e.leader_id === null, before);
  for (const id of [2, 3]) {
    putBack(cluster, id);
    cluster.start(id);
  }
  for (const peer of cluster.peers.values()) {
    const { message } = await peer.event("notice", (e) => e.code === "majority-lost");
    for (const word of ["peer 2", "peer 3", "recover"]) expect(message).toContain(word);
  }
  // As it says.
  await stopped(cluster, 1, 2, 3);
  expect((await run([BINARY, "recover", cluster.dir(1), "--force"])).code).toBe(0);
  for (const id of [2, 3]) rmSync(cluster.dir(id), { recursive: true });
  for (const id of [1, 2, 3]) cluster.start(id);
  cluster.peer(2).say("and on");
  await cluster.delivered(1, [1]);
  await cluster.delivered(3, [2, 3]);
  await cluster.stop();
}, 60_000);

test("[R9] a majority put back while the third is away: its other history is found when it returns, and both sides say so", async () => {
  const cluster = await Cluster.start(3);
  for (const id of [2, 3]) copy(cluster, id);
  cluster.peer(1).say("one", "two");
  await cluster.delivered(2);
  await stopped(cluster, 1, 2, 3);
  for (const id of [2, 3]) putBack(cluster, id);
  for (const id of [3, 2]) cluster.start(id, { seeds: [2, 3] });
  cluster.peer(2).say("another history");
  await cluster.delivered(1, [2, 3]);
  const third = cluster.start(1, { seeds: [2, 3] });
  const found = (e: PeerEvent) => e.code === "conflict";
  const { message } = await third.event("notice", found);
  for (const id of [1, 2, 3]) if (message.includes(`peer ${id} at`)) await cluster.peer(id).event("notice", found);
  expect(third.messages).toEqual([]);
  await cluster.stop();
}, 60_000);
