/**
 * This peer's own messages until they are sent [S1], in `outbox.jsonl`, so that they outlive the process. A line holds
 * messages that came together, with their session, the first counter and a crc. Messages of an earlier process are sent
 * under their old ids [S3]. "Pending" is no promise: messages that wait are synced within a second, and messages that
 * are sent before that never need to be.
 */
import * as v from "valibot";
import { assert } from "../../core/assert.ts";
import type { Draft } from "../../core/log-entry.ts";
import { encodeWithDrafts } from "../../wire/drafts.ts";
import { mendOldLine } from "../../wire/old-lines.ts";
import { FRAMES } from "../../wire/schemas.ts";
import { type Disk, type File, PortError } from "../contracts.ts";
import { joinBytes } from "./bytes.ts";
import { copyAside } from "./damaged.ts";
import { makeWhole, readSealed, readWhole, sealOf, temporaryOf } from "./state-files.ts";

const PATH = "outbox.jsonl";
/** When settled lines take up this many bytes the file is written anew. */
const GARBAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Messages of one line, at most: damage destroys a whole line. */
const LINE_MESSAGES_MAX = 64;
const LINE_CHARACTERS_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const LINE_END = Uint8Array.of(NEWLINE);
const DECODER = new TextDecoder();

const LINE_HEAD = v.strictObject({ session: FRAMES.CHAT.entries.session, first: FRAMES.CHAT.entries.first });
const LINE = v.strictObject({ ...LINE_HEAD.entries, messages: FRAMES.CHAT.entries.messages });

export interface PendingSession {
  readonly session: string;
  /** Counter of the first draft; the others follow without gaps. */
  readonly first: number;
  readonly drafts: readonly Draft[];
}

/** A run of one session's messages, as it stands in the file. */
interface Line {
  session: string;
  /** Counter of the first draft that is not settled: `drafts[settled]`. */
  first: number;
  readonly drafts: readonly Draft[];
  settled: number;
  readonly bytes: number;
}

export class Outbox {
  readonly #disk: Disk;
  #file: File;
  #size: number;
  /** Lines not wholly settled, in order, from `#head` on. */
  #lines: Line[] = [];
  #head = 0;
  #garbage = 0;
  /** Messages that were added and not written yet, consecutive ones of one session. */
  #added: { session: string; first: number; drafts: Draft[] } | null = null;
  /** The file was written and not synced yet; where it is new its name was not synced either. */
  #unsynced = false;
  #unsyncedName = true;
  /** The file still has messages under their old numbers. */
  #unreplaced = false;

  private constructor(disk: Disk, file: File, size: number, lines: Line[]) {
    this.#disk = disk;
    this.#file = file;
    this.#size = size;
    this.#lines = lines;
  }

