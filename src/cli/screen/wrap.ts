/**
 * Rows of a width, for text that is safe to show: broken at spaces and between wide characters, which are written without
 * spaces, and within a word only where it is longer than a row. Spaces are kept, but for those at which a row ends.
 */
import { graphemes } from "./graphemes.ts";
import { width } from "./width.ts";

const ASCII = /^[\x20-\x7e]*$/;

/** The first row may have another width. */
export function wrap(text: string, columns: number, first = columns): string[] {
  const plain = ASCII.test(text);
  if (plain && text.length <= first) return [text];
  const clusters = plain ? text : [...graphemes(text)].map(({ segment }) => segment);
  const measure = plain ? () => 1 : clusterWidth;
  const rows: string[] = [];
  let row = "";
  let wide = 0;
  /** The last place where the row may end, and how wide the row is up to there. */
  let ending = 0;
  let endingWidth = 0;
  for (const cluster of clusters) {
    const more = measure(cluster);
    while (row !== "" && wide + more > (rows.length === 0 ? first : columns)) {
      if (cluster === " " || ending === 0) [ending, endingWidth] = [row.length, wide];
      rows.push(row.slice(0, ending).replace(/ +$/, ""));
      row = row.slice(ending);
      wide -= endingWidth;
      ending = 0;
    }
    if (row === "" && cluster === " " && rows.length > 0) continue;
    row += cluster;
    wide += more;
    if (cluster === " " || more === 2) [ending, endingWidth] = [row.length, wide];
  }
  return row === "" && rows.length > 0 ? rows : [...rows, row];
}

/** Measured ones: a text has few characters that are not in it many times. */
const WIDTHS = new Map<string, number>();
const WIDTHS_MAX = 4096;

function clusterWidth(cluster: string): number {
  const known = WIDTHS.get(cluster);
  if (known !== undefined) return known;
  if (WIDTHS.size >= WIDTHS_MAX) WIDTHS.clear();
  const measured = width(cluster);
  WIDTHS.set(cluster, measured);
  return measured;
}
