/**
 * House rules as a check: who may import whom, where runtimes may be named, and the purity of core. Prints every
 * violation with its place and exits 1 if there is one.
 */
import { Glob } from "bun";

/**
 * Each room and the rooms, or single files, that it may import from. Files directly in src/ are the library's entry; a
 * browser's side is a room of its own, which nobody imports.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: ["core"],
  engines: ["core", "engines"],
  wire: ["core", "wire"],
  host: ["core", "engines", "wire", "host"],
  adapters: ["core", "engines", "host", "adapters"],
  sim: ["core", "engines", "wire", "host", "sim", "report/sim-report.ts"],
  report: ["core", "report"],
  "report/page": ["report", "report/page"],
  cli: ["core", "engines", "wire", "host", "adapters", "sim", "report", "cli", "."],
  ".": ["core", "engines", "wire", "host", "adapters", "."],
};

/** An engine's own folder. All others know the contract, and `engines/default.ts` which engine is the product's. */
const ENGINE_FOLDER = /^src\/engines\/([^/]+)\//;
/** Besides that file: files that break rules of one engine on purpose, and files that search all its states. */
const KNOWS_ENGINE = [/^src\/engines\/default\.ts$/, /^src\/sim\/(mutant|mutants|mutants-.+|explore-.+)\.ts$/];
/** Rooms that are handed an engine, and so must not choose one. */
const CHOOSES_NO_ENGINE = new Set(["host", "adapters"]);

/** Rooms that decide, and do nothing else: see BANNED.core. */
const PURE = new Set(["core", "engines"]);
/** Rooms that may name a runtime or its modules. */
const NAMES_RUNTIMES = new Set(["adapters", "cli"]);
/** Packages that the portable rooms may use. */
const PORTABLE_PACKAGES = new Set(["valibot"]);

const BANNED: Record<string, readonly [RegExp, string][]> = {
  core: [
    [/\bDate\b/, "core has no clock"],
    [/\bMath\.random\b/, "core has no randomness of its own"],
    [/\basync\b|\bawait\b|\bPromise\s*[.<(]/, "core waits for nothing"],
    [/\/\/\/ *<reference/, "core has no ambient types"],
    [/\bTextEncoder\b|\bTextDecoder\b/, "core knows no bytes"],
  ],
  portable: [
    [/\bDate\.now\b|\bnew Date\b|\bperformance\.now\b/, "time comes from the Clock port"],
    [/\bMath\.random\b|\bcrypto\b/, "randomness comes from the Clock port"],
    [/\bset(Timeout|Interval|Immediate)\s*\(|\bqueueMicrotask\s*\(/, "timers come from the Clock port"],
    [/\bconsole\./, "printing belongs to cli"],
  ],
  everywhere: [
    [
      /from\s+["'](node:)?process["']/,
      "Node reads process.stdout for it, and makes an inherited pipe non-blocking: use the global",
    ],
  ],
  runtimes: [[/\bBun\.|\bDeno\.|["']node:|["']bun["']|\bprocess\./, "only adapters and cli name a runtime"]],
};

const root = new URL("..", import.meta.url).pathname;
const problems: string[] = [];

for (const file of [...new Glob("src/**/*.ts").scanSync(root)].sort()) {
  const room = roomOf(file);
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) {
    problems.push(`${file}: there is no room called ${room}`);
    continue;
  }
  const source = await Bun.file(root + file).text();
  const code = withoutComments(source);
  const lines = code.split("\n");
  lines.forEach((line, i) => {
    const specifier =
      /(?:from|import\()\s*["']([^"']+)["']/.exec(line)?.[1] ?? /^\s*import\s+["']([^"']+)["']/.exec(line)?.[1];
    if (specifier !== undefined) checkImport(file, i + 1, room, allowed, specifier);
    const rules = [
      ...(BANNED.everywhere ?? []),
      ...(PURE.has(room) ? (BANNED.core ?? []) : []),
      ...(["core", "engines", "wire", "host", "sim"].includes(room) ? (BANNED.portable ?? []) : []),
      ...(NAMES_RUNTIMES.has(room) ? [] : (BANNED.runtimes ?? [])),
    ];
    for (const [pattern, why] of rules)
      if (pattern.test(line)) problems.push(`${file}:${i + 1}: ${why}: ${line.trim()}`);
  });
}

function roomOf(file: string): string {
  const parts = file.split("/").slice(1, -1);
  return parts[1] === "page" ? `${parts[0]}/page` : (parts[0] ?? ".");
}

function checkImport(file: string, line: number, room: string, allowed: readonly string[], specifier: string): void {
  if (!specifier.startsWith(".")) {
    if (!NAMES_RUNTIMES.has(room) && !PORTABLE_PACKAGES.has(specifier))
      problems.push(`${file}:${line}: ${room} imports no package ${specifier}`);
    return;
  }
  if (!/\.(ts|json|txt)$/.test(specifier))
    problems.push(`${file}:${line}: an import names its file, with .ts: ${specifier}`);
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  const targetRoom = roomOf(target);
  if (specifier.endsWith("package.json")) return;
  if (!allowed.includes(targetRoom) && !allowed.includes(target.slice("src/".length)))
    problems.push(`${file}:${line}: ${room} must not import from ${targetRoom}`);
  const engine = ENGINE_FOLDER.exec(target)?.[1];
  if (engine !== undefined && ENGINE_FOLDER.exec(file)?.[1] !== engine && !KNOWS_ENGINE.some((rule) => rule.test(file)))
    problems.push(`${file}:${line}: only the ${engine} engine knows its parts: name src/engines/engine.ts or view.ts`);
  if (target === "src/engines/default.ts" && CHOOSES_NO_ENGINE.has(room))
    problems.push(`${file}:${line}: ${room} is handed an engine and chooses none`);
}

/** The same lines with blanked comments, so that prose may mention what code must not do. */
function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|[^:"'`\\])\/\/(?! *<reference|\/).*$/gm, "$1");
}

for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? "layers: every import and name is in its room" : `layers: ${problems.length} problems`,
);
process.exit(problems.length === 0 ? 0 : 1);
