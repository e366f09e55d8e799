/**
 * Thin clients on virtual time, disks and network [S8]: three real hosts, clients that come, move, read slowly and go.
 */
import { expect, test } from "bun:test";
import type { ClientHost } from "../../../src/host/client/client-host.ts";
import type { Host } from "../../../src/host/host.ts";
import { Cluster, messages, numbered, payloads, type Run, say, sent, told } from "../virtual-cluster.ts";

test("[S8] a client sends and reads through any peer; its messages are pending until they are in the committed log", () => {
  const cluster = Cluster.formed();
  const clients = [1, 2, 3].map((id) => cluster.attached(`c${id}`, id));
  for (const [i, client] of clients.entries()) say(client, `from ${i + 1}`);
  expect(clients.map((c) => c.service.pending)).toEqual([1, 1, 1]);
  cluster.until(() => clients.every((c) => messages(c).length === 3));
  for (const client of clients) {
    expect(messages(client)).toEqual(messages(clients[0] as Run<ClientHost>));
    expect(client.service.pending).toBe(0);
    expect(sent(client)).toHaveLength(1);
  }
  expect(messages(cluster.peers.get(1) as Run<Host>)).toEqual(messages(clients[0] as Run<ClientHost>));
});

for (const victim of [1, 3]) {
  test(`[S8] [I4] its peer (${victim}) dies, then the next one returns: nothing is lost, doubled or seen twice`, () => {
    const cluster = Cluster.formed();
    const client = cluster.attached("bob", victim);
    say(client, ...numbered(50));
    cluster.until(() => sent(client).length > 0);
    cluster.kill(victim);
    say(client, ...numbered(100).slice(50));
    cluster.until(() => sent(client).length === 100);
    expect(told(client).filter((n) => n.message.startsWith("no peer"))).toEqual([]);
    cluster.start(victim);
    cluster.until(() => cluster.status(victim).leader_id !== null);
    expect(payloads(client)).toEqual(numbered(100));
    const indexes = messages(client).map((m) => m.index);
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
    expect(new Set(messages(client).map((m) => m.msg_id.split(".").slice(0, 2).join("."))).size).toBe(1);
  });
}

test("[S8] a peer that is behind what a client has seen does not serve it: history never goes back", () => {
  const cluster = Cluster.formed();
  const client = cluster.attached("bob", 2);
  for (const other of [2, 3]) {
    cluster.network.lines.cut(1, other);
    cluster.network.lines.cut(other, 1);
  }
  say(client, "without peer 1");
  cluster.until(() => sent(client).length === 1);
  cluster.kill(2);
  cluster.kill(3);
  cluster.pass(20_000);
  expect(cluster.status(1).commit_index).toBeLessThan(messages(client)[0]?.index as number);
  expect(told(client).map((n) => n.code)).toEqual(["peer-lost", "waiting"]);
  cluster.network.heal();
  cluster.start(2);
  cluster.until(() => told(client).some((n) => n.code === "attached"));
  say(client, "with peer 1 again");
  cluster.until(() => sent(client).length === 2);
  expect(payloads(client)).toEqual(["without peer 1", "with peer 1 again"]);
});

test("[S7] [S8] without a majority its messages wait, it is told so, and they go when there is one", () => {
  const cluster = Cluster.formed();
  const client = cluster.attached("bob", 1);
  cluster.kill(2);
  cluster.kill(3);
  say(client, "patience");
  cluster.until(() => told(client).some((n) => n.code === "waiting"));
  expect([client.service.pending, client.service.status().quorum]).toEqual([1, false]);
  const late = cluster.attached("eve", 1);
  cluster.until(() => told(late).some((n) => n.code === "waiting"));
  cluster.start(2);
  cluster.until(() => sent(client).length === 1);
  expect(client.service.pending).toBe(0);
});

test("[S9] a client that does not read keeps nobody waiting and little in memory, and gets all when it reads again", () => {
  const cluster = Cluster.formed();
  const slow = cluster.attached("slow", 1);
  slow.service.pauseDelivery();
  const peer = cluster.peers.get(2) as Run<Host>;
  const texts = Array.from({ length: 60 }, (_, i) => `${i} ${"x".repeat(60_000)}`);
  for (const text of texts) {
    say(peer, text);
    cluster.pass(10);
  }
  cluster.until(() => messages(peer).length === texts.length);
  cluster.pass();
  expect(messages(slow).length).toBeLessThan(15);
  slow.service.resumeDelivery();
  cluster.until(() => messages(slow).length === texts.length);
  expect(payloads(slow)).toEqual(texts);
});

