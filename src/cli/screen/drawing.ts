/**
 * The bottom of the screen and what scrolls past above it, as the bytes that a terminal is sent. Never the alternate screen:
 * messages go into the terminal's own scrollback, where they are selected and searched as anything else. Pure: what was
 * drawn last and a view give the bytes and what is drawn now, to be written at once and in order.
 *
 *     │ [seq=41] bob: hi          │ ◀─ print: go up to here, erase below, write the lines, …
 *     │ general · peer 3 leads    │
 *     │ alice> hal▏               │    … and draw the bottom again
 *
 * Nothing rests on measuring as the terminal does, because terminals disagree about emoji: the bottom is drawn with
 * automatic wrapping off (DECAWM), so that it never takes a row more, and the cursor goes where the terminal itself was
 * between the two halves of the draft (DECSC, DECRC). Widths only decide how much is shown.
 *
 * When a terminal gets narrower, rows that are now too long have been wrapped by it, and are counted as that (VTE, kitty,
 * iTerm2, Windows Terminal, tmux and most others; xterm and the Linux console cut them off instead: there, and only if the
 * bottom was wider than the new width, as many rows of messages are erased from the screen as were expected to be wrapped).
 *
 * Sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html; synchronized output, for no flicker where it is known:
 * https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036.
 */
import { bottomRows, type View } from "./bottom.ts";

const TOGETHER = "\x1b[?2026h";
const SHOWN = "\x1b[?2026l";
const WRAP_OFF = "\x1b[?7l";
const WRAP_ON = "\x1b[?7h";
const SAVE_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";
/** Not at the start of the row: from the top of its screen, tmux takes a plain ED for "clear" and keeps what is erased. */
const ERASE_BELOW = "\x1b[K\x1b[C\x1b[J\r";

/** What stands at the bottom: how wide each of its rows is, and the cursor's column in the last. */
export interface Drawn {
  readonly widths: readonly number[];
  readonly column: number;
}

/** Before the first drawing, and whenever something else has had the screen: the cursor is at the start of an empty row. */
export const NOTHING_DRAWN: Drawn = { widths: [], column: 0 };

export interface Drawing {
  readonly bytes: string;
  readonly drawn: Drawn;
}

/** Draws the bottom, where it was drawn last, and these lines above it: thousands of them are still one write. */
export function draw(drawn: Drawn, view: View, lines: readonly string[] = []): Drawing {
  const above = lines.map((line) => `${line}\r\n`).join("");
  const rows = bottomRows(view);
  const shown = rows.map(({ head, tail }, i) =>
    i < rows.length - 1 ? `${head}${tail}\r\n` : `${head}${SAVE_CURSOR}${tail}${RESTORE_CURSOR}`,
  );
  return {
    bytes: `${TOGETHER}${erase(drawn, view.columns)}${above}${WRAP_OFF}${shown.join("")}${WRAP_ON}${SHOWN}`,
    drawn: { widths: rows.map((row) => row.width), column: rows.at(-1)?.headWidth ?? 0 },
  };
}

/** Takes the bottom away and leaves the cursor where it began: before suspending, and at the end. */
export function erase(drawn: Drawn, columns: number): string {
  const wide = Math.max(1, columns);
  const above = drawn.widths.slice(0, -1).reduce((rows, width) => rows + Math.max(1, Math.ceil(width / wide)), 0);
  const up = above + Math.floor(drawn.column / wide);
  return `\r${up > 0 ? `\x1b[${up}A` : ""}${ERASE_BELOW}`;
}

/** Ctrl-L: everything goes up into the scrollback, so that nothing is lost; to be followed by a drawing upon nothing. */
export function clear(rows: number): string {
  return `\x1b[${rows};1H${"\n".repeat(rows)}\x1b[H`;
}
