/**
 * Reads the committed log of a directory without locking it, while its peer runs or long after. It never writes, holds
 * one block in memory, and believes no line whose crc does not fit.
 */
import type { LogIndex } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import { LogState } from "../../core/log-state.ts";
import { EntryReader } from "../../wire/entry.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Disk, File } from "../contracts.ts";
import { PROGRESS, readProgress } from "./progress-file.ts";
import { UNKNOWN } from "./recovery.ts";
import { linesOf, listSegments, segmentPath } from "./segments.ts";

/** The log cannot be read to its committed end. The message says where, and what is wrong there. */
export class DamagedLog extends Error {
  override readonly name = "DamagedLog";
}

/**
 * Committed entries in index order. The commit index is what the directory last noted, so the newest second or so of a
 * living peer may be left out. Throws DamagedLog, whose message names files with `root` before them.
 */
export function* readCommitted(disk: Disk, root = ""): Generator<Entry> {
  const { commit, durable } = readProgress(disk);
  if (durable === UNKNOWN)
    throw new DamagedLog(
      `${root}${PROGRESS} is damaged, so what is committed here is not known: start this peer once, and it finds out again`,
    );
  const state = new LogState();
  const reader = new EntryReader();
  for (const first of listSegments(disk)) {
    if (state.index >= commit) return;
    if (first !== state.index + 1) break;
    const file = disk.open(segmentPath(first), "read");
    try {
      yield* readSegment(file, root + segmentPath(first), reader, state, commit);
    } finally {
      file.close();
    }
  }
  if (state.index < commit) {
    throw new DamagedLog(
      `the log ends at index ${state.index}, but ${commit} entries were committed: ${root}${segmentPath(state.index + 1)} is missing or cut short`,
    );
  }
}

function* readSegment(
  file: File,
  path: string,
  reader: EntryReader,
  state: LogState,
  commit: LogIndex,
): Generator<Entry> {
  if (state.index >= commit) return;
  for (const { bytes, start, end } of linesOf(file)) {
    yield readLine(bytes, start, end, path, reader, state);
    if (state.index >= commit) return;
  }
}

function readLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  path: string,
  reader: EntryReader,
  state: LogState,
): Entry {
  try {
    const entry = reader.read(bytes, start, end, state.crc);
    const refusal = state.refusal(entry);
    if (refusal !== null) throw new WireError(refusal);
    state.apply(entry);
    return entry;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new DamagedLog(`${path}, index ${state.index + 1}: ${error.message}`);
  }
}

export type Comparison =
  | { readonly result: "one-history"; readonly lengths: readonly LogIndex[] }
  | {
      readonly result: "differ";
      readonly index: LogIndex;
      readonly a: number;
      readonly b: number;
      readonly lines: readonly [string, string];
    };

/**
 * Compares the committed logs of several directories, byte by byte. Where one is shorter it must be a beginning of the
 * others. `a` and `b` are places in `disks`. Throws DamagedLog, whose message names files with the disk's root before them.
 */
export function compareHistories(disks: readonly Disk[], roots: readonly string[] = []): Comparison {
  const readers = disks.map((disk, i) => readCommitted(disk, roots[i]));
  const lengths = disks.map(() => 0);
  for (let index = 1; ; index++) {
    let reference: { entry: Entry; from: number } | null = null;
    for (let i = 0; i < readers.length; i++) {
      if ((lengths[i] as number) !== index - 1) continue;
      const next = (readers[i] as Generator<Entry>).next();
      if (next.done === true) continue;
      lengths[i] = index;
      if (reference === null) reference = { entry: next.value, from: i };
      else if (!sameLine(reference.entry, next.value)) {
        return {
          result: "differ",
          index,
          a: reference.from,
          b: i,
          lines: [lineOf(reference.entry), lineOf(next.value)],
        };
      }
    }
    if (reference === null) return { result: "one-history", lengths };
  }
}

function sameLine(a: Entry, b: Entry): boolean {
  const length = a.end - a.start;
  if (length !== b.end - b.start) return false;
  for (let i = 0; i < length; i++) if (a.chunk[a.start + i] !== b.chunk[b.start + i]) return false;
  return true;
}

/** The entry's line as text, without its newline. */
function lineOf(entry: Entry): string {
  return new TextDecoder().decode(entry.chunk.subarray(entry.start, entry.end - 1));
}
