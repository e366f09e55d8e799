/**
 * Real peers in real processes for the end-to-end tests: spawned on free ports of 127.0.0.1, driven through `--json`,
 * waited for by their events, ended by pid.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { freePorts } from "../../bench/processes.ts";
import { DENO } from "../deno.ts";
import { readLines } from "./read-lines.ts";

export const ROOT = new URL("../..", import.meta.url).pathname;
export const BINARY = `${ROOT}dist/chatpeer`;

// Whoever runs `bun test` alone tests these sources too, not an older build; `npm test` has built them before.
if (process.env.CHATPEER_BUILT !== "yes") {
  const build = Bun.spawnSync([process.execPath, `${ROOT}scripts/build.ts`], { stdout: "inherit", stderr: "inherit" });
  if (!build.success) throw new Error("the build failed: there is nothing to test");
}

export interface PeerEvent {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: events are read field by field as a script would
  readonly [field: string]: any;
}

/** How to start a peer: the compiled binary, the Node bundle, or Deno on the sources. */
export const RUNTIMES = {
  binary: [BINARY],
  node: ["node", `${ROOT}dist/chatpeer.js`],
  /** What `deno task start` runs, without the shell around it: a signal reaches the peer itself. */
  deno: denoStart(),
} as const;

function denoStart(): string[] {
  const task: string = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8")).tasks.start;
  const [, ...args] = task.split(" ");
  return [DENO, ...args];
}

const running = new Set<PeerProcess>();

export class PeerProcess {
  readonly events: PeerEvent[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<number>;
  readonly #child: Subprocess<"pipe", "pipe", "pipe">;
  #wakers = new Set<() => void>();
  #ended = false;
  #seen = new Map<string, PeerEvent[]>();

  constructor(
    command: readonly string[],
    options: { readonly env?: Record<string, string>; readonly cwd?: string } = {},
  ) {
    this.#child = Bun.spawn([...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
    });
    running.add(this);
    const reading = Promise.all([
      readLines(this.#child.stdout, (line) => this.#onLine(line)),
      readLines(this.#child.stderr, (line) => {
        this.stderr.push(line);
        this.#wake();
      }),
    ]);
    this.exited = this.#child.exited.then(async (code) => {
      await reading;
      this.#ended = true;
      running.delete(this);
      this.#wake();
      return code;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Events of one kind, so far. */
  all(event: string): readonly PeerEvent[] {
    return this.#seen.get(event) ?? [];
  }

  get messages(): readonly PeerEvent[] {
    return this.all("message");
  }

  write(text: string): void {
    this.#child.stdin.write(text);
    this.#child.stdin.flush();
  }

  say(...lines: string[]): void {
    this.write(`${lines.join("\n")}\n`);
  }

