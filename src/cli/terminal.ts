/**
 * A prompt with a line editor (node:readline) at the bottom and everything else above it: what arrives never breaks a
 * half-typed line.
 */
import * as readline from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface TerminalEvents {
  line(text: string): void;
  /** Ctrl-C or Ctrl-D. */
  end(): void;
}

export class Terminal {
  readonly #output: Writable;
  readonly #editor: readline.Interface;
  #closed = false;

  constructor(input: Readable, output: Writable, prompt: string, events: TerminalEvents) {
    this.#output = output;
    this.#editor = readline.createInterface({ input, output, prompt, terminal: true });
    this.#editor.on("line", (text) => {
      events.line(text);
      if (!this.#closed) this.#editor.prompt();
    });
    this.#editor.on("SIGINT", () => events.end());
    // Of a terminal that is gone (EIO): `close` follows.
    this.#editor.on("error", () => {});
    this.#editor.on("close", () => {
      if (this.#closed) return;
      // By Ctrl-D, or because the terminal is gone: there is no prompt to come back to.
      this.#erasePrompt();
      events.end();
    });
    this.#editor.prompt();
  }

  /** Prints a line above the prompt and puts the draft back as it was. */
  print(line: string): void {
    if (this.#closed) {
      this.#output.write(`${line}\n`);
      return;
    }
    const { rows } = this.#editor.getCursorPos();
    readline.moveCursor(this.#output, 0, -rows);
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
    this.#output.write(`${line}\n`);
    this.#editor.prompt(true);
  }

  #erasePrompt(): void {
    this.#closed = true;
    readline.cursorTo(this.#output, 0);
    readline.clearScreenDown(this.#output);
  }

  close(): void {
    if (this.#closed) return;
    this.#erasePrompt();
    try {
      this.#editor.close();
    } catch {
      // A terminal that is gone cannot be given back its mode.
    }
  }
}
