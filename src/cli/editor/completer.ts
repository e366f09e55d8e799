/** What Tab makes of the word before the cursor: commands, rooms and names, which the caller knows. */
import { Clusters } from "./clusters.ts";

export interface Completion {
  /** Each candidate would stand from here to the cursor. */
  readonly from: number;
  readonly candidates: readonly string[];
}

/** Null or no candidates: nothing fits. */
export type Completer = (text: string, cursor: number) => Completion | null;

export interface Words {
  /** The names with their slash. */
  readonly commands: readonly string[];
  readonly rooms: readonly string[];
  /** The latest speaker comes first. */
  readonly names: readonly string[];
}

/** Commands that are followed by a room, spaces and all; others by a name or text. */
const BEFORE_ROOM = /^\/(?:join|leave)\s+/;

/** Case makes no difference. A name that begins the line is spoken to: `alice: `. */
export function completerOf({ commands, rooms, names }: Words): Completer {
  return (text, cursor) => {
    const before = text.slice(0, cursor);
    const from = before.length - (/\S*$/.exec(before)?.[0].length ?? 0);
    const word = before.slice(from);
    if (from === 0 && word.startsWith("/")) return { from, candidates: fitting(commands, word, " ") };
    const command = BEFORE_ROOM.exec(before)?.[0];
    if (command !== undefined)
      return { from: command.length, candidates: fitting(rooms, before.slice(command.length), " ") };
    if (word.startsWith("@")) return { from: from + 1, candidates: fitting(names, word.slice(1), " ") };
    return { from, candidates: fitting(names, word, from === 0 ? ": " : " ") };
  };
}

function fitting(words: readonly string[], begun: string, ending: string): string[] {
  const small = begun.toLowerCase();
  return [...new Set(words)].filter((word) => word.toLowerCase().startsWith(small)).map((word) => word + ending);
}

/** The beginning that all of them have in common, in whole characters. */
export function commonStart(words: readonly string[]): string {
  const [first = "", ...others] = words;
  const clusters = new Clusters(first);
  let common = 0;
  while (common < first.length) {
    const longer = clusters.next(common);
    if (!others.every((word) => word.startsWith(first.slice(0, longer)))) break;
    common = longer;
  }
  return first.slice(0, common);
}
