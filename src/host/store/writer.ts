/**
 * Brings the engine's log writes and promises to the directory, in order, even when the disk is full. A write that
 * fails for lack of room, file handles or rights waits here, with everything behind it, and is tried again [D4]. Any
 * other failure ends the peer [D3].
 */
import { type Ballot, type LogIndex, sameBallot } from "../../core/ids.ts";
import type { Refusal } from "../../core/message.ts";
import type { Output } from "../../engines/engine.ts";
import { type Clock, PortError } from "../contracts.ts";
import type { Directory } from "./directory.ts";
import { passes, refusalOf, type TroubledFile } from "./troubles.ts";
import { HostError } from "./unusable.ts";

type LogWrite = Extract<Output, { do: "append" | "truncate" }>;

export interface WriterEvents {
  /** The promise is on the disk. */
  promised(ballot: Ballot): void;
  /** A write waits, for this reason. */
  stuck(why: Refusal): void;
  /** Everything that waited is written. */
  free(): void;
  noted(file: TroubledFile, error: PortError | null): void;
  failed(reason: string): void;
}

const RETRY_MS = 1000;

export class Writer {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #events: WriterEvents;
  #backlog: LogWrite[] = [];
  /** The ballot that the promise file must hold, and whether a write of it is under way. */
  #wanted: Ballot | null = null;
  #busy = false;
  /** The write of the promise waits. */
  #promiseStuck = false;
  #isStuck = false;
  #stopped = false;

  constructor(directory: Directory, clock: Clock, events: WriterEvents) {
    this.#directory = directory;
    this.#clock = clock;
    this.#events = events;
  }

  get caughtUp(): boolean {
    return this.#backlog.length === 0;
  }

  /**
   * Bounds what the disk confirms: behind a truncation that waits, the disk still has other entries than the engine.
   */
  confirmed(index: LogIndex): LogIndex {
    return this.#backlog.reduce((lowest, w) => (w.do === "truncate" ? Math.min(lowest, w.from - 1) : lowest), index);
  }

  stop(): void {
    this.#stopped = true;
  }

  write(write: LogWrite): void {
    if (this.#backlog.length > 0) {
      this.#backlog.push(write);
      return;
    }
    const { store } = this.#directory;
    try {
      if (write.do === "append") store.append(write.entries);
      else this.#directory.truncate(write.from);
    } catch (error) {
      if (error instanceof HostError) return this.#fail(error.message);
      if (!(error instanceof PortError)) throw error;
      if (!passes(error))
        return this.#fail(
          `the log cannot be written (${error.message}): nothing confirmed is lost; check the disk, then start again`,
        );
      this.#backlog.push(
        write.do === "append" ? { do: "append", entries: write.entries.filter((e) => e.index > store.last) } : write,
      );
      this.#events.noted("log", error);
      this.#show(error);
      this.#clock.after(RETRY_MS, () => this.#retry());
    }
  }

  #retry(): void {
    if (this.#stopped) return;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const write of backlog) this.write(write);
    if (this.#backlog.length > 0 || this.#stopped) return;
    this.#events.noted("log", null);
    this.#directory.store.flush();
    this.#show(null);
  }

  /** Reports when the first write waits, and when none does any more. */
  #show(error: PortError | null): void {
    const isStuck = this.#promiseStuck || !this.caughtUp;
    if (isStuck === this.#isStuck) return;
    this.#isStuck = isStuck;
    if (error !== null) this.#events.stuck(refusalOf(error));
    else this.#events.free();
  }

  /** One write of the promise file at a time; the newest promise wins [D2]. */
  promise(ballot: Ballot): void {
    this.#wanted = ballot;
    this.#writePromise();
  }

  #writePromise(): void {
    const ballot = this.#wanted;
    if (this.#busy || ballot === null || this.#stopped) return;
    this.#busy = true;
    this.#directory.writePromise(ballot, (error) => {
      this.#busy = false;
      if (this.#stopped) return;
      if (error !== null && !passes(error))
        return this.#fail(`the promise cannot be written (${error.message}): check the disk, then start again`);
      this.#events.noted("promise.slots", error);
      this.#promiseStuck = error !== null;
      // This comes before the promise is reported, which counts only if the peer can write.
      this.#show(error);
      if (error !== null) return void this.#clock.after(RETRY_MS, () => this.#writePromise());
      if (this.#wanted !== null && sameBallot(this.#wanted, ballot)) this.#wanted = null;
      this.#events.promised(ballot);
      this.#writePromise();
    });
  }

  #fail(reason: string): void {
    this.#stopped = true;
    this.#events.failed(reason);
  }
}
