/**
 * What a follower takes from a leader [R2] [R6] [I10]: what continues its log and nothing else; a frame that is late,
 * forged or contradicts what is committed costs it nothing.
 */
import { describe, expect, test } from "bun:test";
import { type Ballot, NO_BALLOT } from "../../../src/core/ids.ts";
import type { Entry } from "../../../src/core/log-entry.ts";
import type { SeqChat } from "../../../src/core/message.ts";
import { entryOf, seal } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { type Stage, trio } from "./puppets.ts";

/** Three voters under way, in whose logs "one", "two" and "three" are committed. */
function spoken(): { stage: Stage; b: Puppet; c: Puppet; leader: Puppet } {
  const cast = trio();
  for (const text of ["one", "two", "three"]) cast.leader.say(text);
  cast.stage.pass(500);
  return cast;
}

/** What the leader would send of its log from `from` through `through`. */
function frameOf(leader: Puppet, from: number, through: number, entries?: Entry[]): SeqChat {
  const { log, promised } = leader.peer;
  return {
    type: "SEQ_CHAT",
    ballot: promised,
    prev_index: from - 1,
    prev_ballot: log.state.ballotAt(from - 1),
    prev_crc: log.crcAt(from - 1),
    commit: log.commit,
    entries: entries ?? leader.disk.entries.slice(from - 1, through),
  };
}

function chatAt(leader: Puppet, index: number, content: Partial<Entry>): Entry {
  const entry = entryOf(index, leader.peer.promised, "chat", { room_id: "lobby", sender_id: 3, user: "u", ...content });
  seal(entry, leader.disk.entries[index - 2]?.crc ?? 0);
  return entry;
}

