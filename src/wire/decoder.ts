/**
 * Bytes from one connection back into frames, whatever the pieces they come in. Every limit is checked before anything
 * is allocated for what exceeds it [W3]; whatever is wrong is one WireError, after which the connection is of no use [W4].
 */
import * as v from "valibot";
import { FRAME_BYTES_MAX, PROTOCOL_VERSION } from "../core/config.ts";
import type { Entry, Frame } from "../core/message.ts";
import { DRAFTS } from "./drafts.ts";
import { EntryReader } from "./entry.ts";
import { WireError, WrongVersion } from "./errors.ts";
import { FRAMES, type FrameType } from "./schemas.ts";
import { parseObject, quote } from "./text.ts";

/** Before HELLO nobody is known: a small line is all that is listened to. */
const GREETING_BYTES_MAX = 4096;
const NEWLINE = 0x0a;

/** The schemas, with a check by hand of what comes by the thousand. */
const CHECKS = {
  ...FRAMES,
  CHAT: v.strictObject({ ...FRAMES.CHAT.entries, messages: DRAFTS }),
  PENDING: v.strictObject({ ...FRAMES.PENDING.entries, messages: DRAFTS }),
};

type EntryHeader = v.InferOutput<(typeof FRAMES)["SEQ_CHAT"]> | v.InferOutput<(typeof FRAMES)["CATCHUP_RESP"]>;

export class FrameDecoder {
  /** What arrived and is not used up: #bytes[#start, #end). Bytes before #start belong to entries handed out. */
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** #bytes was made here and may be written behind #end. */
  #own = false;
  /** Up to here there is no newline: a long line in small pieces is searched once. */
  #searched = 0;
  /** Header whose entry lines are awaited. */
  #header: EntryHeader | null = null;
  #greeted = false;
  readonly #entries = new EntryReader();

  /**
   * The bytes become the decoder's: entries refer to them. Where a frame comes in pieces they are joined in a buffer not
   * much larger than itself, so an entry never pins much more than its neighbours.
   */
  push(bytes: Uint8Array): void {
    if (this.#start === this.#end) {
      this.#bytes = bytes as Uint8Array<ArrayBuffer>;
      this.#own = false;
      this.#start = this.#searched = 0;
      this.#end = bytes.length;
      return;
    }
    if (!this.#own || this.#bytes.length - this.#end < bytes.length) {
      const rest = this.#bytes.subarray(this.#start, this.#end);
      // All of an announced frame in one go, and what came behind its end; of a line the length is not known.
      const whole = rest.length + bytes.length;
      const room = this.#header === null ? 2 * whole : Math.max(whole, this.#header.bytes + bytes.length);
      this.#bytes = new Uint8Array(room);
      this.#own = true;
      this.#bytes.set(rest);
      this.#searched -= this.#start;
      this.#start = 0;
      this.#end = rest.length;
    }
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The next whole frame, or null until more bytes come. Throws WireError. */
  next(): Frame | null {
    if (this.#header !== null) return this.#nextEntries(this.#header);
    const end = this.#lineEnd(this.#greeted ? FRAME_BYTES_MAX : GREETING_BYTES_MAX);
    if (end < 0) return null;
    const start = this.#start;
    this.#start = this.#searched = end + 1;
    const frame = this.#parse(start, end);
    if (frame !== null) return frame;
    return this.#header === null ? null : this.#nextEntries(this.#header);
  }

  #parse(start: number, end: number): Frame | null {
    const object = parseObject(this.#bytes, start, end);
    const type = object.type as FrameType;
    if (typeof type !== "string" || !Object.hasOwn(FRAMES, type))
      throw new WireError(`unknown message: ${quote(this.#bytes, start, end)}`);
    const greets = type === "HELLO" || type === "ATTACH";
    if (!this.#greeted && !greets && type !== "REFUSE") throw new WireError(`${type} before HELLO`);
    if (greets && Number.isSafeInteger(object.version) && object.version !== PROTOCOL_VERSION)
      throw new WrongVersion(
        `this peer speaks protocol version ${PROTOCOL_VERSION}, not ${object.version}: run the same chatpeer everywhere`,
      );
    const result = v.safeParse(CHECKS[type], object, { abortEarly: true });
    if (!result.success) {
      // The schema says best what is wrong.
      const [issue] = v.safeParse(FRAMES[type], object, { abortEarly: true }).issues ?? result.issues;
      throw new WireError(`${type} with a wrong ${v.getDotPath(issue) ?? "shape"}: ${issue.message}`);
    }
    this.#greeted = true;
    const parsed = result.output;
    if (parsed.type === "SEQ_CHAT" || parsed.type === "CATCHUP_RESP") {
      this.#header = parsed;
      return null;
    }
    return parsed;
  }

  #nextEntries(header: EntryHeader): Frame | null {
    const bytes = this.#bytes;
    let start = this.#start;
    const end = start + header.bytes;
    if (end > this.#end) return null;
    this.#header = null;
    this.#start = this.#searched = end;
    const entries: Entry[] = [];
    let crc = header.prev_crc;
    while (start < end) {
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline < 0 || newline >= end) throw new WireError(`${header.type} whose last entry does not end`);
      const entry = this.#entries.read(bytes, start, newline + 1, crc, end);
      if (entry.index !== header.prev_index + entries.length + 1)
        throw new WireError(`${header.type} with index ${entry.index} out of turn`);
      entries.push(entry);
      crc = entry.crc;
      start = newline + 1;
    }
    if (entries.length !== header.count)
      throw new WireError(`${header.type} announced ${header.count} entries and brought ${entries.length}`);
    const { count: _count, bytes: _bytes, ...frame } = header;
    return { ...frame, entries };
  }

  /** Where the newline of the next line stands, or -1. */
  #lineEnd(bytesMax: number): number {
    const bytes = this.#end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#end);
    const newline = bytes.indexOf(NEWLINE, this.#searched);
    const length = (newline < 0 ? this.#end : newline) - this.#start;
    if (length > bytesMax) throw new WireError(`a line of more than ${bytesMax} bytes`);
    if (newline < 0) this.#searched = this.#end;
    return newline;
  }
}
