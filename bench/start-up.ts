/** How long the shipped binary takes to start on an existing directory, measured from outside. */
import { RunFailed } from "./cluster.ts";
import { freePorts, track, untrack } from "./processes.ts";

export type Ended = "killed" | "quit";

/** Milliseconds from the spawn until it says `started`; then it is ended this way. Throws RunFailed where it does not start. */
export async function startUp(binary: string, id: number, dir: string, end: Ended): Promise<number> {
  const [port] = await freePorts(1);
  const began = performance.now();
  const child = Bun.spawn(
    [binary, "--id", `${id}`, "--port", `${port}`, "--data-dir", dir, "--headless", "--json", "--log-level", "error"],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  track(child.pid);
  let said = "";
  const decoder = new TextDecoder();
  let took = Number.NaN;
  for await (const bytes of child.stdout) {
    if (!Number.isNaN(took)) continue;
    said += decoder.decode(bytes, { stream: true });
    if (!said.includes('{"event":"started"')) continue;
    took = performance.now() - began;
    child.kill(end === "killed" ? "SIGKILL" : "SIGTERM");
  }
  await child.exited;
  untrack(child.pid);
  if (Number.isNaN(took))
    throw new RunFailed(`${binary} did not start on ${dir}:\n${await new Response(child.stderr).text()}`);
  return took;
}
