/** Shipped peers with clients of theirs, for the rows about people: nobody floods from inside, and no log is judged. */
import { join } from "node:path";
import { RunFailed } from "./cluster.ts";
import { freePorts, signal, track, untrack } from "./processes.ts";

const CLIENT = new URL("client.ts", import.meta.url).pathname;
const PEERS = 3;

export interface Clients {
  /** Also where it ends by itself, which it never should. */
  readonly ended: Promise<number>;
  end(): Promise<void>;
}

export class House {
  readonly #binary: string;
  readonly #children: Bun.Subprocess<"ignore", "pipe", "pipe">[] = [];
  /** HOST:PORT of each peer. */
  readonly addresses: readonly string[];

  private constructor(binary: string, ports: readonly number[]) {
    this.#binary = binary;
    this.addresses = ports.map((port) => `127.0.0.1:${port}`);
  }

  /** Three peers on directories below `root`, new ones or those of a bench run, of which the last one leads. Throws RunFailed. */
  static async start(binary: string, root: string): Promise<House> {
    const ports = await freePorts(PEERS);
    const house = new House(binary, ports);
    try {
      for (const [i, port] of ports.entries()) {
        const args = ["--id", `${i + 1}`, "--port", `${port}`, "--data-dir", join(root, `peer${i + 1}`)];
        const seeds = ports.flatMap((p, j) => (i === 0 || j === i ? [] : ["--seed", `${j + 1}:127.0.0.1:${p}`]));
        await started(house.#spawn([binary, ...args, ...seeds, "--headless", "--json", "--log-level", "error"]));
      }
      for (const address of house.addresses) await house.#takes(address);
      return house;
    } catch (error) {
      await house.end();
      throw error;
    }
  }

  /** A peer that does not lead. */
  get follower(): string {
    return this.addresses[0] as string;
  }

  /** Clients of the follower in one process, until it is killed. Every line that they print is told as a number. */
  clients(kind: "talk" | "flood" | "search", count: number, told: (ms: number) => void = () => {}): Clients {
    const child = this.#spawn([process.execPath, CLIENT, kind, this.follower, kind, `${count}`]);
    const reading = (async () => {
      let text = "";
      for await (const bytes of child.stdout) {
        const lines = (text + new TextDecoder().decode(bytes)).split("\n");
        text = lines.pop() ?? "";
        for (const line of lines) told(Number(line));
      }
    })();
    return {
      ended: child.exited,
      async end() {
        signal(child.pid, "SIGKILL");
        await child.exited;
        await reading;
      },
    };
  }

  /** Exit codes of so many `chatpeer send`s that are started at once. */
  async sends(count: number): Promise<readonly number[]> {
    const all = Array.from({ length: count }, (_, i) =>
      this.#spawn([this.#binary, "send", this.follower, `message ${i}`, "--name", "bench", "--timeout", "10s"]),
    );
    return Promise.all(all.map((child) => child.exited));
  }

  async end(): Promise<void> {
    for (const { pid } of this.#children) signal(pid, "SIGKILL");
    await Promise.all(this.#children.map(({ exited }) => exited));
  }

  #spawn(command: string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    track(child.pid);
    this.#children.push(child);
    void child.exited.then(() => {
      untrack(child.pid);
      this.#children.splice(this.#children.indexOf(child), 1);
    });
    return child;
  }

  /** Waits until that peer's messages are sent. */
  async #takes(address: string): Promise<void> {
    const child = this.#spawn([this.#binary, "send", address, "hello", "--name", "bench", "--timeout", "60s"]);
    if ((await child.exited) !== 0) throw new RunFailed(`${address}: ${await new Response(child.stderr).text()}`);
  }
}

/** Waits until a peer listens; what it says after that is read and dropped. Throws RunFailed where it ends before. */
function started(child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<void> {
  return new Promise((resolve, reject) => {
    void (async () => {
      let said = "";
      for await (const bytes of child.stdout) {
        if (said.includes('"event":"started"')) continue;
        said += new TextDecoder().decode(bytes);
        if (said.includes('"event":"started"')) resolve();
      }
      reject(new RunFailed(`a peer did not start: ${said}${await new Response(child.stderr).text()}`));
    })();
  });
}
