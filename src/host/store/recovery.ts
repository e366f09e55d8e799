/**
 * The log at start-up [L5] [D5]: reads the newest checkpoint that fits, replays the entries after it, and sets damaged
 * files aside. Nothing is guessed. Damage above the watermark was never confirmed, and is cut. Damage below it makes
 * the peer faulty until it has fetched the lost entries from the others.
 */
import { FOLLOWER_TAIL_ENTRIES_KEPT } from "../../core/config.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { Entry, Member } from "../../core/log-entry.ts";
import { LogState } from "../../core/log-state.ts";
import { EntryReader } from "../../wire/entry.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Disk } from "../contracts.ts";
import { type Checkpoint, writeCheckpoint } from "./checkpoints.ts";
import { copyAside, copyBytes, DAMAGED_DIRECTORY } from "./damaged.ts";
import { statedCrc } from "./line-chain.ts";
import { CHECKPOINT_DIRECTORY, checkpointPath, LOG_DIRECTORY, listSegments, Segment, segmentPath } from "./segments.ts";
import { DamagedFile, makeWhole, readState, temporaryOf } from "./state-files.ts";

const READ_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/** The progress that the directory has noted [D5] [D7]; it is never ahead of the truth. */
export interface Progress {
  /** The watermark: everything through it was confirmed durable. */
  readonly durable: LogIndex;
  readonly commit: LogIndex;
  readonly delivered: LogIndex;
  /** The last process stopped in good order. */
  readonly clean: boolean;
}

export interface Recovered {
  readonly segments: Segment[];
  /** The state at the last good entry. */
  readonly state: LogState;
  /** The newest entries, down to the commit index at least. */
  readonly entries: readonly Entry[];
  readonly beforeCrc: number;
  /** First index that is lost below the watermark, or null. */
  readonly damagedFrom: LogIndex | null;
  /** Words for a person about what was cut or set aside. */
  readonly notes: string[];
}

interface Start {
  readonly state: LogState;
  /** How many of the segments the checkpoint covers. */
  readonly covered: number;
}

/** Stands for a watermark that cannot be read: then everything counts as confirmed, so that no damage is just cut. */
export const UNKNOWN = -1;

/**
 * `readAll`: damage was found before, so no checkpoint is trusted and every line is read. `mayCut` is called before
 * confirmed entries are set aside; it throws where nobody could bring them back. `onSegment` is told
 * how many segments have been read, of those that must be read.
 */
export function recoverLog(
  disk: Disk,
  progress: Progress,
  readAll: boolean,
  mayCut: (state: LogState) => void,
  onSegment: (read: number, of: number) => void = () => {},
): Recovered {
  const firsts = listSegments(disk);
  const notes: string[] = [];
  const start = readAll ? { state: new LogState(), covered: 0 } : findStart(disk, firsts, progress.commit);
  const state = start.state;
  const segments = firsts
    .slice(0, start.covered)
    .map((first) => new Segment(first, disk.open(segmentPath(first), "existing")));
  let entries: Entry[] = [];
  let beforeCrc = state.crc;
  let damage: string | null =
    start.covered === 0 && firsts.length > 0 && firsts[0] !== 1 ? `segment ${segmentPath(1)} is missing` : null;

  for (let s = start.covered; s < firsts.length && damage === null; s++) {
    const first = firsts[s] as LogIndex;
    if (first !== state.index + 1) {
      damage = `segment ${segmentPath(state.index + 1)} is missing`;
      break;
    }
    const segment = new Segment(first, disk.open(segmentPath(first), "existing"));
    segments.push(segment);
    damage = replay(segment, state, (entry) => {
      entries.push(entry);
      // Keeps only the entries that a running peer would hold.
      if (
        entries.length >= 2 * FOLLOWER_TAIL_ENTRIES_KEPT &&
        (entries[FOLLOWER_TAIL_ENTRIES_KEPT - 1] as Entry).index <= progress.commit
      ) {
        beforeCrc = (entries[FOLLOWER_TAIL_ENTRIES_KEPT - 1] as Entry).crc;
        entries = entries.slice(FOLLOWER_TAIL_ENTRIES_KEPT);
      }
    });
    onSegment(s + 1 - start.covered, firsts.length - start.covered);
    if (damage !== null || s === firsts.length - 1) continue;
    const failure = writeCheckpoint(disk, segment, state);
    if (failure !== null)
      notes.push(
        `no checkpoint of ${segmentPath(first)} could be written (${failure.message}): the next start reads it again`,
      );
  }

  const below = progress.durable === UNKNOWN ? damage !== null : state.index < progress.durable;
  if (damage !== null || below) {
    const what = damage ?? `the log ends at index ${state.index}, confirmed was ${progress.durable}`;
    if (below) mayCut(state);
    setAside(disk, segments, state.index + 1, below);
    notes.push(
      below
        ? `the log is damaged behind index ${state.index} (${what}): the files are kept in ${DAMAGED_DIRECTORY}/, what is missing is fetched from the others`
        : `cut what was written but never confirmed behind index ${state.index} (${what})`,
    );
  }
  // Where everything behind a checkpoint is gone, the log goes on in the segment that it covers. That segment's lines
  // were not read yet.
  const last = segments[segments.length - 1];
  if (last !== undefined && last.entries === 0) last.noteAll();
  if (!progress.clean) {
    segments.forEach((segment, s) => {
      const next = segments[s + 1];
      if (next === undefined || next.first - 1 > progress.durable) segments[s] = rewrite(disk, segment);
    });
  }
  return { segments, state, entries, beforeCrc, damagedFrom: below ? state.index + 1 : null, notes };
}

