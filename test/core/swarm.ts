/**
 * One random run: peers join, fail, part and return while everybody talks; then a part with a majority heals, and
 * everything pending there must be delivered within a bounded time [I9]. Each seed enables its own subset of faults.
 */
import type { MemberKey } from "../../src/core/ids.ts";
import type { Configuration, Settled } from "../../src/core/message.ts";
import { name } from "./checker.ts";
import { Cluster, type Site } from "./harness.ts";

const HEAL_MS_MAX = 20_000;
/** Frames per second and pair of peers, when nothing happens, that are still calm. */
const CALM_FRAMES_MAX = 30;

const FAULTS = [
  "crash", "crash-all", "cut", "split", "star", "one-way", "loss", "blip", "freeze", "slow-sync", "disk-full",
  "transfer", "evict", "quit", "wipe", "damage", "lose-outbox", "move", "gather",
] as const;
type Fault = (typeof FAULTS)[number];

export function swarm(seed: number, tracing = false): Cluster {
  const cluster = new Cluster({ seed, timings: { eviction: seed % 3 === 0 ? 60_000 : 2_500 } });
  cluster.tracing = tracing;
  try {
    new Swarm(cluster).run();
  } catch (error) {
    if (error instanceof Error) {
      error.message = `seed ${seed} at ${cluster.now.toFixed(1)} ms: ${error.message}`;
      if (tracing) error.message += `\n${cluster.trace.slice(-Number(process.env.TAIL ?? 400)).join("\n")}`;
    }
    throw error;
  }
  return cluster;
}

class Swarm {
  readonly #c: Cluster;
  readonly #faults: readonly Fault[];
  readonly #size: number;

  constructor(cluster: Cluster) {
    this.#c = cluster;
    const few = 1 + this.#int(6);
    this.#faults = [...FAULTS].map((f) => ({ f, r: cluster.random() })).sort((a, b) => a.r - b.r).slice(0, few).map(({ f }) => f);
    this.#size = 1 + this.#int(5);
  }

  #int(n: number): number {
    return Math.floor(this.#c.random() * n);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#int(from.length)];
  }

