/**
 * Runs of the simulator on all cores: child processes of this same program, which read jobs from stdin, one a line, and
 * answer each with its verdict. A process, unlike a thread, can be ended in the middle of a run that never ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { type Job, judge, play, scenarioOfJob, type Verdict } from "../../sim/play.ts";
import type { Output } from "../process/output.ts";
import { WORKER } from "./sim-worker.ts";

/** Longest that timers count; a deadline further away is looked at again then. */
const TIMER_MS_MAX = 2_147_483_647;

/** Answers jobs until its input ends. */
export async function simWorker(input: Readable, out: Output): Promise<number> {
  for await (const line of linesOf(input)) {
    const scenario = scenarioOfJob(JSON.parse(line) as Job);
    out.line(JSON.stringify(judge(scenario, play(scenario))));
  }
  return 0;
}

interface Waiting {
  readonly job: Job;
  /** On the clock of performance.now. */
  readonly deadline: number;
  readonly resolve: (verdict: Verdict) => void;
}

export class SimPool {
  readonly #command: readonly [string, ...string[]];
  readonly #size: number;
  readonly #queue: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();

  /** `command` starts this program, without arguments. */
  constructor(command: readonly [string, ...string[]], size: number) {
    this.#command = command;
    this.#size = size;
  }

  /** In order of the calls, as workers get free; UNKNOWN when the deadline comes first. */
  play(job: Job, deadline = Number.POSITIVE_INFINITY): Promise<Verdict> {
    return new Promise((resolve) => {
      this.#queue.push({ job, deadline, resolve });
      this.#next();
    });
  }

  /** Ends all workers, whatever they are at. */
  close(): void {
    for (const worker of this.#all) worker.end();
  }

  #next(): void {
    const waiting = this.#queue[0];
    if (waiting === undefined) return;
    if (performance.now() >= waiting.deadline) {
      this.#queue.shift();
      waiting.resolve(unknown(waiting.job, "time ran out before it was its turn"));
      return this.#next();
    }
    const worker = this.#idle.pop() ?? (this.#all.size < this.#size ? this.#hire() : null);
    if (worker === null) return;
    this.#queue.shift();
    worker.play(waiting);
  }

  #hire(): Worker {
    const worker = new Worker(this.#command, {
      free: () => {
        this.#idle.push(worker);
        this.#next();
      },
      gone: () => {
        this.#all.delete(worker);
        const at = this.#idle.indexOf(worker);
        if (at >= 0) this.#idle.splice(at, 1);
        this.#next();
      },
    });
    this.#all.add(worker);
    return worker;
  }
}

class Worker {
  readonly #child: ChildProcess;
  #work: (Waiting & { timer: NodeJS.Timeout | null }) | null = null;
  #why = "";

  constructor([program, ...args]: readonly [string, ...string[]], events: { free(): void; gone(): void }) {
    this.#child = spawn(program, [...args, WORKER], { stdio: ["pipe", "pipe", "inherit"] });
    const { stdin, stdout } = this.#child;
    stdin?.on("error", () => {}); // it is gone, as `close` will say
    this.#child.on("error", (error) => {
      this.#why = error.message;
    });
    this.#child.on("close", (code, signal) => {
      this.#finish((work) => unknown(work.job, this.#why || `the process that played it ended (${signal ?? code})`));
      events.gone();
    });
    void (async () => {
      for await (const line of linesOf(stdout as Readable)) {
        this.#finish(() => JSON.parse(line) as Verdict);
        events.free();
      }
    })();
  }

  play(waiting: Waiting): void {
    this.#work = { ...waiting, timer: null };
    this.#watch();
    this.#child.stdin?.write(`${JSON.stringify(waiting.job)}\n`);
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  #watch(): void {
    const work = this.#work;
    if (work === null || work.deadline === Number.POSITIVE_INFINITY) return;
    const left = work.deadline - performance.now();
    if (left <= 0) {
      this.#why = "time ran out in the middle of it";
      this.end();
    } else work.timer = setTimeout(() => this.#watch(), Math.min(left, TIMER_MS_MAX));
  }

  #finish(verdict: (work: Waiting) => Verdict): void {
    const work = this.#work;
    this.#work = null;
    if (work === null) return;
    if (work.timer !== null) clearTimeout(work.timer);
    work.resolve(verdict(work));
  }
}

function unknown(job: Job, message: string): Verdict {
  const { seed, title } = scenarioOfJob(job).plan;
  const nothing = { trace_hash: null, virtual_s: 0, events: 0, messages: 0, drained: false };
  return { seed, title, verdict: "UNKNOWN", violated: null, message, ...nothing };
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
}
