/** Terms only rise: what no elections can have made is not believed, and a cluster that comes near their end says so [E12]. */
import { describe, expect, test } from "bun:test";
import {
  lastTermAfter,
  TERM_LEAP_MAX,
  TERM_MAX,
  TERMS_LEFT_WARNED,
  TERMS_PER_CLUSTER,
} from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { type Ballot, NO_BALLOT } from "../../../src/core/ids.ts";
import { entryOf } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

const NOTHING = { index: 0, ballot: NO_BALLOT };

/** Every frame in which one peer can tell another of a term. */
function frames(from: Puppet, to: Puppet, term: number): Frame[] {
  const ballot: Ballot = { term, leader_id: from.id, inc: from.inc, boot: from.boot };
  const own: Ballot = { term: to.peer.promised.term, leader_id: to.id, inc: to.inc, boot: to.boot };
  const place = { prev_index: 0, prev_ballot: NO_BALLOT, prev_crc: 0 };
  const entries = [entryOf(1, ballot, "leader")];
  return [
    { type: "HEARTBEAT", ballot, commit: 0, quorum: true, last_index: 0, acked: [], ...place },
    { type: "SEQ_CHAT", ballot, commit: 0, entries: [], ...place },
    { type: "SEQ_CHAT", ballot: own, commit: 0, entries, ...place },
    { type: "COORDINATOR", ballot, peer: { id: from.id, host: "h", port: 1 } },
    { type: "ABDICATE", ballot, to: 0 },
    { type: "PREPARE", ballot },
    { type: "PROMISE", ballot: own, tail: { index: 9, ballot } },
    { type: "NACK", ballot: own, promised: ballot, led: false },
    { type: "ELECTION", round: 1, tail: { index: 9, ballot } },
    { type: "ELECTION_OK", round: 1, promised: ballot },
    { type: "ELECTION_DENY", round: 1, promised: ballot },
    { type: "ELECTION_GRANT", round: 1, promised: ballot },
    { type: "SEQ_ACK", ballot, match: 0, last: 0, hint: null, faulty: false, linked: null },
    { type: "SEQ_ACK", ballot: own, match: 0, last: 0, hint: { index: 9, ballot }, faulty: false, linked: null },
    { type: "SEEN", promised: ballot, match: 0 },
    { type: "CATCHUP_REQ", ballot, after: NOTHING },
    { type: "CATCHUP_REQ", ballot: null, after: { index: 9, ballot } },
    { type: "CATCHUP_RESP", ballot: null, commit: 9, entries, hint: null, more: false, ...place },
    { type: "CATCHUP_RESP", ballot, commit: 9, entries: [], hint: null, more: false, ...place },
  ];
}

describe("[E12] a term that no elections can have made", () => {
  test("is not believed in any frame, not even of a member's: counted each time, told once", () => {
    const { stage, b, c, leader } = trio();
    stage.held = (frame) => frame.type !== "HEARTBEAT" && frame.type !== "SEQ_ACK";
    for (const to of [b, leader]) {
      const { promised } = to.peer;
      const leaps = frames(c, to, promised.term + TERM_LEAP_MAX + 1);
      for (const frame of leaps) stage.hand(c, to, frame);
      expect(to.peer.senders.leaps).toBe(leaps.length);
      expect(to.peer.promised).toEqual(promised);
      expect(to.notices.filter((code) => code === "leap")).toHaveLength(1);
      expect(stage.under(to, c, "NACK")).toEqual([]);
    }
    // And whoever heard it is where it was: the next election takes the next term.
    stage.held = () => false;
    leader.crash();
    stage.until("another leads", () => b.leads || c.leads);
    expect(b.peer.promised.term).toBeLessThan(10);
  });

  test("is told with who says it, which term, and what to do", () => {
    const { stage, b, c } = trio();
    const outputs: string[] = [];
    const { notice } = b.peer;
    b.peer.notice = (code, message) => {
      outputs.push(message);
      notice.call(b.peer, code, message);
    };
    stage.hand(c, b, { type: "PREPARE", ballot: { term: TERM_MAX, leader_id: c.id, inc: c.inc, boot: c.boot } });
    expect(outputs).toHaveLength(1);
    expect(outputs[0]).toContain(`peer ${c.id} at 127.0.0.1:${6000 + c.id} speaks of term ${TERM_MAX}`);
    expect(outputs[0]).toContain(`/evict ${c.id}`);
  });

  test("is none that the next one makes possible: a process counts from where it started", () => {
    const { stage, b, c, leader } = trio();
    const start = b.peer.promised.term;
    leader.crash();
    stage.cut(b, c);
    stage.connect(b, c);
    stage.held = () => true;
    const prepare = (term: number) =>
      stage.hand(c, b, { type: "PREPARE", ballot: { term, leader_id: c.id, inc: c.inc, boot: c.boot } });
    prepare(start + TERM_LEAP_MAX / 2);
    expect(b.peer.promised.term).toBe(start + TERM_LEAP_MAX / 2);
    prepare(start + TERM_LEAP_MAX);
    const { term } = b.peer.promised;
    prepare(term + TERM_LEAP_MAX / 2);
    expect(b.peer.promised.term).toBe(term);
    // Elections go on from there.
    prepare(term + 1);
    expect(b.peer.promised.term).toBe(term + 1);
  });
});

