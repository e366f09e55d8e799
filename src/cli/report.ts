/**
 * A simulated run as a picture: one HTML page that needs nothing else, a space-time diagram after Lamport (1978). Time
 * runs to the right, each peer is a line, each frame an arrow. What the page does is in report-page.ts.
 *
 * The page is made of strings that strangers chose (payloads, names): they travel as JSON with every `<` escaped, and the
 * page shows them as text only. Its policy forbids it to fetch anything, whatever a string talks it into.
 */
import type { ReportEvent, ReportMessage, SimReport } from "../sim/report-data.ts";
import { escapeHtml } from "./html.ts";
import { PAGE_LEGEND, PAGE_SCRIPT, PAGE_STYLE } from "./report-page.ts";

/** The whole page, ready to be written to a file. */
export function reportHtml(report: SimReport): string {
  const scene = sceneOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(report.title)} · chatpeer</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${body(report, scene)}
<script type="application/json" id="data">${embeddedJson(report)}</script>
<script type="application/json" id="scene">${embeddedJson(scene)}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** JSON that is the same data to a parser and no markup to a browser: in JSON a `<` only ever stands inside a string. */
function embeddedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

// ── what the events amount to ──────────────────────────────────────────────────────────────────────────────────────

/** What the page draws, worked out here, where types and tests watch over it. */
export interface Scene {
  readonly endMs: number;
  /** What a frame usually takes: the median. */
  readonly usualMs: number;
  readonly types: readonly FrameType[];
  /** A list for each peer, by time, without gaps. */
  readonly lifelines: readonly (readonly Stretch[])[];
  readonly cuts: readonly Cut[];
  /** What is seen first; also as far as a jump to a moment zooms in. */
  readonly start: { readonly t0: number; readonly t1: number };
}
interface FrameType {
  readonly name: string;
  /** The name of its colour in the style sheet. */
  readonly family: string;
  readonly count: number;
  /** Whether it is drawn before anybody asks. */
  readonly shown: boolean;
}
/** A part of a lifeline in which nothing changes. */
interface Stretch {
  readonly t0: number;
  readonly t1: number;
  readonly up: boolean;
  readonly paused: boolean;
  readonly role: string;
  readonly term: number;
}
/** A time in which the same pairs are cut: in words, and as bands between two rows. */
interface Cut {
  readonly t0: number;
  readonly t1: number;
  readonly text: string;
  readonly bands: readonly { readonly a: number; readonly b: number; readonly both: boolean; readonly text: string }[];
}

/** Frames of one purpose share a colour: more colours than these nobody tells apart. */
const FAMILIES: Record<string, readonly string[]> = {
  join: ["HELLO", "REFUSE", "JOIN", "JOIN_ACK", "LEAVE", "ADMIN"],
  vote: ["ELECTION", "ELECTION_OK", "ELECTION_DENY", "ELECTION_GRANT", "PREPARE", "PROMISE", "COORDINATOR", "ABDICATE"],
  chat: ["CHAT"],
  order: ["SEQ_CHAT"],
  catch: ["CATCHUP_REQ", "CATCHUP_RESP"],
  ack: ["SEQ_ACK", "CHAT_ACK", "ADMIN_ACK", "NACK"],
  beat: ["HEARTBEAT", "PING", "PONG"],
  other: [],
};
/** What every run is full of hides what it is about: more than so many beats or acknowledgements wait to be asked for. */
const ROUTINE_MAX = 120;

export function sceneOf(report: SimReport): Scene {
  const times = [report.endMs, report.events.at(-1)?.atMs ?? 0, report.messages.at(-1)?.sentMs ?? 0];
  const endMs = Math.max(1, ...times);
  const delays = report.messages
    .flatMap((m) => (m.arrivedMs === null ? [] : [m.arrivedMs - m.sentMs]))
    .sort((a, b) => a - b);
  const usualMs = Math.max(1e-3, delays[delays.length >> 1] ?? 1);
  const types = frameTypes(report.messages);
  return {
    ...{ endMs, usualMs, types },
    lifelines: report.peers.map((peer) =>
      lifeline(
        report.events.filter((e) => e.peer === peer),
        endMs,
      ),
    ),
    cuts: cutsOf(report, endMs),
    start: startOf(report, types, endMs, usualMs),
  };
}

/** Arrows that one screen holds with ease. */
const ARROWS_AT_ONCE = 200;

