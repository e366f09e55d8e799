/** Strangers that speak the protocol to real peers: they lead nobody, use up no terms, and become no members by knocking. */
import { afterEach, expect, test } from "bun:test";
import { TERM_LEAP_MAX, TERMS_PER_CLUSTER } from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import { type Ballot, NO_BALLOT } from "../../src/core/ids.ts";
import { Cluster, endAll, sentBy } from "./harness.ts";
import { checkHistory } from "./history.ts";
import { Raw } from "./raw.ts";

afterEach(endAll);

function leaderFrames(ballot: Ballot): Frame[] {
  const place = { prev_index: 0, prev_ballot: NO_BALLOT, prev_crc: 0 };
  return [
    { type: "COORDINATOR", ballot, peer: { id: ballot.leader_id, host: "127.0.0.1", port: 9 } },
    { type: "HEARTBEAT", ballot, commit: 0, quorum: true, last_index: 0, acked: [], ...place },
    { type: "PREPARE", ballot },
    { type: "SEEN", promised: ballot, match: 0 },
  ];
}

test("[W6] [E12] leader frames of a stranger, and a member's with a leap, change nothing: elections go on", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  const { term } = await cluster.peer(1).status();
  // Where they are learns whoever asks to be let in.
  const asker = new Raw(cluster.portOf(1));
  const as = { id: 77, inc: "stranger", boot: 1 };
  const { inc, boot } = await asker.greet(as);
  const dead = { id: 1, inc, boot };
  for (const id of [2, 3]) {
    const other = new Raw(cluster.portOf(id));
    await other.greet(as);
    other.send(...leaderFrames({ ...NO_BALLOT, term: term + 1, leader_id: as.id, inc: as.inc, boot: as.boot }));
    other.send(
      ...leaderFrames({ ...NO_BALLOT, term: TERMS_PER_CLUSTER, leader_id: as.id, inc: as.inc, boot: as.boot }),
    );
    // It is listened to, and answered what binds nobody.
    other.send({ type: "CATCHUP_REQ", ballot: null, after: { index: 0, ballot: NO_BALLOT } });
    await other.next("CATCHUP_RESP");
    other.close();
  }
  asker.close();
  await cluster.peer(1).stop();
  const leap = new Raw(cluster.portOf(2));
  await leap.greet(dead);
  leap.send(...leaderFrames({ ...NO_BALLOT, term: term + TERM_LEAP_MAX + 1, leader_id: dead.id, inc, boot }));
  const speaks = `peer 1 at 127.0.0.1:9 speaks of term ${term + TERM_LEAP_MAX + 1}`;
  await cluster.peer(2).event("notice", (e) => e.code === "leap" && e.message.startsWith(speaks));
  leap.close();
  expect((await cluster.peer(2).status()).term).toBe(term);

  cluster.start(1);
  await cluster.peer(3).stop();
  cluster.peer(1).say("after");
  await cluster.peer(2).event("message", (e) => e.payload === "after");
  expect((await cluster.peer(2).status()).term).toBeLessThan(term + 10);
  const sent = sentBy(cluster.peers.values());
  checkHistory(
    [1, 2].map((id) => cluster.dir(id)),
    sent,
  );
  await cluster.stop();
});

test("[M4] [W6] hundreds that ask to be let in and go become no members, and a stranger evicts nobody", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  const lead = await cluster.leader();
  const before = await cluster.peer(1).status();
  for (let i = 0; i < 200; i++) {
    const raw = new Raw(cluster.portOf(lead));
    const as = { id: 1000 + i, inc: `invented${i}` };
    await raw.greet({ ...as, boot: 1 });
    raw.send({ type: "JOIN", ...as, host: "127.0.0.1", port: 9 });
    await raw.next("JOIN_ACK");
    raw.close();
  }
  await cluster.peer(1).stop();
  const evil = new Raw(cluster.portOf(lead));
  await evil.greet({ id: 77, inc: "stranger", boot: 1 });
  evil.send({ type: "ADMIN", op: "evict", id: 1 }, { type: "ADMIN", op: "transfer", id: 2 });
  evil.send({ type: "CATCHUP_REQ", ballot: null, after: { index: 0, ballot: NO_BALLOT } });
  await evil.next("CATCHUP_RESP");
  evil.close();
  cluster.start(1).say("after");
  await cluster.peer(2).event("message", (e) => e.payload === "after");
  const after = await cluster.peer(2).status();
  expect(after.members.map((m: { id: number }) => m.id)).toEqual([1, 2, 3]);
  expect([after.leader_id, after.term]).toEqual([lead, before.term]);
  await cluster.stop();
});