test("[S8] a client that is cut off without a word finds another peer; the same client takes its own name back", () => {
  const cluster = Cluster.formed();
  const client = cluster.attached("bob", 1);
  const site = 50;
  cluster.network.lines.cut(site, 1);
  cluster.network.lines.cut(1, site);
  cluster.until(() => told(client).some((n) => n.code === "attached"));
  cluster.network.heal();
  say(client, "moved");
  cluster.until(() => sent(client).length === 1);
  cluster.network.reset(site, 2);
  cluster.network.reset(site, 3);
  say(client, "and back");
  cluster.until(() => sent(client).length === 2);
  const namesake = cluster.client("user2", 2);
  cluster.until(() => namesake.stops.length === 1);
  expect(namesake.stops).toMatchObject([{ code: 1, reason: expect.stringContaining('"user2" is in use on peer 2') }]);
});

test("the past: what a client begins with, and from which number on it is told", () => {
  const cluster = Cluster.formed();
  say(cluster.peers.get(1) as Run<Host>, ...numbered(30));
  cluster.until(() => messages(cluster.peers.get(2) as Run<Host>).length === 30);
  const client = cluster.attached("bob", 2);
  expect(messages(client)).toEqual([]);
  const reader = cluster.attached("", 2, 29);
  cluster.until(() => messages(reader).length === 2);
  expect(payloads(reader)).toEqual(["m29", "m30"]);
  const ask = (wanted: { text?: string; before?: number; after?: number }) => {
    const found: string[][] = [];
    client.service.ask({ what: "history", room_id: "general", count: 2, text: "", ...wanted }, (told) => {
      if (told.event === "history") found.push(told.messages.map((m) => m.payload));
    });
    cluster.until(() => found.length === 1);
    return found[0];
  };
  const [first, last] = [messages(reader)[0]?.index ?? 0, client.service.delivered];
  expect(ask({})).toEqual(["m29", "m30"]);
  expect(ask({ text: "M1" })).toEqual(["m18", "m19"]);
  expect(ask({ before: first })).toEqual(["m27", "m28"]);
  expect(ask({ before: 1 })).toEqual([]);
  expect(ask({ after: 0 })).toEqual(["m1", "m2"]);
  expect(ask({ after: first - 1, before: first + 1 })).toEqual(["m29"]);
  expect(ask({ after: last })).toEqual([]);
});

test("[S8] nobody is said to be out of reach before every address was tried, wherever in the list its peer was", () => {
  for (const victim of [1, 2, 3]) {
    const cluster = Cluster.formed();
    const client = cluster.attached("bob", victim);
    cluster.kill(victim);
    cluster.until(() => told(client).some((n) => n.code === "attached"));
    expect(told(client).map((n) => n.code)).toEqual(["peer-lost", "attached"]);
  }
});

test("[S8] when all peers are gone it says why, once, and goes on when one is back", () => {
  const cluster = Cluster.formed();
  const client = cluster.attached("bob", 2);
  for (const id of [1, 2, 3]) cluster.kill(id);
  cluster.pass();
  expect(told(client).map((n) => n.code)).toEqual(["peer-lost", "waiting"]);
  expect(told(client)[1]?.message).toContain("ECONNREFUSED");
  say(client, "kept");
  for (const id of [1, 2]) cluster.start(id);
  cluster.until(() => sent(client).length === 1);
  expect(payloads(client)).toEqual(["kept"]);
});

test("who only reads what there is does not wait for peers that are gone", () => {
  const cluster = Cluster.formed();
  say(cluster.peers.get(1) as Run<Host>, ...numbered(3));
  cluster.until(() => messages(cluster.peers.get(1) as Run<Host>).length === 3);
  const reader = cluster.client("", 1, 1, false);
  reader.service.pauseDelivery();
  cluster.until(() => reader.events.some((e) => e.event === "started"));
  for (const id of [1, 2, 3]) cluster.kill(id);
  cluster.until(() => reader.stops.length === 1);
  expect(reader.stops).toMatchObject([{ code: 1, reason: expect.stringContaining("cannot reach") }]);
});

test("[S5] what was said before a client came is not unread, in rooms that it never saw either", () => {
  const cluster = Cluster.formed();
  const peer = cluster.peers.get(1) as Run<Host>;
  const attic = (text: string) => expect(peer.service.submit("attic", text).ok).toBe(true);
  attic("old");
  attic("older");
  cluster.until(() => messages(peer).length === 2);
  const client = cluster.attached("bob", 2);
  const unread = () => client.service.rooms.list().map((r) => [r.room_id, r.last_seq_no, r.unread]);
  expect(unread()).toEqual([["attic", 2, 0]]);
  attic("new");
  cluster.until(() => messages(client).length === 1);
  expect(unread()).toEqual([["attic", 3, 1]]);
});
