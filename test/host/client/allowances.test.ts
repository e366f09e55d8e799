/** What the holder of a token may do in a time: what is more waits, and whoever has no reason to wait is let go [A9]. */
import { beforeEach, expect, test } from "bun:test";
import { CLIENT_FRAMES_BURST } from "../../../src/core/config.ts";
import { Allowances } from "../../../src/host/client/allowances.ts";
import { type Held, type Line, SecuredPeer, sessionOf } from "./secured-peer.ts";

let peer: SecuredPeer;
let eve: Held;
let line: Line;

beforeEach(() => {
  peer = new SecuredPeer();
  eve = peer.enrols("eve", "write");
  line = peer.comes(eve, "eve");
});

const texts = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);
/** What has gone on, when all that may go has gone: the log takes it at once. */
function gone(): number {
  peer.clock.pass(1);
  return peer.chats.reduce((sum, { messages }) => sum + messages.length, 0);
}

test("[A9] a burst goes at once, what follows comes evenly, in order and once", () => {
  const messages = texts(1200).map((payload) => ({ room_id: "general", user: "eve", ts: 1, payload }));
  for (let at = 0; at < 1200; at += 400)
    peer.clients.frame(line, {
      ...{ type: "CHAT", sender_id: 1, session: sessionOf(eve), first: at + 1 },
      messages: messages.slice(at, at + 400),
    });
  const burst = gone();
  expect(burst).toBeGreaterThan(1000);
  expect(burst).toBeLessThanOrEqual(1024);
  for (let second = 0; second < 1; second += 0.1) {
    const before = gone();
    peer.clock.pass(100);
    expect(gone() - before).toBeLessThanOrEqual(32);
  }
  expect(gone()).toBe(1200);
  const counters = peer.chats.flatMap((chat) => chat.messages.map((_, i) => chat.first + i));
  expect(counters).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1));
});

test("[A9] a token has one allowance, on however many connections, and a new connection none of its own", () => {
  peer.say(line, sessionOf(eve), "eve", ...texts(1024));
  expect(gone()).toBe(1024);
  peer.clients.closed(line);
  const again = peer.comes(eve, "eve");
  peer.say(again, sessionOf(eve), "eve", ...texts(100));
  expect(gone()).toBe(1024);
  peer.clock.pass(600);
  expect(gone()).toBe(1124);
  const other = peer.comes(peer.enrols("bob", "write"), "bob");
  expect(other.isServed).toBe(true);
});

test("[A9] what waits is not said any more when its client is gone", () => {
  peer.say(line, sessionOf(eve), "eve", ...texts(1024));
  expect(gone()).toBe(1024);
  peer.clients.frame(line, {
    ...{ type: "CHAT", sender_id: 1, session: sessionOf(eve), first: 1025 },
    messages: [{ room_id: "general", user: "eve", ts: 1, payload: "late" }],
  });
  peer.clients.closed(line);
  peer.clock.pass(10_000);
  expect(gone()).toBe(1024);
});

test("[A9] who sends frames without end is let go, in words; whoever reads the data directory is not", () => {
  const { token } = JSON.parse(new TextDecoder().decode(peer.disk.contents("owner.token")));
  const owner = peer.attach({ token });
  for (let at = 0; at < CLIENT_FRAMES_BURST + 10; at++)
    for (const one of [line, owner]) if (!one.isEnded) peer.clients.frame(one, { type: "PING", at });
  expect(line.refusal?.code).toBe("limit");
  expect(owner.isEnded).toBe(false);
  expect(line.frames.filter(({ type }) => type === "PONG").length).toBeLessThanOrEqual(CLIENT_FRAMES_BURST);
});

test("[A9] few short messages are under way at a time, so whoever is next does not wait for many", () => {
  peer.leads = false;
  const messages = texts(50).map((payload) => ({ room_id: "general", user: "eve", ts: 1, payload }));
  for (let first = 1; first <= 1000; first += 50)
    peer.clients.frame(line, { type: "CHAT", sender_id: 1, session: sessionOf(eve), first, messages });
  expect(gone()).toBeGreaterThan(20);
  expect(gone()).toBeLessThan(450);
});

test("[A9] large texts count for more, also those that are dropped", () => {
  const text = "x".repeat(60_000);
  let frames = 0;
  for (; frames < 10_000 && !line.isEnded; frames++) peer.say(line, sessionOf(eve), "eve", text);
  expect(line.refusal?.code).toBe("limit");
  expect(frames).toBeLessThan(600);
});

test("[A9] in a plain cluster nobody waits", () => {
  peer.secure = false;
  const plain = peer.attach({ user: "bob", session: "b".repeat(16) });
  peer.say(plain, "b".repeat(16), "bob", ...texts(1024));
  peer.clients.frame(plain, {
    ...{ type: "CHAT", sender_id: 1, session: "b".repeat(16), first: 1025 },
    messages: texts(500).map((payload) => ({ room_id: "general", user: "bob", ts: 1, payload })),
  });
  expect(gone()).toBe(1524);
});

test("[A9] allowances that nobody uses are forgotten, others are not", () => {
  const allowances = new Allowances();
  const used = allowances.of("used", 0);
  used.messages.take(100, 0);
  const idle = allowances.of("idle", 0);
  for (let i = 0; i < 300; i++) allowances.of(`${i}`, 0);
  expect(allowances.of("used", 0)).toBe(used);
  expect(allowances.of("idle", 0)).not.toBe(idle);
});
