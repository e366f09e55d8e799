/** Who comes, goes and is gone, and who has read how far [P1] to [P5]: three hosts and their clients, on virtual time. */
import { expect, test } from "bun:test";
import type { Told } from "../../src/core/reports.ts";
import type { ClientHost } from "../../src/host/client/client-host.ts";
import type { Host } from "../../src/host/host.ts";
import type { OwnQuestion, Service } from "../../src/host/service.ts";
import { Cluster, messages, type Run, say } from "./virtual-cluster.ts";

/** Longer than the presence time, and than the minute in which nothing at all may be said. */
const GONE_MS = 75_000;

const host = (cluster: Cluster, id: number) => cluster.peers.get(id) as Run<Host>;

/** What a peer or client was told of people, in order. */
const notes = (run: Run<unknown>) =>
  run.events.flatMap((e) => (e.event === "system" ? [`${e.was}${e.was && ">"}${e.user} ${e.change}`] : []));
const reads = (run: Run<unknown>) =>
  run.events.flatMap((e) => (e.event === "read" ? [`${e.user} ${e.room_id} ${e.from}-${e.through}`] : []));

function ask(cluster: Cluster, run: Run<Service>, question: OwnQuestion): Told {
  const answers: Told[] = [];
  run.service.ask(question, (told) => answers.push(told));
  cluster.until(() => answers.length > 0);
  return answers[0] as Told;
}

function peopled(): Cluster {
  const cluster = Cluster.formed();
  cluster.until(() => [1, 2, 3].every((id) => notes(host(cluster, id)).length === 3));
  return cluster;
}

test("[P1] who comes and who leaves with a word is told once, to all, in one order, between the messages", () => {
  const cluster = peopled();
  expect(notes(host(cluster, 1)).sort()).toEqual(["user1 joined", "user2 joined", "user3 joined"]);
  const bob = cluster.attached("bob", 1);
  say(bob, "hello");
  cluster.until(() => messages(host(cluster, 2)).length === 1);
  bob.service.quit();
  cluster.until(() => notes(host(cluster, 2)).at(-1) === "bob left");
  host(cluster, 2).service.quit();
  cluster.until(() => notes(host(cluster, 1)).at(-1) === "user2 left" && host(cluster, 2).stops.length === 1);
  cluster.pass();
  expect(notes(host(cluster, 3))).toEqual(notes(host(cluster, 1)));
  expect(notes(host(cluster, 1)).slice(3)).toEqual(["bob joined", "bob left", "user2 left"]);
  const order = host(cluster, 3).events.filter((e) => e.event === "message" || e.event === "system");
  expect(order.slice(-4).map((e) => e.event)).toEqual(["system", "message", "system", "system"]);
});

test("[P3] a peer that crashes and is back within the presence time makes no entry; one that stays away is gone", () => {
  const cluster = peopled();
  cluster.kill(1);
  cluster.pass(20_000);
  cluster.start(1);
  cluster.pass(GONE_MS);
  expect(notes(host(cluster, 2))).toHaveLength(3);
  cluster.kill(3);
  cluster.pass(GONE_MS);
  expect(notes(host(cluster, 2)).slice(3)).toEqual(["user3 gone"]);
  cluster.start(3);
  cluster.until(() => notes(host(cluster, 2)).at(-1) === "user3 joined");
});

test("[P3] a client that moves to another peer stays; one that is cut off for good is gone, also for a new leader", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 2);
  const eve = cluster.attached("eve", 1);
  cluster.until(() => notes(host(cluster, 1)).length === 5);
  cluster.kill(2);
  cluster.pass(30_000);
  eve.die();
  cluster.kill(3);
  cluster.start(2);
  cluster.pass(GONE_MS);
  expect(notes(host(cluster, 1)).slice(5).sort()).toEqual(["eve gone", "user3 gone"]);
  expect(notes(bob).slice(-2).sort()).toEqual(["eve gone", "user3 gone"]);
});

