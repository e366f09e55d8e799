import { expect, test } from "bun:test";
import { FIGURE_ROWS } from "../../bench/options.ts";
import { judge, type Line, reachTable } from "../../bench/reach.ts";
import { growth, ROWS } from "../../bench/rows.ts";

const line: Line = {
  ...{ row: "durable", what: "messages/s", unit: "messages/s", values: [100_000, 300_000, 200_000] },
  ...{ figure: "median", beside: null, reach: { of: "figure", is: "at least", bound: 150_000 } },
};
const beside = { what: "floor, window 10000:", values: [1_000_000, 1_000_000, 400_000] };

test("a figure is the median of its runs, or the worst; it is held against its bound", () => {
  expect(judge(line)).toMatchObject({ figure: 200_000, met: true });
  expect(judge({ ...line, figure: "worst" }).figure).toBe(300_000);
  expect(judge({ ...line, reach: { of: "figure", is: "at most", bound: 150_000 } }).met).toBe(false);
  expect(judge({ ...line, reach: { of: "figure", is: "at most", bound: 200_000 } }).met).toBe(true);
  expect(judge({ ...line, reach: null }).met).toBeNull();
});

test("a ratio is that of one run to what was measured in the same run, not that of two medians", () => {
  const reach = { of: "ratio", is: "at least", bound: 0.2 } as const;
  expect(judge({ ...line, beside, reach })).toMatchObject({ beside: 1_000_000, ratio: 0.3, met: true });
  expect(judge({ ...line, beside, reach: { ...reach, bound: 0.31 } }).met).toBe(false);
});

test("a figure that is not there has reached nothing, whichever way its bound goes", () => {
  for (const figure of ["median", "worst"] as const)
    for (const is of ["at least", "at most"] as const)
      expect(judge({ ...line, figure, values: [Number.NaN], reach: { of: "figure", is, bound: 1 } }).met).toBe(false);
  expect(judge({ ...line, values: [] }).met).toBe(false);
});

test("the table says what was measured, beside what, what is to be reached, and whether it is", () => {
  const reach = { of: "ratio", is: "at least", bound: 0.5 } as const;
  const lines = reachTable([line, { ...line, beside, reach }, { row: "fifty", why: "too little memory" }]).split("\n");
  const cells = (text: string | undefined) => text?.split(/ {2,}/);
  expect(cells(lines[1])).toEqual(["durable: messages/s", "200,000/s", "median of 3", "≥ 150,000/s", "yes"]);
  expect(cells(lines[2])).toEqual([
    ...["durable: messages/s", "200,000/s", "median of 3", "floor, window 10000: 1,000,000/s", "0.30"],
    ...["ratio ≥ 0.50", "NO"],
  ]);
  expect(lines[3]).toBe("fifty: no figure, too little memory");
});

test("memory is flat where the second half of a flood needs no more than the first; the worst peer counts", () => {
  const curve = (...mb: number[]) => mb.map((value, i): [number, number] => [i, value]);
  expect(growth([curve(50, 100, 100, 90)], 4)).toBe(1);
  expect(growth([curve(50, 100, 100, 90), curve(50, 100, 110, 150)], 4)).toBe(1.5);
});

test("every row that can be asked for is measured", () => {
  expect(Object.keys(ROWS).sort()).toEqual([...FIGURE_ROWS].sort());
});
