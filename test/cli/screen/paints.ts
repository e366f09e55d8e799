/** Paints for tests: none, and one that can be read. */
import type { Paint } from "../../../src/cli/screen/paint.ts";

export const PLAIN: Paint = { dim: (t) => t, bold: (t) => t, red: (t) => t, mark: (t) => t, lamp: (t) => t };
export const MARKS: Paint = {
  dim: (t) => `<dim>${t}</>`,
  bold: (t) => `<b>${t}</>`,
  red: (t) => `<red>${t}</>`,
  mark: (t) => `<mark>${t}</>`,
  lamp: (t) => `<lamp>${t}</>`,
};
