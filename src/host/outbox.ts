/**
 * Own messages until they are sent [S1], in `outbox.jsonl`, so that they outlive the process. One line each, with its
 * session, its counter and a crc; a session of an earlier process is sent under its old ids [S3]. Pending is no promise: what waits
 * long is synced within a second, what is sent before that never needs to be.
 */
import * as v from "valibot";
import type { Draft } from "../core/message.ts";
import { FRAMES } from "../wire/schemas.ts";
import { encodeUtf8 } from "../wire/text.ts";
import { type Disk, type File, PortError } from "./contracts.ts";
import { copyAside } from "./damaged.ts";
import { readSealed, readWhole, sealed } from "./state-files.ts";

const PATH = "outbox.jsonl";
/** Lines that are settled may make up so many bytes before the file is written anew. */
const GARBAGE_BYTES_MAX = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const DECODER = new TextDecoder();

const LINE = v.strictObject({
  session: FRAMES.CHAT.entries.session,
  counter: FRAMES.CHAT.entries.first,
  draft: v.pipe(FRAMES.CHAT.entries.messages, v.length(1)),
});

export interface PendingSession {
  readonly session: string;
  /** Counter of the first draft; the others follow without gaps. */
  readonly first: number;
  readonly drafts: readonly Draft[];
}

interface Line {
  readonly session: string;
  readonly counter: number;
  readonly bytes: Uint8Array;
}

export class Outbox {
  readonly #disk: Disk;
  #file: File;
  #size: number;
  /** Lines not settled yet, in order; the first `#head` are. */
  #lines: Line[] = [];
  #head = 0;
  #garbage = 0;
  /** Written and not synced yet; the name, too, where the file is new. */
  #unsynced = false;
  #unsyncedName = true;

  private constructor(disk: Disk, file: File, size: number) {
    this.#disk = disk;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the outbox and returns what is pending in it. Lines that cannot be read are left out, kept aside, and told in `notes`. */
  static open(disk: Disk, notes: string[]): { outbox: Outbox; pending: PendingSession[] } {
    const bytes = readWhole(disk, PATH) ?? new Uint8Array(0);
    const lines: { line: Line; draft: Draft }[] = [];
    let bad = 0;
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      const parsed = parseLine(bytes.slice(start, newline + 1));
      if (parsed === null) bad += 1;
      else lines.push(parsed);
      start = newline + 1;
    }
    if (bad > 0) {
      const copy = copyAside(disk, PATH);
      notes.push(
        `${bad} damaged lines in ${PATH} hold messages that were not sent and cannot be: the file is kept as ${copy}`,
      );
    }
    const { file, size } = writeAnew(
      disk,
      lines.map(({ line }) => line),
    );
    const outbox = new Outbox(disk, file, size);
    outbox.#lines = lines.map(({ line }) => line);
    return { outbox, pending: inSessions(lines) };
  }

  /**
   * [M9] Sessions of which the log has lost what comes before their pending messages are named anew and numbered from
   * 1: else they could never be sequenced [S2], nor what was typed after them. Whole or not at all.
   */
  static renumber(disk: Disk, isLost: (pending: PendingSession) => boolean, word: () => string, notes: string[]): void {
    const { outbox, pending } = Outbox.open(disk, notes);
    outbox.close();
    if (!pending.some(isLost)) return;
    const named = pending.map((p) => (isLost(p) ? { ...p, session: word(), first: 1 } : p));
    const { file } = writeAnew(
      disk,
      named.flatMap(({ session, first, drafts }) => drafts.map((draft, i) => toLine(session, first + i, draft))),
    );
    file.close();
    disk.syncDirectoryNow("");
  }

  /** Keeps a message. Throws PortError (ENOSPC …); the file is as before then. */
  add(session: string, counter: number, draft: Draft): void {
    this.#append(toLine(session, counter, draft));
  }

