/**
 * How far something is that takes long: a line that log-update rewrites on a terminal, and elsewhere a plain line now and
 * then. It goes to standard error, so that the output of a command stays what it is.
 *
 * log-update is loaded where it draws, and nowhere else: it looks at `process.stdout` when it is loaded, and Bun makes an
 * inherited pipe non-blocking then. What reads that pipe mostly writes to the same terminal, so nothing is drawn there anyway.
 */
import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import type { createLogUpdate } from "log-update";

/** Between two drawings: people cannot read faster. */
const FRAME_MS = 100;
/** Between two plain lines, and before the first one: what is over sooner needs none. */
const LINE_MS = 10_000;
/** Of a terminal that does not say how large it is, or says 0: log-update would draw nothing there. */
const COLUMNS = 80;
const ROWS = 24;

export interface Progress {
  /** May be called at any rate. The text is one line. */
  show(text: string): void;
  /** Before anything else is printed. */
  clear(): void;
  /** What took long is over. */
  end(): void;
}

export const NO_PROGRESS: Progress = { show: () => {}, clear: () => {}, end: () => {} };

export type ProgressStream = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

export interface ProgressOptions {
  /** Plain lines where nothing can be drawn; without, nothing is said there, unless a person sees it on a terminal. */
  readonly lines?: boolean;
  readonly draws?: boolean;
  /** Milliseconds. */
  readonly now?: () => number;
}

export async function progressOn(
  stream: ProgressStream,
  { lines = true, draws = mayDraw(stream), now = () => performance.now() }: ProgressOptions = {},
): Promise<Progress> {
  if (draws) return new DrawnProgress(stream, (await import("log-update")).createLogUpdate, now);
  return lines || stream.isTTY === true ? new LineProgress(stream, now) : NO_PROGRESS;
}

/** True for a terminal that obeys, where loading log-update changes nothing for other writers to standard output. */
function mayDraw({ isTTY }: ProgressStream): boolean {
  if (isTTY !== true || process.env.TERM === "dumb") return false;
  try {
    const output = fstatSync(1);
    return !output.isFIFO() && !output.isSocket();
  } catch {
    // The starter of this process has closed it.
    return false;
  }
}

class DrawnProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #now: () => number;
  #isShown = false;
  #nextAt = 0;

  constructor(stream: ProgressStream, create: typeof createLogUpdate, now: () => number) {
    this.#stream = stream;
    // Of a stream it needs no more than this. The cursor stays: to hide it would write to `process.stderr`.
    const terminal = {
      isTTY: true,
      get columns() {
        return stream.columns || COLUMNS;
      },
      get rows() {
        return stream.rows || ROWS;
      },
      write: (text: string) => stream.write(text),
    };
    this.#update = create(terminal as NodeJS.WriteStream, { showCursor: true });
    this.#now = now;
  }

  show(text: string): void {
    // Nobody has read the line before: the next is drawn in its place once somebody does.
    if (this.#now() < this.#nextAt || this.#stream.writableLength > 0) return;
    this.#nextAt = this.#now() + FRAME_MS;
    this.#isShown = true;
    this.#update(text.slice(0, (this.#stream.columns || COLUMNS) - 1));
  }

  clear(): void {
    if (this.#isShown) this.#update.clear();
    this.#isShown = false;
    this.#nextAt = 0;
  }

  end(): void {
    this.clear();
  }
}

class LineProgress implements Progress {
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  #nextAt: number | null = null;

  constructor(stream: ProgressStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  show(text: string): void {
    const now = this.#now();
    this.#nextAt ??= now + LINE_MS;
    if (now < this.#nextAt || this.#stream.writableLength > 0) return;
    this.#nextAt = now + LINE_MS;
    this.#stream.write(`chatpeer: ${text}\n`);
  }

  clear(): void {}

  end(): void {
    this.#nextAt = null;
  }
}
