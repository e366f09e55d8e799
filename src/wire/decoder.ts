/**
 * Turns the bytes of one connection back into frames, in whatever pieces they come. Every limit is checked before
 * memory is allocated for data beyond it [W3]. Anything wrong is one WireError, after which the connection cannot be
 * used [W4].
 */
import * as v from "valibot";
import { FRAME_BYTES_MAX, GREETING_BYTES_MAX } from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import type { Entry } from "../core/log-entry.ts";
import {
  commonVersion,
  OWN_VERSIONS,
  refuseVersions,
  showVersions,
  type Versions,
  versionsOf,
} from "../core/versions.ts";
import { ChatReader } from "./drafts.ts";
import { EntryReader } from "./entry.ts";
import { FRAMES, type FrameType, LATER_GREETINGS } from "./schemas.ts";
import { parseObject, quote } from "./text.ts";
import { WireError, WrongVersion } from "./wire-error.ts";

const NEWLINE = 0x0a;

type EntryHeader = v.InferOutput<(typeof FRAMES)["SEQ_CHAT"]> | v.InferOutput<(typeof FRAMES)["CATCHUP_RESP"]>;

export class FrameDecoder {
  /** The bytes to read are #bytes[#start, #end). Bytes before #start belong to entries that were handed out. */
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;
  /** #bytes was allocated here, and may be written behind #end. */
  #own = false;
  /** There is no newline before here: so a long line that comes in small pieces is searched only once. */
  #searched = 0;
  /** Pieces that arrived after #bytes. */
  readonly #arrived: Uint8Array[] = [];
  /** The header whose entry lines are awaited, and those that have come. */
  #header: EntryHeader | null = null;
  #lines: { readonly entries: Entry[]; crc: number; bytes: number } = { entries: [], crc: 0, bytes: 0 };
  #greeted = false;
  readonly #entries = new EntryReader();
  readonly #chats = new ChatReader();
  readonly #versions: Versions;

  /** `versions`: the protocol versions that this side speaks. */
  constructor(versions: Versions = OWN_VERSIONS) {
    this.#versions = versions;
  }

