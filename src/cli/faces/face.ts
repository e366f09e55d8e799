/** How a chat shows itself, to people or to scripts, and what it asks of the chat. */
import type { Clock } from "../../host/contracts.ts";
import type { DeliveredMessage, HostEvent, Status } from "../../host/events.ts";
import type { Output } from "../output.ts";
import type { Rooms } from "../rooms.ts";
import type { ChatOptions, Streams } from "../talk-options.ts";

export interface Face {
  event(event: HostEvent): void;
  /** What a command answers: objects for scripts, lines for people. */
  answer(objects: readonly object[], lines: readonly string[]): void;
  /** Messages of the past that were asked for. */
  excerpt(title: string, messages: readonly DeliveredMessage[]): void;
  /** The peer is running. These were said before, and what was missed since comes next. */
  begin(past: readonly DeliveredMessage[]): void;
  /** A line for the operator. */
  log(line: string): void;
  /** The peer leaves: what comes now are last words. */
  end(): void;
}

/** The chat behind a face. */
export interface Chatting {
  readonly options: ChatOptions;
  readonly streams: Streams;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly rooms: Rooms;
  status(): Status;
  /** Somebody has typed a line; false: it was not taken, and is theirs to keep. */
  line(text: string): boolean;
  /** Whoever typed is gone, or wants to go. */
  hangUp(): void;
  /** The reader is behind: no more messages until `caughtUp`. */
  behind(): void;
  caughtUp(): void;
}
