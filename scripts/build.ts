/**
 * Builds dist/: `chatpeer` (one executable for this machine), `chatpeer.js` and `main.js` (for Node 20 and later),
 * `index.js` and `types/` (the library). `--all` also cross-compiles for the other systems, from Bun's binaries on npm.
 * Does nothing where dist/ is newer than every source, unless `--force` is given.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { type BunPlugin, Glob } from "bun";
import { COMPILE_FLAGS } from "./compile-flags.ts";

const root = new URL("..", import.meta.url).pathname;
const { version, packageManager } = await Bun.file(`${root}package.json`).json();
const bunVersion = packageManager.split("@")[1];
const executable = process.platform === "win32" ? "dist/chatpeer.exe" : "dist/chatpeer";

const PIECE_BYTES = 16 * 1024;

/** Bun's name for a target, and the npm package that holds its binary. */
const TARGETS = [
  ["linux-x64", "@oven/bun-linux-x64"],
  ["linux-arm64", "@oven/bun-linux-aarch64"],
  ["darwin-x64", "@oven/bun-darwin-x64"],
  ["darwin-arm64", "@oven/bun-darwin-aarch64"],
  ["windows-x64", "@oven/bun-windows-x64"],
] as const;

function newest(pattern: string): number {
  return Math.max(0, ...[...new Glob(pattern).scanSync(root)].map((f) => statSync(root + f).mtimeMs));
}

function isFresh(): boolean {
  const outputs = [executable, "dist/chatpeer.js", "dist/main.js", "dist/index.js", "dist/types/index.d.ts"];
  if (outputs.some((f) => !existsSync(root + f))) return false;
  const sources = Math.max(
    newest("src/**/*.{ts,js,txt}"),
    newest("scripts/{build,compile-flags}.ts"),
    newest("package.json"),
    newest("bun.lock"),
  );
  return outputs.every((f) => statSync(root + f).mtimeMs >= sources);
}

async function run(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) {
    console.error(`${command.join(" ")}\n${out}${err}`);
    process.exit(1);
  }
}

/** One executable; written aside and renamed, so that one that runs is not written over. */
async function compile(out: string, from: readonly string[]): Promise<void> {
  const aside = `${out}.building`;
  await run(process.execPath, "build", ...COMPILE_FLAGS, ...from, "src/cli/main.ts", "--outfile", aside);
  const built = root + (existsSync(root + aside) ? aside : `${aside}.exe`);
  const copy = `${root}${out}.copy`;
  copyInPieces(built, copy);
  renameSync(copy, root + out);
  rmSync(built);
}

/**
 * The kernel keeps a fresh file in its page cache in pieces as they were written, and Linux maps a piece of an executable
 * into a process as a whole, as soon as one byte of it is touched: 4 to 19 MB more of resident memory for large ones.
 */
function copyInPieces(from: string, to: string): void {
  const [source, target] = [openSync(from, "r"), openSync(to, "w", 0o755)];
  const piece = new Uint8Array(PIECE_BYTES);
  for (let length = readSync(source, piece); length > 0; length = readSync(source, piece))
    for (let at = 0; at < length; ) at += writeSync(target, piece, at, length - at);
  closeSync(source);
  closeSync(target);
}

/**
 * In a bundle, a module's imports from node:process (as in log-update) would run at the start. Node then reads
 * `process.stdout`, which makes an inherited pipe non-blocking for all its writers.
 */
const GLOBAL_PROCESS: BunPlugin = {
  name: "the global process instead of node:process",
  setup(build) {
    build.onResolve({ filter: /^(node:)?process$/ }, () => ({ path: "process", namespace: "global" }));
    build.onLoad({ filter: /^process$/, namespace: "global" }, () => ({
      contents: "export default globalThis.process;",
      loader: "js",
    }));
  },
};

async function bundle(entry: string, out: string): Promise<void> {
  const plugins = [GLOBAL_PROCESS];
  const result = await Bun.build({ entrypoints: [root + entry], target: "node", format: "esm", plugins });
  if (!result.success) {
    console.error(result.logs.join("\n"));
    process.exit(1);
  }
  await Bun.write(root + out, result.outputs[0] as Blob);
}

const FLAGS = ["--all", "--force"];
const given = process.argv.slice(2);
const unknown = given.find((flag) => !FLAGS.includes(flag));
if (unknown !== undefined) {
  console.error(`there is no flag ${unknown}: choose from ${FLAGS.join(", ")}`);
  process.exit(2);
}
const all = given.includes("--all");
if (!all && !given.includes("--force") && isFresh()) process.exit(0);

mkdirSync(`${root}dist`, { recursive: true });
await Promise.all([
  compile(executable, []),
  Bun.write(`${root}dist/chatpeer.js`, Bun.file(`${root}src/cli/node.js`)),
  bundle("src/cli/main.ts", "dist/main.js"),
  bundle("src/index.ts", "dist/index.js"),
  run("node", "node_modules/typescript/bin/tsc", "-p", "scripts/tsconfig.types.json"),
]);
chmodSync(`${root}dist/chatpeer.js`, 0o755);
console.log(`built ${executable}, dist/chatpeer.js, dist/index.js (chatpeer ${version}, Bun ${bunVersion})`);

if (all) {
  const here = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  for (const [target, packageName] of TARGETS) {
    const cache = `${root}.tools/targets/${target}`;
    if (!existsSync(`${cache}/node_modules/${packageName}`)) {
      mkdirSync(cache, { recursive: true });
      const install = [
        "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--force",
        "--no-save",
      ];
      await run(
        ...install,
        "--os",
        target.startsWith("windows") ? "win32" : (target.split("-")[0] as string),
        "--cpu",
        target.split("-")[1] as string,
        "--prefix",
        cache,
        `${packageName}@${bunVersion}`,
      );
    }
    const windows = target.startsWith("windows");
    const binary = `${cache}/node_modules/${packageName}/bin/bun${windows ? ".exe" : ""}`;
    const out = `dist/chatpeer-${target}${windows ? ".exe" : ""}`;
    rmSync(root + out, { force: true });
    await compile(out, ["--target", `bun-${target}`, "--compile-executable-path", binary]);
    console.log(`built ${out}${target === here ? "" : " (untested: no such machine here)"}`);
  }
}
