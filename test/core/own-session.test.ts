/** A message is sent when the log says what was typed, not when it has its number [S10]. */
import { describe, expect, test } from "bun:test";
import type { Draft, Entry } from "../../src/core/log-entry.ts";
import type { Chat } from "../../src/core/message.ts";
import { OwnSession, saysSame } from "../../src/core/own-session.ts";
import { Client } from "../../src/core/thin-client.ts";
import type { Puppet } from "../engines/bully/puppet.ts";
import { type Stage, trio } from "../engines/bully/puppets.ts";
import { draft, entryOf } from "./entries.ts";

const BALLOT = { term: 1, leader_id: 1, inc: "i1", boot: 1 };

function entry(counter: number, text: string, over: Partial<Entry> = {}): Entry {
  const said = { room_id: "lobby", user: "u", sender_id: 1, session: "1.s", counter, text };
  return entryOf(counter + 1, BALLOT, "chat", { ...said, ...over });
}

describe("[S10] an entry of the own session", () => {
  const typed = (count: number, reached = count) => {
    const session = new OwnSession("s", "1.s");
    session.push(Array.from({ length: count }, (_, i) => draft(`own ${i + 1}`)));
    session.reached = reached;
    return session;
  };

  test("is own if it says the same in the same room under the same name; a clock says nothing", () => {
    const mine: Draft = { room_id: "lobby", user: "u", ts: 5, payload: "own 1" };
    expect(saysSame(mine, entry(1, "own 1"))).toBe(true);
    expect(saysSame(mine, entry(1, "own 2"))).toBe(false);
    expect(saysSame(mine, entry(1, "own 1", { room_id: "dev" }))).toBe(false);
    expect(saysSame(mine, entry(1, "own 1", { user: "mallory" }))).toBe(false);
  });

  test("that says something else has taken the number: the message is pending still, and those under way come to their end", () => {
    const session = typed(4, 3);
    expect(session.take(entry(1, "own 1"))).toBe("own");
    expect(session.take(entry(2, "forged"))).toBe("lost");
    expect([session.pending, session.isOver, session.last]).toEqual([3, false, 3]);
    expect(session.take(entry(3, "own 3"))).toBe("own");
    expect([session.pending, session.isOver]).toEqual([2, true]);
    expect(session.rest().map(({ counter }) => counter)).toEqual([2, 4]);
  });

  test("where nothing waits, or nothing has gone out, is a stranger's; nothing is thrown away and nothing breaks", () => {
    const empty = typed(0);
    expect(empty.take(entry(1, "forged"))).toBe("strange");
    expect([empty.isOver, empty.next]).toEqual([true, 1]);
    expect(empty.take(entry(2, "forged again"))).toBeNull();
    const unsent = typed(2, 0);
    expect(unsent.take(entry(1, "forged"))).toBe("strange");
    expect(unsent.rest().map(({ counter }) => counter)).toEqual([1, 2]);
  });

  test("says by chance what was typed and never went out: so it is said", () => {
    const session = typed(1, 0);
    expect(session.take(entry(1, "own 1"))).toBe("own");
    expect(session.pending).toBe(0);
  });
});

/** Another member sends texts under the next numbers of somebody's session, as if it passed them on [S6]. */
function forge(stage: Stage, by: Puppet, as: Puppet, leader: Puppet, session: string, ...texts: string[]): void {
  const first = leader.peer.log.state.sessions.get(`${as.id}.${session}`) + 1;
  const chat: Chat = { type: "CHAT", sender_id: as.id, session, first, messages: texts.map((t) => draft(t)) };
  stage.hand(by, leader, chat);
}

