/**
 * The traps of the protocol, each as the story that went wrong somewhere: in Raft's papers, in a throwaway model of
 * these rules, in other systems. A rule that is weakened brings its story to the bad end, and the test fails.
 *
 * The highest id is the actor A, so that A leads as long as it lives; time passes only where a story says so.
 */
import { expect, test } from "bun:test";
import type { Frame } from "../../../src/core/frame.ts";
import { compareBallots } from "../../../src/core/ids.ts";
import type { Configuration, Entry, Role } from "../../../src/core/log-entry.ts";
import { messageId } from "../../../src/core/message-id.ts";
import { draft } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { Stage } from "./puppets.ts";

const THREE = ["voter", "voter", "voter"] as const;
const FIVE = ["voter", "voter", "voter", "voter", "voter"] as const;
/** A leader that goes on for as long as the story needs it, majority or not. */
const STUBBORN = { quorumCheck: 60_000, stall: 60_000 };

/** Everybody is connected, and `leader` leads with all of its log committed everywhere. */
function underWay(stage: Stage, leader: Puppet): void {
  stage.connect(...stage.puppets);
  stage.until("a leader whose log is committed everywhere", () => leader.leads && agree(stage.puppets));
}

/** All have committed all of the same log. */
function agree(peers: readonly Puppet[]): boolean {
  return peers.every((p) => p.delivered.length === p.disk.entries.length && p.last === peers[0]?.last);
}

function carries(frame: Frame, text: string): boolean {
  return frame.type === "SEQ_CHAT" && frame.entries.some((e) => e.text === text);
}

function changes(frame: Frame): boolean {
  return frame.type === "SEQ_CHAT" && frame.entries.some((e) => e.kind === "config");
}

function configOf(peer: Puppet): Entry | undefined {
  return peer.disk.entries.findLast((e) => e.kind === "config");
}

function rolesIn(entry: Entry | undefined): Role[] {
  return ((entry?.data ?? { members: [] }) as Configuration).members.map((m) => m.role);
}

test("1 [E8] a candidate does not lead without a majority of the configuration it adopted", () => {
  const { stage, peers } = Stage.with(["observer", "observer", "voter", "voter", "voter"]);
  const [e, d, b, c, a] = peers;
  // A leads B and C. D and E come, and A makes all five voters; C does not hear of it, and only B has answered.
  stage.connect(a, b, c);
  stage.until("A leads", () => a.leads && agree([a, b, c]));
  const change = a.last + 1;
  stage.held = (frame, from, to) =>
    (from === a && to === c) || (frame.type === "SEQ_ACK" && frame.match >= change && from !== b);
  stage.connect(a, d, e);
  stage.until("B has the change", () => configOf(b) !== undefined && stage.under(d, a, "SEQ_ACK").length > 0);
  expect(rolesIn(configOf(a))).toEqual(["voter", "voter", "voter", "voter", "voter"]);

  // The network splits {B, C} from {A, D, E}. C holds both promises of the three voters it knows, and adopts B's log.
  stage.cut(a, b);
  stage.cut(a, c);
  stage.quiet();
  expect(configOf(c)).toBeDefined();
  expect(c.leads).toBe(false);

  // For with B's old answer and D's, A commits the change, and a leader elected by B and C would contradict it.
  stage.held = (frame, from) => from === d && frame.type !== "SEQ_ACK";
  stage.quiet();
  expect(a.delivered.at(-1)?.kind).toBe("settled");

  // C goes on asking: those voters that it did not know of are prepared too, and with them it leads.
  a.crash();
  stage.held = () => false;
  stage.connect(c, d, e);
  stage.until("C leads", () => c.leads && agree([b, c, d, e]));
});

