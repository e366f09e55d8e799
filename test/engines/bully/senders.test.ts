/** Who may send what [W6]: strangers lead nobody, answers are heard of those who were asked, and who is behind still gets in. */
import { describe, expect, test } from "bun:test";
import type { Frame } from "../../../src/core/frame.ts";
import { NO_BALLOT } from "../../../src/core/ids.ts";
import type { Entry } from "../../../src/core/log-entry.ts";
import { address, draft, entryOf, seal } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

/** Somebody who is connected to the others, and says nothing but what the test lets it. */
function stranger(stage: Stage, ...to: Puppet[]): Puppet {
  const mute = stage.add(9, "stranger").start();
  const { held } = stage;
  stage.held = (frame, from, to_) => from === mute || held(frame, from, to_);
  for (const other of to) stage.connect(mute, other);
  return mute;
}

/** What a leader sends, as somebody would who says that he leads, with his own entry behind the log of `to`. */
function leaderFrames(from: Puppet, to: Puppet, term: number): Frame[] {
  const ballot = { term, leader_id: from.id, inc: from.inc, boot: from.boot };
  const { log } = to.peer;
  const { index, ballot: prevBallot } = log.tail;
  const prev = { prev_index: index, prev_ballot: prevBallot, prev_crc: log.state.crc };
  const said = {
    room_id: "lobby",
    sender_id: from.id,
    user: "u",
    session: `${from.id}.s1`,
    counter: 1,
    text: "forged",
  };
  const entry = entryOf(index + 1, ballot, "chat", { ...said, seq_no: log.state.rooms.get("lobby") + 1 });
  seal(entry, log.state.crc);
  return [
    { type: "COORDINATOR", ballot, peer: { id: from.id, ...address(from.id) } },
    { type: "HEARTBEAT", ballot, commit: index, quorum: true, last_index: index, acked: [], ...prev },
    { type: "SEQ_CHAT", ballot, commit: index + 1, entries: [entry], ...prev },
    { type: "PREPARE", ballot },
    { type: "ABDICATE", ballot, to: 0 },
  ];
}

