/**
 * Limits what a client does in a time [A9]: a burst at once, then a rate. What exceeds the limit is not refused. It waits,
 * so a client that floods slows down itself and nobody else.
 */
import type { Millis } from "../../core/ids.ts";
import type { Clock, Timer } from "../contracts.ts";

/** A token bucket. It fills at a rate, and each piece of work takes from it. */
export class Bucket {
  readonly #perMs: number;
  readonly #burst: number;
  #level: number;
  #at: Millis;

  constructor(perSecond: number, burst: number, now: Millis) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#level = burst;
    this.#at = now;
  }

  /** Whole milliseconds until the bucket holds `count`, or is full. */
  wait(count: number, now: Millis): Millis {
    this.#fill(now);
    return Math.max(0, Math.ceil((Math.min(count, this.#burst) - this.#level) / this.#perMs));
  }

  /** Takes `count`, even if the bucket holds less: the next piece waits longer then. */
  take(count: number, now: Millis): void {
    this.#fill(now);
    this.#level -= count;
  }

  isFull(now: Millis): boolean {
    this.#fill(now);
    return this.#level >= this.#burst;
  }

  #fill(now: Millis): void {
    this.#level = Math.min(this.#burst, this.#level + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}

interface Piece {
  readonly count: number;
  readonly bytes: number;
  readonly go: () => void;
}

/** Lets pieces of one client go in their order, each when the bucket holds enough for it. */
export class Pace {
  readonly #clock: Clock;
  readonly #bucket: Bucket;
  readonly #bytesMax: number;
  #waiting: Piece[] = [];
  #bytes = 0;
  #timer: Timer | null = null;

  /** `bytesMax`: of all pieces that wait. A piece that waits alone may be larger. */
  constructor(clock: Clock, bucket: Bucket, bytesMax: number) {
    this.#clock = clock;
    this.#bucket = bucket;
    this.#bytesMax = bytesMax;
  }

  /** So many go at once. */
  allows(count: number): boolean {
    return this.#waiting.length === 0 && this.#bucket.wait(count, this.#clock.now()) === 0;
  }

  /** `go` runs now or later. False: too much waits already. */
  offer(count: number, bytes: number, go: () => void): boolean {
    if (this.#bytes + bytes > this.#bytesMax && this.#waiting.length > 0) return false;
    this.#waiting.push({ count, bytes, go });
    this.#bytes += bytes;
    if (this.#timer === null) this.#run();
    return true;
  }

  /** What waits never goes. */
  drop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#waiting = [];
    this.#bytes = 0;
  }

  #run(): void {
    for (let piece = this.#waiting[0]; piece !== undefined; piece = this.#waiting[0]) {
      const wait = this.#bucket.wait(piece.count, this.#clock.now());
      if (wait > 0) {
        this.#timer = this.#clock.after(wait, () => {
          this.#timer = null;
          this.#run();
        });
        return;
      }
      this.#bucket.take(piece.count, this.#clock.now());
      this.#waiting.shift();
      this.#bytes -= piece.bytes;
      piece.go();
    }
  }
}
