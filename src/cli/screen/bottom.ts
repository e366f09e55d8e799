/**
 * The rows at the bottom of the screen: own messages on their way, a status line, and under it the prompt with the draft.
 * Pure: a state gives rows.
 *
 * The draft is one row that scrolls sideways, with `‹` and `›` where it goes on and `⏎` for the ends of its lines: a bottom
 * that has few rows is what survives resizes, bursts and terminals that measure emoji otherwise. The last column is left
 * free, because terminals disagree about the cursor behind it.
 */
import { Clusters } from "../editor/clusters.ts";
import { asksToQuit } from "../editor/editor.ts";
import { found } from "../editor/history-search.ts";
import type { Editor } from "../editor/state.ts";
import type { Paint } from "./paint.ts";
import { visible } from "./visible.ts";
import { cut, width } from "./width.ts";

export interface View {
  readonly columns: number;
  readonly rows: number;
  /** Rows above the status line; what there is no room for is left out from the top. */
  readonly above: readonly (readonly Span[])[];
  readonly status: readonly Span[];
  /** Like `alice> `. */
  readonly prompt: string;
  readonly editor: Editor;
  readonly paint: Paint;
}

/** A part of the status line, safe to show; painted after it has been cut to what fits. */
export interface Span {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Row {
  /** The cursor stands between them. */
  readonly head: string;
  readonly tail: string;
  /** The width of `head`, in columns. */
  readonly headWidth: number;
  readonly width: number;
}

/** From top to bottom; the cursor is in the last one. */
export function bottomRows(view: View): readonly Row[] {
  const { above, status, editor, paint } = view;
  const said = asksToQuit(editor) ? [{ text: "Ctrl-C again quits", paint: paint.bold }] : status;
  const rows = [...above, said].slice(-Math.max(1, view.rows - 2));
  return [...(view.rows < 3 ? [] : rows.map((spans) => spanRow(spans, view))), draftRow(view)];
}

function spanRow(spans: readonly Span[], { columns, paint }: View): Row {
  let left = columns - 1;
  let head = "";
  for (const { text, paint: painted = paint.dim } of spans) {
    const shown = cut(text, left);
    if (shown === "") continue;
    head += painted(shown);
    left -= width(shown);
    if (shown !== text) break;
  }
  return { head, tail: "", headWidth: columns - 1 - left, width: columns - 1 - left };
}

function draftRow(view: View): Row {
  const { editor, paint } = view;
  const { search, history } = editor;
  const room = Math.max(0, view.columns - 1);
  const said =
    search === null ? view.prompt : `${search.failed ? "not in the history" : "history"} '${search.query}': `;
  const prompt = cut(visible(said), room >> 1);
  const { text, cursor } = (search === null ? null : found(search, history)) ?? editor;
  const [before, behind] = windowOn(text, cursor, room - width(prompt), paint);
  const headWidth = width(prompt) + before.width;
  return { head: paint.bold(prompt) + before.shown, tail: behind.shown, headWidth, width: headWidth + behind.width };
}

interface Part {
  readonly shown: string;
  readonly width: number;
  /** The place in the text where it ends, on the side away from the cursor. */
  readonly edge: number;
}

/** In fewer columns than this there is no room for marks. */
const MARKED_COLUMNS_MIN = 8;

/** What is before and behind the cursor, together in this many columns: up to a quarter behind, more where there is room. */
function windowOn(text: string, cursor: number, columns: number, paint: Paint): [Part, Part] {
  const clusters = new Clusters(text);
  const marks = columns >= MARKED_COLUMNS_MIN;
  const part = (direction: 1 | -1, columnsMax: number): Part => {
    const whole = walk(clusters, cursor, direction, columnsMax, paint);
    const complete = whole.edge === (direction < 0 ? 0 : text.length);
    if (complete || !marks) return whole;
    const less = walk(clusters, cursor, direction, columnsMax - 1, paint);
    const shown = direction < 0 ? paint.dim("‹") + less.shown : less.shown + paint.dim("›");
    return { ...less, shown, width: less.width + 1 };
  };
  const before = part(-1, columns - part(1, columns >> 2).width);
  return [before, part(1, columns - before.width)];
}

/** Characters from the cursor on, as many as fit. */
function walk(clusters: Clusters, cursor: number, direction: 1 | -1, columns: number, paint: Paint): Part {
  const { text } = clusters;
  let part: Part = { shown: "", width: 0, edge: cursor };
  while (direction < 0 ? part.edge > 0 : part.edge < text.length) {
    const edge = direction < 0 ? clusters.previous(part.edge) : clusters.next(part.edge);
    const cluster = text.slice(Math.min(edge, part.edge), Math.max(edge, part.edge));
    const plain = shownAs(cluster);
    const wide = part.width + width(plain);
    if (wide > columns) break;
    const shown = plain === cluster ? plain : paint.dim(plain);
    part = { shown: direction < 0 ? shown + part.shown : part.shown + shown, width: wide, edge };
  }
  return part;
}

/** A character of the draft, which is no more obeyed than what others say: pastes are often what others said. */
function shownAs(cluster: string): string {
  if (cluster === "\n") return "⏎";
  // A joiner at the end of a grapheme cluster stands within a word, and the next letter of that is not seen here.
  const joiner = /[^\u200c\u200d](?<last>[\u200c\u200d])$/u.exec(cluster)?.groups?.last ?? "";
  return visible(cluster.slice(0, cluster.length - joiner.length)) + joiner;
}