test("2 [E6] an entry written and not yet durable when its holder promised is part of what it reports", () => {
  const { stage, peers } = Stage.with(THREE, STUBBORN);
  const [b, c, a] = peers;
  underWay(stage, a);
  // B has written A's entry; the disk is still at it. C has nothing.
  b.syncs = false;
  stage.held = (_, from, to) => from === a && to === c;
  a.say("ten");
  stage.quiet();
  expect(b.texts).toEqual(["ten"]);

  // Both stop hearing A, and C asks B for its promise. A hears B all along.
  stage.held = (frame, from) => from === a || frame.type === "PROMISE";
  b.promises = false;
  stage.until("B promises C", () => b.disk.promising?.leader_id === c.id);
  b.syncPromise();
  expect(b.disk.durable).toBeLessThan(b.last);
  expect(stage.under(b, c, "PROMISE")[0]?.tail).toEqual(b.peer.log.tail);
  b.sync();
  expect(stage.under(b, a, "SEQ_ACK")).toEqual([]);
  expect(a.heard).toEqual([]);

  stage.held = () => false;
  b.syncs = true;
  b.promises = true;
  stage.until("all heard it", () => peers.every((p) => p.heard.length === 1) && agree(peers));
  expect(c.leads).toBe(true);
});

test("2 [R3] a sync that ends after another leader was heard is acknowledged to neither", () => {
  const { stage, peers } = Stage.with(FIVE, STUBBORN);
  const [e, d, b, c, a] = peers;
  underWay(stage, a);
  const common = b.last;
  for (const other of [c, d, e]) stage.cut(a, other);
  stage.cut(b, d);
  stage.cut(b, e);
  stage.held = (_, from, to) => from === c && to === b;
  stage.until("C leads", () => c.leads && agree([c, d, e]));

  // B has written A's entry when C's first word arrives; then the disk is done with both, in this order.
  b.syncs = false;
  b.promises = false;
  a.say("ten");
  stage.quiet();
  expect(b.texts).toEqual(["ten"]);
  stage.held = (_, from) => from === b;
  stage.deliver(c, b, "COORDINATOR");
  b.sync();
  expect(stage.under(b, a, "SEQ_ACK").filter((ack) => ack.match > common)).toEqual([]);
  b.syncPromise();
  stage.held = (frame, from) => from === b || frame.type === "SEQ_CHAT";
  stage.pass(2 * stage.timings.heartbeat);
  expect(stage.under(b, a, "SEQ_ACK").filter((ack) => ack.match > common)).toEqual([]);
  expect(stage.under(b, c, "SEQ_ACK").map((ack) => ack.match)).toContain(0);
  expect(Math.max(...stage.under(b, c, "SEQ_ACK").map((ack) => ack.match))).toBe(0);
});

test("3 [M3] a voter is not exchanged for another by the new voters alone", () => {
  const { stage, peers } = Stage.with(["observer", "voter", "voter", "voter"], { eviction: 3000 });
  const [d, c, b, a] = peers;
  underWay(stage, a);
  // C has been away for long; A puts D in its place. Only D hears of it.
  c.crash();
  stage.held = (frame, from, to) => from === a && to === b && changes(frame);
  stage.until("D has the change", () => configOf(d) !== undefined);
  expect(rolesIn(configOf(a))).toEqual(["voter", "observer", "voter", "voter"]);
  stage.quiet();

  // A and D are two of {A, B, D}. But B and C are two of {A, B, C}, and know no better.
  expect(a.delivered).not.toContain(configOf(a) as Entry);
  stage.cut(a, b);
  stage.cut(d, b);
  c.start();
  stage.connect(b, c);
  stage.until("B leads", () => b.leads && agree([b, c]));

  stage.held = () => false;
  stage.connect(a, b, c, d);
  stage.until("they agree", () => agree(peers));
});

test("3 [M3] no configuration before the leader's own entry is committed, none before the last is settled", () => {
  const { stage, peers } = Stage.with(["observer", "observer", "voter", "voter", "voter"]);
  const [e, d, c, b, a] = peers;
  // D and E have all there is, so A wants them as voters; its own entry waits for B and C.
  stage.held = (frame, from) => frame.type === "SEQ_ACK" && frame.match > 1 && (from === b || from === c);
  stage.connect(a, b, c, d, e);
  stage.until("A leads", () => a.leads);
  stage.pass(500);
  expect(a.peer.leadership?.isCaughtUp(d)).toBe(true);
  expect(a.disk.entries.map((x) => x.kind)).toEqual(["genesis", "leader"]);

  // Then the change is committed and its `settled` is not: D wants to leave, and waits.
  stage.held = (frame, _, to) =>
    frame.type === "SEQ_CHAT" && to !== a && frame.entries.some((x) => x.kind === "settled");
  stage.until("the change is committed", () => a.delivered.at(-1)?.kind === "config");
  d.input({ type: "quit" });
  stage.pass(1000);
  expect(a.disk.entries.map((x) => x.kind)).toEqual(["genesis", "leader", "config", "settled"]);
  stage.held = () => false;
  stage.until("D has left", () => d.stopped === "left the cluster");
});

