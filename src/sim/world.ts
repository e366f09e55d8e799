/**
 * A cluster in a box: the production host, core, wire and storage on a virtual network, disks and time. Carries out a
 * plan step by step, the checkers watch, and in the end a part heals and must drain.
 */
import type { DeliveredMessage, HostEvent, Status, Stopped } from "../host/events.ts";
import { Checkers, type Promised, Violation } from "./checkers.ts";
import { Clients, type VirtualClient } from "./clients.ts";
import { seeded, VirtualTime } from "./clock.ts";
import { expectation } from "./expect.ts";
import { committedLines, durablePromise, firstIndex, logPaths } from "./files.ts";
import { Losses, memberOf, processOf } from "./losses.ts";
import { Machine, type Parts, RESTART_MS, TIMINGS } from "./machine.ts";
import { VirtualNetwork, type WatchedEnd } from "./network.ts";
import { printStep, type Step, type Verb } from "./plan.ts";
import { Recorder, siteName } from "./recorder.ts";
import type { Actor, Stage } from "./stage.ts";
import { CLIENT_STEPS, CRASHES, PowerCut, STEPS, WITHOUT_PEER } from "./steps.ts";

export interface Plan {
  readonly title: string;
  readonly seed: number;
  readonly peers: number;
  readonly steps: readonly Step[];
  /** Virtual milliseconds until the end of the steps' time. */
  readonly untilMs: number;
  /**
   * What comes then: "heal-all", "heal-part" (a part with a majority heals, the rest stays broken for good) and
   * "heal-slow" (all heals, but disks and lines stay as slow as they are) demand that everything pending drains; "stop"
   * just checks what is there.
   */
  readonly ending: "heal-all" | "heal-part" | "heal-slow" | "stop";
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
const DRAIN_MS = 10_000;
/** Where lines and disks stay slow, so many round trips with a sync more: to suspect, to elect, to commit, to tell. */
const DRAIN_ROUNDS = 4;
/** And so many for each session of one sender, which are drained one after the other [S3], and for each window of messages [R10]. */
const DRAIN_ROUNDS_MORE = 2;
/** A window begins with 8 KiB. */
const WINDOW_MESSAGES = 32;
/** What a round trip has in front of it on a narrow line: two windows of one peer, and what the others send. */
const NARROW_ROUND_BYTES = 32 * 1024;
const SAMPLE_MS = 250;
const LOOK_MS = 400;
/** So long after a directory was put back nothing else goes wrong. */
const CALM_MS = 4000;
const HARMLESS: ReadonlySet<Verb> = new Set<Verb>(["start", "say", "flood", "heal", "room", "expect"]);
/** Whoever moves listens above this. */
const MOVED_PORTS = 20_000;
const LATIN1 = new TextDecoder("latin1");
/** How the frame begins. */
const PROMISE = new TextEncoder().encode('{"type":"PROMISE"');

export class World implements Stage {
  readonly time = new VirtualTime();
  readonly checkers = new Checkers();
  readonly recorder: Recorder;
  readonly network: VirtualNetwork;
  readonly machines: Machine[];
  readonly clients: Clients;
  readonly losses: Losses;
  readonly told = new Map<Actor, string[]>();
  readonly shown = new Map<Actor, string[]>();
  readonly #texts = new Map<string, string[]>();
  readonly #lastTyped = new Map<Actor, string>();
  readonly #handled = new Map<string, string[]>();
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #parts: Parts;
  #messages = 0;
  #moves = 0;
  #lookedAt = 0;
  /** Committed lines through here have been read for the configurations in them. */
  #configurationsThrough = 0;
  /** No fault until then. */
  #calmUntil = 0;

