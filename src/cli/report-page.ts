/**
 * What the page of a report is made of: its style, its legend and its browser code, as text, because the page must carry
 * them within itself and a string is what Bun, its compiler, Node and Deno all import alike.
 */

/** Every colour of the page, the canvas's too: the script reads them from here, so that a theme is one place. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --panel: #ffffff; --ink: #1b2330; --soft: #5b6675; --faint: #98a2b0; --line: #dfe3e9; --row: #f3f5f8;
  --accent: #2563eb; --bad: #d92d20; --good: #12805c; --unsure: #b25e09;
  --t0: #a6afbc; --t1: #2f6fde; --t2: #e07a00; --t3: #15966a; --t4: #8a53e6; --t5: #0b97b5; --t6: #d43f8d; --t7: #808a00; --t8: #a2562a;
  --beat: #8b95a3; --order: #2456c9; --ack: #6386cc; --vote: #c2257a; --chat: #16835c; --catch: #b86e00; --join: #0c8495; --other: #69707c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f141b; --panel: #171d26; --ink: #e8edf4; --soft: #a3aebd; --faint: #6c7889; --line: #2a3340; --row: #1b222d;
    --accent: #6ea8ff; --bad: #ff6b5e; --good: #3ccf97; --unsure: #f5a742;
    --t0: #5c6777; --t1: #5b96ff; --t2: #ff9f38; --t3: #35c690; --t4: #ab84ff; --t5: #35c3e0; --t6: #ff73b5; --t7: #c3cc3c; --t8: #d48c60;
    --beat: #8492a6; --order: #7ea6ff; --ack: #7f9bd4; --vote: #ff71b4; --chat: #4fd6a0; --catch: #f2b04c; --join: #45cfe0; --other: #98a2b1;
  }
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template-rows: auto auto minmax(0, 1fr); min-height: 560px; background: var(--bg); color: var(--ink);
  font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
button, input { font: inherit; color: inherit; }
header { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 12px 18px 8px; }
header div { flex: 1 1 360px; min-width: 0; }
header p.keys { display: flex; gap: 6px; align-items: center; margin: 0; }
h1 { font-size: 18px; line-height: 1.3; font-weight: 650; margin: 0; overflow-wrap: anywhere; }
#facts { margin: 1px 0 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.badge { flex: none; padding: 5px 12px; border-radius: 7px; font-weight: 700; letter-spacing: .06em; color: #fff; background: var(--unsure); }
.PASS .badge, .badge.PASS { background: var(--good); } .FAIL .badge, .badge.FAIL { background: var(--bad); }
@media (prefers-color-scheme: dark) { .badge { color: #0f141b; } }
#filters { display: contents; }
nav { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; padding: 2px 18px 10px; }
.chip { display: inline-flex; align-items: center; gap: 6px; padding: 2px 9px 2px 7px; border: 1px solid var(--line); border-radius: 99px; background: var(--panel);
  cursor: pointer; font-size: 12px; user-select: none; }
.chip:not(:has(:checked)) { color: var(--faint); background: none; }
.chip input { appearance: none; width: 10px; height: 10px; margin: 0; border-radius: 3px; border: 2px solid var(--c); cursor: pointer; }
.chip input:checked { background: var(--c); }
.chip b { font-weight: 500; color: var(--faint); font-variant-numeric: tabular-nums; }
.key { min-width: 28px; padding: 2px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); cursor: pointer; }
.key:hover, .chip:hover { border-color: var(--faint); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#at { min-width: 132px; text-align: right; font-weight: 650; font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: minmax(0, 1fr) 348px; gap: 12px; padding: 0 18px 14px; min-height: 0; }
#stage { display: flex; flex-direction: column; gap: 8px; min-height: 0; min-width: 0; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; }
#overview { position: relative; flex: none; height: 66px; overflow: hidden; touch-action: none; cursor: pointer; }
#plot { position: relative; flex: 1; min-height: 260px; overflow: hidden; touch-action: none; cursor: crosshair; }
#plot.dragging { cursor: grabbing; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
#over { pointer-events: none; }
#window { position: absolute; top: 0; bottom: 0; left: 0; border: 2px solid var(--accent); border-radius: 6px; cursor: grab;
  box-shadow: 0 0 0 4000px color-mix(in srgb, var(--bg) 48%, transparent); }
#window i { position: absolute; top: 0; bottom: 0; width: 12px; cursor: ew-resize; }
#window i::after { content: ""; position: absolute; top: 35%; bottom: 35%; left: 4px; width: 4px; border-radius: 2px; background: var(--accent); }
#window i:first-child { left: -7px; } #window i:last-child { right: -7px; }
#tip { position: absolute; z-index: 3; max-width: 340px; padding: 7px 10px; pointer-events: none; background: var(--panel); border: 1px solid var(--faint);
  border-radius: 8px; box-shadow: 0 4px 18px #0003; font-size: 12px; overflow-wrap: anywhere; }
#tip b { display: block; } #tip span { display: block; color: var(--soft); }
#legend { display: flex; flex-wrap: wrap; gap: 3px 15px; color: var(--soft); font-size: 12px; padding: 0 2px; }
#legend span { display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
#legend svg { flex: none; } #legend .term { width: 18px; height: 6px; border-radius: 3px; }
aside { display: flex; flex-direction: column; gap: 10px; min-height: 0; }
#verdict { flex: none; max-height: 48%; overflow: auto; padding: 12px 14px; border-top: 4px solid var(--unsure); }
#verdict.PASS { border-top-color: var(--good); } #verdict.FAIL { border-top-color: var(--bad); }
#verdict h2, #near h2 { font-size: 13px; margin: 0; font-weight: 650; }
#verdict p { margin: 6px 0 0; color: var(--soft); overflow-wrap: anywhere; }
#steps { list-style: none; margin: 8px 0 0; padding: 0; }
#steps li > * { display: flex; gap: 8px; width: 100%; padding: 2px 5px; border: 0; border-radius: 5px; background: none; text-align: left; overflow-wrap: anywhere; }
#steps button { cursor: pointer; } #steps button:hover, #list div:hover { background: var(--row); }
#steps time, #list time { flex: none; width: 66px; text-align: right; color: var(--accent); font-variant-numeric: tabular-nums; }
#near { flex: 1; min-height: 150px; display: flex; flex-direction: column; overflow: hidden; }
#near h2 { padding: 10px 14px 6px; } #near h2 small { font-weight: 400; color: var(--soft); }
#list { flex: 1; overflow: auto; padding: 0 8px 8px; font-size: 12px; }
#list div { display: flex; gap: 8px; padding: 1px 5px; border-radius: 5px; cursor: pointer; }
#list div.past { opacity: .62; } #list div.now { border-top: 2px solid var(--accent); border-radius: 0; }
#list i { flex: none; width: 4px; border-radius: 2px; background: var(--c); }
#list p { margin: 0; min-width: 0; overflow-wrap: anywhere; unicode-bidi: isolate; } #list p small { margin-left: 6px; color: var(--soft); font-size: 12px; }
[hidden] { display: none !important; }
@media (max-width: 900px) { body { display: block; } main { grid-template-columns: minmax(0, 1fr); } #plot { height: 60vh; flex: none; } #near { height: 320px; flex: none; } }
`;

const mark = (shape: string, text: string): string =>
  `<span><svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">${shape}</svg>${text}</span>`;

export const PAGE_LEGEND = [
  mark(`<rect x="0" y="1" width="18" height="12" rx="2" fill="var(--t1)"/>`, "leader"),
  mark(
    `<rect x="0" y="2" width="18" height="10" rx="2" fill="none" stroke="var(--t1)" stroke-width="2"/>`,
    "candidate",
  ),
  mark(`<rect x="0" y="5" width="18" height="4" fill="var(--t1)"/>`, "follower"),
  mark(`<path d="M0 7h18" stroke="var(--t1)" stroke-width="4" stroke-dasharray="4 3"/>`, "paused"),
  mark(`<path d="M5 3l8 8M13 3l-8 8" stroke="var(--bad)" stroke-width="3"/>`, "crash"),
  mark(`<path d="M5 2l9 5-9 5z" fill="var(--good)"/>`, "start"),
  mark(
    `<path d="M0 2l13 9" stroke="var(--order)" stroke-width="1.5"/><path d="M18 14l-8-2 4-6z" fill="var(--order)"/>`,
    "message",
  ),
  mark(
    `<path d="M0 2l9 5" stroke="var(--order)" stroke-width="1.5" stroke-dasharray="3 2"/><path d="M8 5l5 5M13 5l-5 5" stroke="var(--bad)" stroke-width="2"/>`,
    "lost",
  ),
  mark(`<path d="M4 3h10l-5 8z" fill="var(--chat)"/>`, "submitted by a user"),
  mark(`<path d="M9 2l5 5-5 5-5-5z" fill="var(--soft)"/>`, "committed"),
  mark(`<circle cx="9" cy="7" r="4.5" fill="var(--ink)"/>`, "delivered"),
  mark(`<path d="M4 7l4 4 7-8" fill="none" stroke="var(--chat)" stroke-width="2"/>`, "shown as sent"),
  mark(
    `<rect x="0" y="1" width="18" height="12" fill="var(--bad)" opacity=".22"/><path d="M0 7h18" stroke="var(--bad)" stroke-width="2" stroke-dasharray="4 2"/>`,
    "cut",
  ),
].join("");

/**
 * Plain JavaScript; no back-ticks in it, no dollar-braces. A picture is drawn anew for each frame of animation, from flat
 * arrays by time: a binary search finds what the window shows, and where thousands of arrows share few pixels one stands
 * for many. Text of others reaches the page only as textContent and on the canvas, never as markup.
 */
