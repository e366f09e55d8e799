/** Programs that read through the library, on real disks: what they had not done with comes again, what they want to see again, too. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatPeer, type CreatePeerOptions, createPeer, type DeliveredMessage } from "../../src/index.ts";
import { ROOT } from "./harness.ts";

const root = mkdtempSync(join(tmpdir(), "chatpeer-reading-"));
const open: ChatPeer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  rmSync(root, { recursive: true, force: true });
});

async function peerAt(name: string, options: Partial<CreatePeerOptions> = {}): Promise<ChatPeer> {
  const peer = await createPeer({ id: 1, port: 0, dataDir: join(root, name), ...options });
  open.push(peer);
  return peer;
}

/** The next `count` texts of a loop, which then ends: in the middle of the last message, or having acknowledged it. */
async function read(messages: AsyncIterable<DeliveredMessage>, count: number, by?: ChatPeer): Promise<string[]> {
  const texts: string[] = [];
  for await (const { payload, index } of messages) {
    texts.push(payload);
    if (texts.length < count) continue;
    by?.ack(index);
    break;
  }
  return texts;
}

const texts = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, i) => `m${from + i}`);

test("[C1] a loop that breaks acknowledges what came before: the one in hand comes again, to the next loop and to the next process", async () => {
  const first = await peerAt("break");
  await (await first.submitAll(texts(0, 9))).sent();
  expect(await read(first.messages, 4)).toEqual(texts(0, 3));
  expect(await read(first.messages, 1)).toEqual(["m3"]);
  await first.close();
  const again = await peerAt("break");
  expect(await read(again.messages, 7, again)).toEqual(texts(3, 9));
  await again.close();
  const last = await peerAt("break");
  await (await last.submit("new")).sent();
  expect(await read(last.messages, 1)).toEqual(["new"]);
});

test("[C1] a handler that throws gets the message again, in batches too", async () => {
  const peer = await peerAt("throw");
  await (await peer.submitAll(texts(0, 5))).sent();
  const failing = (async () => {
    for await (const batch of peer.batches) {
      peer.ack((batch[1] as DeliveredMessage).index);
      throw new Error(`at ${batch[2]?.payload}`);
    }
  })();
  expect(await failing.catch((e) => e.message)).toBe("at m2");
  expect(await read(peer.messages, 4)).toEqual(texts(2, 5));
});

test("[C1] two loops at once share the stream; the one in whose hands a message stays holds the cursor", async () => {
  const peer = await peerAt("two");
  const slow = peer.messages[Symbol.asyncIterator]();
  const waiting = slow.next();
  const last = await peer.submitAll(texts(0, 4));
  await last.sent();
  const held = (await waiting).value as DeliveredMessage;
  expect(held.payload).toBe("m0");
  expect(await read(peer.messages, 4)).toEqual(texts(1, 4));
  expect(peer.acknowledged).toBeLessThan(held.index);
  await slow.return?.();
  expect(await read(peer.messages, 2, peer)).toEqual(["m0", "m4"]);
  expect(peer.acknowledged).toBeGreaterThanOrEqual((await last.sent()).index);
});

test("[C3] from the start, an index or now, of all rooms or of one: readers of their own, which take and acknowledge nothing", async () => {
  const peer = await peerAt("from");
  for (let i = 0; i < 6; i++) await (await peer.submit(`m${i}`, { room: i % 2 === 0 ? "even" : "odd" })).sent();
  const news = peer.messages({ from: "new" });
  const all = await read(peer.messages({ from: "start" }), 6);
  expect(all).toEqual(texts(0, 5));
  expect(await read(peer.messages({ from: "start", room: "odd" }), 3)).toEqual(["m1", "m3", "m5"]);
  const [third] = await peer.history(1, { room: "even", text: "m2" });
  expect(await read(peer.messages({ from: third?.index as number }), 4)).toEqual(texts(2, 5));
  expect(await read(peer.messages({ from: (third?.index as number) + 1 }), 3)).toEqual(texts(3, 5));
  expect(peer.acknowledged).toBeLessThan(third?.index as number);
  // The directory's own stream has lost nothing of it.
  expect(await read(peer.messages, 6)).toEqual(texts(0, 5));
  // Of one room, behind what is acknowledged.
  expect(await read(peer.messages({ room: "odd" }), 1)).toEqual(["m5"]);
  expect(await read(peer.messages({ room: "even", from: 0 }), 3)).toEqual(["m0", "m2", "m4"]);

  const batches: number[] = [];
  for await (const batch of peer.batches({ from: "start" })) {
    batches.push(...batch.map((m) => m.seq_no));
    if (batches.length === 6) break;
  }
  expect(batches).toEqual([1, 1, 2, 2, 3, 3]);

  await (await peer.submit("later")).sent();
  expect(await read(news, 1)).toEqual(["later"]);
  // Each loop over it begins there anew.
  expect(await read(news, 1)).toEqual(["later"]);
});

