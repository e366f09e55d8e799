/**
 * Clients in the thick of it: peers crash, lose their power and come back, links are cut, clients talk, read, change names
 * and die, all drawn from a seed. Then everything heals, and the logs on the disks are looked at, without the code under test [S8] [P1].
 */
import { expect, test } from "bun:test";
import type { ClientHost } from "../../../src/host/client/client-host.ts";
import type { Host } from "../../../src/host/host.ts";
import { Cluster, messages, type Run, sent } from "../virtual-cluster.ts";

const SEEDS = 30;
const STEPS = 120;

interface Line {
  readonly kind: string;
  readonly msg_id: string;
  readonly user: string;
  readonly room_id: string;
  readonly seq_no: number;
  readonly payload: unknown;
}

function logOf(cluster: Cluster, id: number): string[] {
  const disk = cluster.disks[id - 1] as Cluster["disks"][number];
  const paths = disk.paths().filter((path) => path.startsWith("log/"));
  return paths.flatMap((path) => new TextDecoder().decode(disk.contents(path)).split("\n").slice(0, -1));
}

class Swarm {
  readonly cluster: Cluster;
  readonly clients: Run<ClientHost>[] = [];
  /** What each client was told is pending, in order. */
  readonly said = new Map<Run<ClientHost>, string[]>();
  readonly running = new Set([1, 2, 3]);

  constructor(seed: number) {
    this.cluster = Cluster.formed({}, seed);
    for (const id of [1, 2, 3]) this.#attach(id);
  }

  #below(n: number): number {
    return Math.floor(this.cluster.random() * n);
  }

  #attach(peer: number): void {
    const client = this.cluster.client(`client ${this.clients.length}`, peer);
    this.clients.push(client);
    this.said.set(client, []);
  }

  step(): void {
    const { cluster, running } = this;
    const peer = 1 + this.#below(3);
    const other = 1 + this.#below(3);
    const client = this.clients[this.#below(this.clients.length)] as Run<ClientHost>;
    const what = this.#below(20);
    if (what < 9) this.#say(client, 1 + this.#below(20));
    else if (what < 11) {
      for (const m of messages(client).slice(-1)) client.service.confirmRead(m.room_id, m.seq_no);
    } else if (what === 11) client.service.ask({ what: "nick", user: `name ${this.#below(6)}` }, () => {});
    else if (what === 12 && running.size > 1 && running.delete(peer)) cluster.kill(peer);
    else if (what === 13 && running.size > 1 && running.delete(peer)) {
      cluster.peers.get(peer)?.die();
      cluster.disks[peer - 1]?.crash();
    } else if (what < 16 && !running.has(peer)) this.#start(peer);
    else if (what === 16) cluster.network.lines.cut(peer, other);
    else if (what === 17) cluster.network.heal();
    else if (what === 18 && this.clients.length < 8) this.#attach(peer);
    else if (what === 19) cluster.network.reset(50 + this.#below(this.clients.length), peer);
    cluster.pass(this.#below(600));
  }

  #start(peer: number): void {
    this.running.add(peer);
    this.cluster.start(peer);
  }

  #say(client: Run<ClientHost>, count: number): void {
    const said = this.said.get(client) as string[];
    for (let i = 0; i < count && client.stops.length === 0; i++) {
      const text = `${this.clients.indexOf(client)}/${said.length + 1}`;
      if (client.service.submit(this.#below(3) === 0 ? "attic" : "general", text).ok) said.push(text);
    }
  }

  heal(): void {
    this.cluster.network.heal();
    for (const id of [1, 2, 3]) if (!this.running.has(id)) this.#start(id);
    this.cluster.pass(30_000);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`[S8] [I2] [I4] [I8] [P1] seed ${seed}: nothing of a client is lost, doubled or out of order, and all agree on the people`, () => {
    const swarm = new Swarm(seed);
    for (let i = 0; i < STEPS; i++) swarm.step();
    swarm.heal();
    const { cluster, clients } = swarm;
    const logs = [1, 2, 3].map((id) => logOf(cluster, id));
    expect(logs[1]).toEqual(logs[0] as string[]);
    expect(logs[2]).toEqual(logs[0] as string[]);
    const lines = (logs[0] as string[]).map((line) => JSON.parse(line) as Line);
    const chats = lines.filter((line) => line.kind === "chat");
    for (const client of clients) {
      const own = chats.filter((chat) => `${chat.payload}`.startsWith(`${clients.indexOf(client)}/`));
      const told = new Set(own.map((chat) => chat.msg_id));
      for (const event of sent(client)) expect(event.event === "sent" && told.has(event.msg_id)).toBe(true);
      // Who could not begin has said nothing; everybody else has said it all.
      expect(own.map((chat) => chat.payload)).toEqual(swarm.said.get(client) as string[]);
      const indexes = messages(client).map((m) => m.index);
      expect(indexes.every((index, i) => i === 0 || index > (indexes[i - 1] as number))).toBe(true);
      const seen = messages(client).map((m) => m.msg_id);
      const first = chats.findIndex((chat) => chat.msg_id === seen[0]);
      if (seen.length > 0) expect(chats.slice(first).map((chat) => chat.msg_id)).toEqual(seen);
    }
    const present = new Set<string>();
    for (const { kind, user, payload } of lines) {
      if (kind !== "system") continue;
      const { change, was } = payload as { change: string; was: string };
      if (change === "joined") expect(present.has(user)).toBe(false);
      else expect(present.delete(change === "renamed" ? was : user)).toBe(true);
      if (change === "joined" || change === "renamed") present.add(user);
    }
    const here = [...cluster.peers.values()].map((run: Run<Host>) => run.service.status().role);
    expect(here.filter((role) => role === "leader")).toHaveLength(1);
    for (const name of ["user1", "user2", "user3"]) expect(present.has(name)).toBe(true);
  });
}
