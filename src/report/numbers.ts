/** Numbers as people read them, and as axes are divided. */

const formats: Intl.NumberFormat[] = [];

/** With thousands separated; `digits` after the point, neither more nor fewer. */
export function number(value: number, digits = 0): string {
  formats[digits] ??= new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return formats[digits].format(value);
}

/** The next of 1, 2, 5, 10, 20, 50 … */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((f) => f * ten >= value * (1 - 1e-9)) as number) * ten;
}
