/**
 * A virtual TCP network: who listens where, and how a connection is made. A process that dials a machine which is cut
 * off, or gone with its kernel, hears nothing, and knocks again after a second, then after two, four, … The connections
 * are in `pair`, the lines between machines in `network-lines`. Machines are told apart by their ports, so `host` is ignored.
 */
import type { Key } from "../core/ids.ts";
import { type Connection, type ConnectionHandler, type Listener, type Network, PortError } from "../host/contracts.ts";
import { needsTls } from "../host/net/needs-tls.ts";
import { Lines } from "./network-lines.ts";
import { type Endpoint, type NetworkWatcher, Pair } from "./pair.ts";
import { VirtualClock, type VirtualTime } from "./virtual-time.ts";

/** In the clear, or as TLS does: each side has proven its key, or has none (a client); and shows one, its own or not. */
type Speaks = "plain" | Shown;
interface Shown {
  readonly key: Key | null;
  readonly shown: Key | null;
}

const FIRST_FREE_PORT = 49_152;
/** The first SYN is sent again after this time, each later one after twice the time before. */
const SYN_AGAIN_MS = 1000;

/** The networks of one process on a machine, and how to end them with it. */
export interface Attached {
  readonly network: Network;
  /** Where both sides prove their keys. `shown`: the one whose certificate this side sends; only its own is believed. */
  secured(key: Key | null, shown?: Key | null): Network;
  die(silently: boolean): void;
}

interface ListeningPort {
  readonly endpoint: Endpoint;
  readonly speaks: Speaks;
  readonly accept: (connection: Connection) => ConnectionHandler | null;
}

export class VirtualNetwork {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #listeners = new Map<number, ListeningPort>();
  /** The machine that listened on a port last. */
  readonly #owners = new Map<number, number>();
  /** Machines that are gone with their kernel, so that nothing refuses a connection there. */
  readonly #dark = new Set<number>();
  readonly #pairs = new Set<Pair>();
  readonly lines: Lines;
  readonly #watcher: NetworkWatcher | null;
  /** Whose certificate is shown is believed to have its key: a TLS that does not look at signatures. */
  readonly #isBlind: boolean;

  constructor(time: VirtualTime, random: () => number, watcher: NetworkWatcher | null = null, isBlind = false) {
    this.#time = time;
    this.#isBlind = isBlind;
    this.#random = random;
    this.lines = new Lines(time, random);
    this.#watcher = watcher;
  }

  /** Heals one direction, or everything. */
  heal(from?: number, to?: number): void {
    if (from === undefined || to === undefined) this.lines.mendAll();
    else this.lines.mend(from, to);
    for (const pair of this.#pairs) pair.flow();
  }

  /** Breaks the connections between two machines; what was under way is lost. */
  reset(a: number, b: number): void {
    for (const pair of [...this.#pairs]) pair.breakBetween(a, b);
  }

  /** The ports of a new process on a machine, and how to end them with it. */
  attach(machine: number, clock: VirtualClock): Attached {
    const endpoint: Endpoint = { machine, clock, alive: true };
    this.#dark.delete(machine);
    const networkOf = (speaks: Speaks): Network => ({
      listen: (_host, port, accept, ready) => {
        clock.soon(() => {
          if (this.#listeners.has(port)) return ready(new PortError("EADDRINUSE", "the port is in use"), null);
          const bound = port === 0 ? this.#freePort() : port;
          this.#listeners.set(bound, { endpoint, speaks, accept });
          this.#owners.set(bound, machine);
          const listener: Listener = { port: bound, close: () => void this.#listeners.delete(bound) };
          ready(null, listener);
        });
      },
      connect: (_host, port, handler) => this.#connect(endpoint, speaks, port, handler),
    });
    const die = (silently: boolean) => {
      endpoint.alive = false;
      if (silently) this.#dark.add(machine);
      for (const [port, { endpoint: owner }] of this.#listeners) if (owner === endpoint) this.#listeners.delete(port);
      for (const pair of [...this.#pairs]) pair.endOf(endpoint, silently);
    };
    return { network: networkOf("plain"), secured: (key, shown = key) => networkOf({ key, shown }), die };
  }

  /** A connection from outside the cluster, on which a test or a fault says what it likes. */
  stranger(port: number, as: Shown | null = null): Connection {
    const clock = new VirtualClock(this.#time, this.#random);
    const ports = this.attach(0, clock);
    const network = as === null ? ports.network : ports.secured(as.key, as.shown);
    return network.connect("virtual", port, { data: () => {}, drain: () => {}, close: () => {} });
  }

  #freePort(): number {
    let port = FIRST_FREE_PORT;
    while (this.#listeners.has(port)) port += 1;
    return port;
  }

  #connect(from: Endpoint, speaks: Speaks, port: number, handler: ConnectionHandler): Connection {
    const pair = new Pair({ time: this.#time, lines: this.lines, watcher: this.#watcher }, from, () =>
      this.#pairs.delete(pair),
    );
    this.#pairs.add(pair);
    const near = pair.near;
    near.handler = handler;
    const knock = (againMs: number) => {
      // The dialling side has given up meanwhile.
      if (near.handler === null) return void this.#pairs.delete(pair);
      if (this.#isSilent(from.machine, port)) return this.#time.at(this.#time.now + againMs, () => knock(2 * againMs));
      const listening = this.#listeners.get(port);
      if (listening === undefined || !listening.endpoint.alive) {
        from.clock.run(() => near.closed("ECONNREFUSED"));
        this.#pairs.delete(pair);
        return;
      }
      const far = pair.reach(listening.endpoint);
      if (speaks !== "plain" && listening.speaks === "plain") {
        far.destroy();
        return from.clock.run(() => near.closed("EPLAIN"));
      }
      if (speaks !== "plain" && listening.speaks !== "plain") {
        near.identity = this.#provenBy(listening.speaks);
        far.identity = this.#provenBy(speaks);
        // Who shows another one's certificate cannot sign for it.
        if (!this.#isBlind && speaks.key !== speaks.shown) {
          far.destroy();
          return from.clock.run(() => near.closed("ECONNRESET"));
        }
      }
      listening.endpoint.clock.run(() => {
        far.handler = speaks === "plain" && listening.speaks !== "plain" ? deaf(far) : listening.accept(far);
        if (far.handler === null) return far.destroy();
        pair.flow();
      });
      this.#time.at(this.#time.now + this.lines.delay(far.endpoint.machine, from.machine), () =>
        from.clock.run(() => near.opened()),
      );
    };
    this.#time.at(this.#time.now + this.lines.delay(from.machine, from.machine), () => knock(SYN_AGAIN_MS));
    return near;
  }

  #provenBy({ key, shown }: Shown): Key | null {
    return this.#isBlind ? shown : key;
  }

  /** Whether a dial to that port gets no answer. */
  #isSilent(from: number, port: number): boolean {
    const to = this.#owners.get(port);
    return to !== undefined && (this.#dark.has(to) || this.lines.isCut(from, to) || this.lines.isCut(to, from));
  }
}

/** Whoever speaks in the clear where keys are proven is told so, and heard no further. */
function deaf(far: Connection): ConnectionHandler {
  far.write(needsTls());
  far.end();
  return { data() {}, drain() {}, close() {} };
}
