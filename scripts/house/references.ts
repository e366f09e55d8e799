/**
 * Checks references in comments, tests and documents to rules of SPEC.md, files and sections: all of them must exist.
 */
import { existsSync } from "node:fs";
import { dirname, normalize } from "node:path";
import { ROOT, type Source } from "./tree.ts";

const CITATION = /\[([A-Z][0-9]{1,2})\]/g;
/** Numbered in SPEC.md's list of invariants instead of its rules. */
const INVARIANT = /^I[0-9]+$/;

/** Ids of the rules that SPEC.md states, and of its invariants. */
function rulesOf(spec: string): { rules: Set<string>; invariants: Set<string> } {
  const ids = (pattern: RegExp) => new Set([...spec.matchAll(pattern)].map(([, id]) => id as string));
  const bold = ids(/^- \*\*([A-Z][0-9]{1,2})\*\*/gm);
  const invariants = ids(/\b(I[0-9]{1,2})\b/g);
  return { rules: new Set([...bold].filter((id) => !INVARIANT.test(id))), invariants };
}

export function wrongCitations(sources: readonly Source[], spec: string): string[] {
  const { rules, invariants } = rulesOf(spec);
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(CITATION)]
      .map(([, id]) => id as string)
      .filter((id) => !rules.has(id) && !invariants.has(id))
      .map((id) => `${path}: SPEC.md has no rule ${id}`),
  );
}

/** Rules that no test and no scenario names. */
export function uncitedRules(tests: readonly Source[], spec: string): string[] {
  const cited = new Set(tests.flatMap(({ text }) => [...text.matchAll(CITATION)].map(([, id]) => id)));
  return [...rulesOf(spec).rules].filter((id) => !cited.has(id)).map((id) => `SPEC.md: no test names rule ${id}`);
}

/** Links of documents to files and sections that do not exist. */
export function brokenLinks(documents: readonly Source[]): string[] {
  const texts = new Map(documents.map(({ path, text }) => [path, text]));
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]*))?\)/g)].flatMap(([, file = "", section]) => {
      const target = file === "" ? path : normalize(`${dirname(path)}/${file}`);
      if (!existsSync(ROOT + target)) return [`${path}: there is no ${target}`];
      const sections = [...(texts.get(target) ?? "").matchAll(/^#+ +(.*)$/gm)].map(([, title]) =>
        anchorOf(title as string),
      );
      const isThere = section === undefined || !texts.has(target) || sections.includes(section);
      return isThere ? [] : [`${path}: ${target} has no section #${section}`];
    }),
  );
}

/** As the usual readers of Markdown make it. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

/** Files that comments and documents name, like `links.ts`, and that are nowhere. */
export function lostFiles(sources: readonly Source[], known: readonly string[]): string[] {
  const names = new Set(known.map((path) => path.split("/").at(-1)));
  return sources.flatMap(({ path, text }) => {
    const prose = path.endsWith(".md")
      ? text
      : [...text.matchAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm)].map(([c]) => c).join("\n");
    const named = [...prose.matchAll(/(?<![\w./-])((?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|md|mjs|sh))(?![\w/-])/g)];
    return named.flatMap(([, name = ""]) => {
      const isThere = name.includes("/") ? known.some((file) => file.endsWith(name)) : names.has(name);
      return isThere ? [] : [`${path}: there is no file ${name}`];
    });
  });
}
