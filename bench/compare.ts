/**
 * Ours beside what people would use instead, on this machine and in one run: the same messages, pipelined, three servers
 * each. Ours parses and delivers every message on all three peers; the others only confirm to the one who sends.
 *
 *   bun bench/compare.ts [--seconds 5] [--size 100] [--window 1000] [--dir DIR]
 */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { standardStream } from "../src/adapters/standard-stream.ts";
import { Histogram } from "./histogram.ts";
import { liveView } from "./live.ts";
import { nats } from "./nats.ts";
import { readOptions, UsageError } from "./options.ts";
import { endServers, type Other, type Service } from "./other.ts";
import { textOf } from "./protocol.ts";
import { redis } from "./redis.ts";
import { removeData, run } from "./run.ts";
import { count, ms, textTable } from "./table.ts";

interface Figures {
  readonly name: string;
  /** Confirmed by the others; delivered on all three by ours. */
  readonly perSecond: number;
  /** Of a message with one outstanding, until it is confirmed (ours: delivered to its sender). */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  /** The longest time without a confirmation (ours: a delivery on the others) after SIGKILL of the leader. */
  readonly failoverMs: number;
}

interface Measure {
  readonly seconds: number;
  readonly size: number;
  readonly window: number;
  readonly dir: string;
}

/** Servers may confirm messages under way for a while, so the gap is looked for until this long after the kill. */
const SETTLED_MS = 10_000;
const STEADY_MS = 1000;
const FAILOVER_MS_MAX = 30_000;
const FAILOVER_WINDOW = 100;

for (const name of ["SIGINT", "SIGTERM"] as const)
  process.on(name, () => {
    endServers();
    removeData();
    process.exit(130);
  });

try {
  process.exit(await main());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`compare: ${error.message}`);
  process.exit(2);
}

async function main(): Promise<number> {
  const measure = readMeasure(process.argv.slice(2));
  const rows = [await ours(measure)];
  for (const other of [nats("default"), nats("always"), redis]) {
    const missing = other.missing();
    if (missing !== null) console.log(`${other.name} is left out: ${missing}`);
    else rows.push(await theirs(other, measure));
  }
  console.log(
    textTable([
      [`${measure.size} bytes, ${count(measure.window)} outstanding`, "messages/s", "p50", "p99", "failover"],
      ...rows.map((r) => [...[r.name, count(r.perSecond), ms(r.latencyMs.p50), ms(r.latencyMs.p99), ms(r.failoverMs)]]),
    ]),
  );
  return 0;
}

/** The same checks as the ScaleTest's. */
function readMeasure(args: readonly string[]): Measure {
  const flag = { type: "string" } as const;
  let values: { readonly [name: string]: string | undefined };
  try {
    values = parseArgs({ args: [...args], options: { seconds: flag, size: flag, window: flag, dir: flag } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0] as string);
  }
  const { seconds = "5", size = "100", window = "1000", dir = tmpdir() } = values;
  const checked = readOptions(["--seconds", seconds, "--size", size, "--window", window, "--dir", dir]);
  return { seconds: Number(seconds), size: checked.size, window: checked.window, dir: checked.dir };
}

async function ours({ seconds, size, window, dir }: Measure): Promise<Figures> {
  const view = liveView(standardStream(2));
  const each = Math.ceil(window / 3);
  const floodOf = async (...flags: string[]) => {
    const { result } = await run(readOptions(["--size", `${size}`, "--dir", dir, ...flags]), false, view);
    if (result.verdict.violations.length > 0) throw new Error(result.verdict.violations[0]?.message);
    return result;
  };
  const flood = await floodOf("--seconds", `${seconds}`, "--window", `${each}`);
  const single = await floodOf("--seconds", `${seconds}`, "--window", "1", "--senders", "follower");
  const killed = await floodOf("--seconds", `${seconds}`, "--window", `${FAILOVER_WINDOW}`, "--kill-leader", "1");
  view.end();
  return {
    name: "chatpeer",
    perSecond: flood.perSecond.sustained,
    latencyMs: single.latencyMs,
    failoverMs: killed.gapMs.kill.worst,
  };
}

async function theirs(other: Other, measure: Measure): Promise<Figures> {
  const service = await other.start(measure.dir);
  try {
    const text = textOf(1, measure.size);
    const perSecond = await throughput(service, text, measure);
    const latency = await latencyOf(service, text, measure);
    const latencyMs = { p50: latency.percentile(0.5), p99: latency.percentile(0.99) };
    return { name: other.name, perSecond, latencyMs, failoverMs: await failover(service, text) };
  } finally {
    await service.close();
  }
}

async function throughput(service: Service, text: string, { seconds, window }: Measure): Promise<number> {
  let confirmed = 0;
  const began = performance.now();
  const enough = () => performance.now() - began >= seconds * 1000;
  await service.send(text, window, enough, (messages) => {
    confirmed += messages;
  });
  return confirmed / ((performance.now() - began) / 1000);
}

async function latencyOf(service: Service, text: string, { seconds }: Measure): Promise<Histogram> {
  const latency = new Histogram();
  const began = performance.now();
  let last = began;
  await service.send(
    text,
    1,
    () => performance.now() - began >= seconds * 1000,
    () => {
      const now = performance.now();
      latency.record(now - last);
      last = now;
    },
  );
  return latency;
}

/** The longest time without a confirmation that ended after the kill; NaN where nothing is confirmed any more. */
async function failover(service: Service, text: string): Promise<number> {
  let last = performance.now();
  let killedAt = Number.POSITIVE_INFINITY;
  let gap = Number.NaN;
  const over = () => {
    const [now, since] = [performance.now(), performance.now() - killedAt];
    return since > FAILOVER_MS_MAX || (since > SETTLED_MS && now - last < STEADY_MS);
  };
  const sending = service.send(text, FAILOVER_WINDOW, over, () => {
    const now = performance.now();
    if (now > killedAt && !(now - last <= gap)) gap = now - last;
    last = now;
  });
  await Bun.sleep(1000);
  killedAt = performance.now();
  await service.killLeader();
  await sending;
  return performance.now() - last > STEADY_MS ? Number.NaN : gap;
}