describe("[S10] a peer in whose session somebody else writes", () => {
  test("is not told that its own message is sent, and sends it under another number", () => {
    const { stage, b, c, leader } = trio();
    c.say("one");
    stage.pass(500);
    // What it types next does not get through at once, and meanwhile another has used the number.
    stage.held = (frame, from) => from === c && frame.type === "CHAT";
    c.say("two", "three");
    stage.pass(50);
    forge(stage, b, c, leader, "s1", "forged");
    stage.pass(50);
    expect([c.sent, c.notices.includes("number-taken")]).toEqual([["one"], true]);
    expect(c.peer.sender.pending).toBe(2);
    stage.held = () => false;
    stage.until("both are sent", () => c.sent.length === 3);
    expect(c.sent).toEqual(["one", "two", "three"]);
    for (const peer of [b, c, leader]) expect([...peer.heard].sort()).toEqual(["forged", "one", "three", "two"]);
    c.say("four");
    stage.until("it goes on", () => c.sent.length === 4);
  });

  test("hears of what it typed in the order in which it typed it, though the log has another", () => {
    const { stage, b, c, leader } = trio();
    stage.held = (frame, from) => from === c && frame.type === "CHAT";
    c.say("one", "two", "three");
    stage.pass(50);
    const chat = stage.lose(c, leader, "CHAT") as Chat;
    forge(stage, b, c, leader, "s1", "forged");
    // The two that were under way behind it are in the log under their own numbers.
    stage.hand(c, leader, chat);
    stage.quiet();
    expect(leader.texts).toEqual(["forged", "two", "three"]);
    stage.held = () => false;
    stage.until("all are sent", () => c.sent.length === 3);
    expect(c.sent).toEqual(["one", "two", "three"]);
    expect(leader.heard).toEqual(["forged", "two", "three", "one"]);
  });

  test("goes on where the numbers of others are ahead of its own", () => {
    const { stage, b, c, leader } = trio();
    forge(stage, b, c, leader, "s1", "forged 1", "forged 2", "forged 3");
    stage.pass(500);
    expect(c.notices.filter((code) => code === "number-taken")).toHaveLength(1);
    c.say("mine");
    stage.until("it is sent", () => c.sent.length === 1);
    expect(leader.heard).toEqual(["forged 1", "forged 2", "forged 3", "mine"]);
  });

  test("so it is where it leads itself, and where that one does so again and again", () => {
    const { stage, b, leader } = trio();
    for (let round = 1; round <= 5; round++) {
      const session = [...leader.peer.sender.pendingRuns(1)][0]?.session;
      expect(session).toBeUndefined();
      leader.say(`mine ${round}`);
      stage.pass(100);
      const last = leader.delivered.findLast((e) => e.kind === "chat" && e.text === `mine ${round}`) as Entry;
      forge(stage, b, leader, leader, last.session.slice(2), `forged ${round}`);
      stage.pass(100);
    }
    expect(leader.sent).toEqual([1, 2, 3, 4, 5].map((n) => `mine ${n}`));
    expect(b.heard).toHaveLength(10);
  });
});

describe("[S10] a client in whose session somebody else writes", () => {
  const attached = () => {
    const client = new Client({ user: "u", room: "lobby", session: "aaaaaaaaaaaaaaaa" });
    client.onAttached(
      {
        ...{
          type: "ATTACHED",
          cluster_id: "c",
          id: 1,
          sender_id: 1,
          members: [],
          heartbeat: 200,
          leader_timeout: 1200,
        },
        commit: { index: 1, ballot: BALLOT },
      },
      0,
    );
    return client;
  };
  const of = (session: string) => ({ session: `1.${session}` });

  test("is told that nothing is sent, keeps its message, and goes on in another session", () => {
    const client = attached();
    expect(client.submit(draft("mine"))).toBe("1.aaaaaaaaaaaaaaaa.1");
    expect(client.nextChat(0)?.messages).toHaveLength(1);
    expect(client.onEntry(entry(1, "forged", of("aaaaaaaaaaaaaaaa")), 1)).toBe("lost");
    expect([client.pending, client.needsSession, client.nextChat(1)]).toEqual([1, true, null]);
    const renewed = client.renew("bbbbbbbbbbbbbbbb");
    expect(renewed.map(({ was, msg_id }) => [was, msg_id])).toEqual([["1.aaaaaaaaaaaaaaaa.1", "1.bbbbbbbbbbbbbbbb.1"]]);
    expect(client.attach()).toMatchObject({ session: "bbbbbbbbbbbbbbbb", sender_id: 1, seen: 2 });
    expect(client.nextChat(2)).toMatchObject({ session: "bbbbbbbbbbbbbbbb", first: 1 });
    expect(client.onEntry(entry(1, "mine", of("bbbbbbbbbbbbbbbb")), 3)).toBe("own");
    expect(client.pending).toBe(0);
  });

  test("is not frozen by numbers ahead of its own: an empty queue stays empty", () => {
    const client = attached();
    expect(client.onEntry(entry(1, "forged", of("aaaaaaaaaaaaaaaa")), 1)).toBe("strange");
    expect([client.pending, client.needsSession]).toEqual([0, true]);
    expect(client.renew("bbbbbbbbbbbbbbbb")).toEqual([]);
    expect(client.submit(draft("mine"))).toBe("1.bbbbbbbbbbbbbbbb.1");
    expect(client.onEntry(entry(1, "mine", of("bbbbbbbbbbbbbbbb")), 2)).toBe("own");
  });
});
