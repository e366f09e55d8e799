/** What a chat is started with. */
import type { Readable, Writable } from "node:stream";
import type { LogRecord } from "../host/events.ts";
import type { HostOptions } from "../host/host.ts";
import type { Bell } from "./transcript.ts";

/** How it talks: with the screen, one line each, one JSON object each, or only the messages. */
export type Mode = "terminal" | "pipe" | "json" | "quiet";

export interface ChatOptions extends HostOptions {
  readonly room: string;
  readonly dataDir: string;
  readonly mode: Mode;
  /** Standard input is not read. */
  readonly headless: boolean;
  /** Messages shown at the start to people. */
  readonly history: number;
  readonly bell: Bell;
  readonly logLevel: LogRecord["level"] | "off";
  readonly logFormat: "text" | "json";
}

export interface Streams {
  readonly input: Readable;
  readonly output: Writable & { isTTY?: boolean };
  readonly error: Writable & { isTTY?: boolean };
}