test("4 [M6] an emptied directory is a new member, and never votes as the old one", () => {
  const { stage, peers } = Stage.with(THREE, { eviction: 10_000 });
  const [c, b, a] = peers;
  underWay(stage, a);
  // A and B have m, which is a majority: it is committed. C has not.
  stage.held = (_, from, to) => from === a && to === c;
  a.say("m");
  stage.quiet();
  expect(a.heard).toEqual(["m"]);

  // A dies, and B's directory is lost. The fresh B and C are two of three by their ids; together they have no m.
  a.crash();
  b.crash();
  const fresh = stage.add(b.id, "emptied").start({ commit: 0 });
  stage.held = () => false;
  stage.connect(fresh, c);
  stage.pass(30_000);
  expect([fresh.leads, c.leads]).toEqual([false, false]);

  // A returns. The old B is away, not gone: its id is not free at once, and then for an observer only.
  a.start();
  stage.connect(a, c, fresh);
  stage.until("the fresh B is told to wait", () => fresh.notices.length + a.notices.length + c.notices.length > 2);
  expect([...a.notices, ...c.notices]).toContain("id-away");
  stage.until("the fresh B is admitted", () => {
    stage.connect(a, c, fresh);
    return fresh.role === "voter" && agree([a, c, fresh]);
  });
  const roles = (x: Entry) => (x.data as Configuration).members.find((m) => m.inc === fresh.inc)?.role;
  const seen = a.disk.entries.filter((x) => x.kind === "config").map(roles);
  expect(seen.filter((role) => role !== undefined)).toEqual(["observer", "voter"]);
  expect(fresh.heard).toEqual(["m"]);
});

test("4 [M1] a peer with an empty log founds nothing: it asks to join, for as long as it takes", () => {
  const stage = new Stage();
  const first = stage.add(1).start({ commit: 0 });
  const second = stage.add(2).start({ commit: 0 });
  stage.held = (frame) => frame.type === "JOIN";
  stage.connect(first, second);
  stage.pass(10_000);
  for (const peer of [first, second]) {
    expect(peer.disk.entries).toEqual([]);
    expect(peer.peer.promised.term).toBe(0);
  }
  expect(stage.under(first, second, "JOIN").length).toBeGreaterThan(10);
});

test("5 [E3] a peer that reaches nobody else stands nobody down: the one in the middle leads at once", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [a, b, c, d, e] = peers;
  // Something to say: a leader of a cluster in which nothing was said yet would hand over to E [E10].
  c.say("m");
  for (const other of [a, b, d, e]) stage.connect(c, other);
  stage.pass(stage.timings.defer - 50, () => c.leads);
  expect(c.leads).toBe(true);
});

test("5 [E4] deference ends: a higher peer that never gets anywhere is gone on without", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [a, b, c, d, e] = peers;
  // E believes itself connected to everybody, but what it says arrives at C only.
  stage.held = (_, from, to) => from === e && to !== c;
  c.say("m");
  for (const other of [a, b, d, e]) stage.connect(c, other);
  for (const other of [a, b, d]) stage.connect(e, other);
  stage.pass(5000, () => c.leads);
  expect(c.leads).toBe(true);
});

test("5 [E4] [E10] a young cluster hands over in vain once, and does not go on so for ever", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [a, b, c, d, e] = peers;
  for (const other of [a, b, d, e]) stage.connect(c, other);
  stage.pass(30_000);
  // D and E are higher, and reach C only: they can never lead.
  expect(c.notices.filter((notice) => notice === "abdicated").length).toBeLessThan(5);
});

