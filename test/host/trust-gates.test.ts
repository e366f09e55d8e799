/** [A1] [A3] Plain or secured belongs to the cluster: what a start refuses, and who is spoken with where keys are proven. */
import { expect, test } from "bun:test";
import { PROTOCOL_VERSION, STRANGER_BYTES_MAX } from "../../src/core/config.ts";
import type { Hello, Refuse } from "../../src/core/message.ts";
import type { Host } from "../../src/host/host.ts";
import type { HostOptions } from "../../src/host/host-contract.ts";
import { HostError } from "../../src/host/store/unusable.ts";
import { VirtualClock } from "../../src/sim/virtual-time.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { type Invitation, pinOf } from "../../src/wire/invitation.ts";
import { Cluster, type Run, told } from "./virtual-cluster.ts";
import { keyOf, secretOf } from "./virtual-trust.ts";

const encoder = new TextEncoder();
const run = (cluster: Cluster, id: number) => cluster.peers.get(id) as Run<Host>;
const words = (cluster: Cluster, id: number) =>
  told(run(cluster, id)).map(({ code, message }) => `${code}: ${message}`);
const reason = (cluster: Cluster, id: number) =>
  run(cluster, id)
    .stops.map((stopped) => stopped.reason)
    .join();

/** A secured cluster of one. */
function founded(): Cluster {
  const cluster = new Cluster();
  cluster.start(1, { secured: true }, "one");
  cluster.until(() => cluster.status(1).role === "leader");
  return cluster;
}

/** To a cluster that nobody is in, by whoever listens on a port and has a key. */
function invitation(port: number, key: string, cluster_id = "elsewhere"): Invitation {
  return {
    ...{ role: "member", cluster_id, secret: secretOf("guessed") },
    addresses: [{ id: 1, host: "virtual", port, pin: pinOf(keyOf(key)) }],
  };
}

/** A connection of somebody who says what he likes; `key`: undefined for one in the clear. */
class Raw {
  said = "";
  closed: string | null = null;
  readonly #connection;

  constructor(cluster: Cluster, port: number, key?: string | null) {
    const attached = cluster.network.attach(80, new VirtualClock(cluster.time, cluster.random));
    const network = key === undefined ? attached.network : attached.secured(key && keyOf(key));
    this.#connection = network.connect("virtual", port, {
      data: (bytes) => {
        this.said += new TextDecoder().decode(bytes);
      },
      drain() {},
      close: (code) => {
        this.closed = code;
      },
    });
  }

  say(...pieces: readonly (string | readonly Uint8Array[])[]): void {
    for (const piece of pieces)
      for (const bytes of typeof piece === "string" ? [encoder.encode(piece)] : piece) this.#connection.write(bytes);
  }

  get frames(): { readonly type: string }[] {
    return this.said
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  get refusal(): Partial<Refuse> {
    return this.frames.find((frame): frame is Refuse => frame.type === "REFUSE") ?? {};
  }
}

function hello(own: Partial<Hello> = {}): readonly Uint8Array[] {
  return encodeFrame({
    ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 7, inc: "seven", boot: 1 },
    ...{ host: "virtual", port: 6007 },
    ...own,
  });
}

