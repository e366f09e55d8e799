/**
 * The mode of a terminal in which every key is read at once, and its way back: whatever ends or stops this process, short of
 * SIGKILL, the terminal is given back as it was.
 */
import type { Readable, Writable } from "node:stream";
import { REPORTS_OFF, REPORTS_ON } from "../editor/keys.ts";

export type TtyInput = Readable & { setRawMode?: (raw: boolean) => unknown };
export type TtyOutput = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** Writes at once: for the last words of a process that cannot wait. */
  writeNow?(text: string): void;
};

/** Used where the terminal does not say how wide it is. */
const COLUMNS = 80;
const ROWS = 24;
/** A process that is stopped wakes up later than this; one that cannot be, goes on. */
const STOPPED_MS = 100;
/** Windows has no such signals. */
const STOPS = process.platform !== "win32";
/** Those that end a process which does not ask for them, and are no way to leave: it dies of them all the same. */
const DEADLY = STOPS ? (["SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const) : [];

export class Tty {
  readonly #input: TtyInput;
  readonly #output: TtyOutput;
  readonly #erase: () => string;
  readonly #write: (bytes: string) => void;
  #entered = false;
  #goOn: ReturnType<typeof setTimeout> | undefined;
  readonly #resumed: () => void;

  /**
   * `erase` gives the bytes that take away what is drawn. `resumed` is called when this process goes on after it was stopped:
   * something else has had the screen.
   */
  constructor(
    input: TtyInput,
    output: TtyOutput,
    { write, erase, resumed }: { write: (bytes: string) => void; erase: () => string; resumed: () => void },
  ) {
    this.#input = input;
    this.#output = output;
    this.#write = write;
    this.#erase = erase;
    this.#resumed = resumed;
  }

  get columns(): number {
    return this.#output.columns || COLUMNS;
  }

  get rows(): number {
    return this.#output.rows || ROWS;
  }

  enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    this.#raw(true);
    this.#write(REPORTS_ON);
    process.on("exit", this.#atExit);
    if (STOPS) process.on("SIGCONT", this.#onContinued);
    for (const signal of DEADLY) process.on(signal, this.#onDeadly);
  }

  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    clearTimeout(this.#goOn);
    process.off("exit", this.#atExit);
    process.off("SIGCONT", this.#onContinued);
    for (const signal of DEADLY) process.off(signal, this.#onDeadly);
    this.#write(this.#erase() + REPORTS_OFF);
    this.#raw(false);
  }

  /** Stops this process and those that were started with it, as Ctrl-Z does elsewhere, until `fg`. */
  suspend(): void {
    this.#write(this.#erase() + REPORTS_OFF);
    this.#raw(false);
    if (STOPS) process.kill(0, "SIGTSTP");
    // The system does not stop a process without a shell that could let it go on.
    this.#goOn = setTimeout(this.#onContinued, STOPPED_MS);
  }

  readonly #onContinued = (): void => {
    clearTimeout(this.#goOn);
    if (!this.#entered) return;
    this.#raw(true);
    this.#write(REPORTS_ON);
    this.#resumed();
  };

  readonly #atExit = (): void => {
    this.#entered = false;
    this.#raw(false);
    this.#output.writeNow?.(this.#erase() + REPORTS_OFF);
  };

  readonly #onDeadly = (signal: NodeJS.Signals): void => {
    this.#atExit();
    process.off(signal, this.#onDeadly);
    process.kill(process.pid, signal);
  };

  #raw(raw: boolean): void {
    try {
      this.#input.setRawMode?.(raw);
    } catch {
      // A terminal that is gone has no mode.
    }
  }
}
