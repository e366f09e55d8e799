/**
 * `chatpeer --id N …`: one peer and whoever uses it, a person at a terminal, a script through `--json` or a pipe, or nobody
 * (`--headless`). Ends with an exit code when the peer has stopped and everything written has been read.
 */
import type { Readable, Writable } from "node:stream";
import type { Told } from "../core/reports.ts";
import type { HostEvent, LogRecord, Stopped } from "../host/events.ts";
import { Host, HostError, type HostListener, type HostOptions, type Ports } from "../host/host.ts";
import type { Service } from "../host/service.ts";
import { HELP, readCommand } from "./commands.ts";
import { type Line, LineSplitter } from "./input.ts";
import { Output } from "./output.ts";
import { paintFor } from "./paint.ts";
import { eventLine, logLine, memberLines, statusLines } from "./render.ts";
import { carryOut, toldLines } from "./requests.ts";
import { Terminal } from "./terminal.ts";

/** How what a service tells is shown, and what is read for it. */
export interface TalkOptions {
  readonly name: string;
  readonly room: string;
  /** Null for a client: it has none. */
  readonly dataDir: string | null;
  /** How it talks. */
  readonly mode: "terminal" | "pipe" | "json" | "quiet";
  /** Standard input is not read. */
  readonly headless: boolean;
  /** Messages shown at the start, in a terminal. */
  readonly history: number;
  readonly logLevel: LogRecord["level"] | "off";
  readonly logFormat: "text" | "json";
}

export interface ChatOptions extends HostOptions, TalkOptions {
  readonly name: string;
  readonly room: string;
}

export interface Streams {
  readonly input: Readable;
  readonly output: Writable & { isTTY?: boolean };
  readonly error: Writable & { isTTY?: boolean };
}

const LEVELS = ["error", "warn", "info", "debug"];
/** After the end of input the peer stays so long for what is still pending. */
const LINGER_MS = 5000;

export function runChat(
  ports: Ports,
  options: ChatOptions,
  streams: Streams,
  signals: (handler: (signal: string) => void) => void,
): Promise<number> {
  return talk((listener) => new Host(ports, options, listener), options, streams, signals);
}

/** The same for any service: a peer in this process, or a client of one. */
export function talk(
  makeService: (listener: HostListener) => Service,
  options: TalkOptions,
  streams: Streams,
  signals: (handler: (signal: string) => void) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const chat = new Chat(makeService, options, streams, resolve);
    signals((signal) => chat.onSignal(signal));
    chat.start();
  });
}

class Chat implements HostListener {
  readonly #host: Service;
  readonly #options: TalkOptions;
  readonly #streams: Streams;
  readonly #out: Output;
  readonly #err: Output;
  readonly #paint: ReturnType<typeof paintFor>;
  readonly #resolve: (code: number) => void;
  readonly #splitter = new LineSplitter();
  #terminal: Terminal | null = null;
  /** Lines read and not yet taken: before the start, or while the outbox is full. */
  #lines: Line[] = [];
  #started = false;
  /** The room that is talked in. */
  #room: string;
  #inputEnded = false;
  #full = false;
  #behind = false;
  #leaving = false;
  /** Leader and term as last shown. */
  #leads = "";
  #linger: ReturnType<typeof setTimeout> | null = null;

  constructor(
    makeService: (listener: HostListener) => Service,
    options: TalkOptions,
    streams: Streams,
    resolve: (code: number) => void,
  ) {
    this.#options = options;
    this.#room = options.room;
    this.#streams = streams;
    this.#resolve = resolve;
    this.#out = new Output(streams.output);
    this.#err = new Output(streams.error);
    this.#paint = paintFor(streams.output);
    this.#host = makeService(this);
  }

