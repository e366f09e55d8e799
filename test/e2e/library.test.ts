/** The library in this very process, on real disks and sockets: what it says of rooms, people and the past. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatPeer, createPeer, type DeliveredMessage, type HostEvent, PeerError } from "../../src/index.ts";

const root = mkdtempSync(join(tmpdir(), "chatpeer-library-"));
const open: ChatPeer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  rmSync(root, { recursive: true, force: true });
});

test("[P1] [P4] rooms, names, who is here, what was read and said: the same for two peers", async () => {
  const heard: HostEvent[] = [];
  let wake = () => {};
  const event = async (what: string, fits: (e: HostEvent) => boolean) => {
    const late = setTimeout(() => wake(), 20_000);
    for (const end = Date.now() + 20_000; !heard.some(fits); ) {
      if (Date.now() > end) throw new Error(`in vain: ${what}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
    clearTimeout(late);
  };
  const ann = await createPeer({
    ...{ id: 1, port: 0, dataDir: join(root, "1"), name: "ann", presence: true },
    onEvent: (e) => {
      heard.push(e);
      wake();
    },
  });
  open.push(ann);
  const seeds = [{ id: 1, host: "127.0.0.1", port: ann.port }];
  const bob = await createPeer({ id: 2, port: 0, dataDir: join(root, "2"), name: "bob", presence: true, seeds });
  open.push(bob);
  await event("bob comes", (e) => e.event === "system" && e.user === "bob" && e.change === "joined");

  expect(ann.joinRoom("attic")).toBe(true);
  expect(ann.joinRoom("a\nb")).toBe(false);
  for (const text of ["one", "two", "Three"]) await (await bob.submit(text, { room: "attic" })).sent();
  const received: string[] = [];
  for await (const { payload } of ann.messages) if (received.push(payload) === 3) break;
  expect(ann.rooms()).toEqual([{ room_id: "attic", last_seq_no: 3, joined: true, unread: 3 }]);
  ann.confirmRead("attic", 2);
  await event("it is confirmed", (e) => e.event === "read" && e.user === "ann" && e.through === 2);
  expect(ann.rooms()).toMatchObject([{ unread: 1 }]);
  expect(await ann.confirmations("attic")).toEqual([{ user: "ann", through: 2 }]);
  expect((await bob.history(2, { room: "attic", text: "T" })).map((m) => m.payload)).toEqual(["two", "Three"]);

  await bob.rename("rob");
  await event("bob has another name", (e) => e.event === "system" && e.user === "rob" && e.was === "bob");
  expect(await bob.rename("ann").catch((e) => e)).toMatchObject({ code: "name-in-use" });
  expect((await ann.who()).map((p) => [p.user, p.peer_id, p.lag])).toEqual([
    ["ann", 1, 0],
    ["rob", 2, 0],
  ]);
  await bob.close();
  await event("rob leaves", (e) => e.event === "system" && e.user === "rob" && e.change === "left");
  const refused = await bob.who().catch((e) => e);
  expect(refused).toBeInstanceOf(PeerError);
  expect(refused.code).toBe("closed");
});

test("[S9] [I5] floods: many texts at a time, many messages at a time, each once and in order; what cannot be taken says so", async () => {
  const ann = await createPeer({ id: 1, port: 0, dataDir: join(root, "flood"), name: "ann" });
  open.push(ann);
  const texts = Array.from({ length: 20_000 }, (_, i) => `message ${i + 1}`);
  const received: string[] = [];
  let pieces = 0;
  const reading = (async () => {
    for await (const batch of ann.batches) {
      pieces += 1;
      expect(batch.length).toBeGreaterThan(0);
      received.push(...batch.map((m) => m.payload));
      ann.ack((batch.at(-1) as DeliveredMessage).index);
      if (received.length >= texts.length) return;
    }
  })();
  const last = await ann.submitAll(texts);
  expect(await last.sent()).toMatchObject({ seq_no: texts.length, room_id: "general", msg_id: last.msg_id });
  // Asked for again, or late: the answer is the same.
  expect(await last.sent()).toEqual({ ...(await last.sent()) });
  await reading;
  expect(received).toEqual(texts);
  expect(pieces).toBeLessThan(texts.length / 10);

  // Those before one that is refused are taken; one at a time and many at a time are one stream.
  expect(await ann.submitAll(["kept", "", "not reached"]).catch((e) => e)).toMatchObject({ code: "empty" });
  expect(await ann.submitAll([]).catch((e) => e)).toMatchObject({ code: "empty" });
  await (await ann.submit("single")).sent();
  const rest: string[] = [];
  for await (const { payload, index } of ann.messages) {
    ann.ack(index);
    if (rest.push(payload) === 2) break;
  }
  expect(rest).toEqual(["kept", "single"]);

  const waiting = ann.batches[Symbol.asyncIterator]().next();
  await ann.close();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(await ann.submitAll(["late"]).catch((e) => e)).toMatchObject({ code: "closed" });
}, 30_000);
