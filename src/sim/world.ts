/**
 * A cluster in a box: the production host, core, wire and storage on a virtual network, disks and time. Carries out a
 * plan step by step, the checkers watch, and in the end a part heals and must drain.
 */
import type { HostEvent, Status, Stopped } from "../host/events.ts";
import { Checkers, Violation, votersIn } from "./checkers.ts";
import { seeded, VirtualTime } from "./clock.ts";
import { expectation } from "./expect.ts";
import { Machine, type Parts } from "./machine.ts";
import { VirtualNetwork } from "./network.ts";
import { printStep, type Step, type Verb } from "./plan.ts";
import { Recorder } from "./recorder.ts";

export interface Plan {
  readonly title: string;
  readonly seed: number;
  readonly peers: number;
  readonly steps: readonly Step[];
  /** Virtual milliseconds until the end of the steps' time. */
  readonly untilMs: number;
  /**
   * What comes then: "heal-all" or "heal-part" (a part with a majority heals, the rest stays broken for good) demand
   * that everything pending drains; "stop" just checks what is there.
   */
  readonly ending: "heal-all" | "heal-part" | "stop";
}

export interface Outcome {
  readonly verdict: "PASS" | "FAIL";
  readonly violation: Violation | null;
  /** A part healed and everything pending was delivered [I9]. Not so where no majority was left whole, which recovers by hand only [M9]. */
  readonly drained: boolean;
  readonly hash: string;
  /** Virtual milliseconds and events in all. */
  readonly virtualMs: number;
  readonly events: number;
  readonly messages: number;
  readonly trace: readonly string[];
  readonly recorder: Recorder;
}

/** After healing, everything pending must be delivered within this [I9]. */
const DRAIN_MS = 60_000;
const SAMPLE_MS = 250;
const LOOK_MS = 400;
const LATIN1 = new TextDecoder("latin1");

export class World {
  readonly time = new VirtualTime();
  readonly checkers = new Checkers();
  readonly recorder: Recorder;
  readonly network: VirtualNetwork;
  readonly machines: Machine[];
  /** Codes of notices and errors told by each machine since its start. */
  readonly told = new Map<Machine, string[]>();
  readonly #texts = new Map<string, string[]>();
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #parts: Parts;
  #messages = 0;
  #lookedAt = 0;
  /** Committed lines through here have been read for the configurations in them. */
  #configurationsThrough = 0;

