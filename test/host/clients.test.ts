/**
 * Thin clients on virtual time, disks and network [S8]: three real hosts, clients that come, move, read slowly and go.
 */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { ClientHost } from "../../src/host/client-host.ts";
import type { DeliveredMessage, HostEvent, Stopped } from "../../src/host/events.ts";
import { Host } from "../../src/host/host.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/clock.ts";
import { VirtualDisk } from "../../src/sim/disk.ts";
import { VirtualNetwork } from "../../src/sim/network.ts";

const A_WHILE_MS = 10_000;

interface Run<S> {
  readonly service: S;
  readonly clock: VirtualClock;
  readonly events: HostEvent[];
  readonly stops: Stopped[];
  die(): void;
}

class Cluster {
  readonly time = new VirtualTime();
  readonly random = seeded(7);
  readonly network = new VirtualNetwork(this.time, this.random);
  readonly disks = [1, 2, 3].map(() => {
    const clock = { after: (ms: number, fn: () => void) => this.time.at(this.time.now + ms, fn) };
    return new VirtualDisk({ clock, random: this.random });
  });
  readonly peers = new Map<number, Run<Host>>();
  #nextSite = 50;

  static formed(): Cluster {
    const cluster = new Cluster();
    for (const id of [1, 2, 3]) cluster.start(id);
    cluster.until(() => cluster.status(1).leader_id === 3 && cluster.status(1).members.length === 3);
    return cluster;
  }

  start(id: number): void {
    const seeds = id === 1 ? [] : [{ id: 1, host: "virtual", port: 6001 }];
    const options = { id, host: "virtual", port: 6000 + id, advertise: null, seeds, name: `user${id}` };
    const disk = this.disks[id - 1] as VirtualDisk;
    this.peers.set(
      id,
      this.#run(
        id,
        ({ clock, network }, listener) =>
          new Host({ clock, network, disk }, { ...options, timings: DEFAULT_TIMINGS, durability: "fsync" }, listener),
      ),
    );
  }

  client(name: string, peer: number, begin: { history: number } | { since: number } = { history: 0 }): Run<ClientHost> {
    const addresses = [{ host: "virtual", port: 6000 + peer }];
    return this.#run(
      this.#nextSite++,
      (ports, listener) => new ClientHost(ports, { addresses, name, room: "general", begin, follow: true }, listener),
    );
  }

  /** A client that has begun. */
  attached(...parameters: Parameters<Cluster["client"]>): Run<ClientHost> {
    const client = this.client(...parameters);
    this.until(() => client.events.some((e) => e.event === "started"));
    return client;
  }

  #run<S extends { start(): void }>(
    site: number,
    make: (
      ports: { clock: VirtualClock; network: ReturnType<VirtualNetwork["attach"]>["network"] },
      listener: ConstructorParameters<typeof Host>[2],
    ) => S,
  ): Run<S> {
    const clock = new VirtualClock(this.time, this.random);
    const { network, die } = this.network.attach(site, clock);
    const [events, stops]: [HostEvent[], Stopped[]] = [[], []];
    const service = make(
      { clock, network },
      { event: (e) => events.push(e), log: () => {}, writable: () => {}, stopped: (s) => stops.push(s) },
    );
    const end = () => {
      clock.end();
      die(false);
    };
    service.start();
    return { service, clock, events, stops, die: end };
  }

  kill(id: number): void {
    this.peers.get(id)?.die();
    this.disks[id - 1]?.kill();
  }

  status(id: number) {
    return (this.peers.get(id) as Run<Host>).service.status();
  }

  pass(ms = A_WHILE_MS): void {
    this.time.runUntil(this.time.now + ms);
  }

  until(done: () => boolean): void {
    this.time.runUntil(this.time.now + A_WHILE_MS, done);
    expect(done()).toBe(true);
  }
}

const messages = (run: Run<unknown>) => run.events.filter((e): e is DeliveredMessage => e.event === "message");
const payloads = (run: Run<unknown>) => messages(run).map((m) => m.payload);
const sent = (run: Run<unknown>) => run.events.filter((e) => e.event === "sent");
const told = (run: Run<unknown>) => run.events.flatMap((e) => (e.event === "notice" || e.event === "error" ? [e] : []));
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i + 1}`);

function say(run: Run<ClientHost | Host>, ...texts: string[]): void {
  for (const text of texts) expect(run.service.submit("general", text).ok).toBe(true);
}

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
    cluster.network.cut(1, other);
    cluster.network.cut(other, 1);
  }
  say(client, "without peer 1");
  cluster.until(() => sent(client).length === 1);
  cluster.kill(2);
  cluster.kill(3);
  cluster.pass(20_000);
  expect(cluster.status(1).commit_index).toBeLessThan(messages(client)[0]?.index as number);
  expect(told(client).map((n) => n.code)).not.toContain("attached");
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
  say(peer, ...texts);
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
  cluster.network.cut(site, 1);
  cluster.network.cut(1, site);
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
  const client = cluster.attached("bob", 2, { history: 5 });
  expect(client.service.history(9, "general").map((m) => m.payload)).toEqual(numbered(30).slice(25));
  expect(messages(client)).toEqual([]);
  const reader = cluster.attached("", 2, { since: 29 });
  cluster.until(() => messages(reader).length === 2);
  expect(payloads(reader)).toEqual(["m29", "m30"]);
  const answers: unknown[] = [];
  client.service.ask({ what: "history", room_id: "general", count: 2, text: "M1" }, (answer) => answers.push(answer));
  cluster.until(() => answers.length === 1);
  expect(answers).toMatchObject([{ event: "history", messages: [{ payload: "m18" }, { payload: "m19" }] }]);
});
