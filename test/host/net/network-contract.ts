/** What every Network must do: one suite, run on Bun's sockets, on node:net and on the virtual one. */
import { expect, test } from "bun:test";
import type { Connection, ConnectionHandler, Listener, Network, PortError } from "../../../src/host/contracts.ts";

export interface NetworkUnderTest {
  /** Listens on this one, dials from the other; in the simulator they are two machines. */
  readonly here: Network;
  readonly there: Network;
  readonly host: string;
  /** Lets callbacks run until `done` says so; fails if it never does. */
  settle(done: () => boolean): Promise<void>;
  /** Dials `port` and reads nothing before `start`, then a little at a time. Not made of what is tested. */
  slowReader(port: number): SlowReader;
  /** Afterwards whatever was under way has happened, or never will. */
  calm(): Promise<void>;
  cleanUp(): void;
  /** Where connections say who is at the other side: what they say here and there. */
  readonly identities?: { readonly ofHere: string; readonly ofThere: string };
}

export interface SlowReader {
  readonly received: number;
  readonly closed: boolean;
  start(): void;
  bytes(): Uint8Array;
}

/**
 * More than the kernels at both ends hold for one connection that nobody reads (Linux: up to 4 MiB to send; what may be
 * received starts at 128 KiB and grows with the reading only).
 */
const MORE_THAN_KERNELS_HOLD = 24 * 1024 * 1024;

/** Bytes in which every place looks different from its neighbourhood: a lost or doubled piece shows. */
function pattern(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16) * 3 + salt) & 0xff;
  return bytes;
}

/** Cut at 1, 1, 2, 3, 5, 8 … bytes, over and over: small pieces, large ones and everything between. */
function* cuts(bytes: Uint8Array): Generator<Uint8Array> {
  let [size, next] = [1, 1];
  for (let at = 0; at < bytes.length; ) {
    yield bytes.subarray(at, at + size);
    at += size;
    [size, next] = next > 200_000 ? [1, 1] : [next, size + next];
  }
}

/** One end of a connection: all that its handler was told. */
class Side implements ConnectionHandler {
  /** "open", "data", "drain" or "close CODE"; neighbours that are alike are noted once, but for closes. */
  readonly told: string[] = [];
  connection: Connection | null = null;
  received = 0;
  /** As they came, not copied: they are the callee's to keep. */
  readonly #pieces: Uint8Array[] = [];

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#pieces));
  }

  attach(connection: Connection): void {
    this.connection = connection;
  }

  get isOpen(): boolean {
    return this.told.includes("open");
  }

  get closes(): string[] {
    return this.told.filter((t) => t.startsWith("close"));
  }

  open(): void {
    this.told.push("open");
  }

  data(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.received += bytes.length;
    this.#tell("data");
  }

  drain(): void {
    this.#tell("drain");
  }

  close(code: string): void {
    this.told.push(`close ${code}`);
  }

  #tell(what: string): void {
    if (this.told[this.told.length - 1] !== what) this.told.push(what);
  }
}

/** A side that acts on a drain. */
class Draining extends Side {
  readonly #onDrain: () => unknown;

  constructor(onDrain: () => unknown) {
    super();
    this.#onDrain = onDrain;
  }

  override drain(): void {
    super.drain();
    this.#onDrain();
  }
}

/** Writes as soon as it has a connection: still inside the call that accepts it. */
class Greeter extends Side {
  readonly #greeting: Uint8Array;

  constructor(greeting: Uint8Array) {
    super();
    this.#greeting = greeting;
  }

  override attach(connection: Connection): void {
    super.attach(connection);
    connection.write(this.#greeting);
  }
}

class Bench {
  readonly t: NetworkUnderTest;
  readonly accepted: Side[] = [];
  /** What takes the next connection that is accepted. */
  makeSide: () => Side | null = () => new Side();
  refusals = 0;
  readonly #listeners: Listener[] = [];
  readonly #connections: Connection[] = [];

  constructor(t: NetworkUnderTest) {
    this.t = t;
  }

  async tryListen(port: number): Promise<{ error: PortError | null; listener: Listener | null }> {
    let answer: { error: PortError | null; listener: Listener | null } | null = null;
    const accept = (connection: Connection) => {
      this.#connections.push(connection);
      const side = this.makeSide();
      if (side === null) {
        this.refusals += 1;
        return null;
      }
      side.attach(connection);
      this.accepted.push(side);
      return side;
    };
    this.t.here.listen(this.t.host, port, accept, (error, listener) => {
      expect(answer).toBeNull();
      answer = { error, listener };
    });
    expect(answer).toBeNull(); // never inside the call
    await this.t.settle(() => answer !== null);
    const { error, listener } = answer as unknown as { error: PortError | null; listener: Listener | null };
    if (listener !== null) this.#listeners.push(listener);
    return { error, listener };
  }

  async listen(): Promise<Listener> {
    const { error, listener } = await this.tryListen(0);
    expect(error).toBeNull();
    return listener as Listener;
  }