test("[P1] a client whose peer has died leaves from another one with a word, and is told so at once", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 1);
  cluster.until(() => notes(host(cluster, 2)).at(-1) === "bob joined");
  cluster.kill(1);
  cluster.until(() => bob.events.some((e) => e.event === "notice" && e.code === "attached"));
  bob.service.quit();
  cluster.pass(5000);
  expect(notes(host(cluster, 2)).at(-1)).toBe("bob left");
});

test("[P2] a change of name is one entry; a name that somebody has, or that is none, is refused", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 1);
  cluster.until(() => notes(host(cluster, 1)).length === 4);
  expect(ask(cluster, bob, { what: "nick", user: "user3" })).toMatchObject({ event: "error", code: "name-in-use" });
  expect(ask(cluster, host(cluster, 1), { what: "nick", user: "a\tb" })).toMatchObject({ code: "bad-name" });
  expect(ask(cluster, bob, { what: "nick", user: "rob" })).toMatchObject({ event: "notice", code: "renamed" });
  expect(ask(cluster, host(cluster, 2), { what: "nick", user: "deux" })).toMatchObject({ event: "notice" });
  cluster.until(() => notes(host(cluster, 3)).length === 6);
  expect(notes(host(cluster, 3)).slice(4).sort()).toEqual(["bob>rob renamed", "user2>deux renamed"]);
  say(bob, "who am I");
  say(host(cluster, 2), "and I");
  cluster.until(() => messages(bob).length === 2);
  expect(
    messages(bob)
      .map((m) => m.user)
      .sort(),
  ).toEqual(["deux", "rob"]);
  cluster.kill(1);
  cluster.pass(20_000);
  expect(notes(host(cluster, 3))).toHaveLength(6);
});

test("[P1] nobody is told of where nobody announces: the log has no entries about people", () => {
  const cluster = Cluster.formed({ announces: false });
  cluster.pass(GONE_MS);
  expect([1, 2, 3].flatMap((id) => notes(host(cluster, id)))).toEqual([]);
});

test("[P4] [P5] what people have read is one entry a second and person at most, known to all, and outlives a leader", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 1);
  for (let i = 1; i <= 20; i++) {
    say(host(cluster, 2), `m${i}`);
    cluster.until(() => messages(bob).length === i && messages(host(cluster, 3)).length === i);
    bob.service.confirmRead("general", i);
    host(cluster, 3).service.confirmRead("general", i);
    cluster.pass(100);
  }
  cluster.until(() =>
    ["bob", "user3"].every((user) => reads(host(cluster, 1)).some((r) => r.startsWith(user) && r.endsWith("-20"))),
  );
  const entries = reads(host(cluster, 1));
  expect(entries.length).toBeLessThanOrEqual(2 * 4);
  cluster.until(() => reads(host(cluster, 2)).length === entries.length);
  expect(reads(host(cluster, 2))).toEqual(entries);
  const readers = [
    { user: "bob", through: 20 },
    { user: "user3", through: 20 },
  ];
  cluster.kill(3);
  cluster.until(() => cluster.status(2).leader_id === 2);
  for (const run of [host(cluster, 2), bob] as Run<Service>[])
    expect(ask(cluster, run, { what: "confirmations", room_id: "general" })).toMatchObject({ readers });
  bob.service.confirmRead("general", 99);
  bob.service.confirmRead("attic", 1);
  cluster.pass();
  expect(reads(host(cluster, 1))).toEqual(entries);
});

test("[P4] with receipts off nothing is confirmed, and what was shown is read all the same", () => {
  const cluster = Cluster.formed({ receipts: false });
  const run = host(cluster, 1);
  run.service.rooms.join("general");
  say(host(cluster, 2), "hello");
  cluster.until(() => messages(run).length === 1);
  expect(run.service.rooms.list()).toMatchObject([{ unread: 1 }]);
  run.service.confirmRead("general", 1);
  cluster.pass();
  expect(reads(run)).toEqual([]);
  expect(run.service.rooms.list()).toMatchObject([{ unread: 0 }]);
});

