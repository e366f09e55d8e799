/**
 * The values of a command's flags, and where each came from: the command line wins over the environment, that over the
 * configuration file, that over what is preset. Values are the text that a flag would have; whoever reads one checks it,
 * and names it in errors by `label`.
 */
import { nearest } from "../../nearest.ts";
import { expandHome } from "../process/home.ts";
import type { Setting } from "./flag.ts";
import { type Flag, maySet } from "./flag.ts";
import { oneOf, UsageError, wholeNumber } from "./flag-values.ts";
import { INVITE_VARIABLE } from "./secrets.ts";

const ENVIRONMENT = "CHATPEER_";
/** The flag that names the file of settings; it cannot stand in one. */
export const CONFIG = "config";

export function variableOf(flag: Pick<Flag, "name">): string {
  return ENVIRONMENT + flag.name.replaceAll("-", "_").toUpperCase();
}

export class Settings {
  readonly flags: readonly Flag[];
  readonly #given: ReadonlyMap<string, Setting>;

  /** For each name, the first of the sources that has it wins. */
  constructor(flags: readonly Flag[], ...sources: readonly ReadonlyMap<string, Setting>[]) {
    this.flags = flags;
    this.#given = new Map(sources.toReversed().flatMap((source) => [...source]));
  }

  /** The same settings, where these flags win over what is given here. */
  with(flags: ReadonlyMap<string, readonly string[]>): Settings {
    return new Settings(this.flags, fromFlags(flags), this.#given);
  }

  /** The same settings, for whoever knows these flags. */
  of(flags: readonly Flag[]): Settings {
    return new Settings(flags, this.#given);
  }

  /** undefined where nothing is given and nothing preset. Throws UsageError for a path below a home that is not there. */
  text(name: string): string | undefined {
    return this.texts(name)[0] ?? this.#flag(name).preset;
  }

  /** Throws UsageError, as `text`. */
  texts(name: string): readonly string[] {
    const values = this.#given.get(name)?.values ?? [];
    return isPath(this.#flag(name)) ? values.map(expandHome) : values;
  }

  /** A switch. */
  on(name: string): boolean {
    return this.text(name) === "true";
  }

  /** A whole number; undefined where nothing is given and nothing preset. Throws UsageError. */
  number(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : wholeNumber(this.label(name), text, min, max);
  }

  /** One of the flag's choices. Throws UsageError. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : oneOf(this.label(name), text, choices);
  }

  given(name: string): boolean {
    return this.#given.has(name);
  }

  label(name: string): string {
    return this.#given.get(name)?.label ?? `--${name}`;
  }

  from(name: string): string {
    return this.#given.get(name)?.from ?? "default";
  }

  #flag(name: string): Flag {
    const flag = this.flags.find((f) => f.name === name);
    if (flag === undefined) throw new Error(`assertion failed: this command has no flag --${name}`);
    return flag;
  }
}

/** True where a shell completes the value as a file or a directory. */
function isPath({ completes }: Flag): boolean {
  return completes !== undefined;
}

function fromFlags(flags: ReadonlyMap<string, readonly string[]>): Map<string, Setting> {
  return new Map([...flags].map(([name, values]) => [name, { values, label: `--${name}`, from: "flag" }]));
}

const ON = ["1", "true", "yes", "on"];
const OFF = ["0", "false", "no", "off"];

/**
 * What the environment says of flags that may stand there. An empty variable is none. Throws UsageError for a switch
 * that is neither on nor off, and for a variable that is nearly one of ours, of `everywhere`, the flags of all commands;
 * others may well begin like ours.
 */
function fromEnvironment(
  flags: readonly Flag[],
  env: Readonly<Record<string, string | undefined>>,
  everywhere: readonly Flag[],
): Map<string, Setting> {
  const found = new Map<string, Setting>();
  const known = new Map(flags.filter(maySet).map((flag) => [variableOf(flag), flag]));
  const all = new Set([INVITE_VARIABLE, ...everywhere.filter(maySet).map(variableOf)]);
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(ENVIRONMENT) || text === undefined || text === "") continue;
    // Kubernetes sets CHATPEER_PORT=tcp://… for a service called chatpeer: that is no setting of ours.
    if (/^(tcp|udp|sctp):\/\//.test(text)) continue;
    const flag = known.get(variable);
    if (flag !== undefined) {
      found.set(flag.name, { values: valuesOf(flag, variable, text), label: variable, from: variable });
      continue;
    }
    const close = all.has(variable) ? null : nearest(variable, [...all]);
    if (close !== null) throw new UsageError(`the environment has ${variable}, which is nothing: is ${close} meant?`);
  }
  return found;
}

function valuesOf(flag: Flag, variable: string, text: string): string[] {
  if (flag.repeats) return text.split(/[\s,]+/).filter((value) => value !== "");
  if (flag.setting !== "switch") return [text];
  const word = text.toLowerCase();
  if (ON.includes(word)) return ["true"];
  if (OFF.includes(word)) return ["false"];
  throw new UsageError(`${variable} must be 1 or 0, not ${JSON.stringify(text.slice(0, 80))}`);
}

/** The file that --config or its variable names; null for none. Throws UsageError. */
export function configFileOf(
  flags: readonly Flag[],
  given: ReadonlyMap<string, readonly string[]>,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const flag = flags.find(({ name }) => name === CONFIG);
  if (flag === undefined) return null;
  const file = given.get(CONFIG)?.[0] ?? (env[variableOf(flag)] || null);
  return file === null ? null : expandHome(file);
}

/** All sources together, with what the file says if there is one. Throws UsageError. */
export function gatherSettings(
  flags: readonly Flag[],
  given: ReadonlyMap<string, readonly string[]>,
  env: Readonly<Record<string, string | undefined>>,
  everywhere: readonly Flag[],
  filed: ReadonlyMap<string, Setting> | null,
): Settings {
  return new Settings(flags, fromFlags(given), fromEnvironment(flags, env, everywhere), filed ?? new Map());
}
