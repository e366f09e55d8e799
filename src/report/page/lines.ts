/** What lies below the arrows: the rows and the axis, the cuts, the peers' lines, and who each line is. */
import { number, roundUp } from "../numbers.ts";
import type { Segment } from "./geometry.ts";
import type { Pen, Words } from "./pen.ts";
import { type Run, stretchAt } from "./run.ts";
import { firstAt } from "./search.ts";
import { GUTTER, type View, type Window } from "./time-view.ts";

/** The lower end of the axis, in pixels. */
export const AXIS = 24;
/** The least way between two numbers of the axis, in pixels. */
const STEP_PX = 110;

export function drawGrid(pen: Pen, { report, scene }: Run, view: View): void {
  const { ink } = pen;
  const { rowHeight } = view;
  pen.fill(ink.of("panel"), 0, 0, view.width, view.height);
  for (let row = 0; row < report.peers.length; row += 2)
    pen.fill(ink.of("row"), GUTTER, view.y(row) - rowHeight / 2, view.width, rowHeight);
  const step = roundUp((view.span * STEP_PX) / (view.width - GUTTER));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const lines: Segment[] = [];
  for (let n = Math.max(0, Math.ceil(view.t0 / step)); n * step <= Math.min(view.t1, scene.endMs); n++) {
    const px = Math.round(view.x(n * step)) + 0.5;
    lines.push([px, AXIS, px, view.height]);
    pen.write({ text: number(n * step, digits), px, py: 17, paint: ink.of("soft"), font: "11px", align: "center" });
  }
  pen.stroke(ink.of("line"), 1, lines);
}

/** The stretches of a list that the window shows, with their borders in pixels. */
function* visible<T extends Window>(
  list: readonly T[],
  view: View,
): Generator<{ item: T; left: number; width: number }> {
  for (let i = firstAt(list, view.t0, (s) => s.t1); i < list.length; i++) {
    const item = list[i] as T;
    if (item.t0 > view.t1) return;
    const left = Math.max(view.x(item.t0), GUTTER);
    yield { item, left, width: Math.max(1, Math.min(view.x(item.t1), view.width) - left) };
  }
}

export function drawCuts(pen: Pen, { scene }: Run, view: View): void {
  const { context, ink } = pen;
  const [bad, font] = [ink.of("bad"), "600 11px"];
  const hatch = scene.cuts.length > 0 ? pen.hatch("bad") : bad;
  for (const { item: cut, left, width } of visible(scene.cuts, view)) {
    pen.fill(bad, left, 30, width, 18);
    const text = [`cut  ${cut.text}`, "cut"].find((words) => pen.widthOf(words, font) + 14 < width);
    if (text !== undefined) pen.write({ text, px: left + 7, py: 43, paint: ink.of("panel"), font, bare: true });
    for (const { a, b, both, text } of cut.bands) {
      const [above, below] = [view.y(a), view.y(b)];
      const inset = Math.min(24, (below - above) * 0.3);
      const middle = (above + below) / 2;
      pen.fill(hatch, left, above + inset, width, below - above - 2 * inset);
      pen.stroke(bad, 1.8, [[left, middle, left + width, middle]], both ? [9, 5] : [2, 5]);
      if (width > 90 && (!both || b > a + 1)) pen.write({ text, px: left + 8, py: middle - 5, paint: bad, font });
    }
    context.globalAlpha = 0.45;
    const edge = (t: number): Segment => [view.x(t), 30, view.x(t), view.height];
    pen.stroke(bad, 1, [edge(cut.t0), edge(cut.t1)]);
    context.globalAlpha = 1;
  }
}

const THICKNESS: Record<string, number> = { leader: 16, candidate: 14, observer: 3 };

/** Returns what is to be written beside the lines, once the arrows are drawn. */
export function drawLifelines(pen: Pen, { scene }: Run, view: View): Words[] {
  const { ink } = pen;
  const [labels, font] = [[] as Words[], "650 10.5px"];
  scene.lifelines.forEach((line, row) => {
    const py = view.y(row);
    for (const { item: s, left, width } of visible(line, view)) {
      if (!s.up) continue;
      const [thick, paint] = [THICKNESS[s.role] ?? 5, ink.ofTerm(s.term)];
      const hollow = s.role === "candidate" && width > 4;
      if (s.paused) pen.stroke(paint, thick, [[left, py, left + width, py]], [7, 6]);
      else pen.fill(paint, left, py - thick / 2, width, thick);
      if (hollow) pen.fill(ink.of("panel"), left + 2, py - thick / 2 + 2, width - 4, thick - 4);
      const inside = s.role === "leader" || s.role === "candidate";
      const text = `${inside ? `${s.role} · ` : ""}term ${s.term}`;
      if (s.term === 0 || s.paused || width < pen.widthOf(text, font) + 14) continue;
      if (inside)
        pen.write({ text, px: left + 8, py: py + 4, paint: hollow ? paint : ink.of("panel"), font, bare: true });
      else labels.push({ text, px: left + 6, py: py + 15, paint, font });
    }
  });
  return labels;
}

/** Who each line is, and what it was at the cursor. */
export function drawGutter(pen: Pen, run: Run, view: View): void {
  const { context, ink } = pen;
  pen.fill(ink.of("panel"), 0, 0, GUTTER, view.height);
  pen.fill(ink.of("line"), GUTTER - 1, AXIS, 1, view.height);
  const small = { font: "11px", paint: ink.of("soft"), px: 28 };
  pen.write({ ...small, text: "time in ms", px: GUTTER - 10, py: 17, paint: ink.of("faint"), align: "right" });
  if (run.scene.cuts.length > 0) pen.write({ ...small, text: "network", py: 43 });
  run.report.peers.forEach((peer, row) => {
    const [s, py] = [stretchAt(run, row, view.cursor), view.y(row)];
    const state = s?.up ? (s.paused ? "paused" : s.role || "up") : "down";
    const term = s?.up && s.term > 0 ? ` · term ${s.term}` : "";
    pen.write({ ...small, text: `peer ${peer}`, py: py + 1, paint: ink.of("ink"), font: "650 13px" });
    pen.write({ ...small, text: state + term, py: py + 16 });
    context.beginPath();
    context.arc(15, py - 3, s?.role === "leader" ? 6 : 4.5, 0, 7);
    context.fillStyle = s?.up ? ink.ofTerm(s.term) : ink.of("line");
    context.fill();
  });
}
