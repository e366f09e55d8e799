/**
 * Writes and reads messages on their way to the log by hand, because every message passes here [W4] [L7]. The part
 * before a text is the same for each user and room, and neighbours usually share both. A frame of any other form, or
 * with an error, is left to the schema; a test compares the two.
 *
 *   {"type":"CHAT",…,"first":7,"messages":[ {"room_id":"general","user":"eve","ts": 170… ,"payload":" hello " },{…} ]}
 *   └─────────────── head ────────────────┘ └──────────────── opening ────────────┘
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import { MESSAGE_BYTES_MAX, OUTSTANDING_MESSAGES_MAX } from "../core/config.ts";
import type { Draft } from "../core/log-entry.ts";
import type { Chat } from "../core/message.ts";
import { LineReader, plainEnd } from "./line-reader.ts";
import { jsonBytesMax, LineWriter, utf8BytesMax } from "./line-writer.ts";
import { draft } from "./schema-parts.ts";
import { FRAMES } from "./schemas.ts";
import { encodeUtf8, isMessage, isName, parseJson, stringEnd } from "./text.ts";

const CHAT = encodeUtf8('{"type":"CHAT",');
const MESSAGES = encodeUtf8(',"messages":[');
const TS = encodeUtf8(',"ts":');
const PAYLOAD = encodeUtf8(',"payload":');
const BETWEEN = encodeUtf8(",");
const MESSAGE_END = encodeUtf8("}");
const END = encodeUtf8("]}");
/** A head or an opening has at most this many bytes. */
const HEAD_BYTES_MAX = 1024;
const OPEN_BRACKET = 0x5b;
const QUOTE = 0x22;

/** A CHAT without its messages. */
export const CHAT_HEAD = v.strictObject({ ...FRAMES.CHAT.entries, messages: v.tuple([]) });
const OPENING = v.strictObject({ room_id: draft.entries.room_id, user: draft.entries.user });

/** The part of a message before its time. */
interface Opening {
  readonly room_id: string;
  readonly user: string;
  readonly bytes: Uint8Array;
}

export class ChatReader {
  readonly #reader = new LineReader();
  #opening: Opening | null = null;

  /** The CHAT in the line bytes[start, end), which does not change any more; null if the schema must judge it. */
  read(bytes: Uint8Array, start: number, end: number): Chat | null {
    const reader = this.#reader;
    reader.at = start;
    if (!reader.skip(bytes, CHAT)) return null;
    const bracket = bytes.indexOf(OPEN_BRACKET, start);
    reader.at = bracket + 1 - MESSAGES.length;
    if (bracket > start + HEAD_BYTES_MAX || reader.at < start || !reader.skip(bytes, MESSAGES)) return null;
    const head = v.safeParse(CHAT_HEAD, parseJson(bytes.subarray(start, reader.at), "]}"));
    if (!head.success) return null;
    const messages: Draft[] = [];
    do {
      const message = messages.length < OUTSTANDING_MESSAGES_MAX ? this.#message(bytes, end) : null;
      if (message === null) return null;
      messages.push(message);
    } while (reader.skip(bytes, BETWEEN));
    return reader.skip(bytes, END) && reader.at === end ? { ...head.output, messages } : null;
  }

  #message(bytes: Uint8Array, end: number): Draft | null {
    const reader = this.#reader;
    const opening = this.#skipOpening(bytes, end);
    if (opening === null) return null;
    const ts = reader.number(bytes);
    if (ts < 0 || !reader.skip(bytes, PAYLOAD) || bytes[reader.at] !== QUOTE) return null;
    const payload = this.#text(bytes, reader.at + 1, end);
    if (payload === null || !reader.skip(bytes, MESSAGE_END)) return null;
    const { room_id, user } = opening;
    return { room_id, user, ts, payload };
  }

  #skipOpening(bytes: Uint8Array, end: number): Opening | null {
    const reader = this.#reader;
    if (this.#opening !== null && reader.skip(bytes, this.#opening.bytes)) return this.#opening;
    const start = reader.at;
    // This cannot be found inside a string, where each quote has a backslash before it.
    while (!reader.skip(bytes, TS)) if (++reader.at >= Math.min(end, start + HEAD_BYTES_MAX)) return null;
    const opening = v.safeParse(OPENING, parseJson(bytes.subarray(start, reader.at - TS.length), "}"));
    if (!opening.success) return null;
    this.#opening = { ...opening.output, bytes: bytes.slice(start, reader.at) };
    return this.#opening;
  }

  /** The text that begins at `start`. The reader moves behind its closing quote. */
  #text(bytes: Uint8Array, start: number, end: number): string | null {
    const reader = this.#reader;
    const plain = plainEnd(bytes, start, end);
    if (bytes[plain] === QUOTE) {
      reader.at = plain + 1;
      return plain > start && plain - start <= MESSAGE_BYTES_MAX ? reader.text(bytes, start, plain, end) : null;
    }
    reader.at = stringEnd(bytes, plain, end) + 1;
    const text = parseJson(bytes.subarray(start - 1, reader.at));
    return typeof text === "string" && isMessage(text) ? text : null;
  }
}

/** More bytes than stand around a text: names are bounded. */
const AROUND_BYTES_MAX = 1024;
/** Lines are written here and then copied, so that a result does not keep other memory alive. */
const SCRATCH = new LineWriter();

/** `head` as JSON, with the messages as its last field, followed by `ending`. The caller must have checked `head`. */
export function encodeWithDrafts(head: object, messages: readonly Draft[], ending = ""): Uint8Array {
  const isRun = messages.length >= 1 && messages.length <= OUTSTANDING_MESSAGES_MAX;
  assert(isRun, "a run has a message at least, and no more than may be under way");
  const writer = SCRATCH;
  const opening = JSON.stringify(head).slice(0, -1);
  let bytesMax = utf8BytesMax(opening) + AROUND_BYTES_MAX;
  for (const { payload } of messages) bytesMax += jsonBytesMax(payload) + AROUND_BYTES_MAX;
  writer.at = 0;
  writer.reserve(bytesMax);
  writer.text(opening);
  writer.bytes(MESSAGES);
  let known: Opening | null = null;
  for (const message of messages) {
    if (known !== null) writer.bytes(BETWEEN);
    if (known?.room_id !== message.room_id || known.user !== message.user) known = openingOf(message);
    writer.bytes(known.bytes);
    assert(isMessage(message.payload), "the text of a draft is a message");
    writer.number(message.ts);
    writer.bytes(PAYLOAD);
    writer.json(message.payload);
    writer.bytes(MESSAGE_END);
  }
  writer.bytes(END);
  writer.text(ending);
  return writer.slab.slice(0, writer.at);
}

function openingOf({ room_id, user }: Draft): Opening {
  assert(isName(room_id) && isName(user), "a draft names a room and a user");
  return {
    room_id,
    user,
    bytes: encodeUtf8(`{"room_id":${JSON.stringify(room_id)},"user":${JSON.stringify(user)},"ts":`),
  };
}
