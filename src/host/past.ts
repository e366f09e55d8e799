/**
 * Looks into the committed past without holding up what goes on: a block at a time, and other work in between. For
 * questions whose answer may be far away, or nowhere.
 */
import type { LogIndex } from "../core/ids.ts";
import type { Entry } from "../core/message.ts";
import type { DeliveredMessage } from "../core/reports.ts";
import type { Clock } from "./contracts.ts";
import { type EntrySource, toMessage } from "./delivery.ts";

const BLOCK_ENTRIES = 1024;

export interface Wanted {
  readonly room: string;
  readonly count: number;
  /** Letter case aside, in the text or in the name; "": any. */
  readonly text: string;
  /** Of all texts together; one message is always taken. */
  readonly charsMax: number;
}

export class Past {
  readonly #clock: Clock;
  readonly #source: EntrySource;
  readonly #guarded: (work: () => void) => void;

  /** `guarded` deals with what reading throws: a disk that fails, a log found damaged. */
  constructor(clock: Clock, source: EntrySource, guarded: (work: () => void) => void) {
    this.#clock = clock;
    this.#source = source;
    this.#guarded = guarded;
  }

  /** The last ones at or below `through`, oldest first. */
  last(wanted: Wanted, through: LogIndex, done: (messages: DeliveredMessage[]) => void): void {
    const found = new Found(wanted);
    this.#backwards(through, found.take, () => done(found.messages.reverse()));
  }

  /** The first ones behind `after`, up to and including `through`. */
  first(wanted: Wanted, after: LogIndex, through: LogIndex, done: (messages: DeliveredMessage[]) => void): void {
    const found = new Found(wanted);
    this.#forwards(after + 1, through, found.take, () => done(found.messages));
  }

  /** Index of the entry before message `seq_no` of a room; `through` where that message is still to come. */
  place(room: string, seqNo: number, through: LogIndex, done: (before: LogIndex) => void): void {
    let before = through;
    const look = (entry: Entry): boolean => {
      if (entry.kind !== "chat" || entry.room_id !== room) return true;
      if (entry.seq_no >= seqNo) before = entry.index - 1;
      return entry.seq_no > seqNo;
    };
    this.#backwards(through, look, () => done(before));
  }

  /** Until `goesOn` says no, or the beginning. */
  #backwards(through: LogIndex, goesOn: (entry: Entry) => boolean, done: () => void): void {
    this.#clock.after(0, () =>
      this.#guarded(() => {
        const from = Math.max(1, through - BLOCK_ENTRIES + 1);
        const entries = through < 1 ? [] : this.#source.readEntries(from, through - from + 1);
        for (let i = entries.length - 1; i >= 0; i--) if (!goesOn(entries[i] as Entry)) return done();
        if (from <= 1) return done();
        this.#backwards(from - 1, goesOn, done);
      }),
    );
  }

  /** Until `goesOn` says no, or `through`. */
  #forwards(from: LogIndex, through: LogIndex, goesOn: (entry: Entry) => boolean, done: () => void): void {
    this.#clock.after(0, () =>
      this.#guarded(() => {
        const count = Math.min(BLOCK_ENTRIES, through - from + 1);
        const entries = count < 1 ? [] : this.#source.readEntries(from, count);
        for (const entry of entries) if (!goesOn(entry)) return done();
        if (entries.length === 0) return done();
        this.#forwards(from + entries.length, through, goesOn, done);
      }),
    );
  }
}

class Found {
  readonly messages: DeliveredMessage[] = [];
  readonly #wanted: Wanted;
  readonly #text: string;
  #chars = 0;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#text = wanted.text.toLowerCase();
  }

  /** False: there are enough. */
  readonly take = (entry: Entry): boolean => {
    const { room, count, charsMax } = this.#wanted;
    if (entry.kind !== "chat" || entry.room_id !== room) return true;
    if (!entry.text.toLowerCase().includes(this.#text) && !entry.user.toLowerCase().includes(this.#text)) return true;
    this.#chars += entry.text.length;
    if (this.#chars > charsMax && this.messages.length > 0) return false;
    this.messages.push(toMessage(entry));
    return this.messages.length < count;
  };
}
