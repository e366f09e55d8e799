/**
 * A message as rows of the screen: when, its number, who, and what was said, long and multi-line texts under their column.
 * Pure. Everything that others chose is made visible, and no row but the first begins where a message does.
 *
 *     14:02 [seq=42] alice: a long text goes on
 *                           under itself
 */
import type { DeliveredMessage } from "../../host/events.ts";
import { paintNick } from "./nicks.ts";
import type { Paint } from "./paint.ts";
import { visible } from "./visible.ts";
import { width } from "./width.ts";
import { wrap } from "./wrap.ts";

/** The reader of the messages, and the screen. */
export interface Reader {
  /** Of the reader's name. */
  readonly mention: RegExp;
  /** The room that is talked in: of others the name is shown. */
  readonly room: string;
  readonly columns: number;
  readonly paint: Paint;
}

/** `mark` stands behind the number. */
export function messageRows(message: DeliveredMessage, reader: Reader, mark = ""): string[] {
  const { paint, mention, columns } = reader;
  const head = `${paint.dim(`${clockTime(message.ts)} [seq=${message.seq_no}]${mark}`)} ${ofRoom(message.room_id, reader)}${paintNick(message.user, paint)}: `;
  const indent = width(head) < columns * 0.6 ? width(head) : Math.max(1, Math.min(8, columns >> 2));
  const rows = textRows(message.payload, columns - width(head), columns - indent);
  return rows.map(
    (row, i) => (i === 0 ? head : " ".repeat(indent)) + row.replace(mention, (found) => paint.mark(found)),
  );
}

/** Finds a name as a word or behind an @, whatever its case. */
export function mentionOf(name: string): RegExp {
  const literal = visible(name).replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{M}\\p{N}_@])@?${literal}(?![\\p{L}\\p{M}\\p{N}_])`, "giu");
}

/** A text that would have fewer columns than this beside its name begins below it. */
const BESIDE_COLUMNS_MIN = 8;

/** The lines of a text, each wrapped; the first row of all may be narrower, and empty where there is no room beside the name. */
function textRows(text: string, first: number, others: number): string[] {
  const [line = "", ...lines] = text.split(/\r?\n/).map(visible);
  const beside = first >= BESIDE_COLUMNS_MIN || width(line) <= first;
  const begun = beside ? wrap(line, others, first) : ["", ...wrap(line, others)];
  return [...begun, ...lines.flatMap((l) => wrap(l, others))];
}

function ofRoom(room: string, { room: active, paint }: Reader): string {
  return room === active ? "" : paint.dim(`#${visible(room)} `);
}

/** `14:02`, in the time zone of this machine; of what is no time `--:--`. */
export function clockTime(ts: number): string {
  const date = new Date(ts);
  if (Number.isNaN(date.getTime())) return "--:--";
  return [date.getHours(), date.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
}

/** `14:02` of the same day, else `20 Nov 14:02`. */
export function timeSeenFrom(now: number, ts: number): string {
  return dayOf(now) === dayOf(ts) ? clockTime(ts) : `${day(ts)} ${clockTime(ts)}`;
}

/** Days are told apart and ordered by this; NaN of what is no time. */
export function dayOf(ts: number): number {
  return new Date(ts).setHours(0, 0, 0, 0);
}

const LONG = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;

/** `20 Nov` */
function day(ts: number): string {
  return new Date(ts).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

export function rule(text: string, paint: Paint): string {
  return paint.dim(`── ${text} ──`);
}

export function dateRow(day: number, paint: Paint): string {
  return rule(new Date(day).toLocaleDateString("en-GB", LONG), paint);
}
