/**
 * Searches the committed past without holding up the peer's other work, for questions whose answer may be far back or
 * may not exist. Each question has a budget. An answer whose budget ran out says how far it came, and the asker goes on
 * from there.
 */
import { FRAME_ENTRIES_MAX, HISTORY_BYTES_MAX } from "../../core/config.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import type { DeliveredMessage, HistoryPage } from "../../core/reports.ts";
import { toMessage } from "../delivered.ts";
import { byteLength } from "../store/bytes.ts";
import { LineSearch, lineOfMessage } from "../store/line-search.ts";
import type { RawEntries } from "../store/log-store.ts";
import type { Slices } from "./slices.ts";

/** Number of entries that are searched in about a quarter of a millisecond. */
const BLOCK_ENTRIES = 512;
/** Number of bytes that are read and checked in that time. */
const PIECE_BYTES = 64 * 1024;
/** Blocks that one question may look at: half a second of work. */
const BLOCKS_MAX = 2048;
const DECODER = new TextDecoder();

export interface PastSource {
  /** The lines from `from`, at most `count`, in whole pieces. Throws HostError where the log is damaged. */
  readLines(from: LogIndex, count: number): readonly Uint8Array[];
  readEntries(from: LogIndex, count: number): Entry[];
  /**
   * Checked lines behind `after`, about `bytesMax` bytes. Null where the log is damaged, which the implementation then
   * deals with.
   */
  read(after: LogIndex, bytesMax: number, through: LogIndex): RawEntries | null;
}

export interface Wanted {
  readonly room: string;
  readonly count: number;
  /** The text to look for in texts and names, ignoring letter case; "": any. */
  readonly text: string;
  /** Limit for all texts together; one message is always taken. */
  readonly charsMax: number;
}

type Found = Pick<HistoryPage, "messages" | "more">;

export class Past {
  readonly #slices: Slices;
  readonly #source: PastSource;

  constructor(slices: Slices, source: PastSource) {
    this.#slices = slices;
    this.#source = source;
  }

  /** The last ones at or below `through`, oldest first; `more`: where to go on, below that index. */
  last(asker: object, wanted: Wanted, through: LogIndex, done: (found: Found) => void): void {
    const page = new Page(wanted, this.#source);
    let end = through;
    let blocks = 0;
    this.#slices.run(asker, () => {
      const from = Math.max(1, end - BLOCK_ENTRIES + 1);
      const candidates = end < 1 ? [] : page.search.candidates(this.#text(from, end - from + 1));
      const stop = candidates.reverse().find((index) => !page.takes(index));
      end = stop ?? from - 1;
      blocks += 1;
      if (stop === undefined && end >= 1 && blocks < BLOCKS_MAX && !page.isFull) return true;
      done({ messages: page.messages.reverse(), more: end >= 1 ? end + 1 : null });
      return false;
    });
  }

  /** The first ones behind `after`, up to and including `through`; `more`: where to go on, behind that index. */
  first(asker: object, wanted: Wanted, after: LogIndex, through: LogIndex, done: (found: Found) => void): void {
    const page = new Page(wanted, this.#source);
    let seen = after;
    let blocks = 0;
    this.#slices.run(asker, () => {
      const count = Math.min(BLOCK_ENTRIES, through - seen);
      const candidates = count < 1 ? [] : page.search.candidates(this.#text(seen + 1, count));
      const stop = candidates.find((index) => !page.takes(index));
      seen = stop === undefined ? seen + Math.max(0, count) : stop - 1;
      blocks += 1;
      if (stop === undefined && seen < through && blocks < BLOCKS_MAX && !page.isFull) return true;
      done({ messages: page.messages, more: seen < through ? seen : null });
      return false;
    });
  }

  /**
   * Finds the index of the entry before message `seq_no` of a room, from `through` down to the beginning. It is
   * `through` where that message is still to come.
   */
  place(asker: object, room: string, seqNo: number, through: LogIndex, done: (before: LogIndex) => void): void {
    let end = through;
    this.#slices.run(asker, () => {
      const from = Math.max(1, end - BLOCK_ENTRIES + 1);
      const index = end < 1 ? null : lineOfMessage(this.#text(from, end - from + 1), room, seqNo);
      if (index === null && from > 1) {
        end = from - 1;
        return true;
      }
      done(index === null ? through : index - 1);
      return false;
    });
  }

  /**
   * The lines behind `after`, through `through`: about `bytesMax` bytes, or one line. There is no answer where the log
   * is damaged.
   */
  lines(asker: object, after: LogIndex, through: LogIndex, bytesMax: number, done: (read: RawEntries) => void): void {
    const end = Math.min(through, after + FRAME_ENTRIES_MAX);
    const lines: Uint8Array[] = [];
    let prevCrc: number | null = null;
    let count = 0;
    let bytes = 0;
    this.#slices.run(asker, () => {
      const read = this.#source.read(after + count, Math.min(PIECE_BYTES, bytesMax - bytes), end);
      if (read === null) return false;
      prevCrc ??= read.prevCrc;
      lines.push(...read.lines);
      count += read.count;
      bytes += byteLength(read.lines);
      if (after + count < end && bytes < bytesMax) return true;
      done({ prevCrc, lines, count });
      return false;
    });
  }

  /** The asker is gone: its searches end. */
  forget(asker: object): void {
    this.#slices.forget(asker);
  }

  #text(from: LogIndex, count: number): string {
    return this.#source
      .readLines(from, count)
      .map((piece) => DECODER.decode(piece))
      .join("");
  }
}

/** Messages for one answer. */
class Page {
  readonly search: LineSearch;
  readonly messages: DeliveredMessage[] = [];
  readonly #wanted: Wanted;
  readonly #source: PastSource;
  #chars = 0;
  #bytes = 0;

  constructor(wanted: Wanted, source: PastSource) {
    this.#wanted = wanted;
    this.#source = source;
    this.search = new LineSearch(wanted.room, wanted.text);
  }

  get isFull(): boolean {
    return this.messages.length >= this.#wanted.count;
  }

  /** Takes the message at an index if it fits; false: there is no room for it. */
  takes(index: LogIndex): boolean {
    if (this.isFull) return false;
    const [entry] = this.#source.readEntries(index, 1);
    const { room, charsMax } = this.#wanted;
    if (entry?.kind !== "chat" || entry.room_id !== room || !this.search.fits(entry.user, entry.text)) return true;
    const chars = this.#chars + entry.text.length;
    const bytes = this.#bytes + entry.end - entry.start;
    if ((chars > charsMax || bytes > HISTORY_BYTES_MAX) && this.messages.length > 0) return false;
    this.#chars = chars;
    this.#bytes = bytes;
    this.messages.push(toMessage(entry));
    return true;
  }
}
