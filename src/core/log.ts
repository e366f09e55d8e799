/**
 * The log as a running peer holds it: the state of the whole, and the newest entries themselves. What is above the
 * commit index is always here, because it may have to be undone or sent again; older entries are on disk only.
 */
import { assert } from "./assert.ts";
import { FOLLOWER_TAIL_ENTRIES_KEPT, TAIL_BYTES_KEPT, TAIL_ENTRIES_KEPT, WAITING_ENTRIES_KEPT } from "./config.ts";
import { compareBallots, type LogIndex } from "./ids.ts";
import type { Entry, Tail } from "./log-entry.ts";
import type { LogState } from "./log-state.ts";
import type { LogView } from "./log-view.ts";

export class Log implements LogView {
  readonly state: LogState;
  #entries: Entry[];
  /** Index and crc of the entry before the first one held. */
  #before: LogIndex;
  #beforeCrc: number;
  #bytes = 0;
  #committedBytes = 0;
  durable: LogIndex;
  commit: LogIndex;

  /** `entries` end at `state.index` and reach down to the commit index at least; `beforeCrc` is the crc before the first. */
  constructor(state: LogState, entries: readonly Entry[], beforeCrc: number, durable: LogIndex, commit: LogIndex) {
    this.state = state;
    this.#entries = [...entries];
    this.#before = state.index - entries.length;
    this.#beforeCrc = beforeCrc;
    this.durable = durable;
    this.commit = commit;
    assert(this.#before <= commit && commit <= state.index, "every uncommitted entry is in memory");
    for (const entry of entries) this.#count(entry, entry.index <= commit);
  }

  get last(): LogIndex {
    return this.state.index;
  }

  get tail(): Tail {
    return this.state.tail;
  }

  /** Lowest index whose entry is in memory. */
  get first(): LogIndex {
    return this.#before + 1;
  }

  get uncommittedBytes(): number {
    return this.#bytes - this.#committedBytes;
  }

  entryAt(index: LogIndex): Entry | null {
    return this.#entries[index - this.#before - 1] ?? null;
  }

  /** crc of the entry at `index`, which must be in memory or just before what is. */
  crcAt(index: LogIndex): number {
    if (index === this.#before) return this.#beforeCrc;
    const entry = this.entryAt(index);
    assert(entry !== null, `the entry at ${index} is in memory`);
    return entry.crc;
  }

  /** The same; null where the entry is on disk only, or does not exist. */
  crcInMemory(index: LogIndex): number | null {
    return index === this.#before ? this.#beforeCrc : (this.entryAt(index)?.crc ?? null);
  }

  tailAt(index: LogIndex): Tail {
    return { index, ballot: this.state.ballotAt(index) };
  }

  append(entry: Entry): void {
    this.state.apply(entry);
    this.#entries.push(entry);
    this.#count(entry, false);
  }

  /** Takes back every entry from `from` on. Nothing committed is ever truncated [R6]. */
  truncate(from: LogIndex): void {
    assert(from > this.commit, `truncation from ${from} would cut the committed prefix through ${this.commit}`);
    while (this.state.index >= from) {
      const entry = this.#entries.pop();
      assert(entry !== undefined, "every uncommitted entry is in memory");
      this.#bytes -= entry.end - entry.start;
      this.state.undo(entry, this.crcAt(entry.index - 1));
    }
    this.durable = Math.min(this.durable, from - 1);
  }

  /** Entries from `from`, as many as fit both bounds, at least one if there is one. */
  slice(from: LogIndex, entriesMax: number, bytesMax: number): Entry[] {
    const start = from - this.#before - 1;
    assert(start >= 0, `the entry at ${from} is in memory`);
    let end = start;
    let bytes = 0;
    while (end < this.#entries.length && end - start < entriesMax) {
      const entry = this.#entries[end] as Entry;
      bytes += entry.end - entry.start;
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return this.#entries.slice(start, end);
  }

  /** Moves the commit index and forgets entries that are neither uncommitted nor likely to be asked for. */
  commitThrough(index: LogIndex): void {
    assert(
      index >= this.commit && index <= this.last,
      `the commit index moves forward within the log, not from ${this.commit} to ${index}`,
    );
    const entries = this.#entries;
    let bytes = 0;
    for (let i = this.commit - this.#before; i < index - this.#before; i++) {
      const entry = entries[i] as Entry;
      bytes += entry.end - entry.start;
    }
    this.#committedBytes += bytes;
    this.commit = index;
    this.state.forget(index);
  }

  /**
   * Called when a batch has been carried out: entries that it referred to may be dropped now. A leader keeps more of
   * them, for followers that are behind. So does a peer that will deliver the rest in a moment; otherwise it would read
   * from the disk what it just had in memory.
   */
  trim(leads: boolean, delivered: LogIndex): void {
    const waiting = this.commit - delivered;
    const soon = waiting > WAITING_ENTRIES_KEPT ? 0 : waiting;
    const entriesKept = leads ? TAIL_ENTRIES_KEPT : Math.max(FOLLOWER_TAIL_ENTRIES_KEPT, soon);
    let drop = 0;
    const committed = this.commit - this.#before;
    // In portions: what is kept is copied each time.
    if (committed <= 1.25 * entriesKept && this.#committedBytes <= 1.25 * TAIL_BYTES_KEPT) return;
    while (drop < committed && (committed - drop > entriesKept || this.#committedBytes > TAIL_BYTES_KEPT)) {
      const entry = this.#entries[drop] as Entry;
      this.#committedBytes -= entry.end - entry.start;
      this.#bytes -= entry.end - entry.start;
      this.#before = entry.index;
      this.#beforeCrc = entry.crc;
      drop += 1;
    }
    if (drop > 0) this.#entries = this.#entries.slice(drop);
  }

  /**
   * Where to try next when another log does not hold `asked`: the highest place not above it whose ballot is not above
   * its ballot. Skips a whole run of one ballot at a time.
   */
  hintFor(asked: Tail): Tail {
    let index = Math.min(asked.index, this.last);
    while (index > 0 && compareBallots(this.state.ballotAt(index), asked.ballot) > 0)
      index = this.state.runStart(index) - 1;
    return this.tailAt(index);
  }

  #count(entry: Entry, committed: boolean): void {
    this.#bytes += entry.end - entry.start;
    if (committed) this.#committedBytes += entry.end - entry.start;
  }
}
