/**
 * Real peers in real processes on free ports of 127.0.0.1: spawned, waited for by their reports, and killed, paused, cut
 * off and started again by pid. Whatever happens to the harness, none of them is left.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CuttableNetwork } from "../test/e2e/proxy.ts";
import { Histogram } from "./histogram.ts";
import { Member } from "./member.ts";
import { type Runtime, votersOf } from "./options.ts";
import { freePorts, signal, track, untrack } from "./processes.ts";
import { type Command, type Mark, type PeerConfig, type Told, wallNow } from "./protocol.ts";
import type { LogToCheck } from "./verify.ts";

/** A peer ended or said that it failed, or something was waited for in vain. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
}

/** A cluster counts as formed when everybody has agreed on its leader for this long. */
const STEADY_MS = 300;
const STARTED_MS_MAX = 60_000;
const STDERR_LINES = 10;
const DESCRIBED_MAX = 10;

export interface ClusterOptions {
  readonly root: string;
  readonly runtimes: readonly Runtime[];
  readonly commands: ReadonlyMap<Runtime, readonly string[]>;
  /** Drives this command instead of embedding the library; null: embeds it. */
  readonly driven: readonly string[] | null;
  readonly durability: "fsync" | "os";
  /** Peers talk through proxies that can be cut. */
  readonly cuttable: boolean;
}

export class Cluster {
  readonly members: readonly Member[];
  readonly latency = new Histogram();
  readonly #options: ClusterOptions;
  readonly #network: CuttableNetwork | null;
  readonly #ports: readonly number[];
  readonly #advertised: number[] = [];
  #failure: RunFailed | null = null;
  readonly #watchers = new Set<() => void>();

  private constructor(options: ClusterOptions, ports: readonly number[]) {
    this.#options = options;
    this.#ports = ports;
    this.#network = options.cuttable ? new CuttableNetwork() : null;
    this.members = options.runtimes.map((runtime, i) => new Member(i + 1, runtime, options.root));
    mkdirSync(options.root, { recursive: true });
  }

  /** All peers started, and one cluster. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await freePorts(options.runtimes.length));
    for (const [i, port] of cluster.#ports.entries())
      cluster.#advertised.push((await cluster.#network?.front(i + 1, port)) ?? port);
    try {
      await Promise.all(cluster.members.map((member) => cluster.start(member)));
      await cluster.whole();
    } catch (error) {
      await cluster.end();
      throw error;
    }
    return cluster;
  }

  get living(): readonly Member[] {
    return this.members.filter((m) => m.state === "up");
  }

  /** Everybody of the living names the same living leader. */
  get leader(): Member | null {
    const [first, ...others] = this.living.map((m) => m.report);
    const agreed = others.every((r) => r?.leader === first?.leader && r?.term === first?.term);
    return (agreed && this.living.find((m) => m.id === first?.leader && m.report?.role === "leader")) || null;
  }

