/**
 * How many bytes of bulk may be under way on one connection, so that what must not wait has little to wait for [W5]. A
 * PING behind bulk is answered when everything in front of it has arrived: its round trip says how long those bytes took.
 * As long as that is hardly longer than a round trip of nothing, twice as many may follow; otherwise as many as the line
 * was seen to carry in such a round trip and `QUEUE_MS` (the rule of FAST TCP; Wei, Jin, Low & Hegde 2006). What the kernel
 * would take besides only stands in its buffers.
 */

/** So long may bytes stand in front of a narrow line, in milliseconds: short beside a heartbeat, long beside our own pauses. */
const QUEUE_MS = 200;
/** A new connection begins with so many bytes, and no line is so slow that it gets fewer. */
const LEAST_BYTES = 8 * 1024;
/** A frame is no smaller than this, or its head would be a large part. */
const FRAME_LEAST_BYTES = LEAST_BYTES / 2;
/** Whoever asks for so many windows at a time is seldom between two questions: where these are short, and where they are long. */
const [ANSWER_WINDOWS, FAR_ANSWER_WINDOWS] = [2, 8];
/** More than a fast line has under way, in bytes. */
const MOST_BYTES = 16 * 1024 * 1024;
/** One late answer does not halve it more than once. */
const SHRINK = 1 / 2;
/** Weight of one more round trip. A mean of them, because on a line where they differ the shortest is no measure. */
const BASE_WEIGHT = 1 / 4;

interface Mark {
  readonly at: number;
  /** All bytes in front of it since the connection began. */
  readonly through: number;
  /** Of these, how many were under way when it was sent. */
  readonly underWay: number;
}

export class Window {
  /** In bytes. */
  size = LEAST_BYTES;
  #written = 0;
  #arrived = 0;
  #marked = 0;
  /** What was written by then has arrived. */
  arrivedUntil = Number.NEGATIVE_INFINITY;
  /** Round trip in milliseconds of what has next to nothing in front of it. */
  #base = Number.POSITIVE_INFINITY;
  /** PINGs that are not answered yet, oldest first. */
  #marks: Mark[] = [];

  /** Bytes written and not known to have arrived. */
  get underWay(): number {
    return this.#written - this.#arrived;
  }

  /** One more frame may follow: one of half its size is full enough, and a larger one goes alone. */
  get isOpen(): boolean {
    return this.underWay < this.size - this.frame / 2;
  }

  /** Bytes of one answer: so many that the pause before the next question is a small part, wherever that has to go. */
  get answer(): number {
    return this.size * (ANSWER_WINDOWS + (FAR_ANSWER_WINDOWS - ANSWER_WINDOWS) * (1 - this.#queueShare));
  }

  /** Bytes of one frame: half of what may queue, or bursts would look like a line that is full. */
  get frame(): number {
    return Math.max(FRAME_LEAST_BYTES, Math.floor((this.size * this.#queueShare) / 2));
  }

  /** The part of the window that is not for the way there and back. */
  get #queueShare(): number {
    return Number.isFinite(this.#base) ? QUEUE_MS / (this.#base + QUEUE_MS) : 1;
  }

  /** A PING should follow what was written. */
  get wantsMark(): boolean {
    return this.#written - this.#marked >= this.frame;
  }

  /** Something was written that no PING follows: nobody would know when it has arrived. */
  get hasUnmarked(): boolean {
    return this.#written > this.#marked;
  }

  /** Since when the oldest PING that stands behind bulk has waited for its answer; null: none does. */
  get waitsSince(): number | null {
    return this.#marks.find((mark) => mark.through > this.#arrived)?.at ?? null;
  }

  wrote(bytes: number): void {
    this.#written += bytes;
  }

  /** A PING was written, with this in it; no two have the same. */
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
    const before = this.size;
    if (mark.underWay <= LEAST_BYTES || this.#base === Number.POSITIVE_INFINITY) this.#learn(took);
    // A few bytes say nothing: what they waited for were not themselves.
    if (mark.underWay < this.size / 2) return false;
    const fit = took <= this.#base + QUEUE_MS / 2 ? 2 : (this.#base + QUEUE_MS) / took;
    if (fit < 1)
      this.size = Math.max(LEAST_BYTES, Math.ceil(SHRINK * before), Math.min(before, Math.floor(fit * mark.underWay)));
    // Only a window that was full says that more would pass.
    else if (mark.underWay + this.frame > before)
      this.size = Math.min(MOST_BYTES, Math.floor(Math.min(fit, 2) * before));
    return this.size !== before;
  }

  #learn(took: number): void {
    this.#base = Number.isFinite(this.#base) ? this.#base + BASE_WEIGHT * (took - this.#base) : took;
  }
}
