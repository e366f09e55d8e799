/**
 * A virtual TCP: connections carry bytes in order, in pieces of any size, with delays drawn from the seed. A cut holds
 * bytes back without telling anybody, and what is held flows when it heals, as with a pulled cable; the death of a
 * process resets its connections. Who dials a machine that is cut off, or gone with its kernel, hears nothing, and knocks
 * again after a second, then after two, four, … Hosts are named by their process, so `host` is always the same. A
 * machine may be behind a narrow line, which all its connections share.
 */
import type { Key } from "../core/ids.ts";
import { type Connection, type ConnectionHandler, type Listener, type Network, PortError } from "../host/contracts.ts";
import { refusal } from "../host/net/channel.ts";
import { encodeFrame } from "../wire/encode.ts";
import { VirtualClock, type VirtualTime } from "./clock.ts";

/** One simulated machine on the network; a restarted process is a new endpoint. */
interface Endpoint {
  readonly machine: number;
  readonly clock: VirtualClock;
  alive: boolean;
}

/** One side of a connection as a watcher knows it. */
export interface WatchedEnd {
  readonly machine: number;
  /** The machine at the other side, 0 while the connection is not accepted. */
  readonly towards: number;
  /** Bytes that have not left. */
  readonly queued: number;
}

export interface NetworkWatcher {
  left(end: WatchedEnd, bytes: Uint8Array): void;
  /** So many bytes that left `end` have arrived at the other side. */
  arrived(end: WatchedEnd, bytes: number): void;
}

/** In the clear, or as TLS does: each side has proven its key, or has none (a client). */
type Speaks = "plain" | { readonly key: Key | null };

const FIRST_FREE_PORT = 49_152;
const NOT_SLOW = { least: 0, most: 0 };
/** A kernel sends a lost piece again after about so long. */
const RESENT_MS = 1000;
/** What travels on a narrow line at a time, in bytes. */
const PACKET_BYTES = 1400;
/** The first SYN is sent again after so long, each later one after twice as long as the one before. */
const SYN_AGAIN_MS = 1000;

/** The networks of one process on a machine, and how to end them with it. */
export interface Attached {
  readonly network: Network;
  /** Where both sides prove their keys. */
  secured(key: Key | null): Network;
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
  /** Machines without a kernel that would refuse anything. */
  readonly #dark = new Set<number>();
  readonly #pairs = new Set<Pair>();
  /** Directed: bytes from the first machine to the second are held back. */
  readonly #cuts = new Set<string>();
  /** Directed: milliseconds more from one machine to another. */
  readonly #slow = new Map<string, { readonly least: number; readonly most: number }>();
  /** Directed: percent of the pieces that are lost on the way, and come again later. */
  readonly #lossy = new Map<string, number>();
  /** Machines behind a narrow line: its bytes per millisecond, and when what was put on it has passed, either way. */
  readonly #narrow = new Map<number, { readonly rate: number; outUntil: number; inUntil: number }>();
  /** Sees all bytes where they leave and where they arrive. */
  readonly watcher: NetworkWatcher | null;

  constructor(time: VirtualTime, random: () => number, watcher: NetworkWatcher | null = null) {
    this.#time = time;
    this.#random = random;
    this.watcher = watcher;
  }

  /** Milliseconds that the next piece takes from one machine to another. */
  delay(from: number, to: number): number {
    const way = `${from}>${to}`;
    const { least, most } = this.#slow.get(way) ?? NOT_SLOW;
    const delay = 0.2 + this.#random() * 2 + least + (most - least) * this.#random();
    const lost = this.#lossy.get(way);
    return lost !== undefined && this.#random() * 100 < lost ? delay + RESENT_MS : delay;
  }

  /** Pieces take from `least` to `most` milliseconds more. */
  slow(from: number, to: number, most: number, least = 0): void {
    if (most > 0) this.#slow.set(`${from}>${to}`, { least: Math.min(least, most), most });
    else this.#slow.delete(`${from}>${to}`);
  }

