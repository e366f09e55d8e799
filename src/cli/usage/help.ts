/** Help as text: one command, or all of them. Pure functions of the descriptions. */
import { type Command, flagsOf, presetOf, synopsis, WRONG_USAGE } from "./command.ts";
import type { Flag } from "./flag.ts";

/** Lines of help are at most this wide. */
const COLUMNS = 100;

export function commandHelp(command: Command, all: readonly Command[]): string[] {
  const { name, purpose, about, examples, exits } = command;
  const others = all.filter((c) => c.name !== "");
  return [
    `${name === "" ? "chatpeer" : `chatpeer ${name}`}: ${purpose}`,
    ...(about ?? []).flatMap((paragraph) => ["", ...wrapped(paragraph, COLUMNS)]),
    "",
    `Usage: ${synopsis(command)}`,
    ...(name === ""
      ? [
          "       chatpeer COMMAND --help",
          "",
          "Commands:",
          ...table(others.map((c) => [`${c.name} ${c.words}`.trim(), c.purpose])),
        ]
      : []),
    "",
    "Flags:",
    ...table(flagsOf(command).map(flagRow)),
    "",
    "Examples:",
    ...examples.flatMap(({ command: typed, what }) => [`  ${typed}`, `      ${what}`]),
    "",
    "Exit codes:",
    ...table(exitRows(exits)),
  ];
}

function flagRow(flag: Flag): [string, string] {
  return [`--${flag.name}${flag.value === null ? "" : ` ${flag.value}`}`, flagWords(flag)];
}

/** What a flag is good for, what it may be, and what it is by default. */
export function flagWords(flag: Flag): string {
  const { what, choices, value, repeats } = flag;
  // A placeholder that spells the choices out says them already.
  const listed = choices === undefined || value?.includes("|") ? "" : `: ${choices.join(", ")}`;
  const preset = presetOf(flag);
  return `${what}${listed}${repeats ? "; may be repeated" : ""}${preset === "" ? "" : ` (default: ${preset})`}`;
}

export function exitRows(exits: Command["exits"]): [string, string][] {
  const all: Record<number, string> = { ...exits, [WRONG_USAGE]: "wrong usage: stderr says what is wanted" };
  return Object.entries(all);
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) => {
    const [first = "", ...more] = wrapped(right, COLUMNS - width - 4);
    return [`  ${left.padEnd(width)}  ${first}`, ...more.map((line) => `${" ".repeat(width + 4)}${line}`)];
  });
}

/** Lines of at most `width` columns, broken at spaces. */
function wrapped(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) as string;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
