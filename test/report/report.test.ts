/** The page of a report: the data arrives whole, nothing in it becomes markup or leaves the page, and the picture is right. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { PAGE_SCRIPT_FILE, pageScriptModule } from "../../scripts/page-script.ts";
import { eventNote } from "../../src/report/page/words.ts";
import { PAGE_SCRIPT } from "../../src/report/page-script.ts";
import { reportHtml } from "../../src/report/report-html.ts";
import { sceneOf } from "../../src/report/scene.ts";
import type { ReportEvent, ReportMessage, SimReport } from "../../src/report/sim-report.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const HOSTILE = [
  "</script><script>alert(1)</script>",
  "</SCRIPT >",
  "<!-- <script>",
  "]]> --> &lt;b&gt; &amp;",
  "\"'`${1}\\u003c\\",
  "\u2028\u2029\0\x1b[2J\u202e\ud800",
  "<img src=x onerror=alert(1)>",
];

function event(atMs: number, peer: number, kind: ReportEvent["kind"], more: Partial<ReportEvent> = {}): ReportEvent {
  return { atMs, peer, kind, term: 0, role: "", index: 0, to: 0, note: "", ...more };
}

function message(sentMs: number, arrivedMs: number | null, frame: string, note = ""): ReportMessage {
  return { sentMs, arrivedMs, from: 1, to: 2, frame, term: 1, note };
}

function report(more: Partial<SimReport> = {}): SimReport {
  return {
    ...{ title: "a run", seed: 42, peers: [1, 2, 3], endMs: 100, events: [], messages: [] },
    verdict: { result: "PASS", invariant: "I1", message: "fine", atMs: 100, steps: ["12.5 peer 1 crashes"] },
    ...more,
  };
}

/** What a browser's parser makes of a page: each script element's attributes and text. */
function scripts(html: string): { attributes: string; text: string }[] {
  return [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script\b[^>]*>/gi)].map((m) => ({
    attributes: m[1] as string,
    text: m[2] as string,
  }));
}

function embedded(html: string, id: string): unknown {
  return JSON.parse(scripts(html).find((s) => s.attributes.includes(`id="${id}"`))?.text ?? "");
}

describe("the page", () => {
  test("the data comes back as it went in", () => {
    const given = report({
      events: [event(1, 1, "start"), event(2, 1, "role", { role: "leader", term: 3 })],
      messages: [message(3, 4.25, "SEQ_CHAT", 'index 1, "grüß dich 👋"'), message(5, null, "PING")],
    });
    expect(embedded(reportHtml(given), "data")).toEqual(given);
  });

  test("no string breaks out of its place, wherever it stands", () => {
    for (const text of HOSTILE) {
      const given = report({
        title: text,
        events: [event(1, 1, "notice", { note: text, role: text })],
        messages: [message(1, 2, text, text)],
        verdict: { result: "FAIL", invariant: text, message: text, atMs: 3, steps: [text, `1.5 ${text}`] },
      });
      const html = reportHtml(given);
      expect(embedded(html, "data")).toEqual(given);
      expect(scripts(html).map((s) => s.attributes.trim())).toEqual([
        'type="application/json" id="data"',
        'type="application/json" id="scene"',
        "",
      ]);
      for (const { text: json } of scripts(html).slice(0, 2)) expect(json).not.toMatch(/[<\u2028\u2029]/);
      // Beside the JSON the only place is the title.
      const rest = html.replace(/<script\b[\s\S]*?<\/script>/g, "");
      expect(rest).not.toContain("<img");
      expect(rest).not.toContain("alert(1)<");
      expect(rest.match(/<title>[^<]*<\/title>/g)).toHaveLength(1);
    }
  });

  test("it asks for nothing from anywhere, and its policy would not let it", () => {
    const html = reportHtml(report());
    expect(html).not.toMatch(/https?:\/\//i);
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(/i);
    expect(html).toContain("default-src 'none'");
  });

  test("its own code parses, and never turns text into markup or code", () => {
    expect(() => new Function(PAGE_SCRIPT)).not.toThrow();
    expect(PAGE_SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|<\/script|<!--/i);
    expect(PAGE_SCRIPT).not.toMatch(/\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(/);
  });

  test("every element that the code asks for is there", () => {
    const html = reportHtml(report());
    const sources = [...new Glob("src/report/page/*.ts").scanSync(ROOT)].map((path) =>
      readFileSync(ROOT + path, "utf8"),
    );
    const asked = sources.flatMap((text) => [...text.matchAll(/\bbyId\("([a-z]+)"/g)].map(([, id]) => id));
    expect(asked.length).toBeGreaterThan(15);
    for (const id of asked) expect(html).toContain(`id="${id}"`);
  });

  test("its code is what its modules say: else run `bun scripts/page-script.ts`", async () => {
    expect(readFileSync(PAGE_SCRIPT_FILE, "utf8")).toBe(await pageScriptModule());
  });
});

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

  test("the words of an event are not said twice", () => {
    const said = (kind: ReportEvent["kind"], index: number, text: string) =>
      eventNote({ ...event(1, 2, kind, { index }), note: text });
    expect(said("deliver", 18, "delivers 18 = 1.s.4 hello")).toBe("1.s.4 hello");
    expect(said("start", 0, "starts")).toBe("");
    expect(said("stop", 0, "stops (0): left")).toBe("(0): left");
    expect(said("submit", 0, "says 1.s.4 hello")).toBe("says 1.s.4 hello");
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
