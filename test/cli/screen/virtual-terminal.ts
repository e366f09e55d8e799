/**
 * A terminal for tests: a screen with a scrollback, that knows the few sequences the chat uses and refuses all others. It wraps
 * as VT100s do (the cursor waits behind the last column), and measures by grapheme cluster or, as many do, by code point.
 */
import { width } from "../../../src/cli/screen/width.ts";

interface Line {
  /** One text per column; empty behind a wide character. */
  cells: string[];
  /** The terminal itself began a new row behind it. */
  wrapped: boolean;
}

export interface Kind {
  readonly measures?: "clusters" | "code points";
  /** What happens to rows that are too long after a resize: wrapped anew, or cut off. */
  readonly resizes?: "wrapping" | "cutting";
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are made of them
const PIECES = /\x1b\[(\??)([\d;]*)([A-Za-z])|\x1b([78])|[\r\n\x07]|[^\x1b\r\n\x07]+/gu;
const CLUSTERS = new Intl.Segmenter("en", { granularity: "grapheme" });

export class VirtualTerminal {
  columns: number;
  rows: number;
  writes = 0;
  bells = 0;
  /** Pastes come in brackets (2004), and the focus is told (1004). */
  readonly reports = new Set<string>();
  readonly #kind: Kind;
  #lines: Line[] = [{ cells: [], wrapped: false }];
  #row = 0;
  #column = 0;
  /** The first row of the screen; what is before has scrolled away. */
  #top = 0;
  #wraps = true;
  #saved = { row: 0, column: 0 };

  constructor(columns: number, rows: number, kind: Kind = {}) {
    this.columns = columns;
    this.rows = rows;
    this.#kind = kind;
  }

  /** All rows there ever were, those that the terminal has wrapped put together again. */
  get history(): string[] {
    return logical(this.#lines).map(({ cells }) => shown(cells));
  }

  /** What is on the screen, `▏` before the cursor's column. */
  get screen(): string[] {
    return this.#lines.slice(this.#top).map(({ cells }, i) => {
      if (this.#top + i !== this.#row) return shown(cells);
      return `${padded(cells, this.#column).join("")}▏${cells.slice(this.#column).join("")}`.trimEnd();
    });
  }

  /** The bottommost row. */
  get prompt(): string {
    return this.screen.at(-1) ?? "";
  }

  get column(): number {
    return this.#column;
  }

  write(bytes: string): void {
    this.writes += 1;
    const pieces = [...bytes.matchAll(PIECES)];
    if (pieces.map(([piece]) => piece).join("") !== bytes) throw new Error(`not understood: ${JSON.stringify(bytes)}`);
    for (const [piece, question, numbers, command, single] of pieces) {
      if (single === "7") this.#saved = { row: this.#row - this.#top, column: this.#column };
      else if (single === "8") {
        this.#row = this.#top + this.#saved.row;
        this.#column = this.#saved.column;
      } else if (command !== undefined) this.#obey(question ?? "", numbers ?? "", command);
      else if (piece === "\r") this.#column = 0;
      else if (piece === "\n") this.#down();
      else if (piece === "\x07") this.bells += 1;
      else this.#print(piece);
    }
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    if (this.#kind.resizes === "cutting") {
      for (const line of this.#lines) line.cells = line.cells.slice(0, columns);
      this.#column = Math.min(this.#column, columns - 1);
    } else this.#wrapAnew();
    this.#top = Math.max(0, this.#lines.length - rows);
  }

  #obey(question: string, numbers: string, command: string): void {
    const n = Number(numbers || 1);
    const known = `${question}${question === "" ? "" : numbers}${command}`;
    if (known === "?7l") this.#wraps = false;
    else if (known === "?7h") this.#wraps = true;
    else if (known === "?1004h" || known === "?2004h") this.reports.add(numbers);
    else if (known === "?1004l" || known === "?2004l") this.reports.delete(numbers);
    else if (known === "?2026h" || known === "?2026l" || known === "m") return;
    else if (known === "A") this.#row = Math.max(this.#top, this.#row - n);
    else if (known === "C") this.#column = Math.min(this.columns - 1, this.#column + n);
    else if (known === "G") this.#column = n - 1;
    else if (known === "K" && numbers === "2") this.#line().cells = [];
    else if (known === "K") this.#eraseRow();
    else if (known === "J") this.#eraseBelow();
    else if (known === "H") {
      const [row = 1, column = 1] = numbers === "" ? [] : numbers.split(";").map(Number);
      this.#row = this.#top + row - 1;
      this.#column = column - 1;
      while (this.#lines.length <= this.#row) this.#lines.push({ cells: [], wrapped: false });
    } else throw new Error(`a terminal of these tests does not know CSI ${known}`);
  }

  /** As tmux does: what is erased from the top of the screen on is kept. */
  #eraseBelow(): void {
    if (this.#row === this.#top && this.#column === 0) throw new Error("tmux would keep this in its scrollback");
    this.#lines.splice(this.#row + 1);
    this.#eraseRow();
  }

  #eraseRow(): void {
    const line = this.#line();
    line.cells = line.cells.slice(0, this.#column);
    line.wrapped = false;
  }

  #line(): Line {
    return this.#lines[this.#row] as Line;
  }

  #down(): void {
    this.#row += 1;
    if (this.#row === this.#lines.length) this.#lines.push({ cells: [], wrapped: false });
    this.#top = Math.max(this.#top, this.#row - this.rows + 1);
  }

  #print(text: string): void {
    const units = this.#kind.measures === "code points" ? [...text] : [...CLUSTERS.segment(text)].map((s) => s.segment);
    for (const unit of units) {
      const wide = Math.min(width(unit), this.columns);
      if (wide === 0) {
        const before = this.#line().cells.findLastIndex((cell, i) => i < this.#column && cell !== "");
        if (before >= 0) this.#line().cells[before] += unit;
        continue;
      }
      if (this.#column + wide > this.columns) {
        if (this.#wraps) {
          this.#line().wrapped = true;
          this.#down();
          this.#column = 0;
        } else this.#column = this.columns - wide;
      }
      const cells = padded(this.#line().cells, this.#column);
      this.#line().cells = [
        ...cells,
        unit,
        ...Array(wide - 1).fill(""),
        ...this.#line().cells.slice(this.#column + wide),
      ];
      this.#column += wide;
    }
  }

  #wrapAnew(): void {
    const lines: Line[] = [];
    let cursor = { row: 0, column: 0 };
    let seen = 0;
    for (const { cells, rows } of logical(this.#lines)) {
      const holdsCursor = this.#row >= seen && this.#row < seen + rows;
      // The cursor's place counted in cells of the whole line.
      const before = this.#lines.slice(seen, this.#row).reduce((sum, line) => sum + line.cells.length, 0);
      const at = holdsCursor ? before + this.#column : -1;
      let line: Line = { cells: [], wrapped: false };
      lines.push(line);
      padded(cells, Math.max(0, at), true).forEach((cell, i, all) => {
        const wide = cell !== "" && all[i + 1] === "" ? 2 : 1;
        if (cell !== "" && line.cells.length + wide > this.columns) {
          line.wrapped = true;
          line = { cells: [], wrapped: false };
          lines.push(line);
        }
        if (i === at) cursor = { row: lines.length - 1, column: line.cells.length };
        line.cells.push(cell);
      });
      if (at >= cells.length) {
        const overflow = line.cells.length >= this.columns && at > 0;
        if (overflow) {
          line.wrapped = true;
          lines.push({ cells: [], wrapped: false });
        }
        cursor = { row: lines.length - 1, column: overflow ? 0 : line.cells.length };
      }
      seen += rows;
    }
    this.#lines = lines;
    this.#row = cursor.row;
    this.#column = cursor.column;
  }
}

function shown(cells: readonly string[]): string {
  return cells.join("").trimEnd();
}

/** So many columns, blank where nothing was written. */
function padded(cells: readonly string[], columns: number, more = false): string[] {
  const blank = Array<string>(Math.max(0, columns - cells.length)).fill(" ");
  return [...(more ? cells : cells.slice(0, columns)), ...blank];
}

function logical(lines: readonly Line[]): { cells: string[]; rows: number }[] {
  const joined: { cells: string[]; rows: number }[] = [];
  let goesOn = false;
  for (const { cells, wrapped } of lines) {
    const last = joined.at(-1);
    if (goesOn && last !== undefined) {
      last.cells.push(...cells);
      last.rows += 1;
    } else joined.push({ cells: [...cells], rows: 1 });
    goesOn = wrapped;
  }
  return joined;
}