  /**
   * Opens the outbox and returns what is pending in it: runs without gaps, oldest first. Lines that cannot be read are
   * left out, kept in a copy, and reported in `notes`.
   */
  static open(disk: Disk, notes: string[]): { outbox: Outbox; pending: PendingSession[] } {
    const bytes = readWhole(disk, PATH) ?? new Uint8Array(0);
    const runs: PendingSession[] = [];
    let bad = 0;
    let start = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, start)) {
      const run = parseLine(bytes.subarray(start, newline));
      if (run === null) bad += 1;
      else runs.push(run);
      start = newline + 1;
    }
    if (bad > 0) {
      const copy = copyAside(disk, PATH);
      notes.push(
        `${bad} damaged ${bad === 1 ? "line" : "lines"} in ${PATH} held messages that were not sent and cannot be: the file is kept as ${copy}`,
      );
    }
    const { file, size, lines } = writeAnew(disk, runs);
    return { outbox: new Outbox(disk, file, size, lines), pending: joined(runs) };
  }

  /**
   * [M9] If the log has lost the messages before a session's pending ones, that session gets a new name and is numbered
   * from 1. Otherwise its messages, and those typed after them, could never be sequenced [S2]. The file is changed as a
   * whole or not at all.
   */
  static renumber(disk: Disk, isLost: (pending: PendingSession) => boolean, word: () => string, notes: string[]): void {
    const { outbox, pending } = Outbox.open(disk, notes);
    outbox.close();
    if (!pending.some(isLost)) return;
    const named = pending.map((p) => (isLost(p) ? { ...p, session: word(), first: 1 } : p));
    writeAnew(disk, named).file.close();
    disk.syncDirectoryNow("");
  }

  /** Takes a message, to be kept by the next `write`. */
  add(session: string, counter: number, draft: Draft): void {
    this.#added ??= { session, first: counter, drafts: [] };
    this.#added.drafts.push(draft);
  }

  /** Writes what was added. Throws PortError (ENOSPC …): then the file is as before, and the next call tries again. */
  write(): void {
    if (this.#added === null) return;
    const { bytes, lines } = toLines([this.#added]);
    try {
      this.#file.write(this.#size, bytes);
    } catch (error) {
      this.#file.truncate(this.#size);
      throw error;
    }
    this.#added = null;
    this.#size += bytes.length;
    this.#lines.push(...lines);
    this.#unsynced = true;
  }

  /** The session's messages through `counter` are sent: they leave the outbox. */
  settle(session: string, counter: number): void {
    for (let i = this.#head; i < this.#lines.length; i++) {
      const line = this.#lines[i] as Line;
      if (line.session !== session) continue;
      if (line.first > counter) break;
      const settled = Math.min(counter - line.first + 1, line.drafts.length - line.settled);
      line.first += settled;
      line.settled += settled;
      if (line.settled === line.drafts.length) this.#garbage += line.bytes;
    }
    while (this.#isSettled(this.#head)) this.#head += 1;
    if (this.#head === this.#lines.length) {
      this.#lines = [];
      this.#head = 0;
      this.#garbage = 0;
      this.#empty();
    } else if (2 * this.#head > this.#lines.length) {
      // Settled lines keep their messages in memory, so there may be no more of them than of lines that wait.
      this.#lines = this.#lines.slice(this.#head);
      this.#head = 0;
    }
    if (this.#garbage > GARBAGE_BYTES_MAX && this.#garbage > this.#size / 2) this.#rewrite();
  }

  /**
   * Empties the file. If that fails, sent messages stay in it until it is written anew. They keep their numbers, so
   * they are never sent again.
   */
  #empty(): void {
    try {
      this.#file.truncate(0);
      this.#size = 0;
      this.#unreplaced = false;
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#unreplaced = true;
    }
  }

  /** Messages that can never be sequenced under these numbers go on in another session, numbered from 1. */
  rename(session: string, counters: readonly number[], to: string): void {
    const goes = new Set(counters);
    const runs: PendingSession[] = [];
    let moved = 0;
    for (const run of this.#pending) {
      if (run.session !== session) runs.push(run);
      else
        for (const [i, draft] of run.drafts.entries()) {
          const counter = run.first + i;
          if (goes.has(counter)) runs.push({ session: to, first: ++moved, drafts: [draft] });
          else runs.push({ session, first: counter, drafts: [draft] });
        }
    }
    this.#replace(joined(runs));
  }

  /** Messages that were added and not written yet belong to another session now, numbered from `first`. */
  renumberAdded(session: string, first: number): void {
    if (this.#added !== null) this.#added = { ...this.#added, session, first };
  }

  /** Runs without gaps, oldest first. */
  get pending(): PendingSession[] {
    return joined(this.#pending);
  }

  /**
   * Makes waiting messages durable, and removes those that are no longer pending from the file; `noted` is called with
   * the result. After a failed sync it is unknown what the file holds, so the next call writes it anew [D3].
   */
  flush(noted: (error: PortError | null) => void): void {
    // If something could not even be written, that is another trouble.
    const succeeded = () => this.#added === null && noted(null);
    const error = this.#unreplaced ? this.#replace(this.#pending) : null;
    if (error !== null) return noted(error);
    if (!this.#unsynced || this.#head === this.#lines.length) return void succeeded();
    this.#unsynced = false;
    let left = this.#unsyncedName ? 2 : 1;
    const done = (failure: PortError | null) => {
      left -= 1;
      if (failure === null) return void (left === 0 && !this.#unreplaced && succeeded());
      this.#unreplaced = true;
      this.#unsynced = true;
      noted(failure);
    };
    this.#file.sync(done);
    if (this.#unsyncedName) this.#disk.syncDirectory("", done);
    this.#unsyncedName = false;
  }

  close(): void {
    this.#file.close();
  }

  #isSettled(at: number): boolean {
    const line = this.#lines[at];
    return line !== undefined && line.settled === line.drafts.length;
  }

  /** The unsettled messages of each line. */
  get #pending(): PendingSession[] {
    return this.#lines
      .slice(this.#head)
      .map(({ session, first, drafts, settled }) => ({ session, first, drafts: drafts.slice(settled) }))
      .filter(({ drafts }) => drafts.length > 0);
  }

  #rewrite(): void {
    try {
      this.#takeOver(writeAnew(this.#disk, this.#pending));
    } catch (error) {
      // There is no room for the shorter file; the longer one serves as well.
      if (!(error instanceof PortError)) throw error;
    }
  }

  /** The pending messages differ from those in the file: writes it anew. If that fails, it is tried again. */
  #replace(runs: readonly PendingSession[]): PortError | null {
    try {
      this.#takeOver(writeAnew(this.#disk, runs));
      this.#unreplaced = false;
      return null;
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#lines = toLines(runs).lines;
      this.#head = 0;
      this.#unreplaced = true;
      return error;
    }
  }

  #takeOver({ file, size, lines }: ReturnType<typeof writeAnew>): void {
    this.#file.close();
    this.#file = file;
    this.#size = size;
    this.#lines = lines;
    this.#head = 0;
    this.#garbage = 0;
    this.#unsyncedName = true;
  }
}

/** Replaces the file by one with just these messages. */
function writeAnew(disk: Disk, runs: readonly PendingSession[]): { file: File; size: number; lines: Line[] } {
  const { bytes, lines } = toLines(runs);
  const file = makeWhole(disk, temporaryOf(PATH), (fresh) => {
    fresh.write(0, bytes);
    // The messages may have been durable for long: a power cut right after the rename must not lose them.
    if (bytes.length > 0) fresh.syncNow();
    disk.rename(temporaryOf(PATH), PATH);
  });
  return { file, size: bytes.length, lines };
}

function toLines(runs: readonly PendingSession[]): { bytes: Uint8Array; lines: Line[] } {
  const lines: Line[] = [];
  const pieces: Uint8Array[] = [];
  for (const { session, first, drafts } of runs) {
    for (let at = 0; at < drafts.length; ) {
      const messages = lineOf(drafts, at);
      const head = { session, first: first + at };
      assert(v.is(LINE_HEAD, head), "a line of the outbox can be read back");
      const body = encodeWithDrafts(head, messages);
      const seal = sealOf(body);
      const bytes = body.length + seal.length + LINE_END.length;
      lines.push({ session, first: first + at, drafts: messages, settled: 0, bytes });
      pieces.push(body, seal, LINE_END);
      at += messages.length;
    }
  }
  return { bytes: joinBytes(pieces), lines };
}

/** As many messages as go into one line. */
function lineOf(drafts: readonly Draft[], from: number): readonly Draft[] {
  let end = from;
  for (let size = 0; end < drafts.length && end - from < LINE_MESSAGES_MAX && size < LINE_CHARACTERS_MAX; end++)
    size += (drafts[end] as Draft).payload.length;
  return drafts.slice(from, end);
}

function parseLine(bytes: Uint8Array): PendingSession | null {
  const result = v.safeParse(
    LINE,
    readSealed(DECODER.decode(bytes), (json) => mendOldLine(json) ?? json),
  );
  if (!result.success) return null;
  const { session, first, messages } = result.output;
  return { session, first, drafts: messages };
}

/** Joins lines that continue each other into one run, even where other lines stand between them. */
function joined(runs: readonly PendingSession[]): PendingSession[] {
  const open = new Map<string, { session: string; first: number; drafts: Draft[] }>();
  const all: PendingSession[] = [];
  for (const { session, first, drafts } of runs) {
    const run = open.get(session);
    if (run !== undefined && first === run.first + run.drafts.length) run.drafts.push(...drafts);
    else {
      const begun = { session, first, drafts: [...drafts] };
      open.set(session, begun);
      all.push(begun);
    }
  }
  return all;
}
