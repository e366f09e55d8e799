/** Somebody else numbers texts in a session that is not his: nobody is told that what he typed was sent, and all go on [S10]. */
import { expect, test } from "bun:test";
import { PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import type { HostEvent } from "../../../src/host/events.ts";
import type { Host } from "../../../src/host/host.ts";
import { claimedByOthers } from "../../../src/host/store/claims.ts";
import { openDirectory } from "../../../src/host/store/directory.ts";
import { Outbox, type PendingSession } from "../../../src/host/store/outbox.ts";
import { replaceStateNow } from "../../../src/host/store/state-files.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { Submissions } from "../../../src/submissions.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, promiseAbove } from "../store/log-maker.ts";
import { Cluster, messages, payloads, type Run, say, sent, told } from "../virtual-cluster.ts";

const pendingOf = (run: Run<unknown>) =>
  run.events.filter((e): e is Extract<HostEvent, { event: "pending" }> => e.event === "pending");

/** A client of `peer` that numbers texts in a session which is another's: from `first` on. */
function forge(cluster: Cluster, peer: number, msgId: string, first: number, ...texts: string[]): void {
  const [sender, session] = msgId.split(".") as [string, string];
  const founded = (cluster.peers.get(1) as Run<Host>).events.find((e) => e.event === "started");
  const cluster_id = founded?.event === "started" ? founded.cluster_id : null;
  const attach: Frame = {
    ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id, user: "mallory", room_id: "general" },
    ...{ session, sender_id: Number(sender), seen: 0 },
  };
  const drafts = texts.map((payload) => ({ room_id: "general", user: "mallory", ts: 1, payload }));
  const chat: Frame = { type: "CHAT", sender_id: Number(sender), session, first, messages: drafts };
  const stranger = cluster.network.stranger(6000 + peer);
  for (const frame of [attach, chat]) for (const bytes of encodeFrame(frame)) stranger.write(bytes);
}

/** Peer 1, and with it the client, reaches nobody. */
function cutOff(cluster: Cluster, heal = false): void {
  if (heal) return cluster.network.heal();
  for (const other of [2, 3]) {
    cluster.network.lines.cut(1, other);
    cluster.network.lines.cut(other, 1);
  }
}

const MESSAGE_ID = (run: Run<unknown>) => pendingOf(run).at(-1)?.msg_id as string;

test("[S10] a client whose next number went to another text is told so, not that it is sent; its own goes out as another", () => {
  const cluster = Cluster.formed();
  const victim = cluster.attached("bob", 1);
  say(victim, "one");
  cluster.until(() => sent(victim).length === 1);
  cutOff(cluster);
  say(victim, "two");
  const id = MESSAGE_ID(victim);
  forge(cluster, 2, id, 2, "forged");
  cluster.pass(500);
  cutOff(cluster, true);
  cluster.until(() => sent(victim).length === 2);
  expect(payloads(victim)).toEqual(["one", "forged", "two"]);
  for (const event of sent(victim)) {
    const said = event.event === "sent" ? event.msg_id : "";
    const [message] = messages(victim).filter((m) => m.msg_id === said);
    expect(message?.user).toBe("bob");
  }
  const notice = told(victim).find((n) => n.code === "number-taken");
  expect(notice?.message).toContain(`message ${id} is "forged" of "mallory"`);
  expect(pendingOf(victim).at(-1)).toMatchObject({ payload: "two", was: id });
  // From then on it is as if nothing had been.
  say(victim, "three");
  cluster.until(() => sent(victim).length === 3);
  expect(victim.service.pending).toBe(0);
  expect(messages(cluster.peers.get(1) as Run<Host>)).toEqual(messages(victim));
});

test("[S10] a client that waits for nothing goes on when somebody else is ahead in its session", () => {
  const cluster = Cluster.formed();
  const victim = cluster.attached("bob", 1);
  say(victim, "one");
  cluster.until(() => sent(victim).length === 1);
  forge(cluster, 2, MESSAGE_ID(victim), 2, "forged 1", "forged 2");
  cluster.until(() => payloads(victim).length === 3);
  say(victim, "two");
  cluster.until(() => sent(victim).length === 2);
  cluster.kill(1);
  say(victim, "three");
  cluster.until(() => sent(victim).length === 3);
  expect(payloads(victim)).toEqual(["one", "forged 1", "forged 2", "two", "three"]);
  expect(told(victim).filter((n) => n.code === "number-taken")).toHaveLength(1);
});