test("who: every peer and client with its round trip and lag; who does not answer, with when it was last heard", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 1);
  cluster.pass(1000);
  const rows = (run: Run<Service>) => {
    const told = ask(cluster, run, { what: "who" });
    return told.event === "who" ? told.people : [];
  };
  for (const asker of [host(cluster, 2), bob] as Run<Service>[]) {
    const people = rows(asker);
    expect(people.map((p) => [p.user, p.peer_id, p.client])).toEqual([
      ["user1", 1, false],
      ["bob", 1, true],
      ["user2", 2, false],
      ["user3", 3, false],
    ]);
    for (const { heard_ms, round_trip_ms, lag } of people) {
      expect(round_trip_ms).not.toBeNull();
      expect(heard_ms).toBeLessThan(500);
      expect(round_trip_ms).toBeGreaterThanOrEqual(0);
      expect(lag).toBeLessThanOrEqual(1);
    }
  }
  cluster.kill(3);
  cluster.pass(20_000);
  const silent = rows(host(cluster, 2) as Run<Service>);
  expect(silent.find((p) => p.peer_id === 3)).toMatchObject({ round_trip_ms: null, lag: null });
  expect(silent.find((p) => p.peer_id === 3)?.heard_ms).toBeGreaterThan(19_000);
  expect(silent.find((p) => p.user === "user3")).toMatchObject({ peer_id: null });
});

test("[P1] [L5] a new member that catches up knows who is here and who has read what, from the log alone", () => {
  const cluster = peopled();
  say(host(cluster, 1), "hello");
  cluster.until(() => messages(host(cluster, 2)).length === 1);
  host(cluster, 2).service.confirmRead("general", 1);
  cluster.until(() => reads(host(cluster, 1)).length === 1);
  cluster.kill(1);
  cluster.start(1);
  cluster.until(() => cluster.status(1).leader_id !== null);
  expect(ask(cluster, host(cluster, 1), { what: "confirmations", room_id: "general" })).toEqual({
    event: "confirmations",
    room_id: "general",
    readers: [{ user: "user2", through: 1 }],
  });
  const clients = [1, 2, 3].map((id) => cluster.attached(`c${id}`, id) as Run<ClientHost>);
  expect(clients).toHaveLength(3);
});

/** Why a run has ended. */
const ends = (run: Run<unknown>) => run.stops.map(({ code, reason }) => `${code} ${reason}`);
const errors = (run: Run<unknown>) => run.events.flatMap((e) => (e.event === "error" ? [e.code] : []));

test("[P6] a peer or a client that begins with the name of somebody who is here is told who has it, and which is free", () => {
  const cluster = peopled();
  cluster.attached("eve", 2);
  cluster.attached("eve_2", 3);
  const again = cluster.client("eve", 1);
  const third = cluster.client("user3", 1);
  cluster.until(() => again.stops.length + third.stops.length === 2);
  expect(ends(again)).toEqual([
    '1 refused by virtual:6001: the name "eve" is in use: a client of peer 2 has it. Choose another --name (eve_3 is free)',
  ]);
  expect(ends(third)[0]).toContain(
    'the name "user3" is in use: peer 3 has it. Choose another --name (user3_2 is free)',
  );
  expect([errors(again), errors(third)]).toEqual([["name-in-use"], ["name-in-use"]]);

  cluster.kill(2);
  cluster.start(2, { name: "user1" });
  cluster.until(() => host(cluster, 2).stops.length === 1);
  expect(ends(host(cluster, 2))[0]).toStartWith('1 the name "user1" is in use: peer 1 has it.');
  expect(errors(host(cluster, 2))).toEqual(["name-in-use"]);
  // It held nothing up, and its own name is nobody else's.
  cluster.kill(2);
  cluster.start(2);
  say(host(cluster, 1), "go on");
  cluster.until(() => messages(host(cluster, 2)).length === 1);
  cluster.pass(3000);
  expect(host(cluster, 2).stops).toEqual([]);
  expect(notes(host(cluster, 1)).filter((note) => note.startsWith("user1"))).toEqual(["user1 joined"]);
});

