/** The Network contract on real sockets: Bun's own, and node:net as Bun has it; dialled by number and by name. */
import { expect, test } from "bun:test";
import * as net from "node:net";
import * as tls from "node:tls";
import { bunNetwork } from "../../src/adapters/bun-network.ts";
import { makeCertificate } from "../../src/adapters/certificate.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { namedNetwork } from "../../src/adapters/named-network.ts";
import { nodeNetwork } from "../../src/adapters/node-network.ts";
import { tlsNetwork } from "../../src/adapters/tls-network.ts";
import type { Connection, Listener, Network } from "../../src/host/contracts.ts";
import { type NetworkUnderTest, networkContract, type SlowReader } from "../host/net/network-contract.ts";

const HOST = "127.0.0.1";
/** So many bytes are taken one at a time, the rest in larger gulps: a full kernel buffer empties in small steps. */
const ONE_BY_ONE = 20_000;
const GULP = 256 * 1024;

/** Dials a name, wherever it is told to dial. */
function byName(network: Network): Network {
  const named = namedNetwork(network, systemClock, (_name, done) => void setImmediate(() => done(null, [HOST])));
  return { listen: network.listen, connect: (_host, port, handler) => named.connect("peer.test", port, handler) };
}

const [HERE, THERE] = [makeCertificate(), makeCertificate()];
const untold = (message: string) => expect(message).toBe("nothing");

function overTls(): NetworkUnderTest {
  const [here, there] = [HERE, THERE].map((own) => tlsNetwork(own, { clock: systemClock, warn: untold }));
  const { key, certificate } = THERE;
  const dial = (port: number) =>
    tls.connect({
      host: HOST,
      port,
      key: THERE.privateKey,
      cert: certificate,
      rejectUnauthorized: false,
      ALPNProtocols: ["chatpeer/2"],
    });
  const plain = under(here as Network, there as Network, dial)();
  return { ...plain, identities: { ofHere: HERE.key, ofThere: key } };
}

function under(
  network: Network,
  there = network,
  dial: (port: number) => net.Socket = (port) => net.connect({ host: HOST, port }),
): () => NetworkUnderTest {
  return () => {
    const sockets: net.Socket[] = [];
    return {
      here: network,
      there,
      host: HOST,
      async settle(done) {
        while (!done()) await new Promise((resolve) => setImmediate(resolve));
      },
      slowReader(port) {
        const socket = dial(port);
        sockets.push(socket);
        return slowly(socket);
      },
      // What is under way on loopback is there before a dial made after it has gone through, to and fro.
      async calm() {
        for (let n = 0; n < 3; n++) await roundTrip();
      },
      cleanUp: () => {
        for (const socket of sockets) socket.destroy();
      },
    };
  };
}

async function roundTrip(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = net.createServer((socket) => socket.end("x"));
  server.listen(0, HOST, () => {
    const socket = net.connect((server.address() as net.AddressInfo).port, HOST);
    socket.resume();
    socket.on("close", () => server.close(() => resolve()));
  });
  await promise;
}

function slowly(socket: net.Socket): SlowReader {
  const pieces: Buffer[] = [];
  let received = 0;
  let closed = false;
  let ended = false;
  socket.pause();
  socket.on("end", () => {
    ended = true;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  const take = () => {
    // What the stream has; `null` until the kernel gives more.
    for (let n = 0; n < 1000; n++) {
      const piece = socket.read(received < ONE_BY_ONE ? 1 : Math.min(GULP, socket.readableLength)) as Buffer | null;
      if (piece === null) break;
      pieces.push(piece);
      received += piece.length;
    }
    if (!ended && !closed) setImmediate(take);
  };
  return {
    get received() {
      return received;
    },
    get closed() {
      return closed;
    },
    start() {
      socket.on("readable", () => {});
      take();
    },
    bytes: () => Buffer.concat(pieces),
  };
}

networkContract("Bun's sockets", under(bunNetwork));
networkContract("node:net", under(nodeNetwork));
networkContract("TLS", overTls);
networkContract("Bun's sockets, by name", under(bunNetwork, byName(bunNetwork)));
networkContract("node:net, by name", under(nodeNetwork, byName(nodeNetwork)));

test.each([
  ["Bun's sockets", bunNetwork],
  ["node:net", nodeNetwork],
])(
  "who has hung up before it is accepted is not told of: nobody knows its address any more (%s)",
  async (_, network) => {
    const remotes: string[] = [];
    const { promise, resolve } = Promise.withResolvers<Listener>();
    const accept = ({ remote }: Connection) => {
      remotes.push(remote);
      return null;
    };
    network.listen(HOST, 0, accept, (_error, listener) => resolve(listener as Listener));
    const listener = await promise;
    // Meanwhile nothing is accepted here.
    const hangUp = `require("node:net").connect(${listener.port}, "${HOST}", function () { this.resetAndDestroy(); })`;
    Bun.spawnSync([process.execPath, "-e", hangUp]);
    const socket = net.connect(listener.port, HOST).on("error", () => {});
    await new Promise((closed) => socket.resume().on("close", closed));
    listener.close();
    expect(remotes).toEqual([HOST]);
  },
);
