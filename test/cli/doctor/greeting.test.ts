/** `chatpeer doctor` dials through the network port, like a peer. */
import { expect, test } from "bun:test";
import { judgePeers, lookAt } from "../../../src/cli/doctor/peers.ts";
import { askStatus } from "../../../src/cli/doctor/standing.ts";
import { VirtualClock } from "../../../src/sim/virtual-time.ts";
import { Cluster } from "../../host/virtual-cluster.ts";

const TIMEOUT_MS = 2000;

test("it asks through whatever network it is given: a simulated one as well", async () => {
  const cluster = Cluster.formed();
  const clock = new VirtualClock(cluster.time, cluster.random);
  const ports = { clock, network: cluster.network.attach(90, clock).network };
  const look = (port: number) => lookAt(ports, { host: "virtual", port }, TIMEOUT_MS);
  const looks = Promise.all([look(6001), look(6004)]);
  cluster.pass(TIMEOUT_MS);
  const seen = await looks;
  expect(seen).toMatchObject([
    { greeting: { result: "peer", hello: { id: 1 } }, advertised: null },
    { greeting: { result: "unreachable", code: "ECONNREFUSED" } },
  ]);
  expect(judgePeers(seen, null, TIMEOUT_MS).flatMap((f) => (f.ok ? [] : [f.code]))).toEqual(["refused"]);
  const asked = askStatus(ports, { host: "virtual", port: 6001 }, TIMEOUT_MS);
  cluster.pass(TIMEOUT_MS);
  expect(await asked).toMatchObject({ id: 1, leader_id: 3, quorum: true });
});
