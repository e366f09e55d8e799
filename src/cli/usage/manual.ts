/** `chatpeer man`: the manual page, in roff with the man macros. docs/chatpeer.1 is what it prints. */
import packageJson from "../../../package.json" with { type: "json" };
import { UsageError } from "../flags.ts";
import { COMMON_FLAGS, type Command, type Flag, fullName, maySet, synopsis, VERSION_FLAG } from "./command.ts";
import { exitRows, flagWords } from "./help.ts";
import { variableOf } from "./settings.ts";

/** Of all the commands, when it runs. */
export function manCommand(all: () => readonly Command[]): Command {
  return {
    name: "man",
    words: "",
    purpose: "print the manual page",
    flags: [],
    examples: [
      { command: "chatpeer man | man -l -", what: "Read it" },
      { command: "chatpeer man > /usr/local/share/man/man1/chatpeer.1", what: "Install it" },
    ],
    exits: { 0: "printed" },
    run({ words, out }) {
      if (words.length > 0) throw new UsageError("man takes no words: chatpeer man");
      out.write(manualPage(all()));
      return 0;
    },
  };
}

export function manualPage(all: readonly Command[]): string {
  const settings = all.flatMap((command) => command.flags).filter(maySet);
  const unique = [...new Map(settings.map((flag) => [flag.name, flag])).values()];
  const lines = [
    `.TH CHATPEER 1 "" "chatpeer ${packageJson.version}" "User Commands"`,
    ".SH NAME",
    "chatpeer \\- group chat without a server",
    ".SH SYNOPSIS",
    ...all.flatMap((command) => [
      `.B ${roff(fullName(command))}`,
      roff(synopsis(command).slice(fullName(command).length + 1)),
      ".br",
    ]),
    ".SH DESCRIPTION",
    text(packageJson.description),
    ...all.flatMap(section),
    ".SH SETTINGS",
    text(
      "These flags may also stand in the file that --config names, YAML or JSON, under their own name (_ may stand for -) or the others given here, and in the environment. Flags win over the environment, and that over the file. In the environment several seeds are separated by commas, and a switch is 1 or 0.",
    ),
    ...unique.flatMap((flag) => item(`\\fB${roff(flag.name)}\\fR, ${roff(variableOf(flag))}`, keys(flag))),
    ".SH SEE ALSO",
    text("The README.md and docs/ that come with the program."),
  ];
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

function section(command: Command): string[] {
  const flags = [...command.flags, ...COMMON_FLAGS, ...(command.name === "" ? [VERSION_FLAG] : [])];
  return [
    `.SH ${roff(fullName(command).toUpperCase())}`,
    text(`${command.purpose[0]?.toUpperCase()}${command.purpose.slice(1)}.`),
    ...(command.about ?? []).flatMap((paragraph) => [".PP", text(paragraph)]),
    ...flags.flatMap((flag) => item(flagTitle(flag), flagWords(flag))),
    ".PP",
    "Examples:",
    ...command.examples.flatMap(({ command: typed, what }) => item(`\\fB${roff(typed)}\\fR`, what)),
    ".PP",
    "Exit codes:",
    ...exitRows(command.exits).flatMap(([code, what]) => item(code, what)),
  ];
}

function flagTitle({ name, value }: Flag): string {
  return `\\fB${roff(`--${name}`)}\\fR${value === null ? "" : ` \\fI${roff(value)}\\fR`}`;
}

function keys({ alsoKeys }: Flag): string {
  return alsoKeys === undefined ? "" : `In a file also ${alsoKeys.join(", ")}.`;
}

function item(title: string, what: string): string[] {
  return [".TP", title, what === "" ? "\\&" : text(what)];
}

/** A line of running text: never taken for a request. */
function text(line: string): string {
  const safe = roff(line);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

/** Hyphens stay hyphens that can be copied, backslashes stay. */
function roff(line: string): string {
  return line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("≥", "\\(>=").replaceAll("’", "'");
}