  dial(port: number, side = new Side()): Side {
    side.connection = this.t.there.connect(this.t.host, port, side);
    expect(side.told).toEqual([]); // never inside the call
    this.#connections.push(side.connection);
    return side;
  }

  /** Both ends of one new connection. */
  async pair(near = new Side()): Promise<{ near: Side; far: Side; listener: Listener }> {
    const listener = await this.listen();
    this.dial(listener.port, near);
    await this.t.settle(() => near.isOpen && this.accepted.length === 1);
    return { near, far: this.accepted[0] as Side, listener };
  }

  cleanUp(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const listener of this.#listeners) listener.close();
    this.t.cleanUp();
  }
}

export function networkContract(name: string, make: () => NetworkUnderTest): void {
  const on = (claim: string, body: (b: Bench, t: NetworkUnderTest) => Promise<void>) =>
    test(`${name}: ${claim}`, async () => {
      const t = make();
      const bench = new Bench(t);
      try {
        await body(bench, t);
      } finally {
        bench.cleanUp();
      }
    });

  on("port 0 takes a free port and says which", async (bench, t) => {
    const one = await bench.listen();
    const two = await bench.listen();
    expect(one.port).toBeGreaterThan(0);
    expect(two.port).toBeGreaterThan(0);
    expect(two.port).not.toBe(one.port);
    for (const { port } of [one, two]) {
      const side = bench.dial(port);
      await t.settle(() => side.isOpen);
    }
  });

  on("bytes arrive whole and in order, both ways at once, however they are cut", async (bench, t) => {
    const { near, far } = await bench.pair();
    const [out, back] = [pattern(700_001, 1), pattern(500_003, 2)];
    const [outCuts, backCuts] = [cuts(out), cuts(back)];
    for (let more = true; more; ) {
      const [a, b] = [outCuts.next(), backCuts.next()];
      if (!a.done) near.connection?.write(a.value);
      if (!b.done) far.connection?.write(b.value);
      more = !a.done || !b.done;
    }
    await t.settle(() => far.received >= out.length && near.received >= back.length);
    expect(Buffer.compare(far.bytes, out)).toBe(0);
    expect(Buffer.compare(near.bytes, back)).toBe(0);
  });

  on("bytes written one by one, over many turns, arrive in order", async (bench, t) => {
    const { near, far } = await bench.pair();
    const out = pattern(3000);
    for (let i = 0; i < out.length; i++) {
      near.connection?.write(out.subarray(i, i + 1));
      // Now and then the other end is let to read what is there.
      if (i % 100 === 0) await t.settle(() => far.received > i / 2);
    }
    await t.settle(() => far.received >= out.length);
    expect(Buffer.compare(far.bytes, out)).toBe(0);
  });

  on("what is written before the connection is open goes out when it is, and so does an end", async (bench, t) => {
    const listener = await bench.listen();
    const near = bench.dial(listener.port);
    near.connection?.write(pattern(10_000));
    near.connection?.end();
    await t.settle(() => bench.accepted[0]?.closes.length === 1);
    expect(Buffer.compare((bench.accepted[0] as Side).bytes, pattern(10_000))).toBe(0);
  });

  on("who accepts may write at once", async (bench, t) => {
    const listener = await bench.listen();
    const greeting = pattern(100);
    bench.makeSide = () => new Greeter(greeting);
    const near = bench.dial(listener.port);
    await t.settle(() => near.received === 100);
    expect(near.told).toEqual(["open", "data"]);
    // An accepted connection is open already: nobody says so.
    expect(bench.accepted[0]?.isOpen).toBe(false);
  });

  on("`remote` is the other side's address without port", async (bench, t) => {
    const { near, far } = await bench.pair();
    expect(near.connection?.remote).toBe(t.host);
    expect(far.connection?.remote).toBe(t.host);
  });

  on("both sides know who is at the other, and that nobody says so on a plain connection", async (bench, t) => {
    const { near, far } = await bench.pair();
    const { ofHere = null, ofThere = null } = t.identities ?? {};
    expect([near.connection?.identity, far.connection?.identity]).toEqual([ofHere, ofThere]);
  });

  on(
    "a reader that reads slowly makes the writer's queue grow; drain comes when the kernel has it all",
    async (bench, t) => {
      const listener = await bench.listen();
      const out = pattern(MORE_THAN_KERNELS_HOLD);
      const queuedAtDrain: number[] = [];
      const side = new Draining(() => queuedAtDrain.push(side.connection?.queued ?? -1));
      bench.makeSide = () => side;
      const reader = t.slowReader(listener.port);
      await t.settle(() => bench.accepted.length === 1);
      for (let at = 0; at < out.length; at += 100_000) side.connection?.write(out.subarray(at, at + 100_000));
      await t.calm();
      expect(side.connection?.queued).toBeGreaterThan(0);
      expect(queuedAtDrain).toEqual([]);
      reader.start();
      await t.settle(() => reader.received >= out.length && queuedAtDrain.length > 0);
      expect(Buffer.compare(reader.bytes(), out)).toBe(0);
      expect(side.connection?.queued).toBe(0);
      expect(new Set(queuedAtDrain)).toEqual(new Set([0]));
    },
  );

  on(
    "end delivers every accepted byte to a slow reader, then closes; nothing written after it goes out",
    async (bench, t) => {
      const listener = await bench.listen();
      const out = pattern(MORE_THAN_KERNELS_HOLD, 5);
      const reader = t.slowReader(listener.port);
      await t.settle(() => bench.accepted.length === 1);
      const side = bench.accepted[0] as Side;
      for (let at = 0; at < out.length; at += 777_777) side.connection?.write(out.subarray(at, at + 777_777));
      side.connection?.end();
      side.connection?.end();
      side.connection?.write(pattern(1000));
      reader.start();
      await t.settle(() => reader.closed && side.closes.length > 0);
      expect(reader.received).toBe(out.length);
      expect(Buffer.compare(reader.bytes(), out)).toBe(0);
      expect(side.closes).toEqual(["close "]);
    },
  );

  on("an orderly end is told once to both, without a code, and nothing after it", async (bench, t) => {
    const { near, far } = await bench.pair();
    near.connection?.write(pattern(5000));
    near.connection?.end();
    await t.settle(() => far.closes.length > 0 && near.closes.length > 0);
    far.connection?.write(pattern(1));
    far.connection?.end();
    far.connection?.destroy();
    near.connection?.destroy();
    await t.calm();
    expect(far.told.filter((w) => w !== "drain")).toEqual(["data", "close "]);
    expect(near.told.filter((w) => w !== "drain")).toEqual(["open", "close "]);
    expect(Buffer.compare(far.bytes, pattern(5000))).toBe(0);
  });

  on("a destroyed connection is told to the other side once; who destroyed it hears nothing more", async (bench, t) => {
    const { near, far } = await bench.pair();
    far.connection?.write(pattern(1000));
    await t.settle(() => near.received === 1000);
    const before = [...near.told];
    near.connection?.destroy();
    near.connection?.write(pattern(10));
    far.connection?.write(pattern(1000));
    await t.settle(() => far.closes.length > 0);
    near.connection?.destroy();
    await t.calm();
    expect(far.closes.length).toBe(1);
    expect(far.told[far.told.length - 1]).toStartWith("close");
    expect(far.received).toBe(0);
    expect(near.told).toEqual(before);
  });

  on("destroy drops what is queued", async (bench, t) => {
    const listener = await bench.listen();
    const reader = t.slowReader(listener.port);
    await t.settle(() => bench.accepted.length === 1);
    const side = bench.accepted[0] as Side;
    side.connection?.write(pattern(MORE_THAN_KERNELS_HOLD));
    side.connection?.destroy();
    reader.start();
    await t.settle(() => reader.closed);
    expect(reader.received).toBeLessThan(MORE_THAN_KERNELS_HOLD);
    expect(side.closes).toEqual([]);
  });

  on("a connection destroyed before it is open is never opened", async (bench, t) => {
    const listener = await bench.listen();
    const near = bench.dial(listener.port);
    near.connection?.destroy();
    await t.calm();
    expect(near.told).toEqual([]);
    // The other side may have seen it come, then it sees it go.
    for (const far of bench.accepted) expect(far.closes.length).toBe(1);
  });

  on("a connection that is not wanted is closed at once, and that is told once", async (bench, t) => {
    const listener = await bench.listen();
    bench.makeSide = () => null;
    const near = bench.dial(listener.port);
    await t.settle(() => near.closes.length > 0);
    await t.calm();
    expect(near.closes.length).toBe(1);
    expect(near.received).toBe(0);
    expect(bench.refusals).toBeGreaterThan(0);
  });

  on("a refused dial is told once, with its code, and is never open", async (bench, t) => {
    const gone = await bench.listen();
    gone.close();
    await t.calm();
    const near = bench.dial(gone.port);
    near.connection?.write(pattern(10));
    await t.settle(() => near.told.length > 0);
    await t.calm();
    expect(near.told).toEqual(["close ECONNREFUSED"]);
  });

  on("a port in use is an error that says so, and the first listener goes on", async (bench, t) => {
    const first = await bench.listen();
    const { error, listener } = await bench.tryListen(first.port);
    expect(listener).toBeNull();
    expect(error?.code).toBe("EADDRINUSE");
    // The words for people are made of the code, see host.test.ts; what the platform says is kept beside it.
    expect(error?.message).not.toBe("");
    const near = bench.dial(first.port);
    await t.settle(() => near.isOpen);
  });

  on("a listener that closes takes nobody new and keeps whom it has", async (bench, t) => {
    const { near, far, listener } = await bench.pair();
    listener.close();
    await t.calm();
    const late = bench.dial(listener.port);
    await t.settle(() => late.closes.length > 0);
    expect(late.told).toEqual(["close ECONNREFUSED"]);
    near.connection?.write(pattern(1000));
    far.connection?.write(pattern(1000));
    await t.settle(() => far.received === 1000 && near.received === 1000);
    expect(near.closes.concat(far.closes)).toEqual([]);
  });
}
