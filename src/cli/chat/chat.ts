/**
 * Connects a peer in this process, or a client of one, with its user: a person at a terminal, a script through `--json` or
 * a pipe, or nobody (`--headless`). Ends with an exit code when it has stopped and everything written has been read.
 *
 *     lines ──▶ Chat ──▶ Service       a line is a message or a command
 *     face  ◀── Chat ◀── events        shows what happens: the screen, plain lines, JSON
 */
import type { ErrorCode } from "../../core/codes.ts";
import { lastMessages } from "../../host/answers/pages.ts";
import type { Clock } from "../../host/contracts.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Status, Stopped } from "../../host/events.ts";
import type { HostListener } from "../../host/host-contract.ts";
import type { Service } from "../../host/service.ts";
import { HostError } from "../../host/store/unusable.ts";
import type { Chatting, Face } from "../faces/face.ts";
import { type Line, LineSplitter } from "../process/line-splitter.ts";
import { ONE_FRAME, Output } from "../process/output.ts";
import { type Acting, act } from "./actions.ts";
import { Asking, Unanswered } from "./asking.ts";
import { Attention } from "./attention.ts";
import { CatchUp } from "./catch-up.ts";
import { Rooms } from "./chat-rooms.ts";
import { firstRecord, OperatorLog } from "./operator-log.ts";
import { Readers } from "./readers.ts";
import { readCommand } from "./slash-commands.ts";
import type { Streams, Talking } from "./talk-options.ts";

/** How long the peer stays after the end of its input, for messages that are still pending. */
const LINGER_MS = 5000;

type Sent = Extract<HostEvent, { event: "sent" }>;

export class Chat implements HostListener, Chatting {
  readonly options: Talking;
  readonly streams: Streams;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly readers = new Readers();
  name: string;
  readonly #service: Service;
  readonly #asking: Asking;
  readonly #face: Face;
  readonly #log: OperatorLog;
  readonly #attention: Attention;
  readonly #acting: Acting;
  readonly #catchUp: CatchUp;
  readonly #resolve: (code: number) => void;
  readonly #splitter = new LineSplitter();
  /** Lines read and not yet taken: before the start, or while the outbox is full. */
  #lines: Line[] = [];
  #started = false;
  #inputEnded = false;
  #full = false;
  #behind = false;
  /** Own messages that are sent, while the reader is behind: they are told first [C1]. */
  readonly #sent: Sent[] = [];
  #leaving = false;
  /** Commands whose answer takes a while: lines behind them wait for it. */
  readonly #answering = new Set<Promise<void>>();
  #refused = false;
  #linger: ReturnType<typeof setTimeout> | null = null;

  constructor(
    clock: Clock,
    makeService: (listener: HostListener) => Service,
    makeFace: (chat: Chatting) => Face,
    options: Talking,
    streams: Streams,
    resolve: (code: number) => void,
  ) {
    this.options = options;
    this.name = options.name;
    this.streams = streams;
    this.clock = clock;
    this.#resolve = resolve;
    this.out = new Output(streams.output, options.mode === "terminal" ? ONE_FRAME : undefined);
    this.err = new Output(streams.error);
    this.#service = makeService(this);
    this.#asking = new Asking(this.#service);
    this.rooms = new Rooms(this.#service.rooms, options.room);
    const { mode, history } = options;
    this.#attention = new Attention(this.#service, this.rooms, mode, (message) => this.isOwn(message));
    this.#face = makeFace(this);
    this.#log = new OperatorLog(options.logLevel, this.err, (record) => this.#face.log(record));
    this.#catchUp = new CatchUp(clock, this.#service, (text) => this.#face.progress(text));
    this.#acting = {
      ...{
        clock,
        service: this.#service,
        asking: this.#asking,
        rooms: this.rooms,
        readers: this.readers,
        face: this.#face,
      },
      ...{ keyboard: mode === "terminal", history },
      notice: (code, message) => this.#face.event({ event: "notice", code, message }),
      refuse: (message, code = "command") => void this.#refuse(code, message),
      renamed: (name) => {
        this.name = name;
      },
      shown: (messages) => this.#attention.onShown(messages),
      leave: () => this.#leave(),
    };
  }

