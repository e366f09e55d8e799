/** Links between peers on the virtual network: who is let in, what is sent first, what is given up and dialled again. */
import { describe, expect, test } from "bun:test";
import {
  CONNECTIONS_MAX,
  CONNECTIONS_PER_ADDRESS_MAX,
  DEFAULT_TIMINGS,
  DIAL_PAUSE_MIN_MS,
  DIAL_STAGGER_MS,
  PROTOCOL_VERSION,
  QUEUE_BYTES_MAX,
} from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import type { MemberKey } from "../../../src/core/ids.ts";
import type { Chat, DiskTimes, Hello, Refuse } from "../../../src/core/message.ts";
import type { Connection, ConnectionHandler, Network } from "../../../src/host/contracts.ts";
import type { LogLevel } from "../../../src/host/events.ts";
import type { Origin } from "../../../src/host/net/admission.ts";
import { Links } from "../../../src/host/net/links.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";

const { handshake, leaderTimeout, heartbeat } = DEFAULT_TIMINGS;
/** Time for what is under way, far below every deadline. */
const MOMENT_MS = 50;
/** What a connection that is being closed may linger. */
const LINGER_MS = 2000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const chat = (first: number, payload = ""): Chat => ({
  type: "CHAT",
  sender_id: 1,
  session: "s",
  first,
  messages: [{ room_id: "general", user: "u", ts: 0, payload }],
});

/** A frame that is not bulk, with a number in it. */
const control = (round: number): Frame => ({
  type: "ELECTION",
  round,
  tail: { index: 0, ballot: { term: 0, leader_id: 0, inc: "", boot: 0 } },
});

interface Node {
  readonly id: number;
  readonly port: number;
  readonly links: Links;
  readonly clock: VirtualClock;
  readonly ups: { readonly link: number; readonly hello: Hello; readonly at: number }[];
  readonly downs: { readonly link: number; readonly at: number }[];
  readonly frames: { readonly link: number; readonly frame: Frame }[];
  readonly measured: { readonly link: number; readonly roundTrip: number; readonly disk: DiskTimes }[];
  readonly refused: { readonly address: string; readonly refuse: Refuse }[];
  readonly twins: number[][];
  readonly logs: { readonly level: LogLevel; readonly message: string }[];
  readonly dials: { readonly port: number; readonly at: number }[];
  /** Connections that have not closed, and who made them. */
  readonly open: Map<Connection, "dialled" | "accepted">;
  die(): void;
}

interface NodeOptions {
  readonly port?: number;
  readonly boot?: number;
  readonly inc?: string;
  readonly judge?: (hello: Hello, from: Origin) => Refuse | null;
  readonly isMember?: (member: MemberKey) => boolean;
  readonly holds?: () => boolean;
  readonly disk?: DiskTimes;
  readonly silenceMax?: number;
  /** Names the address that the n-th accepted connection comes from. */
  readonly addressOf?: (n: number) => string;
  /** Names who is at the other side of a connection. */
  readonly identityOf?: (how: "dialled" | "accepted") => string | null;
}

class Lan {
  readonly time = new VirtualTime();
  readonly random: () => number;
  readonly virtual: VirtualNetwork;
  #nextMachine = 100;

  constructor(seed = 1) {
    this.random = seeded(seed);
    this.virtual = new VirtualNetwork(this.time, this.random);
  }

  pass(ms = MOMENT_MS): void {
    this.time.runUntil(this.time.now + ms);
  }

  passUntil(done: () => boolean, ms = 60_000): void {
    this.time.runUntil(this.time.now + ms, done);
    expect(done()).toBe(true);
  }

  node(id: number, options: NodeOptions = {}): Node {
    const port = options.port ?? 6000 + id;
    const clock = new VirtualClock(this.time, this.random);
    const attached = this.virtual.attach(id, clock);
    const lists = {
      ups: [],
      downs: [],
      frames: [],
      measured: [],
      refused: [],
      twins: [],
      logs: [],
      dials: [],
    } as unknown as Node;
    const open: Node["open"] = new Map();
    const network = watched(
      attached.network,
      open,
      options.addressOf ?? (() => "virtual"),
      options.identityOf ?? (() => null),
      (dialled) => lists.dials.push({ port: dialled, at: this.time.now }),
    );
    const { inc = `inc${id}`, boot = id } = options;
    const links = new Links({
      network,
      clock,
      self: { id, inc, boot },
      timings: DEFAULT_TIMINGS,
      hello: () => hello({ id, inc, boot, port }),
      judge: options.judge ?? (() => null),
      isMember: options.isMember ?? (() => false),
      holds: () => options.holds?.() !== false,
      disk: () => options.disk ?? { mean: 0, bound: 0 },
      silenceMax: () => options.silenceMax ?? 2 * DEFAULT_TIMINGS.leaderTimeout,
      events: {
        up: (link, theirs) => lists.ups.push({ link, hello: theirs, at: this.time.now }),
        down: (link) => lists.downs.push({ link, at: this.time.now }),
        frame: (link, frame) => lists.frames.push({ link, frame }),
        measured: (link, roundTrip, disk) => lists.measured.push({ link, roundTrip, disk }),
        goesOn: () => {},
        flow: () => {},
        refused: (address, refuse) => lists.refused.push({ address, refuse }),
        twins: (pair) => lists.twins.push(pair.map(({ boot }) => boot)),
        log: (level, message) => lists.logs.push({ level, message }),
      },
      clients: { attach: () => {}, frame: () => {}, closed: () => {} },
    });
    let listening = false;
    links.listen([{ host: "virtual", port }], (told) => {
      expect(told).toEqual({ ok: true, ports: [port] });
      listening = true;
    });
    this.passUntil(() => listening, 1);
    const die = () => {
      clock.end();
      attached.die(false);
    };
    return { ...lists, id, port, links, clock, open, die };
  }

