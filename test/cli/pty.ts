/** A program on a pseudo-terminal: its screen, its keyboard, and the mode that it has set. */
import { VirtualTerminal } from "./screen/virtual-terminal.ts";

/** Of termios: lines instead of keys, and what is typed is shown. */
const ICANON = process.platform === "darwin" ? 0x100 : 0o2;
const ECHO = 0o10;

export class Pty {
  readonly screen: VirtualTerminal;
  readonly exited: Promise<number>;
  readonly #terminal: Bun.Terminal;
  readonly #child: Bun.Subprocess;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #wake = () => {};

  constructor(command: readonly string[], env: Record<string, string> = {}, columns = 80, rows = 24) {
    this.screen = new VirtualTerminal(columns, rows);
    this.#terminal = new Bun.Terminal({ cols: columns, rows, data: (_terminal, bytes) => this.#show(bytes) });
    this.#child = Bun.spawn([...command], {
      terminal: this.#terminal,
      env: { ...process.env, TERM: "xterm-256color", NO_COLOR: "1", ...env },
    });
    this.exited = this.#child.exited;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Keys come one by one, unseen. */
  get raw(): boolean {
    return (this.#terminal.localFlags & (ICANON | ECHO)) === 0;
  }

  type(keys: string): void {
    this.#terminal.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.#terminal.resize(columns, rows);
    // As the system does for whoever has it as its controlling terminal.
    this.kill("SIGWINCH");
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#child.pid, signal);
  }

  /** The window is closed. */
  hangUp(): void {
    this.#terminal.close();
  }

  /** Looks again after everything that is shown. */
  async until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (!holds()) {
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`${ms} ms passed before ${what}:\n${this.screen.screen.join("\n")}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 100));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.kill("SIGKILL");
    await this.exited;
  }

  #show(bytes: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence that goes on in the next piece
    const begun = /\x1b(?:\[[?\d;]*)?$/.exec(text)?.index ?? text.length;
    this.#rest = text.slice(begun);
    if (begun > 0) this.screen.write(text.slice(0, begun));
    this.#wake();
  }
}