  start(): void {
    try {
      this.#service.start();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      this.#face.event({ event: "error", code: "start", message: error.message });
      if (this.options.mode === "json") this.err.line(`chatpeer: ${error.message}`);
      return void this.#finish(1);
    }
    if (this.#readsLines) this.#readInput();
  }

  /** Lines through a pipe; the screen has an editor of its own. */
  get #readsLines(): boolean {
    return !this.options.headless && this.options.mode !== "terminal";
  }

  onSignal(signal: string): void {
    this.out.hasten();
    if (this.#leaving && signal === "SIGINT") return this.#resolve(130);
    if (signal === "SIGHUP" && this.options.mode === "terminal") {
      // The terminal is most likely gone: the chat does not wait until it has taken the last output.
      this.#face.end();
      this.out.abandon();
      this.err.abandon();
    }
    this.#leave();
  }

  // ── the peer tells ─────────────────────────────────────────────────────────────────────────────────────────────

  event(event: HostEvent): void {
    if (event.event === "read") this.readers.onRead(event);
    if (event.event === "message" && this.isOwn(event)) this.readers.onOwn(event);
    if (event.event === "sent" && event.index > this.#service.delivered) return void this.#sent.push(event);
    if (event.event === "error") this.#logError(event.message);
    if (event.event !== "error" || !this.#isLogged) this.#face.event(event);
    if (event.event === "message") this.#onTold(event);
    if (event.event === "started") {
      const { dataDir } = this.options;
      if (dataDir !== null) this.log(firstRecord(event, dataDir, this.clock.wall()));
      if (this.options.senderId !== null) this.#catchUp.begin();
      void this.#onStarted();
    }
    if (event.event === "sent" && this.#inputEnded) this.#leaveWhenSent();
  }

  #onTold(message: DeliveredMessage): void {
    this.#attention.onShown([message]);
    this.out.passed(() => this.#service.acknowledge(message.index));
    while ((this.#sent[0]?.index ?? Number.POSITIVE_INFINITY) <= message.index) this.event(this.#sent.shift() as Sent);
  }

  log(record: LogRecord): void {
    this.#log.take(record);
  }

  writable(): void {
    this.#full = false;
    this.#takeLines();
  }

  stopped({ code, reason }: Stopped): void {
    this.#catchUp.end();
    this.#face.end();
    if (code === 0) this.#face.answer([], [`-- stopped: ${reason}`]);
    this.#asking.stop();
    void this.#finish(code === 0 && this.#refused ? 1 : code);
  }

  /** What goes wrong is told by the operator's log, and not by a line beside it. */
  get #isLogged(): boolean {
    return this.options.mode === "quiet" && this.options.logLevel !== "off";
  }

  #logError(message: string): void {
    const { mode, dataDir } = this.options;
    if (dataDir === null || mode === "terminal" || mode === "pipe") return;
    const { id, role, term, commit_index: index } = this.#service.status();
    this.log({ level: "error", time: this.clock.wall(), peer: id, role, term, index, message });
  }

  /** Shows the past first. New messages wait in the log meanwhile. */
  async #onStarted(): Promise<void> {
    const { mode, history, headless } = this.options;
    if (!headless) this.rooms.begin();
    if (mode === "terminal" || (mode === "pipe" && history > 0)) {
      this.#service.pauseDelivery();
      const room = this.rooms.active;
      const past = await lastMessages(this.#asking, { room, through: this.#service.delivered }, history).catch(
        stopping,
      );
      const told =
        mode === "terminal" ? await this.#asking.ask({ what: "confirmations", room_id: room }).catch(stopping) : [];
      if ("event" in told && told.event === "confirmations") this.readers.onConfirmations(told);
      for (const message of past) if (this.isOwn(message)) this.readers.onOwn(message);
      if (!this.#leaving) this.#face.begin(past);
      this.#attention.onShown(past);
      if (!this.#behind) this.#service.resumeDelivery();
    }
    this.#started = true;
    this.#takeLines();
  }

  // ── the face asks ──────────────────────────────────────────────────────────────────────────────────────────────

  status(): Status {
    return this.#service.status();
  }

  /** Several people may say things through one peer. */
  isOwn({ sender_id, user }: DeliveredMessage): boolean {
    const { senderId } = this.options;
    return user === this.name && (senderId === null || senderId === sender_id);
  }

  line(text: string): boolean {
    return this.#take({ ok: true, text });
  }

  hangUp(): void {
    this.#leave();
  }

  attend(here: boolean): void {
    this.#attention.attend(here);
  }

  /** Messages wait in the log, and no new ones are taken from the input. */
  behind(): void {
    if (this.#behind) return;
    this.#behind = true;
    this.#service.pauseDelivery();
    if (this.#readsLines) this.streams.input.pause();
  }

  caughtUp(): void {
    if (!this.#behind) return;
    this.#behind = false;
    this.#service.resumeDelivery();
    this.#takeLines();
  }

  // ── somebody says ──────────────────────────────────────────────────────────────────────────────────────────────

  #readInput(): void {
    const { input } = this.streams;
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
    while (this.#started && !this.#full && !this.#behind && !this.#leaving && this.#answering.size === 0) {
      const line = this.#lines.shift();
      if (line === undefined) break;
      this.#take(line);
    }
    if (this.#lines.length > 0) this.streams.input.pause();
    else if (!this.#behind && this.#readsLines) this.streams.input.resume();
    if (this.#inputEnded) this.#leaveWhenSent();
  }

  /** False: it is no message, and was not taken. */
  #take(line: Line): boolean {
    if (!line.ok) return this.#refuse(line.code, line.message);
    const command = readCommand(line.text);
    if (command.do === "say") return this.#submit(command.text, line);
    const answer = act(command, this.#acting);
    if (answer !== undefined) void this.#waitFor(answer);
    return true;
  }

  async #waitFor(answer: Promise<void>): Promise<void> {
    this.#answering.add(answer);
    await answer;
    this.#answering.delete(answer);
    this.#takeLines();
  }

  #submit(text: string, line: Line): boolean {
    if (text === "" && this.options.mode !== "json") return true;
    const submitted = this.#service.submit(this.rooms.active, text);
    if (submitted.ok) return true;
    if (submitted.code === "full" && this.options.mode !== "terminal") {
      this.#full = true;
      this.#lines.unshift(line);
      return true;
    }
    return this.#refuse(submitted.code, submitted.message);
  }

  #refuse(code: ErrorCode, message: string): false {
    this.#refused ||= this.options.mode === "pipe";
    this.#face.event({ event: "error", code, message });
    return false;
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

  #leaveWhenSent(): void {
    if (!this.#started || this.#leaving || this.#lines.length > 0 || this.#answering.size > 0) return;
    if (this.#service.pending === 0) return this.#leave();
    this.#linger ??= setTimeout(() => this.#leave(), LINGER_MS);
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#face.end();
    this.#service.quit();
  }

  async #finish(code: number): Promise<void> {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.streams.input.destroy();
    // Nobody keeps what stands on a screen or in a log: these are not waited for long.
    if (this.options.mode === "terminal") this.out.hasten();
    this.err.hasten();
    await Promise.all([...this.#answering, this.out.finished(), this.err.finished()]);
    this.#resolve(code);
  }
}

/** A peer that stops before it answers has no past to show. */
function stopping(error: unknown): [] {
  if (error instanceof Unanswered) return [];
  throw error;
}
