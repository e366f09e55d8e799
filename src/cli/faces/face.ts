/** How a chat shows itself, to people or to scripts, and what it asks of the chat. */
import type { Clock } from "../../host/contracts.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Status } from "../../host/events.ts";
import type { Rooms } from "../chat/chat-rooms.ts";
import type { Readers } from "../chat/readers.ts";
import type { Streams, TalkOptions } from "../chat/talk-options.ts";
import type { Output } from "../process/output.ts";
import type { Row } from "../screen/answer-rows.ts";

export interface Face {
  event(event: HostEvent): void;
  /** What a command answers: objects for scripts, rows for people. */
  answer(objects: readonly object[], rows: readonly Row[]): void;
  /** Messages of the past of a room that were asked for. */
  excerpt(room: string, title: string, messages: readonly DeliveredMessage[]): void;
  /** The peer is running. These were said before, and what was missed since comes next. */
  begin(past: readonly DeliveredMessage[]): void;
  /** Shows a record of the operator's log. */
  log(record: LogRecord): void;
  /** How far something is that takes long, or null when it is over. */
  progress(text: string | null): void;
  /** The peer leaves: what comes now are last words. */
  end(): void;
}

/** The chat behind a face. */
export interface Chatting {
  readonly options: TalkOptions;
  readonly streams: Streams;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly readers: Readers;
  /** The name that the person here has now. */
  readonly name: string;
  isOwn(message: DeliveredMessage): boolean;
  status(): Status;
  /** A line was typed. Returns false where it was not taken, and stays in the editor. */
  line(text: string): boolean;
  /** The person at the keyboard is gone, or wants to go. */
  hangUp(): void;
  /** The person looks at the screen, or does not. Where no terminal says so, the person does. */
  attend(here: boolean): void;
  /** The reader is behind: no more messages until `caughtUp`. */
  behind(): void;
  caughtUp(): void;
}