test("6 [E11] a leader that has lost its majority does not keep the one peer that hears it from electing", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, c, b, a] = peers;
  underWay(stage, a);
  a.say("m");
  stage.quiet();
  for (const other of [c, d, e]) stage.cut(a, other);
  // B is the bridge: it hears A, and everybody else needs B's word only to find that A lives.
  stage.pass(500);
  expect(b.peer.leader?.ballot.leader_id).toBe(a.id);
  stage.cut(c, d);
  stage.cut(c, e);
  stage.cut(d, e);
  stage.pass(5000, () => b.leads);
  expect(b.leads).toBe(true);
  expect(a.notices).toContain("abdicated");
});

test("7 [E11] a leader that beats while nothing of its gets anywhere makes room", () => {
  const { stage, peers } = Stage.with(THREE);
  const [c, b, a] = peers;
  underWay(stage, a);
  // Its disk hangs, its bulk traffic hangs, its heartbeats do not.
  a.syncs = false;
  a.promises = false;
  stage.held = (frame, from) => from === a && frame.type === "SEQ_CHAT";
  b.say("m");
  stage.pass(stage.timings.stall - 100);
  expect(a.leads).toBe(true);
  stage.until("B and C heard it from another leader", () => b.heard.length === 1 && c.heard.length === 1);
  expect(a.leads).toBe(false);
});

test("7 [E11] one voter that keeps up is no progress: a leader that commits nothing makes room", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, c, b, a] = peers;
  underWay(stage, a);
  stage.held = (frame, from, to) => from === a && to !== e && frame.type === "SEQ_CHAT";
  for (let i = 0; i < 20; i++) {
    b.say("m");
    stage.pass(1000);
  }
  expect(a.notices).toContain("abdicated");
  expect([c, d].every((p) => p.heard.length > 0)).toBe(true);
});

test("7 [E11] a leader that gave up because nothing got anywhere lets another try", () => {
  const { stage, peers } = Stage.with(THREE);
  const [c, b, a] = peers;
  underWay(stage, a);
  stage.held = (frame, from) => from === a && frame.type === "SEQ_CHAT";
  b.say("m");
  stage.pass(30_000, () => b.heard.length + c.heard.length === 2);
  expect([b.heard, c.heard]).toEqual([["m"], ["m"]]);
});

test("7 [R4] [R5] a leader's slow disk alone holds nobody up: the others are a majority", () => {
  const { stage, peers } = Stage.with(THREE);
  const [c, b, a] = peers;
  underWay(stage, a);
  a.syncs = false;
  b.say("m");
  stage.quiet();
  stage.pass(stage.timings.heartbeat);
  expect([a.heard, b.heard, c.heard]).toEqual([["m"], ["m"], ["m"]]);
  expect(a.disk.durable).toBeLessThan(a.last);
});

test("8 [R5] a quiet room: what the last leader left is committed without anybody's typing", () => {
  const { stage, peers } = Stage.with(THREE);
  const [c, b, a] = peers;
  underWay(stage, a);
  // B and C have m; that they both do dies with A.
  stage.held = (frame, _, to) => to === a && frame.type === "SEQ_ACK";
  a.say("m");
  stage.quiet();
  a.crash();
  expect([b.texts, c.texts, b.heard, c.heard]).toEqual([["m"], ["m"], [], []]);
  stage.pass(2000);
  expect([b.heard, c.heard]).toEqual([["m"], ["m"]]);
});

test("9 [S3] a counter that starts again in a new session is no duplicate; the old session goes first", () => {
  const { stage, peers } = Stage.with(THREE);
  const [c, b, a] = peers;
  underWay(stage, a);
  c.say("one");
  stage.pass(500);
  c.crash();
  // Of the outbox on disk, "one" is committed already, "two" never left. New words are typed before they are sent.
  const drafts = ["one", "two"].map((text) => draft(text));
  c.start({ commit: c.disk.durable, outbox: [{ session: "s1", first: 1, drafts }] }).say("three");
  stage.connect(a, b, c);
  stage.pass(2000);
  for (const peer of [a, b]) expect(peer.heard).toEqual(["one", "two", "three"]);
  expect(a.disk.entries.filter((x) => x.kind === "chat").map(messageId)).toEqual(["1.s1.1", "1.s1.2", "1.s2.1"]);
  expect(c.sent).toEqual(["one", "two", "three"]);
});