export const PAGE_SCRIPT = String.raw`
"use strict";
const $ = (id) => document.getElementById(id);
const read = (id) => JSON.parse($(id).textContent);
const { peers, events, messages, verdict } = read("data");
const { endMs, usualMs, types, lifelines, cuts, start } = read("scene");

const failed = verdict.result === "FAIL";

// ── the data, laid out for drawing: flat arrays by time, since one picture may look at all of them ──────────────────

const P = peers.length;
const N = messages.length;
const rowOf = new Map(peers.map((peer, row) => [peer, row]));
const typeByName = new Map(types.map((type) => [type.name, type]));
const typeOf = messages.map((m) => typeByName.get(m.frame));
const sent = Float64Array.from(messages, (m) => m.sentMs);
// A lost one ends on its way: nobody knows where, so at three fifths of what others take.
const arrived = Float64Array.from(messages, (m) => m.arrivedMs ?? m.sentMs + usualMs * 0.6);
/** The latest arrival among the messages up to here: tells where a window's first arrow is without a look at all. */
const latest = arrived.slice();
for (let i = 1; i < N; i++) latest[i] = Math.max(latest[i], latest[i - 1]);
const from = Uint16Array.from(messages, (m) => rowOf.get(m.from));
const to = Uint16Array.from(messages, (m) => rowOf.get(m.to));
const families = [...new Set(types.map((type) => type.family))];
const familyOf = Uint8Array.from(typeOf, (type) => families.indexOf(type.family));
const onNetwork = (e) => e.peer === 0 || e.kind === "cut" || e.kind === "heal";
const marks = peers.map((peer) => events.filter((e) => e.peer === peer && !onNetwork(e) && e.kind !== "role"));
const timeOf = (item) => item.atMs ?? item.sentMs;
const items = [...events, ...messages].sort((a, b) => timeOf(a) - timeOf(b));

/** First index whose value is ≥ t. */
function firstAt(values, t, get = (value) => value) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (get(values[middle]) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
const spanAt = (row, t) => lifelines[row][Math.min(lifelines[row].length - 1, firstAt(lifelines[row], t, (s) => s.t1))];

// ── colours and words ───────────────────────────────────────────────────────────────────────────────────────────────

const FONT = getComputedStyle(document.body).fontFamily;
let ink = {};
let hatch = null;
/** The theme lives in the style sheet; a canvas needs its values. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const names = "panel ink soft faint line row accent bad good unsure chat t0 t1 t2 t3 t4 t5 t6 t7 t8".split(" ");
  ink = Object.fromEntries([...names, ...families].map((name) => [name, style.getPropertyValue("--" + name).trim()]));
  const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d");
  tile.globalAlpha = 0.3;
  stroke(tile, ink.bad, 1.4, [[-8, 8, 0, 0], [0, 8, 8, 0], [8, 8, 16, 0], [-1, 1, 1, -1], [7, 9, 9, 7]]);
  hatch = tile.createPattern(tile.canvas, "repeat");
}
const termInk = (term) => ink["t" + (term > 0 ? ((term - 1) % 8) + 1 : 0)];

const number = (value, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const ms = (t) => number(t, 1) + " ms";
const VERBS = {
  ...{ start: "starts", crash: "crashes", stop: "stops", pause: "is paused", resume: "goes on", fault: "has a fault" },
  ...{ submit: "submits", commit: "commits", deliver: "delivers", sent: "shows as sent" },
};
function eventWords(e) {
  if (e.kind === "role") return "peer " + e.peer + " is " + e.role + ", term " + e.term;
  const who = e.peer === 0 ? "network" : "peer " + e.peer;
  if (e.kind === "notice") return who + ":";
  if (onNetwork(e)) return "network: " + e.kind + (e.to > 0 ? " " + e.peer + " → " + e.to : e.peer > 0 ? " " + who : "");
  return who + " " + VERBS[e.kind] + (e.index > 0 ? " " + e.index : "");
}
/** The rest of the sentence that the words begin. */
function eventNote(e) {
  const said = eventWords(e).replace(/^(peer \d+|network):? /, "");
  return e.note.startsWith(said) ? e.note.slice(said.length).replace(/^[\s,=]+/, "") : e.note;
}
function messageFate(m) {
  return m.arrivedMs === null ? "never arrives" : "arrives " + ms(m.arrivedMs) + " (+" + number(m.arrivedMs - m.sentMs, 1) + ")";
}

// ── the view: which stretch of time fills the width ─────────────────────────────────────────────────────────────────

const GUTTER = 136;
const TOP = cuts.length > 0 ? 56 : 30;
const plot = $("plot");
const chart = $("chart").getContext("2d", { alpha: false });
const over = $("over").getContext("2d");
const strip = $("strip").getContext("2d");
/** A little of nothing at both ends: what happens at 0 and at the end is not cut in half by the border. */
const [LOW, HIGH] = [-0.02 * endMs, 1.02 * endMs];
const SHORTEST = Math.min(endMs, Math.max(usualMs / 2, 0.05));
const view = { t0: LOW, t1: HIGH };
let [W, H, SW, SH] = [0, 0, 0, 0];
let [cursor, pinned, pointer, flight] = [verdict.atMs, failed, null, null];
let [dirty, stripDirty] = [false, true];

const x = (t) => GUTTER + ((t - view.t0) / (view.t1 - view.t0)) * (W - GUTTER);
const stripX = (t) => ((t - LOW) / (HIGH - LOW)) * SW;
const timeAt = (px) => view.t0 + ((px - GUTTER) / (W - GUTTER)) * (view.t1 - view.t0);
const rowHeight = () => (H - TOP - 8) / P;
const y = (row) => TOP + rowHeight() * (row + 0.5);
const within = (t) => Math.min(Math.max(t, 0), endMs);

function refresh() {
  if (!dirty) requestAnimationFrame(frame);
  dirty = true;
}
function setView(t0, t1) {
  const width = Math.min(Math.max(t1 - t0, SHORTEST), HIGH - LOW);
  view.t0 = Math.min(Math.max((t0 + t1 - width) / 2, LOW), HIGH - width);
  view.t1 = view.t0 + width;
  refresh();
}
function zoom(factor, around = pinned ? cursor : (view.t0 + view.t1) / 2) {
  flight = null;
  const width = Math.min(Math.max((view.t1 - view.t0) * factor, SHORTEST), HIGH - LOW);
  const t0 = around - ((around - view.t0) / (view.t1 - view.t0)) * width;
  setView(t0, t0 + width);
}
function pan(share) {
  flight = null;
  const by = (view.t1 - view.t0) * share;
  setView(view.t0 + by, view.t1 + by);
}
/** Flies there: a jump without the way between leaves one lost. */
function goTo(t0, t1) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return setView(t0, t1);
  flight = { from: { ...view }, to: { t0: Math.max(t0, LOW), t1: Math.min(t1, HIGH) }, began: performance.now() };
  refresh();
}
function visit(t) {
  [cursor, pinned] = [t, true];
  const half = Math.min(view.t1 - view.t0, start.t1 - start.t0) / 2;
  goTo(t - half, t + half);
}

// ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function fill(pen, style, px, py, width, height) {
  pen.fillStyle = style;
  pen.fillRect(px, py, width, height);
}
function stroke(pen, style, width, lines, dash = []) {
  pen.strokeStyle = style;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.beginPath();
  for (const line of lines) {
    pen.moveTo(line[0], line[1]);
    pen.lineTo(line[2], line[3]);
  }
  if (lines.length > 0) pen.stroke();
  pen.setLineDash([]);
}
/** Text with a rim of the background: readable on whatever lies below. */
function write(text, px, py, style, font, align = "left", rim = ink.panel) {
  chart.font = font + " " + FONT;
  chart.textAlign = align;
  if (rim !== null) {
    chart.lineWidth = 3;
    chart.strokeStyle = rim;
    chart.strokeText(text, px, py);
  }
  chart.fillStyle = style;
  chart.fillText(text, px, py);
}
const crossLines = (px, py, size) => [
  [px - size, py - size, px + size, py + size],
  [px + size, py - size, px - size, py + size],
];

/** The stretches of a list that the window shows, with their borders in pixels. */
function* visible(list) {
  for (let i = firstAt(list, view.t0, (s) => s.t1); i < list.length && list[i].t0 <= view.t1; i++) {
    const left = Math.max(x(list[i].t0), GUTTER);
    yield [list[i], left, Math.max(1, Math.min(x(list[i].t1), W) - left)];
  }
}

function drawGrid() {
  fill(chart, ink.panel, 0, 0, W, H);
  for (let row = 0; row < P; row += 2) fill(chart, ink.row, GUTTER, y(row) - rowHeight() / 2, W, rowHeight());
  const rough = ((view.t1 - view.t0) * 110) / (W - GUTTER);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const lines = [];
  for (let n = Math.max(0, Math.ceil(view.t0 / step)); n * step <= Math.min(view.t1, endMs); n++) {
    const px = Math.round(x(n * step)) + 0.5;
    lines.push([px, 24, px, H]);
    write(number(n * step, digits), px, 17, ink.soft, "11px", "center");
  }
  stroke(chart, ink.line, 1, lines);
}

function drawCuts() {
  for (const [cut, left, width] of visible(cuts)) {
    fill(chart, ink.bad, left, 30, width, 18);
    chart.font = "600 11px " + FONT;
    const words = ["cut  " + cut.text, "cut"].find((text) => chart.measureText(text).width + 14 < width);
    if (words !== undefined) write(words, left + 7, 43, ink.panel, "600 11px", "left", null);
    for (const { a, b, both, text } of cut.bands) {
      const inset = Math.min(24, (y(b) - y(a)) * 0.3);
      const middle = (y(a) + y(b)) / 2;
      fill(chart, hatch, left, y(a) + inset, width, y(b) - y(a) - 2 * inset);
      stroke(chart, ink.bad, 1.8, [[left, middle, left + width, middle]], both ? [9, 5] : [2, 5]);
      if (width > 90 && (!both || b > a + 1)) write(text, left + 8, middle - 5, ink.bad, "600 11px");
    }
    chart.globalAlpha = 0.45;
    stroke(chart, ink.bad, 1, [cut.t0, cut.t1].map((t) => [x(t), 30, x(t), H]));
    chart.globalAlpha = 1;
  }
}

const THICKNESS = { leader: 16, candidate: 14, observer: 3 };
/** Returns what is to be written beside the lines, once the arrows are drawn. */
function drawLifelines() {
  const labels = [];
  for (let row = 0; row < P; row++) {
    const py = y(row);
    for (const [s, left, width] of visible(lifelines[row])) {
      if (!s.up) continue;
      const [thick, style] = [THICKNESS[s.role] ?? 5, termInk(s.term)];
      const hollow = s.role === "candidate" && width > 4;
      if (s.paused) stroke(chart, style, thick, [[left, py, left + width, py]], [7, 6]);
      else fill(chart, style, left, py - thick / 2, width, thick);
      if (hollow) fill(chart, ink.panel, left + 2, py - thick / 2 + 2, width - 4, thick - 4);
      const inside = s.role === "leader" || s.role === "candidate";
      const words = (inside ? s.role + " · " : "") + "term " + s.term;
      chart.font = "650 10.5px " + FONT;
      if (s.term === 0 || s.paused || width < chart.measureText(words).width + 14) continue;
      if (inside) write(words, left + 8, py + 4, hollow ? style : ink.panel, "650 10.5px", "left", null);
      else labels.push([words, left + 6, py + 15, style, "650 10.5px"]);
    }
  }
  return labels;
}

/** More arrows than this on one screen are a wall of ink: then one per few pixels, sort and pair stands for the rest. */
const ARROWS_MAX = 2000;
/** What is on the screen, for the pointer to find: arrows as { line: [x0, y0, x1, y1], length, i } of message i. */
let arrows = [];
let drawnMarks = [];

/** Returns how many arrows each drawn one stands for. */
function pickArrows() {
  const [first, last] = [firstAt(latest, view.t0), firstAt(sent, view.t1)];
  const isIn = (i) => typeOf[i].shown && arrived[i] >= view.t0 && from[i] !== to[i];
  const lane = (i) => (familyOf[i] * P + from[i]) * P + to[i];
  const taken = new Int32Array(families.length * P * P).fill(-1);
  let [count, lanes] = [0, 0];
  for (let i = first; i < last; i++) {
    if (!isIn(i)) continue;
    count += 1;
    if (taken[lane(i)] === -1) lanes += 1;
    taken[lane(i)] = -2;
  }
  const bucketMs = count > ARROWS_MAX ? ((view.t1 - view.t0) * lanes) / ARROWS_MAX : 0;
  arrows = [];
  for (let i = first; i < last && arrows.length < ARROWS_MAX * 2; i++) {
    if (!isIn(i)) continue;
    if (bucketMs > 0) {
      // Buckets lie at fixed times, not at the window's edge: else the picture would shimmer while it moves.
      const bucket = Math.floor(sent[i] / bucketMs) & 0x3fffffff;
      if (taken[lane(i)] === bucket) continue;
      taken[lane(i)] = bucket;
    }
    const down = to[i] > from[i] ? 1 : -1;
    let [x0, y0, x1, y1] = [x(sent[i]), y(from[i]) + down * 5, x(arrived[i]), y(to[i]) - down * 9];
    if (messages[i].arrivedMs === null) y1 = y0 + (y1 - y0) * 0.6;
    // Far outside, lines lose their place to rounding.
    const slope = (y1 - y0) / Math.max(x1 - x0, 1e-9);
    if (x0 < -W) [x0, y0] = [-W, y0 + slope * (-W - x0)];
    if (x1 > 2 * W) [x1, y1] = [2 * W, y1 - slope * (x1 - 2 * W)];
    arrows.push({ line: [x0, y0, x1, y1], length: Math.hypot(x1 - x0, y1 - y0), i });
  }
  return count / Math.max(arrows.length, 1);
}

function arrowHead(pen, [x0, y0, x1, y1], size) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const [ux, uy] = [((x1 - x0) / length) * size, ((y1 - y0) / length) * size];
  pen.moveTo(x1 + ux * 0.35, y1 + uy * 0.35);
  pen.lineTo(x1 - ux - uy * 0.45, y1 - uy + ux * 0.45);
  pen.lineTo(x1 - ux + uy * 0.45, y1 - uy - ux * 0.45);
}

function drawArrows() {
  const thinned = pickArrows();
  const [crowded, few] = [arrows.length > 700, arrows.length <= 150];
  const width = few ? 1.6 : 1;
  chart.globalAlpha = crowded ? 0.55 : 0.92;
  // One path for each colour: a thousand strokes cost a thousand times the set-up.
  const whole = families.map(() => []);
  const lost = families.map(() => []);
  for (const { line, i } of arrows) (messages[i].arrivedMs === null ? lost : whole)[familyOf[i]].push(line);
  families.forEach((family, f) => {
    stroke(chart, ink[family], width, whole[f]);
    if (lost[f].length > 0) stroke(chart, ink[family], width, lost[f], [4, 3]);
    const crosses = lost[f].flatMap(([, , x1, y1]) => crossLines(x1, y1, crowded ? 2.5 : 4));
    stroke(chart, ink.bad, width + 0.8, crosses);
    if (crowded) return;
    chart.beginPath();
    for (const line of whole[f]) arrowHead(chart, line, few ? 9 : 7);
    chart.fillStyle = ink[family];
    chart.fill();
  });
  chart.globalAlpha = 1;
  return thinned;
}

/** The frames' names along their arrows, as textbooks have it, where there is room; one name for a whole broadcast. */
function nameArrows(labels) {
  if (arrows.length > 110) return;
  const placed = labels.map(([text, px, py]) => ({ px: px + text.length * 3, py: py - 4, w: text.length * 6, h: 12 }));
  const named = [];
  chart.font = "10.5px " + FONT;
  for (const { line, length, i } of [...arrows].sort((a, b) => a.length - b.length)) {
    const [[x0, y0, x1, y1], { name, family }] = [line, typeOf[i]];
    const needed = chart.measureText(name).width;
    const near = (o) => o.name === name && (Math.hypot(o.x0 - x0, o.y0 - y0) < 26 || Math.hypot(o.x1 - x1, o.y1 - y1) < 26);
    if (length < needed + 30 || named.some(near)) continue;
    const angle = Math.atan2(y1 - y0, x1 - x0);
    const [c, s] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
    const [w, h] = [needed * c + 13 * s, needed * s + 13 * c];
    for (const share of [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78]) {
      const [px, py] = [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share];
      const hitsLine = peers.some((_, row) => Math.abs(py - y(row)) < h / 2 + 6);
      const hitsText = placed.some((o) => Math.abs(o.px - px) < (o.w + w) / 2 && Math.abs(o.py - py) < (o.h + h) / 2);
      if (hitsLine || hitsText) continue;
      placed.push({ px, py, w, h });
      named.push({ name, x0, y0, x1, y1 });
      chart.save();
      chart.translate(px, py);
      chart.rotate(angle);
      chart.globalAlpha = 0.85;
      fill(chart, ink.panel, -needed / 2 - 2, -6, needed + 4, 12);
      chart.globalAlpha = 1;
      write(name, 0, 3.5, ink[family], "10.5px", "center", null);
      chart.restore();
      break;
    }
  }
}

/** Shape, colour, place beside the line (what users see above, what the log does below), and whether it is an outline. */
const SHAPES = {
  deliver: ["M4 0A4 4 0 1 1 -4 0A4 4 0 1 1 4 0", "ink", -16],
  submit: ["M-6 -5H6L0 6Z", "chat", -16],
  sent: ["M-5 0L-1 4L6 -5", "chat", -29, true],
  fault: ["M2 -8L-5 1H-1L-2 8L5 -2H1Z", "unsure", -17],
  commit: ["M0 -5L5 0L0 5L-5 0Z", "soft", 16],
  notice: ["M3 0A3 3 0 1 1 -3 0A3 3 0 1 1 3 0", "soft", 16, true],
  crash: ["M-8 -8L8 8M8 -8L-8 8", "bad", 0, true],
  stop: ["M-6 -6H6V6H-6Z", "soft", 0],
  start: ["M-4 -9L10 0L-4 9Z", "good", 0],
  pause: ["M-6 -8H-2V8H-6ZM2 -8H6V8H2Z", "unsure", 0],
  resume: ["M-4 -8L8 0L-4 8Z", "unsure", 0],
};
for (const shape of Object.values(SHAPES)) shape[0] = new Path2D(shape[0]);

/** Above so many marks on the screen the small ones are mere ticks without numbers. */
const MARKS_MAX = 600;
function drawMarks() {
  drawnMarks = [];
  const reach = marks.map((list) => [firstAt(list, view.t0, timeOf), firstAt(list, view.t1, timeOf)]);
  const crowded = reach.reduce((sum, [first, end]) => sum + end - first, 0) > MARKS_MAX;
  for (let row = 0; row < P; row++) {
    const last = {};
    const waiting = {};
    // A number stands only where the next mark of its kind leaves it room.
    const flush = (kind, px) => {
      const { text, at, py } = waiting[kind] ?? { text: "" };
      if (text !== "" && px - at > 16 + text.length * 6) write(text, at + 8, py + 4, ink.soft, "10.5px");
    };
    for (const e of marks[row].slice(...reach[row])) {
      const px = x(e.atMs);
      const [path, style, dy, outline] = SHAPES[e.kind];
      const tick = crowded && dy !== 0;
      if (px - (last[e.kind] ?? -9e9) < (tick ? 5 : dy === 0 ? 1 : 3)) continue;
      last[e.kind] = px;
      const py = y(row) + dy;
      drawnMarks.push({ px, py, e });
      if (tick) {
        fill(chart, ink[style], px - 1, py - 3, 2, 6);
        continue;
      }
      chart.translate(px, py);
      chart.fillStyle = chart.strokeStyle = ink[style];
      chart.lineWidth = e.kind === "crash" ? 4 : 2;
      if (outline) chart.stroke(path);
      else chart.fill(path);
      chart.translate(-px, -py);
      if (e.kind === "crash" || e.kind === "stop") write(e.kind, px, py + 23, ink[style], "650 11px", "center");
      flush(e.kind, px);
      waiting[e.kind] = { text: e.index > 0 ? String(e.index) : "", at: px, py };
    }
    for (const kind of Object.keys(waiting)) flush(kind, 9e9);
  }
}

/** Who each line is, and what it was at the cursor. */
function drawGutter() {
  fill(chart, ink.panel, 0, 0, GUTTER, H);
  fill(chart, ink.line, GUTTER - 1, 24, 1, H);
  write("time in ms", GUTTER - 10, 17, ink.faint, "11px", "right");
  if (cuts.length > 0) write("network", 28, 43, ink.soft, "11px");
  for (let row = 0; row < P; row++) {
    const [s, py] = [spanAt(row, cursor), y(row)];
    const words = !s?.up ? "down" : (s.paused ? "paused" : s.role || "up") + (s.term > 0 ? " · term " + s.term : "");
    write("peer " + peers[row], 28, py + 1, ink.ink, "650 13px");
    write(words, 28, py + 16, ink.soft, "11px");
    chart.beginPath();
    chart.arc(15, py - 3, s?.role === "leader" ? 6 : 4.5, 0, 7);
    chart.fillStyle = s?.up ? termInk(s.term) : ink.line;
    chart.fill();
  }
}

/** The whole run, small; drawn anew only when what is shown changes. */
function drawStrip() {
  strip.clearRect(0, 0, SW, SH);
  const bins = new Uint32Array(Math.ceil(SW / 2) + 1);
  for (let i = 0; i < N; i++) if (typeOf[i].shown) bins[Math.floor(stripX(sent[i]) / 2)] += 1;
  const most = bins.reduce((a, b) => Math.max(a, b), 1);
  // Square roots: a burst of catch-up does not flatten everything else.
  bins.forEach((n, i) => fill(strip, ink.line, i * 2, SH, 2, -Math.sqrt(n / most) * (SH - 8)));
  for (const cut of cuts) {
    const [left, width] = [stripX(cut.t0), Math.max(1, stripX(cut.t1) - stripX(cut.t0))];
    strip.globalAlpha = 0.15;
    fill(strip, ink.bad, left, 0, width, SH);
    strip.globalAlpha = 1;
    fill(strip, ink.bad, left, 0, width, 3);
  }
  const height = (SH - 12) / P;
  for (let row = 0; row < P; row++) {
    const py = 7 + height * (row + 0.5);
    for (const s of lifelines[row]) {
      const h = Math.min(8, height * 0.75) * (s.role === "leader" ? 1 : 0.3);
      strip.globalAlpha = s.paused ? 0.35 : 1;
      if (s.up) fill(strip, termInk(s.term), stripX(s.t0), py - h / 2, Math.max(0.5, stripX(s.t1) - stripX(s.t0)), h);
    }
    strip.globalAlpha = 1;
    const crashes = marks[row].filter((e) => e.kind === "crash");
    stroke(strip, ink.bad, 2, crashes.flatMap((e) => crossLines(stripX(e.atMs), py, 3)));
  }
  if (failed) fill(strip, ink.bad, stripX(verdict.atMs) - 1, 0, 2, SH);
}

/** What follows the pointer has a canvas of its own: the picture below stays as it is. */
function drawOver() {
  over.clearRect(0, 0, W, H);
  const hit = pointer === null ? null : hitAt(pointer.px, pointer.py);
  const px = Math.round(x(cursor)) + 0.5;
  if (px > GUTTER) stroke(over, ink.accent, pinned ? 1.6 : 1, [[px, 24, px, H]], pinned ? [] : [3, 3]);
  over.beginPath();
  if (hit?.line) {
    stroke(over, ink[typeOf[hit.i].family], 3.5, [hit.line]);
    over.beginPath();
    if (messages[hit.i].arrivedMs !== null) arrowHead(over, hit.line, 13);
    over.fillStyle = over.strokeStyle;
    over.fill();
  } else if (hit !== null) {
    over.arc(hit.px, hit.py, 11, 0, 7);
    over.strokeStyle = ink.accent;
    over.lineWidth = 2;
    over.stroke();
  }
  showTip(hit);
  $("at").textContent = "t = " + ms(cursor);
  drawList();
}

function frame(now) {
  if (flight !== null) {
    const done = Math.min(1, Math.max(0, (now - flight.began) / 260));
    const mix = (key) => flight.from[key] + (flight.to[key] - flight.from[key]) * (1 - (1 - done) ** 3);
    dirty = true;
    setView(mix("t0"), mix("t1"));
    if (done === 1) flight = null;
  }
  if (!pinned && pointer === null) cursor = within((view.t0 + view.t1) / 2);
  if (stripDirty) drawStrip();
  drawGrid();
  drawCuts();
  const labels = drawLifelines();
  const thinned = drawArrows();
  nameArrows(labels);
  for (const label of labels) write(...label);
  drawMarks();
  if (failed) fill(chart, ink.bad, x(verdict.atMs) - 1, 24, 2, H);
  if (failed) write(verdict.invariant + " broken", x(verdict.atMs) - 7, H - 9, ink.bad, "700 12px", "right");
  if (thinned > 1.05) write("1 of " + number(thinned, 1) + " arrows drawn: zoom in for all", W - 10, H - 9, ink.soft, "11px", "right");
  drawGutter();
  drawOver();
  $("window").style.transform = "translateX(" + stripX(view.t0) + "px)";
  $("window").style.width = Math.max(10, stripX(view.t1) - stripX(view.t0)) + "px";
  dirty = stripDirty = false;
  if (flight !== null) refresh();
}

// ── what is near: under the pointer, and around the cursor ──────────────────────────────────────────────────────────

function hitAt(px, py) {
  if (px < GUTTER) return null;
  let [best, nearest] = [null, 11];
  for (const mark of drawnMarks) {
    const d = Math.hypot(mark.px - px, mark.py - py);
    if (d < nearest) [best, nearest] = [mark, d];
  }
  if (best !== null) return best;
  nearest = 7;
  for (const arrow of arrows) {
    const [x0, y0, x1, y1] = arrow.line;
    const along = ((px - x0) * (x1 - x0) + (py - y0) * (y1 - y0)) / (arrow.length ** 2 || 1);
    const share = Math.min(1, Math.max(0, along));
    const d = Math.hypot(x0 + share * (x1 - x0) - px, y0 + share * (y1 - y0) - py);
    if (d < nearest) [best, nearest] = [arrow, d];
  }
  return best;
}

/** Text of others becomes text, never markup. */
function element(tag, text = "", name = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className: name });
}

function showTip(hit) {
  const tip = $("tip");
  tip.hidden = hit === null || plot.classList.contains("dragging");
  if (tip.hidden) return;
  const m = messages[hit.i];
  const lines = m
    ? [m.frame + "  " + m.from + " → " + m.to, m.term > 0 ? "term " + m.term : "", m.note, "sent " + ms(m.sentMs), messageFate(m)]
    : [eventWords(hit.e), eventNote(hit.e), "at " + ms(hit.e.atMs)];
  tip.replaceChildren(...lines.filter(Boolean).map((text, i) => element(i === 0 ? "b" : "span", text)));
  const left = pointer.px + 18 + tip.offsetWidth > W ? pointer.px - tip.offsetWidth - 12 : pointer.px + 18;
  tip.style.left = left + "px";
  tip.style.top = Math.max(4, Math.min(H - tip.offsetHeight - 4, pointer.py + 14)) + "px";
}

const PAST = 9;
const rows = Array.from({ length: 30 }, () => {
  const row = { box: element("div"), time: element("time"), bar: element("i"), text: element("p"), item: null };
  row.words = row.text.appendChild(element("span"));
  row.note = row.text.appendChild(element("small"));
  row.box.append(row.time, row.bar, row.text);
  row.box.onclick = () => visit(timeOf(row.item));
  $("list").append(row.box);
  return row;
});
let listed = "";
function drawList() {
  $("around").textContent = ms(cursor);
  const now = firstAt(items, cursor, timeOf);
  const state = now + types.map((type) => type.shown).join();
  if (state === listed) return;
  listed = state;
  const found = [];
  const isShown = (item) => item.frame === undefined || typeByName.get(item.frame).shown;
  for (let i = now - 1; i >= 0 && found.length < PAST; i--) if (isShown(items[i])) found.unshift(items[i]);
  const past = found.length;
  for (let i = now; i < items.length && found.length < rows.length; i++) if (isShown(items[i])) found.push(items[i]);
  rows.forEach((row, n) => {
    const item = (row.item = found[n]);
    row.box.hidden = item === undefined;
    if (item === undefined) return;
    const type = typeByName.get(item.frame);
    row.box.className = n < past ? "past" : n === past ? "now" : "";
    row.time.textContent = number(timeOf(item), 1);
    row.words.textContent = type ? item.from + " → " + item.to + " " + item.frame + (item.arrivedMs === null ? " (lost)" : "") : eventWords(item);
    row.note.textContent = (type ? item.note : eventNote(item)).slice(0, 160);
    row.bar.style.setProperty("--c", type ? ink[type.family] : /^(crash|cut)$/.test(item.kind) ? ink.bad : termInk(item.term));
  });
}

// ── hands ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Follows one pointer from press to release; onMove gets the way since the press and what onPress returned. */
function onDrag(node, onPress, onMove, onRelease = () => {}) {
  let state = null;
  let startX = 0;
  const end = (e) => {
    if (state !== null) onRelease(e, state);
    state = null;
  };
  node.addEventListener("pointerdown", (e) => {
    if (e.button !== 0) return;
    [flight, startX] = [null, e.clientX];
    state = onPress(e);
    node.setPointerCapture(e.pointerId);
  });
  node.addEventListener("pointermove", (e) => state !== null && onMove(e.clientX - startX, state));
  node.addEventListener("pointerup", end);
  node.addEventListener("pointercancel", end);
}

onDrag(
  plot,
  () => ({ ...view, moved: false }),
  (dx, start) => {
    if (Math.abs(dx) < 4 && !start.moved) return;
    start.moved = true;
    plot.classList.add("dragging");
    const by = (-dx / (W - GUTTER)) * (start.t1 - start.t0);
    setView(start.t0 + by, start.t1 + by);
  },
  (_, start) => {
    plot.classList.remove("dragging");
    if (start.moved || pointer === null) return;
    const hit = hitAt(pointer.px, pointer.py);
    cursor = within(hit === null ? timeAt(pointer.px) : hit.e ? hit.e.atMs : sent[hit.i]);
    pinned = pointer.px > GUTTER;
    refresh();
  },
);
let hovering = false;
/** The pointer moves often and the picture seldom: between two pictures only what follows the pointer is drawn. */
function hover(e) {
  const box = plot.getBoundingClientRect();
  pointer = e.type === "pointerleave" ? null : { px: e.clientX - box.left, py: e.clientY - box.top };
  if (!pinned && pointer?.px > GUTTER) cursor = within(timeAt(pointer.px));
  if (hovering) return;
  hovering = true;
  requestAnimationFrame(() => {
    hovering = false;
    if (dirty) return;
    drawGutter();
    drawOver();
  });
}
for (const type of ["pointerdown", "pointermove", "pointerleave"]) plot.addEventListener(type, hover);
function onWheel(e) {
  e.preventDefault();
  const [dx, dy] = [e.deltaX, e.deltaY].map((d) => d * (e.deltaMode === 1 ? 16 : 1));
  const at = timeAt(Math.max(e.clientX - plot.getBoundingClientRect().left, GUTTER));
  if (e.shiftKey || Math.abs(dx) > Math.abs(dy)) pan((dx || dy) / (W - GUTTER));
  else zoom(Math.exp(Math.max(-240, Math.min(240, dy)) * 0.0022), at);
}
plot.addEventListener("wheel", onWheel, { passive: false });

onDrag(
  $("overview"),
  (e) => {
    [pinned, pointer] = [false, null];
    const perPx = (HIGH - LOW) / SW;
    const grip = [...$("window").children].indexOf(e.target);
    if (e.target.id === "strip") {
      const at = LOW + (e.clientX - $("overview").getBoundingClientRect().left) * perPx;
      setView(at - (view.t1 - view.t0) / 2, at + (view.t1 - view.t0) / 2);
    }
    return { ...view, perPx, grip };
  },
  (dx, { t0, t1, perPx, grip }) => {
    const by = dx * perPx;
    setView(grip === 1 ? t0 : Math.min(t0 + by, grip === 0 ? t1 - SHORTEST : HIGH), grip === 0 ? t1 : Math.max(t1 + by, grip === 1 ? t0 + SHORTEST : LOW));
  },
);

function stepTo(direction) {
  let i = firstAt(events, cursor, timeOf) - (direction < 0 ? 1 : 0);
  while (events[i]?.atMs === cursor) i += direction;
  if (events[i] === undefined) return;
  [cursor, pinned] = [events[i].atMs, true];
  if (cursor < view.t0 || cursor > view.t1) visit(cursor);
  refresh();
}
const letGo = () => {
  pinned = false;
  refresh();
};
const fit = () => goTo(LOW, HIGH);
const KEYS = {
  ...{ ArrowLeft: () => pan(-0.12), ArrowRight: () => pan(0.12), "+": () => zoom(0.7), "=": () => zoom(0.7) },
  ...{ "-": () => zoom(1 / 0.7), 0: fit, "[": () => stepTo(-1), "]": () => stepTo(1), Escape: letGo },
};
addEventListener("keydown", (e) => {
  if (KEYS[e.key] === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  KEYS[e.key]();
});
const SHOW = { all: () => showTypes(() => true), none: () => showTypes(() => false) };
const BUTTONS = { in: KEYS["+"], out: KEYS["-"], fit, prev: KEYS["["], next: KEYS["]"], ...SHOW };
for (const [id, act] of Object.entries(BUTTONS)) $(id).onclick = act;

function showTypes(isShown) {
  for (const type of types) type.box.checked = type.shown = isShown(type);
  stripDirty = true;
  refresh();
}
document.querySelectorAll("#filters input").forEach((box, i) => {
  types[i].box = box;
  box.onchange = () => showTypes((type) => type.box.checked);
});
for (const button of document.querySelectorAll("#steps button")) button.onclick = () => visit(within(Number(button.value)));

function resize() {
  const dense = devicePixelRatio || 1;
  [W, H, SW, SH] = [plot.clientWidth, plot.clientHeight, $("overview").clientWidth, $("overview").clientHeight];
  for (const [pen, w, h] of [[chart, W, H], [over, W, H], [strip, SW, SH]]) {
    [pen.canvas.width, pen.canvas.height] = [Math.round(w * dense), Math.round(h * dense)];
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.lineJoin = "round";
  }
  stripDirty = true;
  refresh();
}
function retheme() {
  readTheme();
  [listed, stripDirty] = ["", true];
  refresh();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme);

readTheme();
resize();
// The address may ask for a stretch: report.html#1200-1450.
const asked = /^#([0-9.]+)-([0-9.]+)$/.exec(location.hash);
if (asked === null) setView(start.t0, start.t1);
else setView(Number(asked[1]), Number(asked[2]));
frame(performance.now());
new ResizeObserver(resize).observe(plot);
performance.mark("drawn");
`;
