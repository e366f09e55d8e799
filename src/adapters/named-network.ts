/**
 * Connecting by name. A name is looked up anew for every connection, because it may lead elsewhere by now (Bun's own
 * sockets remember it for 30 s), and all its addresses are tried, one beside the other, until one answers (RFC 8305,
 * "happy eyeballs"). The sockets below see numbers only.
 */
import type * as Dns from "node:dns";
import { CONNECT_NEXT_MS, LOOK_UP_AGAIN_MS, LOOKUPS_MAX } from "../core/config.ts";
import type { Clock, Connection, ConnectionHandler, Network, Pin, Timer } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import { toPortError } from "./system-errors.ts";

/** All addresses of a name, the best first; or why there are none, as a system error's code. */
export type LookUp = (name: string, done: (code: string | null, addresses: readonly string[]) => void) => void;

export function namedNetwork(network: Network, clock: Pick<Clock, "now" | "after">, lookUp = systemLookUp): Network {
  const names = new Names(lookUp);
  return {
    listen: (host, port, accept, ready) => network.listen(host, port, accept, ready),
    connect: (host, port, handler, expected) =>
      isNumber(host)
        ? network.connect(host, port, handler, expected)
        : new NamedConnection(network, clock, names, { name: host, port, expected }, handler),
  };
}

function isNumber(host: string): boolean {
  return host.includes(":") || /^[0-9]+(\.[0-9]+){3}$/.test(host);
}

const systemLookUp: LookUp = (name, done) => {
  const { lookup } = builtin("node:dns") as typeof Dns;
  lookup(name, { all: true, verbatim: true }, (error, addresses) => {
    if (error !== null) done(toPortError(error).code, []);
    else done(null, byFamilyInTurn(addresses));
  });
};

/** Takes the families in turn, so that not all addresses of a family without a route are tried first. */
function byFamilyInTurn(addresses: readonly { readonly address: string; readonly family: number }[]): string[] {
  const first = addresses.filter((a) => a.family === addresses[0]?.family);
  const second = addresses.filter((a) => !first.includes(a));
  return addresses.flatMap((_, i) => [first[i], second[i]].flatMap((a) => (a === undefined ? [] : [a.address])));
}

/** Looks up a few names at a time, and each name once for all calls that come meanwhile. */
class Names {
  readonly #lookUp: LookUp;
  readonly #asking = new Map<string, Parameters<LookUp>[1][]>();
  readonly #waiting: string[] = [];
  /** The last known addresses of each name, used while no server answers. */
  readonly #known = new Map<string, readonly string[]>();
  #underWay = 0;

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  ask(name: string, done: Parameters<LookUp>[1]): void {
    const others = this.#asking.get(name);
    if (others !== undefined) return void others.push(done);
    this.#asking.set(name, [done]);
    this.#waiting.push(name);
    this.#next();
  }

  #next(): void {
    if (this.#underWay >= LOOKUPS_MAX) return;
    const name = this.#waiting.shift();
    if (name === undefined) return;
    this.#underWay += 1;
    this.#lookUp(name, (code, addresses) => {
      this.#underWay -= 1;
      this.#answer(name, code, addresses);
      this.#next();
    });
  }

  #answer(name: string, code: string | null, addresses: readonly string[]): void {
    const asking = this.#asking.get(name) ?? [];
    this.#asking.delete(name);
    if (code === null) this.#known.set(name, addresses);
    // A name that no longer exists has no address. A name that could not be looked up may still have its old one.
    const known = code === "ENOTFOUND" ? undefined : this.#known.get(name);
    for (const done of asking) done(known === undefined ? code : null, known ?? []);
  }
}

interface Destination {
  readonly name: string;
  readonly port: number;
  readonly expected: Pin | undefined;
}

