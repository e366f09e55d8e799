/**
 * The bench peer: a process that is a peer and floods it from inside. Reads commands as JSON lines from stdin, reports on
 * stdout, ends with its parent. Runs on Bun (compiled or not), Node and Deno.
 *
 *   stdin ─▶ flood ─submit─▶ peer ─delivered─▶ latency, gaps, counts ─▶ stdout (reports), mark (a file)
 */
import { Buffer } from "node:buffer";
import { openSync, writeSync } from "node:fs";
import process from "node:process";
import { Histogram } from "./histogram.ts";
import { type Command, type Flood, type Mark, type PeerConfig, type Told, textOf, wallNow } from "./protocol.ts";
import { slowSync } from "./slow-disk.ts";
import { type Delivered, driven, embedded, type Subject } from "./subject.ts";

/** Messages submitted in one turn of the event loop; then the network has its turn. */
const TURN_MESSAGES = 1000;
/** Timers are always late by about this much, so a message that was due that recently does not count as late. */
const TIMER_MS = 1;
const MARK_BYTES = 160;

class BenchPeer {
  readonly #config: PeerConfig;
  readonly #mark: number;
  readonly #latency = new Histogram();
  #latencyMax = 0;
  #subject: Subject | null = null;
  #flooding = false;
  #open = false;
  /** `<id>.<session>.` of what this process submits. */
  #prefix = "";
  #submitted = 0;
  #own = 0;
  #sent = 0;
  /** When each message that is under way was due, by its number; a ring. */
  #due = new Float64Array(0);
  #seq = 0;
  #index = 0;
  #deliveredAt = 0;
  #gap = { ms: 0, end: 0 };
  #marking = false;
  #reporting: NodeJS.Timeout | null = null;
  #wake = () => {};

  constructor(config: PeerConfig) {
    this.#config = config;
    this.#mark = openSync(config.mark, "w");
  }