  /** So many percent of the pieces are lost once; what is behind them waits, as TCP keeps the order. */
  lose(from: number, to: number, percent: number): void {
    if (percent > 0) this.#lossy.set(`${from}>${to}`, percent);
    else this.#lossy.delete(`${from}>${to}`);
  }

  /** All that a machine sends and receives passes a line of so many kbit/s each way; 0: it is as wide as needed. */
  narrow(machine: number, kbits: number): void {
    if (kbits > 0) this.#narrow.set(machine, { rate: kbits / 8, outUntil: 0, inUntil: 0 });
    else this.#narrow.delete(machine);
  }

  /** What goes from one machine to another at a time. */
  packets(from: number, to: number, bytes: Uint8Array): Uint8Array[] {
    if (!this.#narrow.has(from) && !this.#narrow.has(to)) return [bytes];
    const count = Math.ceil(bytes.length / PACKET_BYTES);
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES));
  }

  /** When so many bytes that leave now have passed the narrow lines between two machines. */
  passed(from: number, to: number, bytes: number): number {
    let at = this.#time.now;
    const out = this.#narrow.get(from);
    if (out !== undefined) at = out.outUntil = Math.max(at, out.outUntil) + bytes / out.rate;
    const into = this.#narrow.get(to);
    if (into !== undefined) at = into.inUntil = Math.max(at, into.inUntil) + bytes / into.rate;
    return at;
  }

  cut(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  /** One direction, or everything. */
  heal(from?: number, to?: number): void {
    if (from === undefined) {
      this.#cuts.clear();
      this.#slow.clear();
      this.#lossy.clear();
      this.#narrow.clear();
    } else this.#cuts.delete(`${from}>${to}`);
    for (const pair of this.#pairs) pair.flow();
  }

  get isWhole(): boolean {
    return [this.#cuts, this.#slow, this.#lossy, this.#narrow].every((faults) => faults.size === 0);
  }

  /** Connections between two machines break; what was under way is lost. */
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
    return { network: networkOf("plain"), secured: (key) => networkOf({ key }), die };
  }

  /** A connection from outside the cluster, by somebody who speaks as he likes. */
  stranger(port: number): Connection {
    const clock = new VirtualClock(this.#time, this.#random);
    const { network } = this.attach(0, clock);
    return network.connect("virtual", port, { data: () => {}, drain: () => {}, close: () => {} });
  }

  #freePort(): number {
    let port = FIRST_FREE_PORT;
    while (this.#listeners.has(port)) port += 1;
    return port;
  }

  #connect(from: Endpoint, speaks: Speaks, port: number, handler: ConnectionHandler): Connection {
    const pair = new Pair(this.#time, this, from, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    const near = pair.near;
    near.handler = handler;
    const knock = (againMs: number) => {
      // Given up meanwhile.
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
        near.identity = listening.speaks.key;
        far.identity = speaks.key;
      }
      listening.endpoint.clock.run(() => {
        far.handler = speaks === "plain" && listening.speaks !== "plain" ? deaf(far) : listening.accept(far);
        if (far.handler === null) return far.destroy();
        pair.flow();
      });
      this.#time.at(this.#time.now + this.delay(far.endpoint.machine, from.machine), () =>
        from.clock.run(() => near.opened()),
      );
    };
    this.#time.at(this.#time.now + this.delay(from.machine, from.machine), () => knock(SYN_AGAIN_MS));
    return near;
  }

  /** Whoever knocks there gets no answer. */
  #isSilent(from: number, port: number): boolean {
    const to = this.#owners.get(port);
    return to !== undefined && (this.#dark.has(to) || this.isCut(from, to) || this.isCut(to, from));
  }

  /** Bytes fall apart and join as they like. */
  pieces(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length < 2 || this.#random() < 0.7) return [bytes];
    const middle = 1 + Math.floor(this.#random() * (bytes.length - 1));
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
}

/** Whoever speaks in the clear where keys are proven is told so, and heard no further. */
function deaf(far: Connection): ConnectionHandler {
  const message = "this cluster is secured: nobody is spoken with here without TLS";
  for (const piece of encodeFrame(refusal("needs-tls", message))) far.write(piece);
  far.end();
  return { data() {}, drain() {}, close() {} };
}

/** Both ends of one connection. */
class Pair {
  readonly time: VirtualTime;
  readonly network: VirtualNetwork;
  readonly near: End;
  readonly #gone: () => void;
  far: End | null = null;
  broken = false;

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

  /** A process of this pair has died: its kernel resets the connection, or the whole machine is gone and nobody does. */
  endOf(endpoint: Endpoint, silently: boolean): void {
    for (const end of [this.near, this.far]) {
      if (end === null || end.endpoint !== endpoint) continue;
      if (silently) end.handler = null;
      else end.destroy();
    }
  }

  breakBetween(a: number, b: number): void {
    const machines = [this.near.endpoint.machine, this.far?.endpoint.machine];
    if (!machines.includes(a) || !machines.includes(b)) return;
    this.broken = true;
    for (const end of [this.near, this.far]) end?.endpoint.clock.run(() => end.closed("ECONNRESET"));
    this.over();
  }

  /** Forgotten when neither end has anything on the way: an answer that a cut holds back still flows when it heals. */
  over(): void {
    if (this.broken || [this.near, this.far].every((end) => end === null || end.isOver)) this.#gone();
  }
}

class End implements Connection, WatchedEnd {
  readonly remote = "virtual";
  identity: Key | null = null;
  readonly endpoint: Endpoint;
  handler: ConnectionHandler | null = null;
  other: End | null = null;
  readonly #pair: Pair;
  /** On the way to the other end: bytes, or the end of them. */
  #held: (Uint8Array | "end" | "reset")[] = [];
  /** Bytes of what is held. */
  queued = 0;
  #lastArrival = 0;
  #ended = false;
  #isOpen: boolean;

  /** An accepted end is open from the start. */
  constructor(pair: Pair, endpoint: Endpoint, isOpen = false) {
    this.#isOpen = isOpen;
    this.#pair = pair;
    this.endpoint = endpoint;
  }

  get machine(): number {
    return this.endpoint.machine;
  }

  get towards(): number {
    return this.other?.endpoint.machine ?? 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#pair.network.watcher?.left(this, bytes);
    for (const piece of this.#pair.network.pieces(bytes)) this.#held.push(piece);
    this.queued += bytes.length;
    this.flow();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held.push("end");
    this.flow();
  }

  /** What has not left yet never does. */
  destroy(): void {
    this.handler = null;
    this.#ended = true;
    this.#held = ["reset"];
    this.queued = 0;
    this.flow();
  }

  get isOver(): boolean {
    return this.#ended && this.#held.length === 0;
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
    const { other, machine } = this;
    const { network, time } = this.#pair;
    if (other?.endpoint === undefined || network.isCut(machine, other.machine)) return;
    const had = this.#held.length > 0;
    for (const held of this.#held) {
      const delay = network.delay(machine, other.machine);
      const packets = typeof held === "string" ? [held] : network.packets(machine, other.machine, held);
      for (const packet of packets) {
        const passed = network.passed(machine, other.machine, packet.length);
        this.#lastArrival = Math.max(this.#lastArrival, passed + delay);
        time.at(this.#lastArrival, () => other.endpoint.clock.run(() => other.arrived(packet)));
      }
    }
    this.#held = [];
    this.queued = 0;
    if (had) this.endpoint.clock.soon(() => this.handler?.drain());
    if (this.#ended) this.#pair.over();
  }

  arrived(held: Uint8Array | "end" | "reset"): void {
    if (this.#pair.broken) return;
    this.opened();
    if (held === "reset") return this.closed("ECONNRESET");
    if (held === "end") {
      // The other side sends no more; this side says the same and is done.
      this.end();
      return this.closed("");
    }
    if (this.other !== null) this.#pair.network.watcher?.arrived(this.other, held.length);
    this.handler?.data(held.slice());
  }
}