  /** Somebody who speaks what the test says. */
  raw(port: number): Raw {
    const machine = this.#nextMachine++;
    const { network } = this.virtual.attach(machine, new VirtualClock(this.time, this.random));
    const raw = new Raw(machine);
    raw.connection = network.connect("virtual", port, raw);
    return raw;
  }

  /** A stranger who has introduced itself and is linked. */
  guest(node: Node, id: number): { raw: Raw; link: number } {
    const raw = this.raw(node.port);
    raw.say(hello({ id, inc: `guest${id}`, port: 1 }));
    this.pass();
    const up = node.ups.find((u) => u.hello.id === id);
    expect(up).toBeDefined();
    return { raw, link: up?.link ?? 0 };
  }

  /** Two nodes, the second dialled by the first, linked. */
  linked(first: NodeOptions = {}, second: NodeOptions = {}): { a: Node; b: Node } {
    const [a, b] = [this.node(1, first), this.node(2, second)];
    a.links.setTargets([{ id: 2, host: "virtual", port: b.port }]);
    this.passUntil(() => a.ups.length === 1 && b.ups.length === 1);
    return { a, b };
  }
}

class Raw implements ConnectionHandler {
  readonly machine: number;
  readonly closes: string[] = [];
  connection: Connection | null = null;
  #text = "";

  constructor(machine: number) {
    this.machine = machine;
  }

  say(what: object | string): void {
    this.connection?.write(encoder.encode(typeof what === "string" ? what : `${JSON.stringify(what)}\n`));
  }

  /** Whole lines heard. */
  get heard(): Frame[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Frame);
  }

  get refusal(): Refuse | undefined {
    return this.heard.find((frame) => frame.type === "REFUSE");
  }

  data(bytes: Uint8Array): void {
    this.#text += decoder.decode(bytes);
  }

  drain(): void {}

  close(code: string): void {
    this.closes.push(code);
  }
}

function hello(fields: Partial<Hello>): Hello {
  return {
    type: "HELLO",
    version: PROTOCOL_VERSION,
    cluster_id: "cluster",
    id: 9,
    inc: "nine",
    boot: 9,
    host: "virtual",
    port: 6009,
    ...fields,
  };
}

/** The network with its dials told, its open connections counted, and addresses for those it accepts. */
function watched(
  network: Network,
  open: Node["open"],
  addressOf: (n: number) => string,
  identityOf: (how: "dialled" | "accepted") => string | null,
  dialled: (port: number) => void,
): Network {
  let accepted = 0;
  const noting = (connection: () => Connection, handler: ConnectionHandler): ConnectionHandler => ({
    open: () => handler.open?.(),
    data: (bytes) => handler.data(bytes),
    drain: () => handler.drain(),
    close: (code) => {
      open.delete(connection());
      handler.close(code);
    },
  });
  const from = (connection: Connection, how: "dialled" | "accepted", remote: string): Connection => {
    const identity = identityOf(how);
    const renamed: Connection = {
      remote,
      identity,
      get queued() {
        return connection.queued;
      },
      write: (bytes) => connection.write(bytes),
      end: () => connection.end(),
      destroy: () => {
        open.delete(renamed);
        connection.destroy();
      },
    };
    open.set(renamed, how);
    return renamed;
  };
  return {
    listen: (host, port, accept, ready) =>
      network.listen(
        host,
        port,
        (connection) => {
          const renamed = from(connection, "accepted", addressOf(accepted++));
          const handler = accept(renamed);
          if (handler === null) open.delete(renamed);
          return handler && noting(() => renamed, handler);
        },
        ready,
      ),
    connect: (host, port, handler) => {
      dialled(port);
      const renamed: Connection = from(
        network.connect(
          host,
          port,
          noting(() => renamed, handler),
        ),
        "dialled",
        "virtual",
      );
      return renamed;
    },
  };
}

/** The newest link, and whether it stands. */
const lastLink = (node: Node) => node.ups[node.ups.length - 1]?.link ?? 0;
const isUp = (node: Node) => node.ups.length > node.downs.length;

const warnings = (node: Node) => node.logs.filter((l) => l.level === "warn").map((l) => l.message);

// ── handshake ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[W2] both sides say HELLO first, with version and boot, and then there is a link", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const raw = lan.raw(a.port);
  lan.pass();
  expect(raw.heard).toEqual([hello({ id: 1, inc: "inc1", boot: 1, port: a.port })]);
  expect(a.ups).toEqual([]);
  raw.say(hello({}));
  lan.pass();
  expect(a.ups.map((u) => u.hello)).toEqual([hello({})]);

  const b = lan.node(2);
  b.links.setTargets([{ id: 1, host: "virtual", port: a.port }]);
  lan.passUntil(() => a.ups.length === 2 && b.ups.length === 1);
  expect(b.ups[0]?.hello.boot).toBe(1);
});

test("[W2] [W4] whatever comes before HELLO closes the connection and is never handed on", () => {
  for (const first of [{ type: "PING", at: 1 }, control(1), { type: "LEAVE", id: 9, inc: "nine" }]) {
    const lan = new Lan();
    const a = lan.node(1);
    const raw = lan.raw(a.port);
    raw.say(first);
    raw.say(hello({}));
    lan.passUntil(() => raw.closes.length > 0, LINGER_MS);
    expect(raw.refusal?.code).toBe("malformed");
    expect(raw.refusal?.message).toContain(`${first.type} before HELLO`);
    expect([a.ups, a.frames]).toEqual([[], []]);
  }
});

for (const version of [0, PROTOCOL_VERSION + 1, 999_999])
  test(`[W2] version ${version} is refused with both versions named, and closed`, () => {
    const lan = new Lan();
    const a = lan.node(1);
    const raw = lan.raw(a.port);
    raw.say(hello({ version }));
    lan.passUntil(() => raw.closes.length > 0, 2 * LINGER_MS);
    expect(raw.refusal?.code).toBe("wrong-version");
    expect(raw.refusal?.message).toContain(`speaks protocol version ${PROTOCOL_VERSION}, not ${version}`);
    expect(a.ups).toEqual([]);
  });

