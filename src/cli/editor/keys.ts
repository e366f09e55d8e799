/**
 * What a keyboard sends through a terminal, as keys. The grammar is ECMA-48's (CSI and SS3 sequences); what the sequences
 * mean is xterm's (https://invisible-island.net/xterm/ctlseqs/ctlseqs.html), with the variants of the Linux console, rxvt and
 * the `CSI … u` of http://www.leonerd.org.uk/hacks/fixterms. Input may be cut into chunks anywhere, within a character too.
 * What is not understood is no key: replies of the terminal, mouse reports, broken UTF-8.
 *
 *              ESC               [ or O
 *   ground ──────────▶ escape ──────────▶ sequence ──▶ a key, or the start of a paste ──▶ paste ──▶ a paste
 *      ▲                  │ ] P X ^ _
 *      │                  └─────────▶ string (a reply of the terminal), until BEL or ESC \
 *      └── an ESC alone, when nothing follows for `patienceMs`, was the Escape key
 *
 * A line may hold anything up in the middle for seconds. So no silence makes text of half a sequence, or typed lines of
 * half a paste: what has begun goes on when more comes, and a control character (Ctrl-C, Enter) breaks it off. In a paste
 * that is Ctrl-C alone, once it has stalled.
 *
 * Names of keys are written as in Emacs and readline: `C-a`, `M-b`, `C-M-h`, `S-tab`, `C-left`, `enter`, `backspace`.
 */

export type Key =
  /** Typed characters; one run of them may come in several. */
  | { readonly is: "text"; readonly text: string }
  /** Bracketed paste: a whole, its lines ended by \n. */
  | { readonly is: "paste"; readonly text: string }
  | { readonly is: "press"; readonly name: string };

/** To be asked for when a terminal is opened, and given back when it is left: pastes in brackets, and reports of the focus. */
export const REPORTS_ON = "\x1b[?2004h\x1b[?1004h";
export const REPORTS_OFF = "\x1b[?2004l\x1b[?1004l";

/** Sequences come in one piece but for slow lines; who presses Escape does not wait noticeably. */
const SEQUENCE_PATIENCE_MS = 100;
/** The rest of a sequence that was taken for the Escape key comes within this time, or not at all. */
const LATE_MS = 1000;
/** A paste has stalled when nothing came of it for this time: what has come is shown. */
const PASTE_PATIENCE_MS = 2000;
/** A longer sequence belongs to no key. */
const SEQUENCE_LENGTH_MAX = 32;

const ESC = "\x1b";
const PASTE_END = "\x1b[201~";

