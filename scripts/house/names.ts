/** Names of files: none occurs twice below one folder, so that a name says which file is meant. */
import { basename } from "node:path";
import type { Source } from "./tree.ts";

export function sameNames(sources: readonly Source[], folder: string): string[] {
  const found = new Map<string, string[]>();
  for (const { path } of sources)
    if (path.startsWith(`${folder}/`)) found.set(basename(path), [...(found.get(basename(path)) ?? []), path]);
  return [...found.values()].filter((paths) => paths.length > 1).map((paths) => `one name twice: ${paths.join(", ")}`);
}
