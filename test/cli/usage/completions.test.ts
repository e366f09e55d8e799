/** Completion scripts, asked by the shells themselves; a shell that is not installed is skipped. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../../src/cli/usage/catalog.ts";
import { completionScript } from "../../../src/cli/usage/completions.ts";
import { PROFILES } from "../../../src/sim/profile.ts";

const COMMAND_NAMES = COMMANDS.map((c) => c.name).filter((name) => name !== "");

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-completions-"));
  mkdirSync(join(root, "my data"));
  writeFileSync(join(root, "node.yml"), "");
  for (const shell of ["bash", "zsh", "fish"] as const)
    writeFileSync(join(root, shell), completionScript(shell, COMMANDS));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function run(...command: string[]): Promise<string[]> {
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe", env: { ...process.env, HOME: root } });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect({ command, err, code }).toEqual({ command, err: "", code: 0 });
  return out.split("\n").slice(0, -1);
}

describe.skipIf(Bun.which("bash") === null)("bash", () => {
  /** What is offered for the last of the words, as bash splits them. */
  const offered = (...words: string[]) =>
    run(
      ...[
        "bash",
        "--norc",
        "-c",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash that fills it in
        'source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chatpeer; printf "%s\\n" "${COMPREPLY[@]}"',
      ],
      ...["bash", "chatpeer", ...words],
    );

  test("commands come first, flags where a dash is typed", async () => {
    expect(await offered("")).toEqual(COMMAND_NAMES);
    expect(await offered("ver")).toEqual(["verify"]);
    expect(await offered("--lead")).toEqual(["--leader-timeout"]);
    expect(await offered("verify", "--")).toEqual(["--help"]);
    expect(await offered("--id", "1", "--data")).toEqual(["--data-dir"]);
  });

  test("values are offered where there is a choice, behind a space or =", async () => {
    expect(await offered("--durability", "")).toEqual(["fsync", "os"]);
    expect(await offered("--log-level", "=", "w")).toEqual(["warn"]);
    expect(await offered("--log-level", "=")).toEqual(["off", "error", "warn", "info", "debug"]);
    expect(await offered("sim", "--profile", "")).toEqual([...PROFILES]);
    expect(await offered("completions", "z")).toEqual(["zsh"]);
    expect(await offered("help", "s")).toEqual(COMMAND_NAMES.filter((name) => name.startsWith("s")));
    expect(await offered("help", "ver")).toEqual(["verify"]);
    expect(await offered("--name", "")).toEqual([""]);
  });

  test("files and directories, with spaces in their names", async () => {
    expect(await offered("--data-dir", "")).toEqual(["my data"]);
    expect(await offered("log", "m")).toEqual(["my data"]);
    expect(await offered("--config", "n")).toEqual(["node.yml"]);
  });
});

describe.skipIf(Bun.which("fish") === null)("fish", () => {
  const offered = async (line: string) =>
    (await run("fish", "--no-config", "-c", `source fish; complete -C '${line}'`)).map(
      (l) => l.split("\t")[0] as string,
    );

  test("commands, flags, values and directories", async () => {
    expect((await offered("chatpeer ")).sort()).toEqual([...COMMAND_NAMES].sort());
    expect(await offered("chatpeer --lead")).toEqual(["--leader-timeout"]);
    expect(await offered("chatpeer verify --")).toEqual(["--help"]);
    expect((await offered("chatpeer --durability ")).sort()).toEqual(["fsync", "os"]);
    expect(await offered("chatpeer completions z")).toEqual(["zsh"]);
    expect(await offered("chatpeer help ver")).toEqual(["verify"]);
    expect(await offered("chatpeer log ")).toEqual(["my data/"]);
    expect(await offered("chatpeer --config n")).toEqual(["node.yml"]);
  });
});

describe.skipIf(Bun.which("zsh") === null)("zsh", () => {
  test("reads the script without complaint", async () => {
    expect(await run("zsh", "-f", "-n", "zsh")).toEqual([]);
  });

  test("flags are offered behind words, too: _arguments is told that there may be some", async () => {
    const told = (...words: string[]) =>
      run(
        ...["zsh", "-f", "-c"],
        'compdef() {}; source ./zsh; _arguments() { print -rl -- "$@" }; words=("$@"); CURRENT=$#; _chatpeer',
        ...["zsh", "chatpeer", ...words],
      );
    expect((await told("send", "127.0.0.1:6001", "--")).at(-1)).toBe("*:HOST\\:PORT \\[TEXT|-\\]: ");
    expect((await told("help", "")).at(-1)).toBe(
      `*:\\[COMMAND\\]:(${COMMAND_NAMES.filter((name) => name !== "help").join(" ")})`,
    );
    expect((await told("man", "--")).at(-1)).toBe("--help[Explain this command]");
  });

  test("_arguments takes every specification", async () => {
    // Outside of a completion zsh says so, after it has looked at the specifications.
    const script = "autoload -U compinit; compinit -D -u; source ./zsh; whence -w _chatpeer";
    expect(await run("zsh", "-f", "-c", script)).toEqual(["_chatpeer: function"]);
  });
});
