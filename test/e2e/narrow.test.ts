/** [R10] A voter that comes back behind a real narrow line, of a network namespace: where none can be made the test is skipped. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../scripts/fight/command.ts";
import { openNetwork } from "../../scripts/fight/network.ts";
import { BINARY, endAll, PeerProcess } from "./harness.ts";

const KBITS = 1000;
const MESSAGES = 120;
const TEXT = "x".repeat(9900);
/** Of the bytes of the log: what frames, TCP and everything else on the line may take besides, and what a busy machine. */
const [BYTES_MORE, TIME_MORE] = [1.25, 1.35];

const network = openNetwork(`narrow${process.pid}`);
const root = mkdtempSync(join(tmpdir(), "chatpeer-narrow-"));
const narrow = network.missing.has("slow-line") ? test.skip : test;
if (narrow === test.skip)
  console.log("no line can be made narrow here: it is not tried how a peer comes back behind one");

afterEach(async () => {
  await endAll();
  network.close();
  rmSync(root, { recursive: true });
});

function start(id: number): PeerProcess {
  const own = [
    "--id",
    `${id}`,
    "--host",
    network.address(id),
    "--port",
    `${6000 + id}`,
    "--data-dir",
    join(root, `${id}`),
  ];
  const seed = id === 1 ? [] : ["--seed", `1:${network.address(1)}:6001`];
  return new PeerProcess(network.on(id, BINARY, ...own, ...seed, "--json"));
}

const received = (id: number) =>
  Number(command(...network.on(id, "cat", "/sys/class/net/eth0/statistics/rx_bytes")).trim());

function logBytes(id: number): number {
  const folder = join(root, `${id}`, "log");
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

narrow(
  "at 1 Mbit/s a voter gets what it missed in little more than the line's own time, each byte once, while others talk and the leader changes",
  async () => {
    const [first, second] = [start(1), start(2)];
    const before = start(3);
    await first.until("3 leads", () => first.all("role").at(-1)?.leader_id === 3);
    await before.stop();
    await first.until("2 leads", () => first.all("role").at(-1)?.leader_id === 2);
    for (let i = 0; i < MESSAGES; i++) first.say(`${i} ${TEXT}`);
    await first.until("all are sent", () => first.all("sent").length === MESSAGES);

    network.slow(3, KBITS);
    const missing = logBytes(1) - logBytes(3);
    const [bytesBefore, began] = [received(3), performance.now()];
    const back = start(3);
    await back.until("a part has come", () => back.messages.length > MESSAGES / 3, 20_000);
    second.say("meanwhile", "/transfer 1");
    await second.until("1 leads", () => second.all("role").at(-1)?.leader_id === 1);
    await back.until("all has come", () => back.messages.length === MESSAGES + 1, 30_000);
    const own = (8 * missing) / KBITS;
    expect((performance.now() - began) / own).toBeLessThan(TIME_MORE);
    expect((received(3) - bytesBefore) / missing).toBeLessThan(BYTES_MORE);
  },
  60_000,
);
