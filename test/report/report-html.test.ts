/** The page of a report: the data arrives whole, and nothing in it becomes markup or leaves the page. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Glob } from "bun";
import { PAGE_SCRIPT_FILE, pageScriptModule } from "../../scripts/page-script.ts";
import { PAGE_SCRIPT } from "../../src/report/page-script.ts";
import { reportHtml } from "../../src/report/report-html.ts";
import { event, message, report } from "./runs.ts";

const HOSTILE = [
  "</script><script>alert(1)</script>",
  "</SCRIPT >",
  "<!-- <script>",
  "]]> --> &lt;b&gt; &amp;",
  "\"'`${1}\\u003c\\",
  "\u2028\u2029\0\x1b[2J\u202e\ud800",
  "<img src=x onerror=alert(1)>",
];

/** What a browser's parser makes of a page: each script element's attributes and text. */
function scripts(html: string): { attributes: string; text: string }[] {
  return [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script\b[^>]*>/gi)].map((m) => ({
    attributes: m[1] as string,
    text: m[2] as string,
  }));
}

function embedded(html: string, id: string): unknown {
  return JSON.parse(scripts(html).find((s) => s.attributes.includes(`id="${id}"`))?.text ?? "");
}

describe("the page", () => {
  test("the data comes back as it went in", () => {
    const given = report({
      events: [event(1, 1, "start"), event(2, 1, "role", { role: "leader", term: 3 })],
      messages: [message(3, 4.25, "SEQ_CHAT", 'index 1, "grüß dich 👋"'), message(5, null, "PING")],
    });
    expect(embedded(reportHtml(given), "data")).toEqual(given);
  });

  test("no string breaks out of its place, wherever it stands", () => {
    for (const text of HOSTILE) {
      const given = report({
        title: text,
        events: [event(1, 1, "notice", { note: text, role: text })],
        messages: [message(1, 2, text, text)],
        verdict: { result: "FAIL", invariant: text, message: text, atMs: 3, steps: [text, `1.5 ${text}`] },
      });
      const html = reportHtml(given);
      expect(embedded(html, "data")).toEqual(given);
      expect(scripts(html).map((s) => s.attributes.trim())).toEqual([
        'type="application/json" id="data"',
        'type="application/json" id="scene"',
        "",
      ]);
      for (const { text: json } of scripts(html).slice(0, 2)) expect(json).not.toMatch(/[<\u2028\u2029]/);
      // Beside the JSON the only place is the title.
      const rest = html.replace(/<script\b[\s\S]*?<\/script>/g, "");
      expect(rest).not.toContain("<img");
      expect(rest).not.toContain("alert(1)<");
      expect(rest.match(/<title>[^<]*<\/title>/g)).toHaveLength(1);
    }
  });

  test("it asks for nothing from anywhere, and its policy would not let it", () => {
    const html = reportHtml(report());
    expect(html).not.toMatch(/https?:\/\//i);
    expect(html).not.toMatch(/\b(src|href)=|@import|url\(/i);
    expect(html).toContain("default-src 'none'");
  });

  test("its own code parses, and never turns text into markup or code", () => {
    expect(() => new Function(PAGE_SCRIPT)).not.toThrow();
    expect(PAGE_SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|<\/script|<!--/i);
    expect(PAGE_SCRIPT).not.toMatch(/\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(/);
  });

  test("its own code is what its modules build", async () => {
    const built = await pageScriptModule();
    if (built !== readFileSync(PAGE_SCRIPT_FILE, "utf8")) throw new Error("run bun scripts/page-script.ts");
  });

  test("every element that the code asks for is there", () => {
    const html = reportHtml(report());
    const folder = new URL("../../src/report/page/", import.meta.url).pathname;
    const code = [...new Glob("*.ts").scanSync(folder)].map((file) => readFileSync(folder + file, "utf8")).join("\n");
    const ids = [...code.matchAll(/\b(?:byId|read)\("([a-z]+)"/g)].map((m) => m[1]);
    expect(ids).toContain("plot");
    for (const id of ids) expect(html).toContain(`id="${id}"`);
  });
});
