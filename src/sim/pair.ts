/**
 * A connection of the virtual network: two ends, and the bytes between them in order. A cut holds bytes back without
 * telling anybody, as a pulled cable does; they flow when it heals. The death of a process resets its connections.
 */
import type { Key } from "../core/ids.ts";
import type { Connection, ConnectionHandler } from "../host/contracts.ts";
import type { Lines } from "./network-lines.ts";
import type { VirtualClock, VirtualTime } from "./virtual-time.ts";

/** A process on a simulated machine; a restarted process is a new endpoint. */
export interface Endpoint {
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

/** Sees all bytes where they leave and where they arrive. */
export interface NetworkWatcher {
  left(end: WatchedEnd, bytes: Uint8Array): void;
  /** `bytes` bytes that left `end` have arrived at the other side. */
  arrived(end: WatchedEnd, bytes: number): void;
}

/** What carries the bytes. */
export interface Medium {
  readonly time: VirtualTime;
  readonly lines: Lines;
  readonly watcher: NetworkWatcher | null;
}

/** Both ends of one connection. */
export class Pair {
  readonly time: VirtualTime;
  readonly lines: Lines;
  readonly watcher: NetworkWatcher | null;
  readonly near: End;
  readonly #gone: () => void;
  far: End | null = null;
  broken = false;

  constructor({ time, lines, watcher }: Medium, from: Endpoint, gone: () => void) {
    this.time = time;
    this.lines = lines;
    this.watcher = watcher;
    this.#gone = gone;
    this.near = new End(this, from);
  }

  reach(to: Endpoint): End {
    this.far = new End(this, to, true);
    this.near.other = this.far;
    this.far.other = this.near;
    return this.far;
  }

  /** Sends what was held back and may pass now. */
  flow(): void {
    this.near.flow();
    this.far?.flow();
  }

  /** A process of this pair has died: its kernel resets the connection, unless the whole machine is gone (`silently`). */
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

  /** The pair is forgotten when neither end has anything on the way: an answer held back by a cut still flows later. */
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
    this.#pair.watcher?.left(this, bytes);
    for (const piece of this.#pair.lines.pieces(bytes)) this.#held.push(piece);
    this.queued += bytes.length;
    this.flow();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held.push("end");
    this.flow();
  }

  /** Bytes that have not left yet are dropped. */
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

  /** Lets everything that may pass arrive after its delay, in order. */
  flow(): void {
    const { other, machine } = this;
    const { lines, time } = this.#pair;
    if (other?.endpoint === undefined || lines.isCut(machine, other.machine)) return;
    const had = this.#held.length > 0;
    for (const held of this.#held) {
      const delay = lines.delay(machine, other.machine);
      const packets = typeof held === "string" ? [held] : lines.packets(machine, other.machine, held);
      for (const packet of packets) {
        const passed = lines.passed(machine, other.machine, packet.length);
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
    if (this.other !== null) this.#pair.watcher?.arrived(this.other, held.length);
    this.handler?.data(held.slice());
  }
}
