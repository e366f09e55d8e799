/**
 * Exports that no other file imports: either nobody needs them, or they should not be exported. A type may be part of a
 * signature.
 */
import { importsOf, type Source } from "./tree.ts";

const DECLARED =
  /^export\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(function\*?|class|const|let|interface|type|enum)\s+([A-Za-z_$][\w$]*)/gm;

/** The compiler reads it: it holds the schemas against the types. */
const CHECKED_BY_COMPILER = new Set(["AGREE"]);

export function deadExports(sources: readonly Source[], published: string): string[] {
  const taken = new Map<string, Set<string> | null>();
  for (const source of sources)
    for (const { file, names } of importsOf(source)) {
      const before = taken.get(file);
      if (names === null || before === null) taken.set(file, null);
      else taken.set(file, new Set([...(before ?? []), ...names]));
    }
  return sources.flatMap(({ path, text }) => {
    const names = taken.get(path);
    if (path === published || names === null) return [];
    const dead = [...text.matchAll(DECLARED)].filter(([, kind, name = ""]) => {
      const isSignature =
        (kind === "interface" || kind === "type") && text.split(new RegExp(`\\b${name}\\b`)).length > 2;
      return !names?.has(name) && !isSignature && !CHECKED_BY_COMPILER.has(name);
    });
    return dead.map(([, , name]) => name).map((name) => `${path}: ${name} is exported, and nobody imports it`);
  });
}
