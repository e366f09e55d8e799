/** What the events of a run amount to: lifelines, cuts, types of messages. */
import { describe, expect, test } from "bun:test";
import { sceneOf } from "../../src/report/scene.ts";
import type { ReportEvent } from "../../src/report/sim-report.ts";
import { event, message, report } from "./runs.ts";

describe("the lifelines", () => {
  const run = report({
    events: [
      event(5, 1, "start"),
      event(10, 1, "role", { role: "candidate", term: 2 }),
      event(20, 1, "role", { role: "leader", term: 2 }),
      event(30, 1, "pause"),
      event(40, 1, "resume"),
      event(50, 1, "crash"),
      event(70, 1, "start"),
      event(80, 1, "commit", { term: 3, index: 9 }),
    ],
  });

  test("a stretch for each state, without gaps, and the term outlives a crash", () => {
    const short = (sceneOf(run).lifelines[0] ?? []).map(
      (s) => `${s.t0}-${s.t1} ${s.up ? (s.paused ? "paused" : s.role || "up") : "down"} ${s.term}`,
    );
    expect(short).toEqual([
      ...["0-5 down 0", "5-10 up 0", "10-20 candidate 2", "20-30 leader 2", "30-40 paused 2", "40-50 leader 2"],
      ...["50-70 down 2", "70-80 up 2", "80-100 up 3"],
    ]);
  });

  test("a peer that does something before it is seen to start was there; one that never does anything is down", () => {
    const stretch = { t0: 0, t1: 100, paused: false, role: "", term: 0 };
    expect(sceneOf(run).lifelines[1]).toEqual([{ ...stretch, up: false }]);
    const cut = report({ events: [event(1, 2, "cut"), event(5, 1, "start")] });
    expect(sceneOf(cut).lifelines[1]).toEqual([{ ...stretch, up: false }]);
    const there = report({ events: [event(50, 2, "deliver", { index: 3 })] });
    expect(sceneOf(there).lifelines[1]).toEqual([{ ...stretch, up: true }]);
  });
});

describe("the cuts", () => {
  const both = (atMs: number, kind: "cut" | "heal", a: number, b: number): ReportEvent[] => [
    event(atMs, a, kind, { to: b }),
    event(atMs, b, kind, { to: a }),
  ];

  test("a partition is told as its groups, with one wall between the rows where it runs", () => {
    const events = [...both(10, "cut", 1, 3), ...both(10, "cut", 2, 3), event(60, 0, "heal")];
    expect(sceneOf(report({ events })).cuts).toEqual([
      { t0: 10, t1: 60, text: "{1 2} ⇹ {3}", bands: [{ a: 1, b: 2, both: true, text: "2 ⇹ 3" }] },
    ]);
  });

  test("one direction, and a pair across a row that both reach", () => {
    const events = [event(10, 1, "cut", { to: 3 }), ...both(20, "cut", 1, 2), ...both(30, "heal", 1, 2)];
    const cuts = sceneOf(report({ events })).cuts;
    expect(cuts.map((c) => [c.t0, c.t1, c.text])).toEqual([
      [10, 20, "1 ↛ 3"],
      [20, 30, "1 ⇹ 2, 1 ↛ 3"],
      [30, 100, "1 ↛ 3"],
    ]);
    expect(cuts[0]?.bands).toEqual([{ a: 0, b: 2, both: false, text: "1 ↛ 3" }]);
  });

  test("a peer without a partner is cut from everybody", () => {
    const events = [event(10, 2, "cut"), event(50, 2, "heal")];
    expect(sceneOf(report({ events })).cuts.map((c) => c.text)).toEqual(["{1 3} ⇹ {2}"]);
  });
});

describe("the types of messages", () => {
  test("what every run is full of is hidden when there is much of it", () => {
    const many = (frame: string, n: number) => Array.from({ length: n }, (_, i) => message(i, i + 1, frame));
    const { types } = sceneOf(
      report({
        messages: [...many("HEARTBEAT", 500), ...many("SEQ_CHAT", 500), ...many("PONG", 3), ...many("NEW", 1)],
      }),
    );
    expect(types.map((t) => `${t.name} ${t.family} ${t.count} ${t.shown}`)).toEqual([
      ...["SEQ_CHAT order 500 true", "HEARTBEAT beat 500 false", "PONG beat 3 true", "NEW other 1 true"],
    ]);
  });

  test("an empty run has a page too", () => {
    const scene = sceneOf(report({ endMs: 0, peers: [] }));
    expect([scene.endMs, scene.usualMs, scene.types, scene.cuts]).toEqual([1, 1, [], []]);
  });
});
