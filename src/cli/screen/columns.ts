/** Rows of an answer as lines, with columns under each other. Apart from what answers say: scripts have no use for this. */
import type { Row } from "./answer-rows.ts";
import { width } from "./width.ts";

/** A column that is wider moves what stands behind it, and only in its own row. */
const COLUMN_MAX = 32;

/** The last cell of a row may be of any width. */
export function inColumns(rows: readonly Row[]): string[] {
  const tabled = rows.filter((row) => typeof row !== "string");
  const widths = (tabled[0] ?? []).map((_, i) =>
    Math.max(...tabled.map((row) => width(row[i] ?? "")).filter((wide) => wide <= COLUMN_MAX), 0),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i < row.length - 1 ? pad(cell, widths[i] ?? 0) : cell)).join("  ");
  return rows.map((row) => (typeof row === "string" ? row : line(row)));
}

function pad(cell: string, columns: number): string {
  return cell + " ".repeat(Math.max(0, columns - width(cell)));
}