/**
 * The state at the last line that can be read and fits. Changes nothing, so it may be called while the directory's peer
 * runs.
 */
export function lookAtLog(disk: Disk, commit: LogIndex): LogState {
  const firsts = listSegments(disk);
  const { state, covered } = findStart(disk, firsts, commit);
  for (const first of firsts.slice(covered)) {
    if (first !== state.index + 1) break;
    const file = disk.open(segmentPath(first), "read");
    try {
      if (replay(new Segment(first, file), state, () => {}) !== null) break;
    } finally {
      file.close();
    }
  }
  return state;
}

/** The newest checkpoint at or below the commit index from which everything follows, after a look at all names and sizes. */
function findStart(disk: Disk, firsts: readonly LogIndex[], commit: LogIndex): Start {
  let best: Checkpoint | null = null;
  let covered = 0;
  const present = new Set(disk.list(CHECKPOINT_DIRECTORY));
  let next = 1;
  for (let s = 0; s < firsts.length - 1; s++) {
    const first = firsts[s] as LogIndex;
    if (first !== next || !present.has(checkpointPath(first).slice(CHECKPOINT_DIRECTORY.length + 1))) break;
    const checkpoint = readCheckpoint(disk, first);
    if (checkpoint === null || checkpoint.state.index > commit || checkpoint.state.index + 1 !== firsts[s + 1]) break;
    if (!endsWith(disk, first, checkpoint)) break;
    best = checkpoint;
    covered = s + 1;
    next = checkpoint.state.index + 1;
  }
  return { state: best === null ? new LogState() : LogState.fromData(best.state), covered };
}

/** Members by the newest checkpoint that can be read, even where the log itself cannot. */
export function membersNoted(disk: Disk): readonly Member[] {
  for (const name of disk.list(CHECKPOINT_DIRECTORY).reverse()) {
    const checkpoint = readCheckpoint(disk, Number.parseInt(name, 10));
    if (checkpoint !== null) return LogState.fromData(checkpoint.state).newest?.configuration.members ?? [];
  }
  return [];
}

function readCheckpoint(disk: Disk, first: LogIndex): Checkpoint | null {
  try {
    return readState(disk, checkpointPath(first)) as Checkpoint | null;
  } catch (error) {
    if (error instanceof DamagedFile) return null;
    throw error;
  }
}

/** A checkpoint is valid only if its segment has the noted size and its last line the noted crc [L5]. */
function endsWith(disk: Disk, first: LogIndex, { bytes, state }: Checkpoint): boolean {
  const file = disk.open(segmentPath(first), "read");
  try {
    return file.size === bytes && statedCrc(file.read(Math.max(0, bytes - 64), 64)) === state.crc;
  } finally {
    file.close();
  }
}

/** Reads a segment into the state, entry by entry. Returns what is wrong with the first line that does not continue it. */
export function replay(segment: Segment, state: LogState, keep: (entry: Entry) => void): string | null {
  const reader = new EntryReader();
  const size = segment.file.size;
  let offset = 0;
  while (offset < size) {
    let bytes = segment.file.read(offset, READ_BYTES);
    if (bytes.lastIndexOf(NEWLINE) < 0 && offset + bytes.length < size)
      bytes = segment.file.read(offset, size - offset);
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      const wrong = replayLine(reader, bytes, start, newline + 1, state, keep);
      if (wrong !== null) return `${segmentPath(segment.first)}: ${wrong}`;
      segment.note(newline + 1 - start);
      start = newline + 1;
    }
    if (start === 0) return `${segmentPath(segment.first)}: the last line does not end`;
    offset += start;
  }
  return null;
}

function replayLine(
  reader: EntryReader,
  bytes: Uint8Array,
  start: number,
  end: number,
  state: LogState,
  keep: (entry: Entry) => void,
): string | null {
  try {
    const entry = reader.read(bytes, start, end, state.crc);
    const refusal = state.refusal(entry);
    if (refusal !== null) return refusal;
    state.apply(entry);
    keep(entry);
    return null;
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** Removes everything from `from` on. Confirmed entries are copied first. */
function setAside(disk: Disk, segments: Segment[], from: LogIndex, keepCopies: boolean): void {
  const good = new Set(segments.map((s) => s.first));
  const firsts = listSegments(disk);
  for (const first of [...firsts].reverse()) {
    const segment = segments.find((s) => s.first === first);
    const intact =
      good.has(first) &&
      segment !== undefined &&
      segment.entries > 0 &&
      segment.bytes === segment.file.size &&
      segment.end <= from;
    if (intact || (segment !== undefined && segment.entries === 0 && first < from)) continue;
    if (keepCopies) copyAside(disk, segmentPath(first));
    if (segment === undefined || segment.entries === 0) {
      segment?.file.close();
      if (segment !== undefined) segments.splice(segments.indexOf(segment), 1);
      disk.remove(segmentPath(first));
    } else segment.file.truncate(segment.bytes);
  }
  disk.syncDirectoryNow(LOG_DIRECTORY);
}

/**
 * After an unclean stop the page cache may hold bytes that the medium has refused, and a later fsync would not report
 * that (Rebello et al. 2020). So every segment that reaches above the watermark is written anew, and the active one
 * always [D3].
 */
function rewrite(disk: Disk, old: Segment): Segment {
  const path = segmentPath(old.first);
  makeWhole(disk, temporaryOf(path), (fresh) => {
    copyBytes(old.file, fresh);
    fresh.syncNow();
    disk.rename(temporaryOf(path), path);
  }).close();
  old.file.close();
  disk.syncDirectoryNow(LOG_DIRECTORY);
  const segment = new Segment(old.first, disk.open(path, "existing"));
  segment.noteAll();
  return segment;
}
