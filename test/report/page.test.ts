/** The browser's side where it needs no browser: words, the view, which arrows are drawn, what the pointer finds. */
import { describe, expect, test } from "bun:test";
import { hitAt } from "../../src/report/page/near.ts";
import { pickArrows } from "../../src/report/page/pick-arrows.ts";
import { layOut } from "../../src/report/page/run.ts";
import { firstAt } from "../../src/report/page/search.ts";
import { GUTTER, View } from "../../src/report/page/time-view.ts";
import { eventNote, eventWords, messageFate } from "../../src/report/page/words.ts";
import { sceneOf } from "../../src/report/scene.ts";
import type { ReportEvent, SimReport } from "../../src/report/sim-report.ts";
import { event, message, report } from "./runs.ts";

/** A diagram of 1000 by 400 pixels beside the gutter. */
function opened(given: SimReport, flies = false) {
  const run = layOut(given, sceneOf(given));
  let drawings = 0;
  const view = new View(run, { changed: () => void drawings++, flies: () => flies });
  [view.width, view.height] = [GUTTER + 1000, 400];
  return { run, view, drawings: () => drawings };
}

describe("words", () => {
  test("an event is told in words, and its note does not repeat them", () => {
    const said = (kind: ReportEvent["kind"], index: number, note: string) =>
      eventNote(event(1, 2, kind, { index, note }));
    expect(said("deliver", 18, "delivers 18 = 1.s.4 hello")).toBe("1.s.4 hello");
    expect(said("start", 0, "starts")).toBe("");
    expect(said("stop", 0, "stops (0): left")).toBe("(0): left");
    expect(said("submit", 0, "says 1.s.4 hello")).toBe("says 1.s.4 hello");
    expect(eventWords(event(1, 2, "role", { role: "leader", term: 3 }))).toBe("peer 2 is leader, term 3");
  });

  test("a cut names two peers, one peer, or the whole network", () => {
    const said = (peer: number, to: number) => eventWords(event(1, peer, "cut", { to }));
    expect([said(1, 3), said(2, 0), said(0, 0)]).toEqual([
      ...["network: cut 1 → 3", "network: cut peer 2", "network: cut"],
    ]);
  });

  test("a message tells when it arrives, and after how long", () => {
    expect(messageFate(message(1000, 1004.25, "PING"))).toBe("arrives 1,004.3 ms (+4.3)");
    expect(messageFate(message(1000, null, "PING"))).toBe("never arrives");
  });
});

describe("the view", () => {
  test("a place and a time are each other's", () => {
    const { view } = opened(report());
    view.show(20, 40);
    expect([view.x(20), view.x(30), view.x(40)]).toEqual([GUTTER, GUTTER + 500, GUTTER + 1000]);
    expect(view.timeAt(view.x(33))).toBeCloseTo(33);
  });

  test("it shows nothing outside of the run, and no stretch shorter than half a message's way", () => {
    const { view, drawings } = opened(report({ messages: [message(0, 10, "PING")] }));
    view.show(-500, -490);
    expect([view.t0, view.span]).toEqual([view.low, 10]);
    view.zoom(1e-9);
    expect(view.span).toBeCloseTo(5);
    view.zoom(1e9);
    expect([view.t0, view.t1]).toEqual([-2, 102]);
    expect(drawings()).toBe(3);
  });

  test("a zoom leaves the time around which it zooms where it is", () => {
    const { view } = opened(report());
    view.show(0, 100);
    const before = view.x(70);
    view.zoom(0.5, 70);
    expect(view.x(70)).toBeCloseTo(before);
    expect(view.span).toBeCloseTo(50);
  });

  test("a visit pins the cursor and flies there; a hand stops it on its way", () => {
    const { view } = opened(report(), true);
    view.show(0, 20);
    view.visit(80);
    expect([view.cursor, view.pinned, view.flying, view.t0]).toEqual([80, true, true, 0]);
    view.advance(performance.now() + 1000);
    expect([view.flying, view.t0, view.t1]).toEqual([false, 70, 90]);
    view.visit(10);
    view.pan(0.5);
    expect([view.flying, view.t0]).toEqual([false, 80]);
  });

  test("without a pin the cursor follows the pointer, or else the middle", () => {
    const { view } = opened(report());
    view.show(20, 40);
    view.advance(0);
    expect(view.cursor).toBe(30);
    view.pointer = { px: 500, py: 50 };
    view.cursor = 22;
    view.advance(0);
    expect(view.cursor).toBe(22);
  });
});

