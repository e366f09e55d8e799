/** A flag of a command, and a value that was given for it, wherever it was given. */
export interface Flag {
  /** As typed, without the dashes. */
  readonly name: string;
  /** What stands for its value, like `N`; null for a switch, which has none. */
  readonly value: string | null;
  /** What it is good for, in one line. */
  readonly what: string;
  /** The value where none is given. */
  readonly preset?: string;
  /** The default in words, where it depends on something. */
  readonly otherwise?: string;
  readonly choices?: readonly string[];
  /** What a shell offers for its value. */
  readonly completes?: "file" | "directory";
  readonly repeats?: true;
  /** How its value is written in a configuration file; absent where it may stand neither there nor in the environment. */
  readonly setting?: "number" | "text" | "time" | "seeds" | "switch";
  /** Other names in a configuration file; `_` may stand for `-` anyway. */
  readonly alsoKeys?: readonly string[];
}

/** May it stand in a configuration file and in the environment? */
export function maySet({ setting }: Flag): boolean {
  return setting !== undefined;
}

/** What was given for a flag. */
export interface Setting {
  readonly values: readonly string[];
  /** For errors: `--port`, `CHATPEER_PORT`, `node1.yml:3: port`. */
  readonly label: string;
  /** For people: `flag`, `CHATPEER_PORT`, `node1.yml:3`, `default`. */
  readonly from: string;
}
