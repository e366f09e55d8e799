/** A peer that is dialled at several addresses: it listens at all of them or at none, and at none when it has stopped. */
import { expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { VirtualClock } from "../../../src/sim/virtual-time.ts";
import { Cluster, payloads, type Run, say } from "../virtual-cluster.ts";

const at = (...ports: number[]) => ports.map((port) => ({ host: "virtual", port }));
const run = (cluster: Cluster, id: number) => cluster.peers.get(id) as Run<Host>;

/** The ports at which somebody answers. */
function answering(cluster: Cluster, ports: readonly number[]): number[] {
  const { network } = cluster.network.attach(90, new VirtualClock(cluster.time, cluster.random));
  const open: number[] = [];
  const dials = ports.map((port) =>
    network.connect("virtual", port, {
      open: () => open.push(port),
      data() {},
      drain() {},
      close() {},
    }),
  );
  cluster.pass(1000);
  for (const dial of dials) dial.destroy();
  return open.sort();
}

test("peers and clients reach a host at each of its addresses", () => {
  const cluster = new Cluster();
  cluster.start(1, { alsoListensAt: at(7001, 8001) });
  cluster.start(2, { seeds: [{ id: 1, host: "virtual", port: 7001 }] });
  cluster.until(() => cluster.status(2).members.length === 2 && cluster.status(2).leader_id !== null);
  // What others are told is the one address that it advertises.
  expect(cluster.status(2).members.map((m) => m.port)).toEqual([6001, 6002]);
  const client = cluster.attached("wanda", 2001);
  say(client, "by the third door");
  cluster.until(() => payloads(run(cluster, 2)).length === 1);
  expect(answering(cluster, [6001, 7001, 8001, 9001])).toEqual([6001, 7001, 8001]);
});

test("all of them are closed when it stops", () => {
  const cluster = new Cluster();
  cluster.start(1, { alsoListensAt: at(7001, 8001) });
  cluster.until(() => cluster.status(1).leader_id === 1);
  run(cluster, 1).service.stop();
  expect(answering(cluster, [6001, 7001, 8001])).toEqual([]);
});

test("one that is stopped before they are open opens none", () => {
  const cluster = new Cluster();
  cluster.start(1, { alsoListensAt: at(7001) });
  run(cluster, 1).service.stop();
  expect(answering(cluster, [6001, 7001])).toEqual([]);
});

test("where some are taken the start ends with each of these named, and the others are free again", () => {
  const cluster = new Cluster();
  cluster.start(1, { alsoListensAt: at(7001, 8001) });
  cluster.until(() => cluster.status(1).leader_id === 1);
  cluster.start(2, { alsoListensAt: at(7001, 7002, 8001) });
  cluster.until(() => run(cluster, 2).stops.length === 1);
  const [{ reason } = { reason: "" }] = run(cluster, 2).stops;
  expect(reason).toContain("cannot listen on virtual:7001: the port is in use");
  expect(reason).toContain("cannot listen on virtual:8001: the port is in use");
  expect(reason).not.toMatch(/virtual:(6|7)002:/);
  expect(answering(cluster, [6002, 7002])).toEqual([]);
});