class NamedConnection implements Connection {
  readonly #network: Network;
  readonly #clock: Pick<Clock, "after">;
  readonly #names: Names;
  readonly #to: Destination;
  #handler: ConnectionHandler | null;
  /** Addresses that are still to be tried. */
  #addresses: string[] = [];
  readonly #tried = new Set<string>();
  readonly #attempts = new Set<Connection>();
  #timer: Timer | null = null;
  #lookUpTimer: Timer | null = null;
  #code = "ENOTFOUND";
  /** The one that answered first. */
  #connection: Connection | null = null;
  /** Bytes written before there was a connection. */
  #pieces: Uint8Array[] = [];
  #ending = false;

  constructor(
    network: Network,
    clock: Pick<Clock, "after">,
    names: Names,
    to: Destination,
    handler: ConnectionHandler,
  ) {
    this.#network = network;
    this.#clock = clock;
    this.#names = names;
    this.#to = to;
    this.#handler = handler;
    this.#lookUp();
  }

  get remote(): string {
    return this.#connection?.remote ?? this.#to.name;
  }

  get identity(): string | null {
    return this.#connection?.identity ?? null;
  }

  get queued(): number {
    return this.#connection?.queued ?? this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#connection !== null) this.#connection.write(bytes);
    else if (!this.#ending && this.#handler !== null) this.#pieces.push(bytes);
  }

  end(): void {
    this.#ending = true;
    this.#connection?.end();
  }

  destroy(): void {
    this.#handler = null;
    this.#connection?.destroy();
    this.#giveUp();
  }

  #lookUp(): void {
    this.#names.ask(this.#to.name, (code, addresses) => this.#found(code, addresses));
  }

  #found(code: string | null, addresses: readonly string[]): void {
    if (this.#isOver) return;
    const fresh = addresses.filter((address) => !this.#tried.has(address));
    for (const address of fresh) this.#tried.add(address);
    this.#addresses.push(...fresh);
    if (this.#attempts.size === 0) {
      if (code !== null) this.#code = code;
      this.#next();
    } else if (fresh.length > 0 && this.#timer === null) this.#next();
    // The name may lead elsewhere by now, if none of its addresses answers.
    if (!this.#isOver) this.#lookUpTimer = this.#clock.after(LOOK_UP_AGAIN_MS, () => this.#lookUp());
  }

  get #isOver(): boolean {
    return this.#handler === null || this.#connection !== null;
  }

  /** Tries the next address, and the one after it if this one neither answers nor fails soon. */
  #next(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const address = this.#addresses.shift();
    if (address === undefined) {
      if (this.#attempts.size === 0) this.#close(this.#code);
      return;
    }
    const { port, expected } = this.#to;
    const handler: ConnectionHandler = {
      open: () => this.#open(attempt),
      data: (bytes) => this.#handler?.data(bytes),
      drain: () => this.#handler?.drain(),
      close: (code) => this.#onClose(attempt, code),
    };
    const attempt: Connection = this.#network.connect(address, port, handler, expected);
    this.#attempts.add(attempt);
    if (this.#addresses.length > 0) this.#timer = this.#clock.after(CONNECT_NEXT_MS, () => this.#next());
  }

  #open(attempt: Connection): void {
    if (this.#isOver) return attempt.destroy();
    this.#attempts.delete(attempt);
    this.#connection = attempt;
    this.#giveUp();
    for (const piece of this.#pieces) attempt.write(piece);
    this.#pieces = [];
    if (this.#ending) attempt.end();
    this.#handler?.open?.();
  }

  #onClose(attempt: Connection, code: string): void {
    this.#attempts.delete(attempt);
    if (attempt === this.#connection) return this.#close(code);
    if (this.#isOver) return;
    this.#code = code;
    this.#next();
  }

  #close(code: string): void {
    const handler = this.#handler;
    this.#handler = null;
    this.#giveUp();
    handler?.close(code);
  }

  /** Ends the other attempts. */
  #giveUp(): void {
    this.#timer?.cancel();
    this.#lookUpTimer?.cancel();
    for (const attempt of this.#attempts) attempt.destroy();
    this.#attempts.clear();
  }
}
