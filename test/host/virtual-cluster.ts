/**
 * Three real hosts (or another number) on virtual time, disks and network, and clients of theirs: for stories about the people who use them.
 */
import { expect } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { DEFAULT_ENGINE } from "../../src/engines/default.ts";
import { ClientHost } from "../../src/host/client/client-host.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Stopped } from "../../src/host/events.ts";
import { Host } from "../../src/host/host.ts";
import type { HostOptions } from "../../src/host/host-contract.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { type Attached, VirtualNetwork } from "../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/virtual-time.ts";
import { keyOf, virtualTrust } from "./virtual-trust.ts";

const A_WHILE_MS = 10_000;

export interface Run<S> {
  readonly service: S;
  readonly clock: VirtualClock;
  readonly events: HostEvent[];
  readonly stops: Stopped[];
  die(): void;
}

export class Cluster {
  readonly time = new VirtualTime();
  readonly random: () => number;
  readonly network: VirtualNetwork;
  readonly disks: VirtualDisk[];
  readonly peers = new Map<number, Run<Host>>();
  /** All that ever ran. */
  readonly runs: Run<unknown>[] = [];
  readonly #options: Partial<HostOptions>;
  nextSite = 50;

  constructor(options: Partial<HostOptions> = {}, seed = 7, peers = 3) {
    this.#options = options;
    this.random = seeded(seed);
    const clock = { after: (ms: number, fn: () => void) => this.time.at(this.time.now + ms, fn) };
    this.disks = Array.from({ length: peers }, () => new VirtualDisk({ clock, random: () => this.random() }));
    this.network = new VirtualNetwork(this.time, this.random);
  }

  static formed(options: Partial<HostOptions> = {}, seed = 7): Cluster {
    const cluster = new Cluster(options, seed);
    for (const id of [1, 2, 3]) cluster.start(id);
    cluster.until(() => cluster.status(1).leader_id === 3 && cluster.status(1).members.length === 3);
    return cluster;
  }

  /** `key` names the key of its directory, which can prove it; null: there is no trust, and every cluster is plain. */
  start(id: number, own: Partial<HostOptions> = {}, key: string | null = null): void {
    const seeds = id === 1 ? [] : [{ id: 1, host: "virtual", port: 6001 }];
    const options = {
      id,
      host: "virtual",
      port: 6000 + id,
      advertise: null,
      seeds,
      name: `user${id}`,
      announces: true,
    };
    const disk = this.disks[id - 1] as VirtualDisk;
    this.peers.set(
      id,
      this.run(
        id,
        ({ clock, network, secured }, listener) =>
          new Host(
            { clock, network, disk, ...(key !== null && { trust: virtualTrust(clock, secured, keyOf(key)) }) },
            {
              ...options,
              engine: DEFAULT_ENGINE.create,
              timings: DEFAULT_TIMINGS,
              durability: "fsync",
              ...this.#options,
              ...own,
            },
            listener,
          ),
      ),
    );
  }

  client(name: string, peer: number, since: number | null = null, follow = true): Run<ClientHost> {
    const addresses = [{ host: "virtual", port: 6000 + peer }];
    return this.run(
      this.nextSite++,
      (ports, listener) => new ClientHost(ports, { addresses, name, room: "general", since, follow }, listener),
    );
  }

  /** A client that has begun. */
  attached(...parameters: Parameters<Cluster["client"]>): Run<ClientHost> {
    const client = this.client(...parameters);
    this.until(() => client.events.some((e) => e.event === "started"));
    return client;
  }

  /** Runs it on a machine of its own. */
  run<S extends { start(): void }>(
    site: number,
    make: (
      ports: { clock: VirtualClock } & Pick<Attached, "network" | "secured">,
      listener: ConstructorParameters<typeof Host>[2],
    ) => S,
  ): Run<S> {
    const clock = new VirtualClock(this.time, this.random);
    const { network, secured, die } = this.network.attach(site, clock);
    const [events, stops]: [HostEvent[], Stopped[]] = [[], []];
    const service = make(
      { clock, network, secured },
      {
        event: (e) => events.push(e),
        log: (record) => this.log(record),
        writable: () => {},
        stopped: (s) => stops.push(s),
      },
    );
    const end = () => {
      clock.end();
      die(false);
    };
    service.start();
    const run = { service, clock, events, stops, die: end };
    this.runs.push(run);
    return run;
  }

  /** Of the operator's logs of all. */
  log(_record: LogRecord): void {}

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

export const messages = (run: Run<unknown>) => run.events.filter((e): e is DeliveredMessage => e.event === "message");
export const payloads = (run: Run<unknown>) => messages(run).map((m) => m.payload);
export const sent = (run: Run<unknown>) => run.events.filter((e) => e.event === "sent");
export const told = (run: Run<unknown>) =>
  run.events.flatMap((e) => (e.event === "notice" || e.event === "error" ? [e] : []));
export const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i + 1}`);

export function say(run: Run<ClientHost | Host>, ...texts: string[]): void {
  for (const text of texts) expect(run.service.submit("general", text).ok).toBe(true);
}
