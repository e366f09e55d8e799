/**
 * A cluster in a box: the production host and core on a virtual network, disks and time. A seed draws the faults, the
 * checkers watch, and in the end everything heals and must drain.
 */
import { DEFAULT_TIMINGS, type Timings } from "../core/config.ts";
import type { HostEvent } from "../host/events.ts";
import { Host, HostError } from "../host/host.ts";
import { Checkers, Violation } from "./checkers.ts";
import { seeded, VirtualClock, VirtualTime } from "./clock.ts";
import { VirtualDisk } from "./disk.ts";
import { VirtualNetwork } from "./network.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly peers: number;
  /** Virtual milliseconds of faults before everything heals. */
  readonly faultsMs: number;
}

export interface WorldResult {
  readonly violation: Violation | null;
  /** Virtual milliseconds and events in all. */
  readonly virtualMs: number;
  readonly events: number;
  readonly messages: number;
  /** The last things that happened, in words. */
  readonly trace: readonly string[];
}

/** After healing, everything pending must be delivered everywhere within this. */
const DRAIN_MS = 60_000;
const TRACE_LINES = 200;

/** Short enough that evictions happen within a run. */
const TIMINGS: Timings = { ...DEFAULT_TIMINGS, eviction: 8000 };

interface Machine {
  readonly id: number;
  readonly disk: VirtualDisk;
  readonly started: boolean;
  running: { readonly host: Host; readonly clock: VirtualClock; readonly die: () => void } | null;
  /** Left in good order: does not come back unless somebody starts it. */
  left: boolean;
  /** Messages in its outbox that may never be sent, because its disk lost them before anybody else had them. */
  boots: number;
}

