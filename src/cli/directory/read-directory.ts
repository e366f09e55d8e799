/** `chatpeer verify DIR...` and `chatpeer log DIR`: what data directories hold, read without disturbing anyone. */
import { join, resolve } from "node:path";
import { openDisk } from "../../adapters/disk.ts";
import { standardStream } from "../../adapters/standard-stream.ts";
import { type Disk, PortError } from "../../host/contracts.ts";
import { toMessage } from "../../host/delivered.ts";
import { compareHistories, DamagedLog, readCommitted } from "../../host/store/history.ts";
import { LOG_DIRECTORY } from "../../host/store/segments.ts";
import { DamagedFile } from "../../host/store/state-files.ts";
import type { Output } from "../process/output.ts";
import { NO_PROGRESS, type Progress, progressOn } from "../process/progress-line.ts";
import { counted } from "../screen/answer-rows.ts";
import type { Paint } from "../screen/paint.ts";
import { messageLine } from "../screen/text-lines.ts";
import { visible } from "../screen/visible.ts";
import type { Command } from "../usage/command.ts";
import { name, UsageError } from "../usage/flag-values.ts";
import { entriesOf, isThere, piecesIn, verifyPieces } from "./pieces.ts";
import { Reading } from "./reading.ts";

const INDEX_MAX = 999_999_999_999_999;

export const VERIFY: Command = {
  name: "verify",
  words: "DIR...",
  completes: "directory",
  purpose: "compare the committed logs in data directories",
  flags: [],
  examples: [{ command: "chatpeer verify data/peer1 data/peer2", what: "While the peers run, or long after" }],
  exits: { 0: "they are one history; one may be shorter", 1: "they differ, or one cannot be read" },
  run: async ({ words, out, err }) => verify(words, out, err, await progressOn(standardStream(2))),
};

export const LOG: Command = {
  name: "log",
  words: "DIR",
  completes: "directory",
  purpose: "print the history that a data directory holds",
  flags: [
    { name: "json", value: null, what: "One JSON object per message, as with --json of a peer" },
    { name: "room", value: "ROOM", what: "Only this room", otherwise: "all" },
    { name: "after", value: "INDEX", what: "Only messages behind this log index", preset: "0" },
  ],
  examples: [
    { command: "chatpeer log data/peer1", what: "All messages" },
    {
      command: "chatpeer log data/peer1 --room general --after 1000 --json",
      what: "For a program, from where it stopped",
    },
    { command: "chatpeer log data/peer1/damaged", what: "What can be read of segments that were set aside" },
  ],
  exits: { 0: "printed", 1: "the log cannot be read to its end: stderr says where and why" },
  async run({ words, settings, out, err, paint }) {
    const [directory, ...more] = words;
    if (directory === undefined || more.length > 0)
      throw new UsageError("log needs one data directory: chatpeer log DIR");
    const room = settings.text("room");
    return printLog(
      directory,
      {
        json: settings.on("json"),
        room: room === undefined ? null : name("--room", room),
        after: settings.number("after", 0, INDEX_MAX) as number,
      },
      out,
      err,
      paint,
      // What it prints shows how far it is, where somebody sees it.
      standardStream(1).isTTY === true
        ? NO_PROGRESS
        : await progressOn(standardStream(2), { lines: !settings.on("json") }),
    );
  },
};

