/**
 * Writes and reads chat lines fast. A leader writes all of them in one form [L2], and the parts between the numbers and
 * the text are the same for each sender and room. So a line is compared with the forms seen last, byte by byte. A line
 * that fits none of them, or is unusual in another way, is left to the full check of `entry`, and its form is learned
 * from that.
 *
 *   {"index":7 ,"term":…,"room_id":"general","seq_no":5 ,"sender_id":3,"msg_id":"3.k2x. 4 ","user":"eve","ts": 170… ,"payload":" hello "
 *   └ OPENING ┘└──────────────── place ──────────────┘ └───────── sender ─────────┘   └──── user ──────┘     └── PAYLOAD ─┘
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import { MESSAGE_BYTES_MAX, TERM_MAX } from "../core/config.ts";
import { sameBallot } from "../core/ids.ts";
import type { Entry } from "../core/log-entry.ts";
import { HEAD_BYTES_MAX, NextHead } from "./chat-head.ts";
import { isPlain, LineReader } from "./line-reader.ts";
import { jsonBytesMax, type LineWriter } from "./line-writer.ts";
import { boot, count, name, peerId, word } from "./schema-parts.ts";
import { encodeUtf8, isMessage } from "./text.ts";

interface Form {
  /** The fields that are the same in all lines of this form. */
  readonly of: Pick<Entry, "term" | "leader_id" | "inc" | "boot" | "room_id" | "sender_id" | "session" | "user">;
  readonly place: Uint8Array;
  readonly sender: Uint8Array;
  readonly user: Uint8Array;
}

/** `<sender_id>.<word>` */
const SESSION = /^([1-9][0-9]*)\.[a-z0-9]{1,64}$/;

/** The shape of these fields, as the check of a whole line demands it. */
const OF = v.pipe(
  v.strictObject({
    ...{ term: count(TERM_MAX), leader_id: peerId, inc: word, boot },
    ...{ room_id: name, sender_id: peerId, session: v.string(), user: name },
  }),
  v.check(({ sender_id, session }) => Number(SESSION.exec(session)?.[1]) === sender_id),
);

/** Number of forms that are kept: one for each pair of a sender and a room. */
const FORMS_MAX = 16;
const QUOTE = 0x22;

const OPENING = encodeUtf8('{"index":');
const PAYLOAD = encodeUtf8(',"payload":');
const COMMA = encodeUtf8(",");

export class ChatLines {
  /** The form that fitted last is the first. */
  readonly #forms: Form[] = [];
  readonly #reader = new LineReader();
  readonly #next = new NextHead();

  /**
   * The entry of the line chunk[start, end), whose crc is right and whose crc field begins at `crcStart`, or null if the
   * line is not of a known form. Through `known` the chunk does not change any more.
   */
  read(chunk: Uint8Array, start: number, crcStart: number, end: number, crc: number, known: number): Entry | null {
    const next = this.#next;
    if (!(next.advance() && next.stands(chunk, start)) && !this.#readHead(chunk, start)) return null;
    const text = this.#text(chunk, start + next.bytes.length, crcStart - 2, known);
    if (text === null) return null;
    const { term, leader_id, inc, boot, room_id, sender_id, session, user } = (this.#forms[0] as Form).of;
    return {
      index: next.index,
      term,
      leader_id,
      inc,
      boot,
      kind: "chat",
      room_id,
      seq_no: next.seqNo,
      sender_id,
      session,
      counter: next.counter,
      user,
      ts: next.ts,
      text,
      data: null,
      crc,
      chunk,
      start,
      end,
    };
  }

  /** Reads the head field by field. Returns whether it has a known form, which is then the first one. */
  #readHead(chunk: Uint8Array, start: number): boolean {
    const next = this.#next;
    const reader = this.#reader;
    next.forget();
    reader.at = start;
    if (!reader.skip(chunk, OPENING)) return false;
    const index = reader.number(chunk);
    const indexEnd = reader.at;
    for (let i = 0; i < this.#forms.length; i++) {
      const form = this.#forms[i] as Form;
      reader.at = indexEnd;
      if (!reader.skip(chunk, form.place)) continue;
      const seqNo = reader.number(chunk);
      const seqNoEnd = reader.at;
      if (!reader.skip(chunk, form.sender)) continue;
      const counter = reader.number(chunk);
      const counterEnd = reader.at;
      if (!reader.skip(chunk, form.user)) continue;
      const ts = reader.number(chunk);
      if (!reader.skip(chunk, PAYLOAD) || index < 1 || seqNo < 1 || counter < 1 || ts < 0) return false;
      if (i > 0) this.#moveToFront(i);
      next.index = index;
      next.seqNo = seqNo;
      next.counter = counter;
      next.ts = ts;
      next.follow(chunk, start, reader.at, indexEnd, seqNoEnd, counterEnd);
      return true;
    }
    return false;
  }

  /** The string that begins at `at`, or null if it cannot be a text, does not end in front of `",`, or is not plain. */
  #text(chunk: Uint8Array, at: number, end: number, known: number): string | null {
    const start = at + 1;
    if (
      chunk[at] !== QUOTE ||
      end <= start ||
      end - start > MESSAGE_BYTES_MAX ||
      chunk[end] !== QUOTE ||
      !isPlain(chunk, start, end)
    )
      return null;
    return this.#reader.text(chunk, start, end, known);
  }

