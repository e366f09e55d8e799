/** Clocks before 1970: of machines without a battery, and what an older version wrote under them. */
import { expect, test } from "bun:test";
import { wallTime } from "../../../src/host/wall.ts";
import type { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { crc32c } from "../../../src/wire/crc32c.ts";
import { ascii, lineWithHead, utf8 } from "../../wire/samples.ts";
import { Cluster, messages, payloads, say, sent, told } from "../virtual-cluster.ts";

test("[W7] whatever a wall clock says becomes a time that can be written", () => {
  const said = [-1, -0, 0, 0.5, 1.9, -315_619_200_000, 8.64e15, 1e300, Number.NaN, Number.NEGATIVE_INFINITY, Infinity];
  expect(said.map(wallTime)).toEqual([
    0,
    0,
    0,
    0,
    1,
    0,
    8.64e15,
    ...[Number.MAX_SAFE_INTEGER, 0, 0, Number.MAX_SAFE_INTEGER],
  ]);
});

test("[W7] a peer whose clock is before 1970 says so, talks, is heard, and starts again", () => {
  const cluster = new Cluster();
  cluster.start(1);
  const first = cluster.peers.get(1) as NonNullable<ReturnType<typeof cluster.peers.get>>;
  first.clock.setWall(-315_619_200_000);
  cluster.until(() => cluster.status(1).role === "leader");
  expect(told(first).map((t) => t.code)).toContain("clock");
  say(first, "from another time");
  cluster.until(() => sent(first).length === 1);
  cluster.start(2);
  const second = cluster.peers.get(2) as typeof first;
  cluster.until(() => payloads(second).length === 1);
  expect(messages(second)).toMatchObject([{ payload: "from another time", ts: 0 }]);
  first.service.stop();
  cluster.start(1);
  cluster.until(() => cluster.status(1).leader_id !== null && cluster.status(2).leader_id !== null);
});

/** The newest message, and what waits in the outbox, as the writer of then left them: the time is one wrong character. */
function asThen(disk: VirtualDisk): void {
  const path = disk.paths().findLast((p) => p.startsWith("log/")) as string;
  disk.damage(path, (bytes) => {
    const lines = utf8(bytes).split("\n").slice(0, -1);
    let crc = 0;
    const rewritten = lines.map((line) => {
      const head = line.slice(0, line.lastIndexOf('"crc":'));
      const old = lineWithHead(head.replace(/("kind":"chat".*),"ts":[0-9]+,/, '$1,"ts":),'), crc);
      crc = (JSON.parse(utf8(old).replace('"ts":)', '"ts":0')) as { crc: number }).crc;
      return utf8(old);
    });
    return ascii(rewritten.join(""));
  });
  disk.damage("outbox.jsonl", (bytes) => {
    const lines = utf8(bytes).split("\n").slice(0, -1);
    const rewritten = lines.map((line) => {
      const body = line.slice(0, line.lastIndexOf(" ")).replace(/"ts":[0-9]+/g, '"ts":(');
      return `${body} ${crc32c(ascii(body))}\n`;
    });
    return ascii(rewritten.join(""));
  });
}

test("[D5] [S1] a directory in which an older version wrote such times opens, nothing of it is lost, and others take it as it is", () => {
  const cluster = new Cluster();
  const disk = cluster.disks[0] as VirtualDisk;
  cluster.start(1);
  const first = cluster.peers.get(1) as NonNullable<ReturnType<typeof cluster.peers.get>>;
  cluster.until(() => cluster.status(1).role === "leader");
  say(first, "sent then", "sent then, too");
  cluster.until(() => sent(first).length === 2);
  // Nothing becomes durable any more: what is said now waits in the outbox when the process dies.
  disk.faults.syncMs = () => 1e9;
  say(first, "waits");
  cluster.pass(100);
  cluster.kill(1);
  disk.faults.syncMs = () => 1;
  const path = disk.paths().findLast((p) => p.startsWith("log/")) as string;
  asThen(disk);
  expect(utf8(disk.contents(path)).match(/"ts":\)/g)?.length).toBeGreaterThanOrEqual(2);
  expect(utf8(disk.contents("outbox.jsonl"))).toContain('"ts":(');

  cluster.start(1);
  const again = cluster.peers.get(1) as typeof first;
  cluster.until(() => sent(again).length === 1);
  expect(told(again).filter((t) => t.event === "error")).toEqual([]);
  say(again, "said now");
  cluster.start(2);
  const second = cluster.peers.get(2) as typeof first;
  cluster.until(() => payloads(second).length === 4);
  expect(messages(second).map((m) => [m.payload, m.ts > 0])).toEqual([
    ["sent then", false],
    ["sent then, too", false],
    ["waits", false],
    ["said now", true],
  ]);
  const logOf = (d: VirtualDisk) => utf8(d.contents(path)).split("\n").slice(0, 6);
  expect(logOf(cluster.disks[1] as VirtualDisk)).toEqual(logOf(disk));
});