test("[P6] a peer that joins for the first time is told so, too", () => {
  const cluster = new Cluster();
  cluster.start(1);
  cluster.until(() => notes(host(cluster, 1)).length === 1);
  cluster.start(2, { name: "user1" });
  cluster.until(() => host(cluster, 2).stops.length === 1);
  expect(ends(host(cluster, 2))[0]).toStartWith('1 the name "user1" is in use: peer 1 has it.');
  expect(host(cluster, 1).stops).toEqual([]);
});

test("[P6] whoever comes back has its name: a process that was killed, and a client that goes to another peer", () => {
  const cluster = peopled();
  const eve = cluster.attached("eve", 2);
  cluster.kill(2);
  cluster.until(() => eve.events.some((e) => e.event === "notice" && e.code === "attached"));
  const bob = cluster.attached("bob", 1);
  bob.die();
  cluster.pass(100);
  const anew = cluster.attached("bob", 3);
  cluster.start(2);
  cluster.pass(3000);
  for (const run of [eve, anew, host(cluster, 2)]) expect(run.stops).toEqual([]);
});

/** Who was told that somebody else has the same name, and what. */
const twice = (run: Run<unknown>) =>
  run.events.flatMap((e) => (e.event === "notice" && e.code === "name-twice" ? [e.message] : []));

test("[P6] of those who begin with one name at the same moment one has it, and the others are told", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = Cluster.formed({}, seed);
    for (const id of [2, 3]) cluster.kill(id);
    cluster.pass(3000);
    for (const id of [2, 3]) cluster.start(id, { name: "carol" });
    const clients = [1, 1].map((peer) => cluster.client("carol", peer));
    cluster.pass(20_000);
    const peers = [2, 3].map((id) => host(cluster, id));
    const all = [...peers, ...clients];
    const stay = all.filter((run) => run.stops.length === 0);
    expect(stay).toHaveLength(1);
    for (const run of all) if (run.stops.length > 0) expect(errors(run)).toEqual(["name-in-use"]);
    expect(stay.flatMap(twice)).toEqual([]);
  }
});

test("[P6] one name on both sides of a cut, or by two /nicks at once: each is told of the other, once", () => {
  const cluster = peopled();
  const bob = cluster.attached("bob", 1);
  const eve = cluster.attached("eve", 3);
  const nick = (run: Run<unknown>) => (run as Run<Service>).service.ask({ what: "nick", user: "carol" }, () => {});
  nick(host(cluster, 2));
  nick(bob);
  nick(eve);
  cluster.pass(20_000);
  expect(twice(host(cluster, 2))[0]).toBe(
    'a client of peer 1 has the name "carol", too: nobody can tell you apart. Choose another one with /nick (carol_2 is free)',
  );
  for (const run of [host(cluster, 2), bob, eve]) expect(twice(run)).toHaveLength(1);
  expect([1, 3].map((id) => twice(host(cluster, id)))).toEqual([[], []]);

  const apart = Cluster.formed();
  for (const [from, to] of [
    [1, 2],
    [3, 2],
  ] as const) {
    apart.network.lines.cut(from, to);
    apart.network.lines.cut(to, from);
  }
  apart.pass(5000);
  const sides = [apart.attached("dan", 1), apart.attached("dan", 2)];
  expect(sides.flatMap(twice)).toEqual([]);
  apart.network.heal();
  apart.pass(20_000);
  for (const run of sides) expect(twice(run)).toHaveLength(1);
});
