/**
 * How much a client may do in a time [A9]: so many at once, and then so many a second. What is more is not refused but made
 * to wait, so that whoever floods slows down itself and nobody else.
 */
import type { Millis } from "../../core/ids.ts";
import type { Clock, Timer } from "../contracts.ts";

/** A token bucket: it fills at a rate, and what is done takes out of it. */
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

  /** In so many whole milliseconds there is enough for `count`, or it is full; 0: now. */
  wait(count: number, now: Millis): Millis {
    this.#fill(now);
    return Math.max(0, Math.ceil((Math.min(count, this.#burst) - this.#level) / this.#perMs));
  }

  /** Takes out more than there is, too: that is waited for afterwards. */
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

/** What one client says, in its order, each piece when its bucket has enough for it. */
export class Pace {
  readonly #clock: Clock;
  readonly #bucket: Bucket;
  readonly #bytesMax: number;
  #waiting: Piece[] = [];
  #bytes = 0;
  #timer: Timer | null = null;

  /** `bytesMax`: of the pieces that wait; one that comes alone may be larger. */
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
