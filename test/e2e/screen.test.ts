/** Three people chat at three terminals, while others flood, leaders die, windows change their size, and somebody is hostile. */
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { BINARY } from "./harness.ts";
import { holderOf, killHolders, Tmux, type Window } from "./tmux.ts";

const NAMES = ["alice", "bob", "carol"];

class Chats {
  readonly #tmux = new Tmux();
  readonly #windows: Window[] = [];
  #ports: number[] = [];

  /** A window for each, in a cluster that peer 3 leads. */
  static async start(): Promise<Chats> {
    const chats = new Chats();
    running.add(chats);
    chats.#ports = await freePorts(NAMES.length);
    for (const id of [1, 2, 3]) {
      chats.#windows.push(await chats.#tmux.open());
      await chats.enter(id);
    }
    for (const id of [1, 2, 3]) await chats.window(id).shows(`3 of 3 here · quorum held`);
    await chats.window(1).shows("peer 3 leads");
    return chats;
  }

  window(id: number): Window {
    return this.#windows[id - 1] as Window;
  }

  dir(id: number): string {
    return join(this.#tmux.root, `peer${id}`);
  }

  /** Starts the chat in its window. */
  async enter(id: number): Promise<void> {
    const seed = id === 1 ? "" : ` --seed 1:127.0.0.1:${this.#ports[0]}`;
    const name = NAMES[id - 1];
    this.window(id).run(
      `${BINARY} --id ${id} --port ${this.#ports[id - 1]} --name ${name} --data-dir ${this.dir(id)}${seed}`,
    );
    await this.window(id).until("the prompt", (rows) => rows.at(-1)?.startsWith(`${name}>`));
  }

  kill(id: number): void {
    this.signal(id, "SIGKILL");
  }

  signal(id: number, signal: NodeJS.Signals): void {
    process.kill(holderOf(this.dir(id)), signal);
  }

  /** Ends what still runs, by pid, then the windows. */
  stop(): void {
    killHolders([1, 2, 3].map((id) => this.dir(id)));
    this.#tmux.close();
  }
}

/** More than the time after which the others give a peer up. */
const SLEEP_MS = 4000;

const running = new Set<Chats>();
afterEach(() => {
  for (const chats of running) chats.stop();
  running.clear();
});

/** Numbers of the messages in a window, from top to bottom. */
function numbers(window: Window): number[] {
  return window.history.flatMap((row) => Number(/^\d\d:\d\d \[seq=(\d+)\]/.exec(row)?.[1] ?? 0) || []);
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const back = (window: Window) => window.until("the shell", (rows) => rows.at(-1)?.startsWith("shell$"));
const prompt = (window: Window) => window.screen.at(-1);

const screens = Bun.which("tmux") === null ? test.skip : test;
if (screens === test.skip) console.log("tmux is not installed: the screen is not tested end to end");

screens(
  "a line typed while two others flood, and the window changes its size, stays whole; all show one order",
  async () => {
    const chats = await Chats.start();
    const [alice, bob, carol] = [chats.window(1), chats.window(2), chats.window(3)];
    const count = 1500;
    bob.paste(
      upTo(count)
        .map((i) => `b${i}\n`)
        .join(""),
      false,
    );
    carol.paste(
      upTo(count)
        .map((i) => `c${i}\n`)
        .join(""),
      false,
    );
    const typed = "half a line, 你好 👋🏽, typed while others talk";
    const sizes: [number, number][] = [
      [60, 12],
      [120, 30],
      [40, 24],
      [100, 24],
    ];
    for (const [i, character] of [...typed].entries()) {
      alice.type(character);
      const size = sizes[i / 8];
      if (size !== undefined) alice.resize(...size);
    }
    const total = 2 * count;
    for (const window of [alice, bob, carol])
      await window.until(
        "all messages",
        (rows) => rows.some((row) => row.includes(`[seq=${total}]`)) && rows.at(-2)?.includes("· 0 pending"),
      );
    await alice.until("the whole line", (rows) => rows.at(-1) === `alice> ${typed}`);
    await alice.until("its last size", (rows) => (rows.at(-2) ?? "").length > 60);
    alice.press("Enter");
    for (const window of [alice, bob, carol]) {
      await window.shows(`[seq=${total + 1}] alice: ${typed}`);
      expect(numbers(window)).toEqual(upTo(total + 1));
    }
    const order = (window: Window) => window.history.flatMap((row) => /\[seq=\d+\] .*/.exec(row) ?? []);
    expect(order(bob)).toEqual(order(alice));
    expect(order(carol)).toEqual(order(alice));
    expect(prompt(alice)).toBe("alice>");
  },
  120_000,
);

screens(
  "40 pasted lines are one draft and one message; what is hostile is shown, and obeyed by nobody's terminal",
  async () => {
    const chats = await Chats.start();
    const [alice, bob] = [chats.window(1), chats.window(2)];
    const lines = upTo(40).map((i) => `line ${i}`);
    alice.paste(lines.join("\n"), true);
    await alice.until("one draft", (rows) => rows.at(-1)?.endsWith("line 39⏎line 40"));
    alice.press("Enter");
    await bob.shows(`${" ".repeat("14:02 [seq=1] alice: ".length)}line 40`);
    expect(numbers(bob)).toEqual([1]);

    const title = bob.title;
    const hostile = "\x1b]0;owned\x07\x1b[2J\x1b[31m\u202etxet\u2066 \x9b2J e";
    alice.paste(hostile + "\u0301".repeat(200), true);
    alice.press("Enter");
    await bob.shows(`[seq=2] alice: ^[]0;owned^G^[[2J^[[31m\\u{202e}txet\\u{2066} \\u{9b}2J e`);
    alice.paste("x".repeat(5000), true);
    alice.press("Enter");
    await bob.until("all of the long line", (rows) => rows.join("").includes("xxx") && numbers(bob).length === 3);
    expect(bob.history.join("").match(/x/g)?.length).toBeGreaterThanOrEqual(5000);
    bob.say("@alice still here");
    await alice.shows("[seq=4] bob: @alice still here");
    expect([alice.rang, bob.rang, chats.window(3).rang]).toEqual([true, false, false]);
    expect(bob.title).toBe(title);
    expect(bob.history.join("\n")).toContain("line 1\n");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may come through
    expect(alice.history.join("")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e\u2066]/);
    expect(Math.max(...bob.history.map((row) => row.match(/\u0301/g)?.length ?? 0))).toBe(8);
  },
  60_000,
);

screens(
  "[E10] [I8] a dead leader is told in one line; without a majority messages wait at the bottom, then are numbered; who was away sees what is new",
  async () => {
    const chats = await Chats.start();
    const [alice, bob] = [chats.window(1), chats.window(2)];
    alice.say("before");
    await bob.shows("[seq=1] alice: before");
    alice.type("half a line");
    chats.kill(3);
    const told = /^-- peer 3 is gone, peer 2 leads \(term \d+\), [\d.]+ m?s$/;
    await alice.until("one line", (rows) => rows.some((row) => told.test(row)));
    await alice.shows("peer 2 leads");
    await bob.shows("you lead");
    expect(prompt(alice)).toBe("alice> half a line");

    chats.kill(2);
    await alice.shows("waiting for 1 of peer 2 (127.0.0.1:");
    for (const text of ["", "two", "three", "four", "five", "six", "seven"]) alice.say(text);
    await alice.until("seven are pending", (rows) => {
      const from = rows.indexOf("… and 3 more");
      return (
        from > 0 &&
        rows[from + 4]?.endsWith("[pending] alice: seven") &&
        rows.at(-2)?.startsWith("alice · general · 7 pending · no leader")
      );
    });
    expect(numbers(alice)).toEqual([1]);

    await chats.enter(2);
    await alice.shows("[seq=8] alice: seven");
    await alice.until("all is read", (rows) =>
      rows.at(-2)?.startsWith("alice · general · 0 pending ✓✓ · peer 2 leads"),
    );
    expect(numbers(alice)).toEqual(upTo(8));
    await chats.enter(3);
    await chats.window(3).shows("[seq=8] alice: seven");

    bob.say("/quit");
    await back(bob);
    alice.say("while you were away");
    await alice.shows("[seq=9] alice: while you were away");
    await chats.enter(2);
    await bob.shows("[seq=9] alice: while you were away");
    const rows = bob.screen.filter((row) => /^──|\[seq=/.test(row)).map((row) => row.replace(/^\d\d:\d\d /, ""));
    expect(rows.slice(-3)).toEqual([
      "[seq=8] alice: seven",
      expect.stringMatching(/^── new since \d\d:\d\d ──$/),
      "[seq=9] alice: while you were away",
    ]);
    expect(numbers(bob)).toEqual(upTo(9));
  },
  60_000,
);

screens(
  "Ctrl-Z and fg, Ctrl-D, a kill and a closed window: the shell has its terminal back, and the draft is kept",
  async () => {
    const chats = await Chats.start();
    const [alice, bob, carol] = [chats.window(1), chats.window(2), chats.window(3)];
    alice.type("half a line");
    await alice.until("it is typed", (rows) => rows.at(-1) === "alice> half a line");
    alice.press("C-z");
    await alice.until("the shell", (rows) => rows.at(-1)?.startsWith("shell$"));
    alice.say("stty -a | grep -o '[-]*icanon'; stty -a | grep -o '[-]*echo '");
    await alice.until("the terminal's own mode", (rows) => rows.includes("icanon") && rows.includes("echo"));
    expect(alice.screen.join("\n")).not.toContain("-icanon");
    alice.say("fg");
    await alice.until("the draft", (rows) => rows.at(-1) === "alice> half a line");
    await alice.shows("3 of 3 here · quorum held");
    alice.press("Enter");
    await bob.shows("alice: half a line");

    alice.press("C-c");
    await alice.shows("Ctrl-C again quits");
    alice.press("C-c");
    await back(alice);
    await alice.shows("-- stopped: left the cluster");
    process.kill(holderOf(chats.dir(2)), "SIGTERM");
    await back(bob);
    for (const window of [alice, bob]) {
      window.say("clear; stty -a | grep -o '[-]*icanon'");
      await window.until("the terminal's own mode", (rows) => rows.includes("icanon"));
    }
    const pid = holderOf(chats.dir(3));
    carol.close();
    while (isRunning(pid)) await Bun.sleep(30);
  },
  60_000,
);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("a peer that slept shows in one line that it did, and who is here, not what it found when it woke", async () => {
  const chats = await Chats.start();
  const sleeper = chats.window(2);
  const before = sleeper.history.length;
  chats.signal(2, "SIGSTOP");
  await chats.window(1).shows("peer 2 is gone");
  await Bun.sleep(SLEEP_MS);
  chats.window(1).say("while it slept");
  chats.signal(2, "SIGCONT");
  await sleeper.shows("2 of 2 others are");
  await sleeper.shows("while it slept");
  const since = sleeper.history.slice(before - 2).filter((row) => row.startsWith("--"));
  expect(since.filter((row) => row.includes("stood still for"))).toHaveLength(1);
  expect(since.filter((row) => /^-- peer [0-9] is (gone|here)/.test(row))).toEqual([]);
});