test("[C3] a reader that begins before there is anything gets what comes", async () => {
  const peer = await peerAt("early");
  const all = read(peer.messages({ from: "start" }), 2);
  const loop = peer.batches({ from: "new" })[Symbol.asyncIterator]();
  const batch = loop.next();
  await (await peer.submitAll(texts(0, 1))).sent();
  expect(await all).toEqual(texts(0, 1));
  expect((await batch).value.map((m: DeliveredMessage) => m.payload)).toEqual(texts(0, 1));
  await loop.return?.();
});

test("[C1] a reader of its own that acknowledges by hand moves the cursor of the directory", async () => {
  const peer = await peerAt("hand");
  await (await peer.submitAll(texts(0, 9))).sent();
  expect(await read(peer.messages({ from: "start" }), 5, peer)).toEqual(texts(0, 4));
  const { acknowledged } = peer;
  peer.ack(1);
  expect(peer.acknowledged).toBe(acknowledged);
  expect(await read(peer.messages, 1)).toEqual(["m5"]);
  for (const wrong of [-1, 1.5, Number.NaN, peer.status().commit_index + 1])
    expect(() => peer.ack(wrong)).toThrow(expect.objectContaining({ code: "bad-option" }));
  await peer.close();
  const again = await peerAt("hand");
  expect(await read(again.messages, 5)).toEqual(texts(5, 9));
});

test("[C2] [C3] ten thousand that nobody reads: a new reader rebuilds its state from all of them, in their order", async () => {
  const peer = await peerAt("rebuild");
  await (await peer.submitAll(texts(0, 9999))).sent();
  await peer.close();
  const again = await peerAt("rebuild");
  expect(await read(again.messages({ from: "start" }), 10_000)).toEqual(texts(0, 9999));
  const pages: string[] = [];
  let before: number | undefined;
  for (;;) {
    const page = await again.history(700, before === undefined ? {} : { before });
    if (page.length === 0) break;
    before = page[0]?.index;
    pages.unshift(...page.map((m) => m.payload));
  }
  expect(pages).toEqual(texts(0, 9999));
  const [middle] = await again.history(1, { text: "m5000" });
  const next = await again.history(600, { after: middle?.index as number });
  expect(next.map((m) => m.payload)).toEqual(texts(5001, 5600));
  // The stream of the directory still has all of them.
  expect(await read(again.messages, 3000)).toEqual(texts(0, 2999));
  const none = read(again.messages({ from: "start", room: "none" }), 1);
  await again.close();
  expect(await none).toEqual([]);
}, 60_000);

test("[C1] a program killed again and again while it handles messages counts each exactly once, by their index: docs/exactly-once.mjs", async () => {
  const folder = join(root, "ledger");
  mkdirSync(join(folder, "data"), { recursive: true });
  const example = readFileSync(`${ROOT}docs/exactly-once.mjs`, "utf8");
  const program = example.replace('"chatpeer"', `"${ROOT}src/index.ts"`).replace("id: 1,", "id: 1, port: 0,");
  writeFileSync(join(folder, "ledger.mjs"), program);
  const numbers = Array.from({ length: 3000 }, (_, i) => i + 1);
  const writer = await createPeer({ id: 1, port: 0, dataDir: join(folder, "data/ledger-peer") });
  await (await writer.submitAll(numbers.map(String))).sent();
  await writer.close();
  const ledger = () => {
    try {
      return JSON.parse(readFileSync(join(folder, "data/ledger.json"), "utf8")) as { index: number; sum: number };
    } catch {
      return { index: 0, sum: 0 };
    }
  };
  const total = numbers.reduce((a, b) => a + b, 0);
  let kills = 0;
  for (let until = total / 5; ledger().sum < total; until += total / 5) {
    const child = Bun.spawn([process.execPath, "ledger.mjs"], { cwd: folder, stdout: "inherit", stderr: "inherit" });
    while (ledger().sum < Math.min(until, total)) {
      expect(child.exitCode).toBeNull();
      await Bun.sleep(5);
    }
    child.kill("SIGKILL");
    await child.exited;
    kills += 1;
  }
  expect(ledger().sum).toBe(total);
  expect(kills).toBeGreaterThan(2);
}, 60_000);