  /** The bytes become the decoder's: entries refer to them. */
  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#arrived.push(bytes);
  }

  /** Part of the next frame has arrived. */
  get isWithinFrame(): boolean {
    return this.#header !== null || this.#start < this.#end;
  }

  /** The next whole frame, or null until more bytes come. Throws WireError. */
  next(): Frame | null {
    do {
      const frame = this.#next();
      if (frame !== null) return frame;
    } while (this.#goOn());
    return null;
  }

  #next(): Frame | null {
    if (this.#header === null) {
      const end = this.#lineEnd(this.#end, this.#greeted ? FRAME_BYTES_MAX : GREETING_BYTES_MAX);
      if (end < 0) return null;
      const start = this.#start;
      this.#start = this.#searched = end + 1;
      const frame = this.#parse(start, end);
      if (frame !== null) return frame;
    }
    return this.#header === null ? null : this.#nextEntries(this.#header);
  }

  /** Goes on to the next piece that arrived. Only the rest of a line that has begun is copied. */
  #goOn(): boolean {
    const bytes = this.#arrived.shift();
    if (bytes === undefined) return false;
    if (this.#start === this.#end) {
      this.#bytes = bytes as Uint8Array<ArrayBuffer>;
      this.#own = false;
      this.#start = this.#searched = 0;
      this.#end = bytes.length;
      return true;
    }
    const lineEnd = bytes.indexOf(NEWLINE) + 1;
    const rest = lineEnd === 0 ? bytes : bytes.subarray(0, lineEnd);
    if (rest.length < bytes.length) this.#arrived.unshift(bytes.subarray(lineEnd));
    if (!this.#own || this.#bytes.length - this.#end < rest.length) {
      const begun = this.#bytes.subarray(this.#start, this.#end);
      const length = begun.length + rest.length;
      this.#bytes = new Uint8Array(lineEnd === 0 ? 2 * length : length);
      this.#own = true;
      this.#bytes.set(begun);
      this.#start = 0;
      this.#end = begun.length;
    }
    this.#bytes.set(rest, this.#end);
    this.#end += rest.length;
    this.#searched = lineEnd === 0 ? this.#end : this.#end - 1;
    return true;
  }

  #parse(start: number, end: number): Frame | null {
    const chat = this.#greeted ? this.#chats.read(this.#bytes, start, end) : null;
    if (chat !== null) return chat;
    const object = parseObject(this.#bytes, start, end);
    const type = object.type as FrameType;
    if (typeof type !== "string" || !Object.hasOwn(FRAMES, type))
      throw new WireError(`unknown message: ${quote(this.#bytes, start, end)}`);
    const greets = type === "HELLO" || type === "ATTACH" || type === "REDEEM";
    if (!this.#greeted && !greets && type !== "REFUSE") throw new WireError(`${type} before HELLO`);
    const result = v.safeParse(greets ? this.#schemaOf(type, object) : FRAMES[type], object, { abortEarly: true });
    if (!result.success) {
      const [issue] = result.issues;
      throw new WireError(`${type} with a wrong ${v.getDotPath(issue) ?? "shape"}: ${issue.message}`);
    }
    this.#greeted = true;
    const parsed = result.output;
    if (parsed.type === "SEQ_CHAT" || parsed.type === "CATCHUP_RESP") {
      this.#header = parsed;
      this.#lines = { entries: [], crc: parsed.prev_crc, bytes: 0 };
      return null;
    }
    return parsed;
  }

  /** Throws WrongVersion if both sides have no version in common, whatever else the greeting says. */
  #schemaOf(type: keyof typeof LATER_GREETINGS, { version, version_min = version }: Record<string, unknown>) {
    if (typeof version !== "number" || typeof version_min !== "number") return FRAMES[type];
    const theirs = versionsOf({ version, version_min });
    if (!(Number.isSafeInteger(version) && Number.isSafeInteger(version_min) && version_min <= version))
      throw new WireError(`${type} with wrong versions: ${showVersions(theirs)}`);
    if (commonVersion(this.#versions, theirs) === null) throw new WrongVersion(refuseVersions(this.#versions, theirs));
    return version > this.#versions.max ? LATER_GREETINGS[type] : FRAMES[type];
  }

  #nextEntries(header: EntryHeader): Frame | null {
    const lines = this.#lines;
    while (lines.bytes < header.bytes) {
      const start = this.#start;
      const frameEnd = start + header.bytes - lines.bytes;
      const known = Math.min(this.#end, frameEnd);
      const newline = this.#lineEnd(known, FRAME_BYTES_MAX);
      if (newline < 0) {
        if (known === frameEnd) throw new WireError(`${header.type} whose last entry does not end`);
        return null;
      }
      const entry = this.#entries.read(this.#bytes, start, newline + 1, lines.crc, known);
      if (entry.index !== header.prev_index + lines.entries.length + 1)
        throw new WireError(`${header.type} with index ${entry.index} out of turn`);
      lines.entries.push(entry);
      lines.crc = entry.crc;
      lines.bytes += newline + 1 - start;
      this.#start = this.#searched = newline + 1;
    }
    const { entries } = lines;
    if (entries.length !== header.count)
      throw new WireError(`${header.type} announced ${header.count} entries and brought ${entries.length}`);
    this.#header = null;
    const { count: _count, bytes: _bytes, ...frame } = header;
    return { ...frame, entries };
  }

  /** Where the newline of the next line stands, in front of `limit`, or -1. */
  #lineEnd(limit: number, bytesMax: number): number {
    const bytes = this.#end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#end);
    const newline = bytes.indexOf(NEWLINE, this.#searched);
    const found = newline >= 0 && newline < limit;
    const length = (found ? newline : limit) - this.#start;
    if (length > bytesMax) throw new WireError(`a line of more than ${bytesMax} bytes`);
    if (found) return newline;
    this.#searched = limit;
    return -1;
  }
}
