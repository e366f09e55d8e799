/** What the clients of a secured cluster may do in a time, each token by itself, on all its connections together [A9]. */
import {
  CLIENT_FRAMES_BURST,
  CLIENT_FRAMES_PER_SECOND,
  CLIENT_MESSAGES_BURST,
  CLIENT_MESSAGES_PER_SECOND,
  CLIENT_READ_BYTES_BURST,
  CLIENT_READ_BYTES_PER_SECOND,
} from "../../core/config.ts";
import type { Millis } from "../../core/ids.ts";
import { Bucket } from "./client-pace.ts";

/** More than one token's are looked through then for those that nobody misses. */
const KEPT_MAX = 256;

export interface Allowance {
  /** Messages: what is more waits. */
  readonly messages: Bucket;
  /** Bytes of the log: the next piece waits. */
  readonly reading: Bucket;
  /** Frames of any kind: who sends more has nothing good in mind. */
  readonly frames: Bucket;
}

export class Allowances {
  readonly #byToken = new Map<string, Allowance>();

  /** The same as long as it matters: who comes again has no more than who stays. */
  of(token: string, now: Millis): Allowance {
    const known = this.#byToken.get(token);
    if (known !== undefined) return known;
    if (this.#byToken.size >= KEPT_MAX) this.#forgetUntouched(now);
    const allowance = {
      messages: new Bucket(CLIENT_MESSAGES_PER_SECOND, CLIENT_MESSAGES_BURST, now),
      reading: new Bucket(CLIENT_READ_BYTES_PER_SECOND, CLIENT_READ_BYTES_BURST, now),
      frames: new Bucket(CLIENT_FRAMES_PER_SECOND, CLIENT_FRAMES_BURST, now),
    };
    this.#byToken.set(token, allowance);
    return allowance;
  }

  /** A full bucket is as good as a new one, also for who still has it. */
  #forgetUntouched(now: Millis): void {
    for (const [token, { messages, reading, frames }] of this.#byToken)
      if (messages.isFull(now) && reading.isFull(now) && frames.isFull(now)) this.#byToken.delete(token);
  }
}
