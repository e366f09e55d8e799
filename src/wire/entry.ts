/**
 * Log entries and their lines [L1] [L2] [L3]. A line is made once, by the leader; everybody else checks it and keeps
 * its bytes. The check of chat entries is written by hand, because it runs for every message on every peer; a test
 * holds it against the schemas.
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import { BOOT_MAX, PEER_ID_MAX, TERM_MAX } from "../core/config.ts";
import type { Entry, EntryData, EntryKind, Seal } from "../core/log-entry.ts";
import { ChatHeads, ChatLines } from "./chat-line.ts";
import { chainCrc } from "./crc32c.ts";
import { decimalDigits, LineWriter, utf8BytesMax } from "./line-writer.ts";
import { mendOldLine } from "./old-lines.ts";
import { accessChange, WORD } from "./schema-parts.ts";
import { CONFIGURATION, GENESIS, PRESENCE, READ, SETTLED } from "./schemas.ts";
import { decodeUtf8, encodeUtf8, isMessage, isName, parseObject, quote } from "./text.ts";
import { WireError } from "./wire-error.ts";

/** Makes the lines of one log. An assertion fails if the reader would refuse a line. */
export function makeSeal(): Seal {
  const writer = new LineWriter();
  const chats = new ChatHeads();
  return (entry, prevCrc) => {
    let start: number;
    if (entry.kind === "chat") start = chats.write(writer, entry);
    else {
      const head = entryHead(entry);
      writer.reserve(utf8BytesMax(head) + ENDING_BYTES_MAX);
      start = writer.at;
      writer.text(head);
    }
    entry.crc = chainCrc(prevCrc, writer.slab, start, writer.at);
    writer.bytes(CRC_FIELD);
    writer.number(entry.crc);
    writer.bytes(ENDING);
    entry.chunk = writer.slab;
    entry.start = start;
    entry.end = writer.at;
    // Entries of other kinds are few, so this check may be slow.
    if (entry.kind !== "chat") assertReadable(entry);
  };
}

function assertReadable({ chunk, start, end, kind }: Entry): void {
  let refused = "";
  try {
    parseEntry(chunk, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    refused = error.message;
  }
  assert(refused === "", `a ${kind} entry that cannot be read back: ${refused}`);
}

/** For single entries that belong to no running peer. */
export const sealEntry: Seal = makeSeal();

/** The line up to and including the comma before `"crc"`, of any kind but a chat's. */
function entryHead(e: Entry): string {
  const place = `{"index":${e.index},"term":${e.term},"leader_id":${e.leader_id},"inc":"${e.inc}","boot":${e.boot},"kind":"${e.kind}",`;
  switch (e.kind) {
    case "system":
    case "read": {
      const payload = JSON.stringify(e.data);
      return `${place}"room_id":${JSON.stringify(e.room_id)},"sender_id":${e.sender_id},"user":${JSON.stringify(e.user)},"ts":${e.ts},"payload":${payload},`;
    }
    case "leader":
      return place;
    case "access":
      return `${place}"ts":${e.ts},"payload":${JSON.stringify(e.data)},`;
    default:
      return `${place}"payload":${JSON.stringify(e.data)},`;
  }
}

/**
 * Number of fields of a line, by kind. As each known field is checked, a line with this number has no missing and no
 * unknown one. A line without a boot number, which is older than these, has one field less.
 */
const FIELDS: Record<EntryKind, number> = {
  genesis: 8,
  chat: 14,
  system: 12,
  read: 12,
  config: 8,
  settled: 8,
  leader: 7,
  access: 9,
};

/** Reads lines that stand in one log. */
export class EntryReader {
  readonly #chats = new ChatLines();

  /**
   * Reads the line chunk[start, end), its final "\n" included, which must continue the chain from `prevCrc`; what stands
   * in the chunk through `known`, more lines perhaps, does not change any more. The entry refers to `chunk`. Throws WireError.
   */
  read(chunk: Uint8Array, start: number, end: number, prevCrc: number, known = end): Entry {
    const crc = checkCrc(chunk, start, end, prevCrc);
    const chat = this.#chats.read(chunk, start, crcField(end, crc), end, crc, known);
    if (chat !== null) return chat;
    const entry = parseOldOrNew(chunk, start, end);
    if (entry.kind === "chat") this.#chats.learn(entry);
    return entry;
  }

  /** The same for a line whose predecessor is lost: its crc cannot be checked, but the lines behind it prove it. */
  readFirst(chunk: Uint8Array, start: number, end: number): Entry {
    readCrc(chunk, start, end);
    return parseOldOrNew(chunk, start, end);
  }
}

/** Parses the line as JSON, or as an older version meant it. */
function parseOldOrNew(chunk: Uint8Array, start: number, end: number): Entry {
  try {
    return parseEntry(chunk, start, end);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const mended = mendOldLine(decodeUtf8(chunk.subarray(start, end)) ?? "");
    if (mended === null) throw error;
    const line = encodeUtf8(mended);
    return { ...parseEntry(line, 0, line.length), chunk, start, end };
  }
}

/** Parses the line as JSON, field by field. The caller has checked that it ends in a crc. */
function parseEntry(chunk: Uint8Array, start: number, end: number): Entry {
  const o = parseObject(chunk, start, end - 1);
  const kind = o.kind as EntryKind;
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind))
    throw new WireError(`unknown kind of entry: ${quote(chunk, start, end)}`);
  let fields = 0;
  for (const _ in o) fields += 1;
  const hasBoot = o.boot !== undefined;
  const wanted = hasBoot ? FIELDS[kind] : FIELDS[kind] - 1;
  if (fields !== wanted)
    throw new WireError(`a ${kind} entry has ${wanted} fields, not ${fields}: ${quote(chunk, start, end)}`);

  const said = kind === "chat" || kind === "system" || kind === "read";
  const { session, counter } = kind === "chat" ? messageId(o) : NO_MESSAGE;
  return {
    index: whole(o, "index", 1, Number.MAX_SAFE_INTEGER),
    term: whole(o, "term", 0, TERM_MAX),
    leader_id: whole(o, "leader_id", 1, PEER_ID_MAX),
    inc: word(o, "inc"),
    boot: hasBoot ? whole(o, "boot", 0, BOOT_MAX) : 0,
    kind,
    room_id: said ? name(o, "room_id") : "",
    seq_no: kind === "chat" ? whole(o, "seq_no", 1, Number.MAX_SAFE_INTEGER) : 0,
    sender_id: said ? whole(o, "sender_id", 1, PEER_ID_MAX) : 0,
    session,
    counter,
    user: said ? name(o, "user") : "",
    ts: said || kind === "access" ? whole(o, "ts", 0, Number.MAX_SAFE_INTEGER) : 0,
    text: kind === "chat" ? payloadText(o) : "",
    data: kind === "chat" || kind === "leader" ? null : payloadData(kind, o.payload),
    crc: whole(o, "crc", 0, 0xffff_ffff),
    chunk,
    start,
    end,
  };
}

