/** [R10] A voter and a client behind a real narrow line, of a network namespace: where none can be made the tests are skipped. */
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../../scripts/fight/command.ts";
import { openNetwork } from "../../scripts/fight/network.ts";
import { BINARY, endAll, PeerProcess, run } from "./harness.ts";

/** How narrow a line, and how much is missing behind it: about ten seconds each. */
const LINES = [
  [1000, 120],
  [64, 10],
] as const;
const TEXT = "x".repeat(9900);
/** Of the bytes of the log: what frames, TCP and everything else on the line may take besides, and what a busy machine. */
const [BYTES_MORE, TIME_MORE] = [1.2, 1.35];
/** Two messages may be on the line when the leader changes: they come again from the next one. */
const AGAIN_BYTES = 2.4 * TEXT.length;

const network = openNetwork(`narrow${process.pid}`);
let root: string;
const narrow = network.missing.has("slow-line") ? test.skip : test;
if (narrow === test.skip)
  console.log("no line can be made narrow here: it is not tried how a peer comes back behind one");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-narrow-"));
});
afterEach(async () => {
  await endAll();
  network.heal();
  rmSync(root, { recursive: true });
});
afterAll(() => network.close());

function start(id: number): PeerProcess {
  const own = [
    "--id",
    `${id}`,
    "--host",
    network.address(id),
    "--insecure",
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

narrow.each(LINES)(
  "at %d kbit/s a voter gets what it missed in little more than the line's own time, each byte once, while others talk and the leader changes",
  async (kbits, messages) => {
    const [first, second] = [start(1), start(2)];
    const before = start(3);
    await first.until("3 leads", () => first.all("role").at(-1)?.leader_id === 3);
    await before.stop();
    await first.until("2 leads", () => first.all("role").at(-1)?.leader_id === 2);
    for (let i = 0; i < messages; i++) first.say(`${i} ${TEXT}`);
    await first.until("all are sent", () => first.all("sent").length === messages);

    network.slow(3, kbits);
    const missing = logBytes(1) - logBytes(3);
    const [bytesBefore, began] = [received(3), performance.now()];
    const back = start(3);
    await back.until("a part has come", () => back.messages.length > messages / 3, 20_000);
    second.say("meanwhile", "/transfer 1");
    await second.until("1 leads", () => second.all("role").at(-1)?.leader_id === 1);
    await back.until("all has come", () => back.messages.length === messages + 1, 30_000);
    const own = (8 * missing) / kbits;
    expect((performance.now() - began) / own).toBeLessThan(TIME_MORE);
    expect(received(3) - bytesBefore).toBeLessThan(BYTES_MORE * missing + AGAIN_BYTES);
  },
  60_000,
);

narrow(
  "at 64 kbit/s a client that reads the past gets it in little more than the line's own time, and what it asks is answered meanwhile",
  async () => {
    const first = start(1);
    const texts = Array.from({ length: 10 }, (_, i) => `${i} ${TEXT}`);
    first.say(...texts);
    await first.until("all are sent", () => first.all("sent").length === texts.length);

    network.slow(3, 64);
    const [bytesBefore, began] = [received(3), performance.now()];
    const at = `${network.address(1)}:6001`;
    const client = new PeerProcess(network.on(3, BINARY, "tail", at, "--since", "1", "--json"));
    await client.until("a part has come", () => client.messages.length > texts.length / 3, 20_000);
    expect((await run(network.on(3, BINARY, "status", at, "--json"))).code).toBe(0);
    // The answer did not stand behind all the rest.
    expect(client.messages.length).toBeLessThan(texts.length);
    await client.until("all has come", () => client.messages.length === texts.length, 30_000);
    const own = (8 * logBytes(1)) / 64;
    expect((performance.now() - began) / own).toBeLessThan(TIME_MORE);
    expect(received(3) - bytesBefore).toBeLessThan(BYTES_MORE * logBytes(1));
  },
  60_000,
);
