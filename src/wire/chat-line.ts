/**
 * Chat lines written and read fast. A leader writes them all in one form [L2], and what stands between the numbers and the text is
 * the same for each sender and room. So a line is held against the forms seen last, byte by byte; whatever fits none of
 * them, or is not plain in any other way, is left to the full check of `entry`, and its form is learned from that.
 *
 *   {"index":7 ,"term":…,"room_id":"general","seq_no":5 ,"sender_id":3,"msg_id":"3.k2x. 4 ","user":"eve","ts": 170… ,"payload":" hello "
 *   └ OPENING ┘└──────────────── place ──────────────┘ └───────── sender ─────────┘   └──── user ──────┘     └── PAYLOAD ─┘
 */
import { MESSAGE_BYTES_MAX } from "../core/config.ts";
import { sameBallot } from "../core/ids.ts";
import type { Entry } from "../core/message.ts";
import { jsonBytesMax, type LineWriter } from "./line-writer.ts";
import { decodeUtf8, encodeUtf8 } from "./text.ts";

interface Form {
  /** What is the same in each of its lines. */
  readonly of: Pick<Entry, "term" | "leader_id" | "inc" | "room_id" | "sender_id" | "session" | "user">;
  readonly place: Uint8Array;
  readonly sender: Uint8Array;
  readonly user: Uint8Array;
}

interface Block {
  chunk: Uint8Array;
  start: number;
  end: number;
  text: string | null;
}

/** A text that somebody keeps may keep the whole block: no more than this. */
const BLOCK_BYTES = 4096;
/** Senders times rooms that are told apart at a time. */
const FORMS_MAX = 16;
const QUOTE = 0x22;
/** 1 for each byte that cannot stand for itself in a JSON string. */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte < 0x20 || byte === QUOTE || byte === 0x5c));
/** A number of so many digits is exact in a double. */
const DIGITS_MAX = 15;

const OPENING = encodeUtf8('{"index":');
const PAYLOAD = encodeUtf8(',"payload":');
const COMMA = encodeUtf8(",");
/** More than all the rest of a line: names, ids and numbers are bounded. */
const HEAD_BYTES_MAX = 2048;

export class ChatLines {
  /** The one that fitted last stands first. */
  readonly #forms: Form[] = [];
  /** Behind what was read last. */
  #at = 0;
  /** chunk[start, end) decoded as a whole, if it is ASCII: to decode each text alone costs several times as much. */
  readonly #block: Block = { chunk: new Uint8Array(0), start: 0, end: 0, text: null };

