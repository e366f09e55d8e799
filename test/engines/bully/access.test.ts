/** Who may come into a secured cluster, and who is heard there [A3] [A4] [A6] [A7] [A10]. */
import { expect, test } from "bun:test";
import type { Frame } from "../../../src/core/frame.ts";
import type { AccessChange, Configuration } from "../../../src/core/log-entry.ts";
import { hashOf } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { type Stage, trio } from "./puppets.ts";

function invitation(name: string, more: { uses?: number; expires?: number; role?: "member" | "client" } = {}) {
  const rights = { role: "member", name: "", rights: "write", uses: 1, expires: 1000, by: "anna" } as const;
  return { change: "invite", hash: hashOf(name), ...rights, ...more } as const;
}

/** Secured, and the leader has that in its committed log. */
function secured(...changes: AccessChange[]) {
  const cast = trio(true);
  const { stage, leader } = cast;
  for (const [request, change] of changes.entries()) leader.input({ type: "access", request, change });
  stage.until("all have it", () => stage.puppets.every((p) => p.peer.log.commit === leader.last));
  expect(leader.accessAnswers).toEqual(changes.map(() => "ok"));
  return cast;
}

function newcomer(stage: Stage, id: number, invite: string | null, inc = `i${id}`): Puppet {
  const puppet = stage.add(id, inc);
  puppet.key = hashOf(`k${id}${inc === `i${id}` ? "" : inc}`);
  puppet.invite = invite;
  return puppet.start({ commit: 0 });
}

/** Dials whoever hung up, as a host does, until something holds. */
function untilDialling(stage: Stage, who: Puppet, whom: Puppet[], holds: () => boolean): void {
  for (let rounds = 0; rounds < 100 && !holds(); rounds++) {
    for (const other of whom) if (who.runs && other.runs) stage.connect(who, other);
    stage.pass(300, holds);
  }
  expect(holds()).toBe(true);
}

function configuration(puppet: Puppet): Configuration {
  return puppet.peer.configuration as Configuration;
}

const frames = (from: Puppet, to: Puppet, stage: Stage, types: Frame["type"][]) =>
  types.flatMap((type) => stage.under(from, to, type));

test("[A6] [A7] an invitation lets one peer in, at whichever member it knocks, and the configuration names it", () => {
  const { stage, b, c, leader } = secured(invitation("x"));
  const j = newcomer(stage, 4, "x");
  stage.connect(j, b);
  stage.until("b has answered", () => j.peer.view.keys().size === 3);
  expect([...j.peer.view.keys()].sort()).toEqual(["k1", "k2", "k3"].map(hashOf));
  stage.connect(j, leader);
  stage.until("it is a member", () => j.role !== null && j.peer.log.commit === leader.last);
  const brought = leader.disk.entries.filter((e) => e.kind === "config").map((e) => e.data as Configuration);
  expect(brought.flatMap((data) => data.invites ?? [])).toEqual([hashOf("x")]);
  expect(brought[0]?.secure).toBe(true);
  expect(leader.peer.keyOf(j)).toBe(hashOf("k4"));
  // It is one of them now.
  stage.connect(j, c);
  expect(c.peer.isLinked(j)).toBe(true);
  j.say("hello");
  stage.until("all have heard it", () => [b, c, leader, j].every((p) => p.heard.includes("hello")));
});

test("[A7] of two that come with one invitation, at two members, one is admitted; the other is told", () => {
  const { stage, b, c, leader } = secured(invitation("x"));
  const [i, j] = [newcomer(stage, 4, "x"), newcomer(stage, 5, "x")];
  stage.connect(i, b);
  stage.connect(j, c);
  stage.connect(i, leader);
  stage.connect(j, leader);
  stage.until("one is refused", () => leader.notices.includes("invite-used"));
  stage.pass(2000);
  expect([i, j].filter((p) => p.role !== null)).toHaveLength(1);
  expect(leader.peer.view.access.invitations.get(hashOf("x"))?.left).toBe(0);
});