test("[S10] messages under way behind a lost one are in the log once, and what waited with them comes after", () => {
  const cluster = Cluster.formed();
  const victim = cluster.attached("bob", 1);
  say(victim, "one");
  cluster.until(() => sent(victim).length === 1);
  cutOff(cluster);
  // They are on their way to the leader, held back on the wire.
  say(victim, "two", "three", "four");
  cluster.pass(300);
  forge(cluster, 2, MESSAGE_ID(victim), 2, "forged");
  cluster.pass(300);
  cutOff(cluster, true);
  cluster.until(() => sent(victim).length === 4);
  cluster.pass(2000);
  expect([...payloads(victim)].sort()).toEqual(["forged", "four", "one", "three", "two"]);
});

test("[S10] a restart does not take for sent what only has its number: it goes out under another", () => {
  const clock = new ManualClock(seeded(1));
  const disk = new VirtualDisk({ clock, random: seeded(1) });
  const events = { durable: () => {}, failed: () => {}, noted: () => {} };
  const open = () => openDirectory(disk, clock, { id: 1, founds: true, fsync: true, events });
  promiseAbove(disk);
  replaceStateNow(disk, "identity.json", { id: 1, inc: "one", cluster_id: "test", founder: true });
  const log = new LogMaker({ segment_entries: 10, segment_bytes: 1_000_000 });
  log.fill(25);
  log.chat("forged", "general", "mine");
  log.chat("two", "general", "mine");
  log.fill(40);
  const before = open();
  before.store.append(log.entries);
  before.store.syncNow();
  for (const [i, payload] of ["one", "two", "three"].entries())
    before.outbox.add("mine", i + 1, { room_id: "general", user: "alice", ts: 1, payload });
  before.outbox.write();
  before.saveProgress({ durable: 40, commit: 40, delivered: 40, clean: true });
  before.close();
  for (const restart of [1, 2]) {
    const after = open();
    const pending = after.restored.outbox.map((s) => [s.session === "mine", s.first, s.drafts.map((d) => d.payload)]);
    expect(pending).toEqual([
      [false, 1, ["one"]],
      [true, 2, ["two", "three"]],
    ]);
    expect(after.notes.some((note) => note.includes("written in this peer's name"))).toBe(restart === 1);
    after.close();
  }
});

test("[S10] only what is committed says whose a number is, and no more of the log is read than has to be", () => {
  const log = new LogMaker({ segment_entries: 10_000, segment_bytes: 100_000_000 });
  log.fill(5000);
  log.chat("forged", "general", "mine");
  log.chat("not committed", "general", "mine");
  const pages: [number, number][] = [];
  const drafts = ["one", "two"].map((payload) => ({ room_id: "general", user: "alice", ts: 1, payload }));
  const pending: PendingSession[] = [{ session: "mine", first: 1, drafts }];
  const claimed = claimedByOthers(pending, 1, {
    state: log.state,
    commit: 5001,
    uncommitted: log.entries.slice(5001),
    readEntries: (from, count) => {
      pages.push([from, count]);
      return log.entries.slice(from - 1, from - 1 + count);
    },
  });
  expect([...claimed]).toEqual([["mine", [1]]]);
  expect(pages).toHaveLength(1);
});

test("[S10] the outbox gives some of a session's messages to another one, whole or not at all", () => {
  const disk = new VirtualDisk({ clock: new ManualClock(), random: seeded(1) });
  const { outbox } = Outbox.open(disk, []);
  const add = (session: string, counter: number) =>
    outbox.add(session, counter, { room_id: "general", user: "alice", ts: 1, payload: `${session}${counter}` });
  for (const counter of [1, 2, 3, 4, 5]) add("s", counter);
  outbox.write();
  outbox.settle("s", 1);
  const now = () => outbox.pending.map((s) => [s.session, s.first, s.drafts.map((d) => d.payload).join()]);
  // No room for the new file: in memory it is done, and tried again when there is room.
  disk.faults.capacity = 0;
  outbox.rename("s", [2, 5], "t");
  const done = [
    ["t", 1, "s2,s5"],
    ["s", 3, "s3,s4"],
  ];
  expect(now()).toEqual(done);
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  outbox.flush(() => {});
  outbox.settle("t", 1);
  disk.kill();
  const again = Outbox.open(disk, []).pending.map((s) => [s.session, s.first, s.drafts.map((d) => d.payload).join()]);
  expect(again).toEqual(done);
});

test("[S10] a program that waits for its first message waits for it under the id that it has now", async () => {
  const submissions = new Submissions(new ManualClock());
  submissions.onTaken("1.s.1");
  const first = submissions.ofLast("1.s.1");
  submissions.onPending({ msg_id: "1.s.1" });
  submissions.onPending({ msg_id: "1.t.1", was: "1.s.1" });
  submissions.onSent({ msg_id: "1.t.1", index: 7, room_id: "general", seq_no: 3 });
  expect(await first.sent()).toMatchObject({ msg_id: "1.t.1", index: 7 });
});
