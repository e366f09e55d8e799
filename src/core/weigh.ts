/** How much of a frame drafts take. */
import { BATCH_BYTES_MAX, FRAME_BYTES_MAX } from "./config.ts";
import type { Draft } from "./log-entry.ts";

/** Bytes of JSON for one UTF-16 unit, at most: a control character takes six, anything else fewer. */
const JSON_BYTES_MAX = 6;
/** What stands around a text: the field names, two names of 64 bytes, each of them escaped, and a time. */
const AROUND_BYTES_MAX = 384;
/** The frame's own fields. */
const HEAD_BYTES_MAX = 1024;

/** Roughly the bytes of a draft on the wire; a window needs it no more exactly. */
export function weigh(draft: Pick<Draft, "payload">): number {
  return 2 * draft.payload.length + 128;
}

/**
 * Messages that go into one frame: as many as are quick to send, and never more than a frame may hold, whatever their
 * content.
 */
export class Batch {
  readonly messages: Draft[] = [];
  /** What they weigh. */
  weight = 0;
  #bytesMost = HEAD_BYTES_MAX;
  readonly #weightMax: number;

  /** `weightMax`: no more is added once it weighs more. */
  constructor(weightMax = BATCH_BYTES_MAX / 2) {
    this.#weightMax = weightMax;
  }

  /** False: there is no room for this one. */
  add(draft: Draft): boolean {
    const bytesMost = this.#bytesMost + JSON_BYTES_MAX * draft.payload.length + AROUND_BYTES_MAX;
    if (this.weight > this.#weightMax || bytesMost > FRAME_BYTES_MAX) return false;
    this.#bytesMost = bytesMost;
    this.weight += weigh(draft);
    this.messages.push(draft);
    return true;
  }
}
