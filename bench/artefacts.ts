/** The bench peer as the product is shipped: one executable, a bundle for Node, or the sources; made anew for each run, which takes half a second. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { COMPILE_FLAGS } from "../scripts/compile-flags.ts";
import type { Runtime } from "./options.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const OUT = `${ROOT}dist/bench`;
const SOURCE = `${ROOT}bench/peer.ts`;

/** The command of a bench peer, for each runtime that is asked for. Throws where one cannot be made or is not there. */
export async function benchPeers(runtimes: ReadonlySet<Runtime>): Promise<ReadonlyMap<Runtime, readonly string[]>> {
  mkdirSync(OUT, { recursive: true });
  const make = { binary: compiled, bun: () => [process.execPath, SOURCE], node: bundled, deno: denoCommand };
  const made = [...runtimes].map(async (runtime) => [runtime, await make[runtime]()] as const);
  return new Map(await Promise.all(made));
}

/** The product's own executable, built where a source is newer. */
export async function shippedBinary(): Promise<string> {
  await run(process.execPath, `${ROOT}scripts/build.ts`);
  return `${ROOT}dist/chatpeer`;
}

async function compiled(): Promise<readonly string[]> {
  const aside = `${OUT}/peer.${process.pid}`;
  await run(process.execPath, "build", ...COMPILE_FLAGS, SOURCE, "--outfile", aside);
  // Renamed, so that one that runs is not written over.
  renameSync(aside, `${OUT}/peer`);
  return [`${OUT}/peer`];
}

async function bundled(): Promise<readonly string[]> {
  const aside = `${OUT}/peer.${process.pid}.js`;
  await run(process.execPath, "build", "--target", "node", "--format", "esm", SOURCE, "--outfile", aside);
  renameSync(aside, `${OUT}/peer.js`);
  return ["node", `${OUT}/peer.js`];
}

function denoCommand(): readonly string[] {
  const platform = `${process.platform}-${process.arch}${process.platform === "linux" ? "-glibc" : ""}`;
  const deno = `${ROOT}node_modules/@deno/${platform}/deno`;
  if (!existsSync(deno)) throw new Error(`--runtime deno: there is no ${deno} (npm install fetches it)`);
  return [deno, "run", "--allow-all", SOURCE];
}

async function run(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} failed:\n${out}${err}`);
}
