/**
 * A line editor at the bottom of the terminal and everything else above it: keys in, frames out. What comes together is drawn
 * together, so that a burst of thousands of lines is a few writes, and a terminal that is slow is sent no frames it cannot show.
 */
import type { Clock, Timer } from "../../host/contracts.ts";
import type { Completer } from "../editor/completer.ts";
import { type Action, press, withDraft } from "../editor/editor.ts";
import { type Key, KeyReader } from "../editor/keys.ts";
import { type Editor, newEditor } from "../editor/state.ts";
import type { Output } from "../process/output.ts";
import { bottomRows, type View } from "./bottom.ts";
import { clear, type Drawn, draw, erase, NOTHING_DRAWN } from "./drawing.ts";
import type { Paint } from "./paint.ts";
import { Tty, type TtyInput, type TtyOutput } from "./tty.ts";
import { visible } from "./visible.ts";
import { wrap } from "./wrap.ts";

/** The user of the terminal: says what the bottom shows, and hears what is typed. */
export interface TerminalUser {
  bottom(rows: number): Pick<View, "above" | "status" | "prompt">;
  complete(text: string, cursor: number): ReturnType<Completer>;
  /** False: it was not taken, and stays in the line. */
  line(text: string): boolean;
  /** Ctrl-C twice, Ctrl-D, or the terminal is gone. */
  gone(): void;
  /** What was printed has been drawn: more may come. */
  drawn(): void;
  /** Somebody looks at it, or not: the window is in the background (many terminals do not say), or takes no frames. */
  attend(here: boolean): void;
}

/** Between frames, of which there may be many while messages pour in. */
const FRAME_MS = 16;
/**
 * While a window is dragged the terminal is ahead of what this program has heard of it (tmux tells at most every 250 ms), and
 * what was drawn would be counted as other rows than it takes: nothing is drawn before the size has stayed the same for this time.
 */
const REST_MS = 300;
/** When more lines than this wait for the next frame, the caller is asked to pause. */
const LINES_MAX = 5000;
/** Lines beyond these are dropped, if the caller prints although it was asked to pause. */
const KEPT_LINES_MAX = 2 * LINES_MAX;
/** After this time without taking a frame, a terminal counts as one that nobody looks at. */
const UNREAD_MS = 1000;
/** Shown of what Tab may mean. */
const CANDIDATES_MAX = 50;
const BELL = "\x07";
/** It rings no more often, however much is said. */
const BELL_MS = 1000;

export class Terminal {
  readonly #input: TtyInput;
  readonly #output: TtyOutput;
  readonly #out: Output;
  readonly #clock: Clock;
  readonly #tty: Tty;
  readonly #user: TerminalUser;
  readonly #paint: Paint;
  readonly #keys = new KeyReader();
  #editor: Editor = newEditor();
  #drawn: Drawn = NOTHING_DRAWN;
  /** The bottom as it was drawn last, to see whether anything has changed. */
  #shown = "";
  #lines: string[] = [];
  /** Lines that were not kept. */
  #missing = 0;
  /** The window is in the foreground, as far as the terminal says. */
  #focused = true;
  /** It takes what it is sent. */
  #isRead = true;
  #unread: Timer | null = null;
  #rings = false;
  #rangAt = Number.NEGATIVE_INFINITY;
  #frame: Timer | null = null;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #patience: Timer | null = null;
  #state: "open" | "suspended" | "closed" = "open";

