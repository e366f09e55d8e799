/**
 * The promise, checked on the files when everybody has stopped, with none of the product's code: the same bytes
 * everywhere, everything that was sent is there, each message once, each sender in order, `seq_no` without gaps. The
 * logs are read side by side, a block of each in memory.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { type Mark, textOf } from "./protocol.ts";

export interface LogToCheck {
  /** For people: `peer 3`. */
  readonly name: string;
  /** The folder of its segments. */
  readonly folder: string;
  /** Index through which it must be there and be like the others; null: all of it (the peer lived to the end). */
  readonly through: number | null;
}

export type ViolationKind =
  | "differs"
  | "short"
  | "unreadable"
  | "index"
  | "seq_no"
  | "repeated"
  | "order"
  | "text"
  | "missing";

export interface Violation {
  readonly kind: ViolationKind;
  readonly message: string;
  /** The lines it is seen in. */
  readonly lines: readonly string[];
}

export interface Verdict {
  /** Of the longest log. */
  readonly entries: number;
  readonly chats: number;
  /** The first ones; none: the promise holds. */
  readonly violations: readonly Violation[];
}

const BLOCK_BYTES = 1024 * 1024;
const VIOLATIONS_MAX = 10;
const LINE_SHOWN_MAX = 500;

/** `size`: bytes of every text, which begin with the message's number among its sender's; null: any text will do. */
export function verifyLogs(logs: readonly LogToCheck[], marks: readonly Mark[], size: number | null): Verdict {
  const violations: Violation[] = [];
  const find: Find = (kind, message, ...lines) => {
    if (violations.length < VIOLATIONS_MAX) violations.push({ kind, message, lines: lines.map(shown) });
  };
  const history = new History(find, size);
  // The peers that lived to the end come first: the others are compared with them.
  let reading = [...logs]
    .sort((a, b) => Number(a.through !== null) - Number(b.through !== null))
    .map(({ name, folder, through }) => ({ name, through, died: through !== null, lines: linesOf(folder) }));
  let index = 1;
  for (; ; index++) {
    const over = reading.filter((log) => log.through !== null && index > log.through);
    for (const log of over) log.lines.return();
    if (over.length > 0) reading = reading.filter((log) => !over.includes(log));
    let first: { readonly name: string; readonly died: boolean; readonly line: Buffer } | null = null;
    const behind: typeof reading = [];
    const wrong = new Set<(typeof reading)[number]>();
    for (const log of reading) {
      const line = log.lines.next().value;
      if (!line) behind.push(log);
      else if (first === null) first = { ...log, line };
      else if (!line.equals(first.line)) {
        find("differs", `entry ${index} of ${log.name} is not that of ${first.name}`, first.line, line);
        wrong.add(log);
      }
    }
    const isChat = first !== null && history.take(index, first.line);
    for (const log of behind) {
      // A change of members may be under way when all stop. A message, or an entry that a dead peer had delivered, may
      // not.
      if (!log.died && !isChat && !first?.died) continue;
      find("short", `the log of ${log.name} ends before entry ${index}`, ...(first === null ? [] : [first.line]));
      wrong.add(log);
    }
    if (first === null) break;
    for (const log of wrong) log.lines.return();
    if (wrong.size > 0) reading = reading.filter((log) => !wrong.has(log));
  }
  history.hold(marks);
  return { entries: index - 1, chats: history.chats, violations };
}

type Find = (kind: ViolationKind, message: string, ...lines: Buffer[]) => void;

/** One history, line by line. */
class History {
  chats = 0;
  readonly #find: Find;
  readonly #size: number | null;
  /** Last number per room. */
  readonly #rooms = new Map<string, number>();
  /** Last counter per `<id>.<session>`. */
  readonly #sessions = new Map<string, number>();
  /** The session each sender is in: an earlier one never comes again. */
  readonly #current = new Map<number, string>();

  constructor(find: Find, size: number | null) {
    this.#find = find;
    this.#size = size;
  }

  /** Returns whether the entry is a message. */
  take(index: number, line: Buffer): boolean {
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line.toString());
    } catch (error) {
      this.#find("unreadable", `entry ${index} is no JSON: ${(error as Error).message}`, line);
      return false;
    }
    if (entry.index !== index) this.#find("index", `line ${index} says index ${entry.index}`, line);
    if (entry.kind !== "chat") return false;
    this.chats += 1;
    this.#checkNumber(String(entry.room_id), Number(entry.seq_no), line);
    this.#checkSender(Number(entry.sender_id), String(entry.msg_id), String(entry.payload), line);
    return true;
  }

  #checkNumber(room: string, seq: number, line: Buffer): void {
    const expected = (this.#rooms.get(room) ?? 0) + 1;
    if (seq !== expected) this.#find("seq_no", `seq_no ${seq} in room ${room} where ${expected} was due`, line);
    this.#rooms.set(room, seq);
  }

  #checkSender(sender: number, id: string, text: string, line: Buffer): void {
    const dot = id.lastIndexOf(".");
    const session = id.slice(0, dot);
    const counter = Number(id.slice(dot + 1));
    const last = this.#sessions.get(session) ?? 0;
    if (counter <= last) this.#find("repeated", `message ${id} comes again: ${session} was at ${last}`, line);
    else if (counter !== last + 1) this.#find("order", `message ${id} comes before ${session}.${last + 1}`, line);
    if (last === 0) this.#current.set(sender, session);
    else if (this.#current.get(sender) !== session)
      this.#find("order", `message ${id} comes after peer ${sender} began session ${this.#current.get(sender)}`, line);
    if (!id.startsWith(`${sender}.`)) this.#find("order", `message ${id} is said to be of peer ${sender}`, line);
    if (this.#size !== null && text !== textOf(counter, this.#size))
      this.#find("text", `message ${id} has not the text that was submitted`, line);
    this.#sessions.set(session, Math.max(last, counter));
  }

  /** Everything claimed as sent is there. */
  hold(marks: readonly Mark[]): void {
    for (const { peer, session, sent } of marks) {
      const there = this.#sessions.get(session) ?? 0;
      if (sent > there)
        this.#find(
          "missing",
          `peer ${peer} was told that ${session}.${sent} is sent: the log has ${there} of that session`,
        );
    }
  }
}

/** Lines without their newline, in order over all segments; a last one without newline is none. Valid until the next. */
function* linesOf(folder: string): Generator<Buffer, void> {
  const segments = readdirSync(folder)
    .filter((name) => /^[0-9]{20}\.jsonl$/.test(name))
    .sort();
  for (const segment of segments) {
    const fd = openSync(join(folder, segment), "r");
    try {
      let block = Buffer.allocUnsafe(BLOCK_BYTES);
      let end = 0;
      for (;;) {
        const read = readSync(fd, block, end, block.length - end, null);
        if (read === 0) break;
        end += read;
        const filled = block.subarray(0, end);
        let start = 0;
        for (let newline = filled.indexOf(0x0a); newline >= 0; newline = filled.indexOf(0x0a, start)) {
          yield filled.subarray(start, newline);
          start = newline + 1;
        }
        block.copyWithin(0, start, end);
        end -= start;
        if (end === block.length) block = Buffer.concat([block, Buffer.allocUnsafe(block.length)]);
      }
    } finally {
      closeSync(fd);
    }
  }
}

function shown(line: Buffer): string {
  const text = line.subarray(0, LINE_SHOWN_MAX).toString();
  return line.length > LINE_SHOWN_MAX ? `${text} … (${line.length} bytes)` : text;
}
