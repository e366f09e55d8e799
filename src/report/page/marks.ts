/** What happens to the peers, beside their lines: what users see above, what the log does below. */
import type { Color } from "../theme.ts";
import type { DrawnMark } from "./near.ts";
import type { Pen } from "./pen.ts";
import { type MarkKind, type Run, timeOf } from "./run.ts";
import { firstAt } from "./search.ts";
import type { View } from "./time-view.ts";

interface Shape {
  readonly path: Path2D;
  readonly color: Color;
  /** Pixels below the line. Starts, stops and crashes are on the line. */
  readonly dy: number;
  /** Width of the outline; a shape without one is filled. */
  readonly width?: number;
}

const shape = (path: string, color: Color, dy: number, width?: number): Shape => ({
  ...{ path: new Path2D(path), color, dy },
  ...(width !== undefined && { width }),
});

const SHAPES: Record<MarkKind, Shape> = {
  deliver: shape("M4 0A4 4 0 1 1 -4 0A4 4 0 1 1 4 0", "ink", -16),
  submit: shape("M-6 -5H6L0 6Z", "chat", -16),
  sent: shape("M-5 0L-1 4L6 -5", "chat", -29, 2),
  fault: shape("M2 -8L-5 1H-1L-2 8L5 -2H1Z", "unsure", -17),
  commit: shape("M0 -5L5 0L0 5L-5 0Z", "soft", 16),
  notice: shape("M3 0A3 3 0 1 1 -3 0A3 3 0 1 1 3 0", "soft", 16, 2),
  crash: shape("M-8 -8L8 8M8 -8L-8 8", "bad", 0, 4),
  stop: shape("M-6 -6H6V6H-6Z", "soft", 0),
  start: shape("M-4 -9L10 0L-4 9Z", "good", 0),
  pause: shape("M-6 -8H-2V8H-6ZM2 -8H6V8H2Z", "unsure", 0),
  resume: shape("M-4 -8L8 0L-4 8Z", "unsure", 0),
};

/** With more marks than this on the screen, small ones are ticks without numbers. */
const MARKS_MAX = 600;
/** The least distance between two marks of one kind, in pixels: ticks, marks on the line, all others. */
const APART = { tick: 5, onLine: 1, other: 3 };
const LETTER_PX = 6;

/** Returns the marks that are visible. */
export function drawMarks(pen: Pen, run: Run, view: View): DrawnMark[] {
  const lists = run.marks.map((list) => list.slice(firstAt(list, view.t0, timeOf), firstAt(list, view.t1, timeOf)));
  const crowded = lists.reduce((sum, list) => sum + list.length, 0) > MARKS_MAX;
  const drawn: DrawnMark[] = [];
  lists.forEach((list, row) => {
    const last = new Map<MarkKind, DrawnMark>();
    for (const event of list) {
      const { color, dy } = SHAPES[event.kind];
      const [px, py] = [view.x(event.atMs), view.y(row) + dy];
      const before = last.get(event.kind);
      const tick = crowded && dy !== 0;
      if (before !== undefined && px - before.px < APART[tick ? "tick" : dy === 0 ? "onLine" : "other"]) continue;
      const mark: DrawnMark = { kind: "mark", px, py, event };
      last.set(event.kind, mark);
      drawn.push(mark);
      if (tick) {
        pen.fill(pen.ink.of(color), px - 1, py - 3, 2, 6);
        continue;
      }
      drawMark(pen, mark);
      if (before !== undefined) writeIndex(pen, before, px);
    }
    if (!crowded) for (const mark of last.values()) writeIndex(pen, mark, Number.POSITIVE_INFINITY);
  });
  return drawn;
}

function drawMark(pen: Pen, { px, py, event: { kind } }: DrawnMark): void {
  const { path, color, width } = SHAPES[kind];
  const { context } = pen;
  const paint = pen.ink.of(color);
  context.translate(px, py);
  if (width === undefined) {
    context.fillStyle = paint;
    context.fill(path);
  } else {
    [context.strokeStyle, context.lineWidth] = [paint, width];
    context.stroke(path);
  }
  context.translate(-px, -py);
  if (kind === "crash" || kind === "stop")
    pen.write({ text: kind, px, py: py + 23, paint, font: "650 11px", align: "center" });
}

/** Writes a number only if the next mark of its kind, at `next`, leaves room for it. */
function writeIndex(pen: Pen, { px, py, event: { index } }: DrawnMark, next: number): void {
  const text = String(index);
  if (index === 0 || next - px <= 16 + text.length * LETTER_PX) return;
  pen.write({ text, px: px + 8, py: py + 4, paint: pen.ink.of("soft"), font: "10.5px" });
}
