/** Plots as SVG text: axes with round numbers, lines, bars and marked places. Colours are those of the page's style sheet. */
import { escapeHtml } from "../src/report/html.ts";
import { roundUp } from "../src/report/numbers.ts";
import type { Color } from "../src/report/theme.ts";

export type Point = readonly [number, number];

export interface Axis {
  readonly min: number;
  readonly max: number;
  /** Powers of ten are equally far apart. */
  readonly log?: boolean;
  readonly label: string;
  readonly say: (value: number) => string;
}

export interface Line {
  readonly name: string;
  readonly color: Color;
  readonly points: readonly Point[];
  readonly filled?: boolean;
}

export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly color: Color;
  /** Shown when pointed at. */
  readonly title: string;
  /** Stands above it. */
  readonly label?: string;
}

/** A place on the x axis; in their order. */
export interface Mark {
  readonly x: number;
  readonly color: Color;
  readonly label: string;
}

export interface Plot {
  readonly x: Axis;
  readonly y: Axis;
  readonly lines?: readonly Line[];
  readonly bars?: readonly Bar[];
  readonly marks?: readonly Mark[];
}

const [W, H] = [760, 280];
const [LEFT, RIGHT, TOP, BOTTOM] = [74, 16, 26, 44];
/** Of a letter of a label, about. */
const LETTER_PX = 7;

export function svg({ x, y, lines = [], bars = [], marks = [] }: Plot): string {
  const px = (value: number) => LEFT + at(x, value) * (W - LEFT - RIGHT);
  const py = (value: number) => H - BOTTOM - at(y, value) * (H - TOP - BOTTOM);
  const parts: string[] = [];
  for (const tick of ticks(y)) {
    parts.push(`<path class="grid" d="M${LEFT} ${r(py(tick))}H${W - RIGHT}"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${r(py(tick) + 4)}" text-anchor="end">${escapeHtml(y.say(tick))}</text>`);
  }
  for (const tick of ticks(x))
    parts.push(
      `<text x="${r(px(tick))}" y="${H - BOTTOM + 18}" text-anchor="middle">${escapeHtml(x.say(tick))}</text>`,
    );
  for (const { from, to, height, color, title, label } of bars) {
    const [left, right] = [px(from), px(to)];
    const top = py(height);
    parts.push(
      `<rect x="${r(left + 0.5)}" y="${r(top)}" width="${r(Math.max(1, right - left - 1))}" height="${r(H - BOTTOM - top)}" fill="var(--${color})"><title>${escapeHtml(title)}</title></rect>`,
    );
    if (label !== undefined)
      parts.push(
        `<text x="${r((left + right) / 2)}" y="${r(top - 5)}" text-anchor="middle">${escapeHtml(label)}</text>`,
      );
  }
  for (const { color, points, filled } of lines) {
    const path = points.map(([a, b], i) => `${i === 0 ? "M" : "L"}${r(px(a))} ${r(py(b))}`).join("");
    const [first, last] = [points[0], points.at(-1)];
    if (filled && first !== undefined && last !== undefined)
      parts.push(
        `<path class="area" d="${path}L${r(px(last[0]))} ${py(y.min)}L${r(px(first[0]))} ${py(y.min)}Z" fill="var(--${color})"/>`,
      );
    parts.push(`<path class="line" d="${path}" stroke="var(--${color})"/>`);
  }
  let free = 0;
  for (const { x: where, color, label } of marks) {
    const left = px(where);
    parts.push(
      `<path class="mark" d="M${r(left)} ${TOP}V${H - BOTTOM}" stroke="var(--${color})"><title>${escapeHtml(label)}</title></path>`,
    );
    // Where there are many, the lines speak for themselves.
    const half = (label.length * LETTER_PX) / 2;
    if (left - half < free) continue;
    free = left + half;
    parts.push(
      `<text class="told" x="${r(left)}" y="${TOP - 8}" text-anchor="middle" style="fill: var(--${color})">${escapeHtml(label)}</text>`,
    );
  }
  parts.push(`<path class="axis" d="M${LEFT} ${H - BOTTOM}H${W - RIGHT}"/>`);
  parts.push(`<text x="${W - RIGHT}" y="${H - 8}" text-anchor="end">${escapeHtml(x.label)}</text>`);
  return `<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="${escapeHtml(`${y.label} over ${x.label}`)}">${parts.join("")}</svg>`;
}

/** 0 to 1 along the axis. */
function at({ min, max, log = false }: Axis, value: number): number {
  const of = log ? Math.log10 : (v: number) => v;
  const within = Math.min(Math.max(value, min), max);
  return max === min ? 0 : (of(within) - of(min)) / (of(max) - of(min));
}

/** About five round numbers. */
function ticks({ min, max, log = false }: Axis): number[] {
  if (log) {
    const first = Math.ceil(Math.log10(min) - 1e-9);
    const last = Math.floor(Math.log10(max) + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
  }
  const step = roundUp((max - min) / 5);
  const found: number[] = [];
  for (let value = Math.ceil(min / step) * step; value <= max * (1 + 1e-9); value += step) found.push(value);
  return found;
}

const r = (value: number): string => String(Math.round(value * 10) / 10);
