/**
 * What clients say, on its way through their peer [S8] [S9]: each in turn, and not more at a time than becomes durable in a
 * moment. So neither one that floods nor many of them hold up another client, or the person at this peer, by more than
 * what is under way. What is left out here, because a client says more than it may, that client says again.
 */
import { CLIENT_OUTSTANDING_BYTES_MAX, CLIENTS_UNDER_WAY_BYTES_MAX } from "../../core/config.ts";
import { type Ballot, type ClientId, type LogIndex, type Millis, sameBallot } from "../../core/ids.ts";
import type { Draft } from "../../core/log-entry.ts";
import type { Chat } from "../../core/message.ts";
import { weigh } from "../../core/weigh.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock } from "../contracts.ts";
import { Turns } from "./turns.ts";

/** A run that the log does not show after this time was lost, and counts as under way no more. */
const LOST_MS = 2000;

export interface ClientChatsHost {
  readonly clock: Clock;
  peer(): EngineView | null;
  input(input: Input): void;
}

/** Messages that went on, through this counter. */
interface Run {
  readonly through: number;
  readonly bytes: number;
  readonly since: Millis;
  /** Where the log ended when it held them all; null before. */
  end: LogIndex | null;
}

interface Session {
  /** `<sender_id>.<session>`, as entries have it. */
  readonly key: string;
  /** Highest counter offered. */
  through: number;
  underWay: Run[];
}

export class ClientChats {
  readonly #host: ClientChatsHost;
  readonly #turns = new Turns<ClientId>(CLIENTS_UNDER_WAY_BYTES_MAX, CLIENT_OUTSTANDING_BYTES_MAX);
  readonly #sessions = new Map<ClientId, Session>();
  /** Of the leader that all that is under way went to. */
  #ballot: Ballot | null = null;

  constructor(host: ClientChatsHost) {
    this.#host = host;
  }

  /** Messages in the client's own session. */
  chat(client: ClientId, chat: Chat): void {
    const key = `${chat.sender_id}.${chat.session}`;
    const session = this.#sessions.get(client) ?? { key, through: 0, underWay: [] };
    this.#sessions.set(client, session);
    if (chat.first <= session.through) this.#goBack(client, session);
    const bytes = chat.messages.reduce((sum, draft) => sum + weigh(draft), 0);
    const through = chat.first + chat.messages.length - 1;
    const go = () => {
      session.underWay.push({ through, bytes, since: this.#host.clock.now(), end: null });
      this.#host.input({ type: "client-chat", client, chat });
    };
    if (this.#turns.offer(client, bytes, go)) session.through = through;
    this.#turns.pump();
  }

  /** A text for this peer's own session: `say` runs when it is this client's turn; `said` must follow. */
  offer(client: ClientId, draft: Pick<Draft, "payload">, say: () => void): void {
    this.#turns.offer(client, weigh(draft), say);
    this.#turns.pump();
  }

  /** Such a text is in the log, or was not taken. */
  said(client: ClientId, draft: Pick<Draft, "payload">): void {
    this.#turns.done(client, weigh(draft));
  }

  /** The leader lacks what came before: the client will say that again. */
  onChatAck(client: ClientId): void {
    const session = this.#sessions.get(client);
    if (session !== undefined) this.#goBack(client, session);
  }

  forget(client: ClientId): void {
    this.#sessions.delete(client);
    this.#turns.forget(client);
  }

  /** After every turn of the host: what the log has by now makes room. */
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
