/**
 * The line editor: a pure state machine. A state and a key give the next state, and what the caller is asked to do.
 * Keys do what they do in readline's Emacs mode (GNU readline manual, section 1.4) where a chat has a use for them.
 *
 * A draft of several lines, from a paste or Alt-Enter, is one draft and one message: it is edited as one row in which a mark
 * stands for each end of a line, so that the bottom of the screen has always the same height and Up is always the history.
 *
 *   Enter, Ctrl-J     send                          Ctrl-A E, Home End      start, end of the draft
 *   Alt-Enter         a new line in the draft       Ctrl-B F, Left Right    one character; with Alt or Ctrl a word
 *   Ctrl-P N, Up Down history; edits are kept       Ctrl-H D, ⌫ Del         delete a character
 *   Alt-< >           its start; the draft          Ctrl-K U W, Alt-D ⌫     kill: to the end, start, a word
 *   Ctrl-R S          search it, back and on        Ctrl-Y, Alt-Y           yank, then older kills instead
 *   Tab, Shift-Tab    complete, other candidates    Ctrl-T, Ctrl-_          transpose, undo
 *   Ctrl-L Z          redraw, suspend               Ctrl-C, Ctrl-D          below
 *
 * Ctrl-C clears the draft (Ctrl-_ brings it back) and asks; at once again it quits. Ctrl-D on an empty draft quits.
 */
import { blankStart, Clusters, wordEnd, wordStart } from "./clusters.ts";
import { type Completer, commonStart } from "./completer.ts";
import { found, searchKey, startSearch } from "./history-search.ts";
import type { Key } from "./keys.ts";
import {
  type Chain,
  type Draft,
  type Editor,
  edited,
  insert,
  kill,
  NOTHING,
  newEditor,
  put,
  transpose,
  type,
  undo,
  visit,
  without,
  yank,
  yankOlder,
} from "./state.ts";

export type Action =
  | { readonly do: "send"; readonly text: string }
  /** Several candidates: to be shown above; Tab goes through them. */
  | { readonly do: "candidates"; readonly candidates: readonly string[] }
  | { readonly do: "redraw" | "suspend" | "quit" };

export interface Step {
  readonly editor: Editor;
  readonly action: Action | null;
}

const NO_COMPLETER: Completer = () => null;

/** The same editor with this draft, as after a message that was refused; Ctrl-_ takes it back. */
export function withDraft(editor: Editor, text: string): Editor {
  return edited(editor, text, text.length);
}

/** Ctrl-C was pressed: it is to be said that the next one quits. */
export function asksToQuit(editor: Editor): boolean {
  return editor.chain.of === "interrupts";
}

export function press(editor: Editor, key: Key, complete: Completer = NO_COMPLETER): Step {
  if (editor.search !== null) {
    const { search, over, pass } = searchKey(editor.search, key, editor.history);
    if (!over) return stay({ ...editor, search });
    const left = { ...editor, search: null, chain: NOTHING };
    const match = pass === "abort" ? null : found(search, editor.history);
    if (match === null) return stay(left);
    const accepted = accept(left, search.place, match);
    return pass === "key" ? press(accepted, key, complete) : stay(accepted);
  }
  if (key.is === "text") return stay(type(editor, key.text));
  if (key.is === "paste") return stay(insert(editor, key.text));
  const bound = BINDINGS[key.name];
  const unchained = { ...editor, chain: NOTHING };
  return bound === undefined ? stay(unchained) : bound(unchained, editor.chain, complete);
}

// ── what keys are bound to ───────────────────────────────────────────────────────────────────────────────────────────

/** Gets the editor with the chain ended, and the chain, which it may go on with. */
type Bound = (editor: Editor, chain: Chain, complete: Completer) => Step;
type Place = (text: string, cursor: number) => number;

const start: Place = () => 0;
const end: Place = (text) => text.length;
const next: Place = (text, cursor) => new Clusters(text).next(cursor);
const previous: Place = (text, cursor) => new Clusters(text).previous(cursor);

const moveTo =
  (place: Place): Bound =>
  (editor) =>
    stay({ ...editor, cursor: place(editor.text, editor.cursor) });

const deleteTo =
  (place: Place): Bound =>
  (editor) =>
    stay(without(editor, editor.cursor, place(editor.text, editor.cursor)));

const killTo =
  (place: Place): Bound =>
  (editor, chain) =>
    stay(kill(editor, chain, place(editor.text, editor.cursor)));

const ask =
  (what: "redraw" | "suspend"): Bound =>
  (editor) => ({ editor, action: { do: what } });

