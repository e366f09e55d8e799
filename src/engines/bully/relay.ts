/**
 * The way to the leader and back through another member [S6], for a peer that reaches that member but not the leader.
 * It is one hop, so that nothing goes round in circles.
 */
import { leaderKey, type MemberKey, type Millis, sameMember } from "../../core/ids.ts";
import type { Chat, ChatAck } from "../../core/message.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";

export interface WayListener {
  /** A way to a leader was found, through another member. */
  onWayFound(): void;
}

export class Relay {
  readonly #node: Node;
  readonly #listener: WayListener;
  /** A member that last said it hears a leader, and when. */
  #last: { member: MemberKey; at: Millis } | null = null;

  constructor(node: Node, listener: WayListener) {
    this.#node = node;
    this.#listener = listener;
  }

  /** Where this peer has no leader of its own: the member through which one is reached. */
  get via(): MemberKey | null {
    const node = this.#node;
    if (node.leader !== null || this.#last === null || !node.isLinked(this.#last.member)) return null;
    return node.now - this.#last.at < 2 * node.timings.leaderTimeout ? this.#last.member : null;
  }

  /** A member said that it hears a leader. The member in use is kept as long as it says so. */
  hearsLeader(member: MemberKey): void {
    const node = this.#node;
    const { via } = this;
    if (node.leader !== null || (via !== null && !sameMember(via, member))) return;
    this.#last = { member: { id: member.id, inc: member.inc }, at: node.now };
    if (via !== null) return;
    node.debug(`relays through peer ${member.id}, which hears a leader [S6]`);
    this.#listener.onWayFound();
  }

  /** Whether what that member passes on from the leader about numbers may be meant for this peer. */
  leadsThrough(member: MemberKey): boolean {
    const { leader } = this.#node;
    const towards = leader === null ? this.via : leaderKey(leader.ballot);
    return towards !== null && sameMember(towards, member);
  }

  /** Only messages that come from their own sender are passed on. */
  toLeader(from: LinkedPeer, chat: Chat): void {
    const { leader, hearsLeader } = this.#node;
    if (chat.sender_id === from.id && hearsLeader && leader !== null) this.#node.sendTo(leaderKey(leader.ballot), chat);
  }

  toSender(ack: ChatAck): void {
    for (const { id, link } of this.#node.links.values()) if (id === ack.sender_id) this.#node.send(link, ack);
  }
}