  /** Learns the form of this entry's line. */
  learn(entry: Entry): void {
    if (this.#forms.some((form) => isOf(form, entry))) return;
    this.#forms.unshift(formOf(entry));
    if (this.#forms.length > FORMS_MAX) this.#forms.pop();
  }

  #moveToFront(i: number): void {
    const [form] = this.#forms.splice(i, 1);
    this.#forms.unshift(form as Form);
  }
}

/** Writes lines that `ChatLines` can read, up to and including the comma before `"crc"`. */
export class ChatHeads {
  /** The form of the last line: a batch usually has one room and one sender. */
  #form: Form | null = null;
  readonly #next = new NextHead();

  /** Returns where the line begins. Room for its end is reserved, too. */
  write(writer: LineWriter, entry: Entry): number {
    assert(isMessage(entry.text), "the text of an entry is a message");
    writer.reserve(HEAD_BYTES_MAX + jsonBytesMax(entry.text));
    const start = writer.at;
    const next = this.#next;
    if (this.#continues(entry) && next.advance()) writer.bytes(next.bytes);
    else this.#writeHead(writer, entry);
    writer.json(entry.text);
    writer.bytes(COMMA);
    return start;
  }

  #continues(entry: Entry): boolean {
    const { index, seqNo, counter, ts } = this.#next;
    return (
      this.#form !== null &&
      entry.index === index + 1 &&
      entry.seq_no === seqNo + 1 &&
      entry.counter === counter + 1 &&
      entry.ts === ts &&
      isOf(this.#form, entry)
    );
  }

  #writeHead(writer: LineWriter, entry: Entry): void {
    assert(entry.index >= 1 && entry.seq_no >= 1 && entry.counter >= 1, "entries and messages are counted from 1");
    let form = this.#form;
    if (form === null || !isOf(form, entry)) {
      form = formOf(entry);
      assert(v.is(OF, form.of), "the ballot, the sender and the names of an entry can be read back");
      this.#form = form;
    }
    const start = writer.at;
    writer.bytes(OPENING);
    writer.number(entry.index);
    const indexEnd = writer.at;
    writer.bytes(form.place);
    writer.number(entry.seq_no);
    const seqNoEnd = writer.at;
    writer.bytes(form.sender);
    writer.number(entry.counter);
    const counterEnd = writer.at;
    writer.bytes(form.user);
    writer.number(entry.ts);
    writer.bytes(PAYLOAD);
    const next = this.#next;
    next.index = entry.index;
    next.seqNo = entry.seq_no;
    next.counter = entry.counter;
    next.ts = entry.ts;
    next.follow(writer.slab, start, writer.at, indexEnd, seqNoEnd, counterEnd);
  }
}

function isOf({ of }: Form, entry: Entry): boolean {
  return (
    of.session === entry.session &&
    of.sender_id === entry.sender_id &&
    of.room_id === entry.room_id &&
    of.user === entry.user &&
    sameBallot(of, entry)
  );
}

function formOf({ term, leader_id, inc, boot, room_id, sender_id, session, user }: Entry): Form {
  const [room, name] = [JSON.stringify(room_id), JSON.stringify(user)];
  return {
    of: { term, leader_id, inc, boot, room_id, sender_id, session, user },
    place: encodeUtf8(
      `,"term":${term},"leader_id":${leader_id},"inc":"${inc}","boot":${boot},"kind":"chat","room_id":${room},"seq_no":`,
    ),
    sender: encodeUtf8(`,"sender_id":${sender_id},"msg_id":"${session}.`),
    user: encodeUtf8(`","user":${name},"ts":`),
  };
}
