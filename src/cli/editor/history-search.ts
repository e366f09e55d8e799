/**
 * Incremental search through the history, as readline's Ctrl-R: every typed character narrows it, Ctrl-R goes to the next
 * older match, Ctrl-S to the next newer. Case makes no difference. Enter and every other editing key take the match and then
 * do what they do, Escape takes it only, Ctrl-G and Ctrl-C leave the draft as it was.
 */
import { Clusters } from "./clusters.ts";
import type { Key } from "./keys.ts";

export interface Search {
  readonly query: string;
  /** In the history: the last match; its length while there is none. */
  readonly place: number;
  /** The query is not found from there on. */
  readonly failed: boolean;
}

export interface Searched {
  readonly search: Search;
  readonly over: boolean;
  /** What is over: the search was broken off; it is taken; it is taken and the key is still to be obeyed. */
  readonly pass: "abort" | "take" | "key";
}

export function startSearch(history: readonly string[]): Search {
  return { query: "", place: history.length, failed: false };
}

/** The line that is shown, and where in it the match begins; null while none is. */
export function found(search: Search, history: readonly string[]): { text: string; cursor: number } | null {
  const text = history[search.place];
  return text === undefined ? null : { text, cursor: matchIn(text, search.query) ?? 0 };
}

export function searchKey(search: Search, key: Key, history: readonly string[]): Searched {
  const goOn = (next: Search): Searched => ({ search: next, over: false, pass: "take" });
  // One by one: the same line is found however the text was cut into runs.
  if (key.is !== "press")
    return goOn([...key.text].reduce((so, character) => narrowed(so, so.query + character, history), search));
  switch (key.name) {
    case "C-r":
      return goOn(further(search, -1, history));
    case "C-s":
      return goOn(further(search, 1, history));
    case "backspace":
    case "C-h": {
      const shorter = search.query.slice(0, new Clusters(search.query).previous(search.query.length));
      return goOn(narrowed(startSearch(history), shorter, history));
    }
    case "C-g":
    case "C-c":
      return { search, over: true, pass: "abort" };
    case "escape":
      return { search, over: true, pass: "take" };
    default:
      return { search, over: true, pass: "key" };
  }
}

/** Searches from the line that is shown, this line included. */
function narrowed(search: Search, query: string, history: readonly string[]): Search {
  if (query === "") return startSearch(history);
  return at(search, query, nextMatch(query, Math.min(search.place, history.length - 1), -1, history));
}

/** Searches for another line than the one that is shown. */
function further(search: Search, direction: 1 | -1, history: readonly string[]): Search {
  const { query, place } = search;
  if (query === "") return search;
  let to = nextMatch(query, place + direction, direction, history);
  while (to !== null && history[to] === history[place]) to = nextMatch(query, to + direction, direction, history);
  return at(search, query, to);
}

function at(search: Search, query: string, place: number | null): Search {
  return place === null ? { ...search, query, failed: true } : { query, place, failed: false };
}

function nextMatch(query: string, from: number, direction: 1 | -1, history: readonly string[]): number | null {
  for (let place = from; place >= 0 && place < history.length; place += direction)
    if (matchIn(history[place] as string, query) !== null) return place;
  return null;
}

function matchIn(line: string, query: string): number | null {
  const match = line.toLowerCase().indexOf(query.toLowerCase());
  // A few letters have another length in lower case, so the place may be a little off.
  return match < 0 ? null : new Clusters(line).edge(Math.min(match, line.length));
}