  /** The highest number that anybody has delivered. */
  get seq(): number {
    return Math.max(...this.members.map((m) => m.seq));
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the peer listens. */
  async start(member: Member): Promise<void> {
    const { commands, driven, durability } = this.#options;
    member.processes += 1;
    member.state = "starting";
    const address = (id: number) => ({ id, host: "127.0.0.1", port: this.#advertised[id - 1] as number });
    const config: PeerConfig = {
      id: member.id,
      dir: member.dir,
      port: this.#ports[member.id - 1] as number,
      advertise: this.#advertised[member.id - 1] as number,
      seeds: member.id === 1 ? [] : [address(1)],
      durability,
      mark: member.markPath(member.processes),
      // A tenth of a second; longer where so many reports would cost too much of the machine.
      reportMs: Math.max(100, 10 * this.members.length),
      command: driven,
    };
    const command = commands.get(member.runtime) as readonly string[];
    const child = Bun.spawn([...command, JSON.stringify(config)], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    track(child.pid);
    member.child = child;
    const stderr: string[] = [];
    const reading = Promise.all([
      readLines(child.stdout, (line) => this.#onTold(member, JSON.parse(line))),
      readLines(child.stderr, (line) => stderr.push(line) > STDERR_LINES && stderr.shift()),
    ]).catch((error: Error) => this.#fail(`peer ${member.id} talks nonsense: ${error.message}`));
    child.exited.then(async (code) => {
      await reading;
      untrack(child.pid);
      if (member.child !== child) return;
      if (member.state !== "down") {
        const how = child.signalCode ?? `exit code ${code}`;
        this.#fail([`peer ${member.id} ended by itself (${how})`, ...stderr].join("\n"));
      }
      member.onEnd();
    });
    await this.until(`peer ${member.id} listens`, () => (member.state as string) === "up", STARTED_MS_MAX);
  }

  tell(member: Member, command: Command): void {
    member.child?.stdin.write(`${JSON.stringify(command)}\n`);
    member.child?.stdin.flush();
  }

  async kill(member: Member): Promise<void> {
    const { child, pid } = member;
    member.sample();
    member.state = "down";
    signal(pid, "SIGKILL");
    // The driver reads its last output, and ends.
    await child?.exited;
    untrack(pid);
    await this.until(`peer ${member.id} is over`, () => member.child === null);
  }

  pause(member: Member): void {
    member.state = "paused";
    signal(member.pid, "SIGSTOP");
  }

  resume(member: Member): void {
    signal(member.pid, "SIGCONT");
    member.state = "up";
  }

  /** Whether anybody reads what it delivers. */
  read(member: Member, on: boolean): void {
    member.state = on ? "up" : "deaf";
    this.tell(member, { do: "read", on });
  }

  /** Nothing passes between this peer and the others any more; nobody is told. */
  cut(member: Member): void {
    this.#network?.cut(
      [member.id],
      this.members.filter((m) => m !== member).map((m) => m.id),
    );
  }

  heal(): void {
    this.#network?.heal();
  }

  /** All stop in the same moment, so that nobody acts on another's end; then they are killed. */
  async end(): Promise<void> {
    const alive = this.members.filter((m) => m.child !== null);
    for (const member of alive) {
      member.sample();
      member.state = "down";
      if (member.pid > 0) signal(member.pid, "SIGSTOP");
    }
    for (const { pid, child } of alive) {
      if (pid > 0) signal(pid, "SIGKILL");
      untrack(pid);
      if (child !== null) signal(child.pid, "SIGKILL");
    }
    await Promise.all(alive.map((m) => m.child?.exited));
    await this.#network?.close();
  }

  // ── waiting ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when `look` says so; looks at every report. Throws RunFailed when a peer failed, or after `ms`. */
  async until(what: string, look: () => boolean, ms = 60_000): Promise<void> {
    const deadline = performance.now() + ms;
    while (true) {
      if (this.#failure !== null) throw this.#failure;
      if (look()) return;
      const left = deadline - performance.now();
      if (left <= 0) throw new RunFailed(`${ms / 1000} s passed before ${what}\n${this.#describe()}`);
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          this.#watchers.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#watchers.add(done);
      });
    }
  }

  /** One cluster: one leader for all that live, connected to all of them, voters complete, nobody behind. */
  async whole(): Promise<void> {
    const seq = this.seq;
    let since = Number.POSITIVE_INFINITY;
    await this.until(
      "the peers are one cluster",
      () => {
        const { leader, living } = this;
        const dead = this.members.length - living.length;
        const fits =
          leader !== null &&
          leader.report?.alive === living.length &&
          (dead > 0 || leader.report.voters === votersOf(living.length)) &&
          living.every((m) => m.seq >= seq);
        if (!fits) since = Number.POSITIVE_INFINITY;
        else if (since === Number.POSITIVE_INFINITY) since = wallNow();
        return wallNow() - since >= STEADY_MS;
      },
      120_000,
    );
  }

  /** Calls `look` at each report of a peer until it says true, or the peer is killed. */
  onReport(member: Member, look: () => boolean): void {
    const { child } = member;
    const watch = () => {
      if (member.child !== child || (member.report !== null && look())) this.#watchers.delete(watch);
    };
    this.#watchers.add(watch);
  }

  #describe(): string {
    return this.members
      .slice(0, DESCRIBED_MAX)
      .map(({ id, state, report: r }) => {
        if (r === null) return `peer ${id}: ${state}`;
        const { role, term, leader, alive, voters, seq, submitted, own, pending } = r;
        return `peer ${id}: ${state}, ${role} of term ${term}, leader ${leader}, sees ${alive} (${voters} voters), delivered ${seq}, submitted ${submitted}, own delivered ${own}, pending ${pending}`;
      })
      .join("\n");
  }

  // ── what the peers tell ────────────────────────────────────────────────────────────────────────────────────────

  #onTold(member: Member, told: Told): void {
    if (told.told === "started") {
      member.pid = told.pid;
      track(told.pid);
      member.state = "up";
      member.sample();
    } else if (told.told === "report") {
      member.onReport(told);
      this.latency.add(told.latency, told.latencyMax);
    } else if (member.state !== "down") this.#fail(`peer ${member.id}: ${told.message}`);
    this.#wake();
  }

  #fail(message: string): void {
    this.#failure ??= new RunFailed(message);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#watchers]) wake();
  }

  // ── for the verifier, when all have ended ──────────────────────────────────────────────────────────────────────

  get marks(): Mark[] {
    return this.members.flatMap((m) => m.marks);
  }

  /** `dead`: those who were not there at the end; they are held to what they had delivered. */
  logs(dead: ReadonlySet<Member>): LogToCheck[] {
    return this.members.map((m) => ({
      name: `peer ${m.id}`,
      folder: join(m.dir, "log"),
      through: dead.has(m) ? Math.max(0, ...m.marks.map((mark) => mark.index)) : null,
    }));
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) onLine(line);
  }
}