test("[W2] a HELLO of a later version is told its version is wrong, also where its fields are not known here", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const raw = lan.raw(a.port);
  raw.say({ ...hello({ version: PROTOCOL_VERSION + 1 }), invented_later: true });
  lan.passUntil(() => raw.closes.length > 0, 2 * LINGER_MS);
  expect(raw.refusal?.code).toBe("wrong-version");
});

test("[W2] whoever judges a HELLO hears who dialled, and who the connection says is there", () => {
  const lan = new Lan();
  const heard = (said: string | null) => {
    const origins: Origin[] = [];
    const judge = (_: Hello, from: Origin) => {
      origins.push(from);
      return null;
    };
    return { origins, judge, identityOf: (how: string) => said && `${said}, ${how}` };
  };
  const [one, two, plain] = [heard("peer two"), heard("peer one"), heard(null)];
  const [a, b] = [lan.node(1, one), lan.node(2, two)];
  a.links.setTargets([{ id: 2, host: "virtual", port: b.port }]);
  lan.passUntil(() => a.ups.length === 1 && b.ups.length === 1);
  expect(one.origins).toEqual([{ dialled: true, identity: "peer two, dialled" }]);
  expect(two.origins).toEqual([{ dialled: false, identity: "peer one, accepted" }]);
  const c = lan.node(3, plain);
  c.links.setTargets([{ id: 1, host: "virtual", port: a.port }]);
  lan.passUntil(() => c.ups.length === 1);
  expect(plain.origins).toEqual([{ dialled: true, identity: null }]);
});

test("[W2] whom this peer judges against hears why, and so does this peer from the other; neither has a link", () => {
  const lan = new Lan();
  const against = (where: number): Refuse => ({
    type: "REFUSE",
    code: "wrong-cluster",
    message: `peer ${where} is of another cluster`,
    seed: "",
  });
  const a = lan.node(1, { judge: () => against(1) });
  const b = lan.node(2, { judge: () => against(2) });
  a.links.setTargets([{ id: 2, host: "virtual", port: b.port }]);
  lan.passUntil(() => a.refused.length > 0 && b.refused.length > 0, LINGER_MS);
  expect(a.refused[0]).toEqual({ address: `virtual:${b.port}`, refuse: against(2) });
  expect(b.refused[0]?.refuse).toEqual(against(1));
  lan.pass(10_000);
  expect([a.ups, b.ups]).toEqual([[], []]);
  // Whom somebody refused is tried again, but not in haste.
  expect(a.dials.length).toBeGreaterThan(3);
  expect(a.dials.length).toBeLessThan(25);
});

test("[W2] a refused peer that hangs on is closed for good soon after", () => {
  const lan = new Lan();
  const a = lan.node(1, { judge: () => ({ type: "REFUSE", code: "wrong-cluster", message: "no", seed: "" }) });
  const raw = lan.raw(a.port);
  raw.say(hello({}));
  raw.say(control(1));
  lan.passUntil(() => raw.closes.length > 0, LINGER_MS + MOMENT_MS);
  expect(raw.refusal?.message).toBe("no");
  expect(a.frames).toEqual([]);
  expect(a.open.size).toBe(0);
});

test("[W3] who has not said HELLO by the deadline is told so and closed: silent, dripping, or deaf", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const silent = lan.raw(a.port);
  const dripping = lan.raw(a.port);
  const deaf = lan.raw(a.port);
  lan.pass(10);
  lan.virtual.lines.cut(1, deaf.machine);
  const line = `${JSON.stringify(hello({}))}`;
  for (let i = 0; i < line.length; i++)
    lan.time.at((i * 2 * handshake) / line.length, () => dripping.say(line[i] as string));
  lan.pass(handshake - 10 - 2 * MOMENT_MS);
  expect([silent.closes, dripping.closes, a.open.size]).toEqual([[], [], 3]);
  lan.pass(3 * MOMENT_MS);
  for (const raw of [silent, dripping]) {
    expect(raw.refusal?.message).toContain(`no HELLO within ${handshake} ms`);
    expect(raw.closes.length).toBe(1);
  }
  // The third never hears it: nobody waits for that for long.
  lan.pass(LINGER_MS);
  expect(a.open.size).toBe(0);
  expect(a.ups).toEqual([]);
});

test("[W3] a dialled address that never says HELLO is given up at the deadline, and dialled again", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const mute = lan.virtual.attach(50, new VirtualClock(lan.time, lan.random)).network;
  mute.listen(
    "virtual",
    7000,
    () => new Raw(50),
    () => {},
  );
  lan.pass();
  a.links.setTargets([{ id: 2, host: "virtual", port: 7000 }]);
  lan.pass(handshake - MOMENT_MS);
  expect(a.dials.length).toBe(1);
  lan.passUntil(() => a.dials.length === 2, LINGER_MS + 1000);
});

test("[W3] a dialled address that does not answer at all is dialled anew at the deadline, without a pause", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const b = lan.node(2);
  lan.virtual.lines.cut(1, 2);
  a.links.setTargets([{ id: 2, host: "virtual", port: b.port }]);
  lan.pass(handshake + 2 * DIAL_PAUSE_MIN_MS);
  expect(a.dials.map((d) => Math.floor(d.at / handshake))).toEqual([0, 1]);
  lan.virtual.heal();
  lan.passUntil(() => a.ups.length === 1, 1000 + MOMENT_MS);
});

test("a peer that dials itself has no link, and does not spin", () => {
  const lan = new Lan();
  const a = lan.node(1);
  a.links.setTargets([{ id: 2, host: "virtual", port: a.port }]);
  lan.pass(10_000);
  expect(a.ups).toEqual([]);
  expect(a.dials.length).toBeGreaterThan(3);
  expect(a.dials.length).toBeLessThan(25);
});

// ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[W3] one address opens so many connections and no more; others are let in, and a place that is left is free", () => {
  const lan = new Lan();
  // The connection after those of the greedy address comes from somewhere else.
  const a = lan.node(1, { addressOf: (n) => (n === CONNECTIONS_PER_ADDRESS_MAX + 3 ? "10.0.0.2" : "10.0.0.1") });
  const raws = Array.from({ length: CONNECTIONS_PER_ADDRESS_MAX + 3 }, () => {
    const raw = lan.raw(a.port);
    lan.pass(5);
    return raw;
  });
  const shut = raws.filter((r) => r.closes.length > 0);
  expect(shut).toEqual(raws.slice(CONNECTIONS_PER_ADDRESS_MAX));
  for (const raw of shut)
    expect(JSON.stringify(raw.heard)).toContain(`${CONNECTIONS_PER_ADDRESS_MAX} connections from 10.0.0.1`);
  // Told once, however many they are.
  expect(warnings(a)).toEqual([expect.stringContaining("refused a connection from 10.0.0.1")]);
  const other = lan.raw(a.port);
  lan.pass();
  expect(other.heard.length).toBe(1);
  raws[0]?.connection?.end();
  lan.pass();
  const [late, later] = [lan.raw(a.port), lan.raw(a.port)];
  lan.pass();
  expect([late, later].flatMap((r) => r.heard.map((frame) => frame.type)).sort()).toEqual(["HELLO", "REFUSE"]);
});

test("[W3] members get in from an address that is full, and are not counted there", () => {
  const lan = new Lan();
  const a = lan.node(1, { addressOf: () => "10.0.0.1", isMember: ({ id }) => id === 2 });
  for (let i = 1; i < CONNECTIONS_PER_ADDRESS_MAX; i++) lan.raw(a.port);
  const b = lan.node(2);
  b.links.setTargets([{ id: 1, host: "virtual", port: a.port }]);
  lan.passUntil(() => a.ups.length === 1);
  const last = lan.raw(a.port);
  lan.pass();
  expect(last.heard.map((frame) => frame.type)).toEqual(["HELLO"]);
});

test("[W3] all addresses together open so many connections and no more", () => {
  const lan = new Lan();
  const a = lan.node(1, { addressOf: (n) => `10.0.0.${Math.floor(n / CONNECTIONS_PER_ADDRESS_MAX)}` });
  const raws = Array.from({ length: CONNECTIONS_MAX + 2 }, () => lan.raw(a.port));
  lan.pass();
  expect(a.open.size).toBe(CONNECTIONS_MAX);
  expect(raws.filter((r) => r.closes.length > 0).length).toBe(2);
  raws.find((r) => r.closes.length === 0)?.connection?.destroy();
  lan.pass();
  const late = lan.raw(a.port);
  lan.pass();
  expect(late.heard.length).toBe(1);
});

const MALFORMED: readonly (readonly [what: string, bytes: string, why: string])[] = [
  ["garbage", "what?\n", ""],
  ["an unknown message", '{"type":"WHAT"}\n', "unknown message"],
  ["a second HELLO", `${JSON.stringify(hello({}))}\n`, "a second HELLO"],
  ["a field too many", '{"type":"PING","at":1,"more":1}\n', "PING with a wrong"],
  ["a field of another type", '{"type":"PING","at":"1"}\n', "PING with a wrong at"],
  ["nesting without end", `{"type":"PING","at":${"[".repeat(100_000)}\n`, ""],
  ["a line without end", `{"type":"PING","at":1${" ".repeat(1_100_000)}`, "a line of more than"],
];

for (const [what, bytes, why] of MALFORMED)
  test(`[W4] ${what} closes that connection with the reason, is logged once, and harms nobody else`, () => {
    const lan = new Lan();
    const { a, b } = lan.linked();
    const before = warnings(a).length;
    const { raw, link } = lan.guest(a, 9);
    raw.say(bytes);
    // What is behind it is not looked at.
    raw.say("\n");
    raw.say(control(7));
    lan.passUntil(() => raw.closes.length > 0 && a.downs.length > 0, LINGER_MS);
    expect(raw.refusal?.code).toBe("malformed");
    expect(raw.refusal?.message).toContain(why);
    expect(warnings(a).length).toBe(before + 1);
    expect(a.downs.map((d) => d.link)).toEqual([link]);
    expect(a.frames).toEqual([]);
    b.links.send(b.ups[0]?.link ?? 0, control(1));
    lan.pass();
    expect(a.frames.map((f) => f.frame)).toEqual([control(1)]);
    expect(b.downs).toEqual([]);
  });

// ── queues ───────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[W5] control frames pass bulk that waits; bulk stays in order and arrives whole", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  const link = a.ups[0]?.link ?? 0;
  const payload = "x".repeat(60_000);
  lan.virtual.lines.cut(1, 2);
  for (let n = 1; n <= 40; n++) a.links.send(link, chat(n, payload));
  a.links.send(link, control(1));
  lan.virtual.heal();
  lan.passUntil(() => b.frames.length === 41);
  const arrived = b.frames.map(({ frame }) => (frame.type === "CHAT" ? frame.first : "control"));
  expect(arrived.filter((f) => f !== "control")).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  // 2.4 MB are there; what the connection had taken already was about 256 KiB.
  expect(arrived.indexOf("control")).toBeLessThan(7);
});

test("[R7] [S9] a reader that lets bulk pile up past the bound is dropped, and linked again when it reads", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  const link = a.ups[0]?.link ?? 0;
  const payload = "x".repeat(64_000);
  lan.virtual.lines.cut(1, 2);
  let sent = 0;
  while (a.downs.length === 0 && sent < 2 * QUEUE_BYTES_MAX) {
    a.links.send(link, chat(1, payload));
    sent += payload.length;
  }
  expect(a.downs.map((d) => d.link)).toEqual([link]);
  expect(sent).toBeGreaterThan(QUEUE_BYTES_MAX - 2 * payload.length);
  expect(sent).toBeLessThan(QUEUE_BYTES_MAX + 2 * payload.length);
  expect(warnings(a).some((w) => w.includes(`more than ${QUEUE_BYTES_MAX} bytes wait`))).toBe(true);
  lan.virtual.heal();
  lan.passUntil(() => a.ups.length === 2 && b.ups.length === 2);
});