test("10 [R3] durable entries that the leader has not proven equal to its own are not acknowledged to it", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, b, c, a] = peers;
  underWay(stage, a);
  const common = a.last;
  // B alone has A's 9 and 10. A dies, B is cut off, and the others elect C.
  stage.held = (frame, _, to) => to !== b && (carries(frame, "nine") || carries(frame, "ten"));
  a.say("nine");
  a.say("ten");
  stage.quiet();
  a.crash();
  stage.isolate(b);
  // C's own 9 is durable on C and D: two of five.
  stage.held = (frame, from) => from === c && frame.type === "SEQ_CHAT";
  stage.until("C leads", () => c.leads);
  stage.held = (frame, from, to) => from === c && to !== d && frame.type === "SEQ_CHAT";
  stage.quiet();
  expect([c.last, b.last]).toEqual([common + 1, common + 2]);

  // B meets C, whose heartbeats speak of a 9 that B has not.
  stage.connect(b, c);
  stage.pass(1000);
  expect(c.peer.log.commit).toBe(common);
  expect(b.disk.durable).toBe(common + 2);

  // E makes it three of five; C's heartbeats say so, and B still holds A's 9.
  stage.held = (frame, from, to) => from === c && to === b && frame.type === "SEQ_CHAT";
  stage.pass(1000);
  expect(c.peer.log.commit).toBe(common + 1);
  expect(b.texts).toEqual(["nine", "ten"]);
  expect(b.heard).toEqual([]);

  stage.held = () => false;
  stage.until("they agree", () => agree([b, c, d, e]));
  expect(b.heard).toEqual([]);
});

test("11 [R8] what was committed under a higher ballot binds the peer that fetches it, before it is taken", () => {
  const { stage, peers } = Stage.with(FIVE, STUBBORN);
  const [e, d, b, c, a] = peers;
  // A, in the part of the leader that D follows later, is away. C leads; its memory does not reach back to B's log.
  stage.connect(c, d, e);
  stage.until("C leads", () => c.leads && agree([c, d, e]));
  c.say("old");
  stage.pass(500);
  for (const peer of [c, d, e]) peer.crash();
  c.start({ commit: c.last, onDisk: c.last });
  d.start({ commit: d.last });
  e.start({ commit: e.last });
  stage.connect(c, d, e);
  stage.until("C leads again", () => c.leads && agree([c, d, e]));
  const old = c.peer.promised;

  // B comes and asks D for what it lacks. Before D answers, it has another leader, and with it a later entry.
  stage.held = (_, from, to) => from === b && to === d;
  stage.connect(b, c);
  stage.connect(b, d);
  stage.until("B asks D", () => stage.under(b, d, "CATCHUP_REQ").length > 0);
  stage.cut(c, d);
  stage.cut(c, e);
  stage.held = (_, from, to) => from === b || to === b;
  stage.connect(a, d, e);
  stage.until("D has another leader", () => !d.leads && compareBallots(d.peer.promised, old) > 0);
  a.say("new");
  stage.until("D has delivered", () => d.heard.includes("new"));

  // B gets all of it at once, and its machine loses power right after.
  stage.held = (frame, from, to) => (from !== b && to === b) || (from === b && frame.type !== "CATCHUP_REQ");
  while (stage.under(b, d, "CATCHUP_REQ").length + stage.under(d, b, "CATCHUP_RESP").length > 0) {
    stage.quiet();
    while (stage.under(d, b, "CATCHUP_RESP").length > 0) stage.deliver(d, b, "CATCHUP_RESP");
  }
  expect(compareBallots(b.disk.promised, b.peer.log.tail.ballot)).toBeGreaterThanOrEqual(0);
  expect(compareBallots(b.disk.promised, old)).toBeGreaterThan(0);
  const entries = b.last;
  b.crash();
  b.start();

  // C still leads in its own eyes and appends in the same place: B refuses, and loses nothing.
  stage.held = () => false;
  c.say("late");
  stage.connect(b, c);
  stage.pass(500);
  expect(b.last).toBeGreaterThanOrEqual(entries);
  expect(b.texts).not.toContain("late");
  expect(c.heard).toEqual(["old"]);

  stage.connect(a, b, c, d, e);
  stage.until("they agree", () => agree(peers) && b.heard.length === 3);
  expect(b.heard).toEqual(["old", "new", "late"]);
});

