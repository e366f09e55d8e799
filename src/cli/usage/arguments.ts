/** Reads the words behind a command's name: every flag is known, spelled exactly so, and given once unless it may repeat. */
import { nearest } from "../../nearest.ts";
import { COMMON_FLAGS, SHORT } from "./command.ts";
import type { Flag } from "./flag.ts";
import { UsageError } from "./flags.ts";

export interface Arguments {
  readonly words: readonly string[];
  /** By name; values as they were typed, never made numbers of. A switch that is on has the value "true". */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

/** Throws UsageError. Behind a lone `--` everything is a word. */
export function readArguments(args: readonly string[], flags: readonly Flag[]): Arguments {
  const known = new Map([...flags, ...COMMON_FLAGS].map((flag) => [`--${flag.name}`, flag]));
  const words: string[] = [];
  const found = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      words.push(arg);
      continue;
    }
    const typed = SHORT[arg] ?? arg;
    const equals = typed.indexOf("=");
    const flag = known.get(equals < 0 ? typed : typed.slice(0, equals));
    if (flag === undefined) throw unknownFlag(equals < 0 ? typed : typed.slice(0, equals), [...known.keys()]);
    const attached = equals < 0 ? undefined : typed.slice(equals + 1);
    let value = attached;
    if (flag.value === null) value = switchValue(flag, attached);
    else if (value === undefined) {
      i += 1;
      value = args[i];
      if (value === undefined || (value.startsWith("--") && value.length > 2))
        throw new UsageError(`--${flag.name} needs a value`);
    }
    add(found, flag, value as string);
  }
  return { words, flags: found };
}

function add(found: Map<string, string[]>, flag: Flag, value: string): void {
  const values = found.get(flag.name);
  if (values === undefined) found.set(flag.name, [value]);
  else if (flag.repeats) values.push(value);
  else {
    const both = flag.value === null ? "" : ` (${quote(values[0] as string)} and ${quote(value)})`;
    throw new UsageError(`--${flag.name} is given twice${both}: give it once`);
  }
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
