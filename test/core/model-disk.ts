/**
 * A data directory as the core's contract sees it: what is written, what of it a crash leaves, the promise file, the
 * outbox. Delays and losses come from the cluster's random numbers; nothing here knows the protocol.
 */
import { type Ballot, NO_BALLOT } from "../../src/core/ids.ts";
import { LogState } from "../../src/core/log.ts";
import type { Draft, Entry } from "../../src/core/message.ts";
import type { Restored } from "../../src/core/peer.ts";

interface OutboxSession {
  readonly session: string;
  readonly drafts: Draft[];
  /** How many of them are sent. */
  settled: number;
}

export class ModelDisk {
  /** The log as ordered by the core; ahead of the file while the disk is full. */
  ordered: Entry[] = [];
  /** The log file now. */
  written: Entry[] = [];
  /** The log file that survives a power cut for sure. */
  synced: Entry[] = [];
  promised: Ballot = NO_BALLOT;
  /** A write of the promise file under way; a crash keeps it or loses it. */
  promising: Ballot | null = null;
  outbox: OutboxSession[] = [];
  /** Commit index noted at leisure, never ahead of the truth [D7]. */
  commit = 0;
  /** Damaged below the watermark and not yet repaired [D5]. */
  faulty = false;

  #full = false;

  get full(): boolean {
    return this.#full;
  }

  /** While the disk is full what is ordered waits [D4]. */
  set full(full: boolean) {
    this.#full = full;
    if (!full) this.written = [...this.ordered];
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index !== this.ordered.length + 1)
        throw new Error(`append of ${entry.index} to a log that ends at ${this.ordered.length}`);
      this.ordered.push(entry);
      if (!this.#full) this.written.push(entry);
    }
  }

  truncate(from: number): void {
    if (from < 1 || from > this.ordered.length)
      throw new Error(`truncation from ${from} of a log that ends at ${this.ordered.length}`);
    this.ordered = this.ordered.slice(0, from - 1);
    if (!this.#full) this.written = [...this.ordered];
  }

  /** How much of what a sync covered is still in the file. */
  confirm(covered: readonly Entry[]): number {
    this.synced = [...covered];
    return commonPrefix(covered, this.written);
  }

  keep(session: string, drafts: readonly Draft[]): void {
    let kept = this.outbox.find((s) => s.session === session);
    if (kept === undefined) this.outbox.push((kept = { session, drafts: [], settled: 0 }));
    kept.drafts.push(...drafts);
  }

  settle(session: string): void {
    const kept = this.outbox.find((s) => s.session === session);
    if (kept === undefined) throw new Error(`session ${session} is not in the outbox`);
    kept.settled += 1;
  }

  /** Power cut or kill: the synced part stays, and of what was not synced as much as chance will have. */
  crash(random: () => number): void {
    const common = commonPrefix(this.synced, this.written);
    // A truncation that was not synced may be undone; else some prefix of what was appended is left.
    if (common < this.synced.length && random() < 0.3) this.written = [...this.synced];
    else {
      const unsynced = this.written.length - common;
      const luck = random();
      const survives = luck < 0.3 ? 0 : luck < 0.6 ? unsynced : Math.floor(random() * (unsynced + 1));
      this.written = this.written.slice(0, common + survives);
    }
    this.#full = false;
    this.ordered = [...this.written];
    this.synced = [...this.written];
    if (this.promising !== null && random() < 0.5) this.promised = this.promising;
    this.promising = null;
    for (const session of this.outbox) {
      // That a message left the outbox is noted at leisure, too.
      if (random() < 0.3) session.settled = Math.floor(random() * (session.settled + 1));
    }
  }

  /** A power cut may also take messages that were typed last; their counters must not come again [S3]. */
  loseOutbox(random: () => number): void {
    const last = this.outbox[this.outbox.length - 1];
    if (last !== undefined) last.drafts.length = last.settled + Math.floor(random() * (last.drafts.length - last.settled));
  }

  restore(): Restored {
    const state = new LogState();
    for (const entry of this.written) {
      const refusal = state.refusal(entry);
      if (refusal !== null) throw new Error(`the file holds what no log may hold: ${refusal}`);
      state.apply(entry);
    }
    this.ordered = [...this.written];
    this.synced = [...this.written];
    return {
      state,
      entries: [...this.written],
      beforeCrc: 0,
      durable: this.written.length,
      commit: Math.min(this.commit, this.written.length),
      promised: this.promised,
      faulty: this.faulty,
      outbox: this.outbox
        .filter((s) => s.drafts.length > s.settled)
        .map((s) => ({ session: s.session, first: s.settled + 1, drafts: s.drafts.slice(s.settled) })),
    };
  }
}

function commonPrefix(a: readonly Entry[], b: readonly Entry[]): number {
  // Chained sums: equal at one place means equal up to there.
  let low = 0;
  let high = Math.min(a.length, b.length);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (a[middle - 1]?.crc === b[middle - 1]?.crc) low = middle;
    else high = middle - 1;
  }
  return low;
}
