/**
 * What a secured connection costs, beside a plain one: `bun bench/tls.bench.ts`, or bundled, in Node.js. Both sides are in
 * this process, so a time and a memory are those of two peers together.
 */
import { makeCertificate } from "../src/adapters/certificate.ts";
import { systemClock } from "../src/adapters/clock.ts";
import { nodeNetwork } from "../src/adapters/node-network.ts";
import { tlsNetwork } from "../src/adapters/tls-network.ts";
import type { Connection, ConnectionHandler, Network, Pin } from "../src/host/contracts.ts";
import { Histogram } from "./histogram.ts";
import { count, ms, textTable } from "./table.ts";

const HOST = "127.0.0.1";
const WARM_UP = 50;
const CONNECTIONS = 500;
const UNLIMITED = { perAddress: 10_000, perSecond: 1_000_000, inAll: 10_000, handshake: 5000 };
const HELLO = new TextEncoder().encode("hello");
const SILENT = { data: () => {}, drain: () => {}, close: () => {} };

interface Side {
  readonly here: Network;
  readonly there: Network;
  readonly pin?: Pin;
}

/** Milliseconds until whoever dials has an answer and of the processor, and KiB that a connection takes while it is open. */
async function measure({ here, there, pin }: Side): Promise<{ times: Histogram; kib: number; cpuMs: number }> {
  const accepted: Connection[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    const accept = (connection: Connection): ConnectionHandler => {
      accepted.push(connection);
      return { ...SILENT, data: (bytes) => connection.write(bytes) };
    };
    here.listen(HOST, 0, accept, (error, listener) => (listener === null ? reject(error) : resolve(listener.port)));
  });
  const dialled: Connection[] = [];
  const dial = async () => {
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      const connection = there.connect(HOST, port, { ...SILENT, data: () => resolve(), close: reject }, pin);
      connection.write(HELLO);
      dialled.push(connection);
    });
    return performance.now() - began;
  };
  const times = new Histogram();
  for (let n = 0; n < WARM_UP; n++) await dial();
  const before = settled();
  const cpu = process.cpuUsage();
  for (let n = 0; n < CONNECTIONS; n++) times.record(await dial());
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000 / CONNECTIONS;
  const kib = (settled() - before) / CONNECTIONS / 1024;
  for (const connection of [...dialled, ...accepted]) connection.destroy();
  return { times, kib, cpuMs };
}

/** Bytes of resident memory, garbage collected where the runtime lets it be. */
function settled(): number {
  if ("Bun" in globalThis) Bun.gc(true);
  else (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().rss;
}

const [own, theirs] = [makeCertificate(), makeCertificate()];
const options = { clock: systemClock, warn: console.error, limits: UNLIMITED };
const sides: Readonly<Record<string, Side>> = {
  "plain (control)": { here: nodeNetwork, there: nodeNetwork },
  "TLS 1.3, both sides pinned": { here: tlsNetwork(own, options), there: tlsNetwork(theirs, options), pin: own.key },
};
const rows: string[][] = [];
for (const [name, side] of Object.entries(sides)) {
  const { times, kib, cpuMs } = await measure(side);
  rows.push([`  ${name}`, ms(times.percentile(0.5)), ms(times.percentile(0.99)), ms(cpuMs), `${count(kib, 1)} KiB`]);
}
console.log(textTable([["connect and one answer", "p50", "p99", "processor", "each holds"], ...rows]));
process.exit(0);
