/**
 * What passes a reader passes every writer [W7]: members and clients that say anything the schemas take, made of what they
 * have heard and of what is largest, end nobody's process: an assertion there would be thrown out of the virtual time.
 */
import { expect, test } from "bun:test";
import { AssertionError } from "../../src/core/assert.ts";
import type { Attach, Attached, Tell } from "../../src/core/client-frames.ts";
import {
  CLIENT_SESSION_CHARS,
  NOTICE_CHARS_MAX,
  PROTOCOL_VERSION,
  TERM_MAX,
  VOTERS_MAX,
} from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import { NO_BALLOT } from "../../src/core/ids.ts";
import type { Entry } from "../../src/core/log-entry.ts";
import type { CatchupResp, Heartbeat, Hello, SeqChat } from "../../src/core/message.ts";
import type { Told } from "../../src/core/reports.ts";
import type { Connection, ConnectionHandler } from "../../src/host/contracts.ts";
import type { Host } from "../../src/host/host.ts";
import { VirtualClock } from "../../src/sim/virtual-time.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { sealEntry } from "../../src/wire/entry.ts";
import { FRAMES, type FrameType } from "../../src/wire/schemas.ts";
import { KINDS, Sampler } from "../wire/samples.ts";
import { Cluster, type Run, say } from "./virtual-cluster.ts";

/** By clients. */
const ASKED: readonly FrameType[] = ["ASK", "ASK", "CHAT", "CATCHUP_REQ", "PING", "PONG"];
/** Behind a greeting. */
const SPOKEN = (Object.keys(FRAMES) as FrameType[]).filter(
  (type) => type !== "HELLO" && type !== "ATTACH" && type !== "REFUSE",
);

/** Values of frames, by kind: what a hostile one has heard, and what is awkward in any case. */
class Hearsay {
  readonly numbers = [0, 1, 2, 3, 2 ** 31, 2 ** 48, TERM_MAX, Number.MAX_SAFE_INTEGER];
  readonly texts = ["", "general", "user1", "x", '"'.repeat(64), "a".repeat(64), "h".repeat(255)];
  readonly objects: object[] = [];
  readonly #sampler: Sampler;

  constructor(sampler: Sampler) {
    this.#sampler = sampler;
  }

  hear(value: unknown): void {
    if (typeof value === "number") keep(this.numbers, value);
    else if (typeof value === "string") keep(this.texts, value);
    else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
      if (!Array.isArray(value)) keep(this.objects, value);
      for (const inner of Object.values(value)) this.hear(inner);
    }
  }

  /** The value with some of its parts replaced by others of their kind. */
  twist(value: unknown): unknown {
    const sampler = this.#sampler;
    if (sampler.below(10) < 4)
      return Array.isArray(value) ? value.map((inner) => this.twist(inner)) : this.#parts(value);
    if (typeof value === "number") return sampler.pick(this.numbers) + sampler.pick([0, 0, 1, -1]);
    if (typeof value === "string") return sampler.pick(this.texts);
    if (typeof value === "boolean") return sampler.below(2) === 0;
    return this.#parts(value);
  }

  #parts(value: unknown): unknown {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map((inner) => this.twist(inner));
    const names = Object.keys(value).sort().join();
    const alike = this.objects.filter((other) => Object.keys(other).sort().join() === names);
    if (alike.length > 0 && this.#sampler.below(2) === 0) return this.#sampler.pick(alike);
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.twist(inner)]));
  }
}

function keep<T>(list: T[], value: T): void {
  if (list.includes(value)) return;
  if (list.length > 300) list.splice(20, 100);
  list.push(value);
}

/** Somebody who speaks as a peer, or to one as its client, and hears what is answered. */
class Hostile {
  readonly #cluster: Cluster;
  readonly #hearsay: Hearsay;
  readonly #clock: VirtualClock;
  readonly heard: Frame[] = [];

  constructor(cluster: Cluster, hearsay: Hearsay) {
    this.#cluster = cluster;
    this.#hearsay = hearsay;
    this.#clock = new VirtualClock(cluster.time, cluster.random);
  }

  /** Greets, and says all of it; what cannot be framed is left out. */
  dial(port: number, greeting: Frame, frames: readonly Frame[]): void {
    const { network } = this.#cluster.network.attach(0, this.#clock);
    const decoder = new FrameDecoder();
    const connection = network.connect("virtual", port, {
      open: () => {
        for (const piece of bytesOf(greeting)) connection.write(piece);
        // By then whoever is let in is served.
        this.#cluster.time.at(this.#cluster.time.now + 600, () => {
          for (const piece of frames.flatMap(bytesOf)) connection.write(piece);
        });
      },
      data: (bytes) => {
        decoder.push(bytes);
        for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
          this.heard.push(frame);
          this.#hearsay.hear(frame);
        }
      },
      drain: () => {},
      close: () => {},
    });
    this.#cluster.time.at(this.#cluster.time.now + 3000, () => connection.destroy());
  }

  /** Greets whoever comes, and answers each of its frames. */
  listen(port: number, greeting: readonly Frame[], answer: (frame: Frame) => readonly Frame[]): void {
    const { network } = this.#cluster.network.attach(0, this.#clock);
    const accept = (connection: Connection): ConnectionHandler => {
      const decoder = new FrameDecoder();
      const write = (frames: readonly Frame[]) => {
        for (const piece of frames.flatMap(bytesOf)) connection.write(piece);
      };
      write(greeting);
      const data = (bytes: Uint8Array) => {
        decoder.push(bytes);
        for (let frame = decoder.next(); frame !== null; frame = decoder.next()) write(answer(frame));
      };
      return { data, drain: () => {}, close: () => {} };
    };
    network.listen("virtual", port, accept, () => {});
  }
}

