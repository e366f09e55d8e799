/** The one list of codes: all of it is used. That the reference says the same is a test of test/cli/usage. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ERROR_CODES, NOTICE_CODES } from "../../src/core/codes.ts";

const ROOT = join(import.meta.dir, "../..");

test("every code is given somewhere, and each has a line of its own", () => {
  const files = [...new Glob("src/**/*.ts").scanSync(ROOT)].filter((path) => path !== "src/core/codes.ts");
  const source = files.map((path) => readFileSync(join(ROOT, path), "utf8")).join("\n");
  const codes = [...Object.entries(NOTICE_CODES), ...Object.entries(ERROR_CODES)];
  expect(codes.filter(([code]) => !source.includes(`"${code}"`))).toEqual([]);
  for (const [code, when] of codes)
    expect([code, when]).toEqual([code, expect.stringMatching(/^[^\n|]{5,250}[^.\n]$/)]);
});
