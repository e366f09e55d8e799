/**
 * A thin client's numbering [S8]: its messages once and in order in the log, whichever peers and leaders carry them,
 * against real peers that speak for it.
 */
import { describe, expect, test } from "bun:test";
import { CLIENT_OUTSTANDING_MESSAGES_MAX, CLIENT_PENDING_MESSAGES_MAX } from "../../src/core/config.ts";
import type { Chat } from "../../src/core/message.ts";
import { Client } from "../../src/core/thin-client.ts";
import type { Puppet } from "../engines/bully/puppet.ts";
import { trio } from "../engines/bully/puppets.ts";
import { draft } from "./entries.ts";

const SESSION = "bobs0session0abc";
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i + 1}`);

function attachedTo(peer: Puppet, client = new Client({ user: "bob", room: "lobby", session: SESSION })): Client {
  const { commit } = peer.peer.log;
  client.onAttached(
    {
      ...{ type: "ATTACHED", cluster_id: "c", id: peer.id, sender_id: client.attach().sender_id || peer.id },
      ...{ commit: peer.peer.log.tailAt(commit), members: [], heartbeat: 200, leader_timeout: 1200 },
    },
    0,
  );
  peer.input({ type: "client-up", client: 1, session: SESSION });
  return client;
}

const say = (client: Client, texts: readonly string[]) => texts.map((text) => client.submit(draft(text)));

/** Shows the client what the peer has committed since. */
function read(client: Client, peer: Puppet): string[] {
  const news = peer.delivered.filter((e) => e.index > (client.seen?.index ?? 0));
  return news.filter((entry) => client.onEntry(entry, 0)).map((e) => e.text);
}

function speak(client: Client, peer: Puppet, now = 0): Chat[] {
  const chats: Chat[] = [];
  for (let chat = client.nextChat(now); chat !== null; chat = client.nextChat(now)) {
    chats.push(chat);
    peer.input({ type: "client-chat", client: 1, chat });
  }
  return chats;
}

describe("a client", () => {
  test("[S8] is heard through a follower and through the leader, under the id of its first peer, for good", () => {
    const { stage, b, leader } = trio();
    const client = attachedTo(b);
    expect(say(client, ["one", "two"])).toEqual([`${b.id}.${SESSION}.1`, `${b.id}.${SESSION}.2`]);
    speak(client, b);
    stage.until("they are committed", () => b.heard.length === 2);
    expect(read(client, b)).toEqual(["one", "two"]);
    attachedTo(leader, client);
    expect(say(client, ["three"])).toEqual([`${b.id}.${SESSION}.3`]);
    speak(client, leader);
    stage.until("it is committed", () => leader.heard.length === 3);
    expect(read(client, leader)).toEqual(["three"]);
    expect(client.pending).toBe(0);
  });

  test("[S8] [I4] whose peer dies with its messages under way says them again elsewhere: each is there once, in order", () => {
    const { stage, b, c, leader } = trio();
    const client = attachedTo(b);
    say(client, numbered(10));
    const [chat] = speak(client, b);
    expect(chat?.messages).toHaveLength(10);
    stage.until("they are committed, and the client does not know", () => leader.heard.length === 10);
    b.crash();
    attachedTo(c, client);
    say(client, ["last"]);
    speak(client, c);
    stage.until("the last is there", () => c.heard.includes("last"));
    expect(c.heard).toEqual([...numbered(10), "last"]);
    expect(read(client, c)).toEqual([...numbered(10), "last"]);
  });

  test("[S8] goes on in its session when the peer that it began with has left the cluster", () => {
    const { stage, b, c, leader } = trio();
    const client = attachedTo(b);
    b.input({ type: "quit" });
    stage.until("it has left", () => b.stopped !== null);
    b.crash();
    attachedTo(c, client);
    say(client, ["still here"]);
    speak(client, c);
    stage.until("it is committed", () => leader.heard.includes("still here"));
    expect(leader.delivered.at(-1)).toMatchObject({ session: `${b.id}.${SESSION}`, counter: 1 });
  });

  test("[S2] [S8] is told the counter that the log expects, and goes back to it", () => {
    const { stage, b } = trio();
    const client = attachedTo(b);
    say(client, ["lost", "kept"]);
    const lost = client.nextChat(0) as Chat;
    b.input({ type: "client-chat", client: 1, chat: { ...lost, first: 2, messages: lost.messages.slice(1) } });
    stage.until("the leader says what it misses", () => b.clientAnswers.length > 0);
    expect(b.clientAnswers).toEqual([{ type: "CHAT_ACK", sender_id: b.id, session: SESSION, expected: 1 }]);
    for (const answer of b.clientAnswers) client.onChatAck(answer);
    speak(client, b);
    stage.until("both are there", () => b.heard.length === 2);
    expect(b.heard).toEqual(["lost", "kept"]);
  });

  test("[S8] speaks for its own session only", () => {
    const { stage, b, leader } = trio();
    attachedTo(b);
    const chat: Chat = {
      type: "CHAT",
      sender_id: b.id,
      session: "another0session1",
      first: 1,
      messages: [draft("no")],
    };
    b.input({ type: "client-chat", client: 1, chat });
    b.input({ type: "client-chat", client: 2, chat: { ...chat, session: SESSION } });
    stage.pass(1000);
    expect(leader.texts).toEqual([]);
  });

  test("[S9] has a window, says again what is not seen for long, ever more patiently, and keeps a bounded number", () => {
    const { b } = trio();
    const client = attachedTo(b);
    say(client, numbered(CLIENT_OUTSTANDING_MESSAGES_MAX + 5));
    const outstanding = (chats: (Chat | null)[]) => chats.reduce((sum, chat) => sum + (chat?.messages.length ?? 0), 0);
    const burst = (now: number) => {
      const chats: Chat[] = [];
      for (let chat = client.nextChat(now); chat !== null; chat = client.nextChat(now)) chats.push(chat);
      return outstanding(chats);
    };
    expect(burst(0)).toBe(CLIENT_OUTSTANDING_MESSAGES_MAX);
    expect(burst(500)).toBe(0);
    expect(burst(501)).toBe(CLIENT_OUTSTANDING_MESSAGES_MAX);
    expect(burst(1100)).toBe(0);
    expect(burst(1502)).toBe(CLIENT_OUTSTANDING_MESSAGES_MAX);
    while (!client.isFull) client.submit(draft("more"));
    expect(client.pending).toBe(CLIENT_PENDING_MESSAGES_MAX);
  });
});
