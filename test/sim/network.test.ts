/** The Network contract on the virtual network, and what it has beyond it: cuts that hold back, deaths, replays. */
import { expect, test } from "bun:test";
import type { Connection, ConnectionHandler } from "../../src/host/contracts.ts";
import { VirtualNetwork } from "../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/virtual-time.ts";
import { type NetworkUnderTest, networkContract, type SlowReader } from "../host/net/network-contract.ts";

const [HERE, THERE, READER] = [1, 2, 3];
/** Virtual milliseconds within which everything on a network without faults has happened. */
const PATIENCE_MS = 60_000;

function make(seed = 1) {
  const time = new VirtualTime();
  const random = seeded(seed);
  const virtual = new VirtualNetwork(time, random);
  const machine = (id: number) => virtual.attach(id, new VirtualClock(time, random)).network;
  return { time, virtual, machine };
}

function under(): NetworkUnderTest {
  const { time, virtual, machine } = make();
  return {
    here: machine(HERE),
    there: machine(THERE),
    host: "virtual",
    async settle(done) {
      time.runUntil(time.now + PATIENCE_MS, done);
      if (!done()) throw new Error(`not within ${PATIENCE_MS} ms`);
    },
    // A slow reader is a cable that lets nothing through, and then a little now and then.
    slowReader(port) {
      const pieces: Uint8Array[] = [];
      let received = 0;
      let closed = false;
      machine(READER).connect("virtual", port, {
        data: (bytes) => {
          pieces.push(bytes);
          received += bytes.length;
        },
        drain: () => {},
        close: () => {
          closed = true;
        },
      });
      time.runUntil(time.now + OPEN_MS);
      virtual.lines.cut(HERE, READER);
      const reader: SlowReader = {
        get received() {
          return received;
        },
        get closed() {
          return closed;
        },
        start: () => virtual.heal(),
        bytes: () => Buffer.concat(pieces),
      };
      return reader;
    },
    async calm() {
      time.runUntil(time.now + PATIENCE_MS);
    },
    cleanUp: () => {},
  };
}

networkContract("the virtual network", under);

/** A connection is open by then. */
const OPEN_MS = 10;

/** Notes what it is told; text, because order is what these tests are about. */
class Noting implements ConnectionHandler {
  readonly told: string[] = [];
  text = "";
  connection: Connection | null = null;

  data(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
  }

  drain(): void {}

  close(code: string): void {
    this.told.push(`close ${code}`);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** An open connection from THERE to HERE. */
function connected(seed = 1) {
  const { time, virtual } = make(seed);
  const random = seeded(seed + 1000);
  const clocks = { here: new VirtualClock(time, random), there: new VirtualClock(time, random) };
  const here = virtual.attach(HERE, clocks.here);
  const there = virtual.attach(THERE, clocks.there);
  const [near, far] = [new Noting(), new Noting()];
  const accept = (connection: Connection) => {
    far.connection = connection;
    return far;
  };
  here.network.listen("virtual", 6001, accept, () => {});
  time.runUntil(time.now + 10);
  near.connection = there.network.connect("virtual", 6001, near);
  time.runUntil(time.now + 10);
  expect(far.connection).not.toBeNull();
  const pass = () => time.runUntil(time.now + PATIENCE_MS);
  return { time, virtual, clocks, here, there, near, far, pass };
}

test("a cut holds bytes back without a word, one way only, and they flow in order when it heals", () => {
  const { virtual, near, far, pass } = connected();
  virtual.lines.cut(THERE, HERE);
  for (let i = 0; i < 50; i++) near.connection?.write(bytes(`${i} `));
  far.connection?.write(bytes("the other way"));
  pass();
  expect([far.text, near.text]).toEqual(["", "the other way"]);
  expect(near.connection?.queued).toBeGreaterThan(0);
  virtual.heal();
  pass();
  expect(far.text).toBe(Array.from({ length: 50 }, (_, i) => `${i} `).join(""));
  expect([...near.told, ...far.told]).toEqual([]);
});

test("an end that a cut holds back is told when it heals, behind the bytes before it", () => {
  const { virtual, near, far, pass } = connected();
  virtual.lines.cut(THERE, HERE);
  near.connection?.write(bytes("last words"));
  near.connection?.end();
  pass();
  expect(far.told).toEqual([]);
  virtual.heal();
  pass();
  expect(far.text).toBe("last words");
  expect([near.told, far.told]).toEqual([["close "], ["close "]]);
});

test("the answer to an end that a cut holds back is told too when it heals", () => {
  const { virtual, near, far, pass } = connected();
  virtual.lines.cut(HERE, THERE);
  near.connection?.end();
  pass();
  expect([near.told, far.told]).toEqual([[], ["close "]]);
  virtual.heal();
  pass();
  expect(near.told).toEqual(["close "]);
});

test("the death of a process resets its connections and frees its port; it hears nothing itself", () => {
  const { time, virtual, clocks, here, there, near, far, pass } = connected();
  clocks.here.end();
  here.die(false);
  pass();
  expect([near.told, far.told]).toEqual([["close ECONNRESET"], []]);
  const late = new Noting();
  there.network.connect("virtual", 6001, late);
  pass();
  expect(late.told).toEqual(["close ECONNREFUSED"]);
  // The port is free for the next process there.
  const answers: unknown[] = [];
  virtual.attach(HERE, new VirtualClock(time, seeded(2))).network.listen(
    "virtual",
    6001,
    () => null,
    (error) => answers.push(error),
  );
  pass();
  expect(answers).toEqual([null]);
});

test("a dial across a cut hears nothing, tries again after 1, 2 and 4 s, and succeeds when the cut has healed", () => {
  const { time, virtual, there, near } = connected();
  for (const [from, to] of [
    [HERE, THERE],
    [THERE, HERE],
  ] as const) {
    virtual.lines.cut(from, to);
    const began = time.now;
    const open: number[] = [];
    const late = Object.assign(new Noting(), { open: () => void open.push(time.now - began) });
    there.network.connect("virtual", 6001, late);
    time.runUntil(began + 3500);
    virtual.heal();
    time.runUntil(began + 10_000);
    expect(open).toEqual([expect.closeTo(7000, -2)]);
    expect(late.told).toEqual([]);
  }
  expect(near.told).toEqual([]);
});

test("a machine that is gone with its kernel does not even refuse; what runs there next does", () => {
  const { time, virtual, here, there } = connected();
  here.die(true);
  const [late, given] = [new Noting(), new Noting()];
  there.network.connect("virtual", 6001, late);
  given.connection = there.network.connect("virtual", 6001, given);
  time.runUntil(time.now + 2000);
  given.connection.destroy();
  expect(late.told).toEqual([]);
  virtual.attach(HERE, new VirtualClock(time, seeded(2)));
  time.runUntil(time.now + 2000);
  expect([late.told, given.told]).toEqual([["close ECONNREFUSED"], []]);
});

test("the same seed cuts and delays the same way, another seed does not", () => {
  const run = (seed: number) => {
    const { time, near, far } = connected(seed);
    const arrivals: string[] = [];
    far.data = (piece) => void arrivals.push(`${time.now.toFixed(6)} ${piece.length}`);
    for (let i = 0; i < 20; i++) near.connection?.write(bytes("x".repeat(i + 2)));
    time.runUntil(time.now + 1000);
    expect(arrivals.length).toBeGreaterThan(19);
    return arrivals;
  };
  expect(run(3)).toEqual(run(3));
  expect(run(3)).not.toEqual(run(4));
});