test("[A6] [A7] without an invitation, with one that is wrong, over, of the other kind or revoked: refused, and told which", () => {
  const revoke = { change: "revoke", hash: hashOf("r"), by: "anna" } as const;
  const { stage, b, leader } = secured(
    invitation("old", { expires: 50 }),
    invitation("client", { role: "client" }),
    invitation("r"),
    revoke,
  );
  for (const p of stage.puppets) p.wall = 60;
  const tries = [null, "guessed", "old", "client", "r"].map((invite, i) => {
    const j = newcomer(stage, 10 + i, invite);
    stage.connect(j, leader);
    stage.pass(500);
    const told = leader.notices.at(-1);
    stage.connect(j, b);
    stage.pass(500);
    return [invite, told, b.notices.at(-1), j.role];
  });
  expect(tries).toEqual([
    [null, "stranger", "stranger", null],
    ["guessed", "stranger", "stranger", null],
    // A follower's clock judges nothing: it leads the newcomer to its leader.
    ["old", "invite-expired", "stranger", null],
    ["client", "forbidden", "forbidden", null],
    ["r", "revoked", "revoked", null],
  ]);
  expect(leader.disk.entries.some((e) => e.kind === "config")).toBe(false);
});

test("[A6] an id that somebody has is not freed by waiting, only by /evict; who quit keeps it and comes back without an invitation", () => {
  const { stage, b, c, leader } = secured(invitation("x", { uses: 3 }));
  c.input({ type: "quit" });
  stage.until("c has left", () => c.stopped !== null && leader.peer.memberOf(c)?.role === "left");
  c.crash();
  stage.pass(leader.peer.timings.eviction + 1000);
  const thief = newcomer(stage, c.id, "x", "thief");
  stage.connect(thief, leader);
  stage.pass(500);
  expect(leader.notices.at(-1)).toBe("id-away");
  expect(thief.role).toBeNull();
  // Its owner needs nothing but its directory.
  c.stopped = null;
  c.start();
  stage.connect(c, leader);
  stage.until("c is back", () => leader.peer.memberOf(c)?.role !== "left");
  stage.cut(c, leader);
  c.crash();
  b.input({ type: "evict", id: c.id });
  stage.until("it is evicted", () => leader.peer.memberOf(c)?.role === "left");
  expect(leader.peer.memberOf(c)?.key).toBeUndefined();
  untilDialling(stage, thief, [leader], () => thief.role !== null);
  expect(leader.peer.memberOf(c)).toBeNull();
});

test("[A3] of a link that has proven no member's key nothing is heard but its JOIN, and it is told nothing", () => {
  const { stage, b, c, leader } = secured();
  const before = b.peer.promised;
  const high = { term: before.term + 5, leader_id: c.id, inc: c.inc, boot: c.boot };
  c.crash();
  // The id and the incarnation of a member, the key of nobody.
  const impostor = stage.add(c.id, c.inc);
  impostor.key = hashOf("rogue");
  impostor.disk.entries = [...c.disk.entries];
  impostor.disk.durable = c.disk.durable;
  impostor.start();
  stage.connect(impostor, b, leader);
  leader.say("secret");
  stage.hand(impostor, b, { type: "COORDINATOR", ballot: high, peer: { id: c.id, host: "127.0.0.1", port: 6001 } });
  stage.hand(impostor, b, { type: "PREPARE", ballot: high });
  stage.hand(impostor, b, { type: "CATCHUP_REQ", ballot: null, after: { index: 1, ballot: before } });
  stage.hand(impostor, leader, { type: "ADMIN", op: "evict", id: b.id });
  expect(frames(leader, impostor, stage, ["SEQ_CHAT", "HEARTBEAT", "CATCHUP_RESP"])).toEqual([]);
  expect(frames(b, impostor, stage, ["CATCHUP_RESP", "ELECTION_DENY", "NACK", "PROMISE"])).toEqual([]);
  stage.pass(3000);
  expect(b.peer.promised).toEqual(before);
  expect([b, leader].map((p) => p.peer.isLinked(c))).toEqual([false, false]);
  expect(b.peer.senders.strangers).toBeGreaterThan(2);
  expect(impostor.texts).not.toContain("secret");
  // The one whose key it is comes back as ever.
  stage.isolate(impostor);
  c.start();
  stage.connect(c, b, leader);
  stage.until("c has it", () => c.heard.includes("secret"));
});

