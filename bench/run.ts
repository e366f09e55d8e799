/**
 * One run: start the peers, flood them, hurt the leader on the way, wait until all have all, stop everybody, verify the
 * files, and say what it was like in figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { benchPeers, shippedBinary } from "./artefacts.ts";
import { Cluster, RunFailed } from "./cluster.ts";
import { type Fault, playFault } from "./faults.ts";
import { figures, type IdlePeer, type Measured, type RunResult, type RunTrace, traceOf } from "./figures.ts";
import type { Member } from "./member.ts";
import { PEERS_MAX, RUNTIMES, type RunOptions, type Runtime } from "./options.ts";
import { loopbackBytes, usageOf } from "./proc.ts";
import { wallNow } from "./protocol.ts";
import { verifyLogs } from "./verify.ts";

/** Told how a run goes. */
export interface Watcher {
  phase(text: string): void;
  /** Ten times a second while it is flooded; `began`: wall-clock milliseconds. */
  running(cluster: Cluster, options: RunOptions, began: number): void;
  fault(fault: Fault, seconds: number): void;
}

const SAMPLE_MS = 500;
const STUCK_MS = 60_000;
/** An idle peer is measured after this time, when the work that the flood left is done. */
const SETTLED_MS = 1000;
/** A sync of a slow disk takes this much longer: like a turning disk that has other work. */
const SLOW_SYNC_MS = 50;
/** Memory that a peer may need while it starts. More peers than fit would only measure the swap. */
const PEER_BYTES = 120e6;

/** Why `peers` peers do not fit on this machine, or null. */
export function whyNot(peers: number): string | null {
  if (peers > PEERS_MAX) return `at most ${PEERS_MAX} peers run on one machine here`;
  if (peers * PEER_BYTES < freemem()) return null;
  return `they need about ${Math.round((peers * PEER_BYTES) / 1e9)} GB of free memory`;
}

/**
 * `look` is shown the data directories when all is verified and nobody runs. `keptIn`: where the data directories are, if they were kept; they are when something is violated. Throws RunFailed
 * where the run cannot be finished; its message says where they are.
 */
export async function run(
  options: RunOptions,
  shipped: boolean,
  watcher: Watcher,
  look: (members: readonly Member[]) => Promise<void> = async () => {},
): Promise<{ readonly result: RunResult; readonly trace: RunTrace; readonly keptIn: string | null }> {
  const runtimes = Array.from({ length: options.peers }, (_, i) => runtimeOf(options.runtime, i));
  watcher.phase("building");
  const commands = await benchPeers(new Set(runtimes));
  const driven = shipped ? [await shippedBinary()] : null;
  const root = mkdtempSync(join(options.dir, "chatpeer-bench-"));
  roots.add(root);
  let kept = true;
  try {
    watcher.phase(`starting ${options.peers} peer${options.peers === 1 ? "" : "s"}`);
    const began = wallNow();
    const cluster = await Cluster.start({
      ...{ root, runtimes, commands, driven, durability: options.durability },
      cuttable: options.faults.includes("cut"),
    });
    const formedMs = wallNow() - began;
    const flood = new FloodRun(cluster, options, watcher);
    const measured = await flood.play().finally(() => cluster.end());
    watcher.phase("verifying");
    const dead = new Set(cluster.members.filter((m) => !measured.living.has(m)));
    const verdict = verifyLogs(cluster.logs(dead), cluster.marks, options.size);
    const result = figures({ cluster, options, measured, verdict, formedMs, shipped });
    await look(cluster.members);
    kept = options.keep || verdict.violations.length > 0;
    return { result, trace: traceOf(cluster, measured), keptIn: kept ? root : null };
  } catch (error) {
    if (error instanceof RunFailed) throw new RunFailed(`${error.message}\nthe files are kept in ${root}`);
    kept = false;
    throw error;
  } finally {
    roots.delete(root);
    if (!kept) rmSync(root, { recursive: true, force: true });
  }
}

/** Data directories of runs under way: an interrupted one leaves none. */
const roots = new Set<string>();
export function removeData(): void {
  for (const root of roots) rmSync(root, { recursive: true, force: true, maxRetries: 5 });
}

function runtimeOf(wanted: RunOptions["runtime"], i: number): Runtime {
  return wanted === "mixed" ? (RUNTIMES[i % RUNTIMES.length] as Runtime) : wanted;
}

class FloodRun {
  readonly #cluster: Cluster;
  readonly #options: RunOptions;
  readonly #watcher: Watcher;
  /** The one that differs, if one is to. */
  readonly #odd: Member | null;
  readonly #senders: readonly Member[];
  /** Messages that each sender is to send at least. */
  readonly #share: number;
  #began = 0;
  #enough = false;

  constructor(cluster: Cluster, options: RunOptions, watcher: Watcher) {
    this.#cluster = cluster;
    this.#options = options;
    this.#watcher = watcher;
    const follower = cluster.members.find((m) => m !== cluster.leader) ?? (cluster.members[0] as Member);
    this.#odd = options.oneFollower === null ? null : follower;
    this.#senders = options.senders === "all" ? cluster.members.filter((m) => m !== this.#odd) : [follower];
    this.#share = Math.ceil((options.messages ?? 0) / this.#senders.length);
    // Where something is to happen on the way, the flood goes on until it has.
    this.#enough = options.messages !== null && options.faults.length === 0;
  }

