/**
 * A user with a thin client on a machine of its own [S8]: attached to some peer, nothing on disk. Each of its processes
 * counts as another client to the checkers, because messages that a process has not seen sent when it ends were never
 * promised.
 */
import type { LogIndex } from "../core/ids.ts";
import { ClientHost } from "../host/client/client-host.ts";
import type { MakeClient } from "../host/client/client-options.ts";
import type { HostEvent, Stopped } from "../host/events.ts";
import type { Machine } from "./machine.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { VirtualClock, type VirtualTime } from "./virtual-time.ts";

/** Clients have sites from here on. */
export const CLIENTS_FROM = 201;
/** Its user starts a client that ended by itself again after this time. */
const AGAIN_MS = 1000;

interface ClientWorld {
  readonly time: VirtualTime;
  readonly network: VirtualNetwork;
  readonly random: () => number;
  readonly makeClient: MakeClient | undefined;
  readonly events: {
    starting(client: VirtualClient): void;
    event(client: VirtualClient, event: HostEvent): void;
    ended(client: VirtualClient, stopped: Stopped): void;
  };
}

export class VirtualClient {
  readonly site: number;
  readonly #world: ClientWorld;
  running: {
    readonly host: ClientHost;
    readonly clock: VirtualClock;
    readonly die: (silently: boolean) => void;
  } | null = null;
  #processes = 0;
  #startsFrom = 0;

  constructor(site: number, world: ClientWorld) {
    this.site = site;
    this.#world = world;
  }

  /** The process that runs there, or was the last one to. */
  get name(): string {
    return `client ${this.site} (process ${this.#processes})`;
  }

  /** No process runs there, and its user would start one. */
  get isAway(): boolean {
    return this.running === null && this.#world.time.now >= this.#startsFrom;
  }

  /** A process that knows of one peer; nothing where one runs. */
  start(port: number): void {
    if (this.running !== null) return;
    this.#processes += 1;
    const { time, network, random, events, makeClient } = this.#world;
    events.starting(this);
    const clock = new VirtualClock(time, random);
    const ports = network.attach(this.site, clock);
    const host: ClientHost = new ClientHost(
      { clock, network: ports.network },
      {
        addresses: [{ host: "virtual", port }],
        name: `guest${this.site}`,
        room: "general",
        since: null,
        follow: true,
      },
      {
        event: (event) => events.event(this, event),
        log: () => {},
        writable: () => {},
        stopped: (stopped) => {
          if (this.running?.host === host) this.#over(false);
          this.#startsFrom = time.now + AGAIN_MS;
          events.ended(this, stopped);
        },
      },
      makeClient,
    );
    this.running = { host, clock, die: ports.die };
    clock.run(() => host.start());
  }

  /** Does something on the running process, when it is not frozen. */
  do(work: (host: ClientHost) => void): void {
    const { running } = this;
    running?.clock.run(() => work(running.host));
  }

  kill(): void {
    this.#over(false);
  }

  /** The process is gone, and no kernel tells its peer so. */
  vanish(): void {
    this.#over(true);
  }

  /** Whether it knows an address with one of these ports. */
  knows(ports: readonly number[]): boolean {
    return this.running?.host.addresses.some(({ port }) => ports.includes(port)) === true;
  }

  #over(silently: boolean): void {
    const { running } = this;
    if (running === null) return;
    this.running = null;
    running.clock.end();
    running.die(silently);
  }
}

export class Clients {
  readonly #world: ClientWorld;
  readonly #clients = new Map<number, VirtualClient>();

  constructor(world: ClientWorld) {
    this.#world = world;
  }

  get all(): VirtualClient[] {
    return [...this.#clients.values()];
  }

  /** The client with this number in a plan; undefined for a peer's number. */
  at(text: string | undefined): VirtualClient | undefined {
    const site = Number(text);
    if (!(site >= CLIENTS_FROM)) return undefined;
    const client = this.#clients.get(site) ?? new VirtualClient(site, this.#world);
    this.#clients.set(site, client);
    return client;
  }

  /**
   * All clients reach this part again. If every peer that a client knows has moved, only its user can tell it where to
   * look.
   */
  heal(part: readonly Machine[], staysSlow: boolean): void {
    const { network } = this.#world;
    for (const client of this.all) {
      if (!staysSlow) network.lines.narrow(client.site, 0);
      for (const { site } of part) {
        for (const [from, to] of [
          [client.site, site],
          [site, client.site],
        ] as const) {
          network.heal(from, to);
          if (!staysSlow) network.lines.slow(from, to, 0);
        }
      }
      if (!client.knows(part.map(({ port }) => port))) client.kill();
    }
  }

  /**
   * Says which client has not come to rest at this commit index, and why; null: all have. Clients that are away are
   * started at one of these peers.
   */
  unrest(part: readonly Machine[], commit: LogIndex): string | null {
    for (const client of this.all) {
      const { running, site } = client;
      if (client.isAway) client.start((part[Math.floor(this.#world.random() * part.length)] as Machine).port);
      if (running === null) return `client ${site} is down`;
      const { id, pending } = running.host.status();
      if (id === 0) return `client ${site} is attached to no peer`;
      if (pending > 0) return `client ${site} has ${pending} messages pending`;
      if (running.host.delivered !== commit)
        return `client ${site} stands at ${running.host.delivered}, the peers at ${commit}`;
    }
    return null;
  }
}
