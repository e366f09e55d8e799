/**
 * A cluster in a box: the production host, core, wire and storage on a virtual network, disks and time. Carries out a
 * plan step by step, the checkers watch, and in the end a part heals and must drain.
 */
import type { DeliveredMessage, HostEvent, Status, Stopped } from "../host/events.ts";
import { Checkers } from "./checkers.ts";
import { Clients } from "./clients.ts";
import { Ending } from "./ending.ts";
import { expectation } from "./expect.ts";
import { committedLines } from "./files.ts";
import { Machine, type Parts } from "./machine.ts";
import { Losses } from "./member-losses.ts";
import { type Plan, printStep, type Step, type Verb } from "./plan.ts";
import { Recorder, siteName } from "./recorder.ts";
import type { Actor, Stage } from "./stage.ts";
import { CLIENT_STEPS, CRASHES, STEPS, WITHOUT_PEER } from "./steps.ts";
import { Violation } from "./violation.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { seeded, VirtualTime } from "./virtual-time.ts";
import { Witness } from "./witness.ts";

export interface Outcome {
  readonly verdict: "PASS" | "FAIL";
  readonly violation: Violation | null;
  /**
   * A part healed and everything pending was delivered [I9]. False where no majority was left whole: such a cluster
   * recovers only by hand [M9].
   */
  readonly drained: boolean;
  readonly hash: string;
  /** Virtual milliseconds and events in all. */
  readonly virtualMs: number;
  readonly events: number;
  readonly messages: number;
  readonly trace: readonly string[];
  readonly recorder: Recorder;
}

/** After a directory was put back nothing else goes wrong for this time. */
const CALM_MS = 4000;
const HARMLESS: ReadonlySet<Verb> = new Set<Verb>(["start", "say", "flood", "heal", "room", "expect"]);
/** Machines that move listen above this port. */
const MOVED_PORTS = 20_000;
export class World implements Stage {
  readonly time = new VirtualTime();
  readonly checkers = new Checkers();
  readonly recorder: Recorder;
  readonly network: VirtualNetwork;
  readonly machines: Machine[];
  readonly clients: Clients;
  readonly losses: Losses;
  readonly #witness: Witness;
  readonly #ending: Ending;
  readonly #plan: Plan;
  readonly #parts: Parts;
  #messages = 0;
  #moves = 0;
  /** No fault happens until then. */
  #calmUntil = 0;

  constructor(plan: Plan, options: { readonly picture?: boolean; readonly parts?: Parts } = {}) {
    this.#plan = plan;
    this.#parts = options.parts ?? {};
    this.recorder = new Recorder(this.time, options.picture === true);
    this.#witness = new Witness(this.time, this.checkers, this.recorder, this);
    this.network = new VirtualNetwork(
      this.time,
      seeded(plan.seed + 1),
      {
        left: (end, bytes) => this.#witness.left(end, bytes),
        arrived: (end, bytes) => this.recorder.frames?.arrived(end, bytes),
      },
      this.#parts.isBlind,
    );
    this.machines = Array.from({ length: plan.peers }, (_, i) => this.#makeMachine(i + 1, i + 1));
    this.clients = new Clients({
      time: this.time,
      network: this.network,
      random: seeded(plan.seed + 2),
      makeClient: this.#parts.makeClient,
      events: {
        starting: (client) => this.#witness.clientStarting(client),
        event: (client, event) => this.#witness.event(client, event),
        ended: (client, stopped) => this.#witness.ended(client, stopped),
      },
    });
    this.losses = new Losses(this.machines, this.checkers.configurations);
    this.#ending = new Ending(plan, seeded(plan.seed), this);
  }

  run(): Outcome {
    let violation: Violation | null = null;
    let drained = false;
    try {
      for (const step of this.#plan.steps) this.time.at(step.at, () => this.#do(step));
      this.#witness.begin();
      this.time.runUntil(this.#plan.untilMs);
      const part = this.#plan.ending === "stop" ? null : this.#ending.heal(this.#plan.ending !== "heal-part");
      drained = part !== null && this.#ending.drain(part);
      if (part !== null && drained) {
        const staying = part.filter((m) => this.#ending.hasPlace(m));
        const kept = [...staying.filter((m) => !m.forgets), ...this.clients.all].map((m) => m.name);
        const { lastDelivered } = this.checkers;
        this.checkers.drained(
          staying.map((m) => m.name),
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

  get isSecured(): boolean {
    return this.#plan.secured === true;
  }

  machine(text: string | undefined): Machine | undefined {
    return this.machines.find((m) => m.site === Number(text));
  }

  actor(text: string | undefined): Actor | undefined {
    return this.machine(text) ?? this.clients.at(text);
  }

  get told(): ReadonlyMap<Actor, string[]> {
    return this.#witness.told;
  }

  get shown(): ReadonlyMap<Actor, string[]> {
    return this.#witness.shown;
  }

  delivered(actor: Actor): readonly string[] {
    return this.#witness.delivered(actor);
  }

  handled(machine: Machine): string[] {
    return this.#witness.handled(machine);
  }

  lastTyped(machine: Machine): string | null {
    return this.#witness.lastTyped(machine);
  }

  readConfigurations(): void {
    this.#witness.readConfigurations();
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
      isSecured: this.isSecured,
      events: {
        starting: (machine: Machine) => this.#witness.starting(machine),
        event: (machine: Machine, event: HostEvent) => this.#witness.event(machine, event),
        log: (machine: Machine, message: string) => this.recorder.tell(machine.site, message, { kind: "notice" }),
        ended: (machine: Machine, stopped: Stopped) => this.#witness.ended(machine, stopped),
        handled: (machine: Machine, message: DeliveredMessage) => this.#witness.onHandled(machine, message),
      },
    };
    return new Machine(site, id, owner?.seeds ?? (site === 1 ? [] : others), world, owner);
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
    const present = machines.filter((m) => !m.isGone);
    if (!network.lines.areWhole || present.some((m) => m.running === null || m.running.clock.isPaused)) return false;
    return expectation(this, "all agree") === null && this.status(machines[0] as Machine)?.leader_id !== null;
  }

  addTwin(of: Machine): void {
    const site = 100 + this.machines.length;
    const twin = this.#makeMachine(site, of.id);
    this.machines.push(twin);
    twin.start();
  }

  addClone(of: Machine): Machine {
    const clone = this.#makeMachine(100 + this.machines.length, of.id);
    clone.copy(of);
    this.machines.push(clone);
    this.losses.note(of);
    this.checkers.beganAnywhere(clone.name);
    clone.start();
    return clone;
  }

  cloneSeen(of: Machine): void {
    if (this.time.now + CALM_MS >= this.#plan.untilMs) return;
    const clone = this.addClone(of);
    of.suspectUntil = this.#calmUntil = this.time.now + CALM_MS;
    this.time.at(this.#calmUntil, () => {
      for (const { site } of this.machines.filter((m) => m.running !== null)) {
        const failure = expectation(this, `${site} told twins`);
        if (failure !== null) throw new Violation("expect", `peer ${site} told twins: ${failure}`);
      }
      clone.giveUp();
      of.kill();
      this.time.at(this.time.now + 1000 * of.random(), () => of.start());
    });
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
    this.network.lines.cut(from.site, to.site);
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
}
