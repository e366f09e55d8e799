/** `chatpeer man`: the manual page, in roff with the man macros. docs/chatpeer.1 is what it prints. */
import packageJson from "../../../package.json" with { type: "json" };
import { COMMANDS_EXPLAINED, KEYS_HELP } from "../chat/slash-commands.ts";
import { type Command, flagsOf, fullName, synopsis } from "./command.ts";
import { type Flag, maySet } from "./flag.ts";
import { UsageError } from "./flag-values.ts";
import { exitRows, flagWords } from "./help.ts";
import { variableOf } from "./settings.ts";

/** `all` is called when the command runs: the list holds this command, too. */
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
    ".SH IN THE CHAT",
    text(
      "Lines are messages. Those that begin with a slash are commands: on the screen, through a pipe and with --json alike.",
    ),
    ...COMMANDS_EXPLAINED.flatMap(([typed, explained]) => item(`\\fB${roff(typed)}\\fR`, `${capital(explained)}.`)),
    ".PP",
    text(`The keys are those of readline in its Emacs mode. ${KEYS_HELP.map((keys) => `${keys}.`).join(" ")}`),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(([name, what]) => item(`\\fB${roff(name)}\\fR`, what)),
    ".SH FILES",
    ...item(
      `\\fI${roff("$XDG_STATE_HOME/chatpeer/peer-<id>")}\\fR`,
      "The directory of a peer, where --data-dir names no other: its log, and what it has promised and not sent yet. It belongs to one peer alone, and a copy of it that is put back has forgotten promises.",
    ),
    ".SH SEE ALSO",
    text("The README.md and docs/ that come with the program."),
  ];
  return `${lines.filter((line) => line !== "").join("\n")}\n`;
}

function section(command: Command): string[] {
  return [
    `.SH ${roff(fullName(command).toUpperCase())}`,
    text(`${capital(command.purpose)}.`),
    ...(command.about ?? []).flatMap((paragraph) => [".PP", text(paragraph)]),
    ...flagsOf(command).flatMap((flag) => item(flagTitle(flag), flagWords(flag))),
    ".PP",
    "Examples:",
    ...command.examples.flatMap(({ command: typed, what }) => item(`\\fB${roff(typed)}\\fR`, what)),
    ".PP",
    "Exit codes:",
    ...exitRows(command.exits).flatMap(([code, what]) => item(code, what)),
  ];
}

const ENVIRONMENT = [
  ["CHATPEER_...", "Settings, as above."],
  ["CHATPEER_INVITE", "The invitation itself, for join and connect. It is a secret, so no flag takes it."],
  ["NO_COLOR", "If it is set and not empty, nothing is coloured, dim or bold."],
  ["TERM", "If it is dumb, lines are printed one after the other, without a screen."],
  ["XDG_STATE_HOME", "Where peers keep their directories (default: ~/.local/state)."],
] as const;

function capital(line: string): string {
  return `${line[0]?.toUpperCase()}${line.slice(1)}`;
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
  return line
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("≥", "\\(>=")
    .replaceAll("…", "...")
    .replaceAll("’", "'");
}