const CONTROLS: Readonly<Record<string, string>> = {
  "\0": "C-space",
  "\t": "tab",
  "\r": "enter",
  "\x1b": "escape",
  "\x7f": "backspace",
};
/** Final characters of CSI and SS3 sequences. */
const FINALS: Readonly<Record<string, string>> = {
  ...{ A: "up", B: "down", C: "right", D: "left", H: "home", F: "end", Z: "S-tab" },
};
/** The numbers before `~`. */
const NUMBERS: Readonly<Record<string, string>> = {
  ...{ 1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageup", 6: "pagedown", 7: "home", 8: "end" },
};
/** Of the keypad, behind ESC O: Enter, and the function keys, which are no keys here. */
const KEYPAD: Readonly<Record<string, string>> = { M: "enter", P: "", Q: "", R: "", S: "" };
/** Of xterm's focus reporting (mode 1004): not for the editor. */
const FOCUS: Readonly<Record<string, string>> = { I: "focus-in", O: "focus-out" };

export class KeyReader {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #state: "ground" | "escape" | "late" | "sequence" | "string" | "paste" = "ground";
  /** The sequence, string or paste so far. */
  #taken = "";
  /** An ESC stood before the sequence: Alt was held. */
  #alt = false;
  /** The ESC before the sequence has been told as the Escape key. */
  #isLate = false;
  #stalled = false;
  /** How much of the end of a paste or string the last characters were. */
  #ending = 0;
  #run = "";
  #keys: Key[] = [];

  push(bytes: Uint8Array): Key[] {
    for (const character of this.#decoder.decode(bytes, { stream: true })) this.#take(character);
    return this.#told();
  }

  /** A paste has begun and stalled: what is typed now is taken for more of it, but for Ctrl-C, which ends it. */
  get hasStalled(): boolean {
    return this.#stalled;
  }

  /** How long to wait for more before `lapse`; null when no silence means anything. */
  get patienceMs(): number | null {
    switch (this.#state) {
      case "escape":
        return SEQUENCE_PATIENCE_MS;
      case "sequence":
        return this.#isLate ? SEQUENCE_PATIENCE_MS : null;
      case "late":
      case "string":
        return LATE_MS;
      case "paste":
        return this.#stalled && this.#taken.length === this.#ending ? null : PASTE_PATIENCE_MS;
      default:
        return null;
    }
  }

  /** Nothing has followed for that long. */
  lapse(): Key[] {
    switch (this.#state) {
      case "escape":
        this.#press("escape");
        this.#state = "late";
        break;
      case "sequence":
        // The person typed Escape and then a bracket.
        if (this.#isLate) this.#run += this.#taken;
        if (this.#isLate) this.#state = "ground";
        break;
      case "paste":
        this.#stalled = true;
        this.#showStalled();
        break;
      default:
        this.#state = "ground";
    }
    return this.#told();
  }

  /** Shows all of a stalled paste, except what may be the beginning of its end mark. */
  #showStalled(): void {
    const ending = this.#taken.slice(this.#taken.length - this.#ending);
    if (this.#taken.length > ending.length) this.#paste(this.#taken.slice(0, this.#taken.length - ending.length));
    this.#taken = ending;
  }

  #told(): Key[] {
    this.#endRun();
    return this.#keys.splice(0);
  }

  #take(c: string): void {
    switch (this.#state) {
      case "ground":
        return this.#onGround(c);
      case "escape":
        return this.#onEscape(c);
      case "late":
        return this.#onLate(c);
      case "sequence":
        return this.#onSequence(c);
      case "string":
        return this.#onString(c);
      case "paste":
        return this.#onPaste(c);
    }
  }

  #onGround(c: string): void {
    if (c === ESC) {
      this.#state = "escape";
      this.#alt = false;
    } else if (isControl(c)) this.#press(controlName(c));
    else if (isText(c)) this.#run += c;
  }

  #onEscape(c: string): void {
    if (c === ESC) this.#alt = true;
    else if (c === "[" || c === "O") this.#open("sequence", c);
    else if ("]PX^_".includes(c)) this.#open("string", "");
    else {
      this.#state = "ground";
      const name = isControl(c) ? controlName(c) : c;
      if (isControl(c) || isText(c)) this.#press(name.startsWith("C-") ? `C-M-${name.slice(2)}` : `M-${name}`);
    }
  }

  /** Behind an Escape key: the rest of a sequence that was cut, or typed text. */
  #onLate(c: string): void {
    this.#state = "ground";
    if (c !== "[" && c !== "O") return this.#onGround(c);
    this.#open("sequence", c);
    this.#isLate = true;
  }

  #open(state: "sequence" | "string" | "paste", taken: string): void {
    this.#state = state;
    this.#isLate = false;
    this.#stalled = false;
    this.#taken = taken;
    this.#ending = 0;
  }

  #onSequence(c: string): void {
    const consoleKey = this.#taken === "[" && c === "[";
    if (consoleKey || (c >= " " && c <= "?")) {
      if (this.#taken.length < SEQUENCE_LENGTH_MAX) this.#taken += c;
      return;
    }
    this.#state = "ground";
    // A key that breaks a sequence off counts as if it stood alone, so that Ctrl-C always works.
    if (c < "@" || c > "~") return this.#onGround(c);
    const [introducer, body] = [this.#taken.charAt(0), this.#taken.slice(1)];
    const isKey = introducer === "[" ? (FINALS[c] ?? FOCUS[c]) : (FINALS[c] ?? KEYPAD[c]);
    if (this.#isLate && body === "" && isKey === undefined) {
      this.#run += introducer + c;
      return;
    }
    if (introducer === "[" && body === "200" && c === "~") return this.#open("paste", "");
    this.#sequence(introducer, body, c);
  }

  #sequence(introducer: string, body: string, final: string): void {
    const [first = "", second = "", third = ""] = body.split(";");
    // kitty's keyboard protocol tells after a colon what happened: 1 pressed, 2 repeated, 3 released.
    const [held = "", happened] = second.split(":");
    if (happened === "3") return;
    const modifiers = Number.parseInt(held, 10) - 1 || 0;
    if (introducer === "[" && final === "u") return this.#codedKey(typed(first, third, modifiers), modifiers);
    // xterm's modifyOtherKeys
    if (final === "~" && first === "27") return this.#codedKey(third, modifiers);
    if (introducer === "[" && body === "" && FOCUS[final] !== undefined) return this.#press(FOCUS[final]);
    // rxvt: Ctrl is told by the end of the sequence
    if (final === "^") return this.#special(NUMBERS[first], 4);
    if (introducer === "O" && "abcd".includes(final)) return this.#special(FINALS[final.toUpperCase()], 4);
    if (introducer === "O" && final === "M") return this.#press("enter");
    if (/^[0-9;:]*$/.test(body)) this.#special(final === "~" ? NUMBERS[first] : FINALS[final], modifiers);
  }

  #special(name: string | undefined, modifiers: number): void {
    if (name !== undefined) this.#press(modified(name, this.#alt ? modifiers | 2 : modifiers));
  }

  /** A key told by its character's code. */
  #codedKey(code: string, modifiers: number): void {
    const number = Number.parseInt(code, 10);
    if (!(number >= 0 && number <= 0x10ffff)) return;
    const c = String.fromCodePoint(number);
    const special = CONTROLS[c];
    if (special !== undefined) this.#special(special, modifiers);
    // Private use: kitty's numbers of keys without a character.
    else if (!isText(c) || /[\p{Co}\p{Cs}]/u.test(c)) return;
    else if ((modifiers & 6) === 0 && !this.#alt) this.#run += c;
    else this.#special(c === " " ? "space" : c.toLowerCase(), modifiers & 6);
  }

  #onString(c: string): void {
    if (c === "\x07" || c === "\x9c") this.#state = "ground";
    else if (c < " " && c !== ESC) {
      this.#state = "ground";
      this.#onGround(c);
    } else if (this.#ending === 0) this.#ending = c === ESC ? 1 : 0;
    else {
      this.#state = "escape";
      this.#alt = false;
      if (c === "\\") this.#state = "ground";
      else this.#onEscape(c);
    }
  }

  #onPaste(c: string): void {
    if (this.#stalled && c === "\x03") {
      this.#showStalled();
      this.#state = "ground";
      this.#stalled = false;
      return this.#onGround(c);
    }
    this.#taken += c;
    this.#ending = c === PASTE_END[this.#ending] ? this.#ending + 1 : c === ESC ? 1 : 0;
    if (this.#ending < PASTE_END.length) return;
    this.#state = "ground";
    this.#stalled = false;
    this.#paste(this.#taken.slice(0, -PASTE_END.length));
  }

  /** Terminals send \r for the ends of lines. */
  #paste(raw: string): void {
    this.#endRun();
    this.#keys.push({ is: "paste", text: raw.replace(/\r\n?/g, "\n") });
  }

  #press(name: string): void {
    this.#endRun();
    this.#keys.push({ is: "press", name });
  }

  #endRun(): void {
    if (this.#run !== "") this.#keys.push({ is: "text", text: this.#run });
    this.#run = "";
  }
}

