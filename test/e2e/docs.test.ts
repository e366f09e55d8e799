/**
 * The commands of the pages, run as they stand there: of each page from top to bottom, in one folder, where its peers stay for
 * the rest of the page. A line of a `sh` block must succeed; what a `console` block shows is what its command must print.
 * docs/demo.md has a test of its own.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Folder, patternOf } from "./folder.ts";
import { BINARY, endAll, PeerProcess, ROOT } from "./harness.ts";

const COMMAND_MS_MAX = 90_000;
const PAGE_MS_MAX = 110_000;

const NOT_RUN: readonly (readonly [begins: string, why: string])[] = [
  ["npm test", "it runs this"],
  ["npm run check", "a part of npm test"],
  ["npm run build", "done before any of these tests"],
  ["npm run sim:nightly", "hours"],
  ["npm start", "the same program from its sources"],
  ["npm pack", "runtimes.test.ts installs what it makes"],
  ["bun run bench/", "minutes to hours of full load"],
  ["bun scripts/fight.ts", "ten minutes; fight.test.ts takes one"],
  ["chatpeer sim --seeds 1000", "many minutes"],
  ["chatpeer sim --break no-abdication", "a minute; mutants.test.ts breaks every rule"],
  ["sh scripts/with-bun.sh scripts/", "writes into the sources; other tests compare what it would write"],
];
/** Pages with pictures of commands and what they print, which nothing follows. */
const PICTURES: readonly (readonly [page: string, why: string])[] = [
  ["README.md", "the tour at a terminal; its commands stand in other blocks, too"],
  ["docs/demo.md", "demo.test.ts follows it"],
  ["docs/guide.md", "the questions of `chatpeer join`, at a terminal; trust-people.test.ts answers them"],
  ["docs/performance.md", "what a long run printed"],
  ["docs/simulator.md", "what --break bully printed; the README shows its beginning"],
];
/** What is typed into these. */
const TYPED: Readonly<Record<string, string>> = { "./run_p2p.sh": "hello\nstill here\n" };

const STARTS_PEER = /^(?:\.\/(?:dist\/)?)?chatpeer (?:join )?--(?:id|config) /;

interface Step {
  readonly command: string;
  /** All that it prints; null: that is not shown. */
  readonly shown: readonly string[] | null;
}

interface Page {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly hasPictures: boolean;
}

const PAGES: readonly Page[] = ["*.md", "docs/*.md"]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)])
  .sort()
  .map((name) => readPage(name, readFileSync(join(ROOT, name), "utf8")));

function readPage(name: string, text: string): Page {
  const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, block]) => ({
    language: language as string,
    lines: (block as string).split("\n").slice(0, -1),
  }));
  const steps = blocks.flatMap(({ language, lines }): Step[] => {
    if (language === "sh") return lines.map((line) => ({ command: line.replace(/ +#.*/, ""), shown: null }));
    return language === "console" ? readConsole(lines) : [];
  });
  const hasPictures = blocks.some(({ language, lines }) => language === "" && lines.some((l) => l.startsWith("$ ")));
  return { name, steps: steps.filter(({ command }) => command !== ""), hasPictures };
}

function readConsole(lines: readonly string[]): Step[] {
  const steps: { command: string; shown: string[] }[] = [];
  for (const line of lines)
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), shown: [] });
    else steps.at(-1)?.shown.push(line);
  return steps;
}

function isRun({ command }: Step): boolean {
  return !NOT_RUN.some(([begins]) => command.startsWith(begins));
}

/** Somebody who does what a page says, in a folder of its own. */
class Reader {
  readonly #root: string;
  readonly #folder: Folder;
  readonly #env: Record<string, string>;
  readonly #peers = new Map<number, PeerProcess>();
  #isFormed = true;

  private constructor(root: string, folder: Folder) {
    this.#root = root;
    this.#folder = folder;
    const PATH = `${join(folder.path, "dist")}:${process.env.PATH}`;
    this.#env = { HOME: folder.path, XDG_STATE_HOME: "", NO_COLOR: "1", PATH };
  }

  static async open(): Promise<Reader> {
    const root = mkdtempSync(join(tmpdir(), "chatpeer-docs-"));
    const folder = await Folder.make(join(root, "folder"));
    symlinkSync(BINARY, join(folder.path, "chatpeer"));
    return new Reader(root, folder);
  }

  async follow({ command, shown }: Step): Promise<void> {
    if (STARTS_PEER.test(command)) return this.#start(command);
    await this.#formed();
    const { code, out, err } = await this.#run(command);
    if (shown === null) expect({ command, code, err: code === 0 ? "" : err }).toEqual({ command, code: 0, err: "" });
    else {
      const pattern = new RegExp(`^${shown.map((line) => patternOf(this.#folder.here(line))).join("\n")}\n$`);
      if (!pattern.test(out)) expect({ command, out, err }).toEqual({ command, out: shown.join("\n"), err: "" });
    }
    if (command.startsWith("kill ")) await this.#someEnds();
  }

  close(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #start(command: string): void {
    const [, ...args] = this.#folder.here(command).split(" ");
    const id = Number(/--id ([0-9])|node([0-9])\.yml/.exec(command)?.slice(1).join(""));
    const port = args.includes("--id") ? ["--port", String(this.#folder.port(id))] : [];
    const { path } = this.#folder;
    this.#isFormed = false;
    // What is founded on other machines is secured, and those are this one here.
    const secured = / --id [0-9] --host 10\.0\.0\./.test(command) && args[0] !== "join" ? ["--secure"] : [];
    this.#peers.set(
      id,
      new PeerProcess([BINARY, ...args, ...port, ...secured, "--json"], { cwd: path, env: this.#env }),
    );
  }

  /** The highest of the peers that were started leads all of them, as it does where nothing has been said. */
  async #formed(): Promise<void> {
    if (this.#isFormed) return;
    this.#isFormed = true;
    const highest = Math.max(...this.#peers.keys());
    for (const peer of this.#peers.values())
      await peer.until(`peer ${highest} leads`, () => peer.role?.leader_id === highest);
  }

  async #run(command: string): Promise<{ code: number; out: string; err: string }> {
    const child = Bun.spawn(["bash", "-c", this.#folder.here(command)], {
      cwd: this.#folder.path,
      env: { ...process.env, ...this.#env },
      stdin: Buffer.from(TYPED[command] ?? ""),
      stdout: "pipe",
      stderr: "pipe",
      timeout: COMMAND_MS_MAX,
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  /** One of the peers was told to. */
  async #someEnds(): Promise<void> {
    const ended = await Promise.race([...this.#peers].map(([id, peer]) => peer.exited.then(() => id)));
    this.#peers.delete(ended);
  }
}

const open = new Set<Reader>();
afterEach(async () => {
  await endAll();
  for (const reader of open) reader.close();
  open.clear();
});

describe("the commands of", () => {
  for (const { name, steps } of PAGES.filter((page) => page.steps.some(isRun)))
    test(
      name,
      async () => {
        const reader = await Reader.open();
        open.add(reader);
        for (const step of steps.filter(isRun)) await reader.follow(step);
      },
      PAGE_MS_MAX,
    );
});

test("whatever is not run has a reason, and every reason has something that is not run", () => {
  const commands = PAGES.flatMap(({ steps }) => steps.map(({ command }) => command));
  expect(commands.length).toBeGreaterThan(40);
  for (const [begins] of NOT_RUN) expect([begins, commands.some((c) => c.startsWith(begins))]).toEqual([begins, true]);
  expect(PAGES.filter((page) => page.hasPictures).map(({ name }) => name)).toEqual(PICTURES.map(([page]) => page));
});
