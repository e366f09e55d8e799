/** What each step of a plan does to the world. */

import type { VirtualClient } from "./clients.ts";
import { expectation } from "./expect.ts";
import { durableJson, firstIndex, logPaths, rewritten } from "./files.ts";
import { forge, INVENTED_FROM, knock, sendBytes, usurp } from "./hostile-steps.ts";
import type { Machine } from "./machine.ts";
import type { Verb } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { TRUST_STEPS } from "./trust-steps.ts";
import { Violation } from "./violation.ts";

/** Steps that are not about one peer. */
export const WITHOUT_PEER: ReadonlySet<Verb> = new Set<Verb>(["split", "heal", "expect", "move-all", "put-back"]);
export const CRASHES: ReadonlySet<Verb> = new Set<Verb>([
  ...(["kill", "vanish", "power-cut", "wipe", "empty", "rollback", "put-back"] as const),
  ...(["move", "move-all", "swap"] as const),
]);

/** A machine that was moved is started again within this time. */
const MOVING_MS = 500;

type Carry = (this: Stage, machine: Machine, args: readonly string[]) => void;
type CarryAtClient = (this: Stage, client: VirtualClient, args: readonly string[]) => void;

/** The steps that can be done to a client, whose site is named first. */
export const CLIENT_STEPS: Partial<Record<Verb, CarryAtClient>> = {
  attach(client, [, peer]) {
    const to = this.machine(peer);
    if (to !== undefined) client.start(to.port);
  },
  say(client, [, text]) {
    this.say(client, text as string);
  },
  kill(client) {
    client.kill();
  },
  vanish(client) {
    client.vanish();
  },
  pause(client, [, ms]) {
    client.running?.clock.pause(Number(ms));
  },
  cut(client, [, peer]) {
    const from = this.machine(peer);
    if (from !== undefined) this.cutBetween([[client], [from]]);
  },
  isolate(client) {
    this.cutBetween([[client], this.machines]);
  },
  flood(client, [, count]) {
    for (let i = 0; i < Number(count); i++) this.say(client, floodText(i));
  },
  narrow(client, [, kbits]) {
    this.network.lines.narrow(client.site, Number(kbits));
  },
  "slow-link"(client, [, peer, ms, least = 0]) {
    for (const [from, to] of [
      [client.site, Number(peer)],
      [Number(peer), client.site],
    ] as const)
      this.network.lines.slow(from, to, Number(ms), Number(least));
  },
  reset(client, [, peer]) {
    this.network.reset(client.site, Number(peer));
  },
  heal(client) {
    for (const { site } of this.machines) {
      this.network.heal(client.site, site);
      this.network.heal(site, client.site);
    }
  },
};

