/**
 * Through another member to the leader and back [S6]: for who reaches it, but not the leader. One hop, so that nothing
 * goes round in circles.
 */

import { leaderKey, type MemberKey, type Millis, sameMember } from "../../core/ids.ts";
import type { Chat, ChatAck } from "../../core/message.ts";
import type { LinkedPeer } from "../engine.ts";
import type { Peer } from "./peer.ts";

export class Relay {
  readonly #peer: Peer;
  /** A member that last said it hears a leader, and when. */
  #last: { member: MemberKey; at: Millis } | null = null;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Without a leader of its own: the member through which one is reached. */
  get via(): MemberKey | null {
    const peer = this.#peer;
    if (peer.leader !== null || this.#last === null || !peer.isLinked(this.#last.member)) return null;
    return peer.now - this.#last.at < 2 * peer.timings.leaderTimeout ? this.#last.member : null;
  }

  /** A member said that it hears a leader. One that serves is kept as long as it says so. */
  hearsLeader(member: MemberKey): void {
    const peer = this.#peer;
    const { via } = this;
    if (peer.leader !== null || (via !== null && !sameMember(via, member))) return;
    this.#last = { member: { id: member.id, inc: member.inc }, at: peer.now };
    if (via !== null) return;
    peer.debug(`relays through peer ${member.id}, which hears a leader [S6]`);
    peer.sender.onLeaderChange();
  }

  /** Whether what that one says of the leader's numbering may be meant for this peer. */
  leadsThrough(member: MemberKey): boolean {
    const { leader } = this.#peer;
    const towards = leader === null ? this.via : leaderKey(leader.ballot);
    return towards !== null && sameMember(towards, member);
  }

  /** Only what comes from its sender itself goes on. */
  toLeader(from: LinkedPeer, chat: Chat): void {
    const { leader, hearsLeader } = this.#peer;
    if (chat.sender_id === from.id && hearsLeader && leader !== null) this.#peer.sendTo(leaderKey(leader.ballot), chat);
  }

  toSender(ack: ChatAck): void {
    for (const { id, link } of this.#peer.links.values()) if (id === ack.sender_id) this.#peer.send(link, ack);
  }
}
