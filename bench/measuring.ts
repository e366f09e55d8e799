/** What the rows of the table of figures are measured with. */
import type { RunResult, RunTrace } from "./figures.ts";
import type { FloorFigures } from "./floor-figures.ts";
import type { Member } from "./member.ts";
import type { RunOptions } from "./options.ts";
import type { Line, NoFigure, Reach } from "./reach.ts";

/** What a row measures with. */
export interface Bench {
  readonly runs: number;
  /** The folder to measure in. */
  readonly dir: string;
  /** Messages or seconds of the full table, or what is left of them where it is to be quick. */
  sized(full: number): number;
  run(
    options: Partial<RunOptions>,
    shipped?: boolean,
    look?: (members: readonly Member[]) => Promise<void>,
  ): Promise<{ readonly result: RunResult; readonly trace: RunTrace }>;
  floor(): Promise<FloorFigures>;
}

export type Lines = readonly (Omit<Line, "row"> | Omit<NoFigure, "row">)[];

export const atLeast = (bound: number): Reach => ({ of: "figure", is: "at least", bound });
export const atMost = (bound: number): Reach => ({ of: "figure", is: "at most", bound });

/** One behind the other. */
export async function repeat<T>(runs: number, measure: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < runs; i++) all.push(await measure());
  return all;
}