/** A short run is shown whole; a long one where it gets interesting, and the overview says where that is. */
function startOf(
  { events, messages, verdict }: SimReport,
  types: readonly FrameType[],
  endMs: number,
  usualMs: number,
): Scene["start"] {
  const shown = new Set(types.filter((t) => t.shown).map((t) => t.name));
  const sent = messages.filter((m) => shown.has(m.frame)).map((m) => m.sentMs);
  if (sent.length <= ARROWS_AT_ONCE) return { t0: -endMs, t1: 2 * endMs };
  const failed = verdict.result === "FAIL";
  const trouble = events.find((e) => ["crash", "cut", "pause", "fault"].includes(e.kind));
  const at = failed ? verdict.atMs : (trouble?.atMs ?? 0);
  const next = sent.findIndex((t) => t >= at);
  const middle = next < 0 ? sent.length : next;
  const before = at - (sent[middle - ARROWS_AT_ONCE / 2] ?? 0);
  const behind = (sent[middle + ARROWS_AT_ONCE / 2] ?? endMs) - at;
  const half = Math.max(Math.min(before, behind), usualMs * 20);
  // What led to a failure is worth more room than what came after, and what followed from a fault more than its past.
  return failed ? { t0: at - 1.5 * half, t1: at + 0.5 * half } : { t0: at - 0.5 * half, t1: at + 1.5 * half };
}

function frameTypes(messages: readonly ReportMessage[]): FrameType[] {
  const counts = new Map<string, number>();
  for (const { frame } of messages) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  const order = Object.keys(FAMILIES);
  return [...counts]
    .map(([name, count]) => {
      const family = order.find((f) => FAMILIES[f]?.includes(name)) ?? "other";
      return { name, family, count, shown: count <= ROUTINE_MAX || (family !== "ack" && family !== "beat") };
    })
    .sort((a, b) => order.indexOf(a.family) - order.indexOf(b.family) || (a.name < b.name ? -1 : 1));
}

/** What only happens to a peer that runs, or starts. */
const SIGNS_OF_LIFE: ReadonlySet<ReportEvent["kind"]> = new Set([
  ...(["start", "crash", "stop", "pause", "resume"] as const),
  ...(["role", "commit", "deliver", "sent", "submit"] as const),
]);

function lifeline(events: readonly ReportEvent[], endMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  // Who does something before it is seen to start was there before; who never does anything never started.
  const first = events.find((e) => SIGNS_OF_LIFE.has(e.kind));
  let now = { up: first !== undefined && first.kind !== "start", paused: false, role: "", term: 0 };
  let since = 0;
  const end = (at: number): void => {
    if (at > since) stretches.push({ t0: since, t1: at, ...now });
    since = at;
  };
  for (const e of events) {
    const next = after(now, e);
    if (next.up === now.up && next.paused === now.paused && next.role === now.role && next.term === now.term) continue;
    end(e.atMs);
    now = next;
  }
  end(endMs);
  return stretches;
}

type State = Pick<Stretch, "up" | "paused" | "role" | "term">;

function after(now: State, e: ReportEvent): State {
  // A peer is never behind what it commits or delivers, but may hear of a term before it has a role in it.
  const term = Math.max(now.term, e.term);
  if (e.kind === "start") return { up: true, paused: false, role: "", term };
  if (e.kind === "crash" || e.kind === "stop") return { ...now, up: false, paused: false, role: "" };
  if (e.kind === "pause" || e.kind === "resume") return { ...now, paused: e.kind === "pause" };
  if (e.kind === "role") return { ...now, role: e.role, term: e.term || term };
  return { ...now, term };
}

/** Directed pairs of peers, as `from>to`. */
type Pairs = ReadonlySet<string>;

function cutsOf({ peers, events }: SimReport, endMs: number): Cut[] {
  const cuts: Cut[] = [];
  const open = new Set<string>();
  let since = 0;
  const end = (at: number): void => {
    if (at > since && open.size > 0) cuts.push({ t0: since, t1: at, ...describe(peers, open) });
    since = at;
  };
  for (const e of events) {
    if (e.kind !== "cut" && e.kind !== "heal") continue;
    end(e.atMs);
    for (const from of peers) {
      for (const to of peers) {
        const whole = e.to === 0 && (e.peer === 0 || from === e.peer || to === e.peer);
        if (from === to || !(whole || (from === e.peer && to === e.to))) continue;
        if (e.kind === "cut") open.add(`${from}>${to}`);
        else open.delete(`${from}>${to}`);
      }
    }
  }
  end(endMs);
  return cuts;
}

/** A cut that splits the peers into groups is told as groups; any other one as its pairs. */
function describe(peers: readonly number[], open: Pairs): Pick<Cut, "text" | "bands"> {
  const cut = (a: number, b: number): boolean => open.has(`${peers[a]}>${peers[b]}`);
  const any = (a: number, b: number): boolean => cut(a, b) || cut(b, a);
  const group = peers.map((_, row) => row);
  const pairs = peers.flatMap((_, a) => peers.flatMap((_, b) => (a < b ? [[a, b] as const] : [])));
  for (const [a, b] of pairs) {
    const [keep, drop] = [group[a] as number, group[b] as number];
    if (!any(a, b)) group.forEach((g, row) => void (g === drop && group.splice(row, 1, keep)));
  }
  const words = (a: number, b: number): string =>
    `${peers[a]} ${cut(a, b) && cut(b, a) ? "⇹" : cut(a, b) ? "↛" : "↚"} ${peers[b]}`;
  const broken = pairs.filter(([a, b]) => any(a, b));
  const splits = pairs.every(([a, b]) => (group[a] === group[b] ? !any(a, b) : cut(a, b) && cut(b, a)));
  const sides = [...new Set(group)].map((g) => `{${peers.filter((_, row) => group[row] === g).join(" ")}}`);
  const list = broken.map(([a, b]) => words(a, b));
  // A wall between neighbours already tells of the pairs beyond it.
  const walled = (a: number, b: number): boolean =>
    b > a + 1 && pairs.some(([k, l]) => l === k + 1 && k >= a && l <= b && any(k, l));
  return {
    text: splits ? sides.join(" ⇹ ") : list.slice(0, 4).join(", ") + (list.length > 4 ? " …" : ""),
    bands: broken
      .filter(([a, b]) => !walled(a, b))
      .map(([a, b]) => ({ a, b, both: cut(a, b) && cut(b, a), text: words(a, b) })),
  };
}

