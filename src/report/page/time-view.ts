/** Which stretch of time fills the width of the diagram, and where the cursor and the pointer stand. */
import type { Run } from "./run.ts";

export interface Point {
  readonly px: number;
  readonly py: number;
}
export interface Window {
  readonly t0: number;
  readonly t1: number;
}

interface Hooks {
  /** The diagram has to be drawn anew. */
  readonly changed: () => void;
  /** Whether the reader likes moving pictures. */
  readonly flies: () => boolean;
}

/** The column on the left that names the peers, in pixels. */
export const GUTTER = 136;
const FLIGHT_MS = 260;

export class View {
  t0: number;
  t1: number;
  /** The moment that the gutter and the list tell of. */
  cursor: number;
  /** The cursor stays where it is; else it follows the pointer, or the middle of the window. */
  pinned: boolean;
  /** null: elsewhere. */
  pointer: Point | null = null;
  /** The pointer moves the diagram, and points at nothing. */
  dragging = false;
  /** Of the diagram, in pixels. */
  width = 0;
  height = 0;
  /** A small margin at both ends, so that marks at 0 and at the end are not cut by the border. */
  readonly low: number;
  readonly high: number;
  readonly shortest: number;
  /** Above the first row, in pixels: the axis, and the cuts where there are any. */
  readonly #top: number;
  readonly #endMs: number;
  readonly #rows: number;
  /** As far as a visit zooms in. */
  readonly #nearMs: number;
  readonly #hooks: Hooks;
  #flight: { readonly from: Window; readonly to: Window; readonly began: number } | null = null;

  constructor({ report, scene, failed }: Run, hooks: Hooks) {
    const { endMs, usualMs, start, cuts } = scene;
    [this.low, this.high] = [-0.02 * endMs, 1.02 * endMs];
    [this.t0, this.t1] = [this.low, this.high];
    this.shortest = Math.min(endMs, Math.max(usualMs / 2, 0.05));
    [this.cursor, this.pinned] = [report.verdict.atMs, failed];
    [this.#top, this.#rows, this.#endMs] = [cuts.length > 0 ? 56 : 30, report.peers.length, endMs];
    this.#nearMs = start.t1 - start.t0;
    this.#hooks = hooks;
  }

  get span(): number {
    return this.t1 - this.t0;
  }
  get rowHeight(): number {
    return (this.height - this.#top - 8) / this.#rows;
  }
  get flying(): boolean {
    return this.#flight !== null;
  }

  x(t: number): number {
    return GUTTER + ((t - this.t0) / (this.t1 - this.t0)) * (this.width - GUTTER);
  }
  /** The middle of a row. */
  y(row: number): number {
    return this.#top + this.rowHeight * (row + 0.5);
  }
  timeAt(px: number): number {
    return this.t0 + ((px - GUTTER) / (this.width - GUTTER)) * this.span;
  }
  /** The nearest moment of the run. */
  within(t: number): number {
    return Math.min(Math.max(t, 0), this.#endMs);
  }
  /** The place of a moment where the whole run is `width` pixels wide. */
  overviewX(t: number, width: number): number {
    return ((t - this.low) / (this.high - this.low)) * width;
  }

  /** Shows this stretch, or the nearest one that is neither too short nor outside of the run. */
  show(t0: number, t1: number): void {
    this.#flight = null;
    this.#place(t0, t1);
    this.#hooks.changed();
  }
  zoom(factor: number, around = this.pinned ? this.cursor : (this.t0 + this.t1) / 2): void {
    const width = this.#allowed(this.span * factor);
    const t0 = around - ((around - this.t0) / this.span) * width;
    this.show(t0, t0 + width);
  }
  /** Moves by a share of what is shown. */
  pan(share: number): void {
    const by = this.span * share;
    this.show(this.t0 + by, this.t1 + by);
  }
  /** Flies there, because a reader loses the place in a sudden jump. */
  goTo(t0: number, t1: number): void {
    if (!this.#hooks.flies()) return this.show(t0, t1);
    const to = { t0: Math.max(t0, this.low), t1: Math.min(t1, this.high) };
    this.#flight = { from: { t0: this.t0, t1: this.t1 }, to, began: performance.now() };
    this.#hooks.changed();
  }
  wholeRun(): void {
    this.goTo(this.low, this.high);
  }
  visit(t: number): void {
    this.pin(t);
    const half = Math.min(this.span, this.#nearMs) / 2;
    this.goTo(t - half, t + half);
  }
  pin(t: number): void {
    [this.cursor, this.pinned] = [t, true];
    this.#hooks.changed();
  }
  letGo(): void {
    this.pinned = false;
    this.#hooks.changed();
  }
  halt(): void {
    this.#flight = null;
  }

  /** Moves on to where a flight is at `now`, and the cursor with what it follows. */
  advance(now: number): void {
    if (this.#flight !== null) {
      const { from, to, began } = this.#flight;
      const done = Math.min(1, Math.max(0, (now - began) / FLIGHT_MS));
      const mix = (a: number, b: number): number => a + (b - a) * (1 - (1 - done) ** 3);
      this.#place(mix(from.t0, to.t0), mix(from.t1, to.t1));
      if (done === 1) this.#flight = null;
    }
    if (!this.pinned && this.pointer === null) this.cursor = this.within((this.t0 + this.t1) / 2);
  }

  #allowed(width: number): number {
    return Math.min(Math.max(width, this.shortest), this.high - this.low);
  }
  #place(t0: number, t1: number): void {
    const width = this.#allowed(t1 - t0);
    this.t0 = Math.min(Math.max((t0 + t1 - width) / 2, this.low), this.high - width);
    this.t1 = this.t0 + width;
  }
}