test("12 [E6] from the decision to promise on, nothing of a lower ballot is taken: the disk may take its time", () => {
  const { stage, peers } = Stage.with(THREE, STUBBORN);
  const [b, c, a] = peers;
  underWay(stage, a);
  const common = b.last;
  stage.held = (_, from) => from === a;
  b.promises = false;
  stage.until("B decides to promise C", () => b.disk.promising?.leader_id === c.id);

  // While that is being written, A is heard again.
  a.say("ten");
  stage.held = (frame) => frame.type === "PROMISE" || frame.type === "NACK";
  stage.deliver(a, b, "SEQ_CHAT");
  expect(b.last).toBe(common);
  b.syncPromise();
  expect(stage.under(b, c, "PROMISE")[0]?.tail.index).toBe(common);
  expect(stage.under(b, a, "SEQ_ACK")).toEqual([]);

  stage.held = () => false;
  b.promises = true;
  stage.until("they agree", () => agree(peers) && peers.every((p) => p.heard.length === 1));
});

test("13 [E7] a donor that was lost before it gave counts no more, until it promises again", () => {
  const { stage, peers } = Stage.with(THREE);
  const [b, c, a] = peers;
  underWay(stage, a);
  // A and B have m: it is committed. C has not, and only B can give it.
  stage.held = (_, from, to) => from === a && to === c;
  a.say("m");
  stage.quiet();
  expect(a.heard).toEqual(["m"]);
  a.crash();
  stage.held = (frame) => frame.type === "CATCHUP_REQ";
  stage.until("C asks B", () => stage.under(c, b, "CATCHUP_REQ").length > 0);
  const { ballot } = stage.under(c, b, "CATCHUP_REQ")[0] as { ballot: unknown };
  stage.cut(b, c);
  stage.quiet();
  expect(c.leads).toBe(false);

  // B is back while that candidacy still stands, promises the same ballot again, and C adopts m.
  stage.held = () => false;
  stage.connect(b, c);
  stage.quiet();
  expect(c.leads).toBe(true);
  expect(c.peer.promised as unknown).toEqual(ballot);
  stage.pass(500);
  expect([b.heard, c.heard]).toEqual([["m"], ["m"]]);
});

test("14 [D5] a peer that lost what it had acknowledged elects nobody until it has it again", () => {
  const { stage, peers } = Stage.with(THREE);
  const [f, c, a] = peers;
  underWay(stage, a);
  // A and F have ten: it is committed. C has not.
  stage.held = (_, from, to) => from === a && to === c;
  a.say("ten");
  stage.quiet();
  expect(a.heard).toEqual(["ten"]);
  a.crash();
  f.crash();

  // F's log is damaged, the rest is cut away. F and C are two of three, and ten would be gone.
  f.disk.entries.length = 1;
  f.disk.durable = 1;
  f.start({ faulty: true });
  stage.held = () => false;
  stage.connect(f, c);
  stage.pass(20_000);
  expect([f.leads, c.leads]).toEqual([false, false]);

  // A returns and is elected with C; whether C has A's own entry, A does not learn. F counts again once it has all
  // that A had when they met, committed or not, on its disk.
  f.syncs = false;
  a.start();
  const had = a.last + 1;
  stage.held = (frame, from) => frame.type === "SEQ_ACK" && frame.match >= had && from === c;
  stage.connect(a, c);
  stage.until("A leads", () => a.leads);
  stage.connect(a, f);
  stage.until("F has it all in its file", () => f.last === had);
  expect(a.peer.log.commit).toBe(1);
  f.sync(had - 1);
  stage.pass(500);
  expect(f.peer.faulty).toBe(true);
  expect(a.peer.leadership?.matchOf(f)).toBe(0);
  f.sync();
  stage.pass(500);
  expect(f.peer.faulty).toBe(false);
  expect(f.notices).toContain("repaired");
  expect(a.peer.log.commit).toBe(had);

  a.crash();
  f.syncs = true;
  stage.held = () => false;
  stage.until("F and C go on", () => agree([f, c]) && (f.leads || c.leads));
  expect([f.heard, c.heard]).toEqual([["ten"], ["ten"]]);
});

