/** Connecting by name, on a network and with a resolver that the test has in its hand. */
import { expect, test } from "bun:test";
import { bunNetwork } from "../../src/adapters/bun-network.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { type LookUp, namedNetwork } from "../../src/adapters/named-network.ts";
import { nodeNetwork } from "../../src/adapters/node-network.ts";
import { CONNECT_NEXT_MS, LOOK_UP_AGAIN_MS, LOOKUPS_MAX } from "../../src/core/config.ts";
import type { Connection, ConnectionHandler, Listener, Network } from "../../src/host/contracts.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/virtual-time.ts";

/** One connection that was begun; the test says what comes of it. */
interface Attempt {
  readonly address: string;
  readonly handler: ConnectionHandler;
  readonly written: string[];
  ended: boolean;
  destroyed: boolean;
}

class Bench {
  readonly time = new VirtualTime();
  readonly attempts: Attempt[] = [];
  /** Questions that wait for an answer. */
  readonly asked: { readonly name: string; answer(...addresses: string[]): void; fail(code: string): void }[] = [];
  readonly network: Network;

  constructor() {
    const lookUp: LookUp = (name, done) =>
      void this.asked.push({
        name,
        answer: (...addresses) => done(null, addresses),
        fail: (code) => done(code, []),
      });
    this.network = namedNetwork(
      { listen: () => {}, connect: (host, _port, handler) => this.#connect(host, handler) },
      new VirtualClock(this.time, seeded(1)),
      lookUp,
    );
  }

  #connect(address: string, handler: ConnectionHandler): Connection {
    const attempt: Attempt = { address, handler, written: [], ended: false, destroyed: false };
    this.attempts.push(attempt);
    return {
      remote: address,
      identity: `who is at ${address}`,
      queued: 0,
      write: (bytes) => void attempt.written.push(new TextDecoder().decode(bytes)),
      end: () => {
        attempt.ended = true;
      },
      destroy: () => {
        attempt.destroyed = true;
      },
    };
  }

  /** A dial and what its handler is told. */
  dial(host: string): { readonly connection: Connection; readonly told: string[] } {
    const told: string[] = [];
    const connection = this.network.connect(host, 6001, {
      open: () => void told.push("open"),
      data: (bytes) => void told.push(`data ${new TextDecoder().decode(bytes)}`),
      drain: () => void told.push("drain"),
      close: (code) => void told.push(`close ${code}`),
    });
    return { connection, told };
  }

  pass(ms: number): void {
    this.time.runUntil(this.time.now + ms);
  }

