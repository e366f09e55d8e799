/** Takes another peer's entries into the log, and commits: for a leader and a follower alike. */
import { compareBallots, type LogIndex, type MemberKey, sameBallot } from "../../core/ids.ts";
import type { Entry, Tail } from "../../core/log-entry.ts";
import type { Before } from "../../core/message.ts";
import type { Histories } from "./histories.ts";
import type { Node } from "./node.ts";

export interface CommitListener {
  /** The entries from `from` through `through` have just been committed. */
  onCommitted(from: LogIndex, through: LogIndex): void;
}

export class Acceptor {
  readonly #node: Node;
  readonly #histories: Histories;
  readonly #listener: CommitListener;
  /** Last index proven equal to the leader's log under the promised ballot. */
  #matched: LogIndex = 0;

  constructor(node: Node, histories: Histories, listener: CommitListener) {
    this.#node = node;
    this.#histories = histories;
    this.#listener = listener;
  }

  get matched(): LogIndex {
    return this.#matched;
  }

  /** After a new promise: nothing is proven under it yet. */
  reset(): void {
    this.#matched = 0;
  }

  /** The leader's log is proven equal through `index`. */
  prove(index: LogIndex): void {
    this.#matched = Math.max(this.#matched, index);
  }

  holds(place: Tail): boolean {
    const { log } = this.#node;
    return place.index <= log.last && sameBallot(log.state.ballotAt(place.index), place.ballot);
  }

  /**
   * [R2] Takes entries that continue this log at the place before. Returns "taken"; or the place to try next, where the
   * place before is not in this log; or "refused", where the entries cannot be taken at all. Only a real conflict
   * truncates.
   */
  take(from: MemberKey, before: Before, entries: readonly Entry[]): "taken" | "refused" | Tail {
    const node = this.#node;
    const histories = this.#histories;
    const { log } = node;
    const prev = { index: before.prev_index, ballot: before.prev_ballot };
    if (!this.holds(prev)) return log.hintFor(prev);
    if (histories.differ(from, prev.index, before.prev_crc)) return "refused";
    let skip = 0;
    while (skip < entries.length) {
      const entry = entries[skip] as Entry;
      if (entry.index > log.last || !sameBallot(log.state.ballotAt(entry.index), entry)) break;
      if (histories.differ(from, entry.index, entry.crc)) return "refused";
      skip += 1;
    }
    const first = entries[skip];
    if (first === undefined) return "taken";
    if (node.refused !== null) return "refused";
    if (first.index <= log.commit) {
      histories.onConflict(from, first.index);
      return "refused";
    }
    const final = entries[entries.length - 1] as Entry;
    if (compareBallots(final, node.promised) > 0) {
      node.notice("bad-entry", `refused an entry at index ${final.index}: its ballot is above the promise`);
      return "refused";
    }
    if (first.index <= log.last) this.#truncate(first.index);
    for (let i = skip; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      const refusal = log.state.refusal(entry);
      if (refusal !== null) {
        node.notice("bad-entry", `refused an entry at index ${entry.index}: ${refusal}`);
        return "refused";
      }
      log.append(entry);
      node.write(entry);
    }
    return "taken";
  }

  #truncate(from: LogIndex): void {
    this.#node.log.truncate(from);
    this.#node.timeouts.disk.onTruncate(from);
    this.#matched = Math.min(this.#matched, from - 1);
    this.#node.out({ do: "truncate", from });
  }

  /** [R6] Delivers what is committed, in index order, each entry once. */
  commitThrough(index: LogIndex): void {
    const { log } = this.#node;
    const through = Math.min(index, log.last);
    if (through <= log.commit) return;
    const from = log.commit + 1;
    log.commitThrough(through);
    this.#node.out({ do: "commit", through });
    this.#listener.onCommitted(from, through);
  }
}
