/**
 * The one place where entries get their numbers: index, seq_no in the room, and the next counter of a session. Only a
 * leader has one. It takes each session's messages in order, each once, because counters follow from the log itself.
 */
import { UNCOMMITTED_BYTES_MAX, UNCOMMITTED_ENTRIES_MAX } from "../../core/config.ts";
import type { Ballot, PeerId } from "../../core/ids.ts";
import type { Draft, Entry, EntryKind } from "../../core/log-entry.ts";
import type { Chat } from "../../core/message.ts";
import type { Handover } from "./handover.ts";
import type { Content, Numbering } from "./leading.ts";
import type { Node } from "./node.ts";

const NO_BYTES = new Uint8Array(0);

export class Sequencer implements Numbering {
  readonly #node: Node;
  readonly #ballot: Ballot;
  readonly #handover: Pick<Handover, "active">;

  constructor(node: Node, ballot: Ballot, handover: Pick<Handover, "active">) {
    this.#node = node;
    this.#ballot = ballot;
    this.#handover = handover;
  }

  sequence(chat: Chat): number | null {
    const { log } = this.#node;
    const session = `${chat.sender_id}.${chat.session}`;
    let expected = log.state.sessions.get(session) + 1;
    if (chat.first > expected) return expected;
    for (let i = expected - chat.first; i < chat.messages.length; i++) {
      if (log.last - log.commit >= UNCOMMITTED_ENTRIES_MAX || log.uncommittedBytes >= UNCOMMITTED_BYTES_MAX)
        return null;
      if (this.#handover.active || this.#node.founding > 0) return null;
      this.#appendChat(chat.sender_id, session, expected, chat.messages[i] as Draft);
      expected += 1;
    }
    return null;
  }

  /** Any entry but a sender's message. */
  append(kind: EntryKind, { chat, data, ts }: Content): Entry {
    const { log } = this.#node;
    const entry: Entry = {
      index: log.last + 1,
      term: this.#ballot.term,
      leader_id: this.#ballot.leader_id,
      inc: this.#ballot.inc,
      boot: this.#ballot.boot,
      kind,
      room_id: chat?.room_id ?? "",
      seq_no: chat?.seq_no ?? 0,
      sender_id: chat?.sender_id ?? 0,
      session: chat?.session ?? "",
      counter: chat?.counter ?? 0,
      user: chat?.user ?? "",
      ts: chat?.ts ?? ts ?? 0,
      text: chat?.text ?? "",
      data: data ?? null,
      crc: 0,
      chunk: NO_BYTES,
      start: 0,
      end: 0,
    };
    this.#add(entry);
    return entry;
  }

  /** The same for a message, of which there are many. */
  #appendChat(senderId: PeerId, session: string, counter: number, draft: Draft): void {
    const { log } = this.#node;
    this.#add({
      index: log.last + 1,
      term: this.#ballot.term,
      leader_id: this.#ballot.leader_id,
      inc: this.#ballot.inc,
      boot: this.#ballot.boot,
      kind: "chat",
      room_id: draft.room_id,
      seq_no: log.state.rooms.get(draft.room_id) + 1,
      sender_id: senderId,
      session,
      counter,
      user: draft.user,
      ts: draft.ts,
      text: draft.payload,
      data: null,
      crc: 0,
      chunk: NO_BYTES,
      start: 0,
      end: 0,
    });
  }

  #add(entry: Entry): void {
    const { log, options } = this.#node;
    options.seal(entry, log.state.crc);
    log.append(entry);
    this.#node.write(entry);
  }
}
