/**
 * One session's messages until the log shows them [S1] [S2]. Ids alone prove nothing: whoever knows a session can
 * number texts in it. So an entry is this sender's own only if it holds the text that was typed under its number. Once
 * an entry does not, the messages under way here are still decided, and all others go on in another session [S10].
 */
import type { Draft, Entry } from "./log-entry.ts";
import { messageId } from "./message-id.ts";
import { weigh } from "./weigh.ts";

/**
 * What an entry of this session is. "own": that message is sent. "lost": another text than the typed one got its
 * number. "strange": it has a number under which this sender has sent nothing to anybody.
 */
export type Verdict = "own" | "lost" | "strange";

/** A message and the counter under which it was typed. */
export interface Numbered {
  readonly counter: number;
  readonly draft: Draft;
}

/** Number of settled drafts that are dropped together. */
const SETTLED_KEPT = 1024;

export class OwnSession {
  name: string;
  /** `<sender_id>.<session>`, as entries have it. */
  key: string;
  /** Counter of the first message that the log has not decided on; `at(first)` is that one. */
  first: number;
  /** Highest counter that ever went to anybody: an entry up to there may be this sender's. */
  reached: number;
  /** Somebody else writes in this session. */
  isSpoiled = false;
  readonly #lost: Numbered[] = [];
  #drafts: Draft[];
  #head = 0;

  constructor(name: string, key: string, first = 1, drafts: readonly Draft[] = [], reached = first - 1) {
    this.name = name;
    this.key = key;
    this.first = first;
    this.reached = reached;
    this.#drafts = [...drafts];
  }

  /** Messages that the log has not decided on. */
  get length(): number {
    return this.#drafts.length - this.#head;
  }

  /** Messages that are not sent. */
  get pending(): number {
    return this.length + this.#lost.length;
  }

  get next(): number {
    return this.first + this.length;
  }

  at(counter: number): Draft | undefined {
    return this.#drafts[this.#head + counter - this.first];
  }

  /** What the drafts `from` … `through` weigh. */
  weigh(from: number, through: number): number {
    let weight = 0;
    for (let counter = from; counter <= through; counter++) weight += weigh(this.at(counter) as Draft);
    return weight;
  }

  drafts(max = this.length): readonly Draft[] {
    return this.#drafts.slice(this.#head, this.#head + max);
  }

  push(drafts: readonly Draft[]): void {
    for (const draft of drafts) this.#drafts.push(draft);
  }

  /** The last one that may go out. In a spoiled session only those that have gone out before may. */
  get last(): number {
    return this.isSpoiled ? Math.min(this.reached, this.next - 1) : this.next - 1;
  }

  /** Nothing of it is under way any more, and nothing more goes out here. */
  get isOver(): boolean {
    return this.isSpoiled && this.first > this.reached;
  }

  /** Takes a committed entry of this session; null: it was decided before. */
  take(entry: Entry): Verdict | null {
    if (entry.counter < this.first || this.isOver) return null;
    const draft = entry.counter === this.first ? this.at(this.first) : undefined;
    if (draft !== undefined && saysSame(draft, entry)) {
      this.forward();
      return "own";
    }
    this.isSpoiled = true;
    if (draft === undefined || this.first > this.reached) return "strange";
    this.#lost.push({ counter: this.first, draft });
    this.forward();
    return "lost";
  }

  /** The first `count` are decided on. */
  forward(count = 1): void {
    this.first += count;
    this.#head += count;
    if (this.#head < SETTLED_KEPT && this.#head < this.#drafts.length) return;
    this.#drafts = this.#drafts.slice(this.#head);
    this.#head = 0;
  }

  /** All that is not sent, in the order in which it was typed. */
  rest(): readonly Numbered[] {
    return [...this.#lost, ...this.drafts().map((draft, i) => ({ counter: this.first + i, draft }))];
  }
}

/**
 * Whether the entry holds the draft, by what people see of a message. The time is left out: a clock says nothing about
 * whose message it is.
 */
export function saysSame(draft: Draft, entry: Pick<Entry, "room_id" | "user" | "text">): boolean {
  return draft.payload === entry.text && draft.room_id === entry.room_id && draft.user === entry.user;
}

/** Characters of the other text that are shown, as a hint whose it is. */
const SHOWN_CHARACTERS_MAX = 40;

/** For the person whose session it is. */
export function numberTaken(entry: Entry, verdict: "lost" | "strange"): string {
  const text = JSON.stringify(entry.text.slice(0, SHOWN_CHARACTERS_MAX));
  const what =
    verdict === "lost"
      ? "what was typed here under that number is not sent: it goes out again"
      : "your messages go out";
  return `somebody else has written in your name: message ${messageId(entry)} is ${text} of ${JSON.stringify(entry.user)}; ${what} under new numbers`;
}