/** How each verb is carried out. */
export const STEPS: Record<Verb, Carry> = {
  // This step is only for clients.
  attach() {},

  start(machine, [, seeds]) {
    this.startMachine(machine, seeds === undefined ? null : seeds.split(",").map(Number));
  },
  application(machine, [, ms]) {
    this.embed(machine, Number(ms));
  },
  say(machine, [, text]) {
    this.say(machine, text as string);
  },
  flood(machine, [, count]) {
    for (let i = 0; i < Number(count); i++) this.say(machine, floodText(i));
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

  ...TRUST_STEPS,

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
  "slow-link"(machine, [, to, ms, least = 0]) {
    this.network.lines.slow(machine.site, Number(to), Number(ms), Number(least));
  },
  "lossy-link"(machine, [, to, percent]) {
    this.network.lines.lose(machine.site, Number(to), Number(percent));
  },
  narrow(machine, [, kbits]) {
    this.network.lines.narrow(machine.site, Number(kbits));
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
    if (call === "send") {
      machine.sendsLeft = left;
      return;
    }
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
  "wall-clock"(machine, [, ms]) {
    machine.running?.clock.setWall(Number(ms));
  },
  twin(machine) {
    if (this.machines.length < 8) this.addTwin(machine);
  },

  double(machine) {
    this.addDouble(machine.owner);
  },
  clone(machine) {
    this.addClone(machine);
  },
  "clone-seen"(machine) {
    if (this.losses.allow(machine) && this.isCalm) this.cloneSeen(machine);
  },

  move(machine, [, seeds]) {
    machine.kill();
    machine.port = this.freshPort();
    startElsewhere(this, machine, seeds);
  },
  "move-all"(_machine, [seeds]) {
    for (const machine of this.machines) machine.kill();
    for (const machine of this.machines) machine.port = this.freshPort();
    for (const machine of this.machines) startElsewhere(this, machine, seeds);
  },
  swap(machine, [, other]) {
    const to = this.machine(other);
    if (to === undefined || to === machine) return;
    for (const one of [machine, to]) one.kill();
    [machine.port, to.port] = [to.port, machine.port];
    for (const one of [machine, to]) startElsewhere(this, one, undefined);
  },

  "power-cut"(machine) {
    machine.cutPower();
  },
  full(machine) {
    machine.disk.faults.capacity = 0;
  },
  "no-names"(machine) {
    machine.disk.faults.filesMax = 0;
  },
  room(machine) {
    machine.disk.faults.capacity = Number.POSITIVE_INFINITY;
    machine.disk.faults.filesMax = Number.POSITIVE_INFINITY;
  },
  "slow-disk"(machine, [, ms, least = 0]) {
    machine.disk.faults.syncMs = () => between(Number(least), Number(ms), machine.random());
  },
  "fail-sync"(machine) {
    machine.forgets = true;
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
  rewrite(machine) {
    machine.killAll();
    this.losses.note(machine);
    machine.disk.damage(logPaths(machine).at(-1) as string, (bytes) => rewritten(bytes, "never said"));
  },
  snapshot(machine) {
    machine.takeSnapshot();
  },
  rollback(machine) {
    // Only the others can tell it, so they must be there [D6].
    if (machine.snapshot === null || !this.losses.allow(machine) || !this.isCalm) return;
    this.losses.note(machine);
    machine.rollBack();
    this.rolledBack(machine);
  },
  "put-back"(_machine, [group = ""]) {
    const machines = group.split(",").flatMap((site) => this.machine(site) ?? []);
    if (machines.every((m) => m.snapshot !== null)) this.putBack(machines);
  },
  wipe(machine) {
    // A founder with an empty directory and no seeds would found another cluster, and cannot know better [M1].
    if (!this.losses.allow(machine)) return;
    this.losses.note(machine);
    machine.wipe();
    seedWithOthers(this, machine);
  },
  empty(machine) {
    this.losses.note(machine);
    machine.wipe();
    machine.seeds.length = 0;
  },

  garbage(machine) {
    const noise = Uint8Array.from({ length: 400 }, () => Math.floor(machine.random() * 256));
    sendBytes(this, machine, noise);
  },
  giant(machine) {
    sendBytes(this, machine, new Uint8Array(2 * 1024 * 1024).fill(0x61));
  },
  usurp(machine, [, terms, as]) {
    usurp(this, machine, Number(terms), as === undefined ? undefined : this.machine(as));
  },
  forge(machine, [, as, count]) {
    const member = this.machine(as);
    if (member !== undefined) forge(this, machine, member, Number(count));
  },
  knock(machine, [, count, as]) {
    knock(this, machine, Number(count), as === undefined ? INVENTED_FROM : Number(as));
  },

  expect(_machine, [claim]) {
    const failure = expectation(this, claim as string);
    if (failure !== null) throw new Violation("expect", `${claim}: ${failure}`);
  },
};

function floodText(i: number): string {
  return `flood ${i} ${"x".repeat((i * 37) % 400)}`;
}

/** Up to `most`, and never less than `least`: the same for both makes it constant. */
function between(least: number, most: number, random: number): number {
  return least + Math.max(0, most - least) * random;
}

/** The machine lost power in the middle of a call: nothing after that call ran in its process. */
export class PowerCut extends Error {}

/**
 * Damages the part of the log that the watermark covers, but for the newest entries: no disk may lose what it confirmed
 * a moment ago [D5].
 */
function damageLog(world: Stage, machine: Machine, change: (bytes: Uint8Array, at: number) => Uint8Array | null): void {
  const progress = durableJson(machine, "progress.json") as { durable: number } | null;
  const paths = logPaths(machine).filter((path) => firstIndex(path) <= (progress?.durable ?? 0));
  const path = paths[Math.floor(machine.random() * paths.length)];
  if (path === undefined || !world.losses.allow(machine)) return;
  machine.killAll();
  world.losses.note(machine);
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

function seedWithOthers(world: Stage, machine: Machine): void {
  if (machine.seeds.length === 0) machine.seeds.push(...othersOf(world, machine));
}

function othersOf(world: Stage, machine: Machine): number[] {
  return world.machines.map((m) => m.site).filter((site) => site !== machine.site && site < 100);
}

/** Starts a machine at another port, with the present addresses of all the others or of some. */
function startElsewhere(world: Stage, machine: Machine, seeds: string | undefined): void {
  const named = seeds?.split(",").map(Number) ?? othersOf(world, machine);
  const others = named.filter((site) => site !== machine.site);
  world.time.at(world.time.now + machine.random() * MOVING_MS, () => world.startMachine(machine, others));
}
