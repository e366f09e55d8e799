/** The script interface: one JSON object per line, texts as they were sent. */
import type { DeliveredMessage, HostEvent, LogRecord } from "../../host/events.ts";
import { logLine } from "../screen/text-lines.ts";
import type { Chatting, Face } from "./face.ts";
import { writeLine } from "./write-line.ts";

export class JsonFace implements Face {
  readonly #chat: Chatting;

  constructor(chat: Chatting) {
    this.#chat = chat;
  }

  event(event: HostEvent): void {
    const { dataDir } = this.#chat.options;
    const said = event.event === "started" && dataDir !== null ? { ...event, data_dir: dataDir } : event;
    this.#print(said);
  }

  answer(objects: readonly object[]): void {
    for (const object of objects) this.#print(object);
  }

  excerpt(room: string, _title: string, messages: readonly DeliveredMessage[]): void {
    this.#print({ event: "history", room_id: room, messages });
  }

  begin(): void {}

  log(record: LogRecord): void {
    this.#chat.err.line(logLine(record, this.#chat.options.logFormat));
  }

  progress(): void {}

  end(): void {}

  #print(object: object): void {
    writeLine(this.#chat, JSON.stringify(object));
  }
}
