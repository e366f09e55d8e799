/** What a token lets its holder do, and as whom: nothing in another's name, and nothing any more when it is revoked [A8]. */
import { beforeEach, describe, expect, test } from "bun:test";
import { type Held, hashOf, type Line, SecuredPeer, secretOf, sessionOf } from "./secured-peer.ts";

let peer: SecuredPeer;
let bob: Held;
let eve: Held;

beforeEach(() => {
  peer = new SecuredPeer();
  bob = peer.enrols("bob", "write");
  eve = peer.enrols("eve", "write");
});

const code = (line: Line) => line.refusal?.code ?? null;

describe("a client is let in", () => {
  test("[A8] with a token that counts, under its name, whatever it says", () => {
    const line = peer.comes(bob, "olga");
    expect(line.isServed).toBe(true);
    expect(line.frames).toContainEqual(expect.objectContaining({ type: "ATTACHED", user: "bob", rights: "write" }));
    peer.say(line, sessionOf(bob), "olga", "hello");
    expect(peer.chats.flatMap(({ messages }) => messages)).toMatchObject([{ user: "bob", payload: "hello" }]);
  });

  test("[A8] not without one, not with a wrong one, and not with the hash of one, which everybody can read", () => {
    for (const token of [undefined, secretOf("guessed"), hashOf(bob.token).slice(0, 26)])
      expect(code(peer.attach({ ...(token !== undefined && { token }) }))).toBe("stranger");
  });

  test("[A8] one that this peer has not read of yet is sent on, one that it never will is not", () => {
    const ahead = peer.attach({ token: secretOf("new"), seen: peer.commit + 5 });
    expect(code(ahead)).toBe("behind");
    expect(code(peer.attach({ token: secretOf("new"), seen: peer.commit }))).toBe("stranger");
  });

  test("[A8] an enrolment that is not committed here does not count yet", () => {
    const commit = peer.commit;
    const { token, index } = peer.enrols("carol", "write");
    peer.commit = commit;
    expect(code(peer.comes({ token, index }, "carol"))).toBe("stranger");
    peer.commit = peer.last;
    expect(peer.comes({ token, index }, "carol").isServed).toBe(true);
  });

  test("in a plain cluster as ever, token or not", () => {
    peer.secure = false;
    expect(peer.attach({ user: "eve", session: "e".repeat(16) }).isServed).toBe(true);
    expect(peer.attach({ user: "bob", session: "b".repeat(16), token: secretOf("any") }).isServed).toBe(true);
  });
});

describe("whoever takes another's place is refused", () => {
  test("[A8] another's session, and the victim's message goes out", () => {
    const victim = peer.comes(bob, "bob");
    const thief = peer.attach({
      token: eve.token,
      user: "bob",
      session: sessionOf(bob),
      sender_id: 1,
      cluster_id: "cluster",
    });
    expect(code(thief)).toBe("forbidden");
    expect(victim.isEnded).toBe(false);
    const line = peer.comes(eve, "eve");
    expect(() => peer.say(line, sessionOf(bob), "bob", "forged")).toThrow("another session");
    peer.say(victim, sessionOf(bob), "bob", "mine");
    expect(peer.chats.flatMap(({ messages }) => messages.map(({ payload }) => payload))).toEqual(["mine"]);
  });

  test("[A8] a name, at the door, by /nick, and in a text that is said for somebody", () => {
    const line = peer.comes(eve, "bob");
    expect(peer.ask(line, { what: "nick", user: "bob" })).toMatchObject({ event: "error", code: "refused" });
    const said: string[] = [];
    const visitor = peer.attach({ token: eve.token });
    peer.clients.says.offer = (by, _, { user }) => said.push(by.grant.name || user);
    peer.ask(visitor, { what: "say", room_id: "general", user: "bob", payload: "forged" });
    expect(said).toEqual(["eve"]);
  });

  test("[A8] a token's name by the person at a peer, or by who reads its data directory", () => {
    const owner = JSON.parse(new TextDecoder().decode(peer.disk.contents("owner.token")));
    expect(code(peer.comes({ token: owner.token, index: 0 }, "bob"))).toBe("name-in-use");
    expect(peer.comes({ token: owner.token, index: 0 }, "script").isServed).toBe(true);
    expect(peer.clients.keeps("bob")).toBe(true);
    peer.invites(secretOf("kept"), { name: "dora" });
    expect(peer.clients.keeps("dora")).toBe(true);
    peer.clock.skip(61_000);
    expect(peer.clients.keeps("dora")).toBe(false);
  });

  test("[A8] so many connections with one token, and no more", () => {
    const lines = Array.from({ length: 33 }, () => peer.attach({ token: eve.token }));
    expect(lines.filter((line) => line.isServed)).toHaveLength(32);
    expect(code(lines.at(-1) as Line)).toBe("limit");
    expect(peer.attach({ token: bob.token }).isServed).toBe(true);
  });
});

