/**
 * One peer and whoever uses it, on a virtual machine: lines in, events out, commands, slow readers, signals, exit codes.
 * Streams are real ones; time, network and disk are the simulator's, so nothing waits for a clock.
 */
import { describe, expect, test } from "bun:test";
import { PassThrough, Writable } from "node:stream";
import { runChat } from "../../../src/cli/chat/talk.ts";
// Here already when a chat asks for them: virtual time would run away while a file is read.
import "../../../src/cli/faces/json-face.ts";
import "../../../src/cli/faces/plain-face.ts";
import "../../../src/cli/faces/screen-face.ts";
import { HELP } from "../../../src/cli/chat/slash-commands.ts";
import type { ChatOptions } from "../../../src/cli/chat/talk-options.ts";
import { DEFAULT_TIMINGS } from "../../../src/core/config.ts";
import { ClientHost } from "../../../src/host/client/client-host.ts";
import { Visitor } from "../../../src/host/client/visitor.ts";
import type { HostEvent } from "../../../src/host/events.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { VirtualTerminal } from "../screen/virtual-terminal.ts";

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

  /** Somebody elsewhere who asks the peer at that port. */
  visitor(port: number, attached: () => void): Visitor {
    const clock = new VirtualClock(this.time, this.#random);
    const { network } = this.#network.attach(3, clock);
    const events = { attached, told: () => {}, lost: () => {} };
    return new Visitor({ clock, network }, { host: "virtual", port }, events);
  }

  /** Somebody elsewhere who talks through the peer at that port. */
  client(name: string, port: number) {
    const clock = new VirtualClock(this.time, this.#random);
    const { network } = this.#network.attach(2, clock);
    const events: HostEvent[] = [];
    const service = new ClientHost(
      { clock, network },
      { addresses: [{ host: "virtual", port }], name, room: "general", since: null, follow: true },
      { event: (event) => events.push(event), log: () => {}, writable: () => {}, stopped: () => {} },
    );
    service.start();
    return { service, events };
  }
}

function collect(take: (text: string) => void): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      take(chunk.toString());
      done();
    },
  });
}

class Run {
  readonly input = new PassThrough();
  readonly error = collect((text) => {
    this.err += text;
  });
  out = "";
  err = "";
  code: number | null = null;
  readonly exited: Promise<number>;
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
    const streams = {
      input: this.input,
      output: output ?? collect((text) => (this.out += text)),
      error: this.error,
    };
    const all: ChatOptions = {
      ...{ id: 1, host: "virtual", port: 6001, advertise: null, seeds: [], name: "alice", room: "general" },
      ...{
        timings: DEFAULT_TIMINGS,
        durability: "fsync",
        dataDir: "/data",
        mode: "json",
        headless: false,
        prints: true,
      },
      ...{ history: 20, bell: "mention", logLevel: "off", logFormat: "text" },
      ...options,
    };
    this.exited = runChat({ clock, network, disk: machine.disk }, all, streams, (handler) => {
      this.signal = handler;
    });
    void this.exited.then((code) => {
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

  /** Lets so much virtual time and all streams go on. */
  async pass(ms: number): Promise<void> {
    const end = this.#time.now + ms;
    await this.until(() => this.#time.now >= end);
  }

  async ended(): Promise<number> {
    await this.until(() => this.code !== null);
    return this.code as number;
  }
}

/** What `/history` has answered. */
const past = (run: Run) => run.of("history").flatMap((e) => (e.messages as Event[]).map((m) => m.payload));

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
    expect(run.of("started")).toEqual([
      {
        event: "started",
        id: 1,
        host: "virtual",
        port: 6001,
        cluster_id: expect.any(String),
        founding_ms: DEFAULT_TIMINGS.founding,
        data_dir: "/data",
      },
    ]);
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
    expect(
      json
        .of("notice")
        .filter((e) => e.code === "help")
        .map((e) => e.message),
    ).toEqual([...HELP]);

    const text = new Machine().start({ mode: "pipe" });
    text.input.write("hello\n");
    await text.until(() => text.out.includes("[seq=1]"));
    text.input.end("/status\n/peers\n/help\n");
    await text.ended();
    expect(text.out).toContain("peer 1: leader, this peer leads, term 1, a majority is here\n");
    expect(text.out).toContain("peer 1  virtual:6001  voter, this peer, leads");
    expect(text.out).toContain("/transfer [ID]");
  });

