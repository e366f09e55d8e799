/**
 * Which links are those of the members that they say they are of [A3]. In a secured cluster a link counts if it has proven
 * the key that the log, or a newer JOIN_ACK, gives to that member. All other links are strangers', and
 * nearly nothing of the peer sees them. They change sides when a configuration comes that says so, or is taken back.
 */
import type { LinkId, LogIndex } from "../../core/ids.ts";
import type { LoggedConfiguration } from "../../core/log-state.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";

/** What follows when a link changes sides. */
export interface LinkChanges {
  meet(peer: LinkedPeer): void;
  part(link: LinkId): void;
  /** A stranger is told no more than that this peer would like to join, where it would. */
  knock(peer: LinkedPeer): void;
}

export class LinkKeys {
  readonly #node: Node;
  readonly #changes: LinkChanges;
  /** All that the last sorting went by. */
  #sortedBy: { readonly newest: LoggedConfiguration | null; readonly committed: LogIndex; readonly heardOf: unknown };

  constructor(node: Node, changes: LinkChanges) {
    this.#node = node;
    this.#changes = changes;
    this.#sortedBy = this.#present;
  }

  onLinkUp(peer: LinkedPeer): void {
    if (this.#isProven(peer)) return this.#changes.meet(peer);
    this.#node.strangers.set(peer.link, peer);
    this.#changes.knock(peer);
  }

  onLinkDown(link: LinkId): void {
    if (!this.#node.strangers.delete(link)) this.#changes.part(link);
  }

  /** After anything that may have changed a configuration, or which of them is committed. Cheap where nothing has. */
  sort(): void {
    const before = this.#sortedBy;
    const present = this.#present;
    if (
      before.newest === present.newest &&
      before.committed === present.committed &&
      before.heardOf === present.heardOf
    )
      return;
    this.#sortedBy = present;
    const { links, strangers } = this.#node;
    for (const peer of [...links.values()]) {
      if (this.#isProven(peer)) continue;
      this.#changes.part(peer.link);
      strangers.set(peer.link, peer);
    }
    for (const peer of [...strangers.values()]) {
      if (!this.#isProven(peer)) continue;
      strangers.delete(peer.link);
      this.#changes.meet(peer);
    }
  }

  #isProven(peer: LinkedPeer): boolean {
    const key = this.#node.keyOf(peer);
    return key === null ? !this.#node.log.state.secure : key === peer.key;
  }

  get #present() {
    const { log, hearsay } = this.#node;
    const committed = log.state.configurationAt(log.commit)?.index ?? 0;
    return { newest: log.state.newest, committed, heardOf: hearsay.members };
  }
}
