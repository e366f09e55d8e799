/** What a bench peer floods: the library in its own process, or the shipped binary in one beside it. */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { createPeer, type Status } from "../src/index.ts";
import type { PeerConfig } from "./protocol.ts";

export interface Delivered {
  readonly index: number;
  readonly seq_no: number;
  readonly sender_id: number;
  readonly msg_id: string;
}

export interface SubjectEvents {
  /** One of its own was taken: the first tells the session. */
  taken(msgId: string): void;
  /** What came together, in order. */
  delivered(messages: readonly Delivered[]): void;
  sent(msgId: string): void;
  failed(message: string): void;
}

export interface Subject {
  /** Of the process that is the peer. */
  readonly pid: number;
  /** Takes a burst of texts; resolves when there is room for more. */
  submit(texts: readonly string[]): Promise<void>;
  /** Goes on reading what it delivers, or stops. */
  read(on: boolean): void;
  /** As last known. */
  status(): Status | null;
}

/** A peer in this process, used as anybody would who embeds it. */
export async function embedded(config: PeerConfig, events: SubjectEvents): Promise<Subject> {
  const peer = await createPeer({
    id: config.id,
    dataDir: config.dir,
    port: config.port,
    advertise: { host: "127.0.0.1", port: config.advertise },
    seeds: config.seeds,
    durability: config.durability,
    onEvent: (event) => {
      if (event.event === "error") console.error(event.message);
    },
  });
  const failed = (error: unknown) => events.failed((error as Error).message);
  let reading = Promise.resolve();
  let readOn = () => {};
  (async () => {
    for await (const batch of peer.batches) {
      events.delivered(batch);
      await reading;
    }
    failed(new Error("the stream of messages ended"));
  })().catch(failed);
  return {
    pid: process.pid,
    async submit(texts) {
      const last = await peer.submitAll(texts);
      events.taken(last.msg_id);
      last.sent().then(({ msg_id }) => events.sent(msg_id), failed);
    },
    read(on) {
      readOn();
      if (!on)
        reading = new Promise((resolve) => {
          readOn = resolve;
        });
    },
    status: () => peer.status(),
  };
}

/** A peer of its own process, driven as a script would: lines on its stdin, JSON on its stdout. */
export function driven(config: PeerConfig, command: readonly string[], events: SubjectEvents): Promise<Subject> {
  const args = [
    ...["--id", `${config.id}`, "--port", `${config.port}`, "--advertise", `127.0.0.1:${config.advertise}`],
    ...["--data-dir", config.dir, "--durability", config.durability, "--json", "--log-level", "error"],
    ...config.seeds.flatMap(({ id, host, port }) => ["--seed", `${id}:${host}:${port}`]),
  ];
  const [program, ...before] = command as [string, ...string[]];
  const child = spawn(program, [...before, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  child.on("exit", (code, signal) => events.failed(`${program} ended with ${signal ?? code}`));
  child.stdin.on("error", () => {});
  let status: Status | null = null;
  let reading = true;
  return new Promise((resolve) => {
    const subject: Subject = {
      pid: child.pid ?? 0,
      async submit(texts) {
        if (child.stdin.write(texts.map((text) => `${text}\n`).join(""))) return;
        await new Promise<void>((go) => child.stdin.once("drain", go));
      },
      read(on) {
        reading = on;
        if (on) child.stdout.resume();
        else child.stdout.pause();
      },
      status() {
        // Nobody would read the answer.
        if (reading) child.stdin.write("/status\n");
        return status;
      },
    };
    let rest: Buffer = Buffer.alloc(0);
    child.stdout.on("data", (bytes: Buffer) => {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let start = 0;
      for (let newline = all.indexOf(0x0a); newline >= 0; newline = all.indexOf(0x0a, start)) {
        const event = JSON.parse(all.toString("utf8", start, newline));
        start = newline + 1;
        if (event.event === "message") events.delivered([event]);
        else if (event.event === "pending") events.taken(event.msg_id);
        else if (event.event === "sent") events.sent(event.msg_id);
        else if (event.event === "status") status = event;
        else if (event.event === "started") resolve(subject);
        else if (event.event === "error") console.error(event.message);
      }
      rest = all.subarray(start);
    });
  });
}
