/** The whole run, small: how much is sent, what is cut, who leads, who crashes. */
import { cross } from "./geometry.ts";
import type { Pen } from "./pen.ts";
import type { Run } from "./run.ts";
import type { View } from "./time-view.ts";

/** Of a bar of the traffic, in pixels. */
const BAR = 2;

export function drawOverview(pen: Pen, run: Run, view: View, width: number, height: number): void {
  const { context, ink } = pen;
  const x = (t: number): number => view.overviewX(t, width);
  context.clearRect(0, 0, width, height);
  const bars = new Uint32Array(Math.ceil(width / BAR) + 1);
  run.sent.forEach((at, i) => {
    if (run.shown[run.typeOf[i] as number] !== true) return;
    const bar = Math.floor(x(at) / BAR);
    bars[bar] = (bars[bar] ?? 0) + 1;
  });
  const most = bars.reduce((a, b) => Math.max(a, b), 1);
  // Square roots: a burst of catch-up does not flatten everything else.
  for (const [i, n] of bars.entries())
    pen.fill(ink.of("line"), i * BAR, height, BAR, -Math.sqrt(n / most) * (height - 8));
  for (const { t0, t1 } of run.scene.cuts) {
    const [left, wide] = [x(t0), Math.max(1, x(t1) - x(t0))];
    context.globalAlpha = 0.15;
    pen.fill(ink.of("bad"), left, 0, wide, height);
    context.globalAlpha = 1;
    pen.fill(ink.of("bad"), left, 0, wide, 3);
  }
  const rowHeight = (height - 12) / run.report.peers.length;
  run.scene.lifelines.forEach((line, row) => {
    const py = 7 + rowHeight * (row + 0.5);
    for (const s of line) {
      const thick = Math.min(8, rowHeight * 0.75) * (s.role === "leader" ? 1 : 0.3);
      context.globalAlpha = s.paused ? 0.35 : 1;
      if (s.up) pen.fill(ink.ofTerm(s.term), x(s.t0), py - thick / 2, Math.max(0.5, x(s.t1) - x(s.t0)), thick);
    }
    context.globalAlpha = 1;
    const crashes = run.marks[row]?.filter((e) => e.kind === "crash") ?? [];
    pen.stroke(
      ink.of("bad"),
      2,
      crashes.flatMap((e) => cross(x(e.atMs), py, 3)),
    );
  });
  if (run.failed) pen.fill(ink.of("bad"), x(run.report.verdict.atMs) - 1, 0, 2, height);
}
