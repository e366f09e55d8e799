/** The end of a run: all or a part of the cluster heals, and what is pending there must drain [I9]. */
import type { Status } from "../host/events.ts";
import type { Checkers } from "./checkers.ts";
import type { Clients } from "./clients.ts";
import { type Machine, RESTART_MS, TIMINGS } from "./machine.ts";
import { type Losses, memberOf } from "./member-losses.ts";
import type { Plan, Verb } from "./plan.ts";
import type { Recorder } from "./recorder.ts";
import type { Actor } from "./stage.ts";
import { Violation } from "./violation.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** After healing, everything pending must be delivered within this [I9]. */
const DRAIN_MS = 10_000;
/** Where lines and disks stay slow, this many round trips with a sync more: to suspect, to elect, to commit, to tell. */
const DRAIN_ROUNDS = 4;
/**
 * And this many for each session of one sender, because sessions drain one after the other [S3], and for each window of
 * messages [R10].
 */
const DRAIN_ROUNDS_MORE = 2;
/** A window begins with 8 KiB. */
const WINDOW_MESSAGES = 32;
/** Bytes in front of a round trip on a narrow line: two windows of one peer, and what the others send. */
const NARROW_ROUND_BYTES = 32 * 1024;

/** What the end needs of its world. */
interface Scene {
  readonly time: VirtualTime;
  readonly checkers: Checkers;
  readonly recorder: Recorder;
  readonly network: VirtualNetwork;
  readonly machines: readonly Machine[];
  readonly clients: Clients;
  readonly losses: Losses;
  readonly isSecured: boolean;
  status(actor: Actor): Status | null;
  cutBetween(groups: readonly (readonly Actor[])[]): void;
  readConfigurations(): void;
}

export class Ending {
  readonly #plan: Plan;
  readonly #random: () => number;
  readonly #scene: Scene;

  constructor(plan: Plan, random: () => number, scene: Scene) {
    this.#plan = plan;
    this.#random = random;
    this.#scene = scene;
  }

