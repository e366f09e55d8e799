/** Which arrows a picture draws: a binary search finds the first, and where they are too many one stands for some. */
import { lengthOf, type Segment } from "./geometry.ts";
import { LOST_SHARE, type Run } from "./run.ts";
import { firstAt } from "./search.ts";
import type { View } from "./time-view.ts";

export interface Arrow {
  readonly kind: "arrow";
  readonly line: Segment;
  readonly length: number;
  /** Of the message. */
  readonly i: number;
}

/** More arrows than this on one screen are a wall of ink: then one per few pixels, sort and pair stands for the rest. */
const ARROWS_MAX = 2000;

/** `perArrow`: how many messages each arrow stands for. */
export function pickArrows(run: Run, view: View): { arrows: Arrow[]; perArrow: number } {
  const { sent, arrived, latest, from, to, typeOf, familyOf, shown } = run;
  const rows = run.report.peers.length;
  const [first, end] = [firstAt(latest, view.t0), firstAt(sent, view.t1)];
  const isIn = (i: number): boolean =>
    shown[typeOf[i] as number] === true && (arrived[i] as number) >= view.t0 && from[i] !== to[i];
  const laneOf = (i: number): number =>
    ((familyOf[i] as number) * rows + (from[i] as number)) * rows + (to[i] as number);
  const taken = new Int32Array(run.families.length * rows * rows).fill(-1);
  let [count, lanes] = [0, 0];
  for (let i = first; i < end; i++) {
    if (!isIn(i)) continue;
    const lane = laneOf(i);
    count += 1;
    if (taken[lane] === -1) lanes += 1;
    taken[lane] = -2;
  }
  const bucketMs = count > ARROWS_MAX ? (view.span * lanes) / ARROWS_MAX : 0;
  const arrows: Arrow[] = [];
  for (let i = first; i < end && arrows.length < ARROWS_MAX * 2; i++) {
    if (!isIn(i)) continue;
    if (bucketMs > 0) {
      // Buckets lie at fixed times, not at the window's edge: else the picture would shimmer while it moves.
      const [lane, bucket] = [laneOf(i), Math.floor((sent[i] as number) / bucketMs) & 0x3fffffff];
      if (taken[lane] === bucket) continue;
      taken[lane] = bucket;
    }
    const line = lineOf(run, view, i);
    arrows.push({ kind: "arrow", line, length: lengthOf(line), i });
  }
  return { arrows, perArrow: count / Math.max(arrows.length, 1) };
}

function lineOf({ report, sent, arrived, from, to }: Run, view: View, i: number): Segment {
  const [source, target] = [from[i] as number, to[i] as number];
  const down = target > source ? 1 : -1;
  let [x0, y0] = [view.x(sent[i] as number), view.y(source) + down * 5];
  let [x1, y1] = [view.x(arrived[i] as number), view.y(target) - down * 9];
  if (report.messages[i]?.arrivedMs === null) y1 = y0 + (y1 - y0) * LOST_SHARE;
  // Far outside, lines lose their place to rounding.
  const slope = (y1 - y0) / Math.max(x1 - x0, 1e-9);
  const [left, right] = [-view.width, 2 * view.width];
  if (x0 < left) [x0, y0] = [left, y0 + slope * (left - x0)];
  if (x1 > right) [x1, y1] = [right, y1 - slope * (x1 - right)];
  return [x0, y0, x1, y1];
}
