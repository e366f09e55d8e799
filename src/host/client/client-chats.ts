/**
 * Passes on what clients say [S8] [S9]: each client in turn, and no more at a time than becomes durable in a moment. So
 * neither a client that floods nor many clients delay another client, or the person at this peer, by more than what is
 * under way. If a client sends more than it may, messages are dropped here, and that client sends them again.
 */
import {
  CLIENT_OUTSTANDING_BYTES_MAX,
  CLIENT_PIECE_BYTES_MAX,
  CLIENTS_UNDER_WAY_BYTES_MAX,
  CLIENTS_UNDER_WAY_BYTES_MIN,
} from "../../core/config.ts";
import { type Ballot, type ClientId, type LogIndex, type Millis, sameBallot } from "../../core/ids.ts";
import type { Draft } from "../../core/log-entry.ts";
import type { Chat } from "../../core/message.ts";
import { weigh } from "../../core/weigh.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock } from "../contracts.ts";
import { BoundUnderWay } from "./bound-under-way.ts";
import type { Pace } from "./client-pace.ts";
import { Turns } from "./turns.ts";

/** Where a client has to wait, its messages go in pieces of so many, so that they come evenly. */
const PACED_MESSAGES = 16;
/** A run that the log does not show after this time counts as lost, and no longer as under way. */
const LOST_MS = 2000;

export interface ClientChatsHost {
  readonly clock: Clock;
  peer(): EngineView | null;
  input(input: Input): void;
}

/** Messages of one client that take their turn together. */
interface Piece {
  readonly chat: Chat;
  readonly bytes: number;
}

/** A run of messages that was passed on; its last one has this counter. */
interface Run {
  readonly through: number;
  readonly bytes: number;
  readonly since: Millis;
  /** The end of the log when it first held them all; null before. */
  end: LogIndex | null;
}

interface Session {
  /** `<sender_id>.<session>`, as entries have it. */
  readonly key: string;
  readonly pace: Pace | null;
  /** Highest counter offered. */
  through: number;
  underWay: Run[];
}

export class ClientChats {
  readonly #host: ClientChatsHost;
  readonly #turns = new Turns<ClientId>(CLIENTS_UNDER_WAY_BYTES_MIN, CLIENT_OUTSTANDING_BYTES_MAX);
  readonly #bound = new BoundUnderWay(CLIENTS_UNDER_WAY_BYTES_MIN, CLIENTS_UNDER_WAY_BYTES_MAX);
  readonly #sessions = new Map<ClientId, Session>();
  /** The ballot of the leader to which everything under way went. */
  #ballot: Ballot | null = null;

  constructor(host: ClientChatsHost) {
    this.#host = host;
  }

  /** Messages in the client's own session; `pace`: how many it may say, null: as many as it likes. */
  chat(client: ClientId, pace: Pace | null, chat: Chat): void {
    const key = `${chat.sender_id}.${chat.session}`;
    const session = this.#sessions.get(client) ?? { key, pace, through: 0, underWay: [] };
    this.#sessions.set(client, session);
    if (chat.first <= session.through) this.#goBack(client, session);
    const messagesMax = pace === null || pace.allows(chat.messages.length) ? chat.messages.length : PACED_MESSAGES;
    for (const piece of piecesOf(chat, messagesMax)) if (!this.#offerPiece(client, session, piece)) break;
    this.#turns.pump();
  }

  /** False: this client says too much, and will say the rest again. */
  #offerPiece(client: ClientId, session: Session, { chat, bytes }: Piece): boolean {
    const count = chat.messages.length;
    const through = chat.first + count - 1;
    const go = () => {
      session.underWay.push({ through, bytes, since: this.#host.clock.now(), end: null });
      this.#host.input({ type: "client-chat", client, chat });
    };
    if (!this.#offer(client, session.pace, { count, bytes }, go)) return false;
    session.through = through;
    return true;
  }

  /**
   * Takes a text for this peer's own session. `say` runs when it is this client's turn; a call of `said` must follow.
   */
  offer(client: ClientId, pace: Pace | null, draft: Pick<Draft, "payload">, say: () => void): void {
    this.#offer(client, pace, { count: 1, bytes: weigh(draft) }, say);
    this.#turns.pump();
  }

  #offer(client: ClientId, pace: Pace | null, of: { count: number; bytes: number }, go: () => void): boolean {
    if (pace === null) return this.#turns.offer(client, of.bytes, go);
    return pace.offer(of.count, of.bytes, () => {
      this.#turns.offer(client, of.bytes, go);
      this.#turns.pump();
    });
  }

  /** That text is in the log, or was not taken. */
  said(client: ClientId, draft: Pick<Draft, "payload">): void {
    this.#turns.done(client, weigh(draft));
  }

  /** The leader lacks earlier messages: the client will send them again. */
  onChatAck(client: ClientId): void {
    const session = this.#sessions.get(client);
    if (session !== undefined) this.#goBack(client, session);
  }

  forget(client: ClientId): void {
    this.#sessions.delete(client);
    this.#turns.forget(client);
  }

  /** Called after every turn of the host: entries that have reached the log make room. */
  onTurn(): void {
    const peer = this.#host.peer();
    if (peer === null) return;
    const ballot = peer.sequencer;
    const same = ballot === null ? this.#ballot === null : this.#ballot !== null && sameBallot(ballot, this.#ballot);
    this.#ballot = ballot;
    for (const [client, session] of this.#sessions) {
      if (!same) this.#arrived(client, session, () => true);
      else if (session.underWay.length > 0) this.#arrived(client, session, (run) => this.#isOver(run, session, peer));
    }
    this.#turns.pump();
  }

  #isOver(run: Run, { key }: Session, { log }: EngineView): boolean {
    const now = this.#host.clock.now();
    if (run.end === null && log.state.sessions.get(key) >= run.through) run.end = log.last;
    if (run.end === null || log.commit < run.end) return now - run.since > LOST_MS;
    this.#bound.arrived(run.since, now, this.#turns.waits);
    this.#turns.poolBytes = this.#bound.bytes;
    return true;
  }

  #goBack(client: ClientId, session: Session): void {
    session.pace?.drop();
    this.#turns.drop(client);
    session.underWay = [];
    session.through = 0;
  }

  #arrived(client: ClientId, session: Session, isOver: (run: Run) => boolean): void {
    session.underWay = session.underWay.filter((run) => {
      if (!isOver(run)) return true;
      this.#turns.done(client, run.bytes);
      return false;
    });
  }
}

/** The same messages in their order, cut so that others have their turns in between. */
function* piecesOf(chat: Chat, messagesMax: number): Generator<Piece> {
  let from = 0;
  let bytes = 0;
  for (const [i, draft] of chat.messages.entries()) {
    const more = weigh(draft);
    if (i > from && (bytes + more > CLIENT_PIECE_BYTES_MAX || i - from >= messagesMax)) {
      yield { chat: cut(chat, from, i), bytes };
      from = i;
      bytes = 0;
    }
    bytes += more;
  }
  yield { chat: from === 0 ? chat : cut(chat, from, chat.messages.length), bytes };
}

function cut(chat: Chat, from: number, to: number): Chat {
  return { ...chat, first: chat.first + from, messages: chat.messages.slice(from, to) };
}
