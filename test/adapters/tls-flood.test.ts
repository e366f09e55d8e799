/** Connections by the thousand that never say who they are, at a secured port in Bun, Node.js and Deno. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "../../src/adapters/certificate.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { STRANGER_LIMITS } from "../../src/adapters/strangers.ts";
import { tlsNetwork } from "../../src/adapters/tls-network.ts";
import { type Artefact, type Command, Conversation, commandOf, RUNTIMES, type Setup, type Told } from "./subjects.ts";

const HOST = "127.0.0.1";
const DEADLINE_MS = 2000;
const [SUBJECT, MEMBER] = [makeCertificate(), makeCertificate()];
const setup: Setup = { own: SUBJECT, limits: { ...STRANGER_LIMITS, handshake: DEADLINE_MS } };
/** Other systems have one address on loopback, and what comes from there leaves no room for anybody else at that address. */
const ADDRESSES = process.platform === "linux" ? Array.from({ length: 100 }, (_, n) => `127.0.2.${n + 1}`) : [];
const EACH = 10;
/** Of a member, during one flood: within what one address may open in a second. */
const VISITS = 5;
/** A busy machine takes seconds to open a thousand; without a deadline of ours they would last two minutes. */
const LASTED_MS_MAX = 20_000;

const network = tlsNetwork(MEMBER, { clock: systemClock, warn: () => {} });
const bundles = mkdtempSync(join(tmpdir(), "chatpeer-flood-"));
const subjects = new Map<Artefact, { readonly process: Conversation<Command, Told>; readonly port: number }>();
type Rogue = Conversation<object, { readonly lasted: number }>;
const rogues = new Map<Artefact, Rogue>();
let hello: Uint8Array;

beforeAll(async () => {
  const starts = RUNTIMES.map(async (runtime) => {
    const command = await commandOf(runtime, "subject.ts", bundles);
    const process = new Conversation<Command, Told>([...command, JSON.stringify(setup)]);
    subjects.set(runtime, { process, port: (await process.next()).port as number });
    rogues.set(runtime, new Conversation(["node", join(import.meta.dir, "rogue.mjs")]));
  });
  hello = await clientHello();
  await Promise.all(starts);
});

afterAll(async () => {
  const processes = [...rogues.values(), ...[...subjects.values()].map(({ process }) => process)];
  await Promise.all(processes.map((process) => process.stop()));
  rmSync(bundles, { recursive: true });
});

/** What a peer says first. */
async function clientHello(): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const server = createServer((socket) =>
    socket.on("error", () => {}).once("data", (bytes: Uint8Array) => resolve(bytes)),
  );
  await new Promise<void>((listening) => server.listen(0, HOST, listening));
  const silent = { data: () => {}, drain: () => {}, close: () => {} };
  const connection = network.connect(HOST, (server.address() as AddressInfo).port, silent);
  const bytes = await promise;
  connection.destroy();
  server.close();
  return bytes;
}

/** A member comes and says something; resolves with the answer. */
function visit(port: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const connection = network.connect(
      HOST,
      port,
      {
        data(bytes) {
          answer += Buffer.from(bytes);
          connection.end();
        },
        drain: () => {},
        close: (code) => resolve(code === "" ? answer : code),
      },
      SUBJECT.key,
    );
    connection.write(Buffer.from("hello"));
  });
}

/** What they say at all, as a part of a ClientHello, and in milliseconds how long after each byte; 0: at once. */
const HELD = [
  ["nothing", 0, 0],
  ["half a ClientHello", 0.5, 0],
  ["a ClientHello byte by byte", 1, 50],
] as const;

/** How many visits succeeded while the flood was on and after it, and how long the last connection lasted. */
async function attack(artefact: Artefact, bytes: string, every: number) {
  const { port } = subjects.get(artefact) as { readonly port: number };
  let isOver = false;
  const flood = (rogues.get(artefact) as Rogue)
    .ask({ does: "flood", port, addresses: ADDRESSES, each: EACH, bytes, every })
    .finally(() => {
      isOver = true;
    });
  // Six processes share this machine, and a handshake may take longer than the deadline. A real peer dials again as well.
  let during = 0;
  while (!isOver && during < VISITS) if ((await visit(port)) === "hello" && !isOver) during += 1;
  const { lasted } = await flood;
  let after = 0;
  for (let n = 0; n < VISITS && after === 0; n++) if ((await visit(port)) === "hello") after += 1;
  return { during, after, lasted };
}

test.skipIf(ADDRESSES.length === 0).each(HELD)(
  "1,000 connections with %s are gone by the deadline, and a member gets in beside them",
  async (_, part, every) => {
    const bytes = Buffer.from(hello.subarray(0, hello.length * part)).toString("base64");
    for (const { during, after, lasted } of await Promise.all(RUNTIMES.map((name) => attack(name, bytes, every)))) {
      expect(during).toBeGreaterThan(0);
      expect(after).toBe(1);
      expect(lasted).toBeLessThan(LASTED_MS_MAX);
    }
  },
  60_000,
);
