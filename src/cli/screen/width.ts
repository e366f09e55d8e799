/**
 * How many columns of a terminal a text takes, by grapheme cluster (UAX #29): East Asian wide characters and emoji two
 * (UAX #11, UTS #51), combining marks none. Terminals disagree about joined emoji and flags; who draws must bear that.
 */
import stringWidth from "string-width";
import { graphemes } from "./graphemes.ts";

export function width(text: string): number {
  return stringWidth(text);
}

/** As much of the text as fits, ending in `…` where something is left out. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let kept = "";
  let left = columns - 1;
  for (const { segment } of graphemes(text)) {
    left -= width(segment);
    if (left < 0) break;
    kept += segment;
  }
  return columns > 0 ? `${kept}…` : "";
}
