/** What is typed behind a command: values taken as they are, flags known and spelled exactly so, each once. */
import { describe, expect, test } from "bun:test";
import { readArguments } from "../../../src/cli/usage/arguments.ts";
import type { Flag } from "../../../src/cli/usage/flag.ts";
import { UsageError } from "../../../src/cli/usage/flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "id", value: "N", what: "", setting: "number" },
  { name: "name", value: "NAME", what: "", setting: "text" },
  { name: "seed", value: "S", what: "", repeats: true },
  { name: "json", value: null, what: "", setting: "switch" },
  { name: "force", value: null, what: "" },
];

const flags = (...args: string[]) => Object.fromEntries(readArguments(args, FLAGS).flags);
const words = (...args: string[]) => readArguments(args, FLAGS).words;

/** The message of the UsageError; whatever else is thrown is the test's to fail on. */
function usage(...args: string[]): string {
  try {
    readArguments(args, FLAGS);
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
  });
});
