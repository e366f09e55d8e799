/** Real networks on loopback, as the contract asks for them. */
import * as net from "node:net";
import * as tls from "node:tls";
import { makeCertificate } from "../../src/adapters/certificate.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { tlsNetwork } from "../../src/adapters/tls-network.ts";
import type { Network } from "../../src/host/contracts.ts";
import type { NetworkUnderTest, SlowReader } from "../host/net/network-contract.ts";

export const HOST = "127.0.0.1";
/** So many bytes are taken one at a time, the rest as it comes: a full kernel buffer empties in small steps. */
const ONE_BY_ONE = 20_000;

const [HERE, THERE] = [makeCertificate(), makeCertificate()];
const untold = (message: string) => {
  throw new Error(`nobody is refused here: ${message}`);
};

/** Made anew for each claim: only so many connections from one address are let in within a second. */
export function overTls(): NetworkUnderTest {
  const [here, there] = [HERE, THERE].map((own) => tlsNetwork(own, { clock: systemClock, warn: untold }));
  const identities = { ofHere: HERE.key, ofThere: THERE.key };
  return { ...under(here as Network, there as Network, slowTlsReader)(), identities };
}

export function under(
  network: Network,
  there = network,
  makeReader: (port: number, sockets: net.Socket[]) => SlowReader = slowReader,
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
      slowReader: (port) => makeReader(port, sockets),
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
  const server = net.createServer((socket) => socket.end("x"));
  await new Promise<void>((resolve) => {
    server.listen(0, HOST, () => {
      const socket = net.connect((server.address() as net.AddressInfo).port, HOST);
      socket.resume();
      socket.on("close", () => server.close(() => resolve()));
    });
  });
}

/** What a tap lets through: little at a time, or nothing, or all as long as a handshake takes. */
type Flow = "all" | "nothing" | "little";

/** Reads a socket as fast as it is told to, and passes the bytes on. */
function tap(socket: net.Socket, take: (bytes: Buffer) => void): { flow: Flow } {
  const state: { flow: Flow } = { flow: "nothing" };
  let taken = 0;
  socket.on("error", () => {});
  // It keeps the socket from flowing. In Deno nothing is read any more after `pause`.
  socket.on("readable", () => {});
  const look = () => {
    // What the stream has; `null` until the kernel gives more.
    for (let n = 0; n < 1000 && state.flow !== "nothing"; n++) {
      const isSlow = state.flow === "little" && taken < ONE_BY_ONE;
      const piece = (isSlow ? socket.read(1) : socket.read()) as Buffer | null;
      if (piece === null) break;
      if (state.flow === "little") taken += piece.length;
      take(piece);
    }
    if (!socket.readableEnded && !socket.destroyed) setImmediate(look);
  };
  look();
  return state;
}

class Reader implements SlowReader {
  closed = false;
  received = 0;
  readonly #pieces: Buffer[] = [];
  readonly #start: () => void;

  constructor(start: () => void) {
    this.#start = start;
  }

  watch(socket: net.Socket): void {
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
  }

  take(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.received += bytes.length;
  }

  start(): void {
    this.#start();
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#pieces);
  }
}

function slowReader(port: number, sockets: net.Socket[]): SlowReader {
  const socket = net.connect({ host: HOST, port });
  sockets.push(socket);
  const reader = new Reader(() => {
    state.flow = "little";
  });
  reader.watch(socket);
  const state = tap(socket, (bytes) => reader.take(bytes));
  return reader;
}

/**
 * TLS itself takes whatever comes, in Deno even where it is told to pause. So what reads slowly is a line that passes the
 * bytes on to it, as soon as the handshake has gone through.
 */
function slowTlsReader(port: number, sockets: net.Socket[]): SlowReader {
  const far = net.connect({ host: HOST, port });
  sockets.push(far);
  let state: { flow: Flow } | null = null;
  const line = net.createServer((near) => {
    line.close();
    sockets.push(near);
    state = tap(far, (bytes) => near.write(bytes));
    state.flow = "all";
    far.on("end", () => near.end());
    far.on("close", () => near.end());
    near.on("data", (bytes: Uint8Array) => far.write(bytes));
    near.on("error", () => {});
  });
  const reader = new Reader(() => {
    if (state !== null) state.flow = "little";
  });
  line.listen(0, HOST, () => {
    const { privateKey: key, certificate: cert } = THERE;
    const settings = { key, cert, rejectUnauthorized: false, ALPNProtocols: ["chatpeer/2"] };
    const socket = tls.connect({ ...settings, host: HOST, port: (line.address() as net.AddressInfo).port });
    sockets.push(socket);
    reader.watch(socket);
    socket.on("secureConnect", () => {
      if (state !== null) state.flow = "nothing";
    });
    socket.on("data", (bytes: Buffer) => reader.take(bytes));
  });
  return reader;
}
