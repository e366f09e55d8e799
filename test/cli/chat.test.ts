/**
 * One peer and whoever uses it, on a virtual machine: lines in, events out, commands, slow readers, signals, exit codes.
 * Streams are real ones; time, network and disk are the simulator's, so nothing waits for a clock.
 */
import { describe, expect, test } from "bun:test";
import { PassThrough, Writable } from "node:stream";
import { type ChatOptions, runChat } from "../../src/cli/chat.ts";
import { HELP } from "../../src/cli/commands.ts";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/clock.ts";
import { VirtualDisk } from "../../src/sim/disk.ts";
import { VirtualNetwork } from "../../src/sim/network.ts";

type Event = Record<string, unknown>;

class Machine {
  readonly time = new VirtualTime();
  readonly disk: VirtualDisk;
  readonly #random = seeded(1);
  readonly #network = new VirtualNetwork(this.time, this.#random);

  constructor() {
    const clock = { after: (ms: number, fn: () => void) => this.time.at(this.time.now + ms, fn) };
    this.disk = new VirtualDisk({ clock, random: this.#random });
  }

  /** A process of this machine; one at a time. */
  start(options: Partial<ChatOptions> = {}, output?: Writable) {
    return new Run(this, this.#random, this.#network, options, output);
  }
}

class Run {
  readonly input = new PassThrough();
  out = "";
  err = "";
  code: number | null = null;
  signal: (signal: string) => void = () => {};
  readonly #time: VirtualTime;

  constructor(
    machine: Machine,
    random: () => number,
    virtual: VirtualNetwork,
    options: Partial<ChatOptions>,
    output?: Writable,
  ) {
    this.#time = machine.time;
    const clock = new VirtualClock(machine.time, random);
    const { network } = virtual.attach(1, clock);
    const collect = (take: (text: string) => void) =>
      new Writable({
        write(chunk, _encoding, done) {
          take(chunk.toString());
          done();
        },
      });
    const streams = {
      input: this.input,
      output: output ?? collect((text) => (this.out += text)),
      error: collect((text) => (this.err += text)),
    };
    const all: ChatOptions = {
      ...{ id: 1, host: "virtual", port: 6001, advertise: null, seeds: [], name: "alice", room: "general" },
      ...{ timings: DEFAULT_TIMINGS, durability: "fsync", dataDir: "/data", mode: "json", headless: false },
      ...{ history: 20, logLevel: "off", logFormat: "text" },
      ...options,
    };
    void runChat({ clock, network, disk: machine.disk }, all, streams, (handler) => {
      this.signal = handler;
    }).then((code) => {
      this.code = code;
    });
  }

  get lines(): string[] {
    return this.out.split("\n").slice(0, -1);
  }

  get events(): Event[] {
    return this.lines.map((line) => JSON.parse(line) as Event);
  }

  of(name: string): Event[] {
    return this.events.filter((e) => e.event === name);
  }

  /** Lets virtual time and real streams go on until something holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let turn = 0; !condition(); turn++) {
      if (turn > 5000) throw new Error(`it does not happen:\n${this.out.slice(-2000)}${this.err}`);
      this.#time.runUntil(this.#time.now + 10);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async ended(): Promise<number> {
    await this.until(() => this.code !== null);
    return this.code as number;
  }
}

describe("lines in, events out", () => {
  test("[S1] [I8] each message is pending, then delivered and sent; the end of input leaves once all are", async () => {
    const run = new Machine().start();
    run.input.end("one\r\ntwo\u2028\nthree");
    expect(await run.ended()).toBe(0);
    const told = run.events.filter((e) => ["pending", "message", "sent"].includes(e.event as string));
    for (const [i, payload] of ["one", "two\u2028", "three"].entries()) {
      const own = told.filter((e) => e.msg_id === told[0]?.msg_id?.toString().replace(/1$/, String(i + 1)));
      expect(own).toMatchObject([
        { event: "pending", payload },
        { event: "message", payload, user: "alice", room_id: "general", seq_no: i + 1 },
        { event: "sent", seq_no: i + 1 },
      ]);
    }
    expect(told).toHaveLength(9);
    expect(run.of("started")).toEqual([{ event: "started", id: 1, host: "virtual", port: 6001, data_dir: "/data" }]);
    expect(run.err).toBe("");
  });

  test("as text: the room's messages and what matters, no bookkeeping; an empty line is no message", async () => {
    const run = new Machine().start({ mode: "pipe" });
    run.input.end("hello\n\nwor\x1bld\n");
    expect(await run.ended()).toBe(0);
    expect(run.lines.filter((line) => !line.startsWith("--"))).toEqual([
      "[seq=1] alice: hello",
      "[seq=2] alice: wor^[ld",
    ]);
    expect(run.lines).toContainEqual(expect.stringMatching(/^-- this peer leads \(term \d+\)$/));
    expect(run.lines.at(-1)).toStartWith("-- stopped: ");
    expect(run.out).not.toContain("msg_id");
  });

  test("lines that cannot be sent are explained one by one, and the others are sent", async () => {
    const run = new Machine().start();
    run.input.write("before\n");
    run.input.write(Uint8Array.of(0xff, 0x0a));
    run.input.write(`${"x".repeat(70_000)}\n${"y".repeat(65_537)}\n`);
    run.input.write("\n/evict x\nafter\n");
    run.input.end();
    expect(await run.ended()).toBe(0);
    expect(run.of("message").map((e) => e.payload)).toEqual(["before", "after"]);
    expect(run.of("error").map((e) => e.message)).toEqual([
      expect.stringContaining("not UTF-8"),
      expect.stringContaining("a line of 70000 bytes"),
      expect.stringContaining("65536"),
      expect.any(String),
      "/evict needs a peer id, like /evict 2",
    ]);
  });

  test("/status, /peers and /help answer in the way that was asked for", async () => {
    const json = new Machine().start();
    json.input.write("hello\n");
    await json.until(() => json.of("sent").length === 1);
    json.input.end("/status\n/peers\n/help\n");
    await json.ended();
    const status = {
      id: 1,
      role: "leader",
      leader_id: 1,
      quorum: true,
      pending: 0,
      members: [{ id: 1, role: "voter" }],
    };
    expect(json.of("status")).toMatchObject([status, status]);
    expect(json.of("notice").filter((e) => e.code === "help")).toHaveLength(HELP.length);

    const text = new Machine().start({ mode: "pipe" });
    text.input.write("hello\n");
    await text.until(() => text.out.includes("[seq=1]"));
    text.input.end("/status\n/peers\n/help\n");
    await text.ended();
    expect(text.out).toContain("peer 1: leader, this peer leads, term 1, a majority is here\n");
    expect(text.out).toContain("peer 1  virtual:6001  voter, this peer, leads");
    expect(text.out).toContain("/transfer [ID]");
  });

  test("/quit leaves at once; lines behind it are not taken", async () => {
    const run = new Machine().start();
    run.input.write("one\n/quit\ntwo\n");
    expect(await run.ended()).toBe(0);
    expect(run.of("pending").map((e) => e.payload)).toEqual(["one"]);
  });

  test("headless: input is not read, and its end is not the end", async () => {
    const run = new Machine().start({ headless: true, mode: "quiet" });
    run.input.end("unheard\n");
    await run.until(() => run.input.writableFinished);
    let turns = 0;
    await run.until(() => ++turns > 300);
    expect([run.code, run.out]).toEqual([null, ""]);
    run.signal("SIGTERM");
    expect(await run.ended()).toBe(0);
    expect(run.out).not.toContain("unheard");
  });
});

describe("readers", () => {
  test("[S9] a reader far behind stops the reading of input and of the log; it gets everything in the end", async () => {
    const payload = "x".repeat(60_000);
    const count = 120;
    let waiting: (() => void) | null = null;
    let seen = "";
    let most = 0;
    const slow: Writable = new Writable({
      write(chunk, _encoding, done) {
        most = Math.max(most, slow.writableLength);
        seen += chunk.toString();
        waiting = done;
      },
    });
    const run = new Machine().start({}, slow);
    run.input.end(`${Array.from({ length: count }, (_, i) => `${i} ${payload}`).join("\n")}\n`);
    const messages = () => seen.split("\n").filter((line) => line.startsWith('{"event":"message"'));
    // Nobody reads for a long while: what waits is bounded, and most lines were not even taken.
    let turns = 0;
    await run.until(() => ++turns > 300);
    expect(slow.writableLength).toBeGreaterThan(1 << 20);
    expect(slow.writableLength).toBeLessThan(2 << 20);
    await run.until(() => {
      const done = waiting;
      waiting = null;
      done?.();
      return run.code !== null;
    });
    expect(messages().map((line) => Number.parseInt(JSON.parse(line).payload, 10))).toEqual(
      Array.from({ length: count }, (_, i) => i),
    );
    expect(most).toBeLessThan(4 << 20);
    expect(run.code).toBe(0);
  });

  test("a reader that goes away does not stop the peer", async () => {
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error("EPIPE"), { code: "EPIPE" }));
      },
    });
    const machine = new Machine();
    const run = machine.start({}, gone);
    run.input.end("still sent\n");
    expect(await run.ended()).toBe(0);
    const again = machine.start({ port: 6002 });
    await again.until(() => again.of("started").length === 1);
    again.input.end("/status\n");
    await again.ended();
    expect(again.of("status")[0]?.commit_index).toBeGreaterThan(2);
  });
});

describe("the terminal", () => {
  test("shows the last messages of the room, then what comes; typed lines are sent", async () => {
    const machine = new Machine();
    const before = machine.start();
    before.input.end("one\ntwo\nthree\n");
    await before.ended();
    const run = machine.start({ mode: "terminal", history: 2, port: 6002 });
    await run.until(() => run.out.includes("alice> "));
    expect(run.lines.filter((line) => line.includes("[seq="))).toEqual(["[seq=2] alice: two", "[seq=3] alice: three"]);
    run.input.write("four\r");
    await run.until(() => run.out.includes("[seq=4] alice: four\n"));
    run.input.write("\x03");
    expect(await run.ended()).toBe(0);
    expect(run.lines.at(-1)).toContain("-- stopped: ");
  });
});

describe("the end", () => {
  test("a signal leaves in good order, like /quit; the second SIGINT ends at once with 130", async () => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      const run = new Machine().start();
      await run.until(() => run.of("role").length > 0);
      run.signal(signal);
      expect([signal, await run.ended()]).toEqual([signal, 0]);
    }
    const run = new Machine().start();
    await run.until(() => run.of("role").length > 0);
    run.signal("SIGINT");
    run.signal("SIGINT");
    await new Promise((resolve) => setImmediate(resolve));
    expect(run.code).toBe(130);
  });

  test("[D1] a directory that cannot be used is exit code 1, with the reason for people and for scripts", async () => {
    const machine = new Machine();
    const holder = machine.start();
    await holder.until(() => holder.of("started").length === 1);
    const second = machine.start({ port: 6002 });
    expect(await second.ended()).toBe(1);
    expect(second.of("error")).toMatchObject([{ code: "start", message: expect.stringContaining("in use") }]);
    expect(second.err).toBe(`chatpeer: ${second.of("error")[0]?.message}\n`);
    const third = machine.start({ port: 6002, mode: "pipe" });
    expect(await third.ended()).toBe(1);
    expect([third.out, third.err]).toEqual(["", second.err]);
  });

  test("a port in use is exit code 1", async () => {
    const machine = new Machine();
    const holder = machine.start();
    await holder.until(() => holder.of("started").length === 1);
    Object.defineProperty(machine, "disk", { value: new Machine().disk });
    const second = machine.start({});
    expect(await second.ended()).toBe(1);
    expect(second.out + second.err).toContain("the port is in use");
  });
});

describe("the operator's log", () => {
  test("only from its level up, on stderr, in its format", async () => {
    const levels = { off: [], warn: ["error", "warn"], debug: ["error", "warn", "info", "debug"] } as const;
    const seen = { off: 0, warn: 0, debug: 0 };
    for (const logLevel of ["off", "warn", "debug"] as const) {
      const run = new Machine().start({ logLevel, logFormat: "json" });
      run.input.end("hello\n");
      await run.ended();
      const records = run.err
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Event);
      for (const record of records) expect(levels[logLevel]).toContain(record.level as never);
      seen[logLevel] = records.length;
    }
    expect(seen.off).toBe(0);
    expect(seen.debug).toBeGreaterThan(seen.warn);
  });
});

describe("rooms", () => {
  test("a script joins, speaks and leaves; what was joined is known after a restart, with what is unread", async () => {
    const machine = new Machine();
    const run = machine.start();
    run.input.write("in general\n/join attic\nin the attic\n/history 5 ATTIC\n/rooms\n/leave\nback in general\n");
    await run.until(() => run.of("sent").length === 3 && run.of("history").length === 1);
    expect(run.of("message").map((m) => [m.room_id, m.payload])).toEqual([
      ["general", "in general"],
      ["attic", "in the attic"],
      ["general", "back in general"],
    ]);
    expect(run.of("room").map((r) => [r.room_id, r.joined])).toEqual([
      ["general", true],
      ["attic", true],
      ["attic", false],
    ]);
    run.input.end("/leave\n/join\n/join bad\tname\n/join cellar\n");
    expect(await run.ended()).toBe(0);
    expect(run.of("error").map((e) => e.code)).toEqual(["last-room", "command", "bad-room"]);

    const again = machine.start();
    again.input.end("/rooms\n");
    expect(await again.ended()).toBe(0);
    expect(again.of("rooms")).toEqual([
      {
        event: "rooms",
        rooms: [
          { room_id: "attic", last_seq_no: 1, joined: false, unread: 1 },
          { room_id: "cellar", last_seq_no: 0, joined: true, unread: 0 },
          { room_id: "general", last_seq_no: 2, joined: true, unread: 2 },
        ],
      },
    ]);
  });
});
