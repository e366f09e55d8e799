/**
 * What a person reads, as it comes: every event gives the rows that go above the bottom of the screen, and changes what the
 * bottom shows. Pure state: no clock, no terminal. Plain (a pipe, a dumb terminal) is one line each, without times.
 */
import type { DeliveredMessage, HostEvent } from "../../host/events.ts";
import type { Rooms } from "../chat/chat-rooms.ts";
import { Elections } from "../chat/elections.ts";
import { Members } from "../chat/member-news.ts";
import type { Readers } from "../chat/readers.ts";
import { clockTime, dateRow, dayOf, mentionOf, messageRows, type Reader, rule, timeSeenFrom } from "./message-rows.ts";
import type { Paint } from "./paint.ts";
import { READ_MARK } from "./status-line.ts";
import { messageLine, type Note, note, noteOf } from "./text-lines.ts";
import { visible } from "./visible.ts";
import { wrap } from "./wrap.ts";

export type Bell = "off" | "mention" | "all";

export interface TranscriptOptions {
  readonly bell: Bell;
  readonly paint: Paint;
  readonly plain: boolean;
}

/** The person who reads the transcript. */
export interface TranscriptReader {
  readonly name: string;
  readonly rooms: Pick<Rooms, "active" | "shows">;
  readonly readers: Pick<Readers, "of">;
  isOwn(message: DeliveredMessage): boolean;
}

export interface Moment {
  /** Monotonic milliseconds. */
  readonly now: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
  readonly columns: number;
}

export interface Told {
  readonly rows: readonly string[];
  readonly bell: boolean;
}

const NOTHING: Told = { rows: [], bell: false };
const NAMES_MAX = 1000;
const NOTE_INDENT = "   ";

export class Transcript {
  readonly #options: TranscriptOptions;
  readonly #person: TranscriptReader;
  readonly #elections = new Elections();
  readonly #members = new Members();
  #mention: { readonly name: string; readonly pattern: RegExp };
  /** Own messages on their way, in the order they were typed, by id. */
  readonly #pending = new Map<string, { readonly row: string; readonly room_id: string; readonly payload: string }>();
  /** Names of those who spoke; the latest speaker is last. */
  readonly #names = new Set<string>();
  /** The day of the last message that was shown. */
  #day: number;
  /** What is missed begins behind a message of that time; messages from before `until` are missed. */
  #missed: { readonly since: number; readonly until: number } | null = null;

  constructor(options: TranscriptOptions, person: TranscriptReader, wall: number) {
    this.#options = options;
    this.#person = person;
    this.#mention = { name: person.name, pattern: mentionOf(person.name) };
    this.#day = dayOf(wall);
  }

