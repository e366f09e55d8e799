/** docs/demo.md, followed by the letter: its blocks are read from there, typed at terminals, and what they promise is awaited. */
import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Folder, patternOf } from "./folder.ts";
import { ROOT } from "./harness.ts";
import { killHolders, Tmux, type Window } from "./tmux.ts";

const SCENARIO_MS_MAX = 60_000;

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

/** A folder like the one that is stood in, and a window for each terminal. */
class Stage {
  readonly #tmux: Tmux;
  readonly #folder: Folder;
  readonly #windows = new Map<number, Window>();

  private constructor(tmux: Tmux, folder: Folder) {
    this.#tmux = tmux;
    this.#folder = folder;
  }

  static async open(): Promise<Stage> {
    const tmux = new Tmux();
    return new Stage(tmux, await Folder.make(join(tmux.root, "folder")));
  }

  async follow({ terminal, lines }: Block): Promise<void> {
    const window = this.#windows.get(terminal) ?? (await this.#open(terminal));
    for (const line of lines) {
      if (line.startsWith("$ ")) await this.#run(window, this.#folder.here(line.slice(2)));
      else if (line.startsWith(">")) window.say(this.#folder.here(line.slice(2)));
      else if (line.startsWith("^")) window.press(...line.split(" ").map((key) => key.replace("^", "C-")));
      else await this.#see(window, this.#folder.here(line));
    }
  }

  async #open(terminal: number): Promise<Window> {
    const window = await this.#tmux.open(130, 40);
    this.#windows.set(terminal, window);
    window.run(`cd ${this.#folder.path}; export HOME=${this.#folder.path} NO_COLOR=1`);
    return window;
  }

  /** When the shell has done what came before. */
  async #run(window: Window, command: string): Promise<void> {
    await window.until("the shell", (rows) => rows.at(-1) === "shell$");
    window.wipe();
    window.run(command);
  }

  async #see(window: Window, expected: string): Promise<void> {
    const pattern = new RegExp(patternOf(expected));
    await window.until(JSON.stringify(expected), () => window.history.some((row) => pattern.test(row)));
  }

  /** Ends who still holds a directory, then the windows. */
  stop(): void {
    const dirs = ["demo/1", "demo/2", "demo/3", "demo/9", "data/peer1", "data/peer2", "data/peer3"];
    killHolders(dirs.map((dir) => join(this.#folder.path, dir)));
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
