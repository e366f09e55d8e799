/**
 * Delivers committed messages in index order [R6], from memory while they are there, else from the log on disk. A paused
 * delivery costs nothing: the log is the queue. The next process goes on behind what was acknowledged [D7] [C1].
 */
import type { LogIndex } from "../core/ids.ts";
import type { Entry } from "../core/log-entry.ts";
import type { LogView } from "../core/log-view.ts";
import type { ReadNote, SystemNote } from "../core/reports.ts";
import { toMessage, toTold } from "./delivered.ts";
import type { DeliveredMessage } from "./events.ts";

/** Entries read from disk at a time. */
const READ_ENTRIES = 1024;

/** What people are told. The other entries concern only the peers. */
export type Delivered = DeliveredMessage | SystemNote | ReadNote;

export interface EntrySource {
  /** Entries from `from`, at most `count`, fewer at the end of the log. */
  readEntries(from: LogIndex, count: number): Entry[];
}

export interface DeliveryOptions {
  /** Last index that earlier processes acknowledged. */
  readonly delivered: LogIndex;
  /** A message is acknowledged by a call of `acknowledge`, not by being told. */
  readonly byHand: boolean;
}

export class Delivery {
  readonly #source: EntrySource;
  readonly #emit: (delivered: Delivered) => void;
  #log: LogView | null = null;
  /** Last index delivered, and how far it may go. */
  #cursor: LogIndex;
  #limit: LogIndex = 0;
  readonly #byHand: boolean;
  /** Last index acknowledged by hand, and last message told. */
  #acknowledged: LogIndex;
  #told: LogIndex;
  #paused = false;
  #running = false;

  constructor(source: EntrySource, options: DeliveryOptions, emit: (delivered: Delivered) => void) {
    this.#source = source;
    this.#byHand = options.byHand;
    this.#cursor = this.#acknowledged = this.#told = options.delivered;
    this.#emit = emit;
  }

  get cursor(): LogIndex {
    return this.#cursor;
  }

  /** Nothing through here is told again. An entry that is no message is acknowledged with the message before it. */
  get acknowledged(): LogIndex {
    return !this.#byHand || this.#acknowledged >= this.#told ? this.#cursor : this.#acknowledged;
  }

  /** Every message through `index`, which is committed, was dealt with. Those that were not told yet are skipped. */
  acknowledge(index: LogIndex): void {
    this.#acknowledged = Math.max(this.#acknowledged, index);
    this.#cursor = Math.max(this.#cursor, index);
  }

  /** The log of the running peer, whose newest entries are in memory. */
  follow(log: LogView): void {
    this.#log = log;
  }

  /** Everything through `commit` is committed. */
  through(commit: LogIndex): void {
    this.#limit = Math.max(this.#limit, commit);
    this.#run();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  #run(): void {
    if (this.#running) return; // a listener that resumes from inside an event
    this.#running = true;
    while (!this.#paused && this.#cursor < this.#limit) {
      const entry = this.#log?.entryAt(this.#cursor + 1) ?? null;
      if (entry !== null) this.#deliver(entry);
      else {
        const entries = this.#source.readEntries(this.#cursor + 1, Math.min(READ_ENTRIES, this.#limit - this.#cursor));
        if (entries.length === 0) break;
        for (const read of entries) {
          if (this.#paused) break;
          // The listener may have acknowledged more meanwhile.
          if (read.index > this.#cursor) this.#deliver(read);
        }
      }
    }
    this.#running = false;
  }

  #deliver(entry: Entry): void {
    this.#cursor = entry.index;
    if (entry.kind === "chat") this.#told = entry.index;
    const told = toTold(entry);
    if (told !== null) this.#emit(told);
  }
}

export interface MessageBlock {
  readonly messages: readonly DeliveredMessage[];
  readonly through: LogIndex;
}

/** Committed messages after `after`, of one room or of all, from one block of the log: a long log is read in many turns. */
export function readMessages(source: EntrySource, log: LogView, after: LogIndex, room: string | null): MessageBlock {
  const count = Math.min(READ_ENTRIES, log.commit - after);
  if (count <= 0) return { messages: [], through: after };
  const entries: Entry[] = [];
  while (entries.length < count) {
    const entry = log.entryAt(after + 1 + entries.length);
    if (entry === null) break;
    entries.push(entry);
  }
  if (entries.length === 0) entries.push(...source.readEntries(after + 1, count));
  const messages = entries.filter((e) => e.kind === "chat" && (room === null || e.room_id === room)).map(toMessage);
  return { messages, through: after + entries.length };
}
