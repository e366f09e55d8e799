/**
 * Prints what follows from the descriptions of commands, flags and settings into docs/reference.md, between the markers
 * `<!-- NAME -->` and `<!-- /NAME -->`. A test says when to run this again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { COMMANDS_EXPLAINED } from "../src/cli/chat/slash-commands.ts";
import { COMMANDS } from "../src/cli/usage/catalog.ts";
import { type Command, flagsOf, fullName, synopsis } from "../src/cli/usage/command.ts";
import { type Flag, maySet } from "../src/cli/usage/flag.ts";
import { exitRows, flagWords } from "../src/cli/usage/help.ts";
import { variableOf } from "../src/cli/usage/settings.ts";
import { ERROR_CODES, NOTICE_CODES } from "../src/core/codes.ts";

export const REFERENCE_FILE = new URL("../docs/reference.md", import.meta.url).pathname;

const PARTS: Readonly<Record<string, () => string[]>> = {
  commands: () => COMMANDS.flatMap(section),
  settings: () => [
    ...table("key", "variable", "other keys", "kind"),
    ...settings().map((flag) =>
      row(code(flag.name), code(variableOf(flag)), (flag.alsoKeys ?? []).map(code).join(", "), flag.setting ?? ""),
    ),
  ],
  chat: () => [
    ...table("command", "what it does"),
    ...COMMANDS_EXPLAINED.map(([typed, explained]) => row(code(typed), explained)),
  ],
  codes: () => [
    ...table("code of a notice", "when"),
    ...Object.entries(NOTICE_CODES).map(([name, when]) => row(code(name), when)),
    "",
    ...table("code of an error", "when"),
    ...Object.entries(ERROR_CODES).map(([name, when]) => row(code(name), when)),
  ],
};

/** The page with its generated parts made anew. Throws an Error where a marker is missing. */
export function withParts(page: string): string {
  let made = page;
  for (const [name, lines] of Object.entries(PARTS)) {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [from, to] = [made.indexOf(begin) + begin.length, made.indexOf(end)];
    if (!made.includes(begin) || to < from) throw new Error(`docs/reference.md lacks the markers of ${name}`);
    made = `${made.slice(0, from)}\n${lines().join("\n").trim()}\n\n${made.slice(to)}`;
  }
  return made;
}

function section(command: Command): string[] {
  return [
    ...[`### ${fullName(command)}`, "", code(synopsis(command)), ""],
    `${command.purpose[0]?.toUpperCase()}${command.purpose.slice(1)}.`,
    ...(command.about ?? []).flatMap((paragraph) => ["", paragraph]),
    ...["", ...table("flag", "meaning"), ...flagsOf(command).map((flag) => row(title(flag), flagWords(flag)))],
    ...["", ...table("exit code", "means"), ...exitRows(command.exits).map(([exit, what]) => row(exit, what)), ""],
  ];
}

/** Every flag that may stand in a file, once. */
function settings(): Flag[] {
  const all = COMMANDS.flatMap((command) => command.flags).filter(maySet);
  return [...new Map(all.map((flag) => [flag.name, flag])).values()];
}

function title({ name, value }: Flag): string {
  return code(`--${name}${value === null ? "" : ` ${value}`}`);
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(...heads: string[]): string[] {
  return [row(...heads), `|${"---|".repeat(heads.length)}`];
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replace(/<(?=[a-z])/g, "&lt;")).join(" | ")} |`;
}

if (import.meta.main) writeFileSync(REFERENCE_FILE, withParts(readFileSync(REFERENCE_FILE, "utf8")));
