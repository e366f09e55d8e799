/** Processes that end with the harness, whatever happens to it, and the ports they listen on. */
import { createServer } from "node:net";

const running = new Set<number>();

/** This harness must end that process. */
export function track(pid: number): void {
  running.add(pid);
}

/** It has ended: its number may soon be another's. */
export function untrack(pid: number): void {
  running.delete(pid);
}

/** Kills every process that is left. */
export function endAll(): void {
  for (const pid of running) signal(pid, "SIGKILL");
}
process.on("exit", endAll);

/** Nothing where there is no such process any more. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ports of 127.0.0.1 that nobody listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const open = Array.from(
    { length: count },
    () =>
      new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
        const server = createServer().once("error", reject);
        server.listen(0, "127.0.0.1", () => resolve(server));
      }),
  );
  const servers = await Promise.all(open);
  const ports = servers.map((s) => (s.address() as { port: number }).port);
  await Promise.all(servers.map((s) => new Promise((resolve) => s.close(resolve))));
  return ports;
}
