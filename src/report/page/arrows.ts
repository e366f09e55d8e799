/** Arrows of messages and their names. */
import { cross, type Segment } from "./geometry.ts";
import type { Pen, Words } from "./pen.ts";
import type { Arrow } from "./pick-arrows.ts";
import type { Run } from "./run.ts";
import type { View } from "./time-view.ts";

/** Up to this many arrows have thick lines, and up to the next number they have heads. */
const FEW = 150;
const CROWD = 700;
/** Up to this many arrows have names. */
const NAMED_MAX = 110;

export function drawArrows(pen: Pen, { report, familyOf, families }: Run, arrows: readonly Arrow[]): void {
  const [crowded, few] = [arrows.length > CROWD, arrows.length <= FEW];
  const width = few ? 1.6 : 1;
  // One path for each colour: a thousand strokes cost a thousand times the set-up.
  const paths = families.map(() => ({ whole: [] as Segment[], lost: [] as Segment[] }));
  for (const { line, i } of arrows) {
    const isLost = report.messages[i]?.arrivedMs === null;
    paths[familyOf[i] as number]?.[isLost ? "lost" : "whole"].push(line);
  }
  pen.context.globalAlpha = crowded ? 0.55 : 0.92;
  paths.forEach(({ whole, lost }, f) => {
    const paint = pen.ink.of(families[f] ?? "other");
    pen.stroke(paint, width, whole);
    pen.stroke(paint, width, lost, [4, 3]);
    const crosses = lost.flatMap(([, , x1, y1]) => cross(x1, y1, crowded ? 2.5 : 4));
    pen.stroke(pen.ink.of("bad"), width + 0.8, crosses);
    if (!crowded) pen.heads(paint, whole, few ? 9 : 7);
  });
  pen.context.globalAlpha = 1;
}

/** The part of a line where a name may stand, the best place first. */
const SHARES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78];
const FONT = "10.5px";
const LETTER_PX = 6;

interface Box {
  readonly px: number;
  readonly py: number;
  readonly w: number;
  readonly h: number;
}

/** The frames' names along their arrows, as textbooks have it, where there is room; one name for a whole broadcast. */
export function nameArrows(pen: Pen, run: Run, view: View, arrows: readonly Arrow[], labels: readonly Words[]): void {
  if (arrows.length > NAMED_MAX) return;
  const placed: Box[] = labels.map(({ text, px, py }) => {
    const w = text.length * LETTER_PX;
    return { px: px + w / 2, py: py - 4, w, h: 12 };
  });
  const named: { readonly name: string; readonly line: Segment }[] = [];
  for (const { line, length, i } of [...arrows].sort((a, b) => a.length - b.length)) {
    const [x0, y0, x1, y1] = line;
    const { name = "", family = "other" } = run.scene.types[run.typeOf[i] as number] ?? {};
    const needed = pen.widthOf(name, FONT);
    if (length < needed + 30 || named.some((o) => o.name === name && areNear(o.line, line))) continue;
    const angle = Math.atan2(y1 - y0, x1 - x0);
    const [c, s] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
    const [w, h] = [needed * c + 13 * s, needed * s + 13 * c];
    const isFree = ({ px, py }: Box): boolean =>
      run.report.peers.every((_, row) => Math.abs(py - view.y(row)) >= h / 2 + 6) &&
      placed.every((o) => Math.abs(o.px - px) >= (o.w + w) / 2 || Math.abs(o.py - py) >= (o.h + h) / 2);
    const places = SHARES.map((share): Box => ({ px: x0 + (x1 - x0) * share, py: y0 + (y1 - y0) * share, w, h }));
    const box = places.find(isFree);
    if (box === undefined) continue;
    placed.push(box);
    named.push({ name, line });
    writeAlong(pen, { text: name, px: box.px, py: box.py, paint: pen.ink.of(family), font: FONT }, angle, needed);
  }
}

const areNear = (a: Segment, b: Segment): boolean =>
  Math.hypot(a[0] - b[0], a[1] - b[1]) < 26 || Math.hypot(a[2] - b[2], a[3] - b[3]) < 26;

function writeAlong(pen: Pen, words: Words, angle: number, width: number): void {
  const { context, ink } = pen;
  context.save();
  context.translate(words.px, words.py);
  context.rotate(angle);
  context.globalAlpha = 0.85;
  pen.fill(ink.of("panel"), -width / 2 - 2, -6, width + 4, 12);
  context.globalAlpha = 1;
  pen.write({ ...words, px: 0, py: 3.5, align: "center", bare: true });
  context.restore();
}
