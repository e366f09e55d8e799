/** What is under the pointer. */
import { distance } from "./geometry.ts";
import type { Arrow } from "./pick-arrows.ts";
import type { Mark } from "./run.ts";
import { GUTTER, type Point } from "./time-view.ts";

/** A mark where the picture has it. */
export interface DrawnMark extends Point {
  readonly kind: "mark";
  readonly event: Mark;
}
export type Hit = Arrow | DrawnMark;

/** How far beside a thing the pointer may be, in pixels. */
const MARK_REACH = 11;
const ARROW_REACH = 7;

/** Marks lie on arrows' ends, and so come first. */
export function hitAt({ px, py }: Point, marks: readonly DrawnMark[], arrows: readonly Arrow[]): Hit | null {
  if (px < GUTTER) return null;
  return (
    nearest(marks, MARK_REACH, (mark) => Math.hypot(mark.px - px, mark.py - py)) ??
    nearest(arrows, ARROW_REACH, (arrow) => distance(arrow.line, px, py))
  );
}

function nearest<T>(list: readonly T[], reach: number, far: (item: T) => number): T | null {
  let [best, least] = [null as T | null, reach];
  for (const item of list) {
    const d = far(item);
    if (d < least) [best, least] = [item, d];
  }
  return best;
}
