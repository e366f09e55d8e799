/** The demo scenarios of a chat without a server, with real processes of the compiled binary. */
import { afterEach, expect, test } from "bun:test";
import { BINARY, Cluster, endAll, run, sentBy } from "./harness.ts";
import { checkHistory, saidBy } from "./history.ts";
import { CuttableNetwork } from "./proxy.ts";

afterEach(endAll);

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);

async function verify(cluster: Cluster, ids: readonly number[]): Promise<void> {
  const { code, out, err } = await run([BINARY, "verify", ...ids.map((id) => cluster.dir(id))]);
  expect(`${code} ${out}${err}`).toStartWith("0 ");
}

test("basic messaging: what one peer says, all show in one order with seq_no 1, 2, 3", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("Hello from peer 1!");
  await cluster.delivered(1);
  cluster.peer(2).say("Hi from peer 2!");
  await cluster.delivered(2);
  for (const peer of cluster.peers.values()) {
    expect(peer.messages.map((m) => [m.seq_no, m.user, m.payload])).toEqual([
      [1, "user1", "Hello from peer 1!"],
      [2, "user2", "Hi from peer 2!"],
    ]);
  }
  await cluster.peer(1).event("sent", (e) => e.seq_no === 1);
  expect(
    cluster
      .peer(1)
      .events.filter((e) => ["pending", "message", "sent"].includes(e.event))
      .map((e) => e.event)
      .slice(0, 3),
  ).toEqual(["pending", "message", "sent"]);
  await cluster.stop();
});

test("[E10] leader killed and restarted: peer 2 leads, peer 3 returns as follower with everything it missed", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("Before failure");
  await cluster.delivered(1);
  await cluster.peer(3).stop();
  await cluster.peer(1).until("peer 2 leads", () => cluster.peer(1).role?.leader_id === 2);
  cluster.peer(1).say("After failure");
  await cluster.delivered(2, [1, 2]);
  const back = cluster.start(3);
  await back.until("what was missed", () => back.messages.some((m) => m.payload === "After failure"));
  await back.until("its role", () => back.role?.leader_id === 2);
  expect(back.role?.role).toBe("follower");
  expect(back.messages.at(-1)?.payload).toBe("After failure");
  cluster.peer(3).say("I am back");
  await cluster.delivered(3, [1, 2]);
  const chats = checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sentBy(cluster.peers.values()),
  );
  expect(chats.map((c) => c.payload)).toEqual(["Before failure", "After failure", "I am back"]);
  await verify(cluster, [1, 2, 3]);
  await cluster.stop();
});

test("concurrent messages: three peers send at once, all deliver one order", async () => {
  const cluster = await Cluster.start(3);
  for (const [id, peer] of cluster.peers) peer.say(...texts(`p${id}`, 300));
  await cluster.delivered(900);
  const orders = [...cluster.peers.values()].map((p) => p.messages.map((m) => m.msg_id).join(" "));
  expect(new Set(orders).size).toBe(1);
  expect(cluster.peer(2).messages.map((m) => m.seq_no)).toEqual(Array.from({ length: 900 }, (_, i) => i + 1));
  checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sentBy(cluster.peers.values()),
  );
  await cluster.stop();
});

test("[R8] a peer that was away receives all it missed, in order", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(2).say("msg1", "msg2");
  await cluster.delivered(2);
  await cluster.peer(1).stop();
  cluster.peer(2).say(...texts("missed", 500));
  await cluster.delivered(502, [2, 3]);
  const back = cluster.start(1);
  await back.until("the last missed message", () => back.messages.at(-1)?.payload === "missed-500");
  const missed = back.messages.filter((m) => m.payload.startsWith("missed-")).map((m) => m.payload);
  expect(missed).toEqual(texts("missed", 500));
  await verify(cluster, [1, 2, 3]);
  await cluster.stop();
});

for (const round of [1, 2]) {
  test(`[I1] [I4] the leader is killed in the middle of 3 × 2,000 messages and restarted (run ${round})`, async () => {
    const cluster = await Cluster.start(3);
    for (const [id, peer] of cluster.peers) peer.say(...texts(`r${round}p${id}`, 2000));
    const first = [...cluster.peers.values()];
    await cluster.peer(1).until("a part is delivered", () => cluster.peer(1).messages.length > 1000);
    await cluster.peer(3).stop();
    const back = cluster.start(3);
    await cluster.drained();
    const chats = checkHistory(
      [1, 2, 3].map((id) => cluster.dir(id)),
      sentBy([...first, back]),
    );
    for (const id of [1, 2]) expect(saidBy(id, chats)).toEqual(texts(`r${round}p${id}`, 2000));
    // What the killed process had taken into its outbox went out under its old ids [S3]; what it had not read is gone.
    const taken = saidBy(3, chats);
    expect(taken).toEqual(texts(`r${round}p3`, taken.length));
    expect(taken.length).toBeGreaterThanOrEqual(first[2]?.all("pending").length as number);
    await verify(cluster, [1, 2, 3]);
    await cluster.stop();
  }, 120_000);
}

