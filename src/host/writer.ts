/**
 * The core's log writes and promises on their way to the directory, in order, and through a full disk: what does not
 * fit waits here, everything behind it too, and it is tried again [D4]. Any other failure ends the peer [D3].
 */

import type { Output } from "../core/contract.ts";
import { type Ballot, type LogIndex, sameBallot } from "../core/ids.ts";
import { type Clock, PortError } from "./contracts.ts";
import { type Directory, HostError } from "./directory.ts";

type LogWrite = Extract<Output, { do: "append" | "truncate" }>;

export interface WriterEvents {
  /** The promise is on the disk. */
  promised(ballot: Ballot): void;
  full(): void;
  /** Everything that waited is written. */
  room(): void;
  failed(reason: string): void;
}

const RETRY_MS = 1000;

export class Writer {
  readonly #directory: Directory;
  readonly #clock: Clock;
  readonly #events: WriterEvents;
  #backlog: LogWrite[] = [];
  /** What the promise file must say, and whether a write of it is under way. */
  #wanted: Ballot | null = null;
  #busy = false;
  #stopped = false;

  constructor(directory: Directory, clock: Clock, events: WriterEvents) {
    this.#directory = directory;
    this.#clock = clock;
    this.#events = events;
  }

  get caughtUp(): boolean {
    return this.#backlog.length === 0;
  }

  /** Of what the disk confirms: an entry that a waiting truncation takes away is not the one that the core has there. */
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
      if (error.code !== "ENOSPC")
        return this.#fail(
          `the log cannot be written (${error.message}): nothing confirmed is lost; check the disk, then start again`,
        );
      this.#backlog.push(
        write.do === "append" ? { do: "append", entries: write.entries.filter((e) => e.index > store.last) } : write,
      );
      this.#events.full();
      this.#clock.after(RETRY_MS, () => this.#retry());
    }
  }

  #retry(): void {
    if (this.#stopped) return;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const write of backlog) this.write(write);
    if (this.#backlog.length > 0 || this.#stopped) return;
    this.#directory.store.flush();
    this.#events.room();
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
      if (error === null) {
        if (this.#wanted !== null && sameBallot(this.#wanted, ballot)) this.#wanted = null;
        this.#events.promised(ballot);
        return this.#writePromise();
      }
      if (error.code !== "ENOSPC")
        return this.#fail(`the promise cannot be written (${error.message}): check the disk, then start again`);
      this.#clock.after(RETRY_MS, () => this.#writePromise());
    });
  }

  #fail(reason: string): void {
    this.#stopped = true;
    this.#events.failed(reason);
  }
}
