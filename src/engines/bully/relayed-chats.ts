/**
 * Passes clients' messages through the peer that they are attached to [S8]: to the leader as they are, under the
 * client's own ids, and the leader's answer back. Nothing is kept here: if a message is lost, its client sends it
 * again.
 */
import { CLIENT_SESSION_CHARS } from "../../core/config.ts";
import { type ClientId, leaderKey, type PeerId } from "../../core/ids.ts";
import type { Chat, ChatAck } from "../../core/message.ts";
import type { Node } from "./node.ts";

/** A client's session outlives the peer with whose id it began; a peer's own session ends with its membership. */
export function isClientSession(session: string): boolean {
  return session.length === CLIENT_SESSION_CHARS;
}

export class RelayedChats {
  readonly #node: Node;
  readonly #attached = new Map<string, ClientId>();
  /** Sessions whose messages were not taken while this peer was founding, by their senders. */
  readonly #untaken = new Map<string, PeerId>();

  constructor(node: Node) {
    this.#node = node;
  }

  attach(client: ClientId, session: string): void {
    this.#attached.set(session, client);
  }

  detach(client: ClientId): void {
    for (const [session, attached] of this.#attached) if (attached === client) this.#attached.delete(session);
  }

  onChat(client: ClientId, chat: Chat): void {
    const node = this.#node;
    if (this.#attached.get(chat.session) !== client) return;
    if (node.leadership === null) {
      const { leader, hearsLeader } = node;
      if (hearsLeader && leader !== null) node.sendTo(leaderKey(leader.ballot), chat);
      return;
    }
    const { sender_id, session } = chat;
    if (node.founding > 0) return void this.#untaken.set(session, sender_id);
    const expected = node.leadership.sequencer.sequence(chat);
    if (expected !== null) this.onChatAck({ type: "CHAT_ACK", sender_id, session, expected });
  }

  /** Tells the senders whose messages were not taken while this peer was founding, so that they send them again. */
  onTime(): void {
    if (this.#untaken.size === 0 || this.#node.founding > 0) return;
    for (const [session, sender_id] of this.#untaken) {
      const expected = this.#node.log.state.sessions.get(`${sender_id}.${session}`) + 1;
      this.onChatAck({ type: "CHAT_ACK", sender_id, session, expected });
    }
    this.#untaken.clear();
  }

  /** Whether the answer was for a client. */
  onChatAck(frame: ChatAck): boolean {
    const client = this.#attached.get(frame.session);
    if (client === undefined) return false;
    this.#node.out({ do: "answer-client", client, frame });
    return true;
  }
}