test("[E11] a cut 2 | 1 with the leader alone: it delivers nothing, says that it waits, and is heard after healing", async () => {
  const network = new CuttableNetwork();
  const cluster = await Cluster.reserve(3);
  for (const id of [1, 2, 3]) cluster.advertised.set(id, await network.front(id, cluster.portOf(id)));
  for (const id of [1, 2, 3]) cluster.start(id);
  await cluster.formed(3);
  cluster.peer(1).say("together");
  await cluster.delivered(1);
  const before = cluster.peer(3).events.length;
  network.cut([3], [1, 2]);
  cluster.peer(3).say(...texts("minority", 20));
  cluster.peer(1).say(...texts("majority", 20));
  await cluster.peer(3).event("notice", (e) => e.code === "waiting" && /majority/.test(e.message), before);
  await cluster.peer(1).until("the larger side goes on", () => cluster.peer(1).messages.length === 21);
  expect(cluster.peer(3).messages.map((m) => m.payload)).toEqual(["together"]);
  expect(cluster.peer(3).all("sent")).toEqual([]);
  expect((await cluster.peer(3).status()).quorum).toBe(false);
  network.heal();
  await cluster.delivered(41);
  const chats = checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sentBy(cluster.peers.values()),
  );
  expect(chats.slice(0, 21).map((c) => c.payload)).toEqual(["together", ...texts("majority", 20)]);
  expect(chats.slice(21).map((c) => c.payload)).toEqual(texts("minority", 20));
  await cluster.stop();
  await network.close();
}, 30_000);

test("[S6] [S7] out of the leader's reach alone a peer goes on through another; out of everybody's, two show each other what waits", async () => {
  const network = new CuttableNetwork();
  const cluster = await Cluster.reserve(5);
  const ids = [1, 2, 3, 4, 5];
  for (const id of ids) cluster.advertised.set(id, await network.front(id, cluster.portOf(id)));
  for (const id of ids) cluster.start(id);
  await cluster.formed(5);
  const [one, two] = [cluster.peer(1), cluster.peer(2)];
  await one.until("peer 5 leads", () => one.role?.leader_id === 5);
  network.cut([1], [5]);
  one.say("around the corner");
  await cluster.delivered(1);
  await one.until("it is told", () => one.all("sent").length === 1);
  // Now 1 and 2 have each other only.
  network.cut([1, 2], [3, 4, 5]);
  one.say("is anybody there?");
  await two.event("unsent", (e) => e.payload === "is anybody there?" && e.sender_id === 1);
  cluster.peer(3).say("we go on");
  await cluster.delivered(2, [3, 4, 5]);
  network.heal();
  await cluster.delivered(3);
  checkHistory(
    ids.map((id) => cluster.dir(id)),
    sentBy(cluster.peers.values()),
  );
  await cluster.stop();
  await network.close();
}, 30_000);

test("[I8] with two of three voters killed the survivor keeps messages unnumbered until one returns", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("first");
  await cluster.delivered(1);
  await Promise.all([cluster.peer(2).stop(), cluster.peer(3).stop()]);
  const survivor = cluster.peer(1);
  const waits = survivor.event("notice", (e) => e.code === "waiting" && /majority/.test(e.message));
  survivor.say("kept one", "kept two");
  await waits;
  await survivor.until("both are pending", () => survivor.all("pending").length === 3);
  expect(survivor.messages.length).toBe(1);
  expect((await survivor.status()).pending).toBe(2);
  cluster.start(2);
  await cluster.delivered(3, [1]);
  expect(survivor.messages.map((m) => [m.seq_no, m.payload])).toEqual([
    [1, "first"],
    [2, "kept one"],
    [3, "kept two"],
  ]);
  await cluster.stop();
});

test("[I1] all peers killed at once under load: nothing sent is missing and numbering goes on", async () => {
  const cluster = await Cluster.start(3);
  for (const [id, peer] of cluster.peers) peer.say(...texts(`load${id}`, 1000));
  await cluster.peer(2).until("a part is sent", () => cluster.peer(2).all("sent").length > 200);
  const old = [...cluster.peers.values()];
  await Promise.all(old.map((p) => p.stop()));
  for (const id of [1, 2, 3]) cluster.start(id);
  await cluster.drained();
  const chats = checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sentBy(old),
  );
  for (const id of [1, 2, 3]) {
    const taken = saidBy(id, chats);
    expect(taken).toEqual(texts(`load${id}`, taken.length));
    expect(taken.length).toBeGreaterThanOrEqual(old[id - 1]?.all("pending").length as number);
  }
  await cluster.stop();
}, 120_000);
