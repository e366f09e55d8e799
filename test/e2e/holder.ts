/**
 * Runs a command on a pseudo-terminal of its own (`pty`) or on sockets (`socket`, which are what Bun makes for pipes), passes on
 * what it writes, gives it what comes in, and ends with its code. Whoever stops this process (SIGSTOP) has made a terminal that nobody reads.
 */
import { writeSync } from "node:fs";

const [kind, ...command] = process.argv.slice(2);
const input = Bun.stdin.stream();

if (kind === "pty") {
  const terminal = new Bun.Terminal({ cols: 100, rows: 24, data: (_terminal, bytes) => pass(bytes) });
  const child = Bun.spawn(command, { terminal, env: { ...process.env, TERM: "xterm-256color" } });
  void child.exited.then((code) => process.exit(code));
  for await (const keys of input) terminal.write(keys);
} else {
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  const over = Promise.all([child.exited, forward(child.stderr), forward(child.stdout)]);
  void over.then(([code]) => process.exit(code));
  for await (const bytes of input) {
    child.stdin.write(bytes);
    child.stdin.flush();
  }
}

async function forward(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const bytes of stream) pass(bytes);
}

function pass(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