  constructor(on: { input: TtyInput; output: TtyOutput; out: Output; clock: Clock }, user: TerminalUser, paint: Paint) {
    this.#input = on.input;
    this.#output = on.output;
    this.#out = on.out;
    this.#clock = on.clock;
    this.#user = user;
    this.#paint = paint;
    this.#tty = new Tty(this.#input, this.#output, {
      write: (bytes) => this.#out.write(bytes),
      erase: () => this.#taken(),
      resumed: () => this.#resumed(),
    });
    this.#tty.enter();
    this.#input.on("data", this.#onData);
    // The questions of a start without settings have paused it.
    this.#input.resume();
    for (const end of ["end", "close", "error"]) this.#input.on(end, this.#onGone);
    this.#output.on("resize", this.#onResize);
    this.refresh();
  }

  get columns(): number {
    return this.#tty.columns;
  }

  /** Prints lines above the bottom; false: more of them should wait until `drawn`. */
  print(lines: readonly string[], bell = false): boolean {
    if (this.#state === "closed") {
      for (const line of lines) this.#out.line(line);
      return true;
    }
    if (this.#lines.length < KEPT_LINES_MAX) for (const line of lines) this.#lines.push(line);
    else this.#missing += lines.length;
    this.#rings ||= bell && this.#clock.now() - this.#rangAt >= BELL_MS;
    this.refresh();
    return this.#lines.length < LINES_MAX;
  }

  /** Something that the bottom shows has changed. */
  readonly refresh = (): void => {
    if (this.#frame !== null || this.#state !== "open") return;
    const wait = this.#drawnAt + FRAME_MS - this.#clock.now();
    this.#frame = this.#clock.after(Math.max(0, wait), this.#draw);
  };

  readonly #onResize = (): void => {
    if (this.#state !== "open") return;
    this.#frame?.cancel();
    this.#frame = this.#clock.after(REST_MS, this.#onRest);
  };

  /**
   * A timer that is late runs before the next change of size is heard. Drawing for the size before that would erase rows
   * of messages: as many as it believes to be wrapped, and that are so no more.
   */
  readonly #onRest = (): void => {
    this.#frame = this.#clock.after(0, this.#draw);
  };

  /** Gives the terminal back; what is printed from now on is plain lines. */
  close(): void {
    if (this.#state === "closed") return;
    this.#patience?.cancel();
    this.#unread?.cancel();
    this.#input.off("data", this.#onData);
    this.#output.off("resize", this.#onResize);
    const lines = this.#lines.splice(0);
    this.#state = "closed";
    this.#frame?.cancel();
    this.#tty.leave();
    this.print(lines);
  }

  readonly #draw = (): void => {
    this.#frame = null;
    if (this.#state !== "open") return;
    if (this.#out.behind) return this.#waitForReader();
    const view = this.#view;
    const shown = JSON.stringify([view.columns, bottomRows(view)]);
    const lines = this.#lines.splice(0);
    if (this.#missing > 0)
      lines.push(this.#paint.dim(`-- ${this.#missing} more lines came while nobody read this terminal`));
    this.#missing = 0;
    if (lines.length === 0 && shown === this.#shown && !this.#rings) return;
    const { bytes, drawn } = draw(this.#drawn, view, lines);
    this.#out.write(bytes + (this.#rings ? BELL : ""));
    if (this.#rings) this.#rangAt = this.#clock.now();
    this.#drawn = drawn;
    this.#shown = shown;
    this.#rings = false;
    this.#drawnAt = this.#clock.now();
    this.#user.drawn();
  };

  /** The frame before is not with the terminal yet: frames that would come meanwhile are never made. */
  #waitForReader(): void {
    this.#unread ??= this.#clock.after(UNREAD_MS, () => {
      this.#isRead = false;
      this.#tellAttention();
    });
    this.#out.resumed(() => {
      this.#unread?.cancel();
      this.#unread = null;
      this.refresh();
      if (this.#isRead) return;
      this.#isRead = true;
      this.#tellAttention();
    });
  }

  #tellAttention(): void {
    this.#user.attend(this.#focused && this.#isRead);
  }

  get #view(): View {
    const { columns, rows } = this.#tty;
    return {
      columns,
      rows,
      ...this.#user.bottom(rows),
      editor: this.#editor,
      paint: this.#paint,
    };
  }

  /** The bottom is taken away. */
  #taken(): string {
    const bytes = erase(this.#drawn, this.#tty.columns);
    this.#drawn = NOTHING_DRAWN;
    this.#shown = "";
    return bytes;
  }

  // ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #onGone = (): void => this.#user.gone();

  readonly #onData = (bytes: Uint8Array): void => {
    this.#patience?.cancel();
    this.#press(this.#keys.push(bytes));
    const { patienceMs } = this.#keys;
    this.#patience = patienceMs === null ? null : this.#clock.after(patienceMs, this.#onSilence);
  };

  readonly #onSilence = (): void => {
    const hadStalled = this.#keys.hasStalled;
    this.#press(this.#keys.lapse());
    if (this.#keys.hasStalled && !hadStalled)
      this.print([this.#paint.dim("-- the end of what is pasted has not come yet; Ctrl-C if it never will")]);
    const { patienceMs } = this.#keys;
    this.#patience = patienceMs === null ? null : this.#clock.after(patienceMs, this.#onSilence);
  };

  #press(keys: readonly Key[]): void {
    for (const [i, typed] of keys.entries()) {
      if (this.#state !== "open") return;
      // Tab with more text behind it in one read was pasted, by a terminal without bracketed paste: nobody types as fast.
      const isMessage = !this.#editor.text.startsWith("/");
      const isPastedTab = isMessage && typed.is === "press" && typed.name === "tab" && keys[i + 1]?.is === "text";
      const key: Key = isPastedTab ? { is: "text", text: "\t" } : typed;
      if (key.is === "press" && key.name.startsWith("focus-")) {
        this.#focused = key.name === "focus-in";
        this.#tellAttention();
        continue;
      }
      const { editor, action } = press(this.#editor, key, (text, cursor) => this.#user.complete(text, cursor));
      this.#editor = editor;
      if (action !== null) this.#act(action);
    }
    this.refresh();
  }

  #act(action: Action): void {
    switch (action.do) {
      case "send":
        if (!this.#user.line(action.text)) this.#editor = withDraft(this.#editor, action.text);
        return;
      case "candidates":
        this.print(this.#candidateRows(action.candidates));
        return;
      case "redraw":
        this.#out.write(clear(this.#tty.rows));
        this.#drawn = NOTHING_DRAWN;
        this.#shown = "";
        return;
      case "suspend":
        this.#state = "suspended";
        return this.#tty.suspend();
      case "quit":
        return this.#user.gone();
    }
  }

  #candidateRows(candidates: readonly string[]): string[] {
    const more = candidates.length - CANDIDATES_MAX;
    const named = candidates.slice(0, CANDIDATES_MAX).map((candidate) => visible(candidate.trimEnd()));
    const rows = wrap([...named, ...(more > 0 ? [`… and ${more} more`] : [])].join("  "), this.columns - 1);
    return rows.map(this.#paint.dim);
  }

  #resumed(): void {
    this.#state = "open";
    this.#drawn = NOTHING_DRAWN;
    this.#shown = "";
    this.refresh();
  }
}