function refused(options: Partial<HostOptions>, cluster = new Cluster()): string {
  try {
    cluster.start(1, options, "one");
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
  return "";
}

// ── what a start refuses ─────────────────────────────────────────────────────────────────────────────────────────────

test("[A1] a plain cluster is not reached from other machines, unless somebody says so at each start", () => {
  expect(refused({})).toContain("at virtual:6001 anybody could read and write in it: say --secure, or --insecure");
  expect(refused({ host: "127.0.0.1" })).toBe("");
  expect(refused({ host: "127.0.0.1", alsoListensAt: [{ host: "10.0.0.1", port: 1 }] })).toContain("at 10.0.0.1:1");
  expect(refused({ seeds: [{ id: 2, host: "virtual", port: 6002 }] })).toContain(
    "ask a member for one (/invite member)",
  );
  const cluster = new Cluster();
  expect(refused({ insecure: true }, cluster)).toBe("");
  cluster.until(() => cluster.status(1).role === "leader");
  expect(words(cluster, 1).find((text) => text.startsWith("insecure"))).toContain(
    "whoever reaches virtual:6001 can read",
  );
  cluster.kill(1);
  expect(refused({}, cluster)).toContain("the data directory belongs to a plain cluster");
  expect(refused({ secured: true, host: "::1" }, cluster)).toContain("say /secure when all its peers are here");
});

test("[A1] a directory stays secured, and proves its key at each start", () => {
  const cluster = founded();
  expect(words(cluster, 1)).toContainEqual(expect.stringMatching(/^founded: founded secured cluster .*\/invite$/));
  cluster.kill(1);
  cluster.start(1, {}, "one");
  cluster.until(() => cluster.status(1).role === "leader");
  cluster.kill(1);
  expect(() => cluster.start(1)).toThrow("this program cannot prove keys");
});

test("[A1] an invitation to another cluster does not move a directory", () => {
  const cluster = founded();
  cluster.kill(1);
  expect(refused({ invitation: invitation(6009, "nine") }, cluster)).toContain(
    "and the invitation is to cluster elsewhere",
  );
});

// ── who is spoken with ───────────────────────────────────────────────────────────────────────────────────────────────

test("[A3] whoever speaks in the clear where keys are proven is told so in one line, and a joiner ends with that", () => {
  const cluster = founded();
  const raw = new Raw(cluster, 6001);
  raw.say(hello());
  cluster.until(() => raw.closed !== null);
  expect(raw.said.split("\n").length).toBe(2);
  expect(raw.refusal.code).toBe("needs-tls");
  cluster.start(2, { insecure: true }, "two");
  cluster.until(() => run(cluster, 2).stops.length > 0);
  expect(reason(cluster, 2)).toContain("this cluster is secured");
});

test("[A3] whom an invitation names and who speaks in the clear, or has another key, hears nothing", () => {
  const cluster = new Cluster();
  cluster.start(1, { insecure: true }, "one");
  cluster.until(() => cluster.status(1).role === "leader");
  cluster.start(2, { seeds: [], invitation: invitation(6001, "one") }, "two");
  cluster.until(() => run(cluster, 2).stops.length > 0);
  expect(reason(cluster, 2)).toContain(
    "nothing was said to peer 1 at virtual:6001: who answers there speaks without TLS",
  );

  const secured = founded();
  let heard = 0;
  const write = secured.network.lines.pieces.bind(secured.network.lines);
  secured.network.lines.pieces = (bytes) => {
    heard += bytes.length;
    return write(bytes);
  };
  secured.start(2, { seeds: [], invitation: invitation(6001, "somebody else") }, "two");
  secured.until(() => run(secured, 2).stops.length > 0);
  expect(reason(secured, 2)).toContain("with another key than the one that is expected");
  expect(heard).toBe(0);
});

test("[A3] who is dialled speaks second, and who proves another key than that of its name is refused", () => {
  const cluster = founded();
  const silent = new Raw(cluster, 6001, "stranger");
  cluster.pass(1000);
  expect([silent.said, silent.closed]).toEqual(["", null]);
  const curious = new Raw(cluster, 6001, "curious");
  curious.say(hello());
  cluster.until(() => curious.frames.length > 0);
  const { id, inc, boot, cluster_id } = curious.frames[0] as Hello;
  const double = new Raw(cluster, 6001, "stranger");
  double.say(hello({ id, inc, boot: boot + 1, cluster_id }));
  cluster.until(() => double.closed !== null);
  expect(double.refusal.code).toBe("stranger");
  const nobody = new Raw(cluster, 6001, null);
  nobody.say(hello());
  cluster.until(() => nobody.closed !== null);
  expect(nobody.refusal.code).toBe("stranger");
});

test("[A3] of a stranger few bytes are heard, for the time of a handshake, and nothing but its JOIN", () => {
  const cluster = founded();
  const patient = new Raw(cluster, 6001, "patient");
  patient.say(hello());
  cluster.until(() => patient.frames.length > 0);
  expect(patient.frames.map(({ type }) => type)).toEqual(["HELLO"]);
  patient.say(encodeFrame({ type: "LEAVE", id: 7, inc: "seven" }), encodeFrame({ type: "PING", at: 5 }));
  cluster.until(() => patient.closed !== null);
  expect(patient.refusal.code).toBe("stranger");

  const long = new Raw(cluster, 6001, "long");
  long.say(hello(), `${" ".repeat(STRANGER_BYTES_MAX)}`);
  cluster.until(() => long.closed !== null);
  expect(long.refusal.code).toBe("limit");

  const guesser = new Raw(cluster, 6001, "guesser");
  guesser.say(hello());
  cluster.until(() => guesser.frames.length > 0);
  guesser.say(
    encodeFrame({ type: "JOIN", id: 7, inc: "seven", host: "virtual", port: 6007, invite: secretOf("guess") }),
  );
  cluster.until(() => guesser.closed !== null);
  expect(guesser.refusal).toMatchObject({ code: "stranger", message: expect.stringContaining("ask for a new one") });

  const other = new Raw(cluster, 6001, "other");
  other.say(hello({ cluster_id: "another" }));
  cluster.until(() => other.closed !== null);
  expect(other.refusal.code).toBe("wrong-cluster");
  expect(cluster.status(1).members.length).toBe(1);
});
