/**
 * Rows of a width, for text that is safe to show: broken at spaces and between wide characters, which are written without
 * spaces, and within a word only where it is longer than a row. Pure. Spaces are kept, but for
 * those at which a row ends.
 */
import { width } from "./width.ts";

const CLUSTERS = new Intl.Segmenter("en", { granularity: "grapheme" });
const ASCII = /^[\x20-\x7e]*$/;

/** The first row may have another width. */
export function wrap(text: string, columns: number, first = columns): string[] {
  const plain = ASCII.test(text);
  if ((plain ? text.length : width(text)) <= first) return [text];
  const clusters = plain ? text : [...CLUSTERS.segment(text)].map(({ segment }) => segment);
  const measure = plain ? (part: string) => part.length : width;
  const rows: string[] = [];
  let row = "";
  let wide = 0;
  /** In the row: where it may end. */
  let ending = 0;
  for (const cluster of clusters) {
    const more = measure(cluster);
    while (row !== "" && wide + more > (rows.length === 0 ? first : columns)) {
      const end = cluster === " " || ending === 0 ? row.length : ending;
      rows.push(row.slice(0, end).replace(/ +$/, ""));
      row = row.slice(end);
      wide = measure(row);
      ending = 0;
    }
    if (row === "" && cluster === " " && rows.length > 0) continue;
    row += cluster;
    wide += more;
    if (cluster === " " || more === 2) ending = row.length;
  }
  return row === "" ? rows : [...rows, row];
}
