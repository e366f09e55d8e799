/** A process with the script interface: a peer or a client. Lines go in, events come out and into the ledger. */
import type { Ledger, Stream } from "./ledger.ts";

// biome-ignore lint/suspicious/noExplicitAny: events are read field by field, as a script would
export type Event = { readonly event: string; readonly [field: string]: any };

export interface Standing {
  readonly role: string;
  readonly term: number;
  readonly leader: number | null;
  readonly commit: number;
  readonly pending: number;
}

/** Before last words of a round. */
export const MARK = "mark ";
/** Stands behind a text that is sent again. */
export const AGAIN = ", again: ";
/** Events that are kept for the dump. */
const EVENTS_KEPT = 30;

export class Talker {
  readonly name: string;
  readonly stream: Stream;
  /** Resolves with its exit code when all that it said has been read. */
  readonly exited: Promise<number>;
  /** Resolves when it has known a leader, or has ended. */
  readonly ready: Promise<void>;
  isReady = false;
  /** null while it runs. */
  code: number | null = null;
  /** This round's last words of everybody that it was told. */
  readonly marks = new Set<string>();
  readonly last: Event[] = [];
  /** Its last words of this round are taken. */
  marked = false;
  role = "";
  standing: Standing | null = null;
  readonly #ledger: Ledger;
  readonly #child: Bun.Subprocess<"pipe", "pipe", number>;
  #reading: Promise<void> = Promise.resolve();
  #readOn: (() => void) | null = null;
  #onReady = () => {};
  #said = 0;

  /** Its stderr goes into `log`, a descriptor. */
  constructor(name: string, command: readonly string[], ledger: Ledger, stream: Stream, log: number) {
    this.name = name;
    this.stream = stream;
    this.#ledger = ledger;
    this.#child = Bun.spawn([...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: log,
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    const read = this.#read();
    this.exited = this.#child.exited.then(async (code) => {
      this.readOn();
      await read;
      this.code = code;
      this.#onReady();
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  get runs(): boolean {
    return this.code === null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** A text that no other process says. */
  say(filler = ""): void {
    this.line(`${this.stream.name} ${++this.#said}${filler}`);
  }

  /** If the process dies before this is read, it was not told. */
  line(text: string): void {
    if (!this.runs) return;
    const { stdin } = this.#child;
    try {
      stdin.write(`${text}\n`);
      void Promise.resolve(stdin.flush()).catch(() => {});
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.runs) process.kill(this.pid, signal);
  }

  /** Its further output is not read. */
  mute(): void {
    if (this.#readOn !== null) return;
    this.#reading = new Promise((resolve) => {
      this.#readOn = resolve;
    });
  }

  readOn(): void {
    this.#readOn?.();
    this.#readOn = null;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#child.stdout) {
      await this.#reading;
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) this.#onEvent(JSON.parse(line));
    }
  }

  #onEvent(event: Event): void {
    switch (event.event) {
      case "message":
        this.#ledger.onMessage(this.stream, event as unknown as { index: number; msg_id: string; payload: string });
        if (event.payload.startsWith(MARK)) this.marks.add(event.payload.split(AGAIN)[0]);
        return;
      case "pending":
        if (event.payload.startsWith(MARK)) this.marked = true;
        return this.#ledger.onPending(event.msg_id, event.payload);
      case "sent":
        return this.#ledger.onSent(this.stream, event.msg_id);
      case "status": {
        const { role, term, leader_id: leader, commit_index: commit, pending } = event;
        this.standing = { role, term, leader, commit, pending };
        return;
      }
      case "role":
        this.role = event.role;
        if (event.leader_id === null) break;
        this.isReady = true;
        this.#onReady();
    }
    this.last.push(event);
    if (this.last.length > EVENTS_KEPT) this.last.shift();
  }
}
