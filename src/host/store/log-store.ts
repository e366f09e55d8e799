/**
 * The log on disk: appends, truncates, reads, and reports what is durable. Writes are in the file when the call
 * returns. Durability comes later, with one fdatasync for everything written since the last one [R4].
 */
import { FRAME_ENTRIES_MAX } from "../../core/config.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import type { LogState } from "../../core/log-state.ts";
import { entryLines } from "../../wire/encode.ts";
import { EntryReader } from "../../wire/entry.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Clock, Disk, PortError } from "../contracts.ts";
import { writeCheckpoint } from "./checkpoints.ts";
import { checkLines, statedCrc } from "./line-chain.ts";
import { CHECKPOINT_DIRECTORY, checkpointPath, LOG_DIRECTORY, Segment, segmentPath } from "./segments.ts";
import { passes, refusalOf, type TroubledFile } from "./troubles.ts";

export interface StoreEvents {
  /** Everything through `index` is durable. */
  durable(index: LogIndex): void;
  /** The start has read so many segments of the log, of those that it must read. */
  reading?(segments: number, of: number): void;
  /** An fsync failed. Nothing is tried again [D3]. */
  failed(error: PortError): void;
  /** Reports the result of writing a file that can wait. */
  noted(file: TroubledFile, error: PortError | null): void;
}

/** Raw lines for catch-up, checked by the chain of crcs: damaged bytes are never served. */
export interface RawEntries {
  readonly prevCrc: number;
  readonly lines: Uint8Array[];
  readonly count: number;
}

export class LogStore {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #events: StoreEvents;
  readonly #fsync: boolean;
  /** Oldest first; the last one is written to. */
  readonly #segments: Segment[];
  readonly #reader = new EntryReader();
  /** The state that follows from everything in the files; checkpoints are copies of it. */
  readonly #state: LogState;
  /** Highest index known to be durable. */
  #durable: LogIndex;
  /** The sync under way covers entries through this index; a truncation lowers it. */
  #syncing: LogIndex | null = null;
  /** Files of that sync that are still to be synced. */
  #toSync: Segment[] = [];
  /** Closed segments that still need their fsync before what follows them counts. */
  #unsynced: Segment[] = [];
  /** Segments that were truncated away while a sync may still be on them: a closed file would never answer. */
  #removed = new Set<Segment>();
  #newNames = false;
  /** Names were removed, and their directory is not synced since. */
  #removedNames = false;
  #closed = false;
  /** Where the last read ended, to continue from there. */
  #resume = { index: 0, crc: 0 };

  constructor(disk: Disk, clock: Clock, fsync: boolean, events: StoreEvents, segments: Segment[], state: LogState) {
    this.#disk = disk;
    this.#clock = clock;
    this.#fsync = fsync;
    this.#events = events;
    this.#segments = segments;
    this.#state = state;
    this.#durable = state.index;
  }

  get last(): LogIndex {
    return this.#state.index;
  }

  // ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Appends entries that continue the log. Throws PortError; `last` then says how many were taken. */
  append(entries: readonly Entry[]): void {
    let from = 0;
    while (from < entries.length) {
      const segment = this.#writable(entries[from] as Entry);
      let to = from;
      let { entries: held, bytes } = segment;
      do {
        const entry = entries[to] as Entry;
        held += 1;
        bytes += entry.end - entry.start;
        to += 1;
        // Before the genesis there are no limits: the genesis is written alone, and brings them.
      } while (to < entries.length && held < this.#state.segmentEntries && bytes < this.#state.segmentBytes);
      this.#write(segment, entries.slice(from, to));
      from = to;
    }
  }

  #write(segment: Segment, entries: readonly Entry[]): void {
    let offset = segment.bytes;
    try {
      for (const piece of entryLines(entries)) {
        segment.file.write(offset, piece);
        offset += piece.length;
      }
    } catch (error) {
      // Cut back to the last good byte; what did not fit is written again as a whole [D4].
      segment.file.truncate(segment.bytes);
      throw error;
    }
    for (const entry of entries) {
      segment.note(entry.end - entry.start);
      this.#state.apply(entry);
    }
  }

