/** What a secured network adds to the contract of all networks: who is there, and who is not let in. */
import { afterEach, expect, test } from "bun:test";
import * as net from "node:net";
import { makeCertificate } from "../../src/adapters/certificate.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { nodeNetwork } from "../../src/adapters/node-network.ts";
import { STRANGER_LIMITS } from "../../src/adapters/strangers.ts";
import { tlsNetwork } from "../../src/adapters/tls-network.ts";
import { securedNetwork } from "../../src/adapters/trust.ts";
import { fromBase32, toBase32 } from "../../src/core/base32.ts";
import { PIN_BYTES, STRANGERS_PER_ADDRESS_MAX } from "../../src/core/config.ts";
import type { Connection, ConnectionHandler, Listener, Network, Pin, PortError } from "../../src/host/contracts.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";

const HOST = "127.0.0.1";
const [HERE, THERE, OTHER] = [makeCertificate(), makeCertificate(), makeCertificate()];

const open: { destroy?(): void; close?(): void }[] = [];
let warnings: string[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.destroy?.() ?? one.close?.();
  warnings = [];
});

const network = (own: typeof HERE | null) =>
  tlsNetwork(own, { clock: systemClock, warn: (message) => void warnings.push(message) });

interface Told {
  readonly connection: Connection;
  /** "open", "data TEXT", "close CODE". */
  readonly told: string[];
  readonly closed: Promise<string>;
}

function handler(told: string[], onOpen: () => void, onClose: (code: string) => void): ConnectionHandler {
  return {
    open() {
      told.push("open");
      onOpen();
    },
    data: (bytes) => void told.push(`data ${Buffer.from(bytes)}`),
    drain: () => {},
    close(code) {
      told.push(`close ${code}`);
      onClose(code);
    },
  };
}

async function listen(on: Network, accept: (connection: Connection) => ConnectionHandler | null): Promise<Listener> {
  const { promise, resolve, reject } = Promise.withResolvers<Listener>();
  on.listen(HOST, 0, accept, (error, listener) => (listener === null ? reject(error) : resolve(listener)));
  const listener = await promise;
  open.push(listener);
  return listener;
}

/** Listens and notes what comes in. */
async function listening(on = network(HERE)): Promise<{ port: number; accepted: Told[] }> {
  const accepted: Told[] = [];
  const { port } = await listen(on, (connection) => {
    const told: string[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<string>();
    accepted.push({ connection, told, closed });
    open.push(connection);
    return handler(told, () => {}, resolve);
  });
  return { port, accepted };
}

function dial(on: Network, port: number, expected?: Pin): Told & { readonly opened: Promise<void> } {
  const told: string[] = [];
  const { promise: closed, resolve: onClose } = Promise.withResolvers<string>();
  const { promise: opened, resolve: onOpen } = Promise.withResolvers<void>();
  const connection = on.connect(HOST, port, handler(told, onOpen, onClose), expected);
  open.push(connection);
  return { connection, told, closed, opened };
}

/** Whoever dials is done with the handshake first. */
async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
}

const shortPin = (key: string) => toBase32((fromBase32(key) as Uint8Array).subarray(0, PIN_BYTES));

test.each([
  ["whole", HERE.key],
  ["first 16 bytes of the", shortPin(HERE.key)],
])("who is dialled is the one whose %s hash is expected", async (_, pin) => {
  const { port, accepted } = await listening();
  const near = dial(network(THERE), port, pin);
  near.connection.write(Buffer.from("hello"));
  await near.opened;
  expect(near.connection.identity).toBe(HERE.key);
  near.connection.end();
  expect(await near.closed).toBe("");
  const [far] = accepted as [Told];
  expect(await far.closed).toBe("");
  expect(far.told).toEqual(["data hello", "close "]);
  expect(far.connection.identity).toBe(THERE.key);
});

test.each([
  ["whole", OTHER.key],
  ["short", shortPin(OTHER.key)],
])("where somebody else is there than expected, nothing is written (%s pin)", async (_, pin) => {
  const { port, accepted } = await listening();
  const near = dial(network(THERE), port, pin);
  near.connection.write(Buffer.from("secret"));
  expect(await near.closed).toBe("EPIN");
  expect(near.told).toEqual(["close EPIN"]);
  for (const far of accepted) {
    await far.closed;
    expect(far.told).not.toContain("data secret");
  }
});

test("a pin holds by name as well", async () => {
  const { port } = await listening();
  const byName = await securedNetwork(THERE, () => {});
  for (const [pin, end] of [
    [HERE.key, "open"],
    [OTHER.key, "close EPIN"],
  ]) {
    const { promise, resolve } = Promise.withResolvers<string>();
    const told = handler(
      [],
      () => resolve("open"),
      (code) => resolve(`close ${code}`),
    );
    open.push(byName.connect("localhost", port, told, pin));
    expect(await promise).toBe(end as string);
  }
});

