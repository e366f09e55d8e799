/** Clients of a secured cluster of real hosts: nobody speaks as another, reads without right, or stays when revoked [A8]. */
import { expect, test } from "bun:test";
import { NO_BALLOT } from "../../../src/core/ids.ts";
import { sessionStart } from "../../../src/core/thin-client.ts";
import { type Enrolled, RawClient, SecuredCluster } from "../secured-cluster.ts";
import { messages, payloads, type Run, say, sent, told } from "../virtual-cluster.ts";

const codes = (run: Run<unknown>) => told(run).map(({ code }) => code);
const reasons = (run: Run<unknown>) => run.stops.map(({ reason }) => reason).join();

test("[A8] who is invited comes once, talks at any peer, and goes on at another one when that dies", () => {
  const cluster = SecuredCluster.invited();
  const invitation = cluster.invites(2, { name: "bob" });
  const bob = cluster.redeems(invitation, "somebody") as Enrolled;
  expect(bob.name).toBe("bob");
  expect(cluster.redeems(invitation, "eve")).toBe("invite-used");
  const client = cluster.isServed(bob, 1);
  say(client, "hello");
  cluster.until(() => sent(client).length === 1);
  cluster.kill(1);
  say(client, "still here");
  cluster.until(() => sent(client).length === 2);
  cluster.until(() => payloads(cluster.peer(2)).length === 2);
  expect(messages(cluster.peer(2)).map(({ user, payload }) => [user, payload])).toEqual([
    ["bob", "hello"],
    ["bob", "still here"],
  ]);
  expect(codes(client)).toEqual(["peer-lost", "attached"]);
});

test("[A8] who takes over a session is refused at every peer, and the victim's messages go out", () => {
  const cluster = SecuredCluster.invited();
  const [bob, eve] = [cluster.enrols("bob"), cluster.enrols("eve")];
  const victim = cluster.isServed(bob, 1);
  say(victim, "one");
  cluster.until(() => sent(victim).length === 1);
  const [sender, session = ""] = messages(cluster.peer(1))[0]?.msg_id.split(".") ?? [];
  const sender_id = Number(sender);
  const forged = { room_id: "general", user: "bob", ts: 1, payload: "forged" };
  const { cluster_id } = cluster.invites(1);
  for (const peer of [1, 2, 3]) {
    const thief = new RawClient(cluster, peer, { token: eve.token, user: "bob", session, sender_id, cluster_id });
    cluster.until(() => thief.closed !== null);
    expect(thief.refusal).toBe("forbidden");
    const own = `${sessionStart(eve.index)}abcdefgh${peer}`;
    const other = new RawClient(cluster, peer, { token: eve.token, user: "eve", session: own });
    cluster.until(() => other.isServed);
    other.say({ type: "CHAT", sender_id, session, first: 2, messages: [forged] });
    cluster.until(() => other.closed !== null);
    expect(other.refusal).toBe("malformed");
  }
  say(victim, "two");
  cluster.until(() => sent(victim).length === 2);
  expect(payloads(cluster.peer(3))).toEqual(["one", "two"]);
  expect(codes(victim)).toEqual([]);
});

test("[A8] who takes a name speaks under its own; a person at a peer does not get that of a token", () => {
  const cluster = SecuredCluster.invited();
  const [bob, eve] = [cluster.enrols("bob"), cluster.enrols("eve")];
  const victim = cluster.isServed(bob, 1);
  const session = `${sessionStart(eve.index)}abcdefghi`;
  const thief = new RawClient(cluster, 2, { token: eve.token, user: "bob", session });
  cluster.until(() => thief.isServed);
  const forged = { room_id: "general", user: "bob", ts: 1, payload: "forged" };
  thief.say({ type: "CHAT", sender_id: 2, session, first: 1, messages: [forged] });
  const { ts: _, ...said } = forged;
  thief.say({ type: "ASK", request: 1, question: { what: "say", ...said } });
  cluster.pass(500);
  thief.say({ type: "ASK", request: 2, question: { what: "nick", user: "bob" } });
  say(victim, "mine");
  cluster.until(() => sent(victim).length === 1);
  cluster.until(() => messages(cluster.peer(3)).length >= 2);
  for (const { user, payload } of messages(cluster.peer(3))) expect(user).toBe(payload === "mine" ? "bob" : "eve");
  expect(cluster.asks(cluster.peer(3), { what: "nick", user: "bob" })).toMatchObject({ code: "name-in-use" });
  expect(cluster.redeems(cluster.invites(1), "bob")).toBe("name-in-use");
  expect(cluster.redeems(cluster.invites(1), "user2")).toBe("name-in-use");
  cluster.kill(2);
  cluster.start(2, { name: "eve" }, "2");
  cluster.until(() => cluster.peer(2).stops.length > 0);
  expect(reasons(cluster.peer(2))).toContain('"eve" belongs to a token');
});