  /** The segment that takes the next entry: a new one if the last is full. */
  #writable(next: Entry): Segment {
    const last = this.#segments[this.#segments.length - 1];
    const full = last?.isFull(this.#state.segmentEntries, this.#state.segmentBytes) ?? true;
    if (last !== undefined && (!full || this.#state.index === 0)) return last;
    const segment = new Segment(next.index, this.#disk.open(segmentPath(next.index), "create"));
    if (last !== undefined) {
      this.#unsynced.push(last);
      this.#events.noted("checkpoints", writeCheckpoint(this.#disk, last, this.#state));
    }
    this.#segments.push(segment);
    this.#newNames = true;
    return segment;
  }

  /** Removes every entry from `from` on, later segments first [L4]. Throws PortError: then it can be called again. */
  truncate(from: LogIndex): void {
    const removed = this.readEntries(from, this.last - from + 1);
    for (let i = removed.length - 1; i >= 0; i--) {
      const entry = removed[i] as Entry;
      this.#state.undo(entry, i > 0 ? (removed[i - 1] as Entry).crc : this.#crcOf(from - 1));
    }
    this.#durable = Math.min(this.#durable, from - 1);
    if (this.#syncing !== null) this.#syncing = Math.min(this.#syncing, from - 1);
    if (this.#resume.index >= from) this.#resume = { index: 0, crc: 0 };
    while (this.#segments.length > 1) {
      const last = this.#segments[this.#segments.length - 1] as Segment;
      if (last.first < from) break;
      this.#disk.remove(segmentPath(last.first));
      this.#removedNames = true;
      this.#segments.pop();
      if (this.#syncing === null) last.file.close();
      else this.#removed.add(last);
      const before = this.#segments[this.#segments.length - 1] as Segment;
      if (
        this.#disk
          .list(CHECKPOINT_DIRECTORY)
          .includes(checkpointPath(before.first).slice(CHECKPOINT_DIRECTORY.length + 1))
      ) {
        this.#disk.remove(checkpointPath(before.first));
      }
    }
    this.#unsynced = this.#unsynced.filter(
      (s) => this.#segments.includes(s) && s !== this.#segments[this.#segments.length - 1],
    );
    const last = this.#segments[this.#segments.length - 1];
    // The lines of a segment behind a checkpoint were not read yet.
    if (last !== undefined && last.entries === 0) last.noteAll();
    if (last !== undefined && last.end > from) last.cut(from);
    if (this.#removedNames) this.#disk.syncDirectoryNow(LOG_DIRECTORY);
    this.#removedNames = false;
  }

  // ── durability ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Starts a sync if something is written and none is under way. */
  flush(): void {
    if (this.#syncing !== null || this.#closed || this.#durable === this.last) return;
    this.#syncing = this.last;
    if (!this.#fsync) return this.#clock.soon(() => this.#synced(null));
    const older = this.#unsynced;
    this.#unsynced = [];
    this.#toSync = [...older, this.#segments[this.#segments.length - 1] as Segment];
    const names = this.#newNames;
    this.#newNames = false;
    const next = (error: PortError | null): void => {
      if (error === null) this.#toSync.shift();
      else return this.#synced(error);
      while (this.#toSync[0] !== undefined && this.#removed.has(this.#toSync[0])) this.#toSync.shift();
      if (this.#toSync[0] !== undefined) return this.#toSync[0].file.sync(next);
      if (names) return this.#syncNames();
      this.#synced(null);
    };
    (this.#toSync[0] as Segment).file.sync(next);
  }

  /** A directory must be opened for its sync. If no file handle is left for that, no sync has failed yet. */
  #syncNames(): void {
    if (this.#closed) return;
    this.#disk.syncDirectory(LOG_DIRECTORY, (error) => {
      const hasHandle = error === null || !passes(error) || refusalOf(error) !== "handles";
      this.#events.noted("log's names", hasHandle ? null : error);
      if (hasHandle) return this.#synced(error);
      this.#clock.after(HANDLE_RETRY_MS, () => this.#syncNames());
    });
  }

  #synced(error: PortError | null): void {
    if (this.#closed) return;
    const through = this.#syncing as LogIndex;
    this.#syncing = null;
    for (const segment of this.#removed) segment.file.close();
    this.#removed.clear();
    if (error !== null) {
      this.#closed = true;
      return this.#events.failed(error);
    }
    if (through > this.#durable) {
      this.#durable = through;
      this.#events.durable(through);
    }
    this.flush();
  }

  /** Makes everything durable, and waits for it; including what a sync under way has not reached yet. */
  syncNow(): void {
    for (const segment of [...this.#toSync, ...this.#unsynced]) {
      if (!this.#removed.has(segment)) segment.file.syncNow();
    }
    this.#unsynced = [];
    this.#segments[this.#segments.length - 1]?.file.syncNow();
    this.#disk.syncDirectoryNow(LOG_DIRECTORY);
    this.#newNames = false;
    this.#durable = this.last;
  }

  close(): void {
    this.#closed = true;
    for (const segment of [...this.#segments, ...this.#removed]) segment.file.close();
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Whole lines after index `after`, through `through`, about `bytesMax` bytes and at least one; null if damaged. */
  read(after: LogIndex, bytesMax: number, through: LogIndex): RawEntries | null {
    const prevCrc = this.#crcOf(after);
    const lines: Uint8Array[] = [];
    let count = 0;
    let bytes = 0;
    let crc = prevCrc;
    let index = after + 1;
    while (index <= through && bytes < bytesMax && count < FRAME_ENTRIES_MAX) {
      const segment = this.#segmentOf(index);
      const wanted = Math.min(through, segment.end - 1, after + FRAME_ENTRIES_MAX);
      const piece = this.#piece(segment, index, wanted, bytesMax - bytes);
      if (piece.count === 0) return null;
      const end = checkLines(piece.bytes, crc);
      if (end === null) return null;
      crc = end;
      lines.push(piece.bytes);
      bytes += piece.bytes.length;
      count += piece.count;
      index += piece.count;
    }
    this.#resume = { index: index - 1, crc };
    return { prevCrc, lines, count };
  }

  /** Parsed entries from `from`, at most `count`. Throws WireError where the file is damaged. */
  readEntries(from: LogIndex, count: number): Entry[] {
    const entries: Entry[] = [];
    const through = Math.min(this.last, from + count - 1);
    let index = from;
    let crc = index <= through ? this.#crcOf(from - 1) : 0;
    while (index <= through) {
      const segment = this.#segmentOf(index);
      const piece = this.#piece(segment, index, Math.min(through, segment.end - 1), READ_BYTES);
      if (piece.count === 0) throw new WireError(`segment ${segmentPath(segment.first)} ends before index ${index}`);
      for (let start = 0; start < piece.bytes.length; ) {
        const end = piece.bytes.indexOf(0x0a, start) + 1;
        const entry = this.#reader.read(piece.bytes, start, end, crc, piece.bytes.length);
        entries.push(entry);
        crc = entry.crc;
        start = end;
      }
      index += piece.count;
    }
    return entries;
  }

  /** The lines from `from`, at most `count`, unchecked: for searches, which check the lines that they find. */
  readLines(from: LogIndex, count: number): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    const through = Math.min(this.last, from + count - 1);
    for (let index = from; index <= through; ) {
      const segment = this.#segmentOf(index);
      const piece = this.#piece(segment, index, Math.min(through, segment.end - 1), READ_BYTES);
      if (piece.count === 0) throw new WireError(`segment ${segmentPath(segment.first)} ends before index ${index}`);
      pieces.push(piece.bytes);
      index += piece.count;
    }
    return pieces;
  }

  /** Lines from `index` through `through` in one segment: about `bytesMax` bytes, at least one line. */
  #piece(segment: Segment, index: LogIndex, through: LogIndex, bytesMax: number): { bytes: Uint8Array; count: number } {
    const start = segment.offsetOf(index);
    for (let size = Math.max(4096, bytesMax); ; size *= 2) {
      const bytes = segment.file.read(start, Math.min(size, segment.bytes - start));
      let end = 0;
      let count = 0;
      while (index + count <= through && (count === 0 || end < bytesMax)) {
        const newline = bytes.indexOf(0x0a, end);
        if (newline < 0) break;
        end = newline + 1;
        count += 1;
      }
      if (count > 0 || bytes.length < size) return { bytes: bytes.subarray(0, end), count };
    }
  }

  /** crc of the line at `index`; 0 before the first. */
  #crcOf(index: LogIndex): number {
    if (index === 0) return 0;
    if (index === this.last) return this.#state.crc;
    if (index === this.#resume.index) return this.#resume.crc;
    const { bytes } = this.#piece(this.#segmentOf(index), index, index, 4096);
    return statedCrc(bytes);
  }

  #segmentOf(index: LogIndex): Segment {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle] as Segment).first <= index) low = middle;
      else high = middle - 1;
    }
    const segment = this.#segments[low] as Segment;
    if (segment.entries === 0) segment.noteAll();
    return segment;
  }
}

const READ_BYTES = 1024 * 1024;
const HANDLE_RETRY_MS = 1000;