  start(): void {
    try {
      this.#host.start();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#print({ event: "error", code: "start", message: error.message });
      if (this.#options.mode === "json") this.#err.line(`chatpeer: ${error.message}`);
      return void this.#finish(1);
    }
    if (this.#readsInput) this.#readInput();
  }

  /** Lines through a pipe; a terminal has an editor of its own. */
  get #readsInput(): boolean {
    return !this.#options.headless && this.#options.mode !== "terminal";
  }

  onSignal(signal: string): void {
    if (this.#leaving && signal === "SIGINT") {
      this.#terminal?.close();
      return this.#resolve(130);
    }
    if (signal === "SIGHUP" && this.#terminal !== null) {
      this.#out.abandon();
      this.#err.abandon();
    }
    this.#leave();
  }

  // ── the peer tells ─────────────────────────────────────────────────────────────────────────────────────────────

  event(event: HostEvent): void {
    this.#print(event);
    if (event.event === "started") this.#onStarted();
    if (event.event === "sent" && this.#inputEnded) this.#leaveWhenSent();
  }

  log(record: LogRecord): void {
    const { logLevel, logFormat } = this.#options;
    if (logLevel === "off" || LEVELS.indexOf(record.level) > LEVELS.indexOf(logLevel)) return;
    const line = logLine(record, logFormat);
    if (this.#terminal !== null) this.#terminal.print(this.#paint.dim(line));
    else this.#err.line(line);
  }

  writable(): void {
    this.#full = false;
    this.#takeLines();
  }

  stopped({ code, reason }: Stopped): void {
    if (code === 0 && this.#options.mode !== "json") this.#say(this.#paint.dim(`-- stopped: ${reason}`));
    void this.#finish(code);
  }

  #onStarted(): void {
    this.#started = true;
    if (!this.#options.headless) this.#host.rooms.join(this.#room);
    if (this.#options.mode === "terminal") {
      for (const message of this.#host.history(this.#options.history, this.#options.room)) this.#print(message);
      this.#terminal = new Terminal(this.#streams.input, this.#streams.output, `${this.#options.name}> `, {
        line: (text) => this.#take({ ok: true, text }),
        end: () => this.onSignal("SIGINT"),
      });
    }
    this.#takeLines();
  }

  #print(event: HostEvent | Told): void {
    const { mode, dataDir } = this.#options;
    if (mode === "json") {
      const said = event.event === "started" && dataDir !== null ? { ...event, data_dir: dataDir } : event;
      return this.#line(JSON.stringify(said));
    }
    if (event.event === "status") return;
    if (event.event === "room" && event.room_id === this.#room) return;
    const lines = toldLines(event, this.#paint);
    if (lines !== null) {
      if (mode !== "quiet") for (const line of lines) this.#say(line);
      return;
    }
    if (event.event === "message" && event.room_id !== this.#room) return;
    // A person sees it now; a script says for itself what it has read.
    if (event.event === "message" && mode === "terminal") this.#host.confirmRead(event.room_id, event.seq_no);
    if (event.event === "role") {
      // People want to know who leads, not every change of this peer's own part in it.
      const leads = `${event.leader_id} ${event.term}`;
      if (leads === this.#leads) return;
      this.#leads = leads;
    }
    const line = eventLine(event, this.#paint);
    if (line === null) return;
    if (event.event === "error" && this.#terminal === null) this.#err.line(`chatpeer: ${event.message}`);
    else if (event.event === "message" || this.#terminal !== null || mode === "pipe") this.#say(line);
  }

  /** For a person. */
  #say(line: string): void {
    if (this.#terminal !== null) this.#terminal.print(line);
    else this.#line(line);
  }

  #line(line: string): void {
    if (this.#out.line(line) || this.#behind) return;
    // The reader is behind: messages wait in the log, and no new ones are taken from it.
    this.#behind = true;
    this.#host.pauseDelivery();
    this.#streams.input.pause();
    this.#out.resumed(() => {
      this.#behind = false;
      this.#host.resumeDelivery();
      this.#takeLines();
    });
  }

  // ── somebody says ──────────────────────────────────────────────────────────────────────────────────────────────

  #readInput(): void {
    const { input } = this.#streams;
    const more = (lines: Line[]) => {
      this.#lines.push(...lines);
      this.#takeLines();
    };
    input.on("data", (bytes: Uint8Array) => more(this.#splitter.push(bytes)));
    input.on("error", () => input.destroy());
    input.on("close", () => this.#endInput());
    input.on("end", () => {
      more(this.#splitter.end());
      this.#endInput();
    });
  }

  #endInput(): void {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.#leaveWhenSent();
  }

  #takeLines(): void {
    while (this.#started && !this.#full && !this.#behind && !this.#leaving) {
      const line = this.#lines.shift();
      if (line === undefined) break;
      this.#take(line);
    }
    if (this.#lines.length > 0) this.#streams.input.pause();
    else if (!this.#behind && this.#readsInput) this.#streams.input.resume();
    if (this.#inputEnded) this.#leaveWhenSent();
  }

  #take(line: Line): void {
    if (!line.ok) return this.#print({ event: "error", code: line.code, message: line.message });
    const command = readCommand(line.text);
    switch (command.do) {
      case "say":
        return this.#submit(command.text, line);
      case "status":
      case "peers": {
        const status = this.#host.status();
        if (this.#options.mode === "json") return this.#print(status);
        for (const text of command.do === "status" ? statusLines(status) : memberLines(status)) this.#say(text);
        return;
      }
      case "help":
        for (const text of HELP) {
          if (this.#options.mode === "json") this.#print({ event: "notice", code: "help", message: text });
          else this.#say(text);
        }
        return;
      case "request":
        this.#room = carryOut(command.request, this.#host, this.#room, (told) => this.#print(told));
        return;
      case "transfer":
        return this.#host.transfer(command.id);
      case "evict":
        return this.#host.evict(command.id);
      case "quit":
        return this.#leave();
      case "wrong":
        return this.#print({ event: "error", code: "command", message: command.message });
    }
  }

  #submit(text: string, line: Line): void {
    if (text === "" && this.#options.mode !== "json") return;
    const submitted = this.#host.submit(this.#room, text);
    if (submitted.ok) return;
    if (submitted.code === "full" && this.#options.mode !== "terminal") {
      this.#full = true;
      this.#lines.unshift(line);
      return;
    }
    this.#print({ event: "error", code: submitted.code, message: submitted.message });
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

  #leaveWhenSent(): void {
    if (!this.#started || this.#leaving || this.#lines.length > 0) return;
    if (this.#host.pending === 0) return this.#leave();
    this.#linger ??= setTimeout(() => this.#leave(), LINGER_MS);
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#host.quit();
  }

  async #finish(code: number): Promise<void> {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#terminal?.close();
    this.#streams.input.destroy();
    await Promise.all([this.#out.finished(), this.#err.finished()]);
    this.#resolve(code);
  }
}
