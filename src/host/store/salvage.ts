/**
 * Reads what is still readable in segment files that are no whole log any more: files set aside in `damaged/`, or in
 * `log/` behind a lost one. Each line must continue the chain of the line before it [L3]; where that line is lost too,
 * a new chain begins. Nothing here shows whether these entries were committed.
 */
import type { LogIndex } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import { EntryReader } from "../../wire/entry.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Disk, File } from "../contracts.ts";
import { linesOf } from "./segments.ts";

/** The name of a segment file, or of a further copy, which has a number behind it. */
const NAME = /^[0-9]{20}\.jsonl(?:\.[0-9]+)?$/;

export type Salvaged =
  | { readonly entry: Entry }
  /** Entries that are in no file. */
  | { readonly missing: { readonly from: LogIndex; readonly through: LogIndex } }
  /** A line that cannot be read, and why. */
  | { readonly wrong: string };

export function holdsSegments(disk: Disk, folder: string): boolean {
  return disk.list(folder).some((name) => NAME.test(name));
}

/** Entries in index order, each once; what is wrong is reported at its place. File names have `root` before them. */
export function* salvage(disk: Disk, folder: string, root = ""): Generator<Salvaged> {
  const chain = new Chain();
  for (const name of disk.list(folder).filter((n) => NAME.test(n))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const file = disk.open(path, "read");
    try {
      yield* salvageFile(file, root + path, chain);
    } finally {
      file.close();
    }
  }
}

function* salvageFile(file: File, path: string, chain: Chain): Generator<Salvaged> {
  let read = 0;
  chain.cut();
  for (const { bytes, start, end } of linesOf(file)) {
    read += end - start;
    let entry: Entry;
    try {
      entry = chain.read(bytes, start, end);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      chain.cut();
      yield { wrong: `${path}: behind index ${chain.last}: ${error.message}` };
      continue;
    }
    // Where several copies of a segment have an entry, the first copy is believed.
    if (entry.index <= chain.last) continue;
    if (entry.index > chain.last + 1) yield { missing: { from: chain.last + 1, through: entry.index - 1 } };
    chain.last = entry.index;
    yield { entry };
  }
  if (read < file.size) yield { wrong: `${path}: the last line does not end` };
}

/** Lines that follow one another. */
class Chain {
  readonly #reader = new EntryReader();
  /** Highest index found. */
  last: LogIndex = 0;
  /** The line before, if it is known. */
  #before: { readonly index: LogIndex; readonly crc: number } | null = null;

  /** The next line may begin a new chain. */
  cut(): void {
    this.#before = null;
  }

  /** Throws WireError. */
  read(bytes: Uint8Array, start: number, end: number): Entry {
    const before = this.#before;
    const entry =
      before === null ? this.#reader.readFirst(bytes, start, end) : this.#reader.read(bytes, start, end, before.crc);
    if (before !== null && entry.index !== before.index + 1)
      throw new WireError(`index ${entry.index} where ${before.index + 1} should stand`);
    this.#before = { index: entry.index, crc: entry.crc };
    return entry;
  }
}
