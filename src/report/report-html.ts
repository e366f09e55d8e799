/**
 * A simulated run as a picture: one HTML page that needs nothing else, a space-time diagram after Lamport (1978). Time
 * runs to the right, each peer is a line, each frame an arrow. What the page does is in page/.
 *
 * The page is made of strings that strangers chose (payloads, names): they travel as JSON with every `<` escaped, and the
 * page shows them as text only.
 */
import { badge, escapeHtml, htmlPage, jsonScript } from "./html.ts";
import { legend } from "./legend.ts";
import { number } from "./numbers.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { type FrameType, type Scene, sceneOf } from "./scene.ts";
import type { SimReport } from "./sim-report.ts";
import { REPORT_STYLE } from "./style.ts";

/** The whole page, ready to be written to a file. */
export function reportHtml(report: SimReport): string {
  const scene = sceneOf(report);
  return htmlPage({
    title: report.title,
    style: REPORT_STYLE,
    body: [body(report, scene), jsonScript("data", report), jsonScript("scene", scene)].join("\n"),
    script: PAGE_SCRIPT,
  });
}

const TONES = { PASS: "good", FAIL: "bad", UNKNOWN: "unsure" } as const;

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
  const tone = TONES[result];
  const said = {
    PASS: `Every check passed${invariant === "" ? "" : `: ${invariant}`}`,
    FAIL: `${invariant} is broken at ${number(atMs, 1)} ms`,
    UNKNOWN: "The checkers cannot tell",
  }[result];
  return `<header>${badge(result, tone)}<div><h1>${escapeHtml(report.title)}</h1>
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
<div id="legend">${legend(scene.lifelines)}</div>
</section>
<aside>
<section id="verdict" class="card ${tone}"><h2>${escapeHtml(said)}</h2><p>${escapeHtml(message)}</p><ol id="steps">${steps.map(step).join("")}</ol></section>
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
