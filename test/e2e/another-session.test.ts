/** Raw frames that number texts in another's session: what real clients and peers are told of their own messages [S10]. */
import { afterEach, expect, test } from "bun:test";
import type { Attach } from "../../src/core/client-frames.ts";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import { BINARY, Cluster, endAll, type PeerEvent, PeerProcess } from "./harness.ts";
import { Raw } from "./raw.ts";

afterEach(endAll);

/** Attaches to a peer as if it were the client whose message that is, and numbers texts there from `first` on. */
async function forge(port: number, msgId: string, first: number, ...texts: string[]): Promise<Raw> {
  const raw = new Raw(port);
  const { cluster_id } = await raw.next("HELLO");
  const [sender, session] = msgId.split(".") as [string, string];
  const attach: Attach = {
    ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id, user: "mallory", room_id: "general" },
    ...{ session, sender_id: Number(sender), seen: 0 },
  };
  raw.send(attach);
  await raw.next("ATTACHED");
  const messages = texts.map((payload) => ({ room_id: "general", user: "mallory", ts: 1, payload }));
  raw.send({ type: "CHAT", sender_id: Number(sender), session, first, messages });
  return raw;
}

/** What a client was told is sent, as the messages that it saw say it. */
function sentTexts(client: PeerEvent[]): string[] {
  const said = new Map(client.filter((e) => e.event === "message").map((e) => [e.msg_id, e.payload]));
  return client.filter((e) => e.event === "sent").map((e) => said.get(e.msg_id));
}

test("[S10] a client in whose session somebody else writes is told what became of its message, and goes on", async () => {
  const cluster = await Cluster.start(3);
  const client = new PeerProcess([BINARY, ...["connect", `127.0.0.1:${cluster.portOf(2)}`, "--name", "bob", "--json"]]);
  await client.event("started");
  client.say("one");
  const { msg_id } = await client.event("sent");
  expect(msg_id).toEndWith(".1");
  // Its peer stands still, and with it what it says next.
  cluster.peer(2).kill("SIGSTOP");
  client.say("two");
  const waits = await client.event("pending", (e) => e.payload === "two");
  const forger = await forge(cluster.portOf(1), msg_id, 2, "forged");
  await cluster.peer(1).event("message", (e) => e.payload === "forged");
  forger.close();
  await forger.closed;
  cluster.peer(2).kill("SIGCONT");

  const told = await client.event("notice", (e) => e.code === "number-taken");
  expect(told.message).toContain(`message ${waits.msg_id} is "forged" of "mallory"`);
  const again = await client.event("pending", (e) => e.was === waits.msg_id);
  await client.event("sent", (e) => e.msg_id === again.msg_id);
  expect(sentTexts(client.events)).toEqual(["one", "two"]);
  // One number ahead: it waits for nothing, and goes on all the same.
  await forge(cluster.portOf(3), again.msg_id, 2, "forged too");
  await client.event("message", (e) => e.payload === "forged too");
  client.say("three");
  await client.event("message", (e) => e.payload === "three");
  await client.until("three is sent", () => sentTexts(client.events).includes("three"));
  expect(client.messages.map((m) => m.payload)).toEqual(["one", "forged", "two", "forged too", "three"]);
  await client.stop();
  await cluster.stop();
});
