/**
 * How many bytes of bulk may be under way on one connection, so that urgent frames wait only a little [W5]. A PING
 * behind bulk is answered when everything before it has arrived, so its round trip shows how long those bytes took.
 * While that is hardly longer than the round trip of an empty line, the window doubles. Otherwise the window is what
 * the line was seen to carry in such a round trip plus `QUEUE_MS` (the rule of FAST TCP; Wei, Jin, Low & Hegde 2006).
 * Anything more would only wait in the kernel's buffers.
 */

import { Estimator } from "../../core/estimator.ts";

/**
 * Milliseconds that bytes may queue in front of a narrow line: short beside a leader timeout, long beside this
 * process's own pauses.
 */
const QUEUE_MS = 200;
/** The window of a new connection, in bytes. No line gets less, however slow it is. */
const LEAST_BYTES = 8 * 1024;
/** A frame is no smaller than this; otherwise its head would be a large part of it. */
const FRAME_LEAST_BYTES = LEAST_BYTES / 2;
/**
 * Size of one answer, in windows, so that the pause between two requests is a small part: for short and for long round
 * trips.
 */
const [ANSWER_WINDOWS, FAR_ANSWER_WINDOWS] = [2, 8];
/** The largest window, in bytes: more than a fast line has under way. */
const MOST_BYTES = 16 * 1024 * 1024;
/** One late answer makes the window no smaller than this part of it. */
const SHRINK = 1 / 2;
/**
 * Weight of one more round trip in the mean. A mean is used, because on a line where round trips differ the shortest is
 * no measure.
 */
const BASE_WEIGHT = 1 / 4;

/** One late answer counts for at most this many milliseconds more than expected: a pulled cable is no slow line. */
const SURPRISE_MS = 1000;

interface Mark {
  readonly at: number;
  /** Number of bytes sent before it since the connection began. */
  readonly through: number;
  /** How many of these were under way when it was sent. */
  readonly underWay: number;
}

export class Window {
  /** In bytes. */
  size = LEAST_BYTES;
  /** How long the answer to a PING takes, including the bytes sent before the PING. */
  readonly answers = new Estimator(SURPRISE_MS);
  #written = 0;
  #arrived = 0;
  #marked = 0;
  /** Everything written by this time has arrived. */
  arrivedUntil = Number.NEGATIVE_INFINITY;
  /** Round trip in milliseconds with almost nothing queued in front. */
  #base = Number.POSITIVE_INFINITY;
  /** PINGs that are not answered yet, oldest first. */
  #marks: Mark[] = [];

  /** Bytes written that are not known to have arrived. */
  get underWay(): number {
    return this.#written - this.#arrived;
  }

  /** Whether one more frame may follow. A half-filled window is full enough, and a larger frame goes alone. */
  get isOpen(): boolean {
    return this.underWay < this.size - this.frame / 2;
  }

  /**
   * Bytes of one answer: enough to make the pause before the next request a small part, however far away the other side
   * is.
   */
  get answer(): number {
    return this.size * (ANSWER_WINDOWS + (FAR_ANSWER_WINDOWS - ANSWER_WINDOWS) * (1 - this.#queueShare));
  }

  /** Bytes of one frame: half of what may queue; otherwise bursts would look like a full line. */
  get frame(): number {
    return Math.max(FRAME_LEAST_BYTES, Math.floor((this.size * this.#queueShare) / 2));
  }

  /** The part of the window that may queue, beyond what the round trip itself holds. */
  get #queueShare(): number {
    return Number.isFinite(this.#base) ? QUEUE_MS / (this.#base + QUEUE_MS) : 1;
  }

  /** A PING should follow what was written. */
  get wantsMark(): boolean {
    return this.#written - this.#marked >= this.frame;
  }

  /** Something was written and no PING follows it, so nobody would know when it has arrived. */
  get hasUnmarked(): boolean {
    return this.#written > this.#marked;
  }

  /** When the oldest unanswered PING behind bulk was sent; null: there is none. */
  get waitsSince(): number | null {
    return this.#marks.find((mark) => mark.through > this.#arrived)?.at ?? null;
  }

  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** A PING was written with this value in it. No two have the same. */
  mark(at: number): void {
    this.#marked = this.#written;
    this.#marks.push({ at, through: this.#written, underWay: this.underWay });
  }

  /** The PING with `at` was answered. Returns whether the size has changed. */
  answered(at: number, now: number): boolean {
    const place = this.#marks.findIndex((mark) => mark.at === at);
    const mark = this.#marks[place];
    if (mark === undefined) return false;
    this.#marks = this.#marks.slice(place + 1);
    this.#arrived = mark.through;
    this.arrivedUntil = at;
    const took = Math.max(now - at, 0.01);
    this.answers.add(took);
    const before = this.size;
    if (mark.underWay <= LEAST_BYTES || this.#base === Number.POSITIVE_INFINITY) this.#learn(took);
    // A few bytes measure nothing: the time was spent on other bytes.
    if (mark.underWay < this.size / 2) return false;
    const fit = took <= this.#base + QUEUE_MS / 2 ? 2 : (this.#base + QUEUE_MS) / took;
    if (fit < 1)
      this.size = Math.max(LEAST_BYTES, Math.ceil(SHRINK * before), Math.min(before, Math.floor(fit * mark.underWay)));
    // Only a window that was full shows that more would pass.
    else if (mark.underWay + this.frame > before)
      this.size = Math.min(MOST_BYTES, Math.floor(Math.min(fit, 2) * before));
    return this.size !== before;
  }

  #learn(took: number): void {
    this.#base = Number.isFinite(this.#base) ? this.#base + BASE_WEIGHT * (took - this.#base) : took;
  }
}