  /** The message is sent: it leaves. */
  settle(session: string, counter: number): void {
    const line = this.#lines[this.#head];
    if (line === undefined || line.session !== session || line.counter !== counter) {
      const at = this.#lines.findIndex((l, i) => i >= this.#head && l.session === session && l.counter === counter);
      if (at < 0) return;
      this.#garbage += (this.#lines[at] as Line).bytes.length;
      this.#lines.splice(at, 1);
    } else {
      this.#head += 1;
      this.#garbage += line.bytes.length;
    }
    if (this.#head === this.#lines.length) {
      this.#lines = [];
      this.#head = 0;
      this.#garbage = 0;
      this.#size = 0;
      this.#file.truncate(0);
    } else if (this.#head > 4096) {
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
    if (this.#garbage > GARBAGE_BYTES_MAX && this.#garbage > this.#size / 2) this.#rewrite();
  }

  /** Every message of a session before `counter` is sent. */
  settleBefore(session: string, counter: number): void {
    for (const line of this.#lines.slice(this.#head)) {
      if (line.session === session && line.counter < counter) this.settle(session, line.counter);
    }
  }

  /** Makes what waits durable. `failed` is told when that cannot be done [D3]. */
  flush(failed: (error: PortError) => void): void {
    if (!this.#unsynced || this.#head === this.#lines.length) return;
    this.#unsynced = false;
    const done = (error: PortError | null) => error !== null && failed(error);
    this.#file.sync(done);
    if (this.#unsyncedName) this.#disk.syncDirectory("", done);
    this.#unsyncedName = false;
  }

  close(): void {
    this.#file.close();
  }

  #append(line: Line): void {
    try {
      this.#file.write(this.#size, line.bytes);
    } catch (error) {
      this.#file.truncate(this.#size);
      throw error;
    }
    this.#size += line.bytes.length;
    this.#lines.push(line);
    this.#unsynced = true;
  }

  #rewrite(): void {
    try {
      const { file, size } = writeAnew(this.#disk, this.#lines.slice(this.#head));
      this.#file.close();
      this.#file = file;
      this.#size = size;
      this.#garbage = 0;
      this.#unsyncedName = true;
    } catch (error) {
      // No room for the shorter file: the longer one serves as well.
      if (!(error instanceof PortError)) throw error;
    }
  }
}

/** A file of just these lines takes the old one's place. */
function writeAnew(disk: Disk, lines: readonly Line[]): { file: File; size: number } {
  const file = disk.open(`${PATH}.new`, "create");
  let size = 0;
  for (const line of lines) {
    file.write(size, line.bytes);
    size += line.bytes.length;
  }
  // The messages may have been on the disk long since: a power cut right after the rename must not take them.
  if (size > 0) file.syncNow();
  disk.rename(`${PATH}.new`, PATH);
  return { file, size };
}

function toLine(session: string, counter: number, draft: Draft): Line {
  return { session, counter, bytes: encodeUtf8(`${sealed({ session, counter, draft: [draft] })}\n`) };
}

function parseLine(bytes: Uint8Array): { line: Line; draft: Draft } | null {
  const result = v.safeParse(LINE, readSealed(DECODER.decode(bytes.subarray(0, bytes.length - 1))));
  if (!result.success) return null;
  const { session, counter, draft } = result.output;
  return { line: { session, counter, bytes }, draft: draft[0] as Draft };
}

/** Groups lines by session; a session whose counters have a gap keeps only what comes before it, since nothing behind can be sequenced [S2]. */
function inSessions(lines: readonly { line: Line; draft: Draft }[]): PendingSession[] {
  const sessions = new Map<string, { session: string; first: number; drafts: Draft[] }>();
  for (const { line, draft } of lines) {
    const session = sessions.get(line.session);
    if (session === undefined)
      sessions.set(line.session, { session: line.session, first: line.counter, drafts: [draft] });
    else if (line.counter === session.first + session.drafts.length) session.drafts.push(draft);
  }
  return [...sessions.values()];
}
