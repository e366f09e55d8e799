/** Strokes, fills and words on a canvas, and the colours that they take from the style sheet. */
import { seriesColor } from "../series.ts";
import type { Color } from "../theme.ts";
import { contextOf } from "./dom.ts";
import type { Segment } from "./geometry.ts";

type Paint = string | CanvasPattern;

export interface Words {
  readonly text: string;
  readonly px: number;
  readonly py: number;
  readonly paint: Paint;
  /** Weight and size. */
  readonly font: string;
  readonly align?: CanvasTextAlign;
  /** Without a rim of the background, which makes text readable on whatever lies below. */
  readonly bare?: boolean;
}

/** The theme lives in the style sheet; a canvas needs its values. */
export class Ink {
  readonly #style = getComputedStyle(document.documentElement);
  readonly #values = new Map<Color, string>();
  readonly family = getComputedStyle(document.body).fontFamily;

  of(color: Color): string {
    let value = this.#values.get(color);
    if (value === undefined) {
      value = this.#style.getPropertyValue(`--${color}`).trim();
      this.#values.set(color, value);
    }
    return value;
  }
  ofTerm(term: number): string {
    return this.of(seriesColor(term));
  }
  /** The theme is another one. */
  forget(): void {
    this.#values.clear();
  }
}

export class Pen {
  readonly context: CanvasRenderingContext2D;
  readonly ink: Ink;
  #hatch: { readonly paint: string; readonly pattern: CanvasPattern } | null = null;

  constructor(context: CanvasRenderingContext2D, ink: Ink) {
    [this.context, this.ink] = [context, ink];
  }

  fill(paint: Paint, px: number, py: number, width: number, height: number): void {
    this.context.fillStyle = paint;
    this.context.fillRect(px, py, width, height);
  }

  stroke(paint: Paint, width: number, segments: readonly Segment[], dash: number[] = []): void {
    if (segments.length === 0) return;
    const { context } = this;
    context.strokeStyle = paint;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    for (const segment of segments) {
      context.moveTo(segment[0], segment[1]);
      context.lineTo(segment[2], segment[3]);
    }
    context.stroke();
    context.setLineDash([]);
  }

  /** Filled heads at the ends of these. */
  heads(paint: Paint, segments: readonly Segment[], size: number): void {
    const { context } = this;
    context.fillStyle = paint;
    context.beginPath();
    for (const [x0, y0, x1, y1] of segments) {
      const length = Math.hypot(x1 - x0, y1 - y0) || 1;
      const [ux, uy] = [((x1 - x0) / length) * size, ((y1 - y0) / length) * size];
      context.moveTo(x1 + ux * 0.35, y1 + uy * 0.35);
      context.lineTo(x1 - ux - uy * 0.45, y1 - uy + ux * 0.45);
      context.lineTo(x1 - ux + uy * 0.45, y1 - uy - ux * 0.45);
    }
    context.fill();
  }

  write({ text, px, py, paint, font, align = "left", bare = false }: Words): void {
    const { context } = this;
    this.#setFont(font);
    context.textAlign = align;
    if (!bare) {
      context.lineWidth = 3;
      context.strokeStyle = this.ink.of("panel");
      context.strokeText(text, px, py);
    }
    context.fillStyle = paint;
    context.fillText(text, px, py);
  }

  widthOf(text: string, font: string): number {
    this.#setFont(font);
    return this.context.measureText(text).width;
  }

  /** Stripes, for an area that other things shine through. */
  hatch(color: Color): CanvasPattern {
    const paint = this.ink.of(color);
    if (this.#hatch?.paint !== paint) this.#hatch = { paint, pattern: stripes(paint) };
    return this.#hatch.pattern;
  }

  #setFont(font: string): void {
    this.context.font = `${font} ${this.ink.family}`;
  }
}

function stripes(paint: string): CanvasPattern {
  const tile = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
  const context = contextOf(tile);
  context.globalAlpha = 0.3;
  context.strokeStyle = paint;
  context.lineWidth = 1.4;
  // The corners belong to stripes of the tiles beside it.
  context.stroke(new Path2D("M-8 8L0 0M0 8L8 0M8 8L16 0M-1 1L1 -1M7 9L9 7"));
  return context.createPattern(tile, "repeat") as CanvasPattern;
}