/** Exit code 0 only if the committed logs are one history. */
export function verify(
  directories: readonly string[],
  out: Output,
  err: Output,
  progress: Progress = NO_PROGRESS,
): number {
  if (directories.length === 0)
    throw new UsageError("verify needs at least one data directory: chatpeer verify DIR...");
  const pieces = new Map(directories.flatMap((d) => [[d, piecesIn(d)] as const]).filter(([, disk]) => disk !== null));
  if (pieces.size > 0) {
    const codes = [...pieces].map(([d, disk]) =>
      reporting(err, progress, () => verifyPieces(new Reading(progress).of(disk as Disk, ""), d, out, err)),
    );
    const whole = directories.filter((d) => !pieces.has(d));
    return Math.max(...codes, whole.length > 0 ? verify(whole, out, err, progress) : 0);
  }
  const disks = directories.map(openData);
  return reporting(err, progress, () => {
    const reading = new Reading(progress);
    const comparison = compareHistories(
      disks.map((disk) => reading.of(disk, LOG_DIRECTORY)),
      directories.map(rootOf),
    );
    progress.end();
    if (comparison.result === "differ") {
      const { index, a, b, lines } = comparison;
      out.line(`not one history: entry ${index} differs`);
      out.line(visible(`  ${directories[a]}: ${lines[0]}`));
      out.line(visible(`  ${directories[b]}: ${lines[1]}`));
      return 1;
    }
    for (const [i, directory] of directories.entries()) {
      const entries = counted(comparison.lengths[i] ?? 0, "committed entry", "committed entries");
      out.line(visible(`${directory}: ${entries}`));
    }
    const shortest = Math.min(...comparison.lengths);
    const longest = Math.max(...comparison.lengths);
    out.line(
      shortest === longest
        ? `one history: identical through entry ${longest}`
        : `one history: identical through entry ${shortest}, the longest goes on to ${longest}`,
    );
    return 0;
  });
}

export interface LogOptions {
  readonly json: boolean;
  /** null: all rooms. */
  readonly room: string | null;
  /** Only messages behind this index. */
  readonly after: number;
}

/** Prints the messages that a directory holds, waiting for a slow reader. */
export async function printLog(
  directory: string,
  options: LogOptions,
  out: Output,
  err: Output,
  paint: Paint,
  progress: Progress = NO_PROGRESS,
): Promise<number> {
  const pieces = piecesIn(directory);
  const reading = new Reading(progress);
  const disk = pieces === null ? reading.of(openData(directory), LOG_DIRECTORY) : reading.of(pieces, "");
  let code = 0;
  const wrong = (what: string) => {
    code = 1;
    progress.clear();
    err.line(visible(`chatpeer: ${what}`));
  };
  const entries = pieces === null ? readCommitted(disk, rootOf(directory)) : entriesOf(disk, directory, wrong);
  const rest = `what can be read behind that: chatpeer log ${join(directory, LOG_DIRECTORY)}`;
  return reporting(
    err,
    progress,
    async () => {
      for (const entry of entries) {
        if (
          entry.kind !== "chat" ||
          entry.index <= options.after ||
          (options.room !== null && entry.room_id !== options.room)
        )
          continue;
        const message = toMessage(entry);
        const room = options.room === null && message.room_id !== "general" ? `#${visible(message.room_id)} ` : "";
        const ready = out.line(options.json ? JSON.stringify(message) : room + messageLine(message, paint));
        if (out.lost) break;
        if (!ready) await new Promise<void>((go) => out.resumed(go));
      }
      progress.end();
      return code;
    },
    pieces === null ? rest : null,
  );
}

/** The files of a data directory that is there. Throws UsageError, or PortError where this user may not look. */
export function openData(directory: string) {
  if (!isThere(join(directory, "log")))
    throw new UsageError(
      `${directory} is no data directory of a peer: it has no log/ and holds no segments (they are made by --data-dir)`,
    );
  return openDisk(directory);
}

/** What stands before the name of a file in it. */
function rootOf(directory: string): string {
  return `${resolve(directory)}/`;
}

function reporting<T extends number | Promise<number>>(
  err: Output,
  progress: Progress,
  work: () => T,
  rest: string | null = null,
): T | number {
  const report = (error: unknown): number => {
    progress.end();
    if (!(error instanceof DamagedLog || error instanceof DamagedFile || error instanceof PortError)) throw error;
    err.line(visible(`chatpeer: ${error.message}`));
    if (rest !== null && error instanceof DamagedLog) err.line(visible(`chatpeer: ${rest}`));
    return 1;
  };
  try {
    const result = work();
    return typeof result === "number" ? result : (result.catch(report) as T);
  } catch (error) {
    return report(error);
  }
}
