/**
 * Clients' messages on their way through the peer they are attached to [S8]: to the leader as they are, under the
 * client's own ids, and the leader's answer back. Nothing is kept here: what gets lost, its client sends again.
 */
import { CLIENT_SESSION_CHARS } from "./config.ts";
import { type ClientId, leaderKey } from "./ids.ts";
import type { Chat, ChatAck } from "./message.ts";
import { sequence } from "./ordering.ts";
import type { Peer } from "./peer.ts";

/** A client's session outlives the peer in whose name it began; a peer's own ends with its membership. */
export function isClientSession(session: string): boolean {
  return session.length === CLIENT_SESSION_CHARS;
}

export class Clients {
  readonly #peer: Peer;
  readonly #attached = new Map<string, ClientId>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  attach(client: ClientId, session: string): void {
    this.#attached.set(session, client);
  }

  detach(client: ClientId): void {
    for (const [session, attached] of this.#attached) if (attached === client) this.#attached.delete(session);
  }

  onChat(client: ClientId, chat: Chat): void {
    const peer = this.#peer;
    if (this.#attached.get(chat.session) !== client) return;
    if (peer.leadership === null) {
      const { leader, hearsLeader } = peer;
      if (hearsLeader && leader !== null) peer.sendTo(leaderKey(leader.ballot), chat);
      return;
    }
    const expected = sequence(peer, peer.leadership, chat);
    const { sender_id, session } = chat;
    if (expected !== null) this.onChatAck({ type: "CHAT_ACK", sender_id, session, expected });
  }

  /** Whether the answer was for a client. */
  onChatAck(frame: ChatAck): boolean {
    const client = this.#attached.get(frame.session);
    if (client === undefined) return false;
    this.#peer.out({ do: "answer-client", client, frame });
    return true;
  }
}
