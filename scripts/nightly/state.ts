/** What a nightly run has done, kept in a file, so that it can be stopped and goes on from there. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Glob } from "bun";
import type { Profile } from "../../src/sim/profile.ts";
import type { Round } from "./rounds.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

export interface Sweep {
  /** Seeds from the first one on that have a verdict. */
  done: number;
  virtualS: number;
  events: number;
}

export interface State {
  /** Of everything that a run depends on. */
  readonly sources: string;
  readonly first: number;
  /** Spent so far, in all sittings. */
  ms: number;
  readonly sweeps: { [profile in Profile]?: Sweep };
  readonly failures: { readonly command: string; readonly what: string }[];
  readonly mutants: { [name: string]: Round[] };
}

/** The state to go on from. `first`: the seed that is asked for. Ends the process where the file began with another one. */
export function readState(path: string, first: number | null): State {
  const sources = sourcesHash();
  const fresh = first ?? 1 + Math.floor(Math.random() * 1_000_000_000);
  const empty: State = { sources, first: fresh, ms: 0, sweeps: {}, failures: [], mutants: {} };
  if (!existsSync(path)) return began(empty, path);
  const old = JSON.parse(readFileSync(path, "utf8")) as State;
  if (old.sources !== sources) {
    renameSync(path, `${path}.old`);
    console.log(`the sources have changed: the state before is in ${path}.old`);
    return began(empty, path);
  }
  if (first !== null && old.first !== fresh) {
    console.error(`${path} began with seed ${old.first}: leave --first away, or name another --state`);
    process.exit(2);
  }
  console.log(`going on with ${path}`);
  return old;
}

function began(state: State, path: string): State {
  console.log(`first seed ${state.first}, state in ${path}`);
  return state;
}

function sourcesHash(): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const sources = [...new Glob("src/{core,engines,wire,host,sim}/**/*.ts").scanSync(ROOT)].sort();
  for (const file of [...sources, "test/sim/kill-plans.ts"])
    hasher.update(`${file}\n`).update(readFileSync(ROOT + file));
  return hasher.digest("hex");
}

/** Replaces the file as a whole. */
export function writeState(path: string, state: State): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}