  get tried(): string[] {
    return this.attempts.map((a) => a.address);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

test("a number is dialled as it is, and nobody is asked", () => {
  const bench = new Bench();
  for (const number of ["127.0.0.1", "::1", "fe80::1%eth0"]) bench.dial(number);
  expect(bench.tried).toEqual(["127.0.0.1", "::1", "fe80::1%eth0"]);
  expect(bench.asked).toEqual([]);
});

test("a name is looked up for every connection: it is dialled where it leads now", () => {
  const bench = new Bench();
  bench.dial("peer2");
  bench.asked[0]?.answer("10.0.0.2");
  bench.attempts[0]?.handler.close("ECONNREFUSED");
  bench.dial("peer2");
  bench.asked[1]?.answer("10.0.0.9");
  expect(bench.tried).toEqual(["10.0.0.2", "10.0.0.9"]);
});

test("all addresses are tried: the next one at once where one fails, and beside it where one is silent", () => {
  const bench = new Bench();
  const { told } = bench.dial("peer2");
  bench.asked[0]?.answer("10.0.0.1", "10.0.0.2", "10.0.0.3");
  expect(bench.tried).toEqual(["10.0.0.1"]);
  bench.attempts[0]?.handler.close("ECONNREFUSED");
  expect(bench.tried).toEqual(["10.0.0.1", "10.0.0.2"]);
  bench.pass(CONNECT_NEXT_MS - 1);
  expect(bench.tried.length).toBe(2);
  bench.pass(1);
  expect(bench.tried).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  expect(told).toEqual([]);
  // The first that answers is taken, the others are given up, and what they say later is nobody's.
  bench.attempts[2]?.handler.open?.();
  expect(told).toEqual(["open"]);
  expect(bench.attempts.map((a) => a.destroyed)).toEqual([false, true, false]);
  bench.attempts[1]?.handler.close("ECONNRESET");
  bench.attempts[2]?.handler.data(bytes("hello"));
  bench.attempts[2]?.handler.close("");
  bench.pass(10 * LOOK_UP_AGAIN_MS);
  expect(told).toEqual(["open", "data hello", "close "]);
});

test("only when all have failed is that told, with the last reason", () => {
  const bench = new Bench();
  const { told } = bench.dial("peer2");
  bench.asked[0]?.answer("10.0.0.1", "10.0.0.2");
  bench.pass(CONNECT_NEXT_MS);
  bench.attempts[0]?.handler.close("EHOSTUNREACH");
  expect(told).toEqual([]);
  bench.attempts[1]?.handler.close("ECONNREFUSED");
  expect(told).toEqual(["close ECONNREFUSED"]);
});

test("while nobody answers the name is looked up again, and where it leads by then is tried as well", () => {
  const bench = new Bench();
  const { told } = bench.dial("peer2");
  bench.asked[0]?.answer("10.0.0.1");
  bench.pass(LOOK_UP_AGAIN_MS);
  bench.asked[1]?.answer("10.0.0.1");
  bench.pass(LOOK_UP_AGAIN_MS);
  bench.asked[2]?.answer("10.0.0.7");
  expect(bench.tried).toEqual(["10.0.0.1", "10.0.0.7"]);
  bench.attempts[1]?.handler.open?.();
  expect(told).toEqual(["open"]);
  bench.pass(10 * LOOK_UP_AGAIN_MS);
  expect(bench.asked.length).toBe(3);
});

test("a name that is not there is told as that; one that nobody can look up is dialled where it was", () => {
  const bench = new Bench();
  const first = bench.dial("peer2");
  bench.asked[0]?.fail("EAI_AGAIN");
  expect(first.told).toEqual(["close EAI_AGAIN"]);
  bench.dial("peer2");
  bench.asked[1]?.answer("10.0.0.2");
  bench.attempts[0]?.handler.close("ECONNREFUSED");
  bench.dial("peer2");
  bench.asked[2]?.fail("EAI_AGAIN");
  expect(bench.tried).toEqual(["10.0.0.2", "10.0.0.2"]);
  const last = bench.dial("peer2");
  bench.asked[3]?.fail("ENOTFOUND");
  expect(last.told).toEqual(["close ENOTFOUND"]);
});

test("few names are looked up at a time, each once for all who ask", () => {
  const bench = new Bench();
  for (let n = 0; n < LOOKUPS_MAX + 2; n++) bench.dial(`peer${n}`);
  bench.dial("peer0");
  expect(bench.asked.map((a) => a.name)).toEqual(["peer0", "peer1"].slice(0, LOOKUPS_MAX));
  bench.asked[0]?.answer("10.0.0.1");
  expect(bench.tried).toEqual(["10.0.0.1", "10.0.0.1"]);
  expect(bench.asked.length).toBe(LOOKUPS_MAX + 1);
});

test("what is written before it is open goes out when it is, in order, and so does an end", () => {
  const bench = new Bench();
  const { connection } = bench.dial("peer2");
  connection.write(bytes("one"));
  bench.asked[0]?.answer("10.0.0.1");
  connection.write(bytes("two"));
  expect([connection.queued, connection.remote, connection.identity]).toEqual([6, "peer2", null]);
  connection.end();
  connection.write(bytes("late"));
  bench.attempts[0]?.handler.open?.();
  expect(bench.attempts[0]).toMatchObject({ written: ["one", "two"], ended: true });
  expect([connection.remote, connection.identity]).toEqual(["10.0.0.1", "who is at 10.0.0.1"]);
});

test("who is destroyed is told nothing more, whatever is under way", () => {
  const bench = new Bench();
  const [early, late] = [bench.dial("peer2"), bench.dial("peer2")];
  early.connection.destroy();
  bench.asked[0]?.answer("10.0.0.1", "10.0.0.2");
  expect(bench.tried).toEqual(["10.0.0.1"]);
  late.connection.destroy();
  expect(bench.attempts[0]?.destroyed).toBe(true);
  bench.attempts[0]?.handler.open?.();
  bench.pass(10 * LOOK_UP_AGAIN_MS);
  expect([early.told, late.told, bench.tried]).toEqual([[], [], ["10.0.0.1"]]);
});

for (const [what, network] of [
  ["Bun's sockets", bunNetwork],
  ["node:net", nodeNetwork],
] as const)
  test(`${what}: localhost is looked up by the system, and the address of it that listens is found`, async () => {
    const { promise, resolve } = Promise.withResolvers<Listener>();
    const accept = (connection: Connection) => ({
      data: () => connection.end(),
      drain: () => {},
      close: () => {},
    });
    network.listen("127.0.0.1", 0, accept, (_, listener) => resolve(listener as Listener));
    const listener = await promise;
    const closed = Promise.withResolvers<string>();
    const connection = namedNetwork(network, systemClock).connect("localhost", listener.port, {
      open: () => connection.write(bytes("hello")),
      data: () => {},
      drain: () => {},
      close: (code) => closed.resolve(code),
    });
    expect(await closed.promise).toBe("");
    expect(connection.remote).toBe("127.0.0.1");
    listener.close();
  });