export class World {
  readonly time = new VirtualTime();
  readonly checkers = new Checkers();
  readonly trace: string[] = [];
  readonly #options: WorldOptions;
  readonly #random: () => number;
  readonly #network: VirtualNetwork;
  readonly #machines: Machine[];
  #healed = false;
  #messages = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    this.#network = new VirtualNetwork(this.time, this.#random);
    this.#machines = Array.from({ length: options.peers }, (_, i) => {
      const disk = new VirtualDisk({
        clock: { after: (ms, fn) => this.time.at(this.time.now + ms, fn) },
        random: this.#random,
      });
      disk.faults.syncMs = () => 0.1 + this.#random() * 2;
      return { id: i + 1, disk, started: false, running: null, left: false, boots: 0 };
    });
  }

  run(): WorldResult {
    let violation: Violation | null = null;
    try {
      for (const machine of this.#machines)
        this.time.at((machine.id - 1) * 50 * this.#random(), () => this.#start(machine));
      this.#scheduleFaults();
      this.#scheduleMessages();
      this.time.runUntil(this.#options.faultsMs);
      this.#heal();
      const end = this.time.now + DRAIN_MS;
      this.time.runUntil(end, () => this.#isCalm());
      if (!this.#isCalm())
        throw new Violation("I9", `${this.#whyNotCalm()} ${DRAIN_MS / 1000} s after everything healed`);
      this.time.runUntil(this.time.now + 2000);
      this.checkers.finished(new Map(this.#machines.map((m) => [m.id, committedLines(m)])));
    } catch (error) {
      if (!(error instanceof Violation))
        throw new Error(
          `seed ${this.#options.seed} broke the world: ${(error as Error).stack}\n${this.trace.slice(-40).join("\n")}`,
        );
      violation = error;
    }
    return {
      violation,
      virtualMs: this.time.now,
      events: this.time.events,
      messages: this.#messages,
      trace: this.trace,
    };
  }

  // ── processes ──────────────────────────────────────────────────────────────────────────────────────────────────

  #start(machine: Machine): void {
    if (machine.running !== null) return;
    const clock = new VirtualClock(this.time, this.#random);
    const { network, die } = this.#network.attach(machine.id, clock);
    machine.boots += 1;
    machine.left = false;
    this.checkers.restarted(machine.id);
    const host = new Host(
      { clock, network, disk: machine.disk },
      {
        id: machine.id,
        host: "virtual",
        port: 6000 + machine.id,
        advertise: null,
        seeds: machine.id === 1 ? [] : [{ id: 1, host: "virtual", port: 6001 }],
        name: `user${machine.id}`,
        timings: TIMINGS,
        durability: "fsync",
      },
      {
        event: (event) => this.#onEvent(machine, host, event),
        log: (record) => this.#tell(machine, record.message),
        writable: () => {},
        stopped: ({ code, reason }) => {
          this.#tell(machine, `stopped (${code}): ${reason}`);
          if (machine.running?.host === host) this.#end(machine, false);
          machine.left = code === 0;
          if (this.#healed) this.time.at(this.time.now + 500, () => this.#start(machine));
        },
      },
    );
    machine.running = { host, clock, die };
    this.#tell(machine, "starts");
    clock.run(() => {
      try {
        host.start();
      } catch (error) {
        // A directory that cannot be used now: whoever minds the machine tries again.
        if (!(error instanceof HostError)) throw error;
        this.#tell(machine, `cannot start: ${error.message}`);
        this.#end(machine, false);
        this.time.at(this.time.now + 1000, () => this.#start(machine));
      }
    });
  }

  /** The process is gone; with `power` the machine is, and with it what was not synced. */
  #end(machine: Machine, power: boolean): void {
    const { running } = machine;
    if (running === null) return;
    machine.running = null;
    running.clock.end();
    running.die();
    if (power) machine.disk.crash();
    else machine.disk.kill();
  }

  #onEvent(machine: Machine, host: Host, event: HostEvent): void {
    switch (event.event) {
      case "message":
        this.#tell(machine, `delivers ${event.index} = ${event.msg_id}`);
        return this.checkers.delivered(machine.id, event);
      case "sent":
        return this.checkers.sent(event.msg_id, event.index);
      case "pending":
        return this.checkers.submitted(event.msg_id, event.payload);
      case "role":
        this.#tell(machine, `is ${event.role}, term ${event.term}, leader ${event.leader_id}`);
        if (event.role === "leader") this.checkers.leads(machine.id, `${event.term}.${event.leader_id}`);
        return;
      case "error":
      case "notice":
        this.#tell(machine, `${event.code}: ${event.message}`);
        return;
      default:
        void host;
    }
  }

  #tell(machine: Machine, what: string): void {
    this.trace.push(`${this.time.now.toFixed(1).padStart(9)} peer ${machine.id} ${what}`);
    if (this.trace.length > 2 * TRACE_LINES) this.trace.splice(0, TRACE_LINES);
  }

  // ── what happens to them ───────────────────────────────────────────────────────────────────────────────────────

  #scheduleMessages(): void {
    const gap = 5 + this.#random() * 200;
    const next = () => {
      if (this.#healed) return;
      const machine = this.#pick();
      machine.running?.clock.run(() => {
        const said = machine.running?.host.submit(
          this.#random() < 0.9 ? "general" : "side",
          `message ${this.#messages}`,
        );
        if (said?.ok === true) this.#messages += 1;
      });
      this.time.at(this.time.now + this.#random() * 2 * gap, next);
    };
    this.time.at(500, next);
  }

  /** Every run has its own mix of faults [swarm testing: Groce et al. 2012]. */
  #scheduleFaults(): void {
    const faults: (() => void)[] = [
      () => this.#crash(false),
      () => this.#crash(true),
      () => this.#cutSome(),
      () => this.#isolate(),
      () => this.#network.heal(),
      () => this.#pause(),
      () => this.#slowDisk(),
      () => this.#quit(),
      () => this.#fill(),
      () => this.#transfer(),
      () => this.#crashAll(),
    ];
    const weights = faults.map(() => (this.#random() < 0.6 ? this.#random() : 0));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const gap = 200 + this.#random() * 3000;
    const next = () => {
      if (this.#healed) return;
      let draw = this.#random() * total;
      const index = weights.findIndex((w) => {
        draw -= w;
        return draw < 0;
      });
      faults[index]?.();
      this.time.at(this.time.now + this.#random() * 2 * gap, next);
    };
    if (total > 0) this.time.at(200 + this.#random() * 1000, next);
  }

  #pick(): Machine {
    return this.#machines[Math.floor(this.#random() * this.#machines.length)] as Machine;
  }

  #crash(power: boolean, machine = this.#pick()): void {
    this.#tell(machine, power ? "loses power" : "is killed");
    this.#end(machine, power);
    this.time.at(this.time.now + this.#random() * 4000, () => this.#start(machine));
  }

  #crashAll(): void {
    const power = this.#random() < 0.5;
    for (const machine of this.#machines) this.#crash(power, machine);
  }

  #cutSome(): void {
    for (const a of this.#machines)
      for (const b of this.#machines) if (this.#random() < 0.3) this.#network.cut(a.id, b.id);
    this.trace.push(`${this.time.now.toFixed(1)} some links are cut, one way each`);
  }

  #isolate(): void {
    const one = this.#pick();
    for (const other of this.#machines) {
      this.#network.cut(one.id, other.id);
      this.#network.cut(other.id, one.id);
    }
    this.#tell(one, "is cut off");
  }

  #pause(): void {
    const machine = this.#pick();
    const ms = this.#random() * 6000;
    machine.running?.clock.pause(ms);
    this.#tell(machine, `is frozen for ${ms.toFixed(0)} ms`);
  }

  #slowDisk(): void {
    const machine = this.#pick();
    const slow = this.#random() < 0.5 ? 5000 : 100;
    machine.disk.faults.syncMs = () => this.#random() * slow;
    this.time.at(this.time.now + 3000, () => {
      machine.disk.faults.syncMs = () => 0.1 + this.#random() * 2;
    });
    this.#tell(machine, `has a slow disk (up to ${slow} ms)`);
  }

  #fill(): void {
    const machine = this.#pick();
    machine.disk.faults.capacity = 0;
    this.#tell(machine, "has a full disk");
    this.time.at(this.time.now + this.#random() * 4000, () => {
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
    });
  }

  #quit(): void {
    const machine = this.#pick();
    this.#tell(machine, "is told to quit");
    machine.running?.clock.run(() => machine.running?.host.quit());
    this.time.at(this.time.now + 2500 + this.#random() * 4000, () => this.#start(machine));
  }

  #transfer(): void {
    const machine = this.#pick();
    machine.running?.clock.run(() => machine.running?.host.transfer(0));
  }

  #heal(): void {
    this.#healed = true;
    this.trace.push(`${this.time.now.toFixed(1)} everything heals`);
    this.#network.heal();
    for (const machine of this.#machines) {
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
      machine.disk.faults.syncMs = () => 0.1 + this.#random() * 2;
      this.time.at(this.time.now + this.#random() * 2000, () => this.#start(machine));
    }
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

  #isCalm(): boolean {
    return this.#whyNotCalm() === null;
  }

  #whyNotCalm(): string | null {
    let commit = -1;
    for (const { id, running } of this.#machines) {
      if (running === null) return `peer ${id} is down`;
      const status = running.host.status();
      if (status.leader_id === null) return `peer ${id} knows no leader`;
      if (status.pending > 0) return `peer ${id} has ${status.pending} messages pending`;
      if (commit >= 0 && status.commit_index !== commit)
        return `peer ${id} stands at ${status.commit_index}, another at ${commit}`;
      commit = status.commit_index;
    }
    return null;
  }
}

/** The lines of a machine's log, through the last one that a process there has committed. */
function committedLines({ disk, running }: Machine): string[] {
  const commit = running?.host.status().commit_index ?? 0;
  const decoder = new TextDecoder();
  return disk
    .paths()
    .filter((path) => /^log\/[0-9]{20}\.jsonl$/.test(path))
    .flatMap((path) => decoder.decode(disk.contents(path)).split("\n").slice(0, -1))
    .slice(0, commit);
}
