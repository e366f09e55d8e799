/** The files of this project, as the checks of the house read them. */
import { readFileSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { Glob } from "bun";

export const ROOT = new URL("../..", import.meta.url).pathname;

export interface Source {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
}

export const SOURCES: readonly Source[] = filesOf("{src,bench,scripts,test}/**/*.ts");
/** What people read. */
export const DOCUMENTS: readonly Source[] = filesOf("{*.md,docs/**/*.md,src/**/*.md}");

export function filesOf(pattern: string): Source[] {
  const paths = [...new Glob(pattern).scanSync({ cwd: ROOT, dot: true })].sort();
  return paths.map((path) => ({ path, text: readFileSync(ROOT + path, "utf8") }));
}

export interface Import {
  /** The file it names, from the project's folder. */
  readonly file: string;
  /** What it takes from there; null: all of it. */
  readonly names: readonly string[] | null;
}

/** What a file imports or exports on from other files of the project, types included. */
export function importsOf({ path, text }: Source): Import[] {
  const found: Import[] = [];
  const pattern = /(?:import|export)\s+([^"';]*?)\s*from\s*"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g;
  for (const [, taken, from, dynamic] of text.matchAll(pattern)) {
    const file = normalize(`${dirname(path)}/${from ?? dynamic}`);
    const braces = /\{([^}]*)\}/.exec(taken ?? "")?.[1];
    const names = braces?.split(",").map(
      (name) =>
        name
          .trim()
          .replace(/^type\s+/, "")
          .split(/\s+as\s+/)[0] ?? "",
    );
    found.push({ file, names: names?.filter((name) => name !== "") ?? null });
  }
  return found;
}
