/**
 * Passes on what clients say [S8] [S9]: each client in turn, and no more at a time than becomes durable in a moment. So
 * neither a client that floods nor many clients delay another client, or the person at this peer, by more than what is
 * under way. If a client sends more than it may, messages are dropped here, and that client sends them again.
 */
import { CLIENT_OUTSTANDING_BYTES_MAX, CLIENTS_UNDER_WAY_BYTES_MAX } from "../../core/config.ts";
import { type Ballot, type ClientId, type LogIndex, type Millis, sameBallot } from "../../core/ids.ts";
import type { Draft } from "../../core/log-entry.ts";
import type { Chat } from "../../core/message.ts";
import { weigh } from "../../core/weigh.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock } from "../contracts.ts";
import type { Pace } from "./client-pace.ts";
import { Turns } from "./turns.ts";

/** Messages of one piece where not all may go at once: what its client says comes evenly then, not a window at a time. */
const PACED_MESSAGES = 16;
/** A run that the log does not show after this time counts as lost, and no longer as under way. */
const LOST_MS = 2000;

export interface ClientChatsHost {
  readonly clock: Clock;
  peer(): EngineView | null;
  input(input: Input): void;
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
  readonly #turns = new Turns<ClientId>(CLIENTS_UNDER_WAY_BYTES_MAX, CLIENT_OUTSTANDING_BYTES_MAX);
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
    const pieces = pace === null || pace.allows(chat.messages.length) ? [chat] : split(chat);
    for (const piece of pieces) {
      const bytes = piece.messages.reduce((sum, draft) => sum + weigh(draft), 0);
      const through = piece.first + piece.messages.length - 1;
      const go = () => {
        session.underWay.push({ through, bytes, since: this.#host.clock.now(), end: null });
        this.#host.input({ type: "client-chat", client, chat: piece });
      };
      if (!this.#offer(client, pace, { count: piece.messages.length, bytes }, go)) break;
      session.through = through;
    }
    this.#turns.pump();
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
    if (run.end === null && log.state.sessions.get(key) >= run.through) run.end = log.last;
    return (run.end !== null && log.commit >= run.end) || this.#host.clock.now() - run.since > LOST_MS;
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

function split({ messages, ...chat }: Chat): Chat[] {
  const pieces: Chat[] = [];
  for (let at = 0; at < messages.length; at += PACED_MESSAGES)
    pieces.push({ ...chat, first: chat.first + at, messages: messages.slice(at, at + PACED_MESSAGES) });
  return pieces;
}
