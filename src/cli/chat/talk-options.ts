/** What a chat is started with. */
import type { Readable, Writable } from "node:stream";
import type { LogRecord } from "../../host/events.ts";
import type { HostOptions } from "../../host/host-contract.ts";
import type { Bell } from "../screen/transcript.ts";
import type { TtyOutput } from "../screen/tty.ts";

/** How it talks: with the screen, one line each, one JSON object each, or nothing but messages. */
export type Mode = "terminal" | "pipe" | "json" | "quiet";

/** Options of any chat, of a peer or of a client. */
export interface TalkOptions {
  readonly name: string;
  /** That is talked in at first. */
  readonly room: string;
  readonly mode: Mode;
  /** Standard input is not read. */
  readonly headless: boolean;
  /** Messages are shown; a service's journal is no place for what people say. */
  readonly prints: boolean;
  /** Messages shown at the start to people. */
  readonly history: number;
  readonly bell: Bell;
  /** null for a client, which has none. */
  readonly dataDir: string | null;
  readonly logLevel: LogRecord["level"] | "off";
  readonly logFormat: "text" | "json";
}

/** What a chat is made with, whatever service it has. */
export interface Talking extends TalkOptions {
  /** The sender of own messages; null for a client, which gets an id when it first attaches to a peer. */
  readonly senderId: number | null;
}

export interface ChatOptions extends Omit<HostOptions, "engine">, TalkOptions {
  readonly name: string;
  readonly room: string;
  readonly dataDir: string;
}

export interface Streams {
  readonly input: Readable;
  readonly output: TtyOutput;
  readonly error: Writable & { readonly isTTY?: boolean };
}
