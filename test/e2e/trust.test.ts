/** Secured clusters of real processes: joined by invitation, killed, evicted from, and made of plain ones [A1] [A3] [A4] [A7] [A10]. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster, endAll, type PeerEvent, type PeerProcess, type StartOptions, sentBy } from "./harness.ts";
import { checkHistory } from "./history.ts";

afterEach(endAll);

const said = (peer: PeerProcess) => peer.messages.map((m) => m.payload as string);
const errors = (peer: PeerProcess) => peer.all("error").map((e) => `${e.code}: ${e.message}`);

async function invite(peer: PeerProcess, words = "member"): Promise<string> {
  const from = peer.events.length;
  peer.say(`/invite ${words}`);
  return (await peer.event("invitation", () => true, from)).invitation;
}

/** Starts a peer that has nothing but an invitation. */
function joins(cluster: Cluster, id: number, invitation: string, options: StartOptions = {}): PeerProcess {
  const file = join(cluster.root, `invitation-${id}`);
  writeFileSync(file, `${invitation}\n`, { mode: 0o600 });
  return cluster.start(id, { ...options, seeds: [], args: ["--invite-file", file, ...(options.args ?? [])] });
}

const again = (cluster: Cluster, id: number, options: StartOptions = {}) =>
  cluster.start(id, { ...options, seeds: [] });

async function heardBy(cluster: Cluster, ids: readonly number[], text: string): Promise<void> {
  cluster.peer(ids[0] as number).say(text);
  await Promise.all(
    ids.map((id) => cluster.peer(id).until(`peer ${id} hears ${text}`, () => said(cluster.peer(id)).includes(text))),
  );
}

/** Peer 1 founds it on loopback; the others are invited one after the other. */
async function secured(size: number, runtimes: readonly StartOptions["runtime"][] = []): Promise<Cluster> {
  const cluster = await Cluster.reserve(size + 1);
  const of = (id: number) => ({ ...(runtimes[id - 1] !== undefined && { runtime: runtimes[id - 1] }) }) as StartOptions;
  const first = cluster.start(1, { ...of(1), args: ["--secure"] });
  await first.until("it leads", () => first.role?.role === "leader");
  for (let id = 2; id <= size; id++) {
    const peer = joins(cluster, id, await invite(first), of(id));
    await peer.until("it belongs", () => peer.role?.leader_id !== null && peer.role !== undefined);
  }
  const ids = [...cluster.peers.keys()];
  await heardBy(cluster, ids, "all here");
  if (size !== 3) return cluster;
  await first.until("all of them vote", () => {
    const roles = new Map(first.all("member").map((e) => [e.id, e.role]));
    return ids.every((id) => roles.get(id) === "voter");
  });
  // What is said now stands behind the entry that settles it.
  await heardBy(cluster, ids, "all vote");
  return cluster;
}

async function isEvicted(peer: PeerProcess): Promise<void> {
  expect(await peer.exited).toBe(1);
  expect(errors(peer).join("\n")).toMatch(/evicted/);
}

test("[A1] [A3] three found and join a secured cluster, survive SIGKILL of the leader and a restart of all, and need no invitation for it", async () => {
  const cluster = await secured(3);
  expect(
    cluster
      .peer(1)
      .all("notice")
      .some((e) => e.message.includes("founded secured cluster")),
  ).toBe(true);
  for (const id of [1, 2, 3]) {
    expect(statSync(join(cluster.dir(id), "key.pem")).mode & 0o777).toBe(0o600);
    expect(
      JSON.parse(readFileSync(join(cluster.dir(id), "owner.token"), "utf8").split("\n")[0] as string),
    ).toBeTruthy();
  }
  const leader = await cluster.leader();
  await cluster.peer(leader).stop("SIGKILL");
  const others = [1, 2, 3].filter((id) => id !== leader);
  await heardBy(cluster, others, "one is gone");
  again(cluster, leader);
  await heardBy(cluster, [leader, ...others], "it is back");
  await Promise.all([1, 2, 3].map((id) => cluster.peer(id).stop("SIGKILL")));
  const sent = sentBy(cluster.peers.values());
  for (const id of [1, 2, 3]) again(cluster, id);
  await heardBy(cluster, [1, 2, 3], "all are back");
  checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    [...sent, ...sentBy(cluster.peers.values())],
  );
  await cluster.stop();
}, 120_000);

test("[A3] binary, Node.js and Deno are one secured cluster, whoever leads", async () => {
  const cluster = await secured(3, ["node", "deno", "binary"]);
  await cluster.peer(3).stop("SIGKILL");
  await heardBy(cluster, [1, 2], "node and deno alone");
  again(cluster, 3);
  await heardBy(cluster, [3, 1, 2], "and all of them");
  await cluster.stop();
}, 120_000);