describe("[W6] a stranger", () => {
  test("leads nobody: neither while a leader lives, nor when there is none", () => {
    const { stage, b, c, leader } = trio();
    const mute = stranger(stage, b, c, leader);
    const { promised } = b.peer;
    for (const frame of leaderFrames(mute, b, promised.term + 1)) stage.hand(mute, b, frame);
    expect(b.peer.promised).toEqual(promised);
    leader.crash();
    stage.cut(b, c);
    stage.pass(5000);
    expect(b.peer.leader).toBeNull();
    const bound = b.peer.promised;
    for (const frame of leaderFrames(mute, b, bound.term + 1)) stage.hand(mute, b, frame);
    expect(b.peer.promised).toEqual(bound);
    expect(b.texts).not.toContain("forged");
    expect(b.peer.senders.strangers).toBeGreaterThan(8);
    stage.connect(b, c);
    stage.until("another leads", () => b.leads || c.leads);
  });

  test("is told that it is below the promise, as anybody is [E13]", () => {
    const { stage, b } = trio();
    const mute = stranger(stage, b);
    const [, heartbeat] = leaderFrames(mute, b, 0);
    stage.hand(mute, b, heartbeat as Frame);
    expect(stage.under(b, mute, "NACK")).toHaveLength(1);
  });

  test("that promises the best log is not asked for it: only promises of peers that were asked count", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter"]);
    const [a, b, c] = peers;
    const mute = stranger(stage, a);
    const heldBefore = stage.held;
    stage.held = (frame, from, to) => frame.type === "PROMISE" || heldBefore(frame, from, to);
    stage.connect(a, b, c);
    stage.until("somebody prepares", () => peers.some((p) => p.peer.election.preparing));
    const candidate = peers.find((p) => p.peer.election.preparing) as Puppet;
    stage.connect(mute, candidate);
    const ballot = candidate.peer.promised;
    const tail = { index: 99, ballot: { term: ballot.term - 1, leader_id: 9, inc: "stranger", boot: 1 } };
    stage.hand(mute, candidate, { type: "PROMISE", ballot, tail });
    stage.hand(b === candidate ? c : b, candidate, { type: "PROMISE", ballot, tail: candidate.peer.log.tail });
    expect(stage.under(candidate, mute, "CATCHUP_REQ")).toEqual([]);
    stage.until("it leads", () => candidate.leads);
  });

  test("grants no election, and asks nobody to wait", () => {
    const { stage, b, c, leader } = trio();
    leader.crash();
    stage.cut(b, c);
    const mute = stranger(stage, c);
    stage.pass(3000);
    const term = c.peer.promised.term;
    for (let round = 1; round < 20; round++) {
      for (const type of ["ELECTION_GRANT", "ELECTION_OK", "ELECTION_DENY"] as const)
        stage.hand(mute, c, { type, round, promised: { term: term + 5, leader_id: 9, inc: "stranger", boot: 1 } });
    }
    stage.pass(3000);
    expect(c.peer.promised.term).toBe(term);
    expect(c.peer.relay.via).toBeNull();
    stage.connect(b, c);
    stage.until("they elect", () => b.leads || c.leads);
    expect(c.peer.promised.term).toBe(term + 1);
  });

  test("neither evicts, hands over, nor says who is here or what waits", () => {
    const { stage, b, c, leader } = trio();
    const mute = stranger(stage, b, leader);
    c.crash();
    stage.pass(3000);
    const { last } = leader;
    stage.hand(mute, leader, { type: "ADMIN", op: "evict", id: c.id });
    stage.hand(mute, leader, { type: "ADMIN", op: "transfer", id: b.id });
    const person = { user: "ghost", room_id: "lobby", ts: 0, was: "", here: true };
    stage.hand(mute, leader, { type: "PEOPLE", users: [person], reads: [] });
    stage.hand(mute, leader, { type: "CHAT", sender_id: b.id, session: "s1", first: 1, messages: [draft("as B")] });
    stage.hand(mute, b, { type: "PENDING", session: "s1", first: 1, messages: [draft("psst")] });
    stage.hand(mute, b, { type: "ADMIN_ACK", ok: true, message: "done" });
    stage.hand(mute, b, { type: "JOIN_ACK", cluster_id: "c", members: [], leader: null, admitted: 0, configured: 0 });
    stage.pass(1000);
    expect([leader.leads, leader.last, b.unsent]).toEqual([true, last, []]);
    expect(b.notices).not.toContain("done");
    expect(b.peer.membership.heardOf).toEqual([]);
  });
});

