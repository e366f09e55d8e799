/** `chatpeer` without arguments, at a pseudo-terminal: it asks, explains, proposes what works, and leaves cleanly. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { Cluster, endAll, RUNTIMES } from "./harness.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-questions-"));
});
afterAll(() => {
  endAll();
  rmSync(root, { recursive: true, force: true });
});

/** A program at a terminal of its own, whose screen is only ever added to. */
class Screen {
  readonly #child: Bun.Subprocess;
  #shown = "";
  #wake = () => {};

  constructor(command: readonly string[], env: Record<string, string> = {}) {
    this.#child = Bun.spawn([...command], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", HOME: root, XDG_STATE_HOME: root, TERM: "xterm", NO_COLOR: "1", ...env },
      terminal: {
        cols: 200,
        rows: 40,
        data: (_terminal, bytes) => {
          this.#shown += new TextDecoder().decode(bytes);
          this.#wake();
        },
      },
    });
  }

  /** Resolves when the text stands on the screen, behind all that was waited for before, with what stands between. */
  async shows(text: string): Promise<string> {
    for (let at = this.#shown.indexOf(text); ; at = this.#shown.indexOf(text)) {
      if (at >= 0) {
        const before = this.#shown.slice(0, at);
        this.#shown = this.#shown.slice(at + text.length);
        return before;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  get exited(): Promise<number> {
    return this.#child.exited;
  }
}

for (const runtime of ["binary", "node"] as const) {
  describe(runtime, () => {
    test("asks for seed, id, name and address, explains what is wrong, and starts a peer with the answers", async () => {
      const [port] = await freePorts(1);
      const dataDir = join(root, runtime);
      const screen = new Screen(RUNTIMES[runtime], { CHATPEER_PORT: `${port}`, CHATPEER_DATA_DIR: dataDir });
      await screen.shows("An invitation, the word found, or ID:HOST:PORT");
      screen.type("nowhere\r");
      await screen.shows("the peer to join through must be ID:HOST:PORT");
      screen.type("found\r");
      await screen.shows("Id of this peer");
      screen.type("zero\r");
      await screen.shows('the id must be a whole number from 1 to 59535, not "zero"');
      screen.type("77\r");
      await screen.shows("Your name [peer_77]");
      screen.type("ada lovelace\r");
      await screen.shows("[127.0.0.1]");
      screen.type("\r");
      await screen.shows("the same without questions: chatpeer --id 77 --name 'ada lovelace'");
      await screen.shows("this peer leads");
      screen.type("hello\r");
      await screen.shows("[seq=1] ada lovelace: hello");
      screen.type("/quit\r");
      expect(await screen.exited).toBe(0);
    });

    test("proposes an id that no member has, and never founds a second cluster for an Enter", async () => {
      const cluster = await Cluster.start(1);
      const seedText = `1:127.0.0.1:${cluster.portOf(1)}`;
      const [port] = await freePorts(1);
      const environment = { CHATPEER_PORT: `${port}`, CHATPEER_DATA_DIR: join(root, `${runtime}-joins`) };
      const screen = new Screen(RUNTIMES[runtime], { ...environment, CHATPEER_SEED: seedText });
      await screen.shows(`[${seedText}]`);
      screen.type("\r");
      await screen.shows("Id of this peer, a number that no other has [");
      screen.type("\r");
      await screen.shows("Your name [");
      screen.type("eve\r");
      await screen.shows("Address of this machine");
      screen.type("\r");
      const { state } = await cluster.peer(1).event("member", (e) => e.id !== 1);
      expect(state).toBe("joined");
      screen.type("/quit\r");
      expect(await screen.exited).toBe(0);
      await cluster.stop();
    });

    test("an invitation is all that is needed, and is not shown", async () => {
      const cluster = await Cluster.start(1, { args: ["--secure"] });
      for (const [way, question] of [
        [[], "An invitation, the word found, or ID:HOST:PORT: "],
        [["join"], "Invitation, as /invite on a peer prints it (it is not shown): "],
      ] as const) {
        const [port] = await freePorts(1);
        const from = cluster.peer(1).events.length;
        cluster.peer(1).say("/invite member");
        const { invitation } = await cluster.peer(1).event("invitation", () => true, from);
        const screen = new Screen([...RUNTIMES[runtime], ...way], {
          CHATPEER_PORT: `${port}`,
          XDG_STATE_HOME: join(root, `${runtime}-invited${way.length}`),
        });
        await screen.shows(question);
        screen.type(`${invitation.slice(0, 40)}\r`);
        const shown = await screen.shows("the end of the invitation is missing");
        screen.type(`${invitation}\r`);
        if (way.length === 0) {
          await screen.shows("Id of this peer, a number that no other has [");
          screen.type("\r");
        }
        await screen.shows("Your name [");
        screen.type("eve\r");
        if (way.length === 0) {
          await screen.shows("Address of this machine");
          screen.type("\r");
        }
        const { id } = await cluster.peer(1).event("member", (e) => e.state === "joined" && e.id !== 1, from);
        screen.type("hello\r");
        const said = await cluster.peer(1).event("message", (e) => e.sender_id === id);
        expect(said.user).toBe("eve");
        expect(shown).not.toContain(invitation.slice(20, 30));
        expect(await screen.shows("eve: hello")).not.toContain(invitation.slice(20, 30));
        screen.type("/quit\r");
        expect(await screen.exited).toBe(0);
      }
      await cluster.stop();
    });

    test("Ctrl-C and Ctrl-D leave, and nothing was started", async () => {
      for (const keys of ["\x03", "\x04"]) {
        const screen = new Screen(RUNTIMES[runtime]);
        await screen.shows("An invitation, the word found");
        screen.type(keys);
        expect(await screen.exited).toBe(130);
      }
      expect(existsSync(join(root, "chatpeer"))).toBe(false);
    });
  });
}
