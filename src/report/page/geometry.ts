/** Lines in pixels. */

export type Segment = readonly [x0: number, y0: number, x1: number, y1: number];

export const cross = (px: number, py: number, size: number): [Segment, Segment] => [
  [px - size, py - size, px + size, py + size],
  [px + size, py - size, px - size, py + size],
];

export const lengthOf = ([x0, y0, x1, y1]: Segment): number => Math.hypot(x1 - x0, y1 - y0);

export function distance([x0, y0, x1, y1]: Segment, px: number, py: number): number {
  const along = ((px - x0) * (x1 - x0) + (py - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2 || 1);
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(x0 + share * (x1 - x0) - px, y0 + share * (y1 - y0) - py);
}