  /**
   * Heals all, or a part with a majority of voters that have lost nothing. Returns the machines that must drain; null
   * if none can.
   */
  heal(all: boolean): Machine[] | null {
    this.#scene.readConfigurations();
    // Whoever has no place in a secured cluster waits for an invitation, and nobody is there any more to give one.
    const own = this.#oneForEachId().filter((m) => this.hasPlace(m));
    const sound = shuffled(
      own.filter((m) => this.#scene.losses.isWhole(m)),
      this.#random,
    );
    if (!this.#scene.losses.isMajority(sound)) return null;
    let needed = 1;
    while (!this.#scene.losses.isMajority(sound.slice(0, needed))) needed += 1;
    const others = own.filter((m) => !sound.slice(0, needed).includes(m));
    const part = all ? own : [...sound.slice(0, needed), ...others.filter(() => this.#random() < 0.4)];
    const names = part.map((m) => m.site).sort((a, b) => a - b);
    this.#scene.recorder.tell(0, `— heals: ${names.join(", ")}${all ? "" : "; the rest stays broken"}`, {
      kind: "heal",
    });
    const rest = this.#scene.machines.filter((m) => !part.includes(m));
    for (const m of rest) {
      if (!own.includes(m)) m.giveUp();
      else if (this.#random() < 0.5) m.vanish();
    }
    this.#scene.cutBetween([part, rest]);
    for (const a of part) for (const b of part) this.#scene.network.heal(a.site, b.site);
    const staysSlow = this.#plan.ending === "heal-slow";
    if (!staysSlow)
      for (const a of part) {
        this.#scene.network.lines.narrow(a.site, 0);
        for (const b of part) {
          this.#scene.network.lines.slow(a.site, b.site, 0);
          this.#scene.network.lines.lose(a.site, b.site, 0);
        }
      }
    for (const machine of part) {
      machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
      machine.disk.faults.filesMax = Number.POSITIVE_INFINITY;
      machine.disk.faults.syncError = null;
      machine.disk.faults.before = null;
      machine.sendsLeft = 0;
      // Whoever has a place needs no client's invitation, and its person sees that.
      if (machine.invitation?.role === "client") machine.invitation = null;
      machine.disk.unlockDead();
      // Of two processes on copies one is given up: a person has decided, and starts the other one again [E16].
      if (this.#scene.status(machine)?.twins.some(({ id }) => id === machine.id) === true) machine.kill();
      if (!staysSlow) machine.disk.faults.syncMs = () => 0.1 + machine.random() * 2;
      this.#scene.time.at(this.#scene.time.now + this.#random() * 2000, () => machine.start());
    }
    this.#scene.cutBetween([this.#scene.clients.all, rest]);
    this.#scene.clients.heal(part, staysSlow);
    return part;
  }

  /** In a secured cluster its eviction may be committed after all has healed, too. */
  hasPlace(machine: Machine): boolean {
    return !this.#scene.isSecured || this.#scene.checkers.access.hasPlace(memberOf(machine));
  }

  /**
   * Of several directories with the same peer id, takes the one that votes. The others are given up, and so are second
   * processes.
   */
  #oneForEachId(): Machine[] {
    const votes = (m: Machine) =>
      Number(this.#scene.checkers.configurations.voterSets.at(-1)?.includes(memberOf(m)) === true);
    const chosen = new Map<number, Machine>();
    for (const machine of this.#scene.machines) {
      const other = chosen.get(machine.id);
      if (other === undefined || votes(machine) > votes(other)) chosen.set(machine.id, machine);
    }
    return [...chosen.values()];
  }

  /**
   * Returns false where the part has lost its majority after all, because voters broke for good just when they were
   * promoted.
   */
  drain(part: readonly Machine[]): boolean {
    const calm = () => this.#unrest(part) === null;
    const boundMs = DRAIN_MS + this.#slownessMs(part);
    this.#scene.time.runUntil(this.#healedAt(part) + boundMs, calm);
    const unrest = this.#unrest(part);
    if (unrest !== null && !this.#scene.losses.isMajority(part)) return false;
    if (unrest !== null) throw new Violation("I9", `${unrest}, ${boundMs / 1000} s after a majority had healed`);
    this.#scene.time.runUntil(this.#scene.time.now + 2000);
    return true;
  }

  /**
   * A frozen process counts from the time when it goes on; a peer whose directory was emptied is let in when the
   * eviction time is over [M6].
   */
  #healedAt(part: readonly Machine[]): number {
    const refused = part.some((m) => this.#scene.checkers.configurations.isReplacing(memberOf(m)))
      ? TIMINGS.eviction + RESTART_MS
      : 0;
    const all = [...part, ...this.#scene.clients.all];
    return Math.max(this.#scene.time.now, ...all.map((m) => m.running?.clock.pausedUntil ?? 0)) + refused;
  }

  /** How much longer the bound of I9 is where lines and disks stay slow. */
  #slownessMs(part: readonly Machine[]): number {
    if (this.#plan.ending !== "heal-slow") return 0;
    const given = (verb: Verb, at: number) =>
      this.#plan.steps.filter((s) => s.verb === verb).map((s) => Number(s.args[at]));
    const slowest = (verb: Verb, at: number) => Math.max(0, ...given(verb, at));
    const narrowest = Math.min(...given("narrow", 1));
    const roundMs = 2 * slowest("slow-link", 2) + slowest("slow-disk", 1) + (8 * NARROW_ROUND_BYTES) / narrowest;
    const waiting = [...part, ...this.#scene.clients.all].map(({ name }) => this.#scene.checkers.undelivered(name));
    const sessions = Math.max(...waiting.map((ids) => new Set(ids.map((id) => id.slice(0, id.lastIndexOf(".")))).size));
    const windows = Math.ceil(waiting.flat().length / WINDOW_MESSAGES);
    return roundMs * (DRAIN_ROUNDS + DRAIN_ROUNDS_MORE * (sessions + windows));
  }

  #unrest(part: readonly Machine[]): string | null {
    // A peer that quit, or was refused, is started again: all of the part must run.
    for (const machine of part) if (machine.running === null && machine.idle) machine.start();
    let commit = -1;
    for (const machine of part.filter((m) => this.hasPlace(m))) {
      const status = this.#scene.status(machine);
      if (status === null) return `peer ${machine.site} is down`;
      if (status.leader_id === null) return `peer ${machine.site} knows no leader`;
      if (status.pending > 0) return `peer ${machine.site} has ${status.pending} messages pending`;
      if (commit >= 0 && status.commit_index !== commit)
        return `peer ${machine.site} stands at ${status.commit_index}, another at ${commit}`;
      commit = status.commit_index;
      if (!this.#scene.checkers.hasHandledAll(machine.name))
        return `the application of peer ${machine.site} is not done with what was delivered`;
    }
    return this.#scene.clients.unrest(part, commit);
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