  constructor(plan: Plan, options: { readonly picture?: boolean; readonly parts?: Parts } = {}) {
    this.#plan = plan;
    this.#parts = options.parts ?? {};
    this.#random = seeded(plan.seed);
    this.recorder = new Recorder(this.time, options.picture === true);
    this.network = new VirtualNetwork(this.time, seeded(plan.seed + 1), {
      left: (end, bytes) => this.#onLeft(end, bytes),
      arrived: (end, bytes) => this.recorder.frames?.arrived(end, bytes),
    });
    this.machines = Array.from({ length: plan.peers }, (_, i) => this.#makeMachine(i + 1, i + 1));
    this.clients = new Clients({
      time: this.time,
      network: this.network,
      random: seeded(plan.seed + 2),
      makeClient: this.#parts.makeClient,
      events: {
        starting: (client) => this.#onClientStarting(client),
        event: (client, event) => this.#onEvent(client, event),
        ended: (client, stopped) => this.#onEnded(client, stopped),
      },
    });
    this.losses = new Losses(this.machines, this.checkers);
  }

  run(): Outcome {
    let violation: Violation | null = null;
    let drained = false;
    try {
      for (const step of this.#plan.steps) this.time.at(step.at, () => this.#do(step));
      this.time.at(SAMPLE_MS, () => this.#sample());
      this.time.runUntil(this.#plan.untilMs);
      const part = this.#plan.ending === "stop" ? null : this.#heal(this.#plan.ending !== "heal-part");
      drained = part !== null && this.#drain(part);
      if (part !== null && drained) {
        const kept = [...part.filter((m) => !m.forgets), ...this.clients.all].map((m) => m.name);
        const { lastDelivered } = this.checkers;
        this.checkers.drained(
          part.map((m) => m.name),
          kept,
          lastDelivered,
        );
      }
      this.checkers.finished(this.machines.map((m) => [m.name, committedLines(m)]));
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

  actor(text: string | undefined): Actor | undefined {
    return this.machine(text) ?? this.clients.at(text);
  }

  delivered(actor: Actor): readonly string[] {
    return this.#texts.get(actor.name) ?? [];
  }

  handled(machine: Machine): string[] {
    const name = machine.name;
    const handled = this.#handled.get(name) ?? [];
    this.#handled.set(name, handled);
    return handled;
  }

  lastTyped(machine: Machine): string | null {
    return this.#lastTyped.get(machine) ?? null;
  }

  status(actor: Actor): Status | null {
    return actor.running?.host.status() ?? null;
  }

  #makeMachine(site: number, id: number, owner: Machine | null = null): Machine {
    const others = Array.from({ length: this.#plan.peers }, (_, i) => i + 1).filter((other) => other !== site);
    const world = {
      time: this.time,
      network: this.network,
      random: seeded(this.#plan.seed * 1000 + site),
      portOf: (other: number) => this.machines.find((m) => m.site === other)?.port ?? 6000 + other,
      parts: this.#parts,
      events: {
        starting: (machine: Machine) => this.#onStarting(machine),
        event: (machine: Machine, event: HostEvent) => this.#onEvent(machine, event),
        log: (machine: Machine, message: string) => this.recorder.tell(machine.site, message, { kind: "notice" }),
        ended: (machine: Machine, stopped: Stopped) => this.#onEnded(machine, stopped),
        handled: (machine: Machine, message: DeliveredMessage) => this.#onHandled(machine, message),
      },
    };
    return new Machine(site, id, owner?.seeds ?? (site === 1 ? [] : others), world, owner);
  }

  // ── what peers tell ────────────────────────────────────────────────────────────────────────────────────────────

  #onEvent(actor: Actor, event: HostEvent): void {
    const peer = actor.site;
    switch (event.event) {
      case "message": {
        const { index, msg_id, payload } = event;
        this.recorder.tell(peer, `delivers ${index} = ${msg_id} ${payload.slice(0, 40)}`, { kind: "deliver", index });
        const texts = this.#texts.get(actor.name);
        if (texts === undefined) this.#texts.set(actor.name, [payload]);
        else texts.push(payload);
        return this.checkers.delivered(actor.name, event);
      }
      case "sent":
        this.recorder.tell(peer, `is told that ${event.msg_id} is sent`, { kind: "sent", index: event.index });
        return this.checkers.sent(
          actor.name,
          event.msg_id,
          event.index,
          this.#looksNow() ? (voter) => this.#holds(voter, event.index, event.msg_id) : null,
        );
      case "pending":
        this.recorder.tell(peer, `says ${event.msg_id} ${event.payload.slice(0, 40)}`, { kind: "submit" });
        this.#lastTyped.set(actor, event.msg_id);
        return this.checkers.submitted(actor.name, event.msg_id, event.payload, event.was);
      case "unsent":
        this.shown.get(actor)?.push(event.payload);
        return this.recorder.tell(peer, `shows ${event.msg_id} as pending`, { kind: "notice" });
      case "role": {
        const { role, term, leader_id } = event;
        this.recorder.tell(peer, `is ${role}, term ${term}, leader ${leader_id ?? "none"}`, {
          kind: "role",
          role,
          term,
        });
        if (actor instanceof Machine && role === "leader")
          this.checkers.leads(actor.name, `${term}.${processOf(actor)}`);
        return;
      }
      case "twins":
        this.told.get(actor)?.push(event.event);
        return this.recorder.tell(peer, event.message, { kind: "notice" });
      case "error":
      case "notice":
        this.told.get(actor)?.push(event.code);
        return this.recorder.tell(peer, `${event.code}: ${event.message}`, { kind: "notice" });
      case "member":
        return this.recorder.tell(peer, `sees peer ${event.id} ${event.state} (${event.role})`, { kind: "notice" });
      case "started":
        return this.checkers.restarted(actor.name);
    }
  }

  #onHandled(machine: Machine, message: DeliveredMessage): void {
    const { index, msg_id, payload } = message;
    this.recorder.tell(machine.site, `has handled ${index} = ${msg_id} ${payload.slice(0, 40)}`, { kind: "notice" });
    this.handled(machine).push(payload);
    this.checkers.handled(machine.name, message);
  }

  #onEnded(actor: Actor, { code, reason }: Stopped): void {
    this.told.get(actor)?.push(code === 0 ? "stopped" : "failed");
    this.recorder.tell(actor.site, `stops (${code}): ${reason}`, { kind: "stop" });
  }

  #onStarting(machine: Machine): void {
    this.recorder.tell(machine.site, "starts", { kind: "start" });
    this.told.set(machine, []);
    this.shown.set(machine, []);
    if (machine.owner.handleMs !== null) this.checkers.embedded(machine.name);
  }

  #onClientStarting(client: VirtualClient): void {
    this.recorder.tell(client.site, "starts", { kind: "start" });
    this.told.set(client, []);
    this.checkers.beganAnywhere(client.name);
  }

  /** A look through the logs of all voters is dear: at most one in so much virtual time. */
  #looksNow(): boolean {
    if (this.time.now < this.#lookedAt + LOOK_MS) return false;
    this.#lookedAt = this.time.now;
    this.#readConfigurations();
    return true;
  }

  /** Whether a peer's disk has a message for certain; a directory that lost what it had confirmed cannot say no. */
  #holds(member: string, index: number, msgId: string): boolean {
    const field = `"msg_id":"${msgId}"`;
    const has = (machine: Machine) => {
      const path = logPaths(machine).findLast((p) => firstIndex(p) <= index);
      return path !== undefined && LATIN1.decode(machine.disk.durableContents(path)).includes(field);
    };
    return this.losses.hasLost(member) || this.machines.some((m) => memberOf(m) === member && has(m));
  }

  #onLeft(end: WatchedEnd, bytes: Uint8Array): void {
    this.recorder.frames?.left(end, bytes);
    const machine = this.machines.find((m) => m.site === end.machine);
    if (machine === undefined) return;
    this.checkers.queued(machine.name, end.queued);
    if (machine.sendsLeft > 0 && --machine.sendsLeft === 0) {
      machine.cutPower();
      throw new PowerCut();
    }
    if (!PROMISE.every((byte, i) => bytes[i] === byte)) return;
    const { ballot } = JSON.parse(LATIN1.decode(bytes)) as { ballot: Promised };
    this.checkers.promiseLeft(machine.name, ballot, durablePromise(machine));
  }

  /** Looks at what no event tells: promises and commit indexes must not go back, committed lines name the voters. */
  #sample(): void {
    for (const machine of this.machines) {
      const { running } = machine;
      if (running !== null && machine.holds) this.checkers.commits(machine.name, running.host.commit);
      const promise = durablePromise(machine);
      if (promise !== null) this.checkers.promises(machine.name, promise);
    }
    this.#readConfigurations();
    this.time.at(this.time.now + SAMPLE_MS, () => this.#sample());
  }

  #readConfigurations(): void {
    for (const machine of this.machines) {
      for (const [index, line] of committedLines(machine, this.#configurationsThrough)) {
        this.checkers.committedLine(line);
        this.#configurationsThrough = index;
      }
    }
  }

  // ── steps ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #do(step: Step): void {
    const client = this.clients.at(step.args[0]);
    const machine = this.machine(step.args[0]);
    if (machine === undefined && client === undefined && !WITHOUT_PEER.has(step.verb)) return;
    if (this.time.now < this.#calmUntil && !HARMLESS.has(step.verb)) return;
    const kind = step.verb === "heal" ? "heal" : CRASHES.has(step.verb) ? "crash" : "fault";
    if (step.verb !== "start" && step.verb !== "say" && step.verb !== "expect")
      this.recorder.tell(machine?.site ?? client?.site ?? 0, `— ${printStep(step)}`, { kind });
    if (client !== undefined) return CLIENT_STEPS[step.verb]?.call(this, client, step.args);
    STEPS[step.verb].call(this, machine as Machine, step.args);
  }

  say(actor: Actor, text: string): void {
    actor.do((host) => {
      if (host.submit("general", text).ok) this.#messages += 1;
    });
  }

  embed(machine: Machine, handleMs: number): void {
    machine.handleMs = handleMs;
  }

  startMachine(machine: Machine, seeds: readonly number[] | null): void {
    if (seeds !== null) machine.seeds.splice(0, machine.seeds.length, ...seeds);
    machine.start();
  }

  rolledBack(machine: Machine): void {
    this.checkers.beganAnywhere(machine.name);
    machine.suspectUntil = this.#calmUntil = this.time.now + CALM_MS;
    machine.start();
  }

  putBack(machines: readonly Machine[]): void {
    for (const machine of machines) {
      this.losses.note(machine);
      machine.rollBack();
      this.checkers.beganAnywhere(machine.name);
    }
    const through = Math.min(...machines.map((m) => Math.max(0, ...committedLines(m).keys())));
    const others = this.machines.filter((m) => !machines.includes(m)).map((m) => m.name);
    this.checkers.broken(through, others);
  }

  get isCalm(): boolean {
    const { machines, network } = this;
    if (!network.isWhole || machines.some((m) => m.running === null || m.running.clock.isPaused)) return false;
    return expectation(this, "all agree") === null && this.status(machines[0] as Machine)?.leader_id !== null;
  }

  addTwin(of: Machine): void {
    const site = 100 + this.machines.length;
    const twin = this.#makeMachine(site, of.id);
    this.machines.push(twin);
    twin.start();
  }

  addClone(of: Machine): void {
    const clone = this.#makeMachine(100 + this.machines.length, of.id);
    clone.copy(of);
    this.machines.push(clone);
    this.losses.note(of);
    this.checkers.beganAnywhere(clone.name);
    clone.start();
  }

  addDouble(of: Machine): void {
    if (of.double === null) {
      of.double = this.#makeMachine(100 + this.machines.length, of.id, of);
      this.machines.push(of.double);
    }
    of.double.start();
  }

  freshPort(): number {
    this.#moves += 1;
    return MOVED_PORTS + this.#moves;
  }

  cutWay(from: Actor, to: Actor): void {
    this.network.cut(from.site, to.site);
    this.recorder.tell(from.site, `no longer reaches ${siteName(to.site)}`, { kind: "cut", to: to.site });
  }

  cutBetween(groups: readonly (readonly Actor[])[]): void {
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

  // ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Heals all, or a part with a majority of voters that have lost nothing; returns who must drain, null if nobody can. */
  #heal(all: boolean): Machine[] | null {
    this.#readConfigurations();
    const own = this.#oneForEachId();
    const sound = shuffled(
      own.filter((m) => this.losses.isWhole(m)),
      this.#random,
    );
    if (!this.losses.isMajority(sound)) return null;
    let needed = 1;
    while (!this.losses.isMajority(sound.slice(0, needed))) needed += 1;
    const others = own.filter((m) => !sound.slice(0, needed).includes(m));
    const part = all ? own : [...sound.slice(0, needed), ...others.filter(() => this.#random() < 0.4)];
    const names = part.map((m) => m.site).sort((a, b) => a - b);
    this.recorder.tell(0, `— heals: ${names.join(", ")}${all ? "" : "; the rest stays broken"}`, { kind: "heal" });
    const rest = this.machines.filter((m) => !part.includes(m));
    for (const m of rest) {
      if (!own.includes(m)) m.giveUp();
      else if (this.#random() < 0.5) m.vanish();
    }
    this.cutBetween([part, rest]);
    for (const a of part) for (const b of part) this.network.heal(a.site, b.site);
    const staysSlow = this.#plan.ending === "heal-slow";
    if (!staysSlow)
      for (const a of part) {
        this.network.narrow(a.site, 0);
        for (const b of part) {
          this.network.slow(a.site, b.site, 0);
          this.network.lose(a.site, b.site, 0);
        }
      }
    for (const machine of part) {
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
      machine.disk.faults.filesMax = Number.POSITIVE_INFINITY;
      machine.disk.faults.syncError = null;
      machine.disk.faults.before = null;
      machine.sendsLeft = 0;
      machine.disk.unlockDead();
      // Of two processes on copies one is given up; so somebody has decided, and starts the other one again [E16].
      if (this.status(machine)?.twins.some(({ id }) => id === machine.id) === true) machine.kill();
      if (!staysSlow) machine.disk.faults.syncMs = () => 0.1 + machine.random() * 2;
      this.time.at(this.time.now + this.#random() * 2000, () => machine.start());
    }
    this.cutBetween([this.clients.all, rest]);
    this.clients.heal(part, staysSlow);
    return part;
  }

  /** Of several directories with one peer id, the one that votes; the others are given up, and second processes too. */
  #oneForEachId(): Machine[] {
    const votes = (m: Machine) => Number(this.checkers.voterSets.at(-1)?.includes(memberOf(m)) === true);
    const chosen = new Map<number, Machine>();
    for (const machine of this.machines) {
      const other = chosen.get(machine.id);
      if (other === undefined || votes(machine) > votes(other)) chosen.set(machine.id, machine);
    }
    return [...chosen.values()];
  }

  /** False where the part has lost its majority after all: to voters that were promoted just as they broke for good. */
  #drain(part: readonly Machine[]): boolean {
    const calm = () => this.#unrest(part) === null;
    const boundMs = DRAIN_MS + this.#slownessMs(part);
    this.time.runUntil(this.#healedAt(part) + boundMs, calm);
    const unrest = this.#unrest(part);
    if (unrest !== null && !this.losses.isMajority(part)) return false;
    if (unrest !== null) throw new Violation("I9", `${unrest}, ${boundMs / 1000} s after a majority had healed`);
    this.time.runUntil(this.time.now + 2000);
    return true;
  }

  /** A frozen process is none until it thaws; a peer whose directory was emptied is let in when the eviction time is over [M6]. */
  #healedAt(part: readonly Machine[]): number {
    const refused = part.some((m) => this.checkers.isReplacing(memberOf(m))) ? TIMINGS.eviction + RESTART_MS : 0;
    const all = [...part, ...this.clients.all];
    return Math.max(this.time.now, ...all.map((m) => m.running?.clock.pausedUntil ?? 0)) + refused;
  }

  /** What I9's bound is longer where lines and disks stay slow. */
  #slownessMs(part: readonly Machine[]): number {
    if (this.#plan.ending !== "heal-slow") return 0;
    const given = (verb: Verb, at: number) =>
      this.#plan.steps.filter((s) => s.verb === verb).map((s) => Number(s.args[at]));
    const slowest = (verb: Verb, at: number) => Math.max(0, ...given(verb, at));
    const narrowest = Math.min(...given("narrow", 1));
    const roundMs = 2 * slowest("slow-link", 2) + slowest("slow-disk", 1) + (8 * NARROW_ROUND_BYTES) / narrowest;
    const waiting = [...part, ...this.clients.all].map(({ name }) => this.checkers.undelivered(name));
    const sessions = Math.max(...waiting.map((ids) => new Set(ids.map((id) => id.slice(0, id.lastIndexOf(".")))).size));
    const windows = Math.ceil(waiting.flat().length / WINDOW_MESSAGES);
    return roundMs * (DRAIN_ROUNDS + DRAIN_ROUNDS_MORE * (sessions + windows));
  }

  #unrest(part: readonly Machine[]): string | null {
    // Whoever quit, or was refused, is started again: the part is to be whole.
    for (const machine of part) if (machine.running === null && machine.idle) machine.start();
    let commit = -1;
    for (const machine of part) {
      const status = this.status(machine);
      if (status === null) return `peer ${machine.site} is down`;
      if (status.leader_id === null) return `peer ${machine.site} knows no leader`;
      if (status.pending > 0) return `peer ${machine.site} has ${status.pending} messages pending`;
      if (commit >= 0 && status.commit_index !== commit)
        return `peer ${machine.site} stands at ${status.commit_index}, another at ${commit}`;
      commit = status.commit_index;
      if (!this.checkers.hasHandledAll(machine.name))
        return `the application of peer ${machine.site} is not done with what was delivered`;
    }
    return this.clients.unrest(part, commit);
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
