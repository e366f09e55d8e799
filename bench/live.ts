/** How a run goes, while it goes: a view that is rewritten on a terminal, a line a second elsewhere. */
import kleur from "kleur";
import { createLogUpdate } from "log-update";
import type { StandardStream } from "../src/adapters/standard-stream.ts";
import type { Cluster } from "./cluster.ts";
import type { Fault } from "./faults.ts";
import type { Member } from "./member.ts";
import type { RunOptions } from "./options.ts";
import { wallNow } from "./protocol.ts";
import type { Watcher } from "./run.ts";
import { count, ms, textTable } from "./table.ts";

const LINE_MS = 1000;
const BAR_COLUMNS = 40;
const FAULTS_SHOWN = 8;
/** A speed is that of the last second. */
const SPEED_MS = 1000;
const DONE: Record<Fault["kind"], string> = { kill: "killed", pause: "paused", cut: "cut off" };

export function liveView(stream: StandardStream): Watcher & { end(): void } {
  return stream.isTTY === true ? new Screen(stream) : new Lines(stream);
}

/** Messages per second of the last second, as delivered by one peer. */
function speedOf({ samples }: Member): number {
  const now = samples.at(-1);
  const then = samples.findLast((s) => s.at <= (now?.at ?? 0) - SPEED_MS) ?? samples[0];
  if (now === undefined || then === undefined || now.at === then.at) return 0;
  return ((now.seq - then.seq) * 1000) / (now.at - then.at);
}

function share(cluster: Cluster, { messages, seconds }: RunOptions, began: number): number {
  const share = seconds === null ? cluster.seq / (messages ?? 1) : (wallNow() - began) / 1000 / seconds;
  return Math.min(1, share);
}

function faultLine({ kind, leader, gapMs }: Fault, seconds: number): string {
  const what = `${count(seconds, 1)} s  leader ${leader} ${DONE[kind]}`;
  return Number.isNaN(gapMs) ? what : `${what}: others deliver again, gap ${ms(gapMs)}`;
}

class Screen implements Watcher {
  readonly #stream: StandardStream;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #faults: string[] = [];

  constructor(stream: StandardStream) {
    this.#stream = stream;
    // Of a stream it needs what these two have in common.
    this.#update = createLogUpdate(stream as unknown as NodeJS.WriteStream);
  }

  phase(text: string): void {
    this.#faults = text === "building" ? [] : this.#faults;
    this.#update(kleur.dim(`${text} …`));
  }

  fault(fault: Fault, seconds: number): void {
    const line = faultLine(fault, seconds);
    // The second report is of the same fault, with its gap.
    if (Number.isNaN(fault.gapMs)) this.#faults.push(line);
    else this.#faults.splice(-1, 1, line);
  }

  running(cluster: Cluster, options: RunOptions, began: number): void {
    // Nobody has read the view before: the next is drawn in its place once somebody does.
    if (this.#stream.writableLength > 0) return;
    const rows = cluster.members.map((m) => {
      const { id, state, report, usage } = m;
      const shown = state === "up" ? (report?.role ?? state) : state;
      return [
        `peer ${id}`,
        shown,
        `${report?.term ?? "–"}`,
        count(report?.commit ?? Number.NaN),
        count(speedOf(m)),
        count(usage.residentMb),
      ];
    });
    const done = share(cluster, options, began);
    const filled = Math.round(done * BAR_COLUMNS);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_COLUMNS - filled)}`;
    const all = `${bar} ${count(done * 100)} %  ${count(cluster.seq)} messages, ${count(Math.max(...cluster.members.map(speedOf)))}/s, ${count((wallNow() - began) / 1000, 1)} s`;
    const table = textTable([["", "role", "term", "commit", "messages/s", "MB"], ...rows]);
    this.#update([table, all, ...this.#faults.slice(-FAULTS_SHOWN).map((line) => kleur.red(line))].join("\n"));
  }

  end(): void {
    this.#update.clear();
    this.#update.done();
  }
}

class Lines implements Watcher {
  readonly #stream: StandardStream;
  #nextAt = 0;

  constructor(stream: StandardStream) {
    this.#stream = stream;
  }

  phase(text: string): void {
    this.#say(`${text} …`);
  }

  fault(fault: Fault, seconds: number): void {
    this.#say(faultLine(fault, seconds));
  }

  running(cluster: Cluster, options: RunOptions, began: number): void {
    const now = wallNow();
    if (now < this.#nextAt) return;
    this.#nextAt = now + LINE_MS;
    const speed = Math.max(...cluster.members.map(speedOf));
    const away = cluster.members.filter((m) => m.state !== "up").map((m) => `, peer ${m.id} ${m.state}`);
    const { leader } = cluster;
    const led = leader === null ? "no leader" : `leader ${leader.id}, term ${leader.report?.term}`;
    const done = `${count(share(cluster, options, began) * 100)} %`;
    this.#say(
      `${count((now - began) / 1000, 1)} s  ${done}  ${count(cluster.seq)} messages, ${count(speed)}/s; ${led}${away.join("")}`,
    );
  }

  end(): void {}

  #say(line: string): void {
    this.#stream.write(`${line}\n`);
  }
}