const CRC_FIELD = encodeUtf8('"crc":');
const ENDING = encodeUtf8("}\n");
/** Bytes of the crc field and the end of the line. */
const ENDING_BYTES_MAX = 20;

/** The crc of a line that continues the chain from `prevCrc` [L3]. Throws WireError if it does not. */
export function checkCrc(chunk: Uint8Array, start: number, end: number, prevCrc: number): number {
  const crc = readCrc(chunk, start, end);
  const actual = chainCrc(prevCrc, chunk, start, crcField(end, crc));
  if (actual === crc) return crc;
  throw new WireError(`the crc does not fit: the line says ${crc}, its bytes ${actual}: ${quote(chunk, start, end)}`);
}

/** Where the crc field of a line begins. */
function crcField(end: number, crc: number): number {
  return end - 2 - decimalDigits(crc) - CRC_FIELD.length;
}

/**
 * The crc written in a line, or in the end of one. The field is the last one, a plain decimal number; it covers
 * everything before it [L3]. Throws WireError.
 */
export function readCrc(chunk: Uint8Array, start: number, end: number): number {
  let i = end - 1;
  if (chunk[i] !== 0x0a || chunk[--i] !== 0x7d)
    throw new WireError(`an entry is one line that ends in "}": ${quote(chunk, start, end)}`);
  let crc = 0;
  let unit = 1;
  for (i -= 1; i > start; i--) {
    const digit = (chunk[i] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    crc += digit * unit;
    unit *= 10;
  }
  const leadingZero = unit > 10 && chunk[i + 1] === 0x30;
  let field = i - CRC_FIELD.length + 1;
  const covered = field > start && chunk[field - 1] === 0x2c;
  for (let c = 0; c < CRC_FIELD.length; c++) if (chunk[field++] !== CRC_FIELD[c]) unit = 0;
  if (unit <= 1 || crc > 0xffff_ffff || leadingZero || !covered)
    throw new WireError(`no crc at the end of an entry: ${quote(chunk, start, end)}`);
  return crc;
}

function bad(o: Record<string, unknown>, field: string): never {
  const value = JSON.stringify(o[field]) ?? "missing";
  throw new WireError(`field ${field} of an entry is wrong: ${quote(encodeUtf8(value), 0, value.length)}`);
}

function whole(o: Record<string, unknown>, field: string, min: number, max: number): number {
  const value = o[field];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) bad(o, field);
  return value;
}

function word(o: Record<string, unknown>, field: string): string {
  const value = o[field];
  if (typeof value !== "string" || !WORD.test(value)) bad(o, field);
  return value;
}

function name(o: Record<string, unknown>, field: string): string {
  const value = o[field];
  if (typeof value !== "string" || !isName(value)) bad(o, field);
  return value;
}

const MESSAGE_ID = /^(([1-9][0-9]*)\.[a-z0-9]{1,64})\.([1-9][0-9]*)$/;
const NO_MESSAGE = { session: "", counter: 0 };

function messageId(o: Record<string, unknown>): { session: string; counter: number } {
  const value = o.msg_id;
  const parts = typeof value === "string" ? MESSAGE_ID.exec(value) : null;
  if (parts === null || Number(parts[2]) !== o.sender_id || !Number.isSafeInteger(Number(parts[3]))) bad(o, "msg_id");
  return { session: parts[1] as string, counter: Number(parts[3]) };
}

function payloadText(o: Record<string, unknown>): string {
  const value = o.payload;
  if (typeof value !== "string" || !isMessage(value)) bad(o, "payload");
  return value;
}

const DATA = {
  genesis: GENESIS,
  config: CONFIGURATION,
  settled: SETTLED,
  system: PRESENCE,
  read: READ,
  access: accessChange,
};

function payloadData(kind: keyof typeof DATA, payload: unknown): EntryData {
  const result = v.safeParse(DATA[kind], payload, { abortEarly: true });
  if (!result.success) throw new WireError(`payload of a ${kind} entry is wrong: ${result.issues[0].message}`);
  return result.output satisfies EntryData;
}