test("a pin that is none is a bug of who dials, and so is any on a plain network", () => {
  expect(() =>
    network(HERE).connect(
      HOST,
      1,
      handler(
        [],
        () => {},
        () => {},
      ),
      HERE.key.slice(1),
    ),
  ).toThrow("a pin is");
  expect(() =>
    nodeNetwork.connect(
      HOST,
      1,
      handler(
        [],
        () => {},
        () => {},
      ),
      HERE.key,
    ),
  ).toThrow("no pin is expected");
});

test("a client without a certificate is nobody, and cannot be dialled", async () => {
  const { port, accepted } = await listening();
  const near = dial(network(null), port, HERE.key);
  await near.opened;
  near.connection.end();
  await near.closed;
  expect(accepted.map(({ connection }) => connection.identity)).toEqual([null]);
  const error = await listen(network(null), () => null).catch((reason: PortError) => reason);
  expect(error).toMatchObject({ code: "EACCES" });
});

test("whoever speaks without TLS is told so in the clear, in a frame, and no byte of it is passed on", async () => {
  const { port, accepted } = await listening();
  const socket = net.connect(port, HOST);
  socket.write('{"type":"HELLO"}\n');
  const decoder = new FrameDecoder();
  for await (const bytes of socket) decoder.push(bytes as Uint8Array);
  expect(decoder.next()).toMatchObject({ type: "REFUSE", code: "needs-tls", message: expect.stringContaining("join") });
  expect(accepted).toEqual([]);
  expect(warnings).toEqual(["refused a connection from 127.0.0.1: it spoke without TLS"]);
});

test.each([
  ["greets", '{"type":"HELLO"}\n'],
  ["hangs up", null],
])("a plain peer that %s is told from one that is secured, and is not spoken to in plain", async (_, greeting) => {
  const heard: Uint8Array[] = [];
  const server = net.createServer((socket) => {
    socket.on("data", (bytes: Uint8Array) => {
      heard.push(bytes);
      if (greeting === null) socket.end();
    });
    socket.on("error", () => {});
    if (greeting !== null) socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  open.push(server);
  const near = dial(network(THERE), (server.address() as net.AddressInfo).port, HERE.key);
  near.connection.write(Buffer.from("secret"));
  expect(await near.closed).toBe(greeting === null ? "ECONNRESET" : "EPLAIN");
  expect(near.told).not.toContain("open");
  expect(Buffer.concat(heard).toString("latin1")).not.toContain("secret");
});

test("whoever does not finish its handshake is closed at the deadline", async () => {
  const limits = { ...STRANGER_LIMITS, handshake: 20 };
  const short = tlsNetwork(HERE, { clock: systemClock, warn: (message) => void warnings.push(message), limits });
  const { port, accepted } = await listening(short);
  const socket = net.connect(port, HOST);
  for await (const bytes of socket) expect(bytes).toBe("nothing");
  expect(accepted).toEqual([]);
  expect(warnings).toEqual(["refused a connection from 127.0.0.1: no handshake within 20 ms"]);
});

test("of those that nobody has recognised, the oldest makes room, and both sides are told", async () => {
  const limits = { ...STRANGER_LIMITS, inAll: 2 };
  const small = tlsNetwork(HERE, { clock: systemClock, warn: () => {}, limits });
  const { port, accepted } = await listening(small);
  const first = dial(network(THERE), port);
  await until(() => accepted.length === 1);
  dial(network(THERE), port);
  await until(() => accepted.length === 2);
  accepted[1]?.connection.recognise?.();
  for (let n = 0; n < 2; n++) await dial(network(OTHER), port).opened;
  expect(await (accepted[0] as Told).closed).toBe("ECROWDED");
  expect(first.told).toEqual(["open", `close ${await first.closed}`]);
  await until(() => accepted.length === 4);
  expect(accepted.slice(1).flatMap(({ told }) => told)).toEqual([]);
});

test("an environment in which Node.js trusts anybody is warned of", () => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  try {
    network(HERE);
  } finally {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  }
  expect(warnings).toEqual([expect.stringContaining("remove it from the environment")]);
});

test("of one address only so many are let in until the host knows who they are", async () => {
  const { port, accepted } = await listening();
  const clients = Array.from({ length: STRANGERS_PER_ADDRESS_MAX }, () => dial(network(THERE), port));
  await Promise.all(clients.map(({ opened }) => opened));
  await until(() => accepted.length === clients.length);
  expect(await dial(network(OTHER), port).closed).toBe("ECONNRESET");
  accepted[0]?.connection.recognise?.();
  const late = dial(network(OTHER), port);
  await late.opened;
  expect(warnings).toEqual([expect.stringContaining("16 connections from there have not said who they are")]);
});