  /**
   * The entry of the line chunk[start, end), whose crc is right and whose crc field begins at `crcStart`, or null if the
   * line is not of a known form. Through `known` the chunk does not change any more.
   */
  read(chunk: Uint8Array, start: number, crcStart: number, end: number, crc: number, known: number): Entry | null {
    if (!fits(chunk, start, OPENING)) return null;
    this.#at = start + OPENING.length;
    const index = this.#number(chunk);
    const at = this.#at;
    for (let i = 0; i < this.#forms.length; i++) {
      const form = this.#forms[i] as Form;
      this.#at = at;
      if (!this.#skip(chunk, form.place)) continue;
      const seqNo = this.#number(chunk);
      if (!this.#skip(chunk, form.sender)) continue;
      const counter = this.#number(chunk);
      if (!this.#skip(chunk, form.user)) continue;
      const ts = this.#number(chunk);
      if (!this.#skip(chunk, PAYLOAD) || index < 1 || seqNo < 1 || counter < 1 || ts < 0) return null;
      const text = chunk[this.#at] === QUOTE ? this.#text(chunk, this.#at + 1, crcStart - 2, known) : null;
      if (text === null) return null;
      if (i > 0) this.#moveToFront(i);
      const { term, leader_id, inc, room_id, sender_id, session, user } = form.of;
      return {
        index,
        term,
        leader_id,
        inc,
        kind: "chat",
        room_id,
        seq_no: seqNo,
        sender_id,
        session,
        counter,
        user,
        ts,
        text,
        data: null,
        crc,
        chunk,
        start,
        end,
      };
    }
    return null;
  }

  /** chunk[start, end) as text, or null if it is not plain. */
  #text(chunk: Uint8Array, start: number, end: number, known: number): string | null {
    if (!isPlain(chunk, start, end)) return null;
    const block = this.#block;
    if (chunk !== block.chunk || start < block.start || end > block.end) {
      if (end - start > BLOCK_BYTES) return decodeUtf8(chunk.subarray(start, end));
      block.chunk = chunk;
      block.start = start;
      block.end = Math.min(known, start + BLOCK_BYTES);
      block.text = decodeUtf8(chunk.subarray(start, block.end));
      // Then a byte is a character.
      if (block.text?.length !== block.end - start) block.text = null;
    }
    if (block.text === null) return decodeUtf8(chunk.subarray(start, end));
    return block.text.slice(start - block.start, end - block.start);
  }

  /** Lines like this one's are known from now on. */
  learn(entry: Entry): void {
    if (this.#forms.some((form) => isOf(form, entry))) return;
    this.#forms.unshift(formOf(entry));
    if (this.#forms.length > FORMS_MAX) this.#forms.pop();
  }

  /** The number at `#at`, which goes behind it; -1 for anything but the shortest decimal form of an exact one. */
  #number(chunk: Uint8Array): number {
    const start = this.#at;
    let i = start;
    let value = 0;
    for (; i < chunk.length; i++) {
      const digit = (chunk[i] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.#at = i;
    const digits = i - start;
    return digits === 0 || digits > DIGITS_MAX || (digits > 1 && chunk[start] === 0x30) ? -1 : value;
  }

  #skip(chunk: Uint8Array, bytes: Uint8Array): boolean {
    if (!fits(chunk, this.#at, bytes)) return false;
    this.#at += bytes.length;
    return true;
  }

  #moveToFront(i: number): void {
    const [form] = this.#forms.splice(i, 1);
    this.#forms.unshift(form as Form);
  }
}

/** Writes what `ChatLines` reads: the line up to and including the comma before `"crc"`. */
export class ChatHeads {
  /** The form of the last one: a batch mostly has one room and one sender. */
  #form: Form | null = null;

  /** Returns where the line begins. There is room for its end, too. */
  write(writer: LineWriter, entry: Entry): number {
    let form = this.#form;
    if (form === null || !isOf(form, entry)) this.#form = form = formOf(entry);
    writer.reserve(HEAD_BYTES_MAX + jsonBytesMax(entry.text));
    const start = writer.at;
    writer.bytes(OPENING);
    writer.number(entry.index);
    writer.bytes(form.place);
    writer.number(entry.seq_no);
    writer.bytes(form.sender);
    writer.number(entry.counter);
    writer.bytes(form.user);
    writer.number(entry.ts);
    writer.bytes(PAYLOAD);
    writer.json(entry.text);
    writer.bytes(COMMA);
    return start;
  }
}

function isOf({ of }: Form, entry: Entry): boolean {
  return (
    of.session === entry.session && of.room_id === entry.room_id && of.user === entry.user && sameBallot(of, entry)
  );
}

function formOf({ term, leader_id, inc, room_id, sender_id, session, user }: Entry): Form {
  const [room, name] = [JSON.stringify(room_id), JSON.stringify(user)];
  return {
    of: { term, leader_id, inc, room_id, sender_id, session, user },
    place: encodeUtf8(
      `,"term":${term},"leader_id":${leader_id},"inc":"${inc}","kind":"chat","room_id":${room},"seq_no":`,
    ),
    sender: encodeUtf8(`,"sender_id":${sender_id},"msg_id":"${session}.`),
    user: encodeUtf8(`","user":${name},"ts":`),
  };
}

function fits(chunk: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (chunk[at + i] !== bytes[i]) return false;
  return true;
}

/** Whether chunk[start, end) can be a text, ends in front of `",` and holds nothing that JSON writes otherwise. */
function isPlain(chunk: Uint8Array, start: number, end: number): boolean {
  if (end <= start || end - start > MESSAGE_BYTES_MAX || chunk[end] !== QUOTE) return false;
  // Without a branch for each byte.
  let escaped = 0;
  for (let i = start; i < end; i++) escaped |= ESCAPED[chunk[i] as number] as number;
  return escaped === 0;
}