describe("rights", () => {
  test("[A8] who may read says nothing, in a session of its own or in the peer's", () => {
    const reader = peer.enrols("rita", "read");
    const line = peer.comes(reader, "rita");
    expect(line.isServed).toBe(true);
    const said = peer.ask(line, { what: "say", room_id: "general", user: "rita", payload: "x" });
    expect(said).toMatchObject({ event: "error", code: "forbidden" });
    peer.say(line, sessionOf(reader), "rita", "x");
    expect(code(line)).toBe("forbidden");
    expect(peer.chats).toEqual([]);
  });

  test("[A9] who may write cannot invite, look at who may come in, revoke, evict or hand over the lead", () => {
    const line = peer.comes(eve, "eve");
    const expires = peer.clock.wall() + 1000;
    const asked = [
      { what: "invite", role: "client", name: "", rights: "read", uses: 1, expires },
      { what: "access" },
      { what: "revoke", name: "bob" },
      { what: "evict", id: 2 },
      { what: "transfer", id: 2 },
    ] as const;
    for (const [i, question] of asked.entries())
      expect(peer.ask(line, question, i + 1)).toMatchObject({ event: "error", code: "forbidden" });
    expect(peer.inputs.some(({ type }) => type === "access" || type === "evict" || type === "transfer")).toBe(false);
  });
});

describe("a token that is revoked", () => {
  test("[A8] ends its connections when that is committed here, others' stay", () => {
    const [first, second, other] = [peer.comes(bob, "bob"), peer.attach({ token: bob.token }), peer.comes(eve, "eve")];
    const commit = peer.commit;
    peer.enters({ change: "revoke", hash: hashOf(bob.token), by: "olga" });
    expect([first, second].map(code)).toEqual(["revoked", "revoked"]);
    expect(other.isEnded).toBe(false);
    expect(code(peer.comes(bob, "bob"))).toBe("revoked");
    expect(commit).toBe(peer.commit - 1);
  });

  test("[A8] is in force until the majority has it", () => {
    const line = peer.comes(bob, "bob");
    const commit = peer.commit;
    peer.appends({ change: "revoke", hash: hashOf(bob.token), by: "olga" });
    peer.turn();
    expect([line.isEnded, peer.commit]).toEqual([false, commit]);
    peer.commits();
    expect(code(line)).toBe("revoked");
  });

  test("[A8] says nothing more of what waits, and nothing that still arrives is heard", () => {
    const line = peer.comes(bob, "bob");
    peer.enters({ change: "revoke", hash: hashOf(bob.token), by: "olga" });
    peer.say(line, sessionOf(bob), "bob", "late");
    expect(peer.chats).toEqual([]);
  });

  test("[A8] who came without one is let go when a plain cluster becomes a secured one", () => {
    peer.secure = false;
    const line = peer.attach({ user: "bob", session: "b".repeat(16) });
    peer.secure = true;
    peer.turn();
    expect(code(line)).toBe("stranger");
  });
});
