/** Limits on what the holder of a token may do in a time. All connections of a token share them [A9]. */
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

/** Beyond this number, allowances that nobody has used for a while are forgotten. */
const KEPT_MAX = 256;

export interface Allowance {
  /** Limits messages: more of them wait. */
  readonly messages: Bucket;
  /** Limits bytes of the log: the next piece waits. */
  readonly reading: Bucket;
  /** Limits frames of any kind: a client that sends more is refused. */
  readonly frames: Bucket;
}

export class Allowances {
  readonly #byToken = new Map<string, Allowance>();

  /** The allowance of a token. A client that reconnects gets the same one, so it gains nothing. */
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

  /** Full buckets can be forgotten: new ones are full as well. */
  #forgetUntouched(now: Millis): void {
    for (const [token, { messages, reading, frames }] of this.#byToken)
      if (messages.isFull(now) && reading.isFull(now) && frames.isFull(now)) this.#byToken.delete(token);
  }
}