test("15 [R5] a majority of an earlier ballot's entry commits nothing while the own ballot is on the leader alone", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, c, b, a] = peers;
  underWay(stage, a);
  const common = a.last;
  // Figure 8: A's m is on A and B. A goes, and E is elected by C and D and writes its own in that place, for itself.
  stage.held = (frame, from, to) => from === a && to !== b && frame.type === "SEQ_CHAT";
  a.say("m");
  stage.quiet();
  a.crash();
  stage.isolate(b);
  for (const lower of [c, d]) lower.input({ type: "disk-refuses", why: "room" });
  for (const lower of [c, d]) lower.input({ type: "disk-ok" });
  stage.held = (frame) => frame.type === "SEQ_CHAT";
  stage.until("one of C, D and E leads", () => [c, d, e].some((p) => p.leads));
  const rival = [c, d, e].find((p) => p.leads) as Puppet;
  const others = [c, d, e].filter((p) => p !== rival) as [Puppet, Puppet];
  rival.crash();
  expect(rival.last).toBe(common + 1);

  // A is back, elected by B and one more, who gets m and confirms no more than that.
  const [third, fourth] = others;
  stage.isolate(fourth);
  b.syncs = false;
  third.syncs = false;
  a.start({ commit: common });
  stage.held = () => false;
  stage.connect(a, b, third);
  stage.until("A leads", () => a.leads && third.last === a.last && b.last === a.last);
  b.sync(common + 1);
  third.sync(common + 1);
  stage.pass(500);
  expect(a.peer.leadership?.matchOf(third)).toBe(common + 1);
  expect(a.heard).toEqual([]);

  // For if all three go now, the rival's entry bears a higher ballot than m and takes its place.
  for (const peer of [a, b, third]) peer.crash();
  for (const peer of [b, third, rival]) peer.syncs = true;
  rival.start();
  third.start();
  stage.connect(rival, third, fourth);
  stage.until("the rival leads", () => rival.leads && agree([rival, third, fourth]));
  expect(third.texts).toEqual([]);
});

test("16 [E13] a leader refused for a promise above its own takes a ballot above that: nobody is shut out", () => {
  const { stage, peers } = Stage.with(FIVE);
  const [e, d, b, c, a] = peers;
  underWay(stage, a);
  // B, C and E lose A for a moment. C gets their grants and B's promise, and dies before it leads.
  for (const other of [b, c, e]) stage.cut(a, other);
  for (const other of [b, c, e]) stage.cut(d, other);
  stage.held = (frame, _, to) => frame.type === "PROMISE" || (frame.type === "PREPARE" && to === e);
  stage.until("B promises C", () => b.peer.promised.leader_id === c.id);
  c.crash();
  expect(b.disk.promised.leader_id).toBe(c.id);
  const term = b.disk.promised.term;

  // A leads all the while, with D and E; only B refuses it.
  stage.held = () => false;
  stage.connect(a, b, d, e);
  a.say("m");
  stage.pass(1000);
  expect(a.notices).not.toContain("abdicated");
  expect(a.leads).toBe(true);
  expect(a.peer.promised.term).toBe(term + 1);
  expect(b.heard).toEqual(["m"]);
});

test("17 [E6] a peer that does not know that it is a voter promises all the same", () => {
  const { stage, peers } = Stage.with(["observer", "observer", "voter"]);
  const [c, b, a] = peers;
  // A, the only voter, makes all three voters and dies before anybody has that.
  stage.held = (frame) => changes(frame);
  stage.connect(a, b, c);
  stage.until("A has made voters of them", () => configOf(a) !== undefined);
  a.crash();
  expect([b.role, c.role]).toEqual(["observer", "observer"]);

  stage.held = () => false;
  a.start();
  stage.connect(a, b, c);
  stage.until("A leads again", () => a.leads && agree(peers));
  expect([a.role, b.role, c.role]).toEqual(["voter", "voter", "voter"]);
});
