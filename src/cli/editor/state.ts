/** The state of the line editor, and what can be done to it: pure functions from one to the next. */
import { Clusters } from "./clusters.ts";
import type { Completion } from "./completer.ts";
import type { Search } from "./history-search.ts";

export interface Editor {
  readonly text: string;
  /** A UTF-16 offset, always at the edge of a grapheme cluster. */
  readonly cursor: number;
  /** What was sent, oldest first, and where in it the text is from: behind its end is the draft. */
  readonly history: readonly string[];
  readonly place: number;
  /** Texts at other places that were edited and left, the draft among them; kept until something is sent. */
  readonly edits: ReadonlyMap<number, string>;
  /** What was killed, newest last. */
  readonly ring: readonly string[];
  readonly undo: readonly Draft[];
  /** What the last key did, where the next may go on with it. */
  readonly chain: Chain;
  readonly search: Search | null;
}

export interface Draft {
  readonly text: string;
  readonly cursor: number;
}

export type Chain =
  | { readonly of: "nothing" | "kills" }
  /** The next typed character goes there: the cursor may have had to leave for the edge of what has grown together. */
  | { readonly of: "typing"; readonly at: number }
  /** Ctrl-C was pressed: the next one quits. */
  | { readonly of: "interrupts" }
  | { readonly of: "yanks"; readonly from: number; readonly to: number; readonly entry: number }
  /** What was there before the first, and what is there up to where now. */
  | {
      readonly of: "completions";
      readonly completion: Completion;
      readonly chosen: number;
      readonly to: number;
      readonly before: Draft;
    };

const HISTORY_MAX = 1000;
const RING_MAX = 32;
const UNDO_MAX = 256;
export const NOTHING: Chain = { of: "nothing" };

export function newEditor(history: readonly string[] = []): Editor {
  const kept = history.slice(-HISTORY_MAX);
  const clean = { edits: new Map(), ring: [], undo: [], chain: NOTHING, search: null };
  return { text: "", cursor: 0, history: kept, place: kept.length, ...clean };
}

/** Any change of the text: it can be undone, and the cursor is at an edge whatever has grown together around it. */
export function edited(editor: Editor, text: string, cursor: number, chain: Chain = NOTHING): Editor {
  const goesOn = chain.of === "typing" && editor.chain.of === "typing";
  const undo =
    goesOn || text === editor.text
      ? editor.undo
      : [...editor.undo, { text: editor.text, cursor: editor.cursor }].slice(-UNDO_MAX);
  return { ...editor, text, cursor: new Clusters(text).edge(cursor), undo, chain };
}

/** This text in place of what is there. */
export function put(editor: Editor, from: number, to: number, by: string, chain: Chain = NOTHING): Editor {
  const { text } = editor;
  return edited(editor, text.slice(0, from) + by + text.slice(to), from + by.length, chain);
}

/** A run of typing is one, whatever chunks it came in. */
export function type(editor: Editor, typed: string): Editor {
  const { cursor, chain } = editor;
  const at = chain.of === "typing" ? chain.at : cursor;
  return put(editor, at, at, typed, { of: "typing", at: at + typed.length });
}

export function insert(editor: Editor, added: string): Editor {
  return put(editor, editor.cursor, editor.cursor, added);
}

export function without(editor: Editor, a: number, b: number, chain: Chain = NOTHING): Editor {
  const [from, to] = a < b ? [a, b] : [b, a];
  return from === to ? editor : put(editor, from, to, "", chain);
}

/** Kills in a row are one. */
export function kill(editor: Editor, chain: Chain, to: number): Editor {
  const { text, cursor, ring } = editor;
  if (to === cursor) return { ...editor, chain };
  const killed = text.slice(Math.min(to, cursor), Math.max(to, cursor));
  const before = chain.of === "kills" ? (ring.at(-1) ?? "") : "";
  const newest = to < cursor ? killed + before : before + killed;
  const older = chain.of === "kills" ? ring.slice(0, -1) : ring;
  return { ...without(editor, cursor, to, { of: "kills" }), ring: [...older, newest].slice(-RING_MAX) };
}

/** In place of what is between: nothing, or what an older yank has put there. */
export function yank(editor: Editor, entry: number, from = editor.cursor, to = editor.cursor): Editor {
  const killed = editor.ring[entry];
  if (killed === undefined) return editor;
  return put(editor, from, to, killed, { of: "yanks", from, to: from + killed.length, entry });
}

export function yankOlder(editor: Editor, chain: Chain): Editor {
  if (chain.of !== "yanks") return editor;
  const { length } = editor.ring;
  return yank(editor, (chain.entry + length - 1) % length, chain.from, chain.to);
}

/** The characters on both sides of the cursor, at the end the two before it. */
export function transpose(editor: Editor): Editor {
  const { text, cursor } = editor;
  const clusters = new Clusters(text);
  const middle = cursor === text.length ? clusters.previous(cursor) : cursor;
  const [from, to] = [clusters.previous(middle), clusters.next(middle)];
  if (middle === 0) return editor;
  return put(editor, from, to, text.slice(middle, to) + text.slice(from, middle));
}

export function undo(editor: Editor): Editor {
  const last = editor.undo.at(-1);
  return last === undefined ? editor : { ...editor, ...last, undo: editor.undo.slice(0, -1) };
}

/** Another place in the history. What is left is kept as it is. */
export function visit(editor: Editor, place: number): Editor {
  const { history, text } = editor;
  if (place < 0 || place > history.length || place === editor.place) return editor;
  const edits = new Map(editor.edits).set(editor.place, text);
  const shown = edits.get(place) ?? history[place] ?? "";
  return { ...editor, text: shown, cursor: shown.length, place, edits, undo: [], chain: NOTHING };
}