  constructor(plan: Plan, options: { readonly picture?: boolean; readonly parts?: Parts } = {}) {
    this.#plan = plan;
    this.#parts = options.parts ?? {};
    this.#random = seeded(plan.seed);
    this.recorder = new Recorder(this.time, options.picture === true);
    this.network = new VirtualNetwork(this.time, seeded(plan.seed + 1), this.recorder.frames);
    this.machines = Array.from({ length: plan.peers }, (_, i) => this.#makeMachine(i + 1, i + 1));
  }

  run(): Outcome {
    let violation: Violation | null = null;
    let drained = false;
    try {
      for (const step of this.#plan.steps) this.time.at(step.at, () => this.#do(step));
      this.time.at(SAMPLE_MS, () => this.#sample());
      this.time.runUntil(this.#plan.untilMs);
      const part = this.#plan.ending === "stop" ? null : this.#heal(this.#plan.ending === "heal-all");
      if (part !== null) this.#drain(part);
      drained = part !== null;
      this.checkers.finished(new Map(this.machines.map((m) => [this.#name(m), committedLines(m)])));
    } catch (error) {
      violation =
        error instanceof Violation
          ? error
          : new Violation("I10", `a peer crashed on its input: ${(error as Error).stack ?? error}`);
    }
    return {
      verdict: violation === null ? "PASS" : "FAIL",
      violation,
      drained,
      hash: this.recorder.hash,
      virtualMs: this.time.now,
      events: this.time.events,
      messages: this.#messages,
      trace: this.recorder.lines,
      recorder: this.recorder,
    };
  }

  machine(text: string | undefined): Machine | undefined {
    return this.machines.find((m) => m.site === Number(text));
  }

  /** Texts that a machine's directory has delivered, in order. */
  delivered(machine: Machine): readonly string[] {
    return this.#texts.get(this.#name(machine)) ?? [];
  }

  status(machine: Machine): Status | null {
    return machine.running?.host.status() ?? null;
  }

  /** A directory's name for checkers and people. */
  #name(machine: Machine): string {
    return `peer ${machine.site}${machine.directory === 0 ? "" : ` (directory ${machine.directory + 1})`}`;
  }

  #makeMachine(site: number, id: number): Machine {
    const others = Array.from({ length: this.#plan.peers }, (_, i) => i + 1).filter((other) => other !== site);
    return new Machine(site, id, site === 1 ? [] : others, {
      time: this.time,
      network: this.network,
      random: seeded(this.#plan.seed * 1000 + site),
      parts: this.#parts,
      events: {
        starting: (machine) => this.#onStarting(machine),
        event: (machine, event) => this.#onEvent(machine, event),
        log: (machine, message) => this.recorder.tell(machine.site, message, { kind: "notice" }),
        ended: (machine, stopped) => this.#onEnded(machine, stopped),
      },
    });
  }

  // ── what peers tell ────────────────────────────────────────────────────────────────────────────────────────────

  #onEvent(machine: Machine, event: HostEvent): void {
    const peer = machine.site;
    switch (event.event) {
      case "message": {
        const { index, msg_id, payload } = event;
        this.recorder.tell(peer, `delivers ${index} = ${msg_id} ${payload.slice(0, 40)}`, { kind: "deliver", index });
        const texts = this.#texts.get(this.#name(machine));
        if (texts === undefined) this.#texts.set(this.#name(machine), [payload]);
        else texts.push(payload);
        return this.checkers.delivered(this.#name(machine), event);
      }
      case "sent":
        this.recorder.tell(peer, `is told that ${event.msg_id} is sent`, { kind: "sent", index: event.index });
        return this.checkers.sent(
          event.msg_id,
          event.index,
          this.#looksNow() ? (voter) => this.#holds(voter, event.msg_id) : null,
        );
      case "pending":
        this.recorder.tell(peer, `says ${event.msg_id} ${event.payload.slice(0, 40)}`, { kind: "submit" });
        return this.checkers.submitted(event.msg_id, event.payload);
      case "role": {
        const { role, term, leader_id } = event;
        this.recorder.tell(peer, `is ${role}, term ${term}, leader ${leader_id ?? "none"}`, {
          kind: "role",
          role,
          term,
        });
        if (role === "leader") this.checkers.leads(this.#name(machine), `${term}.${leader_id}`);
        return;
      }
      case "error":
      case "notice":
        this.told.get(machine)?.push(event.code);
        return this.recorder.tell(peer, `${event.code}: ${event.message}`, { kind: "notice" });
      case "member":
        return this.recorder.tell(peer, `sees peer ${event.id} ${event.state} (${event.role})`, { kind: "notice" });
      case "started":
        return;
    }
  }

  #onEnded(machine: Machine, { code, reason }: Stopped): void {
    this.told.get(machine)?.push(code === 0 ? "stopped" : "failed");
    this.recorder.tell(machine.site, `stops (${code}): ${reason}`, { kind: "stop" });
  }

  #onStarting(machine: Machine): void {
    this.recorder.tell(machine.site, "starts", { kind: "start" });
    this.told.set(machine, []);
    this.checkers.restarted(this.#name(machine));
  }

  /** A look through the logs of all voters is dear: at most one in so much virtual time. */
  #looksNow(): boolean {
    if (this.time.now < this.#lookedAt + LOOK_MS) return false;
    this.#lookedAt = this.time.now;
    this.#readConfigurations();
    return true;
  }

  /** Whether a peer's disk has a message for certain; a directory that lost what it had confirmed cannot say no. */
  #holds(id: number, msgId: string): boolean {
    const field = `"msg_id":"${msgId}"`;
    const has = (machine: Machine) =>
      logPaths(machine)
        .reverse()
        .some((path) => LATIN1.decode(machine.disk.durableContents(path)).includes(field));
    return this.machines.some((m) => m.id === id && (m.hurt || m.directory > 0 || has(m)));
  }

  /** Looks at what no event tells: promises and commit indexes must not go back, committed lines name the voters. */
  #sample(): void {
    for (const machine of this.machines) {
      const status = this.status(machine);
      if (status !== null) this.checkers.commits(this.#name(machine), status.commit_index);
      const promise = durableJson(machine, "promise.json");
      if (promise !== null) this.checkers.promises(this.#name(machine), promise as never);
    }
    this.#readConfigurations();
    this.time.at(this.time.now + SAMPLE_MS, () => this.#sample());
  }

  #readConfigurations(): void {
    for (const machine of this.machines) {
      const commit = this.status(machine)?.commit_index ?? 0;
      for (const line of linesAfter(machine, this.#configurationsThrough, commit)) this.checkers.committedLine(line);
      this.#configurationsThrough = Math.max(this.#configurationsThrough, commit);
    }
  }

  // ── steps ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #do(step: Step): void {
    const machine = this.machine(step.args[0]);
    if (machine === undefined && !WITHOUT_PEER.has(step.verb)) return;
    const kind = step.verb === "heal" ? "heal" : CRASHES.has(step.verb) ? "crash" : "fault";
    if (step.verb !== "start" && step.verb !== "say" && step.verb !== "expect")
      this.recorder.tell(machine?.site ?? 0, `— ${printStep(step)}`, { kind });
    STEPS[step.verb].call(this, machine as Machine, step.args);
  }

  say(machine: Machine, text: string): void {
    machine.do((host) => {
      if (host.submit("general", text).ok) this.#messages += 1;
    });
  }

  startMachine(machine: Machine, seeds: readonly number[] | null): void {
    if (seeds !== null) machine.seeds.splice(0, machine.seeds.length, ...seeds);
    machine.start();
  }

  rolledBack(machine: Machine): void {
    this.checkers.beganAnywhere(this.#name(machine));
  }

  /** A second process with a peer's id, on a directory and a port of its own. */
  addTwin(of: Machine): void {
    const site = 100 + this.machines.length;
    const twin = this.#makeMachine(site, of.id);
    this.machines.push(twin);
    twin.start();
  }

  cutWay(from: Machine, to: Machine): void {
    this.network.cut(from.site, to.site);
    this.recorder.tell(from.site, `no longer reaches peer ${to.site}`, { kind: "cut", to: to.site });
  }

  cutBetween(groups: readonly (readonly Machine[])[]): void {
    groups.forEach((a, i) => {
      for (const b of groups.slice(i + 1).flat()) {
        for (const one of a) {
          if (one === b) continue;
          this.cutWay(one, b);
          this.cutWay(b, one);
        }
      }
    });
  }

  /**
   * What was confirmed is lost on one more machine: only where the promise of safety still holds, that is while such
   * losses, not made good yet, hit fewer than half of the voters.
   */
  mayHurt(machine: Machine): boolean {
    for (const m of this.machines) if (m.hurt && this.#isWhole(m)) m.hurt = false;
    this.#readConfigurations();
    return [this.checkers.voters, ...this.#proposedVoters()].every((voters) => {
      const hurt = this.machines.filter((m) => m !== machine && m.hurt && voters.includes(m.id)).length;
      return !voters.includes(machine.id) || (hurt + 1) * 2 < voters.length;
    });
  }

  #isWhole(machine: Machine): boolean {
    const status = this.status(machine);
    if (status === null || machine.disk.paths().includes("repair.json") || machine.spoiledPaths.length > 0)
      return false;
    // By its own incarnation: an emptied directory finds the old one among the voters.
    return status.leader_id !== null && status.role !== "observer";
  }

  /** Voters by configurations that stand in some log and may come to count. */
  #proposedVoters(): (readonly number[])[] {
    const settled = this.checkers.configuredThrough;
    return this.machines.flatMap((machine) =>
      [...logLines(machine, Number.POSITIVE_INFINITY)]
        .filter(([index]) => index > settled)
        .map(([, line]) => votersIn(line))
        .filter((voters) => voters !== null),
    );
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Heals all, or a part with a majority of voters that have lost nothing; returns who must drain, null if nobody can. */
  #heal(all: boolean): Machine[] | null {
    for (const m of this.machines) if (m.hurt && this.#isWhole(m)) m.hurt = false;
    const own = this.machines.filter((m) => m.site < 100);
    this.#readConfigurations();
    const sets = [this.checkers.voters, ...this.#proposedVoters()];
    const sound = shuffled(
      own.filter((m) => !m.hurt),
      this.#random,
    );
    const isMajority = (group: readonly Machine[]) =>
      sets.every((voters) => group.filter((m) => voters.includes(m.id)).length * 2 > voters.length);
    let needed = 0;
    while (needed < sound.length && !isMajority(sound.slice(0, needed))) needed += 1;
    if (!isMajority(sound)) return null;
    const others = own.filter((m) => !sound.slice(0, needed).includes(m));
    const part = all ? own : [...sound.slice(0, needed), ...others.filter(() => this.#random() < 0.4)];
    const names = part.map((m) => m.site).sort((a, b) => a - b);
    this.recorder.tell(0, `— heals: ${names.join(", ")}${all ? "" : "; the rest stays broken"}`, { kind: "heal" });
    for (const twin of this.machines.filter((m) => m.site >= 100)) twin.kill();
    if (!all) {
      const rest = own.filter((m) => !part.includes(m));
      for (const m of rest) if (this.#random() < 0.5) m.vanish();
      this.cutBetween([part, rest]);
    }
    for (const a of part) for (const b of part) this.network.heal(a.site, b.site);
    for (const a of part) for (const b of part) this.network.slow(a.site, b.site, 0);
    for (const machine of part) {
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
      machine.disk.faults.syncError = null;
      machine.disk.faults.before = null;
      machine.disk.faults.syncMs = () => 0.1 + machine.random() * 2;
      this.time.at(this.time.now + this.#random() * 2000, () => machine.start());
    }
    return part;
  }

  #drain(part: readonly Machine[]): void {
    const calm = () => this.#unrest(part) === null;
    this.time.runUntil(this.time.now + DRAIN_MS, calm);
    const unrest = this.#unrest(part);
    if (unrest !== null) throw new Violation("I9", `${unrest}, ${DRAIN_MS / 1000} s after a majority had healed`);
    this.time.runUntil(this.time.now + 2000);
  }

  #unrest(part: readonly Machine[]): string | null {
    let commit = -1;
    for (const machine of part) {
      const status = this.status(machine);
      if (status === null) {
        // Whoever quit, or was refused, is started again: the part is to be whole.
        if (machine.idle) machine.start();
        return `peer ${machine.site} is down`;
      }
      if (status.leader_id === null) return `peer ${machine.site} knows no leader`;
      if (status.pending > 0) return `peer ${machine.site} has ${status.pending} messages pending`;
      if (commit >= 0 && status.commit_index !== commit)
        return `peer ${machine.site} stands at ${status.commit_index}, another at ${commit}`;
      commit = status.commit_index;
    }
    return null;
  }
}

// ── the verbs ────────────────────────────────────────────────────────────────────────────────────────────────────

const WITHOUT_PEER: ReadonlySet<Verb> = new Set<Verb>(["split", "heal", "expect"]);
const CRASHES: ReadonlySet<Verb> = new Set<Verb>(["kill", "vanish", "power-cut", "wipe", "rollback"]);

type Carry = (this: World, machine: Machine, args: readonly string[]) => void;

const STEPS: Record<Verb, Carry> = {
  start(machine, [, seeds]) {
    this.startMachine(machine, seeds === undefined ? null : seeds.split(",").map(Number));
  },
  say(machine, [, text]) {
    this.say(machine, text as string);
  },
  flood(machine, [, count]) {
    for (let i = 0; i < Number(count); i++) this.say(machine, `flood ${i} ${"x".repeat((i * 37) % 400)}`);
  },
  quit(machine) {
    machine.do((host) => host.quit());
  },
  transfer(machine, [, to]) {
    machine.do((host) => host.transfer(Number(to)));
  },
  evict(machine, [, whom]) {
    machine.do((host) => host.evict(Number(whom)));
  },

  cut(machine, [, other]) {
    const to = this.machine(other);
    if (to !== undefined) this.cutBetween([[machine], [to]]);
  },
  "cut-way"(machine, [, other]) {
    const to = this.machine(other);
    if (to !== undefined) this.cutWay(machine, to);
  },
  split(_machine, groups) {
    this.cutBetween(groups.map((g) => g.split(",").flatMap((site) => this.machine(site) ?? [])));
  },
  isolate(machine) {
    this.cutBetween([[machine], this.machines.filter((m) => m !== machine)]);
  },
  bridge(machine) {
    this.cutBetween(this.machines.filter((m) => m !== machine).map((m) => [m]));
  },
  "slow-link"(machine, [, to, ms]) {
    this.network.slow(machine.site, Number(to), Number(ms));
  },
  reset(machine, [, other]) {
    this.network.reset(machine.site, Number(other));
  },
  heal(machine, [from, to]) {
    if (from === undefined || machine === undefined) return this.network.heal();
    for (const other of this.machines) {
      if (to !== undefined && other.site !== Number(to)) continue;
      this.network.heal(machine.site, other.site);
      this.network.heal(other.site, machine.site);
    }
  },

  kill(machine) {
    machine.kill();
  },
  vanish(machine) {
    machine.vanish();
  },
  "crash-at"(machine, [, call, count]) {
    let left = Number(count);
    const faults = machine.disk.faults;
    faults.before = (made) => {
      if (made !== call || --left > 0) return;
      faults.before = null;
      machine.cutPower();
      throw new PowerCut();
    };
  },
  pause(machine, [, ms]) {
    machine.running?.clock.pause(Number(ms));
  },
  clock(machine, [, ms]) {
    machine.running?.clock.jump(Number(ms));
  },
  twin(machine) {
    if (this.machines.length < 8) this.addTwin(machine);
  },

  "power-cut"(machine) {
    machine.cutPower();
  },
  full(machine) {
    machine.disk.faults.capacity = 0;
  },
  room(machine) {
    machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
  },
  "slow-disk"(machine, [, ms]) {
    machine.disk.faults.syncMs = () => machine.random() * Number(ms);
  },
  "fail-sync"(machine) {
    machine.disk.faults.syncError = "EIO";
    this.time.at(this.time.now + 200, () => {
      machine.disk.faults.syncError = null;
    });
  },
  flip(machine) {
    damageLog(this, machine, (bytes, at) => {
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(machine.random() * 8));
      return bytes;
    });
  },
  "bad-line"(machine) {
    damageLog(this, machine, (bytes, at) => {
      const start = bytes.lastIndexOf(0x0a, at) + 1;
      const end = bytes.indexOf(0x0a, at);
      return end < 0 ? bytes : new Uint8Array([...bytes.slice(0, start), 0x7b, 0x7d, ...bytes.slice(end)]);
    });
  },
  shorten(machine) {
    damageLog(this, machine, (bytes, at) => bytes.slice(0, at));
  },
  "lose-segment"(machine) {
    damageLog(this, machine, () => null);
  },
  snapshot(machine) {
    machine.takeSnapshot();
  },
  rollback(machine) {
    if (!this.mayHurt(machine)) return;
    if (!machine.rollBack()) return;
    machine.hurt = true;
    this.rolledBack(machine);
  },
  wipe(machine) {
    // A founder with an empty directory and no seeds would found another cluster, and cannot know better [M1].
    if (!this.mayHurt(machine)) return;
    machine.wipe();
    machine.hurt = true;
    seedWithOthers(this, machine);
  },

  garbage(machine) {
    strangerSends(
      this,
      machine,
      Uint8Array.from({ length: 400 }, () => Math.floor(machine.random() * 256)),
    );
  },
  giant(machine) {
    strangerSends(this, machine, new Uint8Array(2 * 1024 * 1024).fill(0x61));
  },

  expect(_machine, [claim]) {
    const failure = expectation(this, claim as string);
    if (failure !== null) throw new Violation("expect", `${claim}: ${failure}`);
  },
};

/** The machine went dark in the middle of a call: nothing after it in that process ever ran. */
export class PowerCut extends Error {}

/** Damage within what the watermark covers: losing what was confirmed a moment ago is the one thing no disk may do [D5]. */
function damageLog(world: World, machine: Machine, change: (bytes: Uint8Array, at: number) => Uint8Array | null): void {
  const progress = durableJson(machine, "progress.json") as { durable: number } | null;
  const paths = logPaths(machine).filter((path) => firstIndex(path) <= (progress?.durable ?? 0));
  const path = paths[Math.floor(machine.random() * paths.length)];
  if (path === undefined || !world.mayHurt(machine)) return;
  machine.kill();
  machine.hurt = true;
  const covered = (progress?.durable ?? 0) - firstIndex(path) + 1;
  machine.spoil(path, (bytes) => change(bytes, Math.floor(machine.random() * bytesOfLines(bytes, covered))));
  // A founder that has lost its list of members is told by its operator where they are.
  seedWithOthers(world, machine);
}

/** Bytes of the first `count` lines. */
function bytesOfLines(bytes: Uint8Array, count: number): number {
  let end = 0;
  for (let i = 0; i < count && end < bytes.length; i++) end = bytes.indexOf(0x0a, end) + 1 || bytes.length;
  return end;
}

function firstIndex(path: string): number {
  return Number(path.slice(4, 24));
}

function seedWithOthers(world: World, machine: Machine): void {
  if (machine.seeds.length > 0) return;
  machine.seeds.push(...world.machines.map((m) => m.site).filter((s) => s !== machine.site && s < 100));
}

/** Bytes from nobody in particular on a peer's port. */
function strangerSends(world: World, machine: Machine, bytes: Uint8Array): void {
  const stranger = world.network.stranger(machine.port);
  stranger.write(bytes);
  world.time.at(world.time.now + 1000, () => stranger.destroy());
}

function logPaths(machine: Machine): string[] {
  return machine.disk.paths().filter((path) => /^log\/[0-9]{20}\.jsonl$/.test(path));
}

function committedLines(machine: Machine): Map<number, string> {
  const noted = durableJson(machine, "progress.json") as { commit: number; durable: number } | null;
  const last = noted === null ? 0 : Math.min(noted.commit, noted.durable);
  return logLines(machine, machine.running?.host.status().commit_index ?? last);
}

/** index → line of a machine's log, without what is spoiled. */
function logLines(machine: Machine, through: number): Map<number, string> {
  const decoder = new TextDecoder();
  const lines = new Map<number, string>();
  for (const path of logPaths(machine)) {
    if (machine.isSpoiled(path)) continue;
    const first = firstIndex(path);
    const complete = decoder.decode(machine.disk.contents(path)).split("\n").slice(0, -1);
    for (const [i, line] of complete.entries()) if (first + i <= through) lines.set(first + i, line);
  }
  return lines;
}

function linesAfter(machine: Machine, index: number, through: number): string[] {
  if (through <= index) return [];
  return [...committedLines(machine)].filter(([at]) => at > index && at <= through).map(([, line]) => line);
}

function durableJson(machine: Machine, path: string): unknown {
  const text = new TextDecoder().decode(machine.disk.durableContents(path));
  return text === "" ? null : JSON.parse(text.slice(0, text.lastIndexOf(" ")));
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
