/**
 * A terminal or a pipe that nobody reads: ssh from a laptop that sleeps, Ctrl-S, a log collector that hangs. The peer behind it
 * leads two others, goes on doing so, and says everything when it is read again.
 */
import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { VirtualTerminal } from "../cli/screen/virtual-terminal.ts";
import { BINARY, Cluster, endAll, ROOT, RUNTIMES, run } from "./harness.ts";
import { holderOf } from "./tmux.ts";

const LEADER = 3;
const COUNT = 500;
const O_NONBLOCK = 0o4000;
const CTRL_S = "\x13";
const CTRL_Q = "\x11";

type Kind = "pty" | "pipe" | "socket";

/** Before a peer's command: what reads its output, and says first which process that is. */
const READERS: Readonly<Record<Kind, readonly string[]>> = {
  pty: reader("pty"),
  socket: reader("socket"),
  pipe: ["sh", "-c", `{ "$@" 2>&1; echo "exit $?"; } | sh -c 'echo $$; exec cat'`, "sh"],
};

/** A shell stands between, whose descriptors are the peer's. */
function reader(kind: Kind): string[] {
  return [
    "sh",
    "-c",
    `echo $$; exec "$0" "$1" ${kind} sh -c '"$@"; exit $?' "$@"`,
    process.execPath,
    `${ROOT}test/e2e/holder.ts`,
  ];
}

/** A peer that leads two others, and the process that reads it, or does not. */
class Unread {
  readonly cluster: Cluster;
  said = "";
  readonly screen = new VirtualTerminal(100, 24);
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #reading: Promise<void>;
  #over = false;
  #reader = 0;
  #wake = () => {};

