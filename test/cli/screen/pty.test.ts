/** The line editor and the chat on a pseudo-terminal: keys as bytes of a keyboard, and a terminal that is given back as it was. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pty } from "../pty.ts";

const DRIVER = [process.execPath, join(import.meta.dir, "terminal-driver.ts")];
const CHAT = [process.execPath, join(import.meta.dir, "../../../src/cli/main.ts"), "--id", "1", "--port", "0"];

const open: Pty[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const pty of open.splice(0)) await pty.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(command: readonly string[], prompt: string, env: Record<string, string> = {}): Promise<Pty> {
  const pty = new Pty(command, env);
  open.push(pty);
  await pty.until("the prompt", () => pty.screen.screen.some((row) => row.startsWith(prompt)));
  return pty;
}

function chat(folder: string, ...flags: string[]): string[] {
  return [...CHAT, "--name", "alice", "--data-dir", folder, ...flags];
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-pty-"));
  folders.push(folder);
  return folder;
}

const said = (pty: Pty, text: string) => pty.screen.history.includes(`said ${JSON.stringify(text)}`);

describe("keys", () => {
  /** What is typed, and what is sent. */
  const LINES: readonly [string, string, string][] = [
    ["characters of any script", "héllo 你好 👋🏽\r", "héllo 你好 👋🏽"],
    ["arrows, Home and End", "bc\x1b[D\x1b[Da\x1b[Fd\x1b[H0\r", "0abcd"],
    ["word moves with Alt and Ctrl", "two three\x1bb\x1bbone \x1b[1;5C\x1bf!\r", "one two three!"],
    ["kill and yank", "one two\x17\x01\x19\x05\r", "twoone "],
    ["kill to both ends, and yank older", "abc\x0b\x15def\x15\x19\x1by\r", "abc"],
    ["transpose, delete, undo", "abdc\x14xx\x7f\x08e\x1f\r", "abcd"],
    ["history, edited and as it was", "first\r\x1b[A!\r", "first!"],
    ["search in the history", "needle 1\rother\r\x12need\r", "needle 1"],
    ["several lines by Alt-Enter", "one\x1b\rtwo\r", "one\ntwo"],
    ["a paste of several lines is one draft", "\x1b[200~one\rtwo\rthree\x1b[201~!\r", "one\ntwo\nthree!"],
    ["a paste is not obeyed", "\x1b[200~a\x03b\x04c\x1a\x1b[201~\r", "a\x03b\x04c\x1a"],
    ["U+2028 is no end of a line [L6]", "one\u2028two\r", "one\u2028two"],
  ];

  test("do what they do in readline", async () => {
    const pty = await start(DRIVER, "> ");
    for (const [what, keys, sent] of LINES) {
      pty.type(keys);
      await pty.until(what, () => said(pty, sent));
      pty.type("\x0c");
    }
  });

  test("what is not taken stays in the line; Ctrl-C clears it and asks", async () => {
    const pty = await start(DRIVER, "> ");
    pty.type("refused\r");
    await pty.until("it is there again", () => pty.screen.prompt === "> refused▏");
    pty.type("\x03");
    await pty.until("it asks", () => pty.screen.screen.includes("Ctrl-C again quits"));
    expect(pty.screen.prompt).toBe("> ▏");
    pty.type("x");
    await pty.until("it is forgotten", () => pty.screen.screen.includes("driver") && pty.screen.prompt === "> x▏");
  });

  test("Ctrl-L clears the screen, and what was there is above it", async () => {
    const pty = await start(DRIVER, "> ");
    pty.type("one\rtwo");
    await pty.until("it is said", () => said(pty, "one") && pty.screen.prompt === "> two▏");
    pty.type("\x0c");
    await pty.until("it is clear", () => pty.screen.screen[0] === "driver");
    expect(said(pty, "one")).toBe(true);
    expect(pty.screen.prompt).toBe("> two▏");
  });

  test("a resize draws the line anew", async () => {
    const pty = await start(DRIVER, "> ");
    pty.type("0123456789".repeat(5));
    await pty.until("it is typed", () => pty.screen.prompt.endsWith("789▏"));
    pty.resize(30, 10);
    await pty.until("it fits", () => pty.screen.prompt.startsWith("> ‹") && pty.screen.prompt.endsWith("789▏"));
    pty.resize(80, 24);
    await pty.until("it is whole", () => pty.screen.prompt === `> ${"0123456789".repeat(5)}▏`);
  });
});

describe("the terminal is given back", () => {
  const ENDS: readonly [string, (pty: Pty) => void, number][] = [
    ["Ctrl-C twice", (pty) => pty.type("\x03\x03"), 0],
    ["Ctrl-D", (pty) => pty.type("\x04"), 0],
    ["an exception", (pty) => pty.type("throw\r"), 1],
    ["a rejected promise", (pty) => pty.type("reject\r"), 1],
    ["an exit", (pty) => pty.type("exit\r"), 3],
    ["SIGQUIT", (pty) => pty.kill("SIGQUIT"), 128 + 3],
    ["SIGALRM", (pty) => pty.kill("SIGALRM"), 128 + 14],
  ];
  for (const [what, end, code] of ENDS) {
    test(`after ${what}`, async () => {
      const pty = await start(DRIVER, "> ");
      expect([pty.raw, pty.screen.reports.size]).toEqual([true, 2]);
      end(pty);
      expect(await pty.exited).toBe(code);
      await pty.until("the reports are off", () => pty.screen.reports.size === 0);
      expect(pty.raw).toBe(false);
      expect(pty.screen.history.filter((row) => /^> |^driver$/.test(row))).toEqual([]);
      if (code === 1) await pty.until("what was wrong", () => pty.screen.history.join("\n").includes("a bug"));
    });
  }

  for (const end of ["/quit", "SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`after ${end}, of a chat`, async () => {
      const pty = await start(chat(newFolder()), "alice> ");
      expect(pty.raw).toBe(true);
      if (end === "/quit") pty.type("half a line\x15/quit\r");
      else pty.kill(end);
      expect(await pty.exited).toBe(0);
      await pty.until("the reports are off", () => pty.screen.reports.size === 0);
      expect(pty.raw).toBe(false);
      expect(pty.screen.history.filter((row) => row.startsWith("alice> "))).toEqual([]);
    });
  }

  test("a window that is closed ends the chat", async () => {
    const pty = await start(chat(newFolder()), "alice> ");
    pty.hangUp();
    expect(await pty.exited).toBe(0);
  });
});

describe("without a screen", () => {
  test("TERM=dumb: lines, the last messages first, and nothing that a typewriter could not print", async () => {
    const folder = newFolder();
    const first = await start(chat(folder), "alice> ");
    first.type("hello\r");
    await first.until("it is sent", () => first.screen.history.some((row) => row.endsWith("[seq=1] alice: hello")));
    first.type("\x04");
    await first.exited;
    const dumb = await start(chat(folder), "[seq=1] alice: hello", { TERM: "dumb" });
    expect([dumb.raw, dumb.screen.reports.size]).toEqual([false, 0]);
    dumb.type("again\n");
    await dumb.until("it is sent", () => dumb.screen.history.includes("[seq=2] alice: again"));
    dumb.type("\x04");
    expect(await dumb.exited).toBe(0);
  });
});
