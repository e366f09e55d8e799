/**
 * Without a leader, peers that reach each other still show each other what waits [S7]: marked as pending, never
 * numbered; the order comes with the log.
 */
import { PENDING_SHOWN_MAX } from "../../core/config.ts";
import type { LinkId, Millis } from "../../core/ids.ts";
import type { Draft, Pending } from "../../core/message.ts";
import { Batch } from "../../core/weigh.ts";
import type { LinkedPeer } from "../engine.ts";
import type { Peer } from "./peer.ts";

export class PendingNews {
  readonly #peer: Peer;
  /** Since when there has been neither a leader nor a way to one; null while there is. */
  #since: Millis | null = null;
  /** Counter through which each session's messages have been told on each link, since then. */
  #told = new Map<LinkId, Map<string, number>>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  onTime(): void {
    const peer = this.#peer;
    if (peer.leader !== null || peer.relay.via !== null) {
      this.#since = null;
      return;
    }
    if (this.#since === null) {
      this.#since = peer.now;
      this.#told = new Map();
    }
    // An election that takes milliseconds is not worth a word.
    if (peer.sender.pending === 0 || peer.now - this.#since < peer.timings.heartbeat) return;
    const runs = peer.sender.pendingRuns(PENDING_SHOWN_MAX);
    for (const link of peer.links.keys()) for (const run of runs) this.#tell(link, run);
  }

  #tell(link: LinkId, run: { session: string; first: number; drafts: readonly Draft[] }): void {
    const told = this.#told.get(link) ?? new Map<string, number>();
    this.#told.set(link, told);
    const from = Math.max(run.first, (told.get(run.session) ?? 0) + 1);
    const batch = new Batch();
    for (const draft of run.drafts.slice(from - run.first)) if (!batch.add(draft)) break;
    const { messages } = batch;
    if (messages.length === 0) return;
    told.set(run.session, from + messages.length - 1);
    this.#peer.send(link, { type: "PENDING", session: run.session, first: from, messages });
  }

  onPending(from: LinkedPeer, { session, first, messages }: Pending): void {
    this.#peer.out({ do: "unsent", sender: from.id, session, first, drafts: messages });
  }
}