function bytesOf(frame: Frame): Uint8Array[] {
  try {
    return encodeFrame(frame);
  } catch (error) {
    if (error instanceof AssertionError) return [];
    throw error;
  }
}

const ATTACH: Attach = {
  ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id: null, user: "mallory", room_id: "general" },
  ...{ session: "s".repeat(CLIENT_SESSION_CHARS), sender_id: 0, seen: 0 },
};
const STRANGER: Hello = {
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 900, inc: "stranger", boot: 1 },
  ...{ host: "virtual", port: 1 },
};

/** A frame that can be framed. */
function anyFrame(sampler: Sampler, hearsay: Hearsay, types: readonly FrameType[]): Frame {
  for (;;) {
    const type = sampler.pick(types);
    const { entries: _, ...whole } = sampler.frame(type, 0) as Frame & { entries?: unknown };
    const twisted = { ...(hearsay.twist({ ...whole, type: undefined }) as object), type } as Frame;
    const frame = type === "SEQ_CHAT" || type === "CATCHUP_RESP" ? withEntries(sampler, hearsay, twisted) : twisted;
    if (bytesOf(frame).length > 0) return frame;
  }
}

/** Entries that continue what the header says, mostly under its ballot. */
function withEntries(sampler: Sampler, hearsay: Hearsay, header: Frame): Frame {
  const { prev_index, prev_crc, ballot } = header as SeqChat;
  const entries: Entry[] = [];
  let crc = prev_crc;
  for (let i = sampler.below(4); i > 0; i--) {
    const { chunk, start, end, kind, ...plain } = sampler.entry(sampler.pick(KINDS));
    const twisted = hearsay.twist(plain) as Omit<Entry, "chunk" | "start" | "end" | "kind">;
    const of = ballot !== null && sampler.below(4) > 0 ? ballot : null;
    const entry: Entry = { ...twisted, ...of, index: prev_index + 1 + entries.length, kind, chunk, start, end };
    try {
      sealEntry(entry, crc);
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      continue;
    }
    crc = entry.crc;
    entries.push(entry);
  }
  return { ...header, entries } as Frame;
}

/** Three peers whose segments end after few entries, so that checkpoints are written, and a client of the first. */
function attacked(seed: number) {
  const sampler = new Sampler(seed);
  const hearsay = new Hearsay(sampler);
  const cluster = Cluster.formed({ segments: { entries: 4, bytes: 100_000 } }, seed);
  const eve = cluster.attached("eve", 1);
  return { sampler, hearsay, cluster, eve, hostile: new Hostile(cluster, hearsay) };
}

/** Everything that makes a peer write something: messages, answers, reports. */
function use({ cluster, eve }: Pick<ReturnType<typeof attacked>, "cluster" | "eve">, round: number): void {
  say(cluster.peers.get(1) as Run<Host>, `round ${round}`);
  eve.service.submit("general", `eve ${round}`);
  for (const what of ["status", "who", "rooms"] as const) eve.service.ask({ what }, () => {});
  eve.service.ask({ what: "history", room_id: "general", count: 5, text: "" }, () => {});
  eve.service.ask({ what: "confirmations", room_id: "general" }, () => {});
  cluster.pass(1500);
}

const ROUNDS = 8;
const SEEDS = Array.from({ length: 3 }, (_, i) => i + 1);

test("[W7] [W4] whatever the frames of a member hold, its cluster takes or refuses it, and every writer can write it", () => {
  let promised = 0;
  for (const seed of SEEDS) {
    const { sampler, hearsay, cluster, eve, hostile } = attacked(seed);
    const victim = sampler.pick([2, 3]);
    hostile.dial(6000 + victim, STRANGER, []);
    cluster.pass(500);
    const as = hostile.heard.find((frame): frame is Hello => frame.type === "HELLO") as Hello;
    cluster.kill(victim);
    for (let round = 0; round < ROUNDS; round++) {
      const frames = Array.from({ length: 12 }, () => anyFrame(sampler, hearsay, SPOKEN));
      for (const peer of [1, 2, 3]) if (peer !== victim) hostile.dial(6000 + peer, as, frames);
      use({ cluster, eve }, round);
    }
    if (cluster.status(1).term > 100) promised += 1;
  }
  // They were listened to: terms that no election of theirs has made.
  expect(promised).toBeGreaterThan(SEEDS.length / 4);
}, 60_000);

