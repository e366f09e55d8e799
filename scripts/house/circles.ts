/** Files that import one another, types included: none may, for then neither can be understood without the other. */
import { importsOf, type Source } from "./tree.ts";

/** The files of each circle: strongly connected components (Tarjan 1972). */
export function circles(sources: readonly Source[]): string[][] {
  const imports = new Map(sources.map((source) => [source.path, importsOf(source).map(({ file }) => file)]));
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const number = order.size;
    order.set(file, number);
    low.set(file, number);
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      if (!imports.has(next)) continue;
      if (!order.has(next)) low.set(file, Math.min(low.get(file) as number, visit(next)));
      else if (stack.includes(next)) low.set(file, Math.min(low.get(file) as number, order.get(next) as number));
    }
    if (low.get(file) === number) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low.get(file) as number;
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return found;
}
