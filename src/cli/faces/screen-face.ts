/** People at a terminal: messages scroll by, and below them stand own ones on their way, a status line and the line editor. */
import type { Timer } from "../../host/contracts.ts";
import type { DeliveredMessage, HostEvent, LogRecord } from "../../host/events.ts";
import { COMMAND_NAMES } from "../chat/slash-commands.ts";
import { completerOf } from "../editor/completer.ts";
import type { Row } from "../screen/answer-rows.ts";
import { inColumns } from "../screen/columns.ts";
import { type Paint, paintFor } from "../screen/paint.ts";
import { pendingSpans, statusSpans, waitingSpans } from "../screen/status-line.ts";
import { Terminal, type TerminalUser } from "../screen/terminal.ts";
import { logLine } from "../screen/text-lines.ts";
import { type Moment, Transcript } from "../screen/transcript.ts";
import { visible } from "../screen/visible.ts";
import { wrap } from "../screen/wrap.ts";
import type { Chatting, Face } from "./face.ts";

/** Between two looks at the status, because no event tells that a majority is lost. */
const REFRESH_MS = 500;
/** A majority that is away for less is not worth a row. */
const LOST_MS = 300;
/** A leader that is gone is told without its successor after this time. */
const SUCCESSOR_MS = 2000;
/** Rows for own messages on their way. */
const PENDING_ROWS_MAX = 5;
/** Stands before the further rows of a long line. */
const INDENT = "   ";
/** The width of a screen before its size is known. */
const COLUMNS = 80;

export class ScreenFace implements Face, TerminalUser {
  readonly #chat: Chatting;
  readonly #paint: Paint;
  readonly #transcript: Transcript;
  #terminal: Terminal | null = null;
  #refreshing: Timer | null = null;
  #successor: Timer | null = null;
  /** The majority is lost since then. */
  #lostSince: number | null = null;
  /** How far something is that takes long. */
  #progress: string | null = null;

  constructor(chat: Chatting) {
    this.#chat = chat;
    const { options, streams, clock } = chat;
    this.#paint = paintFor(streams.output);
    const look = { bell: options.bell, paint: this.#paint, plain: false };
    this.#transcript = new Transcript(look, chat, clock.wall());
  }

  // ── what happens ───────────────────────────────────────────────────────────────────────────────────────────────

  event(event: HostEvent): void {
    if (event.event === "error" && this.#terminal === null)
      return void this.#chat.err.line(`chatpeer: ${visible(event.message)}`);
    const { rows, bell } = this.#transcript.event(event, this.#moment);
    this.#print(rows, bell);
    this.#successor?.cancel();
    if (!this.#transcript.holds) return;
    const overdue = () => this.#print(this.#transcript.overdue(this.#moment));
    this.#successor = this.#chat.clock.after(SUCCESSOR_MS, overdue);
  }

  answer(_objects: readonly object[], rows: readonly Row[]): void {
    this.#print(inColumns(rows).flatMap((line) => this.#wrapped(line)));
  }

  excerpt(_room: string, title: string, messages: readonly DeliveredMessage[]): void {
    this.#print(this.#transcript.excerpt(title, messages, this.#moment));
  }

  begin(past: readonly DeliveredMessage[]): void {
    const { streams, out, clock } = this.#chat;
    this.#terminal = new Terminal({ ...streams, out, clock }, this, this.#paint);
    this.#refresh(this.#terminal);
    this.#print(this.#transcript.past(past, this.#moment));
  }

  /** Between messages a record is one short line; before the screen begins, and in a file, it is whole. */
  log(record: LogRecord): void {
    const { err, streams, options } = this.#chat;
    const line = logLine(record, options.logFormat);
    if (this.#terminal === null || streams.error.isTTY !== true) return void err.line(line);
    const serious = record.level === "error" || record.level === "warn";
    const said =
      serious && options.logFormat === "text" ? `-- ${record.level}: ${visible(record.message)}` : visible(line);
    this.#print(this.#wrapped(said).map(this.#paint.dim));
  }

  /** In the editor's own rows: a second writer would fight with it for the screen. */
  progress(text: string | null): void {
    this.#progress = text;
    this.#terminal?.refresh();
  }

  end(): void {
    this.#refreshing?.cancel();
    this.#successor?.cancel();
    this.#terminal?.close();
  }

  #wrapped(line: string): string[] {
    const { columns } = this.#moment;
    return wrap(line, columns - INDENT.length, columns).map((row, i) => (i === 0 ? row : INDENT + row));
  }

  get #moment(): Moment {
    const { clock } = this.#chat;
    // The last column stays free, because terminals measure emoji otherwise.
    return { now: clock.now(), wall: clock.wall(), columns: (this.#terminal?.columns ?? COLUMNS) - 1 };
  }

  #refresh(terminal: Terminal): void {
    terminal.refresh();
    this.#refreshing = this.#chat.clock.after(REFRESH_MS, () => this.#refresh(terminal));
  }

  #print(rows: readonly string[], bell = false): void {
    if (this.#terminal === null) for (const row of rows) this.#chat.out.line(row);
    else if (!this.#terminal.print(rows, bell)) this.#chat.behind();
  }

  // ── what the terminal asks ─────────────────────────────────────────────────────────────────────────────────────

  bottom(rows: number) {
    const { name, rooms, readers, clock } = this.#chat;
    const status = this.#chat.status();
    this.#lostSince = status.quorum ? null : (this.#lostSince ?? clock.now());
    const lost = this.#lostSince !== null && clock.now() - this.#lostSince >= LOST_MS;
    const waiting = lost ? waitingSpans(status, this.#paint) : null;
    const pending = pendingSpans(this.#transcript.pending, Math.min(PENDING_ROWS_MAX, Math.floor((rows - 3) / 3)));
    const progress = this.#progress === null ? [] : [[{ text: this.#progress }]];
    const standing = { status, name, rooms: rooms.all, read: readers.ofLastOwn(rooms.active) };
    return {
      above: [...progress, ...pending, ...(waiting === null ? [] : [waiting])],
      status: statusSpans(standing, this.#paint, this.#moment.columns),
      prompt: `${name}> `,
    };
  }

  complete(text: string, cursor: number) {
    const rooms = this.#chat.rooms.all.map((room) => room.room_id);
    return completerOf({ commands: COMMAND_NAMES, rooms, names: this.#transcript.names })(text, cursor);
  }

  line(text: string): boolean {
    return this.#chat.line(text);
  }

  gone(): void {
    this.#chat.hangUp();
  }

  attend(here: boolean): void {
    this.#chat.attend(here);
  }

  drawn(): void {
    this.#chat.caughtUp();
  }
}
