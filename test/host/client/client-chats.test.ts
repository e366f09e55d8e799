/** What clients say goes on in turns [S9], and room is made by what the log has, by a new leader, and by time. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { Ballot } from "../../../src/core/ids.ts";
import type { Chat } from "../../../src/core/message.ts";
import type { Input } from "../../../src/engines/engine.ts";
import type { EngineView } from "../../../src/engines/view.ts";
import { ClientChats } from "../../../src/host/client/client-chats.ts";
import { ManualClock } from "../manual-clock.ts";

const [FLOOD, CALM] = [1, 2];
/** Weighs about a quarter of what all clients may have under way. */
const LONG = "x".repeat(32 * 1024);

let clock: ManualClock;
let chats: ClientChats;
let passed: { client: number; first: number }[];
let log: { state: { sessions: Map<string, number> & { get(key: string): number } }; last: number; commit: number };
let sequencer: Ballot;

beforeEach(() => {
  clock = new ManualClock();
  passed = [];
  const sessions = new Map<string, number>();
  log = {
    state: { sessions: { get: (key: string) => sessions.get(key) ?? 0, set: sessions.set.bind(sessions) } as never },
    last: 0,
    commit: 0,
  };
  sequencer = { term: 1, leader_id: 1, inc: "a", boot: 1 };
  chats = new ClientChats({
    clock,
    // All that is asked of the core here.
    peer: () => ({ log, sequencer }) as unknown as EngineView,
    input: (input: Input) => {
      if (input.type === "client-chat") passed.push({ client: input.client, first: input.chat.first });
    },
  });
  chats.onTurn();
});

function say(client: number, first: number, payload: string, count = 1): void {
  const message = { room_id: "general", user: "u", ts: 1, payload };
  const chat: Chat = { type: "CHAT", sender_id: 1, session: `s${client}`, first, messages: Array(count).fill(message) };
  chats.chat(client, null, chat);
}

function committed(client: number, through: number): void {
  log.state.sessions.set(`1.s${client}`, through);
  log.last += 1;
  log.commit = log.last;
  chats.onTurn();
}

function flood(): void {
  for (let first = 1; first <= 40; first++) say(FLOOD, first, LONG);
}

describe("beside a client that floods", () => {
  test("another one's message is the next to go", () => {
    flood();
    const before = passed.length;
    expect(before).toBeLessThan(10);
    say(CALM, 1, "hello");
    committed(FLOOD, before);
    expect(passed[before]).toEqual({ client: CALM, first: 1 });
  });

  test("another one's message goes between the pieces of one long run of messages", () => {
    say(FLOOD, 1, "x".repeat(1000), 100);
    say(CALM, 1, "hello");
    // Behind the pieces that are under way, and in front of all the rest.
    expect(passed.at(-1)).toEqual({ client: CALM, first: 1 });
    expect(passed.length).toBeLessThan(10);
    committed(CALM, 1);
    for (let before = 0; before < passed.length; ) {
      before = passed.length;
      committed(FLOOD, 100);
    }
    const runs = passed.filter(({ client }) => client === FLOOD).map(({ first }) => first);
    expect(runs).toEqual([...runs].sort((a, b) => a - b));
    expect(new Set(runs).size).toBe(runs.length);
    expect(runs.at(-1)).toBeGreaterThan(90);
  });

  test("what is in the log without a majority makes no room yet", () => {
    flood();
    const before = passed.length;
    log.state.sessions.set("1.s1", before);
    log.last = before;
    chats.onTurn();
    expect(passed).toHaveLength(before);
    log.commit = before;
    chats.onTurn();
    expect(passed.length).toBeGreaterThan(before);
  });

  test("a text for the peer's own session has its turn as well, and makes room when it is said", () => {
    flood();
    const before = passed.length;
    let said = 0;
    chats.offer(CALM, null, { payload: "hello" }, () => {
      said += 1;
    });
    committed(FLOOD, before);
    expect(said).toBe(1);
    chats.said(CALM, { payload: "hello" });
  });
});

describe("what was lost on the way", () => {
  test("counts no more under a new leader, after a while, or when its client leaves", () => {
    const ways = [
      () => {
        sequencer = { ...sequencer, term: 2 };
      },
      () => void clock.after(2001, () => {}),
      () => chats.forget(FLOOD),
    ];
    for (const way of ways) {
      flood();
      passed.length = 0;
      say(CALM, 1, LONG, 3);
      way();
      clock.run();
      chats.onTurn();
      expect(passed.some(({ client }) => client === CALM)).toBe(true);
      chats.forget(FLOOD);
      chats.forget(CALM);
    }
  });

  test("is said again from there on, each once", () => {
    flood();
    const firsts = passed.map(({ first }) => first);
    chats.onChatAck(FLOOD);
    passed.length = 0;
    flood();
    expect(passed.map(({ first }) => first)).toEqual(firsts);
    say(FLOOD, 1, "again");
    expect(passed.at(-1)).toEqual({ client: FLOOD, first: 1 });
  });
});
