/**
 * Notes now and then how far a peer is: its watermark, its commit index, what was delivered, and whether it stopped
 * cleanly.
 */
import type { Disk, PortError } from "../contracts.ts";
import { type Progress, UNKNOWN } from "./recovery.ts";
import { DamagedFile, readState, replaceState, replaceStateNow } from "./state-files.ts";
import type { TroubledFile } from "./troubles.ts";

export const PROGRESS = "progress.json";

export class ProgressFile {
  readonly #disk: Disk;
  /** Called with the result of a note that can wait. */
  readonly #onNoted: (file: TroubledFile, error: PortError | null) => void;
  #last: Progress;
  /** Number of notes so far. A note is dropped if a later note, or a close, has overtaken it. */
  #notes = 0;
  #noting = false;
  /** The last note is finished. */
  #isNoted = true;
  #closed = false;

  constructor(disk: Disk, onNoted: (file: TroubledFile, error: PortError | null) => void) {
    this.#disk = disk;
    this.#onNoted = onNoted;
    this.#last = readProgress(disk);
  }

  /** The progress that was noted last, or is being noted. */
  get noted(): Progress {
    return this.#last;
  }

  /**
   * Notes how far this peer is: without haste; or, with `durable`, before it returns (throws PortError). A late note is
   * no loss, so a failed one is left to the next. But every note is synced before it takes its name: a watermark torn
   * by a power cut would make every cut line look like damage.
   */
  save(progress: Progress, durable: boolean): void {
    if (durable) {
      this.#notes += 1;
      replaceStateNow(this.#disk, PROGRESS, progress);
      this.#noting = false;
      this.#isNoted = true;
      this.#last = progress;
      return;
    }
    if (this.#noting || (this.#isNoted && sameProgress(progress, this.#last))) return;
    const note = ++this.#notes;
    this.#noting = true;
    this.#last = progress;
    const noted = (error: PortError | null) => {
      this.#noting = false;
      this.#isNoted = error === null;
      this.#onNoted(PROGRESS, error);
    };
    replaceState(this.#disk, PROGRESS, progress, noted, () => note === this.#notes && !this.#closed);
  }

  /** Drops a note that is under way. */
  close(): void {
    this.#closed = true;
  }
}

/**
 * Where the note is damaged or missing, everything in the log counts as confirmed, so that damage is never just cut.
 */
export function readProgress(disk: Disk): Progress {
  const none: Progress = { durable: 0, commit: 0, delivered: 0, clean: false };
  try {
    return (readState(disk, PROGRESS) as Progress | null) ?? none;
  } catch (error) {
    if (error instanceof DamagedFile) return { ...none, durable: UNKNOWN };
    throw error;
  }
}

function sameProgress(a: Progress, b: Progress): boolean {
  return a.durable === b.durable && a.commit === b.commit && a.delivered === b.delivered && a.clean === b.clean;
}
