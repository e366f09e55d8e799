/** Colours where they are wanted: a terminal, and no NO_COLOR (https://no-color.org). */
import kleur from "kleur";

export interface Paint {
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  /** Stands out on any background. */
  mark(text: string): string;
}

const plain = (text: string) => text;

export function paintFor(stream: { isTTY?: boolean }): Paint {
  const env = process.env;
  const wanted = stream.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  if (!wanted) return { dim: plain, bold: plain, red: plain, mark: plain };
  kleur.enabled = true;
  return {
    dim: (t) => kleur.dim(t),
    bold: (t) => kleur.bold(t),
    red: (t) => kleur.red(t),
    mark: (t) => kleur.inverse(t),
  };
}
