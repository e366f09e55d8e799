/**
 * Delivers committed messages in index order, each once per directory [R6] [D7]: from memory while they are there,
 * else from the log on disk. A paused delivery costs nothing: the log is the queue.
 */
import type { LogIndex } from "../core/ids.ts";
import type { Entry } from "../core/message.ts";
import { messageId } from "../core/message-id.ts";
import type { ReadNote, SystemNote } from "../core/reports.ts";
import type { Log } from "../core/tail.ts";
import type { DeliveredMessage } from "./events.ts";
import { toReadNote, toSystemNote } from "./people.ts";

/** Entries read from disk at a time. */
const READ_ENTRIES = 1024;

/** What people hear of: the rest of the log is the peers' own business. */
export type Delivered = DeliveredMessage | SystemNote | ReadNote;

export interface EntrySource {
  /** Entries from `from`, at most `count`, fewer at the end of the log. */
  readEntries(from: LogIndex, count: number): Entry[];
}

export class Delivery {
  readonly #source: EntrySource;
  readonly #emit: (delivered: Delivered) => void;
  #log: Log | null = null;
  /** Last index delivered, and how far it may go. */
  #cursor: LogIndex;
  #limit: LogIndex = 0;
  #paused = false;
  #running = false;

  constructor(source: EntrySource, delivered: LogIndex, emit: (delivered: Delivered) => void) {
    this.#source = source;
    this.#cursor = delivered;
    this.#emit = emit;
  }

  get cursor(): LogIndex {
    return this.#cursor;
  }

  /** The log of the running peer, whose newest entries are in memory. */
  follow(log: Log): void {
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
          this.#deliver(read);
        }
      }
    }
    this.#running = false;
  }

  #deliver(entry: Entry): void {
    this.#cursor = entry.index;
    if (entry.kind === "chat") this.#emit(toMessage(entry));
    else if (entry.kind === "system") this.#emit(toSystemNote(entry));
    else if (entry.kind === "read") this.#emit(toReadNote(entry));
  }
}

export function toMessage(entry: Entry): DeliveredMessage {
  return {
    event: "message",
    index: entry.index,
    term: entry.term,
    room_id: entry.room_id,
    seq_no: entry.seq_no,
    sender_id: entry.sender_id,
    msg_id: messageId(entry),
    user: entry.user,
    payload: entry.text,
    ts: entry.ts,
  };
}
