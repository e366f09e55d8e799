/**
 * Segment files: names, cutting, and finding a line in them. `log/<first index, 20 digits>.jsonl`; a segment ends when
 * it holds as many entries or bytes as the genesis says [L4], so all peers cut at the same places.
 */
import type { LogIndex } from "../../core/ids.ts";
import type { Disk, File } from "../contracts.ts";

export const LOG_DIRECTORY = "log";
export const CHECKPOINT_DIRECTORY = "checkpoints";

const NAME = /^([0-9]{20})\.jsonl$/;
const NEWLINE = 0x0a;
/**
 * One offset is remembered for this many entries: a compromise between memory and the lines that a look-up must pass
 * over.
 */
const STRIDE = 256;
const SKIM_BYTES = 256 * 1024;
const BLOCK_BYTES = 1024 * 1024;

export function segmentPath(first: LogIndex): string {
  return `${LOG_DIRECTORY}/${String(first).padStart(20, "0")}.jsonl`;
}

export function checkpointPath(first: LogIndex): string {
  return `${CHECKPOINT_DIRECTORY}/${String(first).padStart(20, "0")}.json`;
}

/** First indexes of the segments in a directory, rising. */
export function listSegments(disk: Disk): LogIndex[] {
  return disk
    .list(LOG_DIRECTORY)
    .map((name) => NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export interface Line {
  /** The line is bytes.subarray(start, end), its "\n" included. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The whole lines of a file, with one block in memory at a time. Bytes behind the last line feed are left out. */
export function* linesOf(file: File): Generator<Line> {
  let offset = 0;
  for (let size = BLOCK_BYTES; ; ) {
    const bytes = file.read(offset, size);
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      yield { bytes, start, end: newline + 1 };
      start = newline + 1;
    }
    if (start === 0 && bytes.length < size) return;
    // A line longer than the block: a larger block.
    size = start === 0 ? 2 * size : BLOCK_BYTES;
    offset += start;
  }
}

/** One segment file with the offsets of some of its lines. */
export class Segment {
  readonly first: LogIndex;
  readonly file: File;
  /** Number of whole lines, and their bytes. */
  entries = 0;
  bytes = 0;
  /** offsets[k] is where line k × STRIDE begins. */
  readonly #offsets: number[] = [0];

  constructor(first: LogIndex, file: File) {
    this.first = first;
    this.file = file;
  }

  /** Index after the last entry. */
  get end(): LogIndex {
    return this.first + this.entries;
  }

  isFull(entriesMax: number, bytesMax: number): boolean {
    return this.entries >= entriesMax || this.bytes >= bytesMax;
  }

  /** Notes that one more line of `length` bytes was written. */
  note(length: number): void {
    this.entries += 1;
    this.bytes += length;
    if (this.entries % STRIDE === 0) this.#offsets.push(this.bytes);
  }

  /** Notes the lines of a file that is whole, without reading their content. */
  noteAll(): void {
    const size = this.file.size;
    let lineStart = this.bytes;
    for (let at = this.bytes; at < size; at += SKIM_BYTES) {
      const bytes = this.file.read(at, SKIM_BYTES);
      for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, newline + 1)) {
        this.note(at + newline + 1 - lineStart);
        lineStart = at + newline + 1;
      }
    }
  }

  /** Cuts the file at the line of `index`, and forgets the lines from there on. */
  cut(index: LogIndex): void {
    const offset = this.offsetOf(index);
    // This comes first: if it fails, it is tried again.
    this.file.truncate(offset);
    this.entries = index - this.first;
    this.bytes = offset;
    this.#offsets.length = Math.floor(this.entries / STRIDE) + 1;
  }

  /** Where the line of `index` begins; `end` is where the next one will. */
  offsetOf(index: LogIndex): number {
    if (index === this.end) return this.bytes;
    const line = index - this.first;
    let offset = this.#offsets[Math.floor(line / STRIDE)] as number;
    let skip = line % STRIDE;
    while (skip > 0) {
      const bytes = this.file.read(offset, Math.min(SKIM_BYTES, this.bytes - offset));
      if (bytes.length === 0) break;
      let used = 0;
      for (let newline = bytes.indexOf(NEWLINE); newline >= 0 && skip > 0; newline = bytes.indexOf(NEWLINE, used)) {
        used = newline + 1;
        skip -= 1;
      }
      offset += skip > 0 ? bytes.length : used;
    }
    return offset;
  }
}
