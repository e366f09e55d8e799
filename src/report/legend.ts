/** What the shapes and colours of the diagram mean, drawn as they are in it. */
import { number } from "./numbers.ts";
import type { Stretch } from "./scene.ts";
import { SERIES_COLORS, seriesColor } from "./series.ts";

const mark = (shape: string, text: string): string =>
  `<span><svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">${shape}</svg>${text}</span>`;

const SHAPES = [
  mark(`<rect x="0" y="1" width="18" height="12" rx="2" fill="var(--c1)"/>`, "leader"),
  mark(
    `<rect x="0" y="2" width="18" height="10" rx="2" fill="none" stroke="var(--c1)" stroke-width="2"/>`,
    "candidate",
  ),
  mark(`<rect x="0" y="5" width="18" height="4" fill="var(--c1)"/>`, "follower"),
  mark(`<path d="M0 7h18" stroke="var(--c1)" stroke-width="4" stroke-dasharray="4 3"/>`, "paused"),
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

/** One row of the legend: the shapes, and the colours of the terms that the run had. */
export function legend(lifelines: readonly (readonly Stretch[])[]): string {
  const terms = [...new Set(lifelines.flat().map((s) => s.term))].filter((term) => term > 0).sort((a, b) => a - b);
  const more = terms.length > SERIES_COLORS ? "<span>… the colours repeat</span>" : "";
  const swatch = (term: number): string =>
    `<span><i class="term" style="background: var(--${seriesColor(term)})"></i>term ${number(term)}</span>`;
  return SHAPES + terms.slice(0, SERIES_COLORS).map(swatch).join("") + more;
}
