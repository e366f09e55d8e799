/** What only a secured peer needs takes memory, so no other peer loads it. */
import { expect, test } from "bun:test";
import { dirname, normalize } from "node:path";
import { filesOf } from "../../scripts/house/tree.ts";

const FILES = new Map(filesOf("src/**/*.ts").map(({ path, text }) => [path, text]));
const ENTRIES = ["src/cli/main.ts", "src/index.ts"];
const SECURED_ONLY = [/^@peculiar\//, /^node:crypto$/, /^node:tls$/, /\/certificate\.ts$/, /\/tls-[a-z]+\.ts$/];

/** The modules that a file loads with itself. Types and what is imported later are none of them. */
function loadedBy(path: string): string[] {
  const text = FILES.get(path) ?? "";
  const imports = [...text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm)];
  return imports.map(([, from = ""]) => (from.startsWith(".") ? normalize(`${dirname(path)}/${from}`) : from));
}

/** Each module that is loaded at a start, with the one that imports it. */
function loadedAtStart(): Map<string, string> {
  const found = new Map(ENTRIES.map((entry) => [entry, "a start"]));
  for (const path of found.keys()) for (const module of loadedBy(path)) if (!found.has(module)) found.set(module, path);
  return found;
}

test("a start loads no certificates, no TLS and no cryptography", () => {
  const loaded = loadedAtStart();
  expect(loaded.size).toBeGreaterThan(100);
  const needless = [...loaded].filter(([module]) => SECURED_ONLY.some((pattern) => pattern.test(module)));
  expect(needless.map(([module, by]) => `${by} loads ${module}`)).toEqual([]);
});

test("such modules are found where they are loaded", () => {
  expect(loadedBy("src/adapters/tls-network.ts")).toContain("src/adapters/tls-session.ts");
  expect(loadedBy("src/adapters/certificate.ts")).toContain("@peculiar/asn1-x509");
  expect(loadedBy("src/adapters/platform.ts")).not.toContain("src/adapters/tls-network.ts");
});