const BINDINGS: Readonly<Record<string, Bound>> = {
  ...bind(["enter", "C-j"], send),
  ...bind(["M-enter", "S-enter", "C-enter"], (editor) => stay(insert(editor, "\n"))),
  ...bind(["C-a", "home"], moveTo(start)),
  ...bind(["C-e", "end"], moveTo(end)),
  ...bind(["C-b", "left"], moveTo(previous)),
  ...bind(["C-f", "right"], moveTo(next)),
  ...bind(["M-b", "M-left", "C-left"], moveTo(wordStart)),
  ...bind(["M-f", "M-right", "C-right"], moveTo(wordEnd)),
  ...bind(["C-h", "backspace", "S-backspace"], deleteTo(previous)),
  ...bind(["delete"], deleteTo(next)),
  ...bind(["C-d"], (editor, chain, complete) =>
    editor.text === "" ? { editor, action: { do: "quit" } } : deleteTo(next)(editor, chain, complete),
  ),
  ...bind(["C-k"], killTo(end)),
  ...bind(["C-u"], killTo(start)),
  ...bind(["C-w"], killTo(blankStart)),
  ...bind(["M-d", "M-delete", "C-delete"], killTo(wordEnd)),
  ...bind(["M-backspace", "C-backspace", "C-M-h"], killTo(wordStart)),
  ...bind(["C-y"], (editor) => stay(yank(editor, editor.ring.length - 1))),
  ...bind(["M-y"], (editor, chain) => stay(yankOlder(editor, chain))),
  ...bind(["C-t"], (editor) => stay(transpose(editor))),
  ...bind(["C-_"], (editor) => stay(undo(editor))),
  ...bind(["C-p", "up"], (editor) => stay(visit(editor, editor.place - 1))),
  ...bind(["C-n", "down"], (editor) => stay(visit(editor, editor.place + 1))),
  ...bind(["M-<"], (editor) => stay(visit(editor, 0))),
  ...bind(["M->"], (editor) => stay(visit(editor, editor.history.length))),
  ...bind(["C-r", "C-s"], (editor) => stay({ ...editor, search: startSearch(editor.history) })),
  ...bind(["tab"], (editor, chain, complete) => completed(editor, chain, complete, 1)),
  ...bind(["S-tab"], (editor, chain, complete) => completed(editor, chain, complete, -1)),
  ...bind(["C-c"], interrupt),
  ...bind(["C-l"], ask("redraw")),
  ...bind(["C-z"], ask("suspend")),
};

function bind(names: readonly string[], bound: Bound): Record<string, Bound> {
  return Object.fromEntries(names.map((name) => [name, bound]));
}

// ── what they do ─────────────────────────────────────────────────────────────────────────────────────────────────────

function stay(editor: Editor): Step {
  return { editor, action: null };
}

function send(editor: Editor): Step {
  const text = editor.text.replace(/\n+$/, "");
  const blank = text.trim() === "";
  const history = blank || text === editor.history.at(-1) ? editor.history : [...editor.history, text];
  return { editor: { ...newEditor(history), ring: editor.ring }, action: blank ? null : { do: "send", text } };
}

function interrupt(editor: Editor, chain: Chain): Step {
  if (chain.of === "interrupts") return { editor, action: { do: "quit" } };
  const cleared = editor.text === "" ? editor : edited(editor, "", 0);
  return stay({ ...cleared, place: editor.history.length, edits: new Map(), chain: { of: "interrupts" } });
}

/** A line that the search has found; at its place in the history it may have been edited since. */
function accept(editor: Editor, place: number, { text, cursor }: Draft): Editor {
  const visited = visit(editor, place);
  return visited.text === text ? { ...visited, cursor } : edited(visited, text, cursor);
}

/** One candidate is taken; of several what they have in common, then one after the other. All of it is undone at once. */
function completed(editor: Editor, chain: Chain, complete: Completer, direction: 1 | -1): Step {
  if (chain.of === "completions") {
    const { completion, chosen, to, before } = chain;
    const { from, candidates } = completion;
    // Backwards while none is chosen: the last one.
    const { length } = candidates;
    const next = chosen < 0 && direction < 0 ? length - 1 : (chosen + direction + length) % length;
    const by = candidates[next] as string;
    const changed = put(editor, from, to, by, { ...chain, chosen: next, to: from + by.length });
    return stay({ ...changed, undo: editor.undo.at(-1) === before ? editor.undo : [...editor.undo, before] });
  }
  const completion = direction < 0 ? null : complete(editor.text, editor.cursor);
  const [first] = completion?.candidates ?? [];
  if (completion === null || first === undefined) return stay(editor);
  const { candidates, from } = completion;
  const { text, cursor } = editor;
  if (candidates.length === 1) return stay(put(editor, from, cursor, first));
  const before: Draft = { text, cursor };
  const common = commonStart(candidates);
  const by = common.length > cursor - from ? common : text.slice(from, cursor);
  const begun = put(editor, from, cursor, by, {
    of: "completions",
    completion,
    chosen: -1,
    to: from + by.length,
    before,
  });
  const undo = begun.text === text ? editor.undo : [...editor.undo, before];
  return { editor: { ...begun, undo }, action: { do: "candidates", candidates } };
}
