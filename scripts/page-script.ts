/**
 * Builds the browser's side of the report (src/report/page/) into src/report/page-script.ts: one string, which Bun, its
 * compiler, Node and Deno all import alike. A test says when to run this again.
 */
const root = new URL("..", import.meta.url).pathname;

export const PAGE_SCRIPT_FILE = `${root}src/report/page-script.ts`;

/** The text of that file. */
export async function pageScriptModule(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [`${root}src/report/page/start.ts`],
    ...{ target: "browser", format: "iife", minify: true },
  });
  const script = (await (outputs[0] as Blob).text()).trim();
  return `// Made by scripts/page-script.ts from src/report/page/: do not edit.\nexport const PAGE_SCRIPT = ${JSON.stringify(script)};\n`;
}

if (import.meta.main) await Bun.write(PAGE_SCRIPT_FILE, await pageScriptModule());
