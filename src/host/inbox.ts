/**
 * Hands messages to a program that reads at its own pace: at least once, by acknowledgement [C1]. A message that was
 * handed out is "in hand" until the reader is done with it; only then does the directory's cursor move on. If the
 * program dies before, the next process hands it out again. A message that a reader gives back goes to the reader that
 * asks next. While nobody asks, messages wait in the log [C2].
 *
 *   delivery ──▶ waiting ──take──▶ in hand ──done──▶ acknowledged
 *                   ▲                 │
 *                   └─── give back ───┘
 */
import type { LogIndex } from "../core/ids.ts";
import type { DeliveredMessage } from "./events.ts";

/** Messages that wait in memory, and UTF-16 units of their texts. Each reader may have as many more in hand. */
const WAITING_MESSAGES_MAX = 1024;
const WAITING_CHARS_MAX = 4 * 1024 * 1024;

export interface InboxHost {
  pauseDelivery(): void;
  resumeDelivery(): void;
  acknowledge(through: LogIndex): void;
}

/** Messages that one reader has in hand, at least one, in log order. */
export interface Hand {
  readonly messages: readonly DeliveredMessage[];
}

export class Inbox {
  readonly #host: InboxHost;
  /** Messages that were delivered and nobody has in hand, in log order, from `#head` on. */
  #waiting: DeliveredMessage[] = [];
  #head = 0;
  #chars = 0;
  #paused = false;
  readonly #hands = new Set<Hand>();
  /** The highest index that was handed out, or acknowledged by hand. */
  #handedOut: LogIndex = 0;
  /** Everything through here was acknowledged by hand. */
  #byHand: LogIndex = 0;
  #acknowledged: LogIndex = 0;

  constructor(host: InboxHost) {
    this.#host = host;
  }

  /** Takes a delivered message, the next one in the log. */
  push(message: DeliveredMessage): void {
    this.#waiting.push(message);
    this.#chars += message.payload.length;
    if (this.#paused || (this.#count < WAITING_MESSAGES_MAX && this.#chars < WAITING_CHARS_MAX)) return;
    this.#paused = true;
    this.#host.pauseDelivery();
  }

  /** Hands out the next messages, at most `count`; null: there is none now. */
  take(count: number): Hand | null {
    if (this.#count === 0) return null;
    const end = Math.min(this.#waiting.length, this.#head + count);
    const messages =
      this.#head === 0 && end === this.#waiting.length ? this.#waiting : this.#waiting.slice(this.#head, end);
    this.#drop(end);
    const hand = { messages };
    this.#hands.add(hand);
    this.#handedOut = Math.max(this.#handedOut, lastOf(hand));
    this.#resume();
    return hand;
  }

  /** The reader is done with these messages. */
  done(hand: Hand): void {
    if (this.#hands.delete(hand)) this.#acknowledge();
  }

  /**
   * The reader ended before it was done: the next one that asks gets the messages that were not acknowledged by hand.
   */
  giveBack(hand: Hand): void {
    if (!this.#hands.delete(hand)) return;
    const undone = hand.messages.filter((m) => m.index > this.#byHand);
    const waiting = [...undone, ...this.#waiting.slice(this.#head)].sort((a, b) => a.index - b.index);
    this.#drop(this.#waiting.length);
    this.#waiting = waiting;
    this.#chars = waiting.reduce((sum, m) => sum + m.payload.length, 0);
  }

  /** Everything through `index` is done with, whichever reader has it. */
  acknowledge(index: LogIndex): void {
    if (index <= this.#byHand) return;
    this.#byHand = index;
    this.#handedOut = Math.max(this.#handedOut, index);
    const next = this.#waiting.findIndex((m, at) => at >= this.#head && m.index > index);
    this.#drop(next < 0 ? this.#waiting.length : next);
    this.#acknowledge();
    this.#resume();
  }

  get #count(): number {
    return this.#waiting.length - this.#head;
  }

  /** Drops what waits in front of `end`. */
  #drop(end: number): void {
    for (; this.#head < end; this.#head++)
      this.#chars -= (this.#waiting[this.#head] as DeliveredMessage).payload.length;
    if (this.#head < this.#waiting.length) return;
    this.#waiting = [];
    this.#head = 0;
  }

  /** Acknowledges through what was handed out, except for what is in hand or was given back. */
  #acknowledge(): void {
    let through = this.#handedOut;
    const waiting = this.#waiting[this.#head];
    if (waiting !== undefined) through = Math.min(through, waiting.index - 1);
    for (const { messages } of this.#hands) {
      const undone = messages.find((m) => m.index > this.#byHand);
      if (undone !== undefined) through = Math.min(through, undone.index - 1);
    }
    if (through <= this.#acknowledged) return;
    this.#acknowledged = through;
    this.#host.acknowledge(through);
  }

  #resume(): void {
    if (!this.#paused || this.#count > WAITING_MESSAGES_MAX / 2 || this.#chars > WAITING_CHARS_MAX / 2) return;
    this.#paused = false;
    this.#host.resumeDelivery();
  }
}

function lastOf({ messages }: Hand): LogIndex {
  return (messages[messages.length - 1] as DeliveredMessage).index;
}
