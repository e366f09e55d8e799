/**
 * The files that this peer cannot write now. Each trouble is reported when it begins, shown while it lasts, and
 * reported when it is over.
 *
 *   what can wait waits, and is tried again about every second: `COSTS` says what that costs meanwhile
 *   what must be durable before others hear of it (an entry, a vote) holds this peer back, never the process
 *   after a failed fsync of such a file, and where a file itself is gone, the process stops [D3]
 */
import { REASON_CHARS_MAX } from "../../core/config.ts";
import type { Refusal } from "../../core/message.ts";
import type { Notice, Trouble } from "../../core/reports.ts";
import { cut } from "../../wire/text.ts";
import type { PortError } from "../contracts.ts";

/** The consequence of a failed write of each file, while it lasts. */
const COSTS = {
  log: "this peer takes no messages and has no vote until it can",
  "log's names": "what is said waits to be sent until it can",
  "promise.slots": "this peer has no vote until it can",
  "outbox.jsonl": "what was typed last waits, and would be lost with this process",
  "progress.json": "if this process dies, the next one reads more of the log, and tells again what was told since",
  "identity.json": "this peer cannot join until it can",
  "repair.json": "this peer knows that its log is damaged, and the next process would not",
  "rooms.json": "the next start forgets which rooms were joined or read since",
  "owner.token": "scripts on this machine are not let in with it until it can",
  checkpoints: "the next start reads more of the log, and takes longer",
  lock: "a start on another machine or in another container would take this peer for dead, and this one would stop",
} as const;

export type TroubledFile = keyof typeof COSTS;

/** Errors that a person can remove, and that leave open files as they were: what is lacking, and what to do. */
const PASSING: Readonly<Record<string, readonly [Refusal, string]>> = {
  ENOSPC: ["room", "make room there (space, inodes or quota)"],
  EMFILE: ["handles", "let this process open more files (ulimit -n)"],
  ENFILE: ["handles", "let the system open more files"],
  EACCES: ["rights", "let this user write there"],
  EPERM: ["rights", "let this user write there"],
  EROFS: ["rights", "let it be written to again (mount -o remount,rw)"],
};

/** Whether a write may wait until a person makes it possible. After any other error nothing is known about the file. */
export function passes({ code }: PortError): boolean {
  return PASSING[code] !== undefined;
}

/** What is lacking, by an error that passes. */
export function refusalOf({ code }: PortError): Refusal {
  return (PASSING[code] as (typeof PASSING)[string])[0];
}

/** What a person can do about a disk that refuses. */
export function remedyOf({ code }: PortError): string {
  return PASSING[code]?.[1] ?? "check the disk";
}

export class Troubles {
  readonly #wall: () => number;
  readonly #tell: (notice: Notice) => void;
  readonly #troubles = new Map<TroubledFile, Trouble & { readonly code: string }>();

  /** `wall`: milliseconds since 1970, for display. */
  constructor(wall: () => number, tell: (notice: Notice) => void) {
    this.#wall = wall;
    this.#tell = tell;
  }

  /** Takes the result of an attempt to write a file. */
  note(file: TroubledFile, error: PortError | null): void {
    const before = this.#troubles.get(file);
    if (error === null) {
      if (!this.#troubles.delete(file)) return;
      return this.#tell({ event: "notice", code: "trouble-over", message: `${nameOf(file)} can be written again` });
    }
    if (before?.code === error.code) return;
    // The consequence is short; a path may be long.
    const message = `${cut(error.message, REASON_CHARS_MAX / 2)}: ${COSTS[file]}; ${remedyOf(error)}`;
    this.#troubles.set(file, { file, code: error.code, message, since: before?.since ?? this.#wall() });
    this.#tell({ event: "error", code: "trouble", message });
  }

  /** Oldest first. */
  get list(): Trouble[] {
    return [...this.#troubles.values()].map(({ file, message, since }) => ({ file, message, since }));
  }
}

function nameOf(file: TroubledFile): string {
  return file.includes(".") ? file : `the ${file}`;
}
