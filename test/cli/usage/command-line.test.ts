/** What is typed behind a command: values taken as they are, flags known and spelled exactly so, each once. */
import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../../src/cli/usage/catalog.ts";
import type { Command } from "../../../src/cli/usage/command.ts";
import { CommandLine } from "../../../src/cli/usage/command-line.ts";
import type { Flag } from "../../../src/cli/usage/flag.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";

const FLAGS: readonly Flag[] = [
  { name: "id", value: "N", what: "", setting: "number" },
  { name: "name", value: "NAME", what: "", setting: "text" },
  { name: "seed", value: "S", what: "", repeats: true },
  { name: "json", value: null, what: "", setting: "switch" },
  { name: "force", value: null, what: "" },
];

const BARE = { words: "", purpose: "", examples: [], exits: {}, run: () => 0 };
const CHAT: Command = { ...BARE, name: "", flags: [] };
const TRY: Command = { ...BARE, name: "try", words: "WORD...", flags: FLAGS };

const read = (...args: string[]) => new CommandLine([CHAT, TRY]).read(args);
const flags = (...args: string[]) => Object.fromEntries(read("try", ...args).flags);
const words = (...args: string[]) => read("try", ...args).words;

/** The message of the UsageError; whatever else is thrown is the test's to fail on. */
function usage(...args: string[]): string {
  try {
    read("try", ...args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`taken: ${args.join(" ")}`);
}

describe("values", () => {
  test("are what was typed, never numbers", () => {
    const typed = ["007", "1e3", "0x10", "-1", "1_000", "Infinity", "true", "null", "", " a b ", "a=b=c", "-", "é"];
    for (const value of typed) {
      expect(flags("--name", value)).toEqual({ name: [value] });
      expect(flags(`--name=${value}`)).toEqual({ name: [value] });
    }
  });

  test("of a flag that may repeat, all in order", () => {
    expect(flags("--seed", "a", "--id", "1", "--seed=b", "--seed", "c")).toEqual({ seed: ["a", "b", "c"], id: ["1"] });
  });

  test("that look like a flag stand behind =", () => {
    expect(flags("--name=--name")).toEqual({ name: ["--name"] });
    for (const args of [["--name", "--name", "x"], ["--name"], ["--name", "--id", "1"], ["--name", "--id=1"]])
      expect(usage(...args)).toBe("--name needs a value");
  });

  test("a flag given twice is refused, with both values", () => {
    expect(usage("--id", "5", "--id=6")).toBe("--id is given twice (5 and 6): give it once");
    expect(usage("--json", "--json")).toBe("--json is given twice: give it once");
  });
});

describe("switches", () => {
  test("are on where they stand; those that a file may switch on are switched off by =false", () => {
    expect(flags("--json", "--force")).toEqual({ json: ["true"], force: ["true"] });
    expect(flags("--json=false")).toEqual({ json: ["false"] });
    expect(usage("--json=1")).toBe("--json takes no value but =false");
    expect(usage("--force=false")).toBe("--force takes no value");
  });
});

describe("words", () => {
  test("are what is no flag and no value of one; everything behind a lone --", () => {
    expect(words("a", "--id", "1", "b", "--force", "-", "--", "--id", "-x")).toEqual(["a", "b", "-", "--id", "-x"]);
  });
});

describe("unknown flags", () => {
  test("are refused, with the nearest known one; so is one spelled otherwise", () => {
    expect(usage("--nmae", "x")).toBe("there is no flag --nmae, did you mean --name?");
    expect(usage("--completely-else=1")).toBe("there is no flag --completely-else");
    for (const flag of ["-name", "-id", "--no-json", "--Name", "--name.first", "---json"])
      expect(usage(flag, "x")).toStartWith(`there is no flag ${flag}`);
  });

  test("short forms are those of help and version only", () => {
    expect(flags("-h")).toEqual({ help: ["true"] });
    expect(usage("-v")).toStartWith("there is no flag --version");
    expect(usage("-h", "--help")).toBe("--help is given twice: give it once");
  });
});

describe("commands", () => {
  test("are named by the first word and by no other; without a name it is the first command", () => {
    const said = (...args: string[]) => {
      const { command, words } = read(...args);
      return [command, ...words];
    };
    expect(said()).toEqual([CHAT]);
    expect(said("")).toEqual([CHAT]);
    expect(said("try")).toEqual([TRY]);
    expect(said("try", "try")).toEqual([TRY, "try"]);
    expect(said("--", "try")).toEqual([CHAT, "try"]);
    expect(said("-", "try")).toEqual([CHAT, "-", "try"]);
    expect(() => read("trie")).toThrow('there is no command "trie", did you mean try?');
  });

  test("explain themselves, or say the version, in each reading anew", () => {
    const line = new CommandLine([CHAT, TRY]);
    const wants = (...args: string[]) => line.read(args).wants;
    expect(wants("try", "--help")).toBe("help");
    expect(wants("try")).toBe(null);
    expect(wants("-v")).toBe("version");
    expect(wants("--version", "--help")).toBe("help");
    expect(wants("try", "--name=--help", "--", "--help")).toBe(null);
  });

  test("that fail are known all the same, for a caller that explains them", () => {
    const line = new CommandLine([CHAT, TRY]);
    expect(() => line.read(["try", "--name"])).toThrow(UsageError);
    expect(line.asked).toBe(TRY);
  });
});

test("every flag of the program comes through cac as it was typed", () => {
  for (const { name, flags: own } of COMMANDS) {
    for (const flag of own) {
      const typed = flag.value !== null ? "=1e3" : flag.setting === undefined ? "" : "=false";
      const value = flag.value !== null ? "1e3" : flag.setting === undefined ? "true" : "false";
      const given = new CommandLine(COMMANDS).read([...(name === "" ? [] : [name]), `--${flag.name}${typed}`]);
      expect([...given.flags]).toEqual([[flag.name, [value]]]);
    }
  }
});

describe("secrets", () => {
  const invitation = `chatpeer1-${"Ab3_-".repeat(30)}`;
  const wrapped = `chatpeer1-${"Ab3_-".repeat(5)}\n${"Ab3_-".repeat(5)}\u200b${"x".repeat(9)}`;

  test("an invitation is refused wherever it stands, and is not shown", () => {
    for (const args of [
      [invitation],
      ["--name", invitation],
      [`--name=${invitation}`],
      ["--", invitation],
      [wrapped],
    ]) {
      expect(usage(...args)).toContain("an invitation is a secret, and no argument: every user");
      expect(usage(...args)).not.toContain("Ab3");
    }
    expect(() => new CommandLine([CHAT, TRY]).read([invitation])).toThrow("--invite-file FILE (- is standard input)");
  });

  test("there is no flag that takes a secret, and it is said why", () => {
    expect(usage("--invite", "x")).toContain("or in CHATPEER_INVITE");
    expect(usage("--invitation=x")).toContain("or in CHATPEER_INVITE");
    expect(usage("--token=abc")).toContain("with --token-file FILE");
  });

  test("what only begins like one is taken", () => {
    expect(words("chatpeer1-backup", "--", "--token")).toEqual(["chatpeer1-backup", "--token"]);
  });
});
