/**
 * The HTML document around every page of a run, which needs no other file. Its policy forbids it to fetch anything,
 * whatever a string in it says, and allows code only where the page has some.
 */
import { BASE_STYLE } from "./theme.ts";

export interface Page {
  readonly title: string;
  /** Comes after the style that all pages share. */
  readonly style: string;
  /** Markup. */
  readonly body: string;
  readonly script?: string;
}

export function htmlPage({ title, style, body, script }: Page): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'${script === undefined ? "" : "; script-src 'unsafe-inline'"}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · chatpeer</title>
<style>${BASE_STYLE}${style}</style>
</head>
<body>
${body}${script === undefined ? "" : `\n<script>${script}</script>`}
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escapes text that anybody may have chosen, so that it is never markup. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c] as string);
}

/** JSON that is the same data to a parser and no markup to a browser: in JSON a `<` only ever stands inside a string. */
export function jsonScript(id: string, value: unknown): string {
  const json = JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
  return `<script type="application/json" id="${id}">${json}</script>`;
}

/** The result of the run, in one word. */
export function badge(word: string, tone: "good" | "bad" | "unsure"): string {
  return `<span class="badge ${tone}">${escapeHtml(word)}</span>`;
}