  run(): void {
    const c = this.#c;
    const slow = c.random() < 0.2 ? 60 : 3;
    c.delayMs = () => 0.2 + c.random() * slow;
    c.chunk = 1 + this.#int(20);
    c.note(`faults ${this.#faults.join(" ")}; ${this.#size} peers`);
    const ids = [1, 2, 3, 4, 5, 6].map((id) => ({ id, r: c.random() })).sort((a, b) => a.r - b.r).map(({ id }) => id);
    const founder = c.found(ids[0] as number, ...ids);
    this.#start(founder);
    for (let i = 1; i < this.#size; i++) {
      const site = c.join(ids[i] as number, ...ids);
      c.after(this.#int(c.random() < 0.5 ? 300 : 6000), () => this.#start(site));
    }
    const spare = ids[this.#size] as number;
    if (c.random() < 0.3) c.after(4000 + this.#int(8000), () => this.#start(c.join(spare, ...ids)));
    const until = 3000 + this.#int(15_000);
    if (c.random() < 0.7) c.run(1500);
    while (c.now < until) {
      c.run(-Math.log(1 - c.random()) * (c.random() < 0.3 ? 20 : 500));
      if (c.random() < 0.5) this.#talk(1 + this.#int(c.random() < 0.1 ? 60 : 4));
      else this.#harm();
    }
    this.#heal();
  }

  #start(site: Site): void {
    if (site.running || site.gone) return;
    const c = this.#c;
    const ms = 0.2 + c.random() * 2;
    site.syncMs = () => ms * (0.5 + c.random());
    if (this.#faults.includes("gather")) site.runMs = () => (c.random() < 0.5 ? 0 : c.random() * 3);
    c.start(site);
  }

  #talk(count: number): void {
    const site = this.#pick(this.#c.running.filter((s) => s.held === null));
    if (site === undefined || site.core.quitting) return;
    this.#c.submit(site, count, this.#c.random() < 0.7 ? "r" : "q");
  }

  #harm(): void {
    const c = this.#c;
    const fault = this.#pick([...this.#faults, "restart", "restart", "mend"] as const);
    const sites = c.sites.filter((s) => !s.gone);
    const site = this.#pick(sites) as Site;
    const other = this.#pick(sites.filter((s) => s !== site));
    const ways = ["silent", "closed"] as const;
    switch (fault) {
      case "restart":
        for (const s of sites) if (!s.running && c.random() < 0.6) this.#start(s);
        return;
      case "mend":
        c.mendAll();
        for (const s of sites) this.#relieve(s);
        return;
      case "crash":
        return c.crash(site);
      case "crash-all":
        for (const s of sites) c.crash(s);
        for (const s of sites) c.after(this.#int(500), () => this.#start(s));
        return;
      case "cut":
        if (other !== undefined) c.cut(site, other, this.#pick(ways));
        return;
      case "split": {
        const side = new Set(sites.filter(() => c.random() < 0.5));
        const how = this.#pick(ways);
        for (const a of sites) for (const b of sites) if (side.has(a) && !side.has(b)) c.cut(a, b, how);
        return;
      }
      case "star":
        for (const a of sites) for (const b of sites) if (a !== site && b !== site && a !== b) c.cut(a, b);
        return;
      case "one-way":
        if (other !== undefined) c.setWay(site, other, "silent");
        return;
      case "loss":
        if (other !== undefined) c.setWay(site, other, "open", c.random() * 0.4);
        return;
      case "blip":
        for (const a of sites) for (const b of sites) if (c.random() < 0.3) c.blip(a, b);
        return;
      case "freeze":
        c.freeze(site);
        c.after(this.#int(5000), () => c.thaw(site));
        return;
      case "slow-sync": {
        const ms = c.random() < 0.3 ? 4000 : 150;
        site.syncMs = () => c.random() * ms;
        c.after(this.#int(6000), () => this.#relieve(site));
        return;
      }
      case "disk-full":
        if (!site.running || site.disk.full) return;
        site.disk.full = true;
        c.input(site, { type: "disk-full" });
        c.after(this.#int(4000), () => this.#relieve(site));
        return;
      case "transfer":
        if (site.running) c.input(site, { type: "transfer", to: other?.id ?? 0 });
        return;
      case "evict":
        if (site.running && other !== undefined) c.input(site, { type: "evict", id: other.id });
        return;
      case "quit":
        if (site.running && site.held === null) c.quit(site);
        return;
      case "wipe":
        if (!this.#canLose(site) || c.running.length === 0) return;
        this.#start(c.wipe(site, 1, 2, 3, 4, 5, 6));
        return;
      case "damage": {
        if (!this.#canLose(site)) return;
        c.crash(site);
        const from = 1 + this.#int(site.disk.written.length);
        // One that no longer knows anybody else is told so by its host, and does not start.
        const known = site.disk.written.slice(0, from - 1).findLast((e) => e.kind === "config" || e.kind === "genesis");
        const members = (known?.data as Configuration | undefined)?.members ?? [];
        if (members.filter((m) => m.role !== "left").length > 1) c.damage(site, from);
        return;
      }
      case "lose-outbox":
        c.crash(site);
        return site.disk.loseOutbox(c.random);
      case "move":
        c.crash(site);
        site.port += 100;
        return this.#start(site);
    }
  }

  #relieve(site: Site): void {
    const c = this.#c;
    if (site.disk.full) {
      site.disk.full = false;
      if (site.running) c.input(site, { type: "disk-ok" });
    }
    const ms = 0.2 + c.random() * 2;
    site.syncMs = () => ms * (0.5 + c.random());
    c.thaw(site);
  }

  // ── healing ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Every set of voters that may decide anything from here on: of the last settled configuration and all after it. */
  #sets(): MemberKey[][] {
    const c = this.#c;
    const settles = c.checker.chosen.findLast((e) => e.kind === "settled");
    const base = settles === undefined ? 1 : (settles.data as Settled).config_index;
    const sets: MemberKey[][] = [];
    for (const { index, configuration } of c.checker.configurations.values()) {
      if (index < base) continue;
      if (index === base && (c.checker.chosen[base - 1]?.data as Configuration) !== configuration) continue;
      sets.push(configuration.members.filter((m) => m.role === "voter"));
      if (configuration.prev_voters.length > 0 && index > base) sets.push([...configuration.prev_voters]);
    }
    return sets;
  }

  #majorities(sites: readonly Site[]): boolean {
    const names = new Set(sites.filter((s) => !s.gone && !s.disk.faulty).map(name));
    return this.#sets().every((set) => set.filter((v) => names.has(name(v))).length > set.length / 2);
  }

  /** Without this directory's content there would still be a majority of every set. */
  #canLose(site: Site): boolean {
    return this.#majorities(this.#c.sites.filter((s) => s !== site));
  }

  #heal(): void {
    const c = this.#c;
    const all = c.sites.filter((s) => !s.gone).map((s) => ({ s, r: c.random() })).sort((a, b) => a.r - b.r).map(({ s }) => s);
    let part = [...all];
    for (let n = 1; n <= all.length; n++) {
      part = all.slice(0, n);
      if (this.#majorities(part) && c.random() < 0.7) break;
    }
    c.note(`heals ${part.map((s) => s.id).join(" ")}`);
    for (const a of all) for (const b of all) if (part.includes(a) && !part.includes(b)) c.cut(a, b);
    for (const a of part) for (const b of part) c.mend(a, b);
    for (const s of part) {
      this.#relieve(s);
      if (!s.running || s.core.quitting) {
        c.crash(s);
        this.#start(s);
      }
      c.submit(s, 1 + this.#int(3));
    }
    const restart = new Set<Site>();
    const admitted = () =>
      part.filter((s) => {
        if (s.running) return true;
        // One that was refused for the sake of its predecessor tries again.
        if (!restart.has(s)) {
          restart.add(s);
          c.after(500, () => {
            restart.delete(s);
            this.#start(s);
          });
        }
        return false;
      });
    // A configuration made just before the cut may need more than this part: then more of them heal.
    for (let n = 0; n < 3; n++) {
      c.run(1500);
      for (const s of all) {
        if (part.includes(s) || this.#majorities(part)) continue;
        part.push(s);
        for (const other of part) c.mend(s, other);
        this.#relieve(s);
        this.#start(s);
      }
    }
    const awaited = () => {
      const settled = admitted();
      const mustBe = part.filter((s) => c.timings.eviction < HEAL_MS_MAX / 2 || !this.#mayBeRefused(s));
      return mustBe.every((s) => settled.includes(s)) && c.calm(mustBe);
    };
    if (!c.run(HEAL_MS_MAX, awaited)) c.checker.fail(`[I9] not drained in ${HEAL_MS_MAX} ms: ${this.#state(part)}`);
    c.run(1500);
    const frames = c.frames;
    c.run(2000);
    const pairs = Math.max(1, (c.running.length * (c.running.length - 1)) / 2);
    if ((c.frames - frames) / 2 / pairs > CALM_FRAMES_MAX)
      c.checker.fail(`[I10] ${(c.frames - frames) / 2 / pairs} frames per second and pair while nothing happens`);
  }

  /** An emptied directory is turned away until its predecessor has been away for the eviction time [M6]. */
  #mayBeRefused(site: Site): boolean {
    const role = this.#c.roleOf(site) ?? "left";
    return role === "left" && this.#c.sites.some((s) => s !== site && s.id === site.id);
  }

  #state(part: readonly Site[]): string {
    return part
      .map((s) => {
        if (!s.running) return `${s.id} down`;
        const { log, sender, leader } = s.core;
        const newest = log.state.newest;
        const members = newest?.configuration.members.map((m) => `${m.id}${m.role[0]}`).join("");
        return `${s.id}.${s.inc}: ${s.core.shownRole} of ${leader?.ballot.leader_id ?? "none"} promised ${s.core.promised.term}.${s.core.promised.leader_id} log ${log.commit}/${log.durable}/${log.last} pending ${sender.pending} members ${members}${newest?.settled === 0 ? " joint" : ""}${s.core.faulty ? " faulty" : ""}`;
      })
      .join("; ");
  }
}
