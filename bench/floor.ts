/**
 * What this machine can do with no protocol at all, the control beside every figure of ours. One process stringifies each
 * message once, appends the bytes to its file and sends the same bytes to two followers; these append, fdatasync in a
 * loop and acknowledge the durable offset. A message is done when the leader and one follower have it durable.
 *
 *   bun bench/floor.ts [--size BYTES] [--runs N] [--dir DIR] [--durability fsync|os] [--json]
 *
 * Latency is that of a batch (what one turn of the event loop sent), from its making until it is done; at a window of 1
 * that is one message.
 */
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { FloorFigures } from "./floor-figures.ts";
import { Histogram, median } from "./histogram.ts";
import { textOf } from "./protocol.ts";
import { floorTable } from "./table.ts";

interface FloorOptions {
  readonly size: number;
  readonly runs: number;
  readonly dir: string;
  readonly durability: "fsync" | "os";
}

/** Window, messages per turn of the event loop at most, messages of one run. */
const WINDOWS = [
  [1, 1, 2_000],
  [1_000, 500, 50_000],
  [10_000, 1_000, 500_000],
  [200_000, 2_000, 1_000_000],
] as const;

/** Measured by a process of its own, so that nothing of the harness is in its heap. */
export async function measureFloor({ size, runs, dir, durability }: FloorOptions): Promise<FloorFigures> {
  const args = ["--size", `${size}`, "--runs", `${runs}`, "--dir", dir, "--durability", durability, "--json"];
  const child = Bun.spawn([process.execPath, import.meta.path, ...args], { stdout: "pipe", stderr: "inherit" });
  const kill = () => child.kill("SIGTERM");
  process.on("exit", kill);
  const text = await new Response(child.stdout).text();
  process.off("exit", kill);
  if ((await child.exited) !== 0) throw new Error("the floor could not be measured");
  return JSON.parse(text);
}

/** Group commit on one file: at most one fdatasync under way, the next covers everything written meanwhile. */
function committer(path: string, durability: "fsync" | "os", onDurable: (offset: number) => void) {
  const fd = openSync(path, "w");
  let [written, durable, busy, closed] = [0, 0, false, false];
  const commit = (): void => {
    if (busy || closed || durable === written) return;
    const through = written;
    if (durability === "os") {
      durable = through;
      return onDurable(through);
    }
    busy = true;
    fdatasync(fd, () => {
      busy = false;
      if (closed) return closeSync(fd);
      durable = through;
      onDurable(through);
      commit();
    });
  };
  return {
    write(bytes: Uint8Array): void {
      writeSync(fd, bytes);
      written += bytes.length;
    },
    commit,
    close(): void {
      closed = true;
      if (!busy) closeSync(fd);
    },
  };
}

/** Listens, tells its port, and for each connection keeps a file. Ends with its parent. */
function follow(path: string, durability: "fsync" | "os"): void {
  const server = Bun.listen<{ log: ReturnType<typeof committer> }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        const log = committer(path, durability, (offset) => {
          const ack = Buffer.alloc(8);
          ack.writeDoubleLE(offset);
          socket.write(ack);
        });
        socket.data = { log };
      },
      data(socket, bytes) {
        socket.data.log.write(bytes);
        socket.data.log.commit();
      },
      close(socket) {
        socket.data.log.close();
      },
    },
  });
  console.log(server.port);
  process.stdin.on("end", () => process.exit(0)).resume();
}

/** A connection to a follower: queued writes, and how much of it is durable there. */
async function connectTo(port: number, onAck: () => void) {
  const queue: Uint8Array[] = [];
  const follower = { durable: 0, send, end: () => socket.end() };
  let rest: Buffer = Buffer.alloc(0);
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(_socket, bytes) {
        const all: Buffer = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
        let at = 0;
        for (; at + 8 <= all.length; at += 8) follower.durable = all.readDoubleLE(at);
        rest = Buffer.from(all.subarray(at));
        onAck();
      },
      drain: flush,
    },
  });
  socket.setNoDelay(true);
  function flush(): void {
    for (let bytes = queue[0]; bytes !== undefined; bytes = queue[0]) {
      const written = socket.write(bytes);
      if (written < bytes.length) {
        if (written > 0) queue[0] = bytes.subarray(written);
        return;
      }
      queue.shift();
    }
  }
  function send(bytes: Uint8Array): void {
    queue.push(bytes);
    if (queue.length === 1) flush();
  }
  return follower;
}