test("[A8] who has no token reads nothing, whatever it asks", () => {
  const cluster = SecuredCluster.invited();
  say(cluster.peer(1), "secret words");
  cluster.until(() => payloads(cluster.peer(3)).length === 1);
  const after = { index: 0, ballot: NO_BALLOT };
  for (const token of [undefined, cluster.invites(1).secret]) {
    const stranger = new RawClient(cluster, 1, { ...(token !== undefined && { token }) });
    stranger.say({ type: "CATCHUP_REQ", ballot: null, after });
    stranger.say({ type: "ASK", request: 1, question: { what: "history", room_id: "general", count: 9, text: "" } });
    cluster.until(() => stranger.closed !== null);
    expect(stranger.frames.map(({ type }) => type)).toEqual(["HELLO", "REFUSE"]);
    expect(stranger.refusal).toBe("stranger");
  }
});

test("[A8] who may read reads, and says nothing", () => {
  const cluster = SecuredCluster.invited();
  const reader = cluster.isServed(cluster.enrols("rita", "read"), 2);
  say(cluster.peer(1), "to all");
  cluster.until(() => payloads(reader).length === 1);
  expect(reader.service.submit("general", "me too")).toMatchObject({ ok: false, code: "forbidden" });
  expect(cluster.asks(reader, { what: "access" })).toMatchObject({ event: "error", code: "forbidden" });
});

test("[A8] a token that is revoked ends everywhere at once, and nothing of its holder comes after", () => {
  const cluster = SecuredCluster.invited();
  const [bob, carl] = [cluster.enrols("bob"), cluster.enrols("carl")];
  const [first, other] = [cluster.isServed(bob, 1), cluster.isServed(carl, 2)];
  const visitor = new RawClient(cluster, 3, { token: bob.token });
  cluster.until(() => visitor.isServed);
  say(first, "last words");
  cluster.until(() => sent(first).length === 1);
  expect(cluster.asks(cluster.peer(3), { what: "revoke", name: "bob" })).toMatchObject({ code: "done" });
  cluster.until(() => first.stops.length === 1 && visitor.closed !== null);
  expect(codes(first)).toEqual(["revoked"]);
  expect(visitor.refusal).toBe("revoked");
  const again = cluster.comes(bob, 3);
  cluster.until(() => again.stops.length === 1);
  expect(codes(again)).toEqual(["revoked"]);
  say(other, "still here");
  cluster.until(() => sent(other).length === 1);
  expect(payloads(cluster.peer(1))).toEqual(["last words", "still here"]);
  const report = cluster.asks(cluster.peer(1), { what: "access" });
  const users = report.event === "access" ? report.users : [];
  expect(users.map(({ name, revoked }) => [name, revoked])).toEqual([
    ["carl", false],
    ["bob", true],
  ]);
});

test("[A9] who has all rights invites, revokes, evicts and hands over the lead from far away", () => {
  const cluster = SecuredCluster.invited();
  const ada = cluster.isServed(cluster.enrols("ada", "admin"), 1);
  const expires = ada.clock.wall() + 60_000;
  const invitation = cluster.asks(ada, {
    ...{ what: "invite", role: "client", name: "", rights: "read", uses: 2, expires },
  });
  expect(invitation).toMatchObject({ event: "invitation", uses: 2 });
  const led: (number | null)[] = [];
  ada.service.transfer(2);
  cluster.until(() => {
    led.push(cluster.status(1).leader_id);
    return led.includes(2) && codes(ada).includes("done");
  });
  // The highest id takes the lead again.
  cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).leader_id === 3));
  ada.service.evict(2);
  cluster.until(() => cluster.peer(2).stops.length === 1 && codes(ada).filter((code) => code === "done").length === 2);
  expect(reasons(cluster.peer(2))).toContain("evicted");
  const report = cluster.asks(ada, { what: "access" });
  const members = report.event === "access" ? report.members : [];
  expect(members.map(({ id, key }) => [id, key !== null])).toEqual([
    [1, true],
    [2, false],
    [3, true],
  ]);
});

test("[A8] an invitation and a token that a majority never confirmed are not told", () => {
  const cluster = SecuredCluster.invited();
  const invitation = cluster.invites(1);
  for (const id of [2, 3]) cluster.kill(id);
  expect(cluster.redeems(invitation, "bob")).toBe("closing");
});
