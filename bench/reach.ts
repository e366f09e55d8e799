/** The table of figures: what was measured, what stands beside it, what is to be reached, and whether it is. */
import { median } from "./histogram.ts";
import type { FigureRow } from "./options.ts";
import { count, ms, textTable } from "./table.ts";

export type Unit = "messages/s" | "ms" | "MB" | "%" | "times";

export interface Line {
  readonly row: FigureRow;
  readonly what: string;
  readonly unit: Unit;
  /** One for each run, or each fault of each run. */
  readonly values: readonly number[];
  /** Which of them is the figure; `worst` is the highest. */
  readonly figure: "median" | "worst";
  /** What was measured in the same run without a protocol, or without what the row is about. */
  readonly beside: { readonly what: string; readonly values: readonly number[] } | null;
  /** Null: no bound was set, it is told for what stands beside it. */
  readonly reach: Reach | null;
}

/** A bound on the figure, or on its ratio to what stands beside it. */
export interface Reach {
  readonly of: "figure" | "ratio";
  readonly is: "at least" | "at most";
  readonly bound: number;
}

/** A row that gives no figure here, and why. */
export interface NoFigure {
  readonly row: FigureRow;
  readonly why: string;
}

export interface Judged {
  readonly figure: number;
  readonly beside: number;
  /** The median of the ratios of the runs, each to what was measured in the same one; NaN where nothing stands beside. */
  readonly ratio: number;
  /** Null: there is no bound. */
  readonly met: boolean | null;
}

export function judge({ values, figure: which, beside, reach }: Line): Judged {
  const figure = which === "median" ? median(values) : Math.max(...values);
  const ratios = beside === null ? [] : values.map((value, i) => value / (beside.values[i] as number));
  const ratio = median(ratios);
  const bounded = reach?.of === "ratio" ? ratio : figure;
  // A figure that is not there has not reached anything.
  const met = reach === null ? null : reach.is === "at least" ? bounded >= reach.bound : bounded <= reach.bound;
  return { figure, beside: median(beside?.values ?? []), ratio, met };
}

export function reachTable(lines: readonly (Line | NoFigure)[]): string {
  const head = ["", "figure", "of", "beside it", "ratio", "reach", "reached"];
  const measured = lines.flatMap((line) => ("why" in line ? [] : [line]));
  const table = textTable([
    head,
    ...measured.map((line) => {
      const { figure, beside, ratio, met } = judge(line);
      return [
        `${line.row}: ${line.what}`,
        inUnit(figure, line.unit),
        `${line.figure} of ${line.values.length}`,
        line.beside === null ? "" : `${line.beside.what} ${inUnit(beside, line.unit)}`,
        line.beside === null ? "" : digits(ratio),
        line.reach === null ? "" : reachText(line.reach, line.unit),
        met === null ? "" : met ? "yes" : "NO",
      ];
    }),
  ]);
  return [table, ...lines.flatMap((line) => ("why" in line ? [`${line.row}: no figure, ${line.why}`] : []))].join("\n");
}

function reachText({ of, is, bound }: Reach, unit: Unit): string {
  const sign = is === "at least" ? "≥" : "≤";
  return of === "ratio" ? `ratio ${sign} ${digits(bound)}` : `${sign} ${inUnit(bound, unit)}`;
}

function inUnit(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return "–";
  if (unit === "ms") return ms(value);
  if (unit === "times") return digits(value);
  return unit === "messages/s" ? `${count(value)}/s` : `${count(value, value < 10 ? 1 : 0)} ${unit}`;
}

function digits(value: number): string {
  return count(value, 2);
}