describe("[W6] a leader that the log does not know", () => {
  test("is believed as soon as a member whom it knows has told what was decided [S6]", () => {
    const { stage, b, c, leader: a } = trio();
    c.crash();
    // Without C a fourth one joins, and leads.
    const d = stage.add(4).start();
    stage.connect(a, b, d);
    stage.until("D votes", () => d.role === "voter");
    a.input({ type: "transfer", to: d.id });
    stage.until("D leads", () => d.leads);
    c.start();
    stage.connect(c, d);
    stage.pass(1000);
    // It has heard from nobody but D, of whom its log says nothing.
    expect([c.peer.leader, c.peer.senders.strangers > 0]).toEqual([null, true]);
    stage.connect(c, b);
    d.say("hello C");
    stage.until("C has heard", () => c.heard.includes("hello C"));
    stage.until("C follows D", () => c.peer.leader?.ballot.leader_id === d.id);
  });

  test("is believed where nobody is left that it knows: it asks to join, and trusts the peers that answer [M7]", () => {
    const { stage, peers } = Stage.with(["voter", "observer"]);
    const [a, b] = peers;
    stage.connect(a, b);
    stage.until("A leads", () => a.leads && b.delivered.length === a.last);
    b.crash();
    const d = stage.add(4).start();
    const e = stage.add(5).start();
    stage.connect(a, d, e);
    stage.until("three vote", () => [a, d, e].every((p) => p.role === "voter"));
    a.say("I go");
    a.input({ type: "quit" });
    stage.until("A has left", () => a.stopped !== null);
    a.crash();
    // All whom B knows are gone.
    b.start();
    stage.connect(b, d, e);
    d.say("the others have gone");
    stage.until("B has heard", () => b.heard.includes("the others have gone"));
    expect(b.peer.leader?.ballot.leader_id).toBe(e.id);
    // From here on its log says whom it believes.
    stage.until("B votes", () => b.role === "voter");
    expect(b.peer.hearsay.names(e)).toBe(false);
    expect(b.peer.knows(e)).toBe(true);
  });

  test("is believed by a voter whose vote it needs, though that one's log does not say so [E6] [E8]", () => {
    const { stage, b, c, leader: a } = trio();
    // D and E join without C, which is a voter all the while and has no entry of that.
    stage.isolate(c);
    const d = stage.add(4).start();
    const e = stage.add(5).start();
    stage.connect(a, b, d, e);
    stage.until("five vote", () => [d, e].every((p) => p.role === "voter"));
    a.say("five of us");
    stage.pass(500);
    a.crash();
    b.crash();
    stage.pass(3000);
    expect([d.leads, e.leads]).toEqual([false, false]);
    // They need the promise of C, and C knows only A and B.
    stage.connect(c, d, e);
    stage.until("one of them leads", () => d.leads || e.leads);
    stage.until("C has heard", () => c.heard.includes("five of us"));
  });

  test("is not believed by a peer that has a way to a leader already", () => {
    const { stage, b, c, leader } = trio();
    const mute = stranger(stage, c);
    stage.cut(c, leader);
    stage.until("C has a relay", () => c.peer.relay.via !== null);
    stage.pass(4000);
    const members = [{ id: mute.id, inc: mute.inc, ...address(mute.id), role: "voter" as const }];
    const ack: Frame = { type: "JOIN_ACK", cluster_id: "c", members, leader: null, admitted: 0, configured: 0 };
    stage.hand(mute, c, ack);
    expect(c.peer.knows(mute)).toBe(false);
    expect(c.peer.relay.via?.id).toBe(b.id);
  });

  test("that was evicted while it was frozen learns of it, and joins again", () => {
    const { stage, b, c, leader } = trio();
    leader.say("nobody is pre-empted once something was said [E10]");
    stage.pass(500);
    // Frozen, and its heartbeats with it.
    stage.isolate(leader);
    stage.until("another leads", () => b.leads || c.leads);
    const next = b.leads ? b : c;
    next.input({ type: "evict", id: leader.id });
    stage.until("it is out", () => next.peer.memberOf(leader)?.role === "left");
    stage.pass(1000);
    stage.connect(leader, b, c);
    stage.until("it is a member again", () => next.peer.memberOf(leader)?.role === "voter");
    expect(leader.leads).toBe(false);
    expect(leader.peer.leader?.ballot.leader_id).toBe(next.id);
  });
});

test("[W6] a log goes to the candidate that was promised it, not to a peer that repeats its ballot", () => {
  const { stage, b, c } = trio();
  const after = { index: 0, ballot: NO_BALLOT };
  const { promised } = b.peer;
  stage.held = () => true;
  stage.hand(c, b, { type: "CATCHUP_REQ", ballot: promised, after });
  expect(stage.under(b, c, "CATCHUP_RESP")).toEqual([]);
});

test("[W6] no entry is taken whose ballot is above the one it comes under, nor one below what it follows", () => {
  const { stage, b, leader } = trio();
  leader.say("one");
  stage.pass(500);
  const { log, promised } = b.peer;
  const { index, ballot } = log.tail;
  const said = { room_id: "lobby", sender_id: leader.id, user: "u", session: `${leader.id}.s1`, counter: 2, seq_no: 2 };
  const entries = (term: number): Entry[] => {
    const entry = entryOf(index + 1, { ...promised, term }, "chat", { ...said, text: "forged" });
    seal(entry, log.state.crc);
    return [entry];
  };
  for (const term of [promised.term + 1, promised.term - 1]) {
    const frame = { type: "SEQ_CHAT", ballot: promised, commit: index + 1, prev_crc: log.state.crc } as const;
    stage.hand(leader, b, { ...frame, prev_index: index, prev_ballot: ballot, entries: entries(term) });
    expect(b.last).toBe(index);
  }
  expect(b.notices.filter((code) => code === "bad-entry")).toHaveLength(2);
});