test("[S9] [I10] who asks and asks and never reads the answers is dropped at the bound too", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const { raw, link } = lan.guest(a, 9);
  lan.virtual.lines.cut(1, raw.machine);
  // Each line is answered by one of its own length.
  const ping = `${JSON.stringify({ type: "PING", at: -1.7976931348623157e308 })}\n`;
  const many = ping.repeat(2000);
  for (let sent = 0; sent < 1.2 * QUEUE_BYTES_MAX && a.downs.length === 0; sent += many.length) {
    raw.say(many);
    lan.pass(5);
  }
  expect(a.downs.map((d) => d.link)).toEqual([link]);
});

test("a link on which nothing is heard is dead after twice the leader timeout, and made anew when the cut heals", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  lan.pass(5000);
  // Silence in between is no silence: both say that they are there.
  expect([a.downs, b.downs]).toEqual([[], []]);
  expect(a.links.roundTrip(a.ups[0]?.link ?? 0)).toBeGreaterThan(0);
  const cutAt = lan.time.now;
  lan.virtual.lines.cut(1, 2);
  lan.virtual.lines.cut(2, 1);
  lan.passUntil(() => a.downs.length === 1 && b.downs.length === 1);
  for (const { at } of [...a.downs, ...b.downs]) {
    expect(at - cutAt).toBeGreaterThan(2 * leaderTimeout - 2 * heartbeat);
    expect(at - cutAt).toBeLessThan(2 * leaderTimeout + 2 * heartbeat);
  }
  lan.virtual.heal();
  lan.passUntil(() => a.ups.length === 2 && b.ups.length === 2, handshake + LINGER_MS + 2000);
});

test("[E15] a far link is given up later, as long after its last word as it is told", () => {
  const lan = new Lan();
  const silenceMax = 5 * leaderTimeout;
  const { a } = lan.linked({ silenceMax });
  lan.pass(1000);
  const cutAt = lan.time.now;
  lan.virtual.lines.cut(2, 1);
  lan.passUntil(() => a.downs.length === 1);
  expect((a.downs[0]?.at ?? 0) - cutAt).toBeGreaterThan(silenceMax - 2 * heartbeat);
  expect((a.downs[0]?.at ?? 0) - cutAt).toBeLessThan(silenceMax + 2 * heartbeat);
});

// ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[E15] round trips are measured from the start, also where there is always something to send", () => {
  const lan = new Lan();
  const disk = { mean: 7, bound: 9 };
  const { a } = lan.linked({}, { disk });
  lan.passUntil(() => a.measured.length === 1, MOMENT_MS);
  lan.virtual.lines.slow(1, 2, 300, 300);
  lan.virtual.lines.slow(2, 1, 300, 300);
  const link = a.ups[0]?.link ?? 0;
  for (let i = 0; i < 100; i++) {
    a.links.send(link, control(i));
    lan.pass(100);
  }
  const far = a.measured.slice(2);
  expect(far.length).toBeGreaterThanOrEqual(4);
  expect(far.length).toBeLessThanOrEqual(10);
  for (const { roundTrip } of far) {
    expect(roundTrip).toBeGreaterThan(600);
    expect(roundTrip).toBeLessThan(610);
  }
  expect(far.map((m) => m.disk)).toEqual(far.map(() => disk));
});

test("[D1] [E15] who holds its directory again answers what it was asked before", () => {
  const lan = new Lan();
  const { a } = lan.linked({}, { holds: () => lan.time.now > 1000 });
  const link = a.ups[0]?.link ?? 0;
  for (let i = 0; i < 60; i++) {
    a.links.send(link, control(i));
    lan.pass(100);
  }
  expect(a.downs).toEqual([]);
  expect(a.measured.length).toBeGreaterThanOrEqual(2);
});

test("[E15] a cut is one late answer, however many questions it held back", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  lan.pass(2000);
  const before = a.measured.length;
  lan.virtual.lines.cut(1, 2);
  lan.pass(0.9 * leaderTimeout);
  lan.virtual.heal();
  lan.pass(MOMENT_MS);
  expect(a.measured.slice(before).filter((m) => m.roundTrip > heartbeat).length).toBe(1);
  expect([a.downs, b.downs]).toEqual([[], []]);
});

test("[E15] one that stood still for longer than a leader may is no far one; neither is the own process", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  lan.pass(2000);
  const slow = (node: Node) => node.measured.filter((m) => m.roundTrip > heartbeat).length;
  for (let i = 0; i < 5; i++) {
    b.clock.pause(1.5 * leaderTimeout);
    lan.pass(3 * leaderTimeout);
  }
  expect([slow(a), slow(b)]).toEqual([0, 0]);
  // What goes on is what the line is like.
  lan.virtual.lines.slow(1, 2, 2 * leaderTimeout, 2 * leaderTimeout);
  lan.passUntil(() => slow(a) > 0);
});

test("a process that was stopped for a while does not take the silence for the others' death", () => {
  const lan = new Lan();
  const a = lan.node(1);
  // A guest does not mind the silence of the other side, so that the link is this side's to give up.
  const { raw } = lan.guest(a, 9);
  lan.pass(1000);
  a.clock.pause(3 * leaderTimeout);
  lan.pass(3 * leaderTimeout + heartbeat);
  raw.say(control(1));
  lan.pass();
  expect(a.downs).toEqual([]);
  expect(a.frames.map((f) => f.frame)).toEqual([control(1)]);
  // But from then on it counts again.
  lan.passUntil(() => a.downs.length === 1, 2 * leaderTimeout + 2 * heartbeat);
});