test("[A4] /evict works on the living: its key counts no more, its votes and its words are not heard, and it comes back invited only", () => {
  const { stage, b, c, leader } = secured(invitation("x"));
  b.input({ type: "evict", id: c.id });
  stage.until("the others know", () => [b, leader].every((p) => p.peer.view.keyOf(c) === null));
  expect(b.notices).toContain("done");
  expect(leader.peer.memberOf(c)).toMatchObject({ role: "left" });
  const { sequencer } = leader.peer.view;
  const ballot = { term: (sequencer?.term ?? 0) + 3, leader_id: c.id, inc: c.inc, boot: c.boot };
  for (const other of [b, leader]) {
    expect(other.peer.isLinked(c)).toBe(false);
    stage.hand(c, other, { type: "PREPARE", ballot });
  }
  leader.say("after it");
  stage.pass(2000);
  expect([b, leader].map((p) => p.peer.promised.term < ballot.term)).toEqual([true, true]);
  expect(c.texts).not.toContain("after it");
  expect(leader.notices).toContain("evicted");
  // An invitation brings its directory back.
  c.crash();
  c.invite = "x";
  c.start();
  untilDialling(stage, c, [b, leader], () => c.heard.includes("after it"));
  expect(leader.peer.view.keyOf(c)).toBe(hashOf("k1"));
});

test("[A4] who is being evicted may be needed for that: its link stays until it is committed, though it asks to join", () => {
  const { stage, b, c, leader } = secured();
  b.crash();
  stage.held = (frame, from) => frame.type === "SEQ_ACK" && from === c;
  leader.input({ type: "evict", id: c.id });
  stage.until("it is in both logs", () => [c, leader].every((p) => p.peer.memberOf(c)?.role === "left"));
  stage.pass(1000);
  expect(leader.notices).not.toContain("evicted");
  expect(leader.peer.isLinked(c)).toBe(true);
  stage.held = () => false;
  stage.until("it is committed", () => leader.peer.view.keyOf(c) === null);
});

test("[A11] nobody becomes a voter whose key a voter does not know yet", () => {
  const { stage, b, c, leader } = secured(invitation("x", { uses: 2 }));
  stage.isolate(c);
  const [i, j] = [newcomer(stage, 4, "x"), newcomer(stage, 5, "x")];
  untilDialling(stage, i, [leader], () => i.role !== null);
  untilDialling(stage, j, [leader], () => j.role !== null);
  stage.connect(i, j, b, leader);
  stage.pass(3000);
  expect([i, j].map((p) => [p.role, p.peer.log.commit === leader.last])).toEqual([
    ["observer", true],
    ["observer", true],
  ]);
  stage.connect(c, b, leader);
  stage.until("five vote", () => leader.peer.view.configuration?.members.every((m) => m.role === "voter") === true);
});

test("[A4] a leader that is to evict itself hands over first, and says so", () => {
  const { stage, b, c, leader } = secured();
  // Or the highest would take the lead again at once [E10].
  leader.say("not young any more");
  c.input({ type: "evict", id: leader.id });
  stage.until("another one leads", () => b.leads || c.leads);
  expect(c.notices).toContain("refused");
  expect(b.peer.memberOf(leader)?.role).toBe("voter");
  const next = b.leads ? b : c;
  next.input({ type: "evict", id: leader.id });
  stage.until("it is evicted", () => next.peer.view.keyOf(leader) === null);
});

