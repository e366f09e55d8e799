/** [M1] The first seconds of a founder: what is said waits, and whoever knows it from before stops it. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import type { Told } from "../../src/core/reports.ts";
import { Visitor } from "../../src/host/client/visitor.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualClock } from "../../src/sim/virtual-time.ts";
import { Cluster, payloads, say, sent, told } from "./virtual-cluster.ts";

const { founding } = DEFAULT_TIMINGS;
/** For a message to be written, synced and told. */
const MOMENT_MS = 100;

/** Says one text through a peer, as `chatpeer send` does; what it is told. */
function visit(cluster: Cluster, peer: number, payload: string): { readonly answers: Told[] } {
  const clock = new VirtualClock(cluster.time, cluster.random);
  const { network } = cluster.network.attach(90, clock);
  const answers: Told[] = [];
  const visitor = new Visitor(
    { clock, network },
    { host: "virtual", port: 6000 + peer },
    {
      attached: () => visitor.ask(1, { what: "say", room_id: "general", user: "cron", payload }),
      told: (answer) => answers.push(answer),
      lost: () => {},
    },
  );
  return { answers };
}

test("[M1] alone, a founder takes nobody's message in its first seconds, and everybody's when they are over", () => {
  const cluster = new Cluster();
  cluster.start(1);
  const one = cluster.peers.get(1);
  if (one === undefined) throw new Error("it was started");
  cluster.until(() => cluster.status(1).role === "leader");
  const carol = cluster.attached("carol", 1);
  say(one, "own");
  say(carol, "a client's");
  const { answers } = visit(cluster, 1, "a script's");
  cluster.time.runUntil(founding - 1);
  expect([payloads(one), sent(carol).length]).toEqual([[], 0]);
  const alone = { message: expect.stringContaining("alone in it"), needed: 0 };
  expect(cluster.status(1)).toMatchObject({ quorum: true, waiting: alone });
  expect(answers[0]).toMatchObject({ event: "status", waiting: alone });
  // It has been told once, with the founding.
  expect(told(one).filter((t) => t.code === "waiting" || t.code === "founded").length).toBe(1);
  cluster.pass(MOMENT_MS);
  expect(payloads(one).sort()).toEqual(["a client's", "a script's", "own"]);
  expect([sent(carol).length, cluster.status(1).waiting]).toEqual([1, null]);
  expect(answers.map((a) => a.event)).toContain("sent");
});

test("[M1] it takes them at once when another peer joins", () => {
  const cluster = new Cluster();
  cluster.start(1);
  cluster.start(2);
  const one = cluster.peers.get(1);
  if (one === undefined) throw new Error("it was started");
  cluster.until(() => one.events.some((e) => e.event === "started"));
  say(one, "hello");
  cluster.until(() => payloads(one).length === 1);
  expect(cluster.time.now).toBeLessThan(founding / 2);
});

test("[M1] a start that follows soon waits as long; one after the first message does not wait", () => {
  const cluster = new Cluster();
  const start = () => {
    cluster.start(1);
    cluster.until(() => cluster.status(1).role === "leader");
  };
  start();
  cluster.time.runUntil(founding - MOMENT_MS);
  cluster.kill(1);
  start();
  cluster.pass(founding - 2 * MOMENT_MS);
  expect(cluster.status(1).waiting).not.toBeNull();
  const one = cluster.peers.get(1);
  if (one === undefined) throw new Error("it was started");
  say(one, "hello");
  cluster.until(() => payloads(one).length === 1);
  cluster.kill(1);
  start();
  expect(cluster.status(1).waiting).toBeNull();
});

test("[M1] emptied, it is refused by those who know it, and whoever said something is told that it is not sent", () => {
  const cluster = Cluster.formed();
  cluster.kill(1);
  const clock = { after: (ms: number, fn: () => void) => cluster.time.at(cluster.time.now + ms, fn) };
  cluster.disks[0] = new VirtualDisk({ clock, random: cluster.random });
  // Long enough that the others have come to their longest pause.
  cluster.pass();
  cluster.start(1);
  const one = cluster.peers.get(1);
  if (one === undefined) throw new Error("it was started");
  const { answers } = visit(cluster, 1, "a script's");
  cluster.until(() => one.events.some((e) => e.event === "started"));
  say(one, "lost?");
  cluster.until(() => one.stops.length > 0);
  cluster.pass(MOMENT_MS);
  expect(one.stops[0]?.reason).toContain("was the data directory emptied?");
  expect(one.stops[0]?.reason).toContain("2 messages typed here will not be sent");
  expect(answers.at(-1)).toMatchObject({ event: "error", code: "refused" });
  expect(sent(one)).toEqual([]);
  for (const id of [2, 3]) expect(cluster.status(id).commit_index).toBeGreaterThan(0);
});