  test("piped lines that cannot be sent are told on stderr and end in exit code 1; the others are sent", async () => {
    for (const refused of [
      "\xff\n",
      `${"x".repeat(70_000)}\n`,
      `${"y".repeat(65_537)}\n`,
      "/nonsense\n",
      "/save\n",
      "/read 99\n",
    ]) {
      const run = new Machine().start({ mode: "pipe" });
      run.input.write("before\n");
      run.input.write(Buffer.from(refused, "latin1"));
      run.input.end("after\n");
      expect([refused.slice(0, 9), await run.ended()]).toEqual([refused.slice(0, 9), 1]);
      expect(run.err).toMatch(/^chatpeer: .+\n$/);
      expect(run.lines.filter((line) => line.startsWith("[seq="))).toEqual([
        "[seq=1] alice: before",
        "[seq=2] alice: after",
      ]);
    }
  });

  test("every room is delivered to scripts; /join changes where one talks, /rooms and /history answer with objects", async () => {
    const run = new Machine().start();
    run.input.write("one\n/join dev\ntwo\n/leave\nthree\n");
    await run.until(() => run.of("sent").length === 3);
    run.input.write("/rooms\n/history 5\n/leave\n");
    await run.until(() => run.of("history").length === 2 && run.of("error").length === 1);
    run.input.end();
    await run.ended();
    expect(run.of("message").map((e) => [e.room_id, e.seq_no, e.payload])).toEqual([
      ["general", 1, "one"],
      ["dev", 1, "two"],
      ["general", 2, "three"],
    ]);
    // A script has read what it says it has.
    expect(run.of("rooms")[0]?.rooms).toEqual([
      { room_id: "dev", joined: false, active: false, last_seq_no: 1, unread: 1 },
      { room_id: "general", joined: true, active: true, last_seq_no: 2, unread: 2 },
    ]);
    expect(past(run)).toEqual(["one", "three"]);
    expect(run.of("error")[0]?.message).toContain("general is the only room you are in");
  });

  test("rooms that were joined are joined at the next start, with what is unread in each", async () => {
    const machine = new Machine();
    const run = machine.start();
    run.input.write("in general\n/join attic\nin the attic\n/leave\n/join cellar\n/leave general\n");
    run.input.end();
    await run.ended();
    expect(run.of("room").map((r) => [r.room_id, r.joined])).toEqual([
      ["general", true],
      ["attic", true],
      ["attic", false],
      ["cellar", true],
      ["general", false],
    ]);
    const again = machine.start({ room: "attic" });
    again.input.end("/rooms\n");
    await again.ended();
    expect(again.of("rooms")[0]?.rooms).toEqual([
      { room_id: "attic", last_seq_no: 1, joined: true, unread: 0, active: true },
      { room_id: "cellar", last_seq_no: 0, joined: true, unread: 0, active: false },
      { room_id: "general", last_seq_no: 1, joined: false, unread: 1, active: false },
    ]);
  });

