/** What `compare` asks of a system that people would use instead, and how it starts the servers of one. */
import { mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endAll, track, untrack } from "./processes.ts";

export interface Other {
  readonly name: string;
  /** Why it cannot be measured here, or null. */
  missing(): string | null;
  /** Three servers, ready, with their data below `folder`. */
  start(folder: string): Promise<Service>;
}

export interface Service {
  /**
   * Sends messages of this text until `enough`, with at most `window` of them unconfirmed. Calls `confirmed` with the
   * number of messages that the system has newly confirmed. A failed message is sent again.
   */
  send(text: string, window: number, enough: () => boolean, confirmed: (messages: number) => void): Promise<void>;
  /** SIGKILL of the server that leads. */
  killLeader(): Promise<void>;
  close(): Promise<void>;
}

export class Servers {
  readonly folder: string;
  readonly #children = new Map<string, Bun.Subprocess>();

  constructor(folder: string) {
    this.folder = mkdtempSync(join(folder, "chatpeer-compare-"));
    roots.add(this.folder);
  }

  /** A folder of its own for one server. */
  dir(name: string): string {
    const dir = join(this.folder, name);
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  spawn(name: string, ...command: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), "a");
    const child = Bun.spawn([...command], { stdin: "ignore", stdout: log, stderr: log, cwd: this.dir(name) });
    this.#children.set(name, child);
    track(child.pid);
    child.exited.then(() => untrack(child.pid));
  }

  kill(name: string): void {
    this.#children.get(name)?.kill("SIGKILL");
  }

  async end(): Promise<void> {
    for (const child of this.#children.values()) child.kill("SIGKILL");
    await Promise.all([...this.#children.values()].map((child) => child.exited));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    roots.delete(this.folder);
  }
}

const roots = new Set<string>();
/** For a run that is interrupted. */
export function endServers(): void {
  endAll();
  for (const root of roots) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
}

/** Tries until it works; throws the last error after `ms`. */
export async function eventually<T>(what: string, attempt: () => Promise<T>, ms = 20_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw new Error(`${what}: ${(error as Error).message}`);
      await Bun.sleep(20);
    }
  }
}
