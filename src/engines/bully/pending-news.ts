/**
 * Without a leader, peers that reach each other still show each other what waits [S7]: marked as pending, never
 * numbered; the order comes with the log.
 */
import { PENDING_SHOWN_MAX } from "../../core/config.ts";
import type { LinkId, Millis } from "../../core/ids.ts";
import type { Draft } from "../../core/log-entry.ts";
import type { Pending } from "../../core/message.ts";
import { Batch } from "../../core/weigh.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { Relay } from "./relay.ts";
import type { Sender } from "./sender.ts";

export class PendingNews {
  readonly #node: Node;
  readonly #relay: Pick<Relay, "via">;
  readonly #sender: Pick<Sender, "pending" | "pendingRuns">;
  /** Since when there has been neither a leader nor a way to one; null while there is. */
  #since: Millis | null = null;
  /** For each link and session, the counter through which its messages have been shown since then. */
  #told = new Map<LinkId, Map<string, number>>();

  constructor(node: Node, relay: Pick<Relay, "via">, sender: Pick<Sender, "pending" | "pendingRuns">) {
    this.#node = node;
    this.#relay = relay;
    this.#sender = sender;
  }

  onTime(): void {
    const node = this.#node;
    if (node.leader !== null || this.#relay.via !== null) {
      this.#since = null;
      return;
    }
    if (this.#since === null) {
      this.#since = node.now;
      this.#told = new Map();
    }
    // An election that takes milliseconds is not reported.
    if (this.#sender.pending === 0 || node.now - this.#since < node.timings.heartbeat) return;
    const runs = this.#sender.pendingRuns(PENDING_SHOWN_MAX);
    for (const link of node.links.keys()) for (const run of runs) this.#tell(link, run);
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
    this.#node.send(link, { type: "PENDING", session: run.session, first: from, messages });
  }

  onPending(from: LinkedPeer, { session, first, messages }: Pending): void {
    this.#node.out({ do: "unsent", sender: from.id, session, first, drafts: messages });
  }
}
