/** What is said of the commands: every one explains itself, and the manual page in docs/ is what the program prints. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REFERENCE_FILE, withParts } from "../../../scripts/reference.ts";
import { CHAT_FLAGS } from "../../../src/cli/chat/chat-options.ts";
import { COMMAND_NAMES } from "../../../src/cli/chat/slash-commands.ts";
import { COMMANDS } from "../../../src/cli/usage/catalog.ts";
import { CommandLine } from "../../../src/cli/usage/command-line.ts";
import { maySet } from "../../../src/cli/usage/flag.ts";
import { commandHelp } from "../../../src/cli/usage/help.ts";
import { manualPage } from "../../../src/cli/usage/manual.ts";
import { variableOf } from "../../../src/cli/usage/settings.ts";

const MANUAL = join(import.meta.dir, "../../../docs/chatpeer.1");

describe("help", () => {
  test.each(COMMANDS.map((c) => [c.name === "" ? "chatpeer" : c.name, c] as const))(
    "%s: purpose, flags with defaults, examples that are right, exit codes",
    (_, command) => {
      const lines = commandHelp(command, COMMANDS);
      const text = lines.join("\n").replace(/\n {5,}(?!chatpeer)/g, " ");
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
      expect(command.purpose).toMatch(/^[a-z].*[^.]$/);
      expect(text).toContain(command.purpose);
      for (const flag of command.flags) {
        expect(text).toContain(`--${flag.name}${flag.value === null ? "" : ` ${flag.value}`}`);
        if (flag.preset !== undefined) expect(text).toContain(`(default: ${flag.preset})`);
      }
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { command: example } of command.examples) {
        const typed = /(?:^|[ (])chatpeer(?: ([^|>)]*))?/.exec(example)?.[1]?.trim().split(" ") ?? [];
        expect([example, command.name === "" ? "" : typed[0]]).toEqual([example, command.name]);
        expect(new CommandLine(COMMANDS).read(typed).command).toBe(command);
      }
      for (const code of [...Object.keys(command.exits), "2"]) expect(text).toMatch(new RegExp(`\\n  ${code} +[a-z-]`));
    },
  );

  test("names are unique, within a command and in the environment", () => {
    const names = COMMANDS.map((c) => c.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { flags } of COMMANDS) {
      const keys = flags.flatMap((f) => [f.name, ...(f.alsoKeys ?? [])]);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});

test("docs/reference.md says what the descriptions say; otherwise run scripts/reference.ts", () => {
  const page = readFileSync(REFERENCE_FILE, "utf8");
  expect(page).toBe(withParts(page));
  for (const { name } of CHAT_FLAGS) expect(page).toContain(`\`--${name}`);
});

describe("the manual page", () => {
  const page = manualPage(COMMANDS);

  test("docs/chatpeer.1 is what `chatpeer man` prints; otherwise print it there again", () => {
    expect(readFileSync(MANUAL, "utf8")).toBe(page);
  });

  test("has every command, of the shell and of the chat, every flag and variable", () => {
    const plain = page.replaceAll("\\-", "-");
    for (const name of COMMAND_NAMES) expect(plain).toContain(`\\fB${name}`);
    for (const command of COMMANDS) {
      expect(plain).toContain(command.purpose.slice(1));
      for (const flag of command.flags) expect(plain).toContain(`\\fB--${flag.name}\\fR`);
      for (const flag of command.flags.filter(maySet)) expect(plain).toContain(variableOf(flag));
    }
  });

  test.skipIf(Bun.which("groff") === null)("is set without a warning", async () => {
    const child = Bun.spawn(["groff", "-man", "-Tutf8", "-ww", MANUAL], { stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toContain("CHATPEER");
  });
});