describe("[E12] a term that elections have made", () => {
  test("lets a member in that was away for ten years of ten elections a second", () => {
    const { stage, b, c, leader } = trio();
    c.crash();
    const years = 10 * 365 * 86_400 * 10;
    for (const peer of [b, leader]) {
      peer.crash();
      peer.disk.promised = { term: years, leader_id: leader.id, inc: leader.inc, boot: 1 };
      peer.start();
    }
    stage.connect(b, leader);
    stage.until("one of them leads", () => leader.leads || b.leads);
    leader.say("ten years");
    stage.pass(500);
    c.start();
    stage.connect(b, c, leader);
    stage.until("C has heard", () => c.heard.includes("ten years"));
    expect(c.peer.promised.term).toBeGreaterThan(years);
    expect(c.notices).not.toContain("leap");
  });

  test("is believed by a peer that joins with an empty log: it has nothing to compare with", () => {
    const { stage, peers } = Stage.with(["voter"]);
    const [a] = peers;
    const term = 3 * TERM_LEAP_MAX;
    a.crash();
    a.disk.promised = { term, leader_id: a.id, inc: a.inc, boot: 1 };
    a.start();
    const joiner = stage.add(2).start();
    stage.connect(a, joiner);
    stage.until("it is a member", () => joiner.role === "observer");
    expect(joiner.peer.promised.term).toBeGreaterThan(term);
    expect(joiner.peer.terms.highest).toBeLessThanOrEqual(joiner.peer.promised.term + TERM_LEAP_MAX);
  });
});

describe("[E12] the end of the terms", () => {
  /** A cluster of one whose promise leaves so many terms. */
  function nearEnd(left: number): { stage: Stage; a: Puppet } {
    const { stage, peers } = Stage.with(["voter"]);
    const [a] = peers;
    a.crash();
    a.disk.promised = { term: TERMS_PER_CLUSTER - left, leader_id: a.id, inc: a.inc, boot: 1 };
    a.start();
    return { stage, a };
  }

  test("is announced while there are many left, once", () => {
    const { stage, a } = nearEnd(TERMS_LEFT_WARNED);
    stage.until("it leads", () => a.leads);
    expect(a.notices.filter((code) => code === "terms-low")).toHaveLength(1);
  });

  test("is not announced before", () => {
    const { stage, a } = nearEnd(TERMS_LEFT_WARNED + 1);
    stage.until("it leads", () => a.leads);
    expect(a.notices).not.toContain("terms-low");
  });

  test("is said where it is reached: nobody is elected", () => {
    const { stage, a } = nearEnd(0);
    stage.pass(10_000);
    expect(a.leads).toBe(false);
    expect(a.notices.filter((code) => code === "terms-used-up")).toHaveLength(1);
  });

  test("lies further on after each forced recovery [M9], as far as numbers are exact", () => {
    expect(lastTermAfter(0)).toBe(TERMS_PER_CLUSTER);
    expect(lastTermAfter(1)).toBe(2 * TERMS_PER_CLUSTER);
    for (const recoveries of [31, 32, 1000]) expect(lastTermAfter(recoveries)).toBe(TERM_MAX);
    // A leap of the whole is refused long before: years of elections fit in many times.
    expect(TERMS_PER_CLUSTER / TERM_LEAP_MAX).toBeGreaterThan(10_000);
    expect(TERMS_LEFT_WARNED).toBeGreaterThan(TERM_LEAP_MAX);
  });
});
