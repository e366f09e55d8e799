/** People at terminals: windows of a tmux of our own, each with a shell, whose screens are read and whose keys are pressed. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROMPT = "shell$ ";
/** A screen tells nobody that it has changed. */
const LOOK_MS = 30;

export class Tmux {
  readonly root = mkdtempSync(join(tmpdir(), "chatpeer-tmux-"));
  readonly #socket = join(this.root, "socket");
  readonly #settings = join(this.root, "settings");
  #windows = 0;

  constructor() {
    writeFileSync(this.#settings, "set-option -g history-limit 50000\n");
  }

  /** A window with a shell. */
  async open(columns = 100, rows = 24): Promise<Window> {
    const shell = ["env", `PS1=${PROMPT}`, "HISTFILE=", "ENV=", "sh", "-i"];
    const size = ["-x", String(columns), "-y", String(rows)];
    const name = `w${++this.#windows}`;
    // Each is a session of its own, so that each has its own size.
    this.command("-f", this.#settings, "new-session", "-d", "-s", name, ...size, ...shell);
    const window = new Window(this, name);
    await window.until("the shell", (rows) => rows.at(-1)?.startsWith(PROMPT.trim()) === true);
    return window;
  }

  command(...args: string[]): string {
    const { stdout, stderr, exitCode } = Bun.spawnSync(["tmux", "-S", this.#socket, ...args], {
      env: { ...process.env, TMUX: "", LC_ALL: "C.UTF-8" },
    });
    if (exitCode !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout.toString();
  }

  /** All windows are closed; whoever is left in them hears so. */
  close(): void {
    if (this.#windows > 0) this.command("kill-server");
    rmSync(this.root, { recursive: true, force: true });
  }
}

export class Window {
  readonly #tmux: Tmux;
  readonly #name: string;

  constructor(tmux: Tmux, name: string) {
    this.#tmux = tmux;
    this.#name = name;
  }

  /** Rows of the screen, without the empty ones at its end. */
  get screen(): string[] {
    return this.#capture();
  }

  /** Everything there is, rows that tmux has wrapped joined again. */
  get history(): string[] {
    return this.#capture("-J", "-S", "-");
  }

  /** Column and row of the cursor. */
  get cursor(): [number, number] {
    const [x = 0, y = 0] = this.#display("#{cursor_x} #{cursor_y}").split(" ").map(Number);
    return [x, y];
  }

  get title(): string {
    return this.#display("#{pane_title}");
  }

  /** The bell has rung since the window was looked at, which it never is. */
  get rang(): boolean {
    return this.#display("#{window_bell_flag}") === "1";
  }

  type(text: string): void {
    this.#tmux.command("send-keys", "-t", this.#name, "-l", "--", text);
  }

  /** By name: Enter, C-z, … */
  press(...keys: string[]): void {
    this.#tmux.command("send-keys", "-t", this.#name, ...keys);
  }

  say(text: string): void {
    this.type(text);
    this.press("Enter");
  }

  /** A command for the shell, in whatever mode a program that was killed has left the terminal. */
  run(command: string): void {
    this.type(`stty sane; clear; ${command}`);
    this.press("C-j");
  }

  /** Nothing is left of what was shown. */
  wipe(): void {
    this.#tmux.command("send-keys", "-R", "-t", this.#name);
    this.#tmux.command("clear-history", "-t", this.#name);
  }

  /** In brackets, where the program has asked for them, or as if it were typed. */
  paste(text: string, brackets: boolean): void {
    const file = join(this.#tmux.root, "paste");
    writeFileSync(file, text);
    this.#tmux.command("load-buffer", file);
    this.#tmux.command("paste-buffer", ...(brackets ? ["-p"] : []), "-d", "-t", this.#name);
  }

  resize(columns: number, rows: number): void {
    this.#tmux.command("resize-window", "-t", this.#name, "-x", String(columns), "-y", String(rows));
  }

  close(): void {
    this.#tmux.command("kill-session", "-t", this.#name);
  }

  async until<T>(what: string, look: (rows: string[]) => T | false | undefined, ms = 30_000): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = look(this.screen);
      if (found !== false && found !== undefined) return found;
      if (performance.now() > deadline)
        throw new Error(`${ms} ms passed before ${what}:\n${this.history.slice(-40).join("\n")}`);
      await Bun.sleep(LOOK_MS);
    }
  }

  shows(text: string): Promise<true> {
    return this.until(JSON.stringify(text), (rows) => rows.some((row) => row.includes(text)) || undefined);
  }

  #capture(...args: string[]): string[] {
    const rows = this.#tmux.command("capture-pane", "-p", ...args, "-t", this.#name).split("\n");
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  #display(format: string): string {
    return this.#tmux.command("display-message", "-p", "-t", this.#name, format).trimEnd();
  }
}

/** The process that has a data directory, by its lock. */
export function holderOf(dataDir: string): number {
  const [holder = ""] = readdirSync(join(dataDir, "lock"));
  const pid = Number.parseInt(holder, 10);
  if (!(pid > 0)) throw new Error(`nobody holds ${dataDir}`);
  return pid;
}

/** Kills whoever still has one of these directories. */
export function killHolders(dataDirs: readonly string[]): void {
  for (const dir of dataDirs) {
    if (!existsSync(join(dir, "lock"))) continue;
    try {
      process.kill(holderOf(dir), "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}