interface Session {
  readonly total: number;
  readonly window: number;
  readonly perTurn: number;
  readonly text: string;
  readonly path: string;
  readonly durability: "fsync" | "os";
}

/** Sends `total` messages and returns how long that took, in seconds; latencies go into `latency`. */
async function lead(
  ports: readonly number[],
  { total, window, perTurn, text, path, durability }: Session,
  latency: Histogram,
): Promise<number> {
  const batches: { readonly end: number; readonly messages: number; readonly at: number }[] = [];
  let [head, offset, sent, done, own, scheduled] = [0, 0, 0, 0, 0, false];
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const log = committer(path, durability, (through) => {
    own = through;
    progress();
  });
  const followers = await Promise.all(ports.map((port) => connectTo(port, progress)));
  function progress(): void {
    const through = Math.min(own, Math.max(...followers.map((f) => f.durable)));
    const now = performance.now();
    for (let batch = batches[head]; batch !== undefined && batch.end <= through; batch = batches[++head]) {
      done += batch.messages;
      latency.record(now - batch.at);
    }
    if (done === total) finish();
    else pump();
  }
  function pump(): void {
    const messages = Math.min(perTurn, total - sent, window - (sent - done));
    if (messages <= 0 || scheduled) return;
    const at = performance.now();
    let lines = "";
    for (let i = 0; i < messages; i++) {
      sent += 1;
      lines += `${JSON.stringify({ t: "m", seq: sent, from: 1, id: sent.toString(36), text })}\n`;
    }
    const bytes = Buffer.from(lines, "latin1");
    offset += bytes.length;
    batches.push({ end: offset, messages, at });
    for (const follower of followers) follower.send(bytes);
    log.write(bytes);
    log.commit();
    if (sent < total && sent - done < window) {
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        pump();
      });
    }
  }
  const began = performance.now();
  pump();
  await finished;
  const seconds = (performance.now() - began) / 1000;
  for (const follower of followers) follower.end();
  log.close();
  return seconds;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      size: { type: "string", default: "100" },
      runs: { type: "string", default: "3" },
      dir: { type: "string", default: tmpdir() },
      durability: { type: "string", default: "fsync" },
      json: { type: "boolean", default: false },
      follow: { type: "string" },
    },
  });
  const durability = values.durability === "os" ? "os" : "fsync";
  if (values.follow !== undefined) return follow(values.follow, durability);
  const root = mkdtempSync(join(values.dir, "chatpeer-floor-"));
  const children = [1, 2].map((id) =>
    Bun.spawn(
      [process.execPath, import.meta.path, "--follow", join(root, `follower${id}`), "--durability", durability],
      { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
    ),
  );
  const cleanUp = () => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(root, { recursive: true, force: true });
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => process.exit(130));
  process.on("exit", cleanUp);
  try {
    const ports = await Promise.all(
      children.map(async ({ stdout }) => Number(new TextDecoder().decode((await stdout.getReader().read()).value))),
    );
    const common = { text: textOf(1, Number(values.size)), path: join(root, "leader"), durability } as const;
    await lead(ports, { ...common, total: 50_000, window: 5_000, perTurn: 500 }, new Histogram());
    const windows = [];
    for (const [window, perTurn, total] of WINDOWS) {
      const latency = new Histogram();
      const rates: number[] = [];
      for (let i = 0; i < Number(values.runs); i++)
        rates.push(total / (await lead(ports, { ...common, total, window, perTurn }, latency)));
      const latencyMs = { p50: latency.percentile(0.5), p99: latency.percentile(0.99) };
      windows.push({ window, perSecond: median(rates), latencyMs });
    }
    const figures: FloorFigures = { windows };
    console.log(values.json ? JSON.stringify(figures) : floorTable(figures));
  } finally {
    cleanUp();
  }
}

if (import.meta.main) await main();