  test("answers that take a while come before what is behind them, and before the end", async () => {
    const machine = new Machine();
    const before = machine.start();
    before.input.end("one\ntwo\n");
    await before.ended();
    const run = machine.start({ mode: "pipe", port: 6002, history: 0 });
    run.input.end("/history 2\n/peers\n");
    expect(await run.ended()).toBe(0);
    expect(run.lines.filter((line) => /^\[seq|^peer|^-- history/.test(line))).toEqual([
      "-- history of general: 2 messages",
      "[seq=1] alice: one",
      "[seq=2] alice: two",
      expect.stringMatching(/^peer 1 {2}virtual/),
    ]);
    const quits = machine.start({ port: 6003 });
    quits.input.end("/history 2\n/quit\n");
    expect(await quits.ended()).toBe(0);
    expect(past(quits)).toEqual(["one", "two"]);
  });

  test("a pipe shows the past only where that is asked for", async () => {
    const machine = new Machine();
    const before = machine.start();
    before.input.end("one\ntwo\nthree\n");
    await before.ended();
    const run = machine.start({ mode: "pipe", history: 2, port: 6002 });
    run.input.end("four\n/history\n");
    await run.ended();
    expect(run.lines.filter((line) => line.startsWith("[seq=")).slice(0, 3)).toEqual([
      "[seq=2] alice: two",
      "[seq=3] alice: three",
      "[seq=4] alice: four",
    ]);
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

  test("headless: messages are printed only where that is asked for; the log says whose it is", async () => {
    for (const prints of [false, true]) {
      const machine = new Machine();
      const run = machine.start({ headless: true, mode: "quiet", prints, logLevel: "info" });
      await run.until(() => run.err.includes("this peer leads"));
      const bob = machine.client("bob", 6001);
      await run.until(() => bob.events.some((e) => e.event === "started"));
      bob.service.submit("general", "between us");
      await run.until(() => bob.events.some((e) => e.event === "sent"));
      let turns = 0;
      await run.until(() => run.out !== "" || ++turns > 300);
      expect(run.out).toBe(prints ? "[seq=1] bob: between us\n" : "");
      expect(run.err).toMatch(
        / chatpeer \d.* \(Bun .*\): peer 1 listens on virtual:6001, data in \/data, cluster \w+\n/,
      );
      run.signal("SIGTERM");
      await run.ended();
    }
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

/** A screen for a run: what its bytes make of it, and keys. */
class Screen extends VirtualTerminal {
  readonly output = Object.assign(
    new Writable({
      write: (chunk, _encoding, done) => {
        this.write(chunk.toString());
        done();
      },
    }),
    { columns: 80, rows: 24 },
  );

  constructor() {
    super(80, 24);
  }

  /** Messages and rules above the bottom, without times. */
  get said(): string[] {
    return this.history.flatMap((row) => (/\[(?:seq=\d+|pending|waiting)\].*|^──.*/.exec(row) ?? []).slice(0, 1));
  }

  shows(text: string): boolean {
    return this.history.some((row) => row.includes(text));
  }

  override resize(columns: number, rows: number): void {
    super.resize(columns, rows);
    this.tellSize(columns, rows);
  }

  /** The window has it already, and the program hears of it now. */
  tellSize(columns: number, rows: number): void {
    Object.assign(this.output, { columns, rows });
    this.output.emit("resize");
  }
}

test("a script that is behind is told that its message is sent after the message", async () => {
  let out = "";
  let reads = false;
  const stuck: (() => void)[] = [];
  const output = new Writable({
    write(chunk, _encoding, done) {
      out += chunk.toString();
      if (reads) done();
      else stuck.push(done);
    },
  });
  const run = new Machine().start({}, output);
  const text = "x".repeat(60_000);
  const count = 40;
  run.input.write(`${text}\n`.repeat(count));
  await run.pass(3000);
  expect(out).not.toContain('"event":"message"');
  reads = true;
  for (const done of stuck) done();
  const events = () =>
    out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Event);
  await run.until(() => events().filter((e) => e.event === "sent").length === count);
  const told = events().filter((e) => e.event === "message" || e.event === "sent");
  for (const event of ["message", "sent"])
    expect(told.filter((e) => e.event === event).map((e) => e.seq_no)).toEqual(
      Array.from({ length: count }, (_, i) => i + 1),
    );
  const place = (event: string, seqNo: number) => told.findIndex((e) => e.event === event && e.seq_no === seqNo);
  for (let i = 1; i <= count; i++) expect(place("sent", i)).toBeGreaterThan(place("message", i));
  run.signal("SIGTERM");
  expect(await run.ended()).toBe(0);
});

describe("the screen", () => {
  function open(machine: Machine, options: Partial<ChatOptions> = {}) {
    const screen = new Screen();
    const run = machine.start({ mode: "terminal", port: 6002, ...options }, screen.output);
    const type = (keys: string) => run.input.write(keys);
    return { screen, run, type };
  }

  test("shows the last messages of the room, then what comes; typed lines are sent, Ctrl-C twice leaves", async () => {
    const machine = new Machine();
    const before = machine.start();
    before.input.end("one\ntwo\nthree\n");
    await before.ended();
    const { screen, run, type } = open(machine, { history: 2 });
    await run.until(() => screen.prompt === "alice> ▏");
    expect(screen.said).toEqual(["[seq=2] alice: two", "[seq=3] alice: three"]);
    type("four\r");
    await run.until(() => screen.said.at(-1) === "[seq=4] alice: four");
    type("half a line\x03");
    await run.until(() => screen.shows("Ctrl-C again quits"));
    expect(screen.prompt).toBe("alice> ▏");
    type("\x03");
    expect(await run.ended()).toBe(0);
    const last = screen.history.filter((row) => row !== "").at(-1);
    expect(last).toStartWith("-- stopped: ");
    expect(screen.reports.size).toBe(0);
  });

  test("the status line says who, where, who leads, who is here and what waits", async () => {
    const { screen, run } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    expect(screen.screen.at(-2)).toBe("alice · general · 0 pending · you lead (term 1) · 1 of 1 here · quorum held");
    run.signal("SIGTERM");
    expect(await run.ended()).toBe(0);
  });

  test("[I8] without a majority own messages stand above the status line, unnumbered, and are kept", async () => {
    const machine = new Machine();
    const seeds = [{ id: 2, host: "nobody", port: 6009 }];
    const { screen, run, type } = open(machine, { seeds });
    await run.until(() => screen.shows("0 pending"));
    for (let i = 1; i <= 8; i++) type(`text ${i}\r`);
    await run.until(() => screen.shows("8 pending") && screen.shows("not in a cluster yet: messages are kept"));
    expect(screen.screen.slice(-8).map((row) => row.replace(/^\d\d:\d\d /, ""))).toEqual([
      "… and 4 more",
      ...[5, 6, 7, 8].map((i) => `[pending] alice: text ${i}`),
      "not in a cluster yet: messages are kept and will be sent",
      "alice · general · 8 pending · no leader (term 0) · 0 of 0 here · quorum lost",
      "alice> ▏",
    ]);
    run.signal("SIGHUP");
    expect(await run.ended()).toBe(0);
  });

  test("what is refused stays in the line: too long a text, and nothing of it is sent", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    type(`\x1b[200~${"x".repeat(70_000)}\x1b[201~\r`);
    await run.until(() => screen.shows("error: the message has 70000 bytes"));
    await run.until(() => screen.prompt.startsWith("alice> ‹xxx"));
    type("\x15short\r");
    await run.until(() => screen.said.at(-1) === "[seq=1] alice: short");
    type("\x04");
    expect(await run.ended()).toBe(0);
  });

  test("40 pasted lines are one message, under their column; what a terminal would obey is shown", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`);
    type(`\x1b[200~${lines.join("\r")}\x1b[201~`);
    await run.until(() => screen.prompt.includes("line 39⏎line 40▏"));
    type("\r\x1b[200~\x1b]0;evil\x07\u202e\x1b[201~\r");
    await run.until(() => screen.said.at(-1) === "[seq=2] alice: ^[]0;evil^G\\u{202e}");
    const first = screen.history.findIndex((row) => row.endsWith("[seq=1] alice: line 1"));
    const column = (screen.history[first] as string).indexOf("line 1");
    expect(screen.history.slice(first + 1, first + 40)).toEqual(
      lines.slice(1).map((line) => " ".repeat(column) + line),
    );
    expect(screen.bells).toBe(0);
    type("\x04");
    await run.ended();
  });

  test("U+2028 and its like stay within a message [L6]", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    type("one\u2028two\u0085three\r");
    await run.until(() => screen.said.at(-1) === "[seq=1] alice: one\\u{2028}twothree");
    type("\x04");
    await run.ended();
  });

  test("a burst while a line is half typed is a few writes, and the line stays", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    const count = 2000;
    type(`\x1b[200~${"x".repeat(30)}\x1b[201~\x15`);
    const writes = screen.writes;
    type(`${Array.from({ length: count }, (_, i) => `m${i}\r`).join("")}half typed`);
    await run.until(() => screen.said.at(-1) === `[seq=${count}] alice: m${count - 1}`);
    expect(screen.said.filter((row) => row.startsWith("[seq="))).toEqual(
      Array.from({ length: count }, (_, i) => `[seq=${i + 1}] alice: m${i}`),
    );
    expect(screen.prompt).toBe("alice> half typed▏");
    expect(screen.writes - writes).toBeLessThan(100);
    screen.resize(40, 10);
    await run.until(() => (screen.screen.at(-2) ?? "").endsWith("…"));
    expect(screen.prompt).toBe("alice> half typed▏");
    type("\x15\x04");
    await run.ended();
  });

  test("a window that is dragged, and ahead of what the program has heard of it, loses no message", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    type("one\rtwo\rthree\rhalf typed");
    await run.until(() => screen.said.at(-1) === "[seq=3] alice: three" && screen.prompt.endsWith("half typed▏"));
    for (let times = 0; times < 3; times++) {
      screen.tellSize(30, 24);
      await run.pass(250);
      screen.tellSize(80, 24);
      await run.pass(500);
    }
    expect(screen.said).toEqual(["[seq=1] alice: one", "[seq=2] alice: two", "[seq=3] alice: three"]);
    expect(screen.prompt).toBe("alice> half typed▏");
    type("\x15\x04");
    await run.ended();
  });

  /** A terminal that takes a frame only when it is told to read. */
  class UnreadTerminal {
    seen = "";
    frames = 0;
    readonly output: Writable;
    #taken: (() => void) | null = null;

    constructor() {
      const write = (chunk: Buffer, _encoding: string, taken: () => void) => {
        this.seen += chunk.toString();
        this.frames++;
        this.#taken = taken;
      };
      this.output = Object.assign(new Writable({ write }), { columns: 80, rows: 24 });
    }

    read(): true {
      const taken = this.#taken;
      this.#taken = null;
      taken?.();
      return true;
    }

    get numbers(): number[] {
      return [...this.seen.matchAll(/\[seq=(\d+)\]/g)].map(([, number]) => Number(number));
    }
  }

  test("[S9] a terminal that nobody reads is sent no frame behind the one under way; messages wait in the log for it, and none is left out", async () => {
    const terminal = new UnreadTerminal();
    const machine = new Machine();
    const run = machine.start({ mode: "terminal", port: 6002 }, terminal.output);
    await run.until(() => terminal.read() && terminal.seen.includes("you lead"));
    const bob = machine.client("bob", 6002);
    await run.until(() => bob.events.some((e) => e.event === "started"));
    const sent = () => bob.events.filter((e) => e.event === "message").length;
    const { frames } = terminal;
    const count = 100;
    const payload = "x".repeat(60_000);
    for (let i = 1; i <= count; i++) bob.service.submit("general", payload);
    await run.until(() => sent() === count);
    await run.pass(2000);
    expect(terminal.frames).toBeLessThanOrEqual(frames + 1);
    expect(terminal.output.writableLength).toBeLessThan(2 << 20);
    await run.until(() => terminal.read() && terminal.numbers.length === count);
    expect(terminal.numbers).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    run.signal("SIGTERM");
    await run.until(() => terminal.read() && run.code !== null);
  });

  test("[P4] what waits for a terminal that nobody reads is not confirmed as read", async () => {
    const terminal = new UnreadTerminal();
    const machine = new Machine();
    const run = machine.start({ mode: "terminal", port: 6002 }, terminal.output);
    await run.until(() => terminal.read() && terminal.seen.includes("you lead"));
    const bob = machine.client("bob", 6002);
    const reads = () => bob.events.flatMap((e) => (e.event === "read" && e.user === "alice" ? [e.through] : []));
    await run.until(() => bob.events.some((e) => e.event === "started"));
    const say = async (text: string) => {
      bob.service.submit("general", text);
      await run.until(() => bob.events.some((e) => e.event === "message" && e.payload === text));
    };
    await say("on its way to the terminal");
    await say("behind it");
    await run.pass(3000);
    const before = reads().length;
    await say("nobody sees this");
    await run.pass(3000);
    expect(reads().length).toBe(before);
    await run.until(() => terminal.read() && reads().at(-1) === 3);
    run.signal("SIGTERM");
    await run.until(() => terminal.read() && run.code !== null);
  });

  test("a chat leaves although nobody reads its terminal", async () => {
    const terminal = new UnreadTerminal();
    const run = new Machine().start({ mode: "terminal" }, terminal.output);
    await run.until(() => terminal.read() && terminal.seen.includes("you lead"));
    run.input.write("one\r");
    await run.pass(100);
    run.input.write("\x04");
    await run.pass(5000);
    // What it waits for now is a reader, in real time.
    expect(await run.exited).toBe(0);
  });

  test("[P4] what is shown in the room talked in is confirmed, not in the background; who has read what one said is seen", async () => {
    const machine = new Machine();
    const { screen, run, type } = open(machine);
    await run.until(() => screen.shows("you lead"));
    const bob = machine.client("bob", 6002);
    await run.until(() => bob.events.some((e) => e.event === "started"));
    const reads = () => bob.events.flatMap((e) => (e.event === "read" && e.user === "alice" ? [e.through] : []));
    bob.service.submit("general", "one");
    await run.until(() => reads().length === 1);
    type("\x1b[O");
    bob.service.submit("general", "two");
    await run.until(() => screen.said.at(-1) === "[seq=2] bob: two");
    type("three\r");
    await run.until(() => screen.said.at(-1) === "[seq=3] alice: three");
    expect(reads()).toEqual([1]);
    type("\x1b[I");
    await run.until(() => reads().length === 2);
    expect(reads()).toEqual([1, 2]);
    bob.service.confirmRead("general", 3);
    await run.until(() => screen.shows("0 pending ✓✓ · "));
    type("/history 1\r/confirmations 3\r");
    await run.until(() => screen.shows("3 of general is read by bob"));
    await run.until(() => screen.said.includes("[seq=3] ✓✓ alice: three"));
  });

  test("[P4] with --no-receipts nothing is confirmed", async () => {
    const machine = new Machine();
    const { screen, run } = open(machine, { receipts: false });
    await run.until(() => screen.shows("you lead"));
    const bob = machine.client("bob", 6002);
    await run.until(() => bob.events.some((e) => e.event === "started"));
    bob.service.submit("general", "one");
    await run.until(() => screen.said.at(-1) === "[seq=1] bob: one");
    bob.service.submit("general", "two");
    await run.until(() => screen.said.at(-1) === "[seq=2] bob: two");
    machine.time.runUntil(machine.time.now + 5000);
    expect(bob.events.filter((e) => e.event === "read")).toEqual([]);
  });

  test("[P2] /nick is asked for, told to all, and shown from then on", async () => {
    const { screen, run, type } = open(new Machine(), { announces: true });
    await run.until(() => screen.shows("you lead"));
    type("/nick carol\r");
    await run.until(() => screen.prompt === "carol> ▏");
    type("hi, carol\r");
    await run.until(() => screen.said.at(-1) === "[seq=1] carol: hi, carol");
    expect(screen.shows("-- you are carol now")).toBe(true);
    await run.until(() => screen.shows("carol · general"));
  });

  test("[S1] nothing is said that nobody confirmed with Enter: a paste that stalls, a tab in what was pasted", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    type("\x1b[200~one\rtwo");
    await run.until(() => screen.shows("the end of what is pasted has not come yet"));
    type("three\rfour\r");
    await run.until(() => screen.prompt.includes("four"));
    type("\x1b[201~\x15al\tice\r");
    await run.until(() => screen.said.length > 0);
    expect(screen.said).toEqual(["[seq=1] alice: al^Iice"]);
    type("\x04");
    expect(await run.ended()).toBe(0);
  });

  test("Tab completes commands, names and rooms; a wrong command gets the nearest name", async () => {
    const { screen, run, type } = open(new Machine());
    await run.until(() => screen.shows("you lead"));
    type("/histroy\r");
    await run.until(() => screen.shows("did you mean /history?"));
    type("/jo\tdev\r");
    await run.until(() => screen.shows("you talk in dev now"));
    // Names are those of messages that were shown, and a founder takes none at once.
    await run.pass(DEFAULT_TIMINGS.founding);
    type("hello\r/join gen\t");
    await run.until(() => screen.prompt === "alice> /join general ▏");
    type("\x15/le\t\r");
    await run.until(() => screen.shows("you left dev"));
    type("al\t");
    await run.until(() => screen.prompt === "alice> alice: ▏");
    type("\x15/\t");
    await run.until(() => screen.shows("/status  /peers  /who  /history"));
    expect(screen.history).toContainEqual(expect.stringMatching(/^\/read {2}.*\/secure/));
    type("\x15");
    for (let n = 0; n < 60; n++) type(`/join room${n}\rhello\r`);
    type("/leave roo\t\t");
    await run.until(() => screen.shows("… and 10 more"));
    expect(screen.shows("room49")).toBe(true);
    type("\x15\x04");
    expect(await run.ended()).toBe(0);
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

  test("[D4] where nobody sits, a full disk is a record at level error, and nothing stands beside the records", async () => {
    for (const mode of ["quiet", "json"] as const) {
      const machine = new Machine();
      const run = machine.start({ headless: true, mode, prints: false, logLevel: "info", logFormat: "json" });
      await run.until(() => run.err.includes("this peer leads"));
      const bob = machine.client("bob", 6001);
      await run.until(() => bob.events.some((e) => e.event === "started"));
      machine.disk.faults.capacity = machine.disk.paths().reduce((sum, p) => sum + machine.disk.contents(p).length, 0);
      bob.service.submit("general", "no room for this");
      await run.until(() => run.err.includes("no space left"));
      const records = run.err
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Event);
      const errors = records.filter(({ level }) => level === "error");
      expect(errors[0]).toMatchObject({ peer: 1, message: expect.stringContaining("cannot write") });
      expect(errors).toHaveLength(new Set(errors.map(({ message }) => message)).size);
      if (mode === "json") expect(run.of("error")).toHaveLength(errors.length);
      else expect(run.out).toBe("");
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
      run.signal("SIGTERM");
      await run.ended();
    }
  });

  test("at a screen between the messages, short where it is serious; whole where stderr leads elsewhere", async () => {
    for (const isTTY of [true, false]) {
      const machine = new Machine();
      const screen = new Screen();
      const run = machine.start({ mode: "terminal", port: 6002, logLevel: "warn" }, screen.output);
      Object.assign(run.error, { isTTY });
      await run.until(() => screen.shows("you lead"));
      const visitor = machine.visitor(6002, () => visitor.ask(1, { what: "nick", user: "bob" }));
      await run.until(() => screen.shows("-- warn: closed the connection") || run.err !== "");
      expect([isTTY, screen.shows("a visitor asked for a name"), run.err]).toEqual([
        ...[isTTY, isTTY],
        isTTY ? "" : expect.stringMatching(/^\S+Z warn {2}peer=1 role=leader term=1 .*a visitor asked for a name.*\n$/),
      ]);
      visitor.close();
      run.input.write("\x04");
      await run.ended();
    }
  });
});
