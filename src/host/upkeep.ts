/**
 * Notes progress, rooms, and what could not be noted before: now and then while a peer runs, and once more when it
 * stops.
 */
import type { Clock, Timer } from "./contracts.ts";
import type { Started } from "./parts.ts";
import { type Rooms, saveRooms } from "./rooms.ts";
import type { Troubles } from "./store/troubles.ts";

/** Commit index, cursor and watermark are noted this often, and at segment ends and a clean stop [D5] [D7]. */
const PROGRESS_MS = 1000;

export interface UpkeepHost {
  readonly clock: Clock;
  readonly troubles: Troubles;
  readonly rooms: Rooms;
  /** Whether the directory is this process's still; if not, the peer has ended. */
  holds(): boolean;
  /** A turn is to follow. */
  schedule(): void;
}

export class Upkeep {
  readonly #host: UpkeepHost;
  readonly #parts: Started;
  #timer: Timer | null = null;

  constructor(host: UpkeepHost, parts: Started) {
    this.#host = host;
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#host.clock.after(PROGRESS_MS, () => this.#onTime());
  }

  #onTime(): void {
    const { troubles, rooms } = this.#host;
    const { directory, disk, intake, writer } = this.#parts;
    if (!this.#host.holds()) return;
    directory.secondPromise();
    // While writes wait for room, the disk does not hold what the engine has committed [D7].
    if (writer.caughtUp) this.#saveProgress(false);
    if (intake.isStuck) this.#host.schedule();
    directory.retryNotes();
    directory.outbox.flush((error) => troubles.note("outbox.jsonl", error));
    if (rooms.changed) troubles.note("rooms.json", saveRooms(disk, rooms));
    troubles.sayMore();
    this.start();
  }

  /** For a clean stop: makes everything durable, and notes that. Throws PortError. */
  close(): void {
    const { directory, disk, writer } = this.#parts;
    if (!writer.caughtUp) return;
    directory.store.syncNow();
    this.#saveProgress(true);
    if (this.#host.rooms.changed) saveRooms(disk, this.#host.rooms);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #saveProgress(clean: boolean): void {
    const { delivery, directory, peer } = this.#parts;
    const { durable, commit } = peer.log;
    directory.saveProgress({ durable, commit, delivered: delivery.acknowledged, clean });
  }
}