  async start(): Promise<void> {
    const events = {
      taken: (id: string) => {
        if (this.#prefix === "") this.#prefix = id.slice(0, id.lastIndexOf(".") + 1);
      },
      delivered: (messages: readonly Delivered[]) => {
        const now = performance.now();
        for (const message of messages) this.#onDelivered(message, now);
        this.#noteSoon();
      },
      sent: (id: string) => this.#onSent(Number(id.slice(this.#prefix.length))),
      failed: (message: string) => fail(message),
    };
    const { command } = this.#config;
    this.#subject = await (command === null ? embedded(this.#config, events) : driven(this.#config, command, events));
    tell({ told: "started", pid: this.#subject.pid });
    this.#reportEvery(this.#config.reportMs);
  }

  onCommand(command: Command): void {
    if (command.do === "enough") {
      this.#open = false;
      this.#wake();
    } else if (command.do === "read") this.#subject?.read(command.on);
    else if (command.do === "slow-sync") slowSync(command.ms);
    else if (command.do === "report") this.#reportEvery(command.everyMs);
    else this.#flood(command).catch((error: Error) => fail(error.message));
  }

  async #flood({ messages, open, size, window, rate }: Flood): Promise<void> {
    const subject = this.#subject as Subject;
    this.#flooding = true;
    this.#open = open;
    this.#due = new Float64Array(2 ** Math.ceil(Math.log2(window + TURN_MESSAGES + 1)));
    const began = performance.now();
    const dueAt = (n: number) => (rate === null ? 0 : began + ((n - 1) / rate) * 1000);
    while (this.#open || this.#submitted < messages) {
      const now = performance.now();
      const scheduled = rate === null ? Number.POSITIVE_INFINITY : 1 + Math.floor(((now - began) / 1000) * rate);
      const room = Math.min(
        TURN_MESSAGES,
        window - (this.#submitted - this.#own),
        scheduled - this.#submitted,
        this.#open ? TURN_MESSAGES : messages - this.#submitted,
      );
      const texts: string[] = [];
      for (let i = 0; i < room; i++) {
        const n = ++this.#submitted;
        // A message that could not go when it was due has waited since then: its latency says so.
        this.#due[n % this.#due.length] = rate === null ? now : Math.min(now, dueAt(n) + TIMER_MS);
        texts.push(textOf(n, size));
      }
      if (room > 0) await subject.submit(texts);
      if (room > 0) await new Promise<void>((go) => setImmediate(go));
      else await this.#woken(scheduled <= this.#submitted ? dueAt(this.#submitted + 1) - now : null);
    }
    this.#flooding = false;
  }

  /** Until something is delivered, or told, or `ms` have passed. */
  #woken(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? null : setTimeout(resolve, ms);
      this.#wake = () => {
        this.#wake = () => {};
        if (timer !== null) clearTimeout(timer);
        resolve();
      };
    });
  }

  #onDelivered({ index, seq_no, sender_id, msg_id }: Delivered, now: number): void {
    if (this.#seq !== 0 && (seq_no !== this.#seq + 1 || index <= this.#index))
      fail(`delivered seq_no ${seq_no}, index ${index} after seq_no ${this.#seq}, index ${this.#index}`);
    if (this.#deliveredAt !== 0 && now - this.#deliveredAt > this.#gap.ms)
      this.#gap = { ms: now - this.#deliveredAt, end: now };
    this.#seq = seq_no;
    this.#index = index;
    this.#deliveredAt = now;
    // What an earlier process of this peer left in the outbox is not of this session.
    if (sender_id === this.#config.id && this.#prefix !== "" && msg_id.startsWith(this.#prefix)) {
      const n = Number(msg_id.slice(this.#prefix.length));
      if (n !== this.#own + 1) fail(`delivered ${msg_id} after ${this.#own} of its own messages`);
      this.#own = n;
      const ms = now - (this.#due[n % this.#due.length] as number);
      this.#latency.record(ms);
      if (ms > this.#latencyMax) this.#latencyMax = ms;
      this.#wake();
    }
  }

  #onSent(n: number): void {
    if (n <= this.#sent) fail(`message ${n} of its own is sent after message ${this.#sent}`);
    this.#sent = n;
    this.#noteSoon();
  }

  /** Once per turn, in place: a killed process has said what it saw. */
  #noteSoon(): void {
    if (this.#marking) return;
    this.#marking = true;
    setImmediate(() => {
      this.#marking = false;
      const mark: Mark = {
        peer: this.#config.id,
        session: this.#prefix.slice(0, -1),
        sent: Math.max(this.#sent, this.#own),
        index: this.#index,
      };
      // As bytes: Deno ignores the position of a string.
      writeSync(this.#mark, Buffer.from(JSON.stringify(mark).padEnd(MARK_BYTES)), 0, MARK_BYTES, 0);
    });
  }

  #reportEvery(ms: number): void {
    if (this.#reporting !== null) clearInterval(this.#reporting);
    this.#reporting = setInterval(() => this.#report(), ms);
  }

  #report(): void {
    const status = this.#subject?.status();
    const members = status?.members ?? [];
    const gap = this.#gap;
    this.#gap = { ms: 0, end: 0 };
    tell({
      told: "report",
      at: wallNow(),
      flooding: this.#flooding,
      submitted: this.#submitted,
      own: this.#own,
      seq: this.#seq,
      deliveredAt: this.#deliveredAt === 0 ? 0 : performance.timeOrigin + this.#deliveredAt,
      gapMs: gap.ms,
      gapEnd: performance.timeOrigin + gap.end,
      latency: this.#latency.takeNew(),
      latencyMax: this.#latencyMax,
      role: status?.role ?? "starting",
      term: status?.term ?? 0,
      leader: status?.leader_id ?? null,
      commit: status?.commit_index ?? 0,
      pending: status?.pending ?? 0,
      alive: members.filter((m) => m.state === "alive").length,
      voters: members.filter((m) => m.role === "voter" && m.state === "alive").length,
    });
  }
}

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

function fail(message: string): void {
  tell({ told: "failed", message });
}

const peer = new BenchPeer(JSON.parse(process.argv[2] ?? "{}"));
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text: string) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop() as string;
  for (const line of lines) peer.onCommand(JSON.parse(line));
});
process.stdin.on("end", () => process.exit(0));
peer.start().catch((error: Error) => fail(error.message));