  endInput(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    process.kill(this.#child.pid, signal);
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<number> {
    if (!this.#ended) this.kill(signal);
    return this.exited;
  }

  /** Resolves with the first value of `look` that is neither false nor undefined; looks again at every event. */
  async until<T>(what: string, look: () => T | false | undefined | null, ms = 20_000): Promise<T> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = look();
      if (found !== false && found !== undefined && found !== null) return found;
      const left = deadline - performance.now();
      if (left <= 0 || this.#ended) {
        const tail = this.events.slice(-15).map((e) => JSON.stringify(e));
        throw new Error(
          `${this.#ended ? "the peer ended" : `${ms} ms passed`} before ${what}\n${tail.join("\n")}\n${this.stderr.slice(-15).join("\n")}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, left);
        const wakers = this.#wakers;
        function done() {
          clearTimeout(timer);
          wakers.delete(done);
          resolve();
        }
        wakers.add(done);
      });
    }
  }

  /** The first event after position `from` that fits. */
  event(event: string, fits: (e: PeerEvent) => boolean = () => true, from = 0, ms = 20_000): Promise<PeerEvent> {
    return this.until(`event ${event}`, () => this.events.slice(from).find((e) => e.event === event && fits(e)), ms);
  }

  /** The role as last told. */
  get role(): PeerEvent | undefined {
    return this.all("role").at(-1);
  }

  async status(): Promise<PeerEvent> {
    const from = this.events.length;
    this.say("/status");
    return this.event("status", () => true, from);
  }

  #onLine(line: string): void {
    let event: PeerEvent;
    try {
      event = JSON.parse(line);
    } catch {
      event = { event: "not-json", line };
    }
    this.events.push(event);
    const kind = this.#seen.get(event.event);
    if (kind === undefined) this.#seen.set(event.event, [event]);
    else kind.push(event);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}

/** Ends every process a test has left; for afterEach. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((p) => p.stop()));
}

export interface StartOptions {
  readonly name?: string;
  readonly args?: readonly string[];
  readonly runtime?: keyof typeof RUNTIMES;
  readonly port?: number;
  readonly seeds?: readonly number[];
  /** What runs the command: a tracer that slows its disk down. */
  readonly under?: readonly string[];
}

/** Peers 1 … n, each with a port and a directory of its own; peer 1 founds, the others join through it. */
export class Cluster {
  readonly root = mkdtempSync(join(tmpdir(), "chatpeer-e2e-"));
  readonly ports: number[];
  readonly peers = new Map<number, PeerProcess>();
  /** Where others reach a peer, if not at its own port: through a proxy. */
  readonly advertised = new Map<number, number>();

  private constructor(ports: number[]) {
    this.ports = ports;
  }

  static async reserve(size: number): Promise<Cluster> {
    return new Cluster(await freePorts(size));
  }

  /** `size` peers that are one cluster, peer `size` leading where there are three or more. */
  static async start(size: number, options: StartOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.reserve(size);
    for (let id = 1; id <= size; id++) cluster.start(id, options);
    await cluster.formed(size);
    return cluster;
  }

  dir(id: number): string {
    return join(this.root, `peer${id}`);
  }

  portOf(id: number): number {
    return this.ports[id - 1] as number;
  }

  start(id: number, options: StartOptions = {}): PeerProcess {
    const seeds = options.seeds ?? (id === 1 ? [] : [1]);
    const advertised = this.advertised.get(id);
    const peer = new PeerProcess([
      ...(options.under ?? []),
      ...RUNTIMES[options.runtime ?? "binary"],
      ...[
        "--id",
        String(id),
        "--port",
        String(options.port ?? this.portOf(id)),
        "--data-dir",
        this.dir(id),
        "--name",
        options.name ?? `user${id}`,
        "--json",
      ],
      ...(advertised === undefined ? [] : ["--advertise", `127.0.0.1:${advertised}`]),
      ...seeds.flatMap((s) => ["--seed", `${s}:127.0.0.1:${this.advertised.get(s) ?? this.portOf(s)}`]),
      ...(options.args ?? []),
    ]);
    this.peers.set(id, peer);
    return peer;
  }

  peer(id: number): PeerProcess {
    return this.peers.get(id) as PeerProcess;
  }

  /** Waits until everyone names a leader: of three fresh peers, peer 3 [E10]. */
  async formed(size: number): Promise<void> {
    const fits = (id: unknown) => (size === 3 ? id === 3 : typeof id === "number");
    await Promise.all(
      [...this.peers.values()].map((p) => p.until("the leader is known", () => fits(p.role?.leader_id))),
    );
  }

  /** The id of the peer that leads now, as the living ones say. */
  async leader(ids: readonly number[] = [...this.peers.keys()]): Promise<number> {
    const first = this.peer(ids[0] as number);
    return first.until("a living leader", () =>
      ids.find((id) => first.role?.leader_id === id && this.peer(id).role?.role === "leader"),
    );
  }

  /** Waits until every one of the peers has delivered `count` messages. */
  async delivered(count: number, ids: readonly number[] = [...this.peers.keys()], ms = 30_000): Promise<void> {
    await Promise.all(
      ids.map((id) =>
        this.peer(id).until(`${count} messages on peer ${id}`, () => this.peer(id).messages.length >= count, ms),
      ),
    );
  }

  /**
   * Every peer sends one more message and waits for all of these: a sender's order is kept [S2], so whatever any of
   * them still had in an outbox has been delivered everywhere before. The markers come from `sender_id` with payload
   * `drained`.
   */
  async drained(ms = 60_000): Promise<void> {
    const peers = [...this.peers.values()];
    const from = peers.map((p) => p.messages.length);
    for (const peer of peers) peer.say("drained");
    await Promise.all(
      peers.map((peer, i) => {
        let read = from[i] as number;
        const heard = new Set<number>();
        return peer.until(
          "everyone's last message",
          () => {
            for (; read < peer.messages.length; read++) {
              const message = peer.messages[read] as PeerEvent;
              if (message.payload === "drained") heard.add(message.sender_id);
            }
            return heard.size === peers.length;
          },
          ms,
        );
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.peers.values()].map((p) => p.stop()));
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Runs the program to its end and returns what it said. */
export async function run(
  command: readonly string[],
  input?: string | Uint8Array,
): Promise<{ code: number; out: string; err: string }> {
  const child = Bun.spawn([...command], {
    stdin: input === undefined ? "ignore" : "pipe",
    stdout: "pipe",
    stderr: "pipe",
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: "1" },
  });
  if (input !== undefined) {
    child.stdin?.write(input);
    child.stdin?.end();
  }
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** All that these peers were told is sent. */
export function sentBy(peers: Iterable<PeerProcess>): string[] {
  return [...peers].flatMap((p) => p.all("sent").map((e) => e.msg_id as string));
}
