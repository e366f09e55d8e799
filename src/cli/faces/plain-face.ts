/** People without a screen of ours, through a pipe or at a dumb terminal: a line for each thing, errors on stderr. */
import type { DeliveredMessage, HostEvent, LogRecord } from "../../host/events.ts";
import type { Progress } from "../process/progress-line.ts";
import type { Row } from "../screen/answer-rows.ts";
import { inColumns } from "../screen/columns.ts";
import { paintFor } from "../screen/paint.ts";
import { logLine } from "../screen/text-lines.ts";
import { Transcript } from "../screen/transcript.ts";
import { visible } from "../screen/visible.ts";
import type { Chatting, Face } from "./face.ts";
import { writeLine } from "./write-line.ts";

export class PlainFace implements Face {
  readonly #chat: Chatting;
  readonly #transcript: Transcript;
  readonly #progress: Progress;

  constructor(chat: Chatting, progress: Progress) {
    this.#chat = chat;
    this.#progress = progress;
    const { options, streams, clock } = chat;
    const paint = paintFor(streams.output);
    this.#transcript = new Transcript({ bell: options.bell, paint, plain: true }, chat, clock.wall());
  }

  event(event: HostEvent): void {
    if (event.event === "error") return this.#printError(`chatpeer: ${visible(event.message)}`);
    const { mode, prints } = this.#chat.options;
    if (mode === "quiet" && (event.event !== "message" || !prints)) return;
    this.#print(this.#transcript.event(event, this.#moment).rows);
  }

  answer(_objects: readonly object[], rows: readonly Row[]): void {
    this.#print(inColumns(rows));
  }

  excerpt(_room: string, title: string, messages: readonly DeliveredMessage[]): void {
    this.#print(this.#transcript.excerpt(title, messages, this.#moment));
  }

  begin(past: readonly DeliveredMessage[]): void {
    this.#print(this.#transcript.past(past, this.#moment));
  }

  log(record: LogRecord): void {
    this.#printError(logLine(record, this.#chat.options.logFormat));
  }

  progress(text: string | null): void {
    if (text === null) this.#progress.end();
    else this.#progress.show(text);
  }

  end(): void {
    this.#progress.end();
  }

  get #moment() {
    const { clock } = this.#chat;
    return { now: clock.now(), wall: clock.wall(), columns: Number.POSITIVE_INFINITY };
  }

  #printError(line: string): void {
    this.#progress.clear();
    this.#chat.err.line(line);
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.#progress.clear();
    for (const line of lines) writeLine(this.#chat, line);
  }
}