  private constructor(cluster: Cluster, kind: Kind, command: readonly string[]) {
    this.cluster = cluster;
    this.#child = Bun.spawn([...READERS[kind], ...command], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
      env: { ...process.env, NO_COLOR: "1" },
    });
    open.add(this);
    this.#reading = this.#read(kind === "pty");
  }

  static async start(kind: Kind, runtime: keyof typeof RUNTIMES, ...flags: string[]): Promise<Unread> {
    const cluster = await Cluster.reserve(3);
    for (const id of [1, 2]) cluster.start(id);
    const unread = new Unread(cluster, kind, [
      ...RUNTIMES[runtime],
      ...["--id", `${LEADER}`, "--port", `${cluster.portOf(LEADER)}`, "--name", "carol"],
      ...["--data-dir", cluster.dir(LEADER), "--seed", `1:127.0.0.1:${cluster.portOf(1)}`, ...flags],
    ]);
    await cluster.formed(3);
    await unread.until("the reader", () => unread.#reader > 0);
    return unread;
  }

  /** Of the peer. */
  get pid(): number {
    return holderOf(this.cluster.dir(LEADER));
  }

  /** Whoever writes where the shell does waits until it is read, as they expect. */
  get shellWaits(): boolean {
    const shell = field(`/proc/${this.pid}/status`, "PPid");
    return [1, 2].every((fd) => (Number.parseInt(field(`/proc/${shell}/fdinfo/${fd}`, "flags"), 8) & O_NONBLOCK) === 0);
  }

  /** A terminal whose program has just ended takes the keys, and nobody reads them. */
  type(keys: string): void {
    try {
      this.#child.stdin.write(keys);
      this.#child.stdin.flush();
    } catch (error) {
      if ((error as { code?: string }).code !== "EPIPE") throw error;
    }
  }

  stopReading(): void {
    process.kill(this.#reader, "SIGSTOP");
  }

  readOn(): void {
    process.kill(this.#reader, "SIGCONT");
  }

  /** Another 500 messages are sent, and nothing else happens: the leader is the same, and has them, too. */
  async goesOn(bytes: number): Promise<void> {
    const [first, second] = [this.cluster.peer(1), this.cluster.peer(2)];
    const { term } = await first.until("a leader", () => first.role);
    const from = first.all("sent").length;
    const texts = upTo(COUNT).map((i) => `${from + i} `.padEnd(bytes, "x"));
    first.say(...texts);
    await first.until("all is sent", () => first.all("sent").length === from + COUNT);
    await second.until("all is delivered", () => second.messages.at(-1)?.payload === texts.at(-1));
    expect([first.role?.leader_id, first.role?.term]).toEqual([LEADER, term]);
    const { out } = await run([BINARY, "status", `127.0.0.1:${this.cluster.portOf(LEADER)}`, "--json"]);
    const { commit_index, role } = JSON.parse(out);
    expect(role).toBe("leader");
    // What people have read is told in entries of its own, which may come meanwhile.
    while ((await second.status()).commit_index < commit_index);
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`not within 20 s: ${what}:\n${this.said.slice(-2000)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 1000);
      });
    }
  }

  /** The peer's exit code, when all that it wrote has been read. */
  async exited(): Promise<number> {
    await this.#reading;
    const told = /exit (\d+)\s*$/.exec(this.said)?.[1];
    return told === undefined ? this.#child.exited : Number(told);
  }

  async stop(): Promise<void> {
    if (!this.#over) {
      this.readOn();
      process.kill(this.pid, "SIGKILL");
    }
    await this.#reading;
    await this.cluster.stop();
  }

  async #read(onScreen: boolean): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const bytes of this.#child.stdout) {
      const text = rest + decoder.decode(bytes, { stream: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a sequence that goes on in the next piece
      const begun = onScreen ? (/\x1b(?:\[[?\d;]*)?$/.exec(text)?.index ?? text.length) : text.length;
      rest = text.slice(begun);
      this.said += text.slice(0, begun);
      this.#reader ||= Number(/^(\d+)\n/.exec(this.said)?.[1] ?? 0);
      if (onScreen) this.screen.write(text.slice(0, begun));
      this.#wake();
    }
    this.#over = true;
  }
}

const open = new Set<Unread>();
afterEach(async () => {
  await Promise.all([...open].map((unread) => unread.stop()));
  open.clear();
  await endAll();
});

/** Of the messages that a script was told. */
const numbersIn = (said: string) =>
  [...said.matchAll(/^\{"event":"message".*"seq_no":(\d+),.*\}$/gm)].map(([, number]) => Number(number));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
/** Numbers of messages, from top to bottom. */
const shown = (screen: VirtualTerminal) =>
  screen.history.flatMap((row) => Number(/^\d\d:\d\d \[seq=(\d+)\]/.exec(row)?.[1] ?? 0) || []);

for (const runtime of ["binary", "node"] as const)
  test(`a screen that nobody reads holds up nothing, is right when it is read again, and no shell is hurt (${runtime})`, async () => {
    const carol = await Unread.start("pty", runtime);
    await carol.until("the prompt", () => carol.screen.prompt === "carol> ▏" && carol.said.includes("you lead"));
    carol.stopReading();
    await carol.goesOn(200);
    expect(carol.shellWaits).toBe(true);
    carol.readOn();
    await carol.until("the last message", () => shown(carol.screen).at(-1) === COUNT);
    expect(shown(carol.screen)).toEqual(upTo(COUNT));
    carol.type("still here\r");
    await carol.until("her own", () => carol.screen.history.some((row) => row.endsWith("carol: still here")));
    expect(carol.screen.prompt).toBe("carol> ▏");

    carol.stopReading();
    await carol.goesOn(200);
    const { pid } = carol;
    process.kill(pid, "SIGTERM");
    await gone(pid);
    carol.readOn();
    expect(await carol.exited()).toBe(0);
  }, 60_000);

for (const [kind, runtime] of [
  ["pipe", "binary"],
  ["pipe", "node"],
  ["pipe", "deno"],
  ["socket", "binary"],
  ["socket", "node"],
] as const)
  test(`a script that reads neither output nor log holds up nothing, and loses no line (${kind}, ${runtime})`, async () => {
    const carol = await Unread.start(kind, runtime, "--json", "--log-level", "debug");
    carol.stopReading();
    // More than is kept for a reader that is behind.
    await carol.goesOn(4000);
    expect(carol.shellWaits || kind === "socket").toBe(true);
    carol.readOn();
    await carol.until("the last message", () => numbersIn(carol.said).at(-1) === COUNT);
    expect(numbersIn(carol.said)).toEqual(upTo(COUNT));
    process.kill(carol.pid, "SIGTERM");
    expect(await carol.exited()).toBe(0);
  }, 60_000);

test("[C1] what a script has not read of a peer that is killed, the next process tells it", async () => {
  const carol = await Unread.start("pipe", "binary", "--json");
  carol.stopReading();
  await carol.goesOn(4000);
  process.kill(carol.pid, "SIGKILL");
  carol.readOn();
  await carol.exited();
  const read = numbersIn(carol.said);
  expect(read.length).toBeLessThan(COUNT);
  const again = carol.cluster.start(LEADER);
  await again.until("the last message", () => again.messages.at(-1)?.seq_no === COUNT);
  const first = again.messages[0]?.seq_no;
  expect(first).toBeLessThanOrEqual(read.length + 1);
  expect([...read.slice(0, first - 1), ...again.messages.map((m) => m.seq_no)]).toEqual(upTo(COUNT));
}, 60_000);

test("a terminal without a screen that Ctrl-S has stopped holds up nothing, and Ctrl-Q lets it go on", async () => {
  const carol = await Unread.start("pty", "binary", "--json", "--log-level", "debug");
  carol.type(CTRL_S);
  // Enough for the terminal to have obeyed.
  await carol.goesOn(200);
  const before = carol.said.length;
  await carol.goesOn(200);
  expect(carol.said.length).toBe(before);
  carol.type(CTRL_Q);
  await carol.until("it goes on", () => carol.said.length > before);
  carol.type(CTRL_S);
  const { pid } = carol;
  process.kill(pid, "SIGTERM");
  await gone(pid);
  carol.type(CTRL_Q);
  expect(await carol.exited()).toBe(0);
}, 60_000);

test("a peer that is told to leave while nobody reads its output leaves, and says by its exit code that some is lost", async () => {
  const carol = await Unread.start("pipe", "binary", "--json");
  carol.stopReading();
  await carol.goesOn(4000);
  const { pid } = carol;
  process.kill(pid, "SIGTERM");
  await gone(pid);
  carol.readOn();
  expect(await carol.exited()).toBe(1);
}, 60_000);

/** A word of a file of proc(5). */
function field(path: string, name: string): string {
  return new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(readFileSync(path, "utf8"))?.[1] ?? "";
}

async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    if (!existsSync(`/proc/${pid}`) || field(`/proc/${pid}/status`, "State") === "Z") return;
    if (performance.now() > deadline) throw new Error(`process ${pid} has not ended within 10 s`);
    await Bun.sleep(30);
  }
}