describe("arrows", () => {
  const [lost, kept] = [message(10, null, "CHAT"), message(20, 30, "PING")];

  test("those of the window that are asked for, from row to row; a lost one ends on its way", () => {
    const { run, view } = opened(report({ messages: [lost, kept, message(60, 70, "PING")] }));
    view.show(5, 55);
    const { arrows, perArrow } = pickArrows(run, view);
    expect([arrows.map((a) => a.i), perArrow]).toEqual([[0, 1], 1]);
    const [first, second] = arrows.map((a) => a.line);
    expect(second?.map(Math.round)).toEqual([view.x(20), view.y(0) + 5, view.x(30), view.y(1) - 9].map(Math.round));
    expect(first?.[3]).toBeLessThan(view.y(1) - 9);
    run.shown.fill(false);
    expect(pickArrows(run, view).arrows).toEqual([]);
  });

  test("one that is sent long before the window and arrives in it is drawn", () => {
    const { run, view } = opened(report({ messages: [message(1, 90, "CHAT"), message(2, 3, "CHAT"), kept] }));
    view.show(80, 95);
    expect(pickArrows(run, view).arrows.map((a) => a.i)).toEqual([0]);
  });

  test("one stands for many where they are too many, and the same ones while the picture moves", () => {
    const many = Array.from({ length: 50_000 }, (_, i) => message(i / 500, i / 500 + 1, "CHAT"));
    const { run, view } = opened(report({ messages: many }));
    const drawn = (t0: number) => {
      view.show(t0, t0 + 50);
      return pickArrows(run, view);
    };
    const [before, after] = [drawn(10), drawn(10.02)];
    expect(before.arrows.length).toBeLessThan(2100);
    expect(before.perArrow).toBeGreaterThan(12);
    const seen = new Set(before.arrows.map((a) => a.i));
    expect(after.arrows.filter((a) => !seen.has(a.i)).length).toBeLessThan(20);
  });
});

describe("the pointer", () => {
  test("finds the nearest mark, else the nearest arrow, and nothing in the gutter or far away", () => {
    const { run, view } = opened(report({ messages: [message(20, 30, "CHAT")] }));
    view.show(0, 100);
    const { arrows } = pickArrows(run, view);
    const [x0, y0, x1, y1] = arrows[0]?.line ?? [0, 0, 0, 0];
    const mark = { kind: "mark", px: x0, py: y0, event: { ...event(20, 1, "submit"), kind: "submit" } } as const;
    const middle = { px: (x0 + x1) / 2 + 2, py: (y0 + y1) / 2 };
    expect(hitAt(middle, [mark], arrows)).toBe(arrows[0] as never);
    expect(hitAt({ px: x0 + 3, py: y0 + 3 }, [mark], arrows)).toBe(mark);
    expect(hitAt({ px: middle.px + 100, py: middle.py }, [mark], arrows)).toBeNull();
    expect(hitAt({ px: GUTTER - 1, py: y0 }, [{ ...mark, px: GUTTER }], arrows)).toBeNull();
  });

  test("the first that is not before a time, and the end where all are", () => {
    expect([1, 3, 5, 9].map((t) => firstAt([1, 3, 3, 7], t))).toEqual([0, 1, 3, 4]);
  });
});
