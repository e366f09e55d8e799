/** Small things measured one by one with tinybench, each beside a control: what the runtime does with the same bytes. */
import { Bench } from "tinybench";
import { count, textTable } from "./table.ts";

export interface Row {
  readonly name: string;
  /** Things done by one call of `run`. */
  readonly units: number;
  readonly run: () => void;
  /** Before each call, not measured. */
  readonly before?: () => void;
}

const TIME_MS = 500;

/** Prints the time per unit, its error (95 % confidence) and how many times the control it is. */
export async function suite(title: string, control: Row, ...rows: readonly Row[]): Promise<void> {
  const bench = new Bench({ time: TIME_MS, throws: true });
  for (const { name, run, before } of [control, ...rows])
    bench.add(name, run, before === undefined ? {} : { beforeEach: before });
  await bench.run();
  const measured = [control, ...rows].map(({ name, units }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== "completed") throw new Error(`${name} was not measured`);
    return { name, ns: (result.latency.mean * 1e6) / units, error: result.latency.rme };
  });
  const first = measured[0]?.ns ?? Number.NaN;
  const lines = measured.map(({ name, ns, error }, i) => [
    `  ${name}${i === 0 ? " (control)" : ""}`,
    `${count(ns, ns < 100 ? 1 : 0)} ns`,
    `± ${count(error, 1)} %`,
    `${count(1e9 / ns)}/s`,
    i === 0 ? "" : `${count(ns / first, 2)} ×`,
  ]);
  console.log(`${textTable([[title, "each", "", "", "control"], ...lines])}\n`);
}
