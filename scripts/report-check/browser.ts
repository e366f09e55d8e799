/** A headless Chromium, driven over its DevTools protocol. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Result = Record<string, unknown>;

/** One browser process and one page in it. */
export class Browser {
  readonly #process: Bun.Subprocess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, { resolve: (r: Result) => void; reject: (e: Error) => void }>();
  #session = "";
  #calls = 0;

  private constructor(process: Bun.Subprocess, profile: string, socket: WebSocket) {
    [this.#process, this.#profile, this.#socket] = [process, profile, socket];
    socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(String(data));
      if (error) this.#waiting.get(id)?.reject(new Error(error.message));
      else this.#waiting.get(id)?.resolve(result);
      this.#waiting.delete(id);
    };
  }

  static async open(executable: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "chatpeer-report-"));
    const process = Bun.spawn(
      [executable, "--headless=new", "--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`].concat([
        "--no-first-run",
        "--disable-extensions",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "about:blank",
      ]),
      { stdout: "ignore", stderr: "pipe" },
    );
    const decoder = new TextDecoder();
    let told = "";
    for await (const bytes of process.stderr) {
      told += decoder.decode(bytes, { stream: true });
      const address = /DevTools listening on (ws:\S+)/.exec(told)?.[1];
      if (address === undefined) continue;
      const socket = new WebSocket(address);
      await new Promise((done, failed) => Object.assign(socket, { onopen: done, onerror: failed }));
      const browser = new Browser(process, profile, socket);
      const { targetInfos } = (await browser.call("Target.getTargets")) as {
        targetInfos: { type: string; targetId: string }[];
      };
      const targetId = targetInfos.find((t) => t.type === "page")?.targetId;
      browser.#session = String((await browser.call("Target.attachToTarget", { targetId, flatten: true })).sessionId);
      return browser;
    }
    throw new Error(`${executable} did not start: ${told}`);
  }

  call(method: string, params: Result = {}): Promise<Result> {
    const id = ++this.#calls;
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    });
  }

  async evaluate<T>(expression: string): Promise<T> {
    const answer = (await this.call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })) as {
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    };
    if (answer.exceptionDetails) throw new Error(`in the page: ${answer.exceptionDetails.exception?.description}`);
    return answer.result.value;
  }

  mouse(type: string, x: number, y: number, more: Result = {}): Promise<Result> {
    return this.call("Input.dispatchMouseEvent", { type, x, y, ...more });
  }

  /** Resolves with the wall-clock milliseconds until the first picture is on the screen. */
  async visit(url: string): Promise<number> {
    const began = performance.now();
    await this.call("Page.navigate", { url });
    for (;;) {
      const drawn = await this.evaluate<boolean>(
        "performance.getEntriesByName('drawn').length > 0 && new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(() => ok(true))))",
      ).catch(() => false);
      if (drawn) return performance.now() - began;
      if (performance.now() - began > 30_000) throw new Error(`${url} drew nothing in 30 s`);
      await Bun.sleep(10);
    }
  }

  async close(): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
