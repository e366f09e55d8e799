/** Processes that tests talk to in lines of JSON: a secured network in each runtime, and whoever attacks it. */
import { join } from "node:path";
import type { BunPlugin, Subprocess } from "bun";
import { COMPILE_FLAGS } from "../../scripts/compile-flags.ts";
import type { Credentials } from "../../src/adapters/certificate.ts";
import type { StrangerLimits } from "../../src/adapters/strangers.ts";
import type { Pin } from "../../src/host/contracts.ts";
import { DENO } from "../deno.ts";
import { readLines } from "../e2e/read-lines.ts";

export interface Setup {
  readonly own: Credentials;
  readonly limits: StrangerLimits;
}

/** Dial, or say how much memory is in use. */
export type Command = { readonly port: number; readonly expected?: Pin } | { readonly memory: true };

/** What a subject says: of itself, of what it accepted, of what it dialled. */
export interface Told {
  readonly port?: number;
  readonly warning?: string;
  readonly rss?: number;
  readonly accepted?: string | null;
  readonly heard?: string;
  readonly left?: string;
  readonly opened?: string | null;
  readonly answered?: string;
  readonly closed?: string;
}

const FOLDER = import.meta.dir;
export const RUNTIMES = ["bun", "node", "deno"] as const;
/** And what is made of them: an executable is Bun's runtime with code that was taken apart into what is loaded when. */
export const ARTEFACTS = [...RUNTIMES, "compiled"] as const;
export type Artefact = (typeof ARTEFACTS)[number];

const HAS_BUN_TEST: BunPlugin = {
  name: "bun:test where there is none",
  setup(build) {
    build.onResolve({ filter: /^bun:test$/ }, () => ({ path: join(FOLDER, "bun-test.ts") }));
  },
};

/** How each runtime starts a program of this folder. Node.js reads no TypeScript yet, so it is bundled into `folder`. */
export async function commandOf(artefact: Artefact, program: string, folder: string): Promise<string[]> {
  const path = join(FOLDER, program);
  if (artefact === "bun") return [process.execPath, path];
  if (artefact === "compiled") {
    const executable = join(folder, "compiled");
    const child = Bun.spawn([process.execPath, "build", ...COMPILE_FLAGS, path, "--outfile", executable], {
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(said);
    return [executable];
  }
  const built = await Bun.build({
    entrypoints: [path],
    target: "node",
    format: "esm",
    outdir: folder,
    naming: "[name].mjs",
    plugins: [HAS_BUN_TEST],
  });
  if (!built.success) throw new AggregateError(built.logs);
  const bundle = join(folder, program.replace(/\.ts$/, ".mjs"));
  return artefact === "node" ? ["node", bundle] : [DENO, "run", "--allow-all", bundle];
}

/** Says commands to a process and hears what it tells, in order. */
export class Conversation<In, Out> {
  readonly #child: Subprocess<"pipe", "pipe", "inherit">;
  /** Heard, and not asked for yet. */
  readonly #told: Out[] = [];
  #wake = () => {};
  #isOver = false;

  constructor(command: readonly string[]) {
    this.#child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    readLines(this.#child.stdout, (line) => {
      this.#told.push(JSON.parse(line));
      this.#wake();
    }).finally(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  say(command: In): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    this.#child.stdin.flush();
  }

  /** The next that it tells. Throws where it has ended. */
  async next(): Promise<Out> {
    while (this.#told.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#told.length === 0) throw new Error(`the process ended with ${await this.#child.exited}`);
    return this.#told.shift() as Out;
  }

  ask(command: In): Promise<Out> {
    this.say(command);
    return this.next();
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
