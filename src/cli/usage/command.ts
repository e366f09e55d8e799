/**
 * What a command of the program is: the one description from which its help, the reading of its arguments, its keys in a
 * configuration file, its environment variables, the completions and the manual are made. Each command's own file holds
 * its description; the list of all is in catalog.ts.
 */
import { nearest } from "../../nearest.ts";
import type { Output } from "../process/output.ts";
import type { Paint } from "../screen/paint.ts";
import type { Flag } from "./flag.ts";
import { UsageError } from "./flag-values.ts";
import type { Settings } from "./settings.ts";

export interface Example {
  readonly command: string;
  readonly what: string;
}

export interface Call {
  readonly settings: Settings;
  /** The words that are neither flags nor values of flags. */
  readonly words: readonly string[];
  readonly out: Output;
  readonly err: Output;
  /** Colours for what goes to `out`. */
  readonly paint: Paint;
}

export interface Command {
  /** "" is the chat, which needs no name. */
  readonly name: string;
  /** What follows the name, like `DIR...`, or "". */
  readonly words: string;
  /** What a shell offers for these. */
  readonly completes?: "file" | "directory" | readonly string[];
  /** In one line, as it follows the name. */
  readonly purpose: string;
  /** What else there is to know, a paragraph each. */
  readonly about?: readonly string[];
  readonly flags: readonly Flag[];
  readonly examples: readonly Example[];
  /** Beside 2, wrong usage. */
  readonly exits: Readonly<Record<number, string>>;
  /** The exit code. Throws UsageError. */
  run(call: Call): number | Promise<number>;
}

const HELP_FLAG: Flag = { name: "help", value: null, what: "Explain this command" };
const VERSION_FLAG: Flag = { name: "version", value: null, what: "Print the version" };

export const WRONG_USAGE = 2;

/** Its own flags and those that the program adds. */
export function flagsOf({ name, flags }: Pick<Command, "name" | "flags">): readonly Flag[] {
  return [...flags, HELP_FLAG, ...(name === "" ? [VERSION_FLAG] : [])];
}

/** Throws UsageError. */
export function findCommand(name: string, all: readonly Command[]): Command {
  const command = all.find((c) => c.name === name);
  if (command !== undefined) return command;
  const close = nearest(
    name,
    all.map((c) => c.name),
  );
  throw new UsageError(
    `there is no command ${JSON.stringify(name)}${close === null || close === "" ? "" : `, did you mean ${close}?`}`,
  );
}

/** `chatpeer log` */
export function fullName({ name }: Pick<Command, "name">): string {
  return name === "" ? "chatpeer" : `chatpeer ${name}`;
}

/** `chatpeer log DIR [flags]` */
export function synopsis(command: Command): string {
  return [fullName(command), command.words, "[flags]"].filter((part) => part !== "").join(" ");
}

/** What is used where a flag is not given, or "". */
export function presetOf({ preset, otherwise }: Flag): string {
  return otherwise ?? preset ?? "";
}