describe("a follower", () => {
  test("[R2] truncates nothing for an append that is late, shorter or both: only another ballot in a place does", () => {
    const { stage, b, leader } = spoken();
    // Not committed, so nothing but the rule protects it.
    stage.held = (frame, from) => frame.type === "SEQ_ACK" || (from === leader && frame.type === "HEARTBEAT");
    leader.say("four");
    stage.quiet();
    const { last } = b;
    stage.hand(leader, b, frameOf(leader, 2, 2));
    stage.hand(leader, b, frameOf(leader, 3, last - 1));
    stage.hand(leader, b, frameOf(leader, 3, 2));
    expect(b.last).toBe(last);
    expect(b.texts).toEqual(["one", "two", "three", "four"]);
  });

  test("[R6] refuses what contradicts a committed entry, and says so", () => {
    const { stage, b, leader } = spoken();
    const { last } = b;
    const other = { ...(leader.disk.entries[last - 1] as Entry), term: 1, leader_id: 9, inc: "copied" };
    stage.hand(leader, b, frameOf(leader, last, last, [other]));
    expect(b.notices).toContain("conflict");
    expect([b.last, b.delivered.length]).toEqual([last, last]);
    expect(b.texts).toEqual(["one", "two", "three"]);
  });

  test("[I10] refuses an entry that cannot come next, whichever peer sends it", () => {
    const { stage, b, leader } = spoken();
    const { last } = b;
    const wrong = [
      chatAt(leader, last + 1, { seq_no: 9, session: "3.s1", counter: 4 }),
      chatAt(leader, last + 1, { seq_no: 4, session: "3.s1", counter: 3 }),
      chatAt(leader, last + 2, { seq_no: 4, session: "3.s1", counter: 4 }),
    ];
    for (const entry of wrong) stage.hand(leader, b, frameOf(leader, last + 1, last + 1, [entry]));
    expect(b.notices.filter((code) => code === "bad-entry").length).toBe(wrong.length);
    expect(b.last).toBe(last);
    stage.hand(
      leader,
      b,
      frameOf(leader, last + 1, last + 1, [chatAt(leader, last + 1, { seq_no: 4, session: "3.s1", counter: 4 })]),
    );
    expect(b.last).toBe(last + 1);
  });

  test("[R2] takes leader traffic from the owner of its ballot only", () => {
    const { stage, b, c, leader } = spoken();
    const { last } = b;
    const entry = chatAt(leader, last + 1, { seq_no: 4, session: "3.s1", counter: 4, text: "forged" });
    stage.hand(c, b, frameOf(leader, last + 1, last + 1, [entry]));
    expect(b.last).toBe(last);
  });

  test("[E13] refuses a lower ballot with its promise, and says whether a leader lives", () => {
    const { stage, b, c, leader } = spoken();
    const ballot = { term: 0, leader_id: c.id, inc: c.inc, boot: 1 };
    stage.hand(c, b, { ...frameOf(leader, 2, 2), ballot });
    expect(stage.under(b, c, "NACK")).toEqual([{ type: "NACK", ballot, promised: leader.peer.promised, led: true }]);
    stage.cut(b, leader);
    stage.hand(c, b, { ...frameOf(leader, 2, 2), ballot });
    expect(stage.under(b, c, "NACK").at(-1)?.led).toBe(false);
  });

  test("[E14] hears of a ballot from the process that made it only: with that it ended", () => {
    const { stage, b, c, leader } = spoken();
    const { ballot } = leader.peer.leadership as { ballot: Ballot };
    stage.held = () => true;
    leader.crash();
    leader.start();
    stage.connect(leader, b);
    const { leader: before } = b.peer;
    stage.hand(leader, b, { type: "COORDINATOR", ballot, peer: { id: leader.id, host: "h", port: 1 } });
    stage.hand(leader, b, { ...frameOf(leader, 2, 2), ballot });
    expect([before, b.peer.leader]).toEqual([null, null]);
    expect(stage.under(b, leader, "SEQ_ACK")).toEqual([]);
    // Nor does it promise one that is not its maker's, however high.
    const higher = { ...ballot, term: ballot.term + 1 };
    stage.hand(leader, b, { type: "PREPARE", ballot: higher });
    stage.hand(c, b, { type: "PREPARE", ballot: { ...higher, leader_id: c.id, inc: c.inc, boot: c.boot + 1 } });
    expect(b.peer.promised).toEqual(ballot);
    stage.hand(leader, b, { type: "PREPARE", ballot: { ...higher, boot: leader.boot } });
    expect(b.peer.promised).toEqual({ ...higher, boot: leader.boot });
  });

  test("[R2] says where its own log stands when it does not hold the entry before", () => {
    const { stage, b, leader } = spoken();
    const { last } = b;
    stage.hand(leader, b, { ...frameOf(leader, 2, 2), prev_index: last + 5, prev_ballot: leader.peer.promised });
    expect(stage.under(b, leader, "SEQ_ACK").at(-1)?.hint).toEqual(b.peer.log.tail);
    stage.hand(leader, b, { ...frameOf(leader, 2, 2), prev_ballot: { ...NO_BALLOT, term: 0, leader_id: 7, inc: "x" } });
    expect(stage.under(b, leader, "SEQ_ACK").at(-1)?.hint?.index).toBeLessThanOrEqual(1);
    expect(b.last).toBe(last);
  });
});

describe("a member", () => {
  test("[R8] that fell out of the leader's memory fetches the committed prefix, and then streams again", () => {
    const { stage, b, c, leader } = spoken();
    b.crash();
    for (let i = 0; i < 20; i++) leader.say(`${i}`);
    stage.pass(500);
    // The leader and C restart with nothing but the newest entries in memory.
    for (const peer of [leader, c]) {
      peer.crash();
      peer.start({ commit: peer.last, onDisk: peer.last });
    }
    b.disk.entries.length = 1;
    b.disk.durable = 1;
    b.start();
    stage.connect(b, c, leader);
    stage.until("B has caught up", () => b.heard.length === 23);
    leader.say("live");
    stage.pass(500);
    expect(b.heard.slice(0, 3)).toEqual(["one", "two", "three"]);
    expect(b.heard.at(-1)).toBe("live");
  });
});
