/**
 * The command line, read by cac. Every command is registered with it from its description; cac finds out which command
 * is called, with which words and flags, and whether help or the version is wanted.
 *
 * What was typed is guarded before cac sees it, because cac and its parser mri take more than this program may take:
 * they make numbers of values (`--name 007` becomes 7, `--room 1e3` becomes 1000, whatever type is declared), read
 * `-name` as four letters, and accept `--no-json`, `--dataDir`, `---json` and `--name.first`. A word that looks like a
 * command's name would be one, even behind flags. So a flag reaches cac only if it is spelled as in its description,
 * and with its value attached (`--name=`). Values and words carry a mark, which is taken off behind the parser. So do
 * the names of flags that begin with `no-`, which cac takes for the opposite of another flag.
 */
import { CAC } from "cac";
import { nearest } from "../../nearest.ts";
import { VERSION } from "../process/runtime.ts";
import { type Command, findCommand, flagsOf, synopsis } from "./command.ts";
import type { Flag } from "./flag.ts";
import { UsageError } from "./flag-values.ts";
import { refuseSecrets } from "./secrets.ts";

/** No argument of a process can contain it. A text that begins with it is no number, no flag and no command's name. */
const MARK = "\0";

export interface Typed {
  readonly command: Command;
  readonly words: readonly string[];
  /** By name; values as they were typed, never made numbers of. A switch that is on has the value "true". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  /** What is to be printed instead of running the command. */
  readonly wants: "help" | "version" | null;
}

export class CommandLine extends CAC {
  readonly #all: readonly [Command, ...Command[]];
  /** What cac calls the flags, like `dataDir`: by command, then by flag. */
  readonly #keys = new Map<Command, ReadonlyMap<Flag, string>>();
  #asked: Command;
  #wants: Typed["wants"] = null;

  /** The first command is meant where none is named. */
  constructor(all: readonly [Command, ...Command[]]) {
    super("chatpeer");
    this.#all = all;
    this.#asked = all[0];
    for (const command of all) this.#register(command);
    this.help();
    this.version(VERSION);
  }

  /** The command that was read last, also where reading its flags failed: errors say how to get its help. */
  get asked(): Command {
    return this.#asked;
  }

  /** `args` is what follows the program's name. Throws UsageError. */
  read(args: readonly string[]): Typed {
    const [first] = args;
    const named = first !== undefined && !first.startsWith("-");
    refuseSecrets(args);
    this.#asked = named ? findCommand(first, this.#all) : this.#all[0];
    this.#wants = null;
    this.unsetMatchedCommand();
    const name = this.#asked.name === "" ? [] : [this.#asked.name];
    const guarded = this.#guarded(named ? args.slice(1) : args, flagsOf(this.#asked));
    const { args: words, options } = this.parse(["", "", ...name, ...guarded], { run: false });
    const flags = new Map<string, readonly string[]>();
    for (const flag of flagsOf(this.#asked)) {
      const value: unknown = options[this.#keys.get(this.#asked)?.get(flag) ?? flag.name];
      if (value !== undefined) flags.set(flag.name, onlyOnce(flag, [value].flat().map(String)));
    }
    return { command: this.#asked, words: [...words.map(unmarked), ...options["--"]], flags, wants: this.#wants };
  }

  /** Called by cac, whose own would print its own text. */
  override outputHelp(): void {
    this.#wants = "help";
  }

  override outputVersion(): void {
    this.#wants ??= "version";
  }

  #register(command: Command): void {
    const { name, words, purpose, flags, examples } = command;
    const registered = this.command(words === "" ? name : `${name} [...words]`, purpose).usage(synopsis(command));
    for (const { name: flag, value, what } of flags)
      registered.option(`--${nameForCac(flag)}${value === null ? "" : ` <${value}>`}`, what, { type: [unmarked] });
    for (const { command: typed } of examples) registered.example(typed);
    this.#keys.set(command, new Map(registered.options.map((option, i) => [flags[i] as Flag, option.name])));
  }

  /** Every flag known, every value attached and marked, every word marked. Behind a lone `--` cac takes all for words. */
  #guarded(args: readonly string[], flags: readonly Flag[]): string[] {
    const known = new Map(flags.map((flag) => [`--${flag.name}`, flag]));
    const letters = new Map(this.globalCommand.options.map(({ names, name }) => [`-${names[0]}`, `--${name}`]));
    const tokens: string[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as string;
      if (arg === "--") return [...tokens, ...args.slice(i)];
      if (!arg.startsWith("-") || arg === "-") {
        tokens.push(MARK + arg);
        continue;
      }
      const typed = letters.get(arg) ?? arg;
      const equals = typed.indexOf("=");
      const spelled = equals < 0 ? typed : typed.slice(0, equals);
      const attached = equals < 0 ? undefined : typed.slice(equals + 1);
      const flag = known.get(spelled);
      if (flag === undefined) throw unknownFlag(spelled, [...known.keys()]);
      const isSwitch = flag.value === null;
      const value = isSwitch ? switchValue(flag, attached) : MARK + (attached ?? valueBehind(flag, args[++i]));
      tokens.push(`--${nameForCac(flag.name)}=${value}`);
    }
    return tokens;
  }
}

function nameForCac(flag: string): string {
  return flag.startsWith("no-") ? MARK + flag : flag;
}

/** cac calls it for a value several times. */
function unmarked(value: unknown): string {
  const text = String(value);
  return text.startsWith(MARK) ? text.slice(MARK.length) : text;
}

function valueBehind(flag: Flag, next: string | undefined): string {
  if (next === undefined || (next.startsWith("--") && next.length > 2))
    throw new UsageError(`--${flag.name} needs a value`);
  return next;
}

function onlyOnce(flag: Flag, values: readonly string[]): readonly string[] {
  const [first = "", second] = values;
  if (second === undefined || flag.repeats) return values;
  const both = flag.value === null ? "" : ` (${quote(first)} and ${quote(second)})`;
  throw new UsageError(`--${flag.name} is given twice${both}: give it once`);
}

/** `--json`; one that a configuration file has switched on is switched off by `--json=false`. */
function switchValue({ name, setting }: Flag, attached: string | undefined): string {
  if (attached === undefined) return "true";
  if (setting === undefined || (attached !== "true" && attached !== "false"))
    throw new UsageError(`--${name} takes no value${setting === undefined ? "" : " but =false"}`);
  return attached;
}

function unknownFlag(typed: string, known: readonly string[]): UsageError {
  const close = nearest(typed, known);
  return new UsageError(`there is no flag ${quote(typed)}${close === null ? "" : `, did you mean ${close}?`}`);
}

/** As typed, but on one line. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80)).slice(1, -1);
}
