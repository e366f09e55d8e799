/** The leader's part in who comes and goes [P1] to [P4], and what a log refuses to say of people. */
import { describe, expect, test } from "bun:test";
import { READ_MARKS_MAX, USERS_MAX } from "../../../src/core/config.ts";
import type { Entry, Presence } from "../../../src/core/log-entry.ts";
import { LogState } from "../../../src/core/log-state.ts";
import type { People, Person } from "../../../src/core/message.ts";
import { entryOf, genesisOf } from "../../core/entries.ts";
import type { Puppet } from "./puppet.ts";
import { trio } from "./puppets.ts";

const person = (user: string, here = true, was = ""): Person => ({ user, room_id: "lobby", ts: 1, was, here });
const people = (...users: Person[]): People => ({ type: "PEOPLE", users, reads: [] });

const notes = (puppet: Puppet) =>
  puppet.disk.entries.flatMap((e) => (e.kind === "system" ? [`${e.user} ${(e.data as Presence).change}`] : []));

describe("the leader", () => {
  test("[P2] appends what is news to the log, however often it is said, and nothing else", () => {
    const { stage, b, c, leader } = trio();
    for (let i = 0; i < 3; i++) stage.hand(b, leader, people(person("bob"), person("ann")));
    stage.hand(c, leader, people(person("bob", true)));
    stage.hand(b, leader, people(person("bob", false), person("nobody", false)));
    expect(notes(leader)).toEqual(["bob joined", "ann joined"]);
    stage.hand(c, leader, people(person("bob", false)));
    stage.hand(b, leader, people(person("eve", true, "ann")));
    stage.hand(b, leader, people(person("eve", true, "ann")));
    expect(notes(leader)).toEqual(["bob joined", "ann joined", "bob left", "eve renamed"]);
  });

  test("[P2] a peer says again what the log lost with an old leader, and what nobody heard", () => {
    const { stage, b, c, leader } = trio();
    stage.held = (frame) => frame.type === "PEOPLE";
    b.input({ type: "person", person: person("bob") });
    stage.pass(100);
    stage.lose(b, leader, "PEOPLE");
    stage.held = () => false;
    stage.until("bob is here", () => b.delivered.some((e) => e.kind === "system"));
    stage.held = (frame, from) => frame.type === "SEQ_CHAT" && from === leader;
    b.input({ type: "person", person: person("bob", false) });
    stage.pass(50);
    expect(notes(leader)).toEqual(["bob joined", "bob left"]);
    leader.crash();
    stage.held = () => false;
    stage.until("he has left all the same", () => notes(c).length === 2 && c.delivered.at(-1)?.kind === "system");
    expect(notes(b)).toEqual(["bob joined", "bob left"]);
  });

  test("[P3] presumes nobody gone that it could not have heard of: not before it has led for the presence time", () => {
    const { stage, b, leader } = trio();
    stage.hand(b, leader, people(person("bob")));
    stage.pass(1000);
    leader.crash();
    stage.until("another leads", () => b.leads);
    const before = stage.now;
    stage.until("bob is gone", () => notes(b).at(-1) === "bob gone");
    expect(stage.now - before).toBeGreaterThanOrEqual(stage.timings.presence - 1000);
    expect(stage.now - before).toBeLessThan(stage.timings.presence + 2000);
  });

  test("[P4] takes readings of what has been said, further than before, and no others", () => {
    const { stage, b, leader } = trio();
    b.say("one", "two");
    stage.until("both are there", () => leader.heard.length === 2);
    const read = (through: number, room_id = "lobby") =>
      stage.hand(b, leader, { type: "PEOPLE", users: [], reads: [{ user: "bob", room_id, through, ts: 0 }] });
    for (const through of [1, 1, 3, 2, 1]) read(through);
    read(1, "attic");
    expect(leader.disk.entries.flatMap((e) => (e.kind === "read" ? [e.data] : []))).toEqual([
      { from: 0, through: 1 },
      { from: 1, through: 2 },
    ]);
  });

  test("[P4] a peer does not report a reading of what it does not hold, now or later", () => {
    const { stage, b, leader } = trio();
    b.say("one");
    stage.until("it is there", () => b.heard.length === 1);
    const read = (room_id: string, through: number) =>
      b.input({ type: "read", read: { user: "bob", room_id, through, ts: 0 } });
    read("lobby", 7);
    read("nowhere", 1);
    read("lobby", 1);
    stage.until("the log shows it", () => leader.disk.entries.some((e) => e.kind === "read"));
    const reports: People[] = [];
    stage.held = (frame) => {
      if (frame.type === "PEOPLE") reports.push(frame);
      return false;
    };
    stage.pass(5000);
    expect(reports).toEqual([]);
  });

  test("[P2] hears of no people from a peer that is no member", () => {
    const { stage, leader } = trio();
    const stranger = stage.add(9).start();
    stage.connect(stranger, leader);
    stage.hand(stranger, leader, people(person("mallory")));
    expect(notes(leader)).toEqual([]);
  });
});

describe("a log", () => {
  const ballot = { term: 1, leader_id: 1, inc: "i1", boot: 1 };
  const system = (index: number, user: string, change: Presence["change"], was = "") =>
    entryOf(index, ballot, "system", { room_id: "lobby", sender_id: 1, user, data: { change, was } });
  const read = (index: number, user: string, from: number, through: number) =>
    entryOf(index, ballot, "read", { room_id: "lobby", sender_id: 1, user, data: { from, through } });

  function said(...entries: Entry[]): LogState {
    const state = new LogState();
    for (const entry of [genesisOf(["voter"]), ...entries]) state.apply(entry);
    return state;
  }

  test("[P1] [P4] does not say what cannot be", () => {
    const chat = entryOf(2, ballot, "chat", { room_id: "lobby", seq_no: 1, session: "1.a", counter: 1, sender_id: 1 });
    const state = said(chat, system(3, "bob", "joined"), read(4, "bob", 0, 1));
    const wrong = [
      system(5, "bob", "joined"),
      system(5, "eve", "left"),
      system(5, "eve", "gone"),
      system(5, "bob", "renamed", "eve"),
      system(5, "eve", "renamed", "ann"),
      read(5, "bob", 0, 1),
      read(5, "bob", 1, 1),
      read(5, "bob", 1, 2),
      read(5, "eve", 1, 2),
    ];
    for (const entry of wrong) expect(state.refusal(entry)).not.toBeNull();
    for (const entry of [system(5, "eve", "renamed", "bob"), system(5, "bob", "gone"), read(5, "eve", 0, 1)])
      expect(state.refusal(entry)).toBeNull();
  });

  test("[I10] keeps a bounded number of people and of readers, and a checkpoint of them all is the same state", () => {
    const state = said(
      entryOf(2, ballot, "chat", { room_id: "lobby", seq_no: 1, session: "1.a", counter: 1, sender_id: 1 }),
    );
    for (let i = 0; i < USERS_MAX; i++) state.apply(system(state.index + 1, `user ${i}`, "joined"));
    for (let i = 0; i < READ_MARKS_MAX; i++) state.apply(read(state.index + 1, `user ${i}`, 0, 1));
    expect(state.refusal(system(state.index + 1, "one more", "joined"))).toContain("more people");
    expect(state.refusal(read(state.index + 1, "one more", 0, 1))).toContain("more marks");
    const copy = LogState.fromData(JSON.parse(JSON.stringify(state.toData())));
    expect(copy.toData()).toEqual(state.toData());
    expect(JSON.stringify(state.toData()).length).toBeLessThan(2 * 1024 * 1024);
  });
});