// ── dialling ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test("an absent target is dialled for ever, less and less often down to about once a second, and told of once", () => {
  const lan = new Lan();
  const a = lan.node(1);
  a.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
  const minutes = 10;
  lan.pass(minutes * 60_000);
  const gaps = a.dials.slice(1).map((d, i) => d.at - (a.dials[i]?.at ?? 0));
  expect(gaps[0]).toBeLessThan(100);
  expect(Math.max(...gaps)).toBeLessThan(1600);
  const late = gaps.slice(10);
  expect(Math.min(...late)).toBeGreaterThan(450);
  // Not all after the same pause: two that lost each other do not knock in step.
  expect(new Set(late.map((g) => g.toFixed(0))).size).toBeGreaterThan(20);
  expect(lan.time.now - (a.dials[a.dials.length - 1]?.at ?? 0)).toBeLessThan(1600);
  expect(a.logs.filter((l) => l.message.includes("cannot reach peer 2")).length).toBe(1);
  const b = lan.node(2);
  lan.passUntil(() => a.ups.length === 1 && b.ups.length === 1, 1600);
  expect(a.logs.filter((l) => l.message.includes("reached peer 2")).length).toBe(1);
});

test("hundreds of absent targets are dialled by turns, and one that comes back by its turn", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const absent = Array.from({ length: 500 }, (_, i) => ({ id: 100 + i, host: "virtual", port: 7000 + i }));
  a.links.setTargets(absent);
  lan.pass(60_000);
  const before = a.dials.length;
  lan.pass(60_000);
  const perSecond = (a.dials.length - before) / 60;
  expect(perSecond).toBeGreaterThan(30);
  expect(perSecond).toBeLessThan(70);
  const b = lan.node(100, { port: 7000 });
  lan.pass(20_000);
  expect([a.ups.length, b.ups.length]).toEqual([1, 1]);
});

test("a link that breaks is made anew at once, not after the pauses of an earlier absence", () => {
  const lan = new Lan();
  const a = lan.node(1);
  a.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
  lan.pass(60_000);
  const first = lan.node(2);
  lan.passUntil(() => a.ups.length === 1);
  first.die();
  lan.passUntil(() => a.downs.length === 1);
  const before = a.dials.length;
  lan.passUntil(() => a.dials.length > before, 200);
});

test("a target that is wanted no more is not dialled any more", () => {
  const lan = new Lan();
  const a = lan.node(1);
  a.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
  lan.pass(5000);
  a.links.setTargets([]);
  const before = a.dials.length;
  lan.pass(20_000);
  expect(a.dials.length).toBe(before);
});

test("a peer that dialled in while its own redial was due is dialled again when that link breaks", () => {
  // The redial falls due at a random moment of the link's life.
  for (let seed = 1; seed <= 20; seed++) {
    const lan = new Lan(seed);
    const a = lan.node(1);
    a.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
    lan.pass(3000);
    const raw = lan.raw(a.port);
    raw.say(hello({ id: 2, port: 6002 }));
    lan.pass(2500);
    expect(a.ups.length).toBe(1);
    raw.connection?.end();
    lan.passUntil(() => a.downs.length === 1);
    const before = a.dials.length;
    lan.passUntil(() => a.dials.length > before, 2000);
  }
});

test("[M8] a peer that came back on a new address is dialled there, whatever the target says", () => {
  const lan = new Lan();
  const { a, b: old } = lan.linked();
  old.die();
  lan.passUntil(() => a.downs.length === 1);
  const moved = lan.node(2, { port: 7002, boot: 3 });
  moved.links.setTargets([{ id: 1, host: "virtual", port: a.port }]);
  lan.passUntil(() => a.ups.length === 2);
  expect(a.ups[1]?.hello.port).toBe(7002);
  // The new one stops dialling, and the connection breaks: now the first must find it.
  moved.links.setTargets([]);
  const before = a.dials.length;
  lan.virtual.lines.cut(1, 2);
  lan.virtual.lines.cut(2, 1);
  lan.passUntil(() => a.downs.length === 2 && moved.downs.length === 1);
  lan.virtual.heal();
  lan.passUntil(() => a.ups.length === 3, handshake + LINGER_MS + 2000);
  expect(new Set(a.dials.slice(before).map((d) => d.port))).toEqual(new Set([7002]));
});

test("[M8] all addresses of one peer are dialled, one after the other, until one of them leads to it", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const places = [6002, 7002, 8002].map((port) => ({ id: 2, host: "virtual", port }));
  a.links.setTargets(places);
  lan.pass(10_000);
  for (const { port } of places) expect(a.dials.filter((d) => d.port === port).length).toBeGreaterThan(5);
  const b = lan.node(2, { port: 8002 });
  lan.passUntil(() => a.ups.length === 1 && b.ups.length === 1, 1600);
  const before = a.dials.length;
  lan.pass(10_000);
  expect(a.dials.length).toBe(before);
});

test("[M8] an address that does not answer at all does not hold up the others", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const b = lan.node(2);
  const mute = lan.virtual.attach(50, new VirtualClock(lan.time, lan.random)).network;
  mute.listen(
    "virtual",
    7000,
    () => new Raw(50),
    () => {},
  );
  lan.pass();
  a.links.setTargets([
    { id: 2, host: "virtual", port: 7000 },
    { id: 2, host: "virtual", port: b.port },
  ]);
  lan.passUntil(() => a.ups.length === 1, DIAL_STAGGER_MS + MOMENT_MS);
  // Two that answer are not dialled at once: of two connections with one process only one is of use.
  const c = lan.node(3);
  a.links.setTargets([6003, 6003].map((port, i) => ({ id: 3, host: `name${i}`, port })));
  lan.passUntil(() => a.ups.length === 2 && c.ups.length === 1);
  lan.pass(5000);
  expect(a.dials.filter((d) => d.port === c.port).length).toBe(1);
});

