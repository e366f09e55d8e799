/**
 * The files that this peer cannot write now. Each trouble is reported when it begins, shown while it lasts, and
 * reported when it is over.
 *
 *   what can wait waits, and is tried again about every second: `COSTS` says what that costs meanwhile
 *   what must be durable before others hear of it (an entry, a vote) holds this peer back, never the process
 *   after a failed fsync of such a file, and where a file itself is gone, the process stops [D3]
 *
 * A disk that is full at one moment and not at the next would fill the screen with notices. So of each file a few come
 * at once, and then one a minute, which says what is true then. `list` is always as of now.
 */
import { REASON_CHARS_MAX } from "../../core/config.ts";
import type { Refusal } from "../../core/message.ts";
import type { Notice, Trouble } from "../../core/reports.ts";
import { cut } from "../../wire/text.ts";
import type { Clock, PortError } from "../contracts.ts";

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
  checkpoints: "the next start reads more of the log, and takes longer",
  lock: "a start on another machine or in another container would take this peer for dead, and this one would stop",
} as const;

/** The number of notices of one file that may follow one another at once; after them, one may come in each of these times. */
const [TOLD_AT_ONCE, TOLD_EVERY_MS] = [4, 60_000];

export type TroubledFile = keyof typeof COSTS;

/** Errors that a person can remove, and that leave open files as they were: what is lacking, and what to do. */
const PASSING: Readonly<Record<string, readonly [Refusal, string]>> = {
  ENOSPC: ["room", "make room there (space, inodes or quota)"],
  EFBIG: ["room", "let this process write larger files (ulimit -f, or another file system)"],
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

/** What was said of a file last (the code of its error, null: it can be written), and how many notices were left then. */
interface Said {
  readonly code: string | null;
  readonly left: number;
  readonly at: number;
}

export class Troubles {
  readonly #clock: Pick<Clock, "now" | "wall">;
  readonly #tell: (notice: Notice) => void;
  readonly #troubles = new Map<TroubledFile, Trouble & { readonly code: string }>();
  readonly #said = new Map<TroubledFile, Said>();

  constructor(clock: Pick<Clock, "now" | "wall">, tell: (notice: Notice) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Takes the result of an attempt to write a file. */
  note(file: TroubledFile, error: PortError | null): void {
    const before = this.#troubles.get(file);
    if (error === null) this.#troubles.delete(file);
    else if (before?.code !== error.code) {
      // The consequence is short; a path may be long.
      const message = `${cut(error.message, REASON_CHARS_MAX / 2)}: ${COSTS[file]}; ${remedyOf(error)}`;
      this.#troubles.set(file, { file, code: error.code, message, since: before?.since ?? this.#clock.wall() });
    }
    this.#say(file);
  }

  /** Says what had to wait. Called about every second. */
  sayMore(): void {
    for (const file of this.#said.keys()) this.#say(file);
  }

  #say(file: TroubledFile): void {
    const now = this.#clock.now();
    const trouble = this.#troubles.get(file);
    const said = this.#said.get(file) ?? { code: null, left: TOLD_AT_ONCE, at: now };
    const code = trouble?.code ?? null;
    const left = Math.min(TOLD_AT_ONCE, said.left + (now - said.at) / TOLD_EVERY_MS);
    if (code === said.code || left < 1) return;
    this.#said.set(file, { code, left: left - 1, at: now });
    const often = left < 2 ? ". This comes and goes, and is told once a minute at most" : "";
    if (trouble !== undefined)
      return this.#tell({ event: "error", code: "trouble", message: `${trouble.message}${often}` });
    this.#tell({ event: "notice", code: "trouble-over", message: `${nameOf(file)} can be written again${often}` });
  }

  /** Oldest first. */
  get list(): Trouble[] {
    return [...this.#troubles.values()].map(({ file, message, since }) => ({ file, message, since }));
  }
}

function nameOf(file: TroubledFile): string {
  return file.includes(".") ? file : `the ${file}`;
}
