/** docs/demo.md, followed by the letter: its blocks are read from there, typed at terminals, and what they promise is awaited. */
import { afterEach, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, freePorts, ROOT } from "./harness.ts";
import { killHolders, Tmux, type Window } from "./tmux.ts";

const SCENARIO_MS_MAX = 60_000;
const PORTS = 9;

interface Block {
  readonly terminal: number;
  readonly lines: readonly string[];
}

interface Scenario {
  readonly title: string;
  readonly blocks: readonly Block[];
}

function readScenarios(page: string): Scenario[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf("\n")),
      blocks: [...section.matchAll(/^\*\*Terminal (\d+)\*\*\n\n```\n([\s\S]*?)^```$/gm)].map(([, terminal, text]) => ({
        terminal: Number(terminal),
        lines: (text as string).split("\n").slice(0, -1),
      })),
    }));
}

/** A folder like the one that is stood in, ports that are free, and a window for each terminal. */
class Stage {
  readonly #tmux = new Tmux();
  readonly #windows = new Map<number, Window>();
  readonly #ports: readonly number[];
  readonly #folder: string;

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.#folder = join(this.#tmux.root, "folder");
    mkdirSync(join(this.#folder, "dist"), { recursive: true });
    symlinkSync(BINARY, join(this.#folder, "dist", "chatpeer"));
    mkdirSync(join(this.#folder, "scripts"));
    writeFileSync(join(this.#folder, "scripts/with-bun.sh"), `exec sh ${ROOT}/scripts/with-bun.sh "$@"\n`);
    cpSync(join(ROOT, "docs"), join(this.#folder, "docs"), { recursive: true });
    for (const file of readdirSync(join(this.#folder, "docs")).filter((name) => name.endsWith(".yml"))) {
      const path = join(this.#folder, "docs", file);
      writeFileSync(path, this.#here(readFileSync(path, "utf8")));
    }
  }

  static async open(): Promise<Stage> {
    return new Stage(await freePorts(PORTS));
  }

  async follow({ terminal, lines }: Block): Promise<void> {
    const window = this.#windows.get(terminal) ?? (await this.#open(terminal));
    for (const line of lines) {
      if (line.startsWith("$ ")) await this.#run(window, this.#here(line.slice(2)));
      else if (line.startsWith(">")) window.say(this.#here(line.slice(2)));
      else if (line.startsWith("^")) window.press(...line.split(" ").map((key) => key.replace("^", "C-")));
      else await this.#see(window, this.#here(line));
    }
  }

  async #open(terminal: number): Promise<Window> {
    const window = await this.#tmux.open(130, 40);
    this.#windows.set(terminal, window);
    window.run(`cd ${this.#folder}; export HOME=${this.#folder} NO_COLOR=1`);
    return window;
  }

  /** When the shell has done what came before. */
  async #run(window: Window, command: string): Promise<void> {
    await window.until("the shell", (rows) => rows.at(-1) === "shell$");
    window.wipe();
    window.run(command);
  }

  async #see(window: Window, expected: string): Promise<void> {
    const literal = expected.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
    const pattern = new RegExp(literal.join(".*"));
    await window.until(JSON.stringify(expected), () => window.history.some((row) => pattern.test(row)));
  }

  /** The ports of the page are taken as these. */
  #here(text: string): string {
    return text.replace(/\b600([1-9])\b|\b600\$2\b/g, (port, digit) =>
      digit === undefined
        ? `$(echo ${this.#ports.slice(0, 3).join(" ")} | cut -d' ' -f$2)`
        : `${this.#ports[digit - 1] ?? port}`,
    );
  }

  /** Ends who still holds a directory, then the windows. */
  stop(): void {
    const dirs = ["demo/1", "demo/2", "demo/3", "demo/9", "data/peer1", "data/peer2", "data/peer3"];
    killHolders(dirs.map((dir) => join(this.#folder, dir)));
    this.#tmux.close();
  }
}

const open = new Set<Stage>();
afterEach(() => {
  for (const stage of open) stage.stop();
  open.clear();
});

const SCENARIOS = readScenarios(readFileSync(join(ROOT, "docs/demo.md"), "utf8"));

describe("docs/demo.md", () => {
  test("has scenarios, and each of its blocks says what is to be seen", () => {
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(10);
    const commands = SCENARIOS.flatMap(({ blocks }) => blocks.flatMap(({ lines }) => lines));
    expect(commands.filter((line) => line.startsWith("$ ")).length).toBeGreaterThan(20);
    expect(commands.filter((line) => !/^[$>^]/.test(line)).length).toBeGreaterThan(50);
  });

  for (const { title, blocks } of SCENARIOS.filter((scenario) => scenario.blocks.length > 0))
    test(
      title,
      async () => {
        const stage = await Stage.open();
        open.add(stage);
        for (const block of blocks) await stage.follow(block);
      },
      SCENARIO_MS_MAX,
    );
});