test("[M8] where somebody else answers who is linked nobody is looked for, until that link is over", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const b = lan.node(2);
  // Peer 3 is wanted where peer 2 listens.
  a.links.setTargets([3, 2].map((id) => ({ id, host: "virtual", port: b.port })));
  lan.passUntil(() => a.ups.length === 1);
  lan.pass();
  const before = a.dials.length;
  lan.pass(20_000);
  expect(a.dials.length).toBe(before);
  expect(a.downs).toEqual([]);
  expect(a.logs.filter((l) => l.message.includes(`peer 2 answers at virtual:${b.port}`)).length).toBe(1);
  b.die();
  lan.passUntil(() => a.downs.length === 1);
  const c = lan.node(3, { port: b.port });
  lan.passUntil(() => a.ups.some((up) => up.hello.id === 3) && c.ups.length === 1, 1600);
});

test("[M8] the address in a HELLO that was refused is not dialled", () => {
  const lan = new Lan();
  const a = lan.node(1, {
    judge: (theirs) =>
      theirs.cluster_id === "cluster" ? null : { type: "REFUSE", code: "wrong-cluster", message: "no", seed: "" },
  });
  a.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
  const raw = lan.raw(a.port);
  raw.say(hello({ id: 2, cluster_id: "another", port: 7666 }));
  lan.pass(5000);
  expect(raw.refusal?.code).toBe("wrong-cluster");
  expect(new Set(a.dials.map((d) => d.port))).toEqual(new Set([6002]));
});

test("the same directory in a new process is a new link, and the old one is down first", () => {
  const lan = new Lan();
  const a = lan.node(1);
  const old = lan.raw(a.port);
  old.say(hello({ boot: 1 }));
  lan.pass();
  const fresh = lan.raw(a.port);
  fresh.say(hello({ boot: 2 }));
  lan.pass();
  expect(a.ups.map((u) => u.hello.boot)).toEqual([1, 2]);
  expect(a.downs.map((d) => d.link)).toEqual([a.ups[0]?.link ?? 0]);
  a.links.send(a.ups[1]?.link ?? 0, control(3));
  lan.pass();
  expect(fresh.heard.some((f) => f.type === "ELECTION")).toBe(true);
  expect(old.heard.some((f) => f.type === "ELECTION")).toBe(false);
});

describe("[E16] two processes of one member", () => {
  /** Answers whatever it has been asked and has not answered yet. */
  const answers = (...raws: Raw[]) => {
    for (const raw of raws)
      for (const { type, at } of raw.heard.filter((f) => f.type === "PING"))
        if (type === "PING") raw.say({ type: "PONG", at });
  };
  const met = () => {
    const lan = new Lan();
    const a = lan.node(1);
    const [low, high] = [1, 2].map((boot) => {
      const raw = lan.raw(a.port);
      raw.say(hello({ boot, port: 6000 + boot }));
      lan.pass();
      return raw;
    }) as [Raw, Raw];
    return { lan, a, low, high };
  };

  test("that both answer are twins: each is refused and told of the other", () => {
    const { lan, a, low, high } = met();
    answers(low, high);
    lan.pass();
    expect(a.twins).toEqual([[1, 2]]);
    expect(low.refusal).toMatchObject({ code: "twins", twin: { boot: 2, host: "virtual", port: 6002 } });
    expect(high.refusal).toMatchObject({ code: "twins", twin: { boot: 1, host: "virtual", port: 6001 } });
    expect(a.downs.length).toBe(2);
    for (const boot of [1, 2]) {
      const again = lan.raw(a.port);
      again.say(hello({ boot }));
      lan.pass();
      expect(again.refusal?.code).toBe("twins");
    }
    // Somebody has decided, and started one of them again.
    expect(a.links.twins.length).toBe(1);
    lan.raw(a.port).say(hello({ boot: 3 }));
    lan.pass();
    expect(a.ups.map((u) => u.hello.boot)).toEqual([1, 2, 3]);
    expect(a.links.twins).toEqual([]);
  });

  test("of which one was asked before the other was known are none, as long as they have not answered since", () => {
    const { lan, a, low, high } = met();
    const [asked] = low.heard.filter((f) => f.type === "PING");
    low.say({ type: "PONG", at: asked?.type === "PING" ? asked.at : 0 });
    answers(high);
    lan.pass();
    expect(a.twins).toEqual([]);
  });

  test("of which the old one is dead, and its connection open, are a restart", () => {
    const { lan, a, low, high } = met();
    for (let passed = 0; passed < 10_000; passed += 250) {
      lan.pass(250);
      answers(high);
    }
    expect(a.twins).toEqual([]);
    expect(low.closes.length).toBe(1);
    expect(a.ups.length).toBe(2);
    expect(a.downs.length).toBe(1);
  });

  test("of which the old one greets late, being dead, leave the link with the new one", () => {
    const { lan, a, high } = met();
    const late = lan.raw(a.port);
    late.say(hello({ boot: 1 }));
    lan.pass();
    answers(high);
    lan.pass();
    expect(a.ups.length).toBe(2);
    expect(a.downs.length).toBe(1);
    expect(a.twins).toEqual([]);
  });

  test("of which the newer one is dead: the older one is let go, comes back, and is let in", () => {
    const { lan, a, high } = met();
    const old = lan.raw(a.port);
    old.say(hello({ boot: 1 }));
    lan.pass();
    high.connection?.destroy();
    lan.pass();
    expect(old.closes.length).toBe(1);
    lan.raw(a.port).say(hello({ boot: 1 }));
    lan.pass();
    expect(a.ups.map((u) => u.hello.boot)).toEqual([1, 2, 1]);
  });

  test("of which one is this very process: it is told as well", () => {
    const lan = new Lan();
    const a = lan.node(1, { boot: 4 });
    const raw = lan.raw(a.port);
    raw.say(hello({ id: 1, inc: "inc1", boot: 3 }));
    lan.pass();
    expect([a.twins, a.ups]).toEqual([[], []]);
    answers(raw);
    lan.pass();
    expect(a.twins).toEqual([[4, 3]]);
    expect(raw.refusal?.twin?.boot).toBe(4);
  });

  const seen = { type: "TWINS", id: 2, inc: "two" } as const;
  const at = [1, 2].map((boot) => ({ boot, host: "virtual", port: 6000 + boot }));

  test("are told to whoever is linked, and to whoever comes later", () => {
    const { lan, a, low, high } = met();
    const early = lan.raw(a.port);
    early.say(hello({ id: 3, inc: "three" }));
    lan.pass();
    answers(low, high);
    lan.pass();
    const late = lan.raw(a.port);
    late.say(hello({ id: 4, inc: "four" }));
    lan.pass();
    for (const raw of [early, late])
      expect(raw.heard.filter((f) => f.type === "TWINS")).toEqual([{ ...seen, id: 9, inc: "nine", at }]);
  });

  test("that a member has seen are refused, told of each other and told on; a stranger is not believed", () => {
    const lan = new Lan();
    const a = lan.node(1, { isMember: ({ id }) => id !== 9 });
    const [twin, member, stranger] = [2, 3, 9].map((id) => {
      const raw = lan.raw(a.port);
      raw.say(hello({ id, inc: `of${id}`, boot: 1 }));
      lan.pass();
      return raw;
    }) as [Raw, Raw, Raw];
    const said = { ...seen, inc: "of2", at };
    stranger.say(said);
    lan.pass();
    expect(a.twins).toEqual([]);
    for (let times = 0; times < 2; times++) member.say(said);
    lan.pass();
    expect(a.twins).toEqual([[1, 2]]);
    expect(twin.refusal).toMatchObject({ code: "twins", twin: { boot: 2 } });
    expect(stranger.heard.filter((f) => f.type === "TWINS")).toEqual([said]);
  });

  test("of a member that was started again since are no news, and make this very process none of them", () => {
    const lan = new Lan();
    const a = lan.node(1, { boot: 5, isMember: () => true });
    const raw = lan.raw(a.port);
    raw.say(hello({ id: 3, inc: "three" }));
    const again = lan.raw(a.port);
    again.say(hello({ id: 2, inc: "two", boot: 3 }));
    lan.pass();
    raw.say({ ...seen, at });
    raw.say({ ...seen, id: 1, inc: "inc1", at });
    lan.pass();
    expect(a.twins).toEqual([]);
    raw.say({ ...seen, id: 1, inc: "inc1", at: [{ boot: 5, host: "virtual", port: 6001 }, ...at.slice(1)] });
    lan.pass();
    expect(a.twins).toEqual([[5, 2]]);
  });

  test("[D1] whose directory is another's by now does not say that it lives", () => {
    const lan = new Lan();
    const raw = lan.raw(lan.node(1, { holds: () => false }).port);
    raw.say(hello({}));
    raw.say({ type: "PING", at: 1 });
    lan.pass();
    expect(raw.heard.map((f) => f.type)).not.toContain("PONG");
  });
});