  /** Own messages that have no number yet. */
  get pending(): readonly string[] {
    return [...this.#pending.values()].map(({ row }) => row);
  }

  /** The latest speaker comes first. */
  get names(): readonly string[] {
    return [...this.#names].reverse();
  }

  /** A leader is gone. This is told together with its successor, which is waited for. */
  get holds(): boolean {
    return this.#elections.open;
  }

  /** What was said before this start, and is followed by what was missed since. */
  past(messages: readonly DeliveredMessage[], moment: Moment): string[] {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first === undefined || last === undefined) return [];
    for (const { user } of messages) this.#heard(user);
    this.#missed = { since: last.ts, until: moment.wall };
    const day = dayOf(first.ts);
    const date = day < this.#day && !this.#options.plain ? [dateRow(day, this.#options.paint)] : [];
    if (date.length > 0) this.#day = day;
    return [...date, ...messages.flatMap((message) => this.#message(message, moment))];
  }

  /** Messages from the log, with all their dates, between rules. */
  excerpt(title: string, messages: readonly DeliveredMessage[], moment: Moment): string[] {
    const { plain, paint } = this.#options;
    if (plain) return [note(title).text, ...messages.map((m) => this.#line(m))];
    let day = Number.NaN;
    const rows = messages.flatMap((message) => {
      const before = day;
      day = dayOf(message.ts);
      const date = Object.is(day, before) || Number.isNaN(day) ? [] : [dateRow(day, paint)];
      const mark = this.#person.isOwn(message) && this.#person.readers.of(message).length > 0 ? READ_MARK : "";
      return [...date, ...messageRows(message, this.#reader(moment), mark)];
    });
    return [rule(visible(title), paint), ...rows, ...(rows.length === 0 ? [] : [rule("end", paint)])];
  }

  event(event: HostEvent, moment: Moment): Told {
    switch (event.event) {
      case "pending":
        if (event.was !== undefined) this.#pending.delete(event.was);
        this.#pending.set(event.msg_id, {
          row: this.#pendingRow(event.room_id, event.payload, moment.wall),
          room_id: event.room_id,
          payload: event.payload,
        });
        return NOTHING;
      case "sent":
        this.#pending.delete(event.msg_id);
        return NOTHING;
      case "message":
        return this.#onMessage(event, moment);
      case "unsent":
        return this.#person.rooms.shows(event.room_id) ? told(this.#unsent(event, moment)) : NOTHING;
      case "system":
        this.#heard(event.user);
        return event.user === this.#person.name ? NOTHING : this.#noted(noteOf(event), moment);
      case "role":
        return this.#told(this.#elections.onRole(event, moment.now), moment);
      case "member": {
        const said = this.#members.onEvent(event);
        if (event.state === "unreachable" && this.#elections.onUnreachable(event.id, moment.now)) return NOTHING;
        return this.#noted(said, moment);
      }
      case "notice": {
        if (event.code !== "waiting") return this.#noted(noteOf(event), moment);
        // An election that takes a while is one line, too; meanwhile the bottom of the screen says it.
        if (!this.#options.plain && event.message.startsWith("waiting for a leader")) return NOTHING;
        return told([...this.overdue(moment), ...this.#noted(noteOf(event), moment).rows]);
      }
      default:
        return this.#noted(noteOf(event), moment);
    }
  }

  /** What waits to be told with the next leader, where there is none for long. */
  overdue(moment: Moment): readonly string[] {
    return this.#told(this.#elections.overdue(), moment).rows;
  }

  #onMessage(message: DeliveredMessage, moment: Moment): Told {
    // An id alone does not make it the one that waits here: somebody else may have used its number [S10].
    const waits = this.#pending.get(message.msg_id);
    if (waits?.payload === message.payload && waits.room_id === message.room_id) this.#pending.delete(message.msg_id);
    this.#heard(message.user);
    return this.#shown(message, moment);
  }

  #heard(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    const [oldest] = this.#names.size > NAMES_MAX ? this.#names : [];
    if (oldest !== undefined) this.#names.delete(oldest);
  }

  #shown(message: DeliveredMessage, moment: Moment): Told {
    if (!this.#person.rooms.shows(message.room_id)) return NOTHING;
    const { bell, paint, plain } = this.#options;
    const own = this.#person.isOwn(message);
    const rows: string[] = [];
    if (this.#missed !== null && !own) {
      const { since, until } = this.#missed;
      this.#missed = null;
      if (message.ts < until && !plain) rows.push(rule(`new since ${timeSeenFrom(moment.wall, since)}`, paint));
    }
    rows.push(...this.#message(message, moment));
    const rings = !own && (bell === "all" || (bell === "mention" && message.payload.search(this.#pattern) >= 0));
    return { rows, bell: rings };
  }

  #message(message: DeliveredMessage, moment: Moment): string[] {
    if (this.#options.plain) return [this.#line(message)];
    const day = dayOf(message.ts);
    // Clocks of machines differ: the date must not jump back and forth between speakers, nor far ahead.
    const date = day > this.#day && day < moment.wall + DAY_MS ? [dateRow(day, this.#options.paint)] : [];
    if (date.length > 0) this.#day = day;
    return [...date, ...messageRows(message, this.#reader(moment))];
  }

  #line(message: DeliveredMessage): string {
    const { paint } = this.#options;
    return this.#ofRoom(message.room_id) + messageLine(message, paint);
  }

  #unsent({ room_id, user, payload, ts }: Extract<HostEvent, { event: "unsent" }>, { columns }: Moment): string[] {
    const time = this.#options.plain ? "" : `${clockTime(ts)} `;
    const text = `${time}[waiting] ${this.#ofRoom(room_id)}${visible(user)}: ${visible(payload)}`;
    return this.#rows(text, "dim", columns);
  }

  #pendingRow(room: string, payload: string, wall: number): string {
    const text = visible(payload.slice(0, PENDING_CHARACTERS_MAX).replace(/\r?\n/g, "⏎"));
    return `${clockTime(wall)} [pending] ${this.#ofRoom(room)}${visible(this.#person.name)}: ${text}`;
  }

  #told(text: string | null, moment: Moment): Told {
    return this.#noted(text === null ? null : note(text), moment);
  }

  #noted(said: Note | null, { columns }: Moment): Told {
    return said === null ? NOTHING : told(this.#rows(said.text, said.tone, columns));
  }

  /** Under the text behind the dashes: no row but the first begins where a message does. */
  #rows(text: string, tone: Note["tone"], columns: number): string[] {
    const paint = this.#options.paint[tone];
    const rows = wrap(text, columns - NOTE_INDENT.length, columns);
    return rows.map((row, i) => paint(i === 0 ? row : NOTE_INDENT + row));
  }

  #reader({ columns }: Moment): Reader {
    return { mention: this.#pattern, paint: this.#options.paint, room: this.#person.rooms.active, columns };
  }

  /** Finds the name that the reader has now. */
  get #pattern(): RegExp {
    const { name } = this.#person;
    if (name !== this.#mention.name) this.#mention = { name, pattern: mentionOf(name) };
    return this.#mention.pattern;
  }

  /** The name of the room, or nothing where it is the room that is talked in. */
  #ofRoom(room: string): string {
    return room === this.#person.rooms.active ? "" : `#${visible(room)} `;
  }
}

const DAY_MS = 86_400_000;
/** More is not seen in its one row. */
const PENDING_CHARACTERS_MAX = 500;

function told(rows: readonly string[]): Told {
  return { rows, bell: false };
}
