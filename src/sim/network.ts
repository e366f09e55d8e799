/**
 * A virtual TCP: connections carry bytes in order, in pieces of any size, with delays drawn from the seed. A cut holds
 * bytes back without telling anybody, and what is held flows when it heals, as with a pulled cable; the death of a
 * process resets its connections. Hosts are named by their process, so `host` is always the same.
 */
import { type Connection, type ConnectionHandler, type Listener, type Network, PortError } from "../host/contracts.ts";
import type { VirtualClock, VirtualTime } from "./clock.ts";

/** One simulated machine on the network; a restarted process is a new endpoint. */
interface Endpoint {
  readonly machine: number;
  readonly clock: VirtualClock;
  alive: boolean;
}

interface ListeningPort {
  readonly endpoint: Endpoint;
  readonly accept: (connection: Connection) => ConnectionHandler | null;
}

export class VirtualNetwork {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #listeners = new Map<number, ListeningPort>();
  readonly #pairs = new Set<Pair>();
  /** Directed: bytes from the first machine to the second are held back. */
  readonly #cuts = new Set<string>();
  /** Milliseconds from one machine to another, drawn for every piece. */
  delay: () => number;

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
    this.delay = () => 0.2 + random() * 2;
  }

  cut(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  heal(): void {
    this.#cuts.clear();
    for (const pair of this.#pairs) pair.flow();
  }

  /** The ports of a new process on a machine, and how to end them with it. */
  attach(machine: number, clock: VirtualClock): { network: Network; die: () => void } {
    const endpoint: Endpoint = { machine, clock, alive: true };
    const network: Network = {
      listen: (_host, port, accept, ready) => {
        clock.soon(() => {
          if (this.#listeners.has(port)) return ready(new PortError("EADDRINUSE", "the port is in use"), null);
          this.#listeners.set(port, { endpoint, accept });
          const listener: Listener = { port, close: () => void this.#listeners.delete(port) };
          ready(null, listener);
        });
      },
      connect: (_host, port, handler) => this.#connect(endpoint, port, handler),
    };
    const die = () => {
      endpoint.alive = false;
      for (const [port, { endpoint: owner }] of this.#listeners) if (owner === endpoint) this.#listeners.delete(port);
      for (const pair of [...this.#pairs]) pair.endOf(endpoint);
    };
    return { network, die };
  }

  #connect(from: Endpoint, port: number, handler: ConnectionHandler): Connection {
    const pair = new Pair(this.#time, this, from, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    const near = pair.near;
    near.handler = handler;
    const knock = () => {
      const listening = this.#listeners.get(port);
      if (listening === undefined || !listening.endpoint.alive) {
        from.clock.run(() => near.closed("ECONNREFUSED"));
        this.#pairs.delete(pair);
        return;
      }
      const far = pair.reach(listening.endpoint);
      listening.endpoint.clock.run(() => {
        far.handler = listening.accept(far);
        if (far.handler === null) return far.destroy();
        pair.flow();
      });
      this.#time.at(this.#time.now + this.delay(), () => from.clock.run(() => near.opened()));
    };
    this.#time.at(this.#time.now + this.delay(), knock);
    return near;
  }

  /** Bytes fall apart and join as they like. */
  pieces(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length < 2 || this.#random() < 0.7) return [bytes];
    const middle = 1 + Math.floor(this.#random() * (bytes.length - 1));
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
}

/** Both ends of one connection. */
class Pair {
  readonly time: VirtualTime;
  readonly network: VirtualNetwork;
  readonly near: End;
  readonly #gone: () => void;
  far: End | null = null;

  constructor(time: VirtualTime, network: VirtualNetwork, from: Endpoint, gone: () => void) {
    this.time = time;
    this.network = network;
    this.#gone = gone;
    this.near = new End(this, from);
  }

  reach(to: Endpoint): End {
    this.far = new End(this, to, true);
    this.near.other = this.far;
    this.far.other = this.near;
    return this.far;
  }

  /** Sends on what is held back, where it may pass now. */
  flow(): void {
    this.near.flow();
    this.far?.flow();
  }

  /** A process of this pair has died: its kernel resets the connection. */
  endOf(endpoint: Endpoint): void {
    for (const end of [this.near, this.far]) {
      if (end === null || end.endpoint !== endpoint) continue;
      end.handler = null;
      end.send("reset");
    }
  }

  over(): void {
    this.#gone();
  }
}

class End implements Connection {
  readonly remote = "virtual";
  readonly endpoint: Endpoint;
  handler: ConnectionHandler | null = null;
  other: End | null = null;
  readonly #pair: Pair;
  /** On the way to the other end: bytes, or the end of them. */
  #held: (Uint8Array | "end" | "reset")[] = [];
  #lastArrival = 0;
  #ended = false;
  #isOpen: boolean;

  /** An accepted end is open from the start. */
  constructor(pair: Pair, endpoint: Endpoint, isOpen = false) {
    this.#isOpen = isOpen;
    this.#pair = pair;
    this.endpoint = endpoint;
  }

  get queued(): number {
    return this.#held.reduce((sum, h) => sum + (typeof h === "string" ? 0 : h.length), 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    for (const piece of this.#pair.network.pieces(bytes)) this.#held.push(piece);
    this.flow();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held.push("end");
    this.flow();
  }

  destroy(): void {
    this.handler = null;
    this.send("reset");
  }

  send(signal: "reset"): void {
    this.#ended = true;
    this.#held.push(signal);
    this.flow();
  }

  opened(): void {
    if (this.#isOpen || this.handler === null) return;
    this.#isOpen = true;
    this.handler.open?.();
  }

  closed(code: string): void {
    const { handler } = this;
    this.handler = null;
    this.#ended = true;
    handler?.close(code);
    this.#pair.over();
  }

  /** Everything that may pass arrives after its delay, in order. */
  flow(): void {
    const { other } = this;
    if (
      other === null ||
      other.endpoint === undefined ||
      this.#pair.network.isCut(this.endpoint.machine, other.endpoint.machine)
    )
      return;
    const had = this.#held.length > 0;
    for (const held of this.#held) {
      const at = Math.max(this.#lastArrival, this.#pair.time.now + this.#pair.network.delay());
      this.#lastArrival = at;
      this.#pair.time.at(at, () => other.endpoint.clock.run(() => other.arrived(held)));
    }
    this.#held = [];
    if (had) this.endpoint.clock.soon(() => this.handler?.drain());
  }

  arrived(held: Uint8Array | "end" | "reset"): void {
    this.opened();
    if (held === "reset") return this.closed("ECONNRESET");
    if (held === "end") {
      // The other side sends no more; this side says the same and is done.
      this.end();
      return this.closed("");
    }
    this.handler?.data(held.slice());
  }
}