test("[A3] [A7] one joins through a follower alone; the same invitation lets in nobody else, and no id is taken over", async () => {
  const cluster = await secured(3);
  const leader = await cluster.leader();
  const follower = [1, 2, 3].find((id) => id !== leader) as number;
  const invitation = await invite(cluster.peer(follower));
  const four = joins(cluster, 4, invitation);
  await heardBy(cluster, [4, 1, 2, 3], "through a follower");
  await four.stop("SIGKILL");
  rmSync(cluster.dir(4), { recursive: true });
  const second = joins(cluster, 4, invitation);
  expect(await second.exited).toBe(1);
  expect(errors(second).join("\n")).toContain("this invitation has been used");
  rmSync(cluster.dir(4), { recursive: true });
  const thief = joins(cluster, 4, await invite(cluster.peer(1)));
  expect(await thief.exited).toBe(1);
  expect(errors(thief).join("\n")).toContain("/evict 4");
  await heardBy(cluster, [1, 2, 3], "only us");
  await cluster.stop();
}, 120_000);

test("[A4] a living peer is evicted at once, and its return is refused", async () => {
  const cluster = await secured(3);
  const leader = await cluster.leader();
  const gone = [1, 2, 3].find((id) => id !== leader) as number;
  const stay = [1, 2, 3].filter((id) => id !== gone);
  cluster.peer(stay[0] as number).say(`/evict ${gone}`);
  await isEvicted(cluster.peer(gone));
  await heardBy(cluster, stay, "without it");
  await isEvicted(again(cluster, gone));
  expect(said(cluster.peer(gone))).not.toContain("without it");
  await cluster.stop();
}, 120_000);

test("[A3] plain meets secured and the other way round: each is told, and neither speaks as the other", async () => {
  const cluster = await secured(2);
  const plain = cluster.start(3, { seeds: [1] });
  expect(await plain.exited).toBe(1);
  expect(errors(plain).join("\n")).toContain("this cluster is secured");
  const invitation = await invite(cluster.peer(1));
  await Promise.all([1, 2].map((id) => cluster.peer(id).stop("SIGKILL")));
  const other = await Cluster.reserve(1);
  other.start(1, { port: cluster.portOf(1) });
  other.start(2, { port: cluster.portOf(2), seeds: [] });
  await Promise.all([1, 2].map((id) => other.peer(id).until("it leads", () => other.peer(id).role?.role === "leader")));
  rmSync(cluster.dir(3), { recursive: true });
  const invited = joins(cluster, 3, invitation);
  expect(await invited.exited).toBe(1);
  expect(errors(invited).join("\n")).toContain("speaks without TLS");
  await other.stop();
  await cluster.stop();
}, 120_000);

test("[A1] a key that others can read stops the start, and a plain cluster is not opened to other machines in silence", async () => {
  const cluster = await secured(1);
  await cluster.peer(1).stop();
  chmodSync(join(cluster.dir(1), "key.pem"), 0o644);
  const careless = again(cluster, 1);
  expect(await careless.exited).toBe(1);
  expect(careless.stderr.join("\n") + errors(careless).join("\n")).toContain("chmod 600");
  await cluster.stop();
  const plain = await Cluster.start(1);
  await plain.peer(1).stop();
  const outside = again(plain, 1, { args: ["--host", "0.0.0.0"] });
  expect(await outside.exited).toBe(1);
  expect(outside.stderr.join("\n") + errors(outside).join("\n")).toContain("belongs to a plain cluster");
  await plain.stop();
}, 120_000);

test("[A10] /secure under load: a plain cluster of three becomes a secured one, nothing is lost, and it stays so", async () => {
  const cluster = await Cluster.start(3);
  const lines = (from: number) => Array.from({ length: 300 }, (_, i) => `${from + i}`);
  for (const id of [1, 2, 3]) cluster.peer(id).say(...lines(id * 1000));
  cluster.peer(1).say("/secure");
  const isTold = (e: PeerEvent) => e.code === "secured";
  for (const id of [1, 2, 3]) cluster.peer(id).say(...lines(id * 1000 + 300));
  await Promise.all([1, 2, 3].map((id) => cluster.peer(id).event("notice", isTold)));
  for (const id of [1, 2, 3]) cluster.peer(id).say(...lines(id * 1000 + 600));
  await cluster.delivered(2700);
  const plain = cluster.start(4, { seeds: [1], port: 0 });
  expect(await plain.exited).toBe(1);
  expect(errors(plain).join("\n")).toContain("this cluster is secured");
  cluster.peers.delete(4);
  const sent = sentBy(cluster.peers.values());
  await Promise.all([1, 2, 3].map((id) => cluster.peer(id).stop("SIGKILL")));
  for (const id of [1, 2, 3]) again(cluster, id);
  await heardBy(cluster, [1, 2, 3], "behind TLS");
  checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sent,
  );
  expect(readdirSync(cluster.dir(1))).toContain("key.pem");
  await cluster.stop();
}, 120_000);