test("[W7] [W4] whatever a client says, its peer answers or hangs up", () => {
  let answered = 0;
  for (const seed of SEEDS) {
    const { sampler, hearsay, cluster, eve, hostile } = attacked(seed);
    for (let round = 0; round < ROUNDS; round++) {
      for (const peer of [1, 2, 3]) {
        const { user, room_id, session, seen } = anyFrame(sampler, hearsay, ["ATTACH"]) as Attach;
        const greeting = {
          ...ATTACH,
          user: sampler.pick([ATTACH.user, user]),
          room_id,
          session,
          seen: sampler.pick([0, 3, seen]),
        };
        hostile.dial(
          6000 + peer,
          greeting,
          Array.from({ length: 8 }, () => anyFrame(sampler, hearsay, ASKED)),
        );
      }
      use({ cluster, eve }, round);
    }
    answered += hostile.heard.filter(({ type }) => type === "TELL" || type === "CATCHUP_RESP").length;
  }
  expect(answered).toBeGreaterThan(10 * SEEDS.length);
}, 60_000);

test("[W7] [W4] whatever a peer tells its client, that takes it or goes elsewhere", () => {
  let attached = 0;
  for (const seed of SEEDS) {
    const { sampler, hearsay, cluster, hostile } = attacked(seed);
    hostile.dial(6001, STRANGER, []);
    cluster.pass(500);
    const as = hostile.heard.find((frame): frame is Hello => frame.type === "HELLO") as Hello;
    const any = <T extends Frame>(type: FrameType) => anyFrame(sampler, hearsay, [type]) as T;
    let wild = true;
    hostile.listen(6009, [as], (frame) => {
      hearsay.hear(frame);
      const more = wild ? [anyFrame(sampler, hearsay, SPOKEN)] : [];
      switch (frame.type) {
        case "ATTACH":
          return [{ ...any<Attached>("ATTACHED"), commit: { index: 3, ballot: NO_BALLOT } }, ...more];
        case "ASK":
          return [{ ...any<Tell>("TELL"), request: frame.request }, ...more];
        case "CATCHUP_REQ":
          return [
            withEntries(sampler, hearsay, { ...any<CatchupResp>("CATCHUP_RESP"), prev_index: frame.after.index }),
          ];
        case "CHAT":
          return [any<Frame>("CHAT_ACK"), ...more];
        default:
          return more;
      }
    });
    for (let round = 0; round < ROUNDS; round++) {
      wild = round % 2 === 0;
      const mallory = cluster.client("mallory", 9, sampler.pick([null, 1]));
      mallory.service.submit("general", "hello");
      for (const what of ["status", "who", "rooms"] as const) mallory.service.ask({ what }, () => {});
      cluster.pass(1500);
      if (mallory.events.some(({ event }) => event === "started")) attached += 1;
      mallory.die();
    }
  }
  expect(attached).toBeGreaterThan(SEEDS.length);
}, 60_000);

test("[W7] words that name a thousand members are cut to what a frame holds", () => {
  const { cluster, eve, hostile } = attacked(1);
  for (const [id, greeting] of [
    [2, STRANGER],
    [3, STRANGER],
  ] as const)
    hostile.dial(6000 + id, greeting, []);
  cluster.pass(500);
  const [second, third] = [2, 3].map((id) => hostile.heard.find((f) => f.type === "HELLO" && f.id === id)) as Hello[];
  cluster.kill(2);
  // As the second it hears what the leader says, and as the leader it says that there are a thousand voters.
  hostile.dial(6003, second as Hello, []);
  cluster.pass(1000);
  const heartbeat = hostile.heard.findLast((f): f is Heartbeat => f.type === "HEARTBEAT") as Heartbeat;
  const { ballot, prev_index, prev_ballot, prev_crc } = heartbeat;
  const voters = Array.from({ length: 1000 }, (_, i) => ({
    ...{ id: i + 1, inc: "a", host: "h".repeat(255), port: 1, role: "voter" as const },
  }));
  const data = { members: voters, prev_voters: [] };
  const config: Entry = { ...new Sampler(1).entry("config"), ...ballot, index: prev_index + 1, data };
  sealEntry(config, prev_crc);
  cluster.kill(3);
  const entries = [config];
  hostile.dial(6001, third as Hello, [
    { type: "SEQ_CHAT", ballot, prev_index, prev_ballot, prev_crc, commit: prev_index, entries },
  ]);
  cluster.pass(5000);
  const told: Told[] = [];
  eve.service.ask({ what: "status" }, (answer) => told.push(answer));
  cluster.pass(1000);
  const waiting = cluster.status(1).waiting;
  expect(waiting?.message.length).toBeLessThanOrEqual(NOTICE_CHARS_MAX);
  expect(waiting?.message).toContain("; and 990 more. Start peer 1, ");
  const [status] = told;
  expect(status?.event === "status" && status.waiting).toEqual(waiting);
  expect(waiting?.peers).toHaveLength(2 * VOTERS_MAX);
});