  async play(): Promise<Measured> {
    const cluster = this.#cluster;
    const wire = loopbackBytes();
    this.#watcher.phase("flooding");
    this.#began = wallNow();
    const sampling = setInterval(() => {
      for (const member of cluster.members) member.sample();
    }, SAMPLE_MS);
    const watching = setInterval(() => this.#watcher.running(cluster, this.#options, this.#began), 100);
    try {
      const alike = this.#differ();
      for (const sender of this.#senders) this.#flood(sender);
      const faults = await this.#hurt();
      await this.#due(1);
      const full = wallNow();
      this.#enough = true;
      for (const sender of this.#senders) cluster.tell(sender, { do: "enough" });
      await this.#drained();
      const ended = Math.max(...cluster.living.map((m) => m.report?.deliveredAt ?? 0));
      const wireBytes = loopbackBytes() - wire;
      const oneFollower = alike();
      // A peer that got nothing meanwhile gets everything now: it must have all of it in the end, but does not count in
      // the figures.
      if (oneFollower !== null) await this.#drained();
      const idle = await this.#idle();
      const living = new Set(cluster.living);
      return { began: this.#began, full, ended, wireBytes, faults, oneFollower, idle, living };
    } finally {
      clearInterval(sampling);
      clearInterval(watching);
    }
  }

  #flood(sender: Member): void {
    const { size, window, rate } = this.#options;
    const messages = Math.max(0, this.#share - sender.submittedBefore);
    const own = rate === null ? null : rate / this.#senders.length;
    this.#cluster.tell(sender, { do: "flood", messages, open: !this.#enough, size, window, rate: own });
  }

  /** Makes one follower differ. The returned function ends that, and reports about it. */
  #differ(): () => RunResult["oneFollower"] {
    const odd = this.#odd;
    const cluster = this.#cluster;
    if (odd === null) return () => null;
    const { oneFollower: how } = this.#options;
    if (how === "paused") cluster.pause(odd);
    if (how === "deaf") cluster.read(odd, false);
    if (how === "slow-disk") cluster.tell(odd, { do: "slow-sync", ms: SLOW_SYNC_MS });
    return () => {
      odd.sample();
      if (how === "paused") cluster.resume(odd);
      if (how === "deaf") cluster.read(odd, true);
      if (how === "slow-disk") cluster.tell(odd, { do: "slow-sync", ms: 0 });
      return { id: odd.id, peakMb: odd.usage.peakMb };
    };
  }

  /** Nobody sends: processor and memory of each peer over this time, which is not interrupted by reports. */
  async #idle(): Promise<readonly IdlePeer[]> {
    const cluster = this.#cluster;
    const { idle: seconds } = this.#options;
    if (seconds === 0) return [];
    this.#watcher.phase(`idle for ${seconds} s`);
    for (const member of cluster.living) cluster.tell(member, { do: "report", everyMs: 2 * seconds * 1000 });
    await Bun.sleep(SETTLED_MS);
    const before = cluster.living.map(({ pid }) => usageOf(pid).cpuSeconds);
    const began = performance.now();
    await Bun.sleep(seconds * 1000);
    const passed = (performance.now() - began) / 1000;
    return cluster.living.map(({ id, pid }, i) => {
      const { cpuSeconds, residentMb } = usageOf(pid);
      return { id, cpuPercent: (100 * (cpuSeconds - (before[i] as number))) / passed, residentMb };
    });
  }

  /** One fault after the other, spread over the run, each on a whole cluster. */
  async #hurt(): Promise<Fault[]> {
    const { faults: kinds, restart, away } = this.#options;
    const faults: Fault[] = [];
    const goOn = (member: Member) => this.#senders.includes(member) && this.#flood(member);
    for (const [i, kind] of kinds.entries()) {
      await this.#due((i + 1) / (kinds.length + 1));
      await this.#cluster.whole();
      const seconds = () => (wallNow() - this.#began) / 1000;
      const fault = await playFault(kind, this.#cluster, { restart, away, goOn }, (f) =>
        this.#watcher.fault(f, seconds()),
      );
      faults.push(fault);
    }
    if (restart) await this.#cluster.whole();
    return faults;
  }

  /** This share of the time has passed, or of the messages been delivered somewhere. */
  async #due(share: number): Promise<void> {
    const { messages, seconds } = this.#options;
    let seq = -1;
    let since = wallNow();
    const look = () => {
      if (this.#cluster.seq > seq) [seq, since] = [this.#cluster.seq, wallNow()];
      if (wallNow() - since > STUCK_MS) throw new RunFailed(`nobody has delivered anything for ${STUCK_MS / 1000} s`);
      return seconds === null ? seq >= share * (messages ?? 0) : wallNow() - this.#began >= share * seconds * 1000;
    };
    await this.#cluster.until("the flood is over", look, 2 ** 31 - 1);
  }

  /** Nobody floods, nothing is pending, and all that live have delivered the same. */
  async #drained(): Promise<void> {
    const cluster = this.#cluster;
    const told = wallNow();
    let seq = -1;
    let since = told;
    const over = () => {
      const reports = cluster.living.map((m) => m.report);
      const last = Math.max(...reports.map((r) => r?.seq ?? 0));
      const moved = reports.reduce((sum, r) => sum + (r?.seq ?? 0), 0);
      if (moved > seq) [seq, since] = [moved, wallNow()];
      if (wallNow() - since > STUCK_MS) throw new RunFailed(`not everybody got everything in ${STUCK_MS / 1000} s`);
      return reports.every(
        (r) => r !== null && r.at > told && !r.flooding && r.pending === 0 && r.own === r.submitted && r.seq === last,
      );
    };
    await cluster.until("all have all", over, 2 ** 31 - 1);
  }
}
