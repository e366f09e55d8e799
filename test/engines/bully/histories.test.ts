/** Equal ballots with other entries before them: found, said on both sides, and never delivered [R9]. */
import { describe, expect, test } from "bun:test";
import type { Entry } from "../../../src/core/log-entry.ts";
import { seal } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { Stage, trio } from "./puppets.ts";

/** Changes the text of the peer's last message, as if that had been said: everything from there on has another crc. */
function rewrite(peer: Puppet, text: string): void {
  const { entries } = peer.disk;
  const at = entries.findLastIndex((e) => e.kind === "chat");
  for (let i = at; i < entries.length; i++) {
    const entry: Entry = { ...(entries[i] as Entry), ...(i === at && { text }) };
    seal(entry, entries[i - 1]?.crc ?? 0);
    entries[i] = entry;
  }
}

describe("[R9] two histories under one ballot", () => {
  test("a follower delivers nothing of the other one, and both sides say so", () => {
    const { stage, b, c, leader } = trio();
    leader.say("one", "two");
    stage.pass(1000);
    b.crash();
    rewrite(b, "never said");
    leader.say("three");
    stage.pass(500);
    b.start();
    stage.connect(b, c, leader);
    stage.pass(3000);
    leader.say("four");
    stage.pass(3000);
    expect(b.notices).toContain("histories");
    expect(leader.notices).toContain("histories");
    expect(b.texts).toEqual(["one", "never said"]);
    expect(b.heard).not.toContain("four");
    // The others are a majority without it.
    expect(leader.leads).toBe(true);
    expect(c.heard).toEqual(["one", "two", "three", "four"]);
  });

  test("it is told once, however often it shows", () => {
    const { stage, b, c, leader } = trio();
    leader.say("one");
    stage.pass(1000);
    b.crash();
    rewrite(b, "never said");
    b.start();
    stage.connect(b, c, leader);
    stage.pass(10_000);
    expect(b.notices.filter((code) => code === "histories").length).toBe(1);
    expect(leader.notices.filter((code) => code === "histories").length).toBe(1);
  });

  test("a leader whose history the others do not have steps down, and they go on with theirs", () => {
    const { stage, peers } = Stage.with(["voter", "voter", "voter"]);
    const [c, b, odd] = peers;
    stage.connect(...peers);
    stage.until("the highest leads", () => odd.leads && peers.every((p) => p.last === odd.last));
    odd.say("one");
    stage.pass(1000);
    for (const peer of peers) peer.crash();
    rewrite(odd, "never said");
    for (const peer of peers) peer.start();
    stage.connect(...peers);
    stage.until("another one leads", () => b.leads || c.leads);
    b.say("two");
    stage.until("it is sent", () => b.sent.includes("two"));
    stage.pass(5000);
    expect(odd.notices).toContain("histories");
    expect([b.heard, c.heard]).toEqual([
      ["one", "two"],
      ["one", "two"],
    ]);
    expect(odd.texts).toEqual(["never said"]);
  });

  test("nor is another's history fetched", () => {
    const { stage, b, c, leader } = trio();
    leader.say("one");
    stage.pass(1000);
    for (const peer of [b, c, leader]) peer.crash();
    rewrite(b, "never said");
    b.start({ commit: b.last });
    const frame = {
      ...{ type: "CATCHUP_RESP", ballot: null, commit: c.last, hint: null, more: false, entries: [] },
      ...{ prev_index: b.last, prev_ballot: b.peer.log.tail.ballot, prev_crc: c.disk.entries.at(-1)?.crc ?? 0 },
    } as const;
    const taken = b.peer.acceptor.take(c, frame, [
      { ...(c.disk.entries.at(-1) as Entry), index: c.last + 1, kind: "leader" },
    ]);
    expect(taken).toBe("refused");
    expect(b.last).toBe(c.last);
  });
});