test("two that dial each other settle on one connection and one link, dialled by the higher id; no frame is lost", () => {
  let crossings = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const lan = new Lan(seed);
    const [a, b] = [lan.node(1), lan.node(2)];
    a.links.setTargets([{ id: 2, host: "virtual", port: b.port }]);
    lan.pass(lan.random() * 8);
    b.links.setTargets([{ id: 1, host: "virtual", port: a.port }]);
    // Each speaks as soon as it can, through whatever connection it has.
    const said = { a: 0, b: 0 };
    for (let i = 0; i < 100; i++) {
      lan.pass(0.5);
      if (isUp(a)) a.links.send(lastLink(a), control(++said.a));
      if (isUp(b)) b.links.send(lastLink(b), control(++said.b));
    }
    lan.pass(LINGER_MS);
    if (a.dials.length + b.dials.length === 2) crossings += 1;
    expect([isUp(a), isUp(b)]).toEqual([true, true]);
    // The end of the one may overtake the HELLO of the other: a link that goes then is back at once, and no third is made.
    expect([a.downs.length, b.downs.length].every((n) => n <= 1)).toBe(true);
    expect([[...a.open.values()], [...b.open.values()]]).toEqual(
      b.dials.length > 0 ? [["accepted"], ["dialled"]] : [["dialled"], ["accepted"]],
    );
    const rounds = (node: Node) =>
      node.frames.map(({ frame }) => (frame.type === "ELECTION" ? frame.round : 0)).sort((x, y) => x - y);
    expect(rounds(b)).toEqual(Array.from({ length: said.a }, (_, i) => i + 1));
    expect(rounds(a)).toEqual(Array.from({ length: said.b }, (_, i) => i + 1));
    // And nobody dials on: the link is there.
    const dialled = a.dials.length + b.dials.length;
    lan.pass(5000);
    expect(a.dials.length + b.dials.length).toBe(dialled);
  }
  // Otherwise nothing was tried here.
  expect(crossings).toBeGreaterThan(10);
});

test("close ends every connection after what was sent, stops dialling, and frees the port", () => {
  const lan = new Lan();
  const { a, b } = lan.linked();
  a.links.setTargets([
    { id: 2, host: "virtual", port: b.port },
    { id: 3, host: "virtual", port: 6003 },
  ]);
  lan.pass(1000);
  lan.virtual.lines.cut(1, 2);
  for (let n = 1; n <= 20; n++) a.links.send(lastLink(a), chat(n, "x".repeat(60_000)));
  a.links.close();
  const before = a.dials.length;
  lan.pass(LINGER_MS / 2);
  lan.virtual.heal();
  lan.pass(10_000);
  expect(b.frames.map(({ frame }) => frame.type === "CHAT" && frame.first)).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect([b.downs.length, a.open.size, b.open.size]).toEqual([1, 0, 0]);
  expect(a.dials.length).toBe(before);
  lan.node(4, { port: a.port });
});
