/**
 * Looks into the committed past without holding up what goes on: backwards, a block at a time, and other work in
 * between. For questions whose answer may be far back, or nowhere.
 */
import type { LogIndex } from "../core/ids.ts";
import type { Entry } from "../core/message.ts";
import type { DeliveredMessage } from "../core/reports.ts";
import type { Clock } from "./contracts.ts";
import { type EntrySource, toMessage } from "./delivery.ts";

const BLOCK_ENTRIES = 1024;

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

  /** The last `count` messages of a room at or below `through` that hold `text` (letter case aside), oldest first. */
  search(
    { room, count, text, charsMax }: { room: string; count: number; text: string; charsMax: number },
    through: LogIndex,
    done: (messages: DeliveredMessage[]) => void,
  ): void {
    const found: DeliveredMessage[] = [];
    const wanted = text.toLowerCase();
    let chars = 0;
    const take = (entry: Entry): boolean => {
      if (entry.kind !== "chat" || entry.room_id !== room || !entry.text.toLowerCase().includes(wanted)) return true;
      chars += entry.text.length;
      if (chars > charsMax && found.length > 0) return false;
      found.push(toMessage(entry));
      return found.length < count;
    };
    if (count === 0) return void this.#clock.soon(() => done([]));
    this.#backwards(through, take, () => done(found.reverse()));
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
}