// ── the page ───────────────────────────────────────────────────────────────────────────────────────────────────────

const number = (value: number, digits = 0): string =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const plural = (n: number, word: string): string => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

/** What stands around the diagram is plain HTML: it can be read even where the script cannot run. */
function body(report: SimReport, scene: Scene): string {
  const { result, invariant, message, atMs, steps } = report.verdict;
  const lost = report.messages.filter((m) => m.arrivedMs === null).length;
  const sizes = [plural(report.peers.length, "peer"), `${number(scene.endMs, 1)} ms of virtual time`];
  const counts = [
    plural(report.events.length, "event"),
    `${plural(report.messages.length, "message")}, ${number(lost)} lost`,
  ];
  const said = {
    PASS: `Every check passed${invariant === "" ? "" : `: ${invariant}`}`,
    FAIL: `${invariant} is broken at ${number(atMs, 1)} ms`,
    UNKNOWN: "The checkers cannot tell",
  }[result];
  return `<header><span class="badge ${result}">${result}</span><div><h1>${escapeHtml(report.title)}</h1>
<p id="facts">${[`seed ${report.seed}`, ...sizes, ...counts].join(" · ")}</p></div>
<p class="keys"><span id="at"></span>
<button class="key" id="prev" title="previous event: [">‹ event</button><button class="key" id="next" title="next event: ]">event ›</button>
<button class="key" id="out" title="zoom out: −, or the wheel">−</button><button class="key" id="in" title="zoom in: +, or the wheel">+</button>
<button class="key" id="fit" title="the whole run: 0">whole run</button></p></header>
<nav aria-label="types of messages"><span id="filters">${scene.types.map(filter).join("")}</span>
<button class="key" id="all" title="show every type of message">all</button><button class="key" id="none" title="show no messages">none</button></nav>
<main>
<section id="stage">
<div id="overview" class="card" title="drag the window; drag its edges to zoom"><canvas id="strip"></canvas><div id="window"><i></i><i></i></div></div>
<div id="plot" class="card" tabindex="0" role="img" aria-label="space-time diagram; the list beside it says the same in words"><canvas id="chart"></canvas><canvas id="over"></canvas><div id="tip" hidden></div></div>
<div id="legend">${PAGE_LEGEND}${termLegend(scene)}</div>
</section>
<aside>
<section id="verdict" class="card ${result}"><h2>${escapeHtml(said)}</h2><p>${escapeHtml(message)}</p><ol id="steps">${steps.map(step).join("")}</ol></section>
<section id="near" class="card"><h2>Around <span id="around"></span> <small>click to go there</small></h2><div id="list"></div></section>
</aside>
</main>
<noscript>The diagram is drawn by JavaScript, which is switched off here.</noscript>`;
}

function filter({ name, family, count, shown }: FrameType): string {
  const box = `<input type="checkbox" autocomplete="off"${shown ? " checked" : ""}>`;
  return `<label class="chip" style="--c: var(--${family})">${box}${escapeHtml(name)}<b>${number(count)}</b></label>`;
}

/** A step that begins with a time is a button that goes there. */
function step(text: string): string {
  const [, time, rest] = /^\s*(?:t\s*=\s*)?(\d+(?:\.\d+)?)(?:\s*ms\b)?:?\s+([\s\S]*)$/.exec(text) ?? [];
  if (time === undefined || rest === undefined)
    return `<li><div><time></time><span>${escapeHtml(text)}</span></div></li>`;
  return `<li><button value="${time}"><time>${number(Number(time), 1)}</time><span>${escapeHtml(rest)}</span></button></li>`;
}

const COLORS_OF_TERMS = 8;

function termLegend({ lifelines }: Scene): string {
  const terms = [...new Set(lifelines.flat().map((s) => s.term))].filter((term) => term > 0).sort((a, b) => a - b);
  const more = terms.length > COLORS_OF_TERMS ? "<span>… the colours repeat</span>" : "";
  const swatch = (term: number): string =>
    `<span><i class="term" style="background: var(--t${((term - 1) % COLORS_OF_TERMS) + 1})"></i>term ${number(term)}</span>`;
  return terms.slice(0, COLORS_OF_TERMS).map(swatch).join("") + more;
}
