/**
 * Finds chat messages in lines of the log without parsing them: most lines of a long log do not match, and a regular
 * expression passes over them ten times as fast as a parser. A line found here is a candidate, which the caller parses
 * and checks.
 *
 * It relies on how a chat line is written [L2]: its fields stand in one order, and a quotation mark inside a text is
 * escaped. So `"user":"` and the like appear in a line only as the field's own name.
 */

/** The bytes before and behind the name of a message's room. */
const ROOM = '"room_id":';
const NUMBER = ',"seq_no":';
const USER = '"user":"';
const TIME = '","ts":';
const TEXT = '"payload":"';
const CRC = '","crc":';

export class LineSearch {
  readonly #room: string;
  readonly #raw: RegExp | null;
  readonly #plain: RegExp | null;

  /** `text` is looked for in texts and names, ignoring letter case (Unicode's simple case folding); "" fits all. */
  constructor(room: string, text: string) {
    this.#room = `${ROOM}${JSON.stringify(room)}${NUMBER}`;
    // The text as JSON has escaped it in a line.
    this.#raw = text === "" ? null : literal(JSON.stringify(text).slice(1, -1), "giu");
    this.#plain = text === "" ? null : literal(text, "iu");
  }

  /** Indexes of the lines that may fit, rising. `lines` are whole. */
  candidates(lines: string): number[] {
    return this.#raw === null ? linesWith(lines, this.#room) : this.#withText(lines, this.#raw);
  }

  /** Whether a message of the room fits. */
  fits(user: string, text: string): boolean {
    return this.#plain === null || this.#plain.test(text) || this.#plain.test(user);
  }

  #withText(lines: string, raw: RegExp): number[] {
    const found: number[] = [];
    raw.lastIndex = 0;
    for (let hit = raw.exec(lines); hit !== null; hit = raw.exec(lines)) {
      const at = hit.index;
      const start = lines.lastIndexOf("\n", at - 1) + 1;
      const end = lineEnd(lines, at);
      const user = within(lines.indexOf(USER, start), end) + USER.length;
      const userEnd = within(lines.indexOf(TIME, user), end);
      const text = within(lines.indexOf(TEXT, userEnd), end) + TEXT.length;
      const textEnd = Math.max(text, within(lines.lastIndexOf(CRC, end), end));
      if (at < user) raw.lastIndex = Math.min(user, end);
      else if (at >= userEnd && at < text) raw.lastIndex = Math.min(text, end);
      else {
        const room = lines.indexOf(this.#room, start);
        if (at < textEnd && room >= 0 && room < user) found.push(indexAt(lines, start));
        raw.lastIndex = end;
      }
    }
    return found;
  }
}

/** Index of the line with message `seqNo` of a room, or null. */
export function lineOfMessage(lines: string, room: string, seqNo: number): number | null {
  return linesWith(lines, `${ROOM}${JSON.stringify(room)}${NUMBER}${seqNo},`)[0] ?? null;
}

function linesWith(lines: string, part: string): number[] {
  const found: number[] = [];
  for (let at = lines.indexOf(part); at >= 0; at = lines.indexOf(part, lineEnd(lines, at)))
    found.push(indexAt(lines, lines.lastIndexOf("\n", at) + 1));
  return found;
}

/** The line feed of the line in which `at` stands. */
function lineEnd(lines: string, at: number): number {
  const end = lines.indexOf("\n", at);
  return end < 0 ? lines.length : end;
}

/** The place, or the end of the line: lines of other kinds lack some of these fields. */
function within(at: number, end: number): number {
  return at < 0 ? end : Math.min(at, end);
}

/** The line's own index, its first field. */
function indexAt(lines: string, start: number): number {
  return Number.parseInt(lines.slice(start + '{"index":'.length, start + 40), 10);
}

function literal(text: string, flags: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), flags);
}