test("[A5] a change goes to the leader and is answered; twice the same is one entry; without a leader it is to be asked again", () => {
  const { stage, b, leader } = secured();
  const change = invitation("x");
  for (const request of [1, 2]) b.input({ type: "access", request, change });
  b.input({ type: "access", request: 3, change: { change: "revoke", hash: hashOf("nobody"), by: "anna" } });
  stage.until("three answers", () => b.accessAnswers.length === 3);
  expect(b.accessAnswers).toEqual(["ok", "ok", "stranger"]);
  expect(leader.disk.entries.filter((e) => e.kind === "access")).toHaveLength(1);
  stage.until("b has it", () => b.peer.view.access.invitations.has(hashOf("x")));
  leader.crash();
  b.input({ type: "access", request: 4, change });
  stage.until("b is told", () => b.accessAnswers.length === 4);
  expect(b.accessAnswers[3]).toBe("closing");
  // The leader dies with the question: the answer comes from here.
  stage.until("another one leads", () => stage.puppets.some((p) => p.runs && p.leads));
  const [next, other] = stage.puppets.filter((p) => p.runs).sort((x) => (x.leads ? -1 : 1)) as [Puppet, Puppet];
  stage.held = (frame) => frame.type === "ACCESS_ACK";
  other.accessAnswers = [];
  other.input({ type: "access", request: 5, change });
  stage.pass(200);
  expect(other.accessAnswers).toEqual([]);
  next.crash();
  stage.pass(500);
  expect(other.accessAnswers).toEqual(["closing"]);
});

test("[A7] a client's invitation is judged by the leader's clock, when it is used up", () => {
  const { stage, b, leader } = secured(invitation("c", { role: "client", expires: 50, uses: 2 }));
  const user = (name: string) =>
    ({ change: "user", hash: hashOf(`t${name}`), name, rights: "write", invite: hashOf("c") }) as const;
  b.wall = 1000;
  b.input({ type: "access", request: 1, change: user("bob") });
  stage.until("bob is in", () => b.accessAnswers.length === 1);
  leader.wall = 50;
  b.input({ type: "access", request: 2, change: user("eve") });
  stage.until("eve is refused", () => b.accessAnswers.length === 2);
  expect(b.accessAnswers).toEqual(["ok", "invite-expired"]);
  const [entry] = leader.disk.entries.filter((e) => e.kind === "access").slice(-1);
  expect(entry).toMatchObject({ ts: 0, data: user("bob") });
});

test("[A10] /secure needs every member here with a key; then one configuration binds them all", () => {
  const { stage, b, c, leader } = trio();
  leader.input({ type: "access", request: 1, change: invitation("x") });
  expect(leader.accessAnswers).toEqual(["plain"]);
  b.input({ type: "secure" });
  stage.until("b is told", () => b.notices.includes("refused"));
  expect(leader.peer.view.secure).toBe(false);
  for (const p of [b, c, leader]) {
    stage.isolate(p);
    p.crash();
    p.key = hashOf(`k${p.id}`);
  }
  for (const p of [b, c, leader]) p.start();
  stage.connect(b, c, leader);
  stage.until("one leads", () => [b, c, leader].some((p) => p.leads));
  b.input({ type: "secure" });
  stage.until("all are secured", () =>
    [b, c, leader].every((p) => p.peer.view.secure && p.peer.view.keyOf(c) !== null),
  );
  const members = configuration(b).members.map(({ key }) => key);
  expect(members).toEqual(["k1", "k2", "k3"].map(hashOf));
  b.notices = [];
  b.input({ type: "secure" });
  stage.until("b is told", () => b.notices.length > 0);
  expect(b.notices).toEqual(["refused"]);
  leader.say("still here");
  stage.until("all hear it", () => [b, c, leader].every((p) => p.heard.includes("still here")));
});
