/**
 * From a typed text to its place in the log [S1] to [S5] [S9]: each message once, in its sender's order, whatever is
 * lost, repeated or overtaken on the way.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BATCH_ENTRIES_MAX,
  OUTSTANDING_BYTES_MAX,
  OUTSTANDING_MESSAGES_MAX,
  UNCOMMITTED_ENTRIES_MAX,
} from "../../../src/core/config.ts";
import type { Chat } from "../../../src/core/message.ts";
import { messageId } from "../../../src/core/message-id.ts";
import { draft } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { trio } from "./puppets.ts";

function chat(from: Puppet, session: string, first: number, texts: readonly string[]): Chat {
  return { type: "CHAT", sender_id: from.id, session, first, messages: texts.map((text) => draft(text)) };
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i + 1}`);

describe("the leader", () => {
  test("[S2] takes what comes next, ignores what it has, and names what is missing", () => {
    const { stage, b, leader } = trio();
    stage.hand(b, leader, chat(b, "x", 1, ["one", "two"]));
    stage.hand(b, leader, chat(b, "x", 2, ["two", "three"]));
    stage.hand(b, leader, chat(b, "x", 1, ["one"]));
    expect(stage.under(leader, b, "CHAT_ACK")).toEqual([]);
    stage.hand(b, leader, chat(b, "x", 5, ["five"]));
    expect(stage.under(leader, b, "CHAT_ACK")).toEqual([
      { type: "CHAT_ACK", sender_id: b.id, session: "x", expected: 4 },
    ]);
    stage.hand(b, leader, chat(b, "y", 1, ["another session"]));
    expect(leader.texts).toEqual(["one", "two", "three", "another session"]);
  });

  test("[S2] whatever arrives, its log has each session's messages from 1 on, each once", () => {
    const frames = fc.array(fc.record({ session: fc.constantFrom("x", "y"), first: fc.nat(8), count: fc.nat(4) }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(frames, (arrivals) => {
        const { stage, b, leader } = trio();
        const next = new Map([
          ["x", 1],
          ["y", 1],
        ]);
        const dumb: string[] = [];
        let refused = 0;
        for (const { session, first, count } of arrivals) {
          const texts = Array.from({ length: count + 1 }, (_, i) => `${session}${first + 1 + i}`);
          stage.hand(b, leader, chat(b, session, first + 1, texts));
          const expected = next.get(session) as number;
          if (first + 1 > expected) {
            refused += 1;
            expect(stage.under(leader, b, "CHAT_ACK").at(-1)?.expected).toBe(expected);
          } else {
            const fresh = texts.slice(expected - first - 1);
            dumb.push(...fresh);
            next.set(session, expected + fresh.length);
          }
        }
        expect(leader.texts).toEqual(dumb);
        expect(stage.under(leader, b, "CHAT_ACK").length).toBe(refused);
      }),
      { seed: 5, numRuns: 100 },
    );
  });

  test("[S2] numbers each room from 1 without gaps, whoever speaks in it", () => {
    const { stage, b, c, leader } = trio();
    for (const [from, room] of [
      [b, "lobby"],
      [c, "attic"],
      [c, "lobby"],
      [leader, "lobby"],
      [b, "attic"],
    ] as const) {
      from.input({ type: "submit", drafts: [draft("m", room)] });
      stage.quiet();
    }
    const places = leader.disk.entries.filter((e) => e.kind === "chat").map((e) => `${e.room_id} ${e.seq_no}`);
    expect(places).toEqual(["lobby 1", "attic 1", "lobby 2", "lobby 3", "attic 2"]);
  });

  test("[I6] takes nothing from a stranger, not even relayed by a member", () => {
    const { stage, b, leader } = trio();
    const stranger = stage.add(9).start({ commit: 0 });
    stage.hand(b, leader, chat(stranger, "x", 1, ["relayed"]));
    stage.held = () => true;
    stage.connect(stranger, leader);
    stage.hand(stranger, leader, chat(stranger, "x", 1, ["unknown"]));
    expect(leader.texts).toEqual([]);
  });

  test("[S5] that takes over an uncommitted message knows it for a duplicate; one that does not takes it again", () => {
    const { stage, b, c, leader } = trio();
    // "kept" is with B as well, "lost" with the leader alone, when the leader dies.
    stage.held = (frame, from) => from === leader && frame.type === "SEQ_CHAT" && frame.entries.length === 0;
    c.say("kept");
    stage.quiet();
    stage.held = (frame, from) => from === leader && frame.type === "SEQ_CHAT";
    c.say("lost");
    stage.quiet();
    expect(leader.texts).toEqual(["kept", "lost"]);
    leader.crash();
    stage.held = () => false;
    stage.until("C's messages are sent", () => c.sent.length === 2);
    // The old leader returns with its own idea of that entry, and gives it up.
    leader.start();
    stage.connect(leader, b, c);
    stage.pass(2000);
    for (const peer of [leader, b, c]) expect(peer.heard).toEqual(["kept", "lost"]);
    expect(leader.last).toBe(b.last);
  });

  test("[S9] takes no more than it may hold uncommitted; what it left is sent again", () => {
    const { stage, b, c, leader } = trio();
    stage.held = (frame) => frame.type === "SEQ_ACK";
    // Its own disk holds it up too, else nothing would be left to confirm.
    leader.syncs = false;
    const batch = numbered(BATCH_ENTRIES_MAX);
    for (let first = 1; first < 1.2 * UNCOMMITTED_ENTRIES_MAX; first += batch.length)
      stage.hand(b, leader, chat(b, "x", first, batch));
    expect(leader.last - leader.peer.log.commit).toBeLessThanOrEqual(UNCOMMITTED_ENTRIES_MAX);
    expect(leader.last - leader.peer.log.commit).toBeGreaterThan(UNCOMMITTED_ENTRIES_MAX - batch.length);
    c.say("after");
    stage.quiet();
    expect(leader.texts).not.toContain("after");
    stage.held = () => false;
    leader.syncs = true;
    stage.until("there was room again", () => c.sent.length === 1);
  });

  test("[S9] [E10] that hands over takes nothing: its successor gets a complete log, and then the message", () => {
    const { stage, b, c, leader } = trio();
    stage.held = (frame, from) => frame.type === "SEQ_ACK" && from === b;
    leader.say("before");
    stage.quiet();
    leader.input({ type: "transfer", to: b.id });
    c.say("meanwhile");
    stage.quiet();
    expect(leader.leads).toBe(true);
    expect(leader.texts).toEqual(["before"]);
    stage.held = () => false;
    stage.until("B leads and everybody heard", () => b.leads && c.heard.length === 2);
    expect(b.heard).toEqual(["before", "meanwhile"]);
  });
});

describe("the sender", () => {
  test("[S1] [I8] counts a message as sent when a majority has it durable and not before", () => {
    const { stage, b, c, leader } = trio();
    leader.syncs = false;
    stage.held = (frame, from) => frame.type === "SEQ_ACK" && from === b;
    c.say("m");
    stage.quiet();
    expect(c.peer.sender.pending).toBe(1);
    expect(c.sent).toEqual([]);
    leader.sync();
    stage.quiet();
    expect(c.sent).toEqual(["m"]);
    expect(c.peer.sender.pending).toBe(0);
  });

  test("[S4] sends again what was lost: a frame, the leader", () => {
    const { stage, b, c, leader } = trio();
    c.say("one");
    stage.lose(c, leader, "CHAT");
    stage.until("it is sent again", () => c.sent.length === 1);
    c.say("two");
    stage.lose(c, leader, "CHAT");
    leader.crash();
    // As soon as there is another: long before a sender would lose its patience.
    stage.pass(300, () => c.sent.length === 2);
    expect(b.heard).toEqual(["one", "two"]);
  });

  test("[R10] does not resend what is still under way, and waits for nothing else that is under way", () => {
    const { stage, c, leader } = trio();
    const goesOn = (arrivedUntil: number) => {
      for (let i = 0; i < 10; i++) {
        const link = c.peer.linkTo(leader) as number;
        c.input({ type: "flow", link, window: 8192, frame: 4096, receives: false, arrivedUntil });
        stage.pass(300);
      }
      return c.sent;
    };
    const saidAt = stage.now;
    c.say("one");
    stage.lose(c, leader, "CHAT");
    expect(goesOn(saidAt - 1)).toEqual([]);
    expect(goesOn(saidAt)).toEqual(["one"]);
  });

  test("[S4] goes back to what the leader misses as soon as it is told", () => {
    const { stage, c, leader } = trio();
    c.say("one");
    stage.lose(c, leader, "CHAT");
    c.say("two");
    stage.quiet();
    expect(leader.texts).toEqual(["one", "two"]);
  });

  test("[S3] drains the sessions of earlier processes one after the other, oldest first", () => {
    const { stage, b, c, leader } = trio();
    c.crash();
    const session = (name: string) => ({
      session: name,
      first: 1,
      drafts: [draft(`${name} one`), draft(`${name} two`)],
    });
    c.start({ commit: c.last, outbox: [session("older"), session("newer")] }).say("now");
    stage.connect(b, c, leader);
    stage.pass(1000);
    expect(leader.heard).toEqual(["older one", "older two", "newer one", "newer two", "now"]);
    expect(c.sent).toEqual(leader.heard);
  });

  test("[S2] [S3] renumbers what is behind a gap in its outbox once the log shows that the missing messages are nowhere", () => {
    const { stage, b, c, leader } = trio();
    c.crash();
    const run = (first: number, texts: readonly string[]) => ({
      ...{ session: "old", first },
      drafts: texts.map((text) => draft(text)),
    });
    const runs = [run(1, ["one"]), run(4, ["four", "five"]), run(8, ["eight"])];
    c.start({ commit: c.last, outbox: runs }).say("now");
    stage.connect(b, c, leader);
    stage.pass(3000);
    expect(leader.heard).toEqual(["one", "four", "five", "eight", "now"]);
    expect(c.sent).toEqual(leader.heard);
    const sessions = leader.disk.entries.flatMap((e) => (e.kind === "chat" ? [messageId(e).split(".").slice(1)] : []));
    expect(sessions).toMatchObject([
      ["old", "1"],
      ["oldr00000004", "1"],
      ["oldr00000004", "2"],
      ["oldr00000008", "1"],
      [expect.stringContaining("s"), "1"],
    ]);
  });

  test("[S9] keeps no more messages under way than its window, and gets them all there", () => {
    const { stage, c, leader } = trio();
    const texts = numbered(OUTSTANDING_MESSAGES_MAX + 2000);
    c.say(...texts);
    const frames = stage.under(c, leader, "CHAT");
    expect(frames.reduce((sum, f) => sum + f.messages.length, 0)).toBe(OUTSTANDING_MESSAGES_MAX);
    expect(Math.max(...frames.map((f) => f.messages.length))).toBeLessThanOrEqual(BATCH_ENTRIES_MAX);
    stage.pass(1000);
    expect(c.sent).toEqual(texts);
  });

  test("[S9] keeps no more bytes under way than its window either, but always something", () => {
    const { stage, c, leader } = trio();
    c.say(...numbered(200).map((n) => n.padEnd(64 * 1024)));
    const under = stage.under(c, leader, "CHAT").flatMap((f) => f.messages);
    const bytes = under.reduce((sum, m) => sum + m.payload.length, 0);
    expect(bytes).toBeLessThanOrEqual(OUTSTANDING_BYTES_MAX);
    expect(bytes).toBeGreaterThan(0);
    stage.pass(1000);
    expect(c.sent.length).toBe(200);
  });
});

test("[I4] [I2] with links that come and go, everybody hears everything once, in each sender's order", () => {
  const happening = fc.oneof(
    fc.record({ say: fc.nat(2) }),
    fc.record({ cut: fc.nat(2) }),
    fc.record({ mend: fc.nat(2) }),
    fc.record({ pass: fc.constantFrom(10, 100, 1500) }),
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), (story) => {
      const { stage, b, c, leader } = trio();
      const peers = [c, b, leader];
      const said = peers.map((): string[] => []);
      const at = (i: number) => peers[i] as Puppet;
      const pair = (i: number) => [at(i), at((i + 1) % 3)] as const;
      for (const event of story) {
        if ("say" in event) {
          const texts = [0, 1, 2].map((i) => `${event.say}.${(said[event.say]?.length ?? 0) + i}`);
          said[event.say]?.push(...texts);
          at(event.say).say(...texts);
        } else if ("cut" in event) stage.cut(...pair(event.cut));
        else if ("mend" in event) stage.connect(...pair(event.mend));
        else stage.pass(event.pass);
      }
      stage.connect(...peers);
      stage.until("everything is sent", () => peers.every((p, i) => p.sent.length === said[i]?.length));
      stage.pass(2 * stage.timings.heartbeat);
      for (const peer of peers) {
        expect(peer.heard).toEqual(leader.heard);
        expect(peer.heard.length).toBe(said.flat().length);
        for (const [i, texts] of said.entries()) expect(peer.heard.filter((t) => t.startsWith(`${i}.`))).toEqual(texts);
      }
    }),
    { seed: 6, numRuns: 150 },
  );
});
