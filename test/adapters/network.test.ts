/** The Network contract on real sockets: Bun's own, and node:net as Bun has it; dialled by number and by name. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bunNetwork } from "../../src/adapters/bun-network.ts";
import { systemClock } from "../../src/adapters/clock.ts";
import { namedNetwork } from "../../src/adapters/named-network.ts";
import { nodeNetwork } from "../../src/adapters/node-network.ts";
import type { Connection, Listener, Network } from "../../src/host/contracts.ts";
import { networkContract } from "../host/net/network-contract.ts";
import { HOST, overTls, under } from "./networks.ts";
import { commandOf } from "./subjects.ts";

/** Dials a name, wherever it is told to dial. */
function byName(network: Network): Network {
  const named = namedNetwork(network, systemClock, (_name, done) => void setImmediate(() => done(null, [HOST])));
  return { listen: network.listen, connect: (_host, port, handler) => named.connect("peer.test", port, handler) };
}

networkContract("Bun's sockets", under(bunNetwork));
networkContract("node:net", under(nodeNetwork));
networkContract("TLS", overTls);
networkContract("Bun's sockets, by name", under(bunNetwork, byName(bunNetwork)));
networkContract("node:net, by name", under(nodeNetwork, byName(nodeNetwork)));

test.each(["node", "deno"] as const)(
  "what node:net and TLS must do holds in %s",
  async (runtime) => {
    const folder = mkdtempSync(join(tmpdir(), "chatpeer-contract-"));
    const child = Bun.spawn(await commandOf(runtime, "contract.ts", folder), { stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    rmSync(folder, { recursive: true });
    expect([out.replace(/^\(pass\).*\n/gm, ""), err, code]).toEqual(["", "", 0]);
    expect(out).toContain("(pass) TLS: ");
  },
  60_000,
);

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