/**
 * The code of what a key types under kitty's protocol: as text behind the modifiers, or the shifted key behind the plain
 * one's colon. Where neither is told, Shift makes a capital.
 */
function typed(key: string, text: string, modifiers: number): string {
  const [plain = "", shifted = ""] = key.split(":");
  if (text !== "") return text.split(":")[0] as string;
  if ((modifiers & 1) === 0) return plain;
  if (shifted !== "") return shifted;
  const code = Number.parseInt(plain, 10);
  const isLetter = code >= 0x61 && code <= 0x10ffff && isText(String.fromCodePoint(code));
  return isLetter ? `${String.fromCodePoint(code).toUpperCase().codePointAt(0)}` : plain;
}

/** C0 and DEL: what the keyboard sends for keys without a character. */
function isControl(c: string): boolean {
  return c < " " || c === "\x7f";
}

/** C1 controls are nobody's keys, and U+FFFD is what broken UTF-8 is decoded to. */
function isText(c: string): boolean {
  return !isControl(c) && !(c >= "\x80" && c <= "\x9f") && c !== "\ufffd";
}

function controlName(c: string): string {
  return CONTROLS[c] ?? `C-${String.fromCharCode(c.charCodeAt(0) + 0x40).toLowerCase()}`;
}

/** By xterm's numbers: 1 Shift, 2 Alt, 4 Ctrl. */
function modified(name: string, modifiers: number): string {
  const bare = name === "S-tab" ? "tab" : name;
  const shift = name === "S-tab" || (modifiers & 1) !== 0;
  return `${modifiers & 4 ? "C-" : ""}${modifiers & 2 ? "M-" : ""}${shift ? "S-" : ""}${bare}`;
}
