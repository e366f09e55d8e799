/**
 * The diagram and the overview on their canvases. A picture is drawn anew for each frame of animation; what follows the
 * pointer has a canvas of its own, and the picture below stays as it is.
 */
import { number } from "../numbers.ts";
import { drawArrows, nameArrows } from "./arrows.ts";
import { byId, contextOf } from "./dom.ts";
import { AXIS, drawCuts, drawGrid, drawGutter, drawLifelines } from "./lines.ts";
import type { List } from "./list.ts";
import { drawMarks } from "./marks.ts";
import { type DrawnMark, type Hit, hitAt } from "./near.ts";
import { drawOverview } from "./overview.ts";
import { Ink, Pen } from "./pen.ts";
import { type Arrow, pickArrows } from "./pick-arrows.ts";
import type { Run } from "./run.ts";
import { GUTTER, type View } from "./time-view.ts";
import { Tip } from "./tip.ts";
import { ms } from "./words.ts";

export class Picture {
  readonly #ink = new Ink();
  readonly #plot = byId("plot");
  readonly #overview = byId("overview");
  readonly #window = byId("window");
  readonly #at = byId("at");
  readonly #chart = new Pen(contextOf(byId("chart", HTMLCanvasElement), { alpha: false }), this.#ink);
  readonly #over = new Pen(contextOf(byId("over", HTMLCanvasElement)), this.#ink);
  readonly #strip = new Pen(contextOf(byId("strip", HTMLCanvasElement)), this.#ink);
  readonly #run: Run;
  readonly #view: View;
  readonly #list: List;
  readonly #tip: Tip;
  /** What is on the screen, for the pointer to find. */
  #arrows: readonly Arrow[] = [];
  #marks: readonly DrawnMark[] = [];
  #asked = false;
  #pointing = false;
  #overviewStale = true;
  #overviewWidth = 0;
  #size = "";

  constructor(run: Run, view: View, list: List) {
    [this.#run, this.#view, this.#list, this.#tip] = [run, view, list, new Tip(run)];
  }

  /** Draws with the next frame. */
  refresh(): void {
    if (!this.#asked)
      requestAnimationFrame((now) => {
        if (this.#asked) this.#draw(now);
      });
    this.#asked = true;
  }
  /** Likewise, the overview too. */
  refreshAll(): void {
    this.#overviewStale = true;
    this.refresh();
  }
  /** The pointer moves often: between two pictures only what follows it is drawn. */
  followPointer(): void {
    if (this.#pointing) return;
    this.#pointing = true;
    requestAnimationFrame(() => {
      this.#pointing = false;
      if (this.#asked) return;
      drawGutter(this.#chart, this.#run, this.#view);
      this.#drawOver();
    });
  }
  /** The colours are other ones. */
  retheme(): void {
    this.#ink.forget();
    this.refreshAll();
  }
  /** Draws at once, since a canvas of another size is empty. */
  resize(): void {
    const [plot, overview, view] = [this.#plot, this.#overview, this.#view];
    const size = `${plot.clientWidth} ${plot.clientHeight} ${devicePixelRatio}`;
    if (size === this.#size) return;
    this.#size = size;
    [view.width, view.height] = [plot.clientWidth, plot.clientHeight];
    for (const pen of [this.#chart, this.#over]) fit(pen, plot);
    fit(this.#strip, overview);
    this.#overviewStale = true;
    this.#draw(performance.now());
  }

  /** What the pointer points at. */
  hit(): Hit | null {
    const { pointer, dragging } = this.#view;
    return pointer === null || dragging ? null : hitAt(pointer, this.#marks, this.#arrows);
  }

  #draw(now: number): void {
    const [chart, run, view] = [this.#chart, this.#run, this.#view];
    this.#asked = false;
    view.advance(now);
    if (this.#overviewStale) this.#drawOverview();
    drawGrid(chart, run, view);
    drawCuts(chart, run, view);
    const labels = drawLifelines(chart, run, view);
    const { arrows, perArrow } = pickArrows(run, view);
    drawArrows(chart, run, arrows);
    nameArrows(chart, run, view, arrows, labels);
    for (const label of labels) chart.write(label);
    this.#arrows = arrows;
    this.#marks = drawMarks(chart, run, view);
    this.#drawNotes(perArrow);
    drawGutter(chart, run, view);
    this.#drawOver();
    this.#placeWindow();
    if (view.flying) this.refresh();
  }

  /** What the verdict is about, and what the picture leaves out. */
  #drawNotes(perArrow: number): void {
    const [pen, view, ink] = [this.#chart, this.#view, this.#ink];
    const { invariant, atMs } = this.#run.report.verdict;
    const line = { py: view.height - 9, align: "right" } as const;
    if (this.#run.failed) {
      const px = view.x(atMs);
      pen.fill(ink.of("bad"), px - 1, AXIS, 2, view.height);
      pen.write({ ...line, text: `${invariant} broken`, px: px - 7, paint: ink.of("bad"), font: "700 12px" });
    }
    if (perArrow <= 1.05) return;
    const text = `1 of ${number(perArrow, 1)} arrows drawn: zoom in for all`;
    pen.write({ ...line, text, px: view.width - 10, paint: ink.of("soft"), font: "11px" });
  }

  #drawOver(): void {
    const [pen, view, ink, hit] = [this.#over, this.#view, this.#ink, this.hit()];
    const { context } = pen;
    context.clearRect(0, 0, view.width, view.height);
    const px = Math.round(view.x(view.cursor)) + 0.5;
    const dash = view.pinned ? [] : [3, 3];
    if (px > GUTTER) pen.stroke(ink.of("accent"), view.pinned ? 1.6 : 1, [[px, AXIS, px, view.height]], dash);
    if (hit?.kind === "arrow") {
      const paint = ink.of(this.#run.families[this.#run.familyOf[hit.i] as number] ?? "other");
      pen.stroke(paint, 3.5, [hit.line]);
      if (this.#run.report.messages[hit.i]?.arrivedMs !== null) pen.heads(paint, [hit.line], 13);
    } else if (hit !== null) {
      context.beginPath();
      context.arc(hit.px, hit.py, 11, 0, 7);
      [context.strokeStyle, context.lineWidth] = [ink.of("accent"), 2];
      context.stroke();
    }
    this.#tip.show(hit, view);
    this.#at.textContent = `t = ${ms(view.cursor)}`;
    this.#list.draw(view.cursor);
  }

  #drawOverview(): void {
    const { clientWidth, clientHeight } = this.#overview;
    drawOverview(this.#strip, this.#run, this.#view, clientWidth, clientHeight);
    [this.#overviewStale, this.#overviewWidth] = [false, clientWidth];
  }

  #placeWindow(): void {
    const [view, { style }] = [this.#view, this.#window];
    const [left, right] = [view.t0, view.t1].map((t) => view.overviewX(t, this.#overviewWidth)) as [number, number];
    style.transform = `translateX(${left}px)`;
    style.width = `${Math.max(10, right - left)}px`;
  }
}

/** Gives the canvas as many pixels as the screen has where the box is. */
function fit({ context }: Pen, box: HTMLElement): void {
  const dense = devicePixelRatio;
  context.canvas.width = Math.round(box.clientWidth * dense);
  context.canvas.height = Math.round(box.clientHeight * dense);
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.lineJoin = "round";
}
