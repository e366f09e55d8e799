/**
 * A cluster of core peers in virtual time: links that delay, lose and break, disks that lag and forget, processes that
 * pause and crash. Carries out a core's outputs as the contract at `Output` says. Everything follows from one seed.
 */
import { DEFAULT_TIMINGS, type Timings } from "../../src/core/config.ts";
import { type Ballot, type LinkId, type MemberKey, type PeerId, sameBallot } from "../../src/core/ids.ts";
import type { CatchupResp, Configuration, Draft, Entry, Frame, Genesis } from "../../src/core/message.ts";
import { type Input, type Output, Peer } from "../../src/core/peer.ts";
import { Checker, name } from "./checker.ts";
import { ModelDisk } from "./model-disk.ts";

export interface ClusterOptions {
  readonly seed: number;
  readonly timings?: Partial<Timings>;
}

/** How the network between two peers, in one direction, behaves. */
interface Way {
  /** "silent": frames vanish. "closed": no connection at all. */
  state: "open" | "silent" | "closed";
  since: number;
  loss: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** One data directory and the process on it, if one runs. */
export class Site {
  readonly id: PeerId;
  readonly inc: string;
  readonly disk = new ModelDisk();
  readonly seeds: readonly PeerId[];
  port: number;
  boot = 0;
  peer: Peer | null = null;
  readonly links = new Map<LinkId, Link>();
  /** Inputs held back while the process is frozen. */
  held: Input[] | null = null;
  frozenAt = 0;
  /** Milliseconds that a sync takes. */
  syncMs: () => number;
  /** Milliseconds between an input and the outputs that follow from it: inputs gather meanwhile. */
  runMs: () => number;
  scheduled = false;
  syncing = false;
  timer = 0;
  session = "";
  /** The directory was emptied or thrown away: nothing will ever start on it again. */
  gone = false;
  stopReason: string | null = null;
  refusals: string[] = [];
  notices: string[] = [];
  roles: string[] = [];
  /** Message ids told as sent, newest process. */
  readonly sent: { msg_id: string; at: number; index: number }[] = [];
  commit = 0;

  constructor(id: PeerId, inc: string, seeds: readonly PeerId[], syncMs: () => number) {
    this.id = id;
    this.inc = inc;
    this.seeds = seeds;
    this.port = 6000 + id;
    this.syncMs = syncMs;
    this.runMs = () => 0;
  }

  get running(): boolean {
    return this.peer !== null;
  }

  /** The core; only while running. */
  get core(): Peer {
    if (this.peer === null) throw new Error(`peer ${this.id} does not run`);
    return this.peer;
  }

  get leads(): boolean {
    return this.peer !== null && this.peer.leadership !== null;
  }
}

interface End {
  readonly site: Site;
  readonly boot: number;
  readonly link: LinkId;
  up: boolean;
  downed: boolean;
  /** When the last control frame, and the last frame of all, arrives here. */
  controlAt: number;
  bulkAt: number;
}

export class Link {
  readonly ends: readonly [End, End];
  broken = false;
  /** Frames of before a blip are lost. */
  epoch = 0;

  constructor(a: End, b: End) {
    this.ends = [a, b];
  }

  at(site: Site): End {
    return this.ends[0].site === site ? this.ends[0] : this.ends[1];
  }

  beyond(site: Site): End {
    return this.ends[0].site === site ? this.ends[1] : this.ends[0];
  }
}

const SCAN_MS = 20;
/** More events than this in one virtual second are a storm. */
const EVENTS_PER_SECOND_MAX = 60_000;

export class Cluster {
  now = 0;
  readonly random: () => number;
  readonly checker = new Checker();
  readonly timings: Timings;
  readonly sites: Site[] = [];
  /** Newest lines of what happened, for a person who looks into a failing seed. */
  readonly trace: string[] = [];
  tracing = false;
  delayMs: () => number;
  /** Called for every frame sent; returning false loses it. */
  onFrame: (from: Site, to: Site, frame: Frame) => boolean = () => true;
  frames = 0;
  /** Entries of one CATCHUP_RESP. */
  chunk = 16;
  #queue: Event[] = [];
  #order = 0;
  #links = new Set<Link>();
  #ways = new Map<string, Way>();
  #nextLink = 1;
  #window = 0;
  #inWindow = 0;
  #incs = 0;

  constructor({ seed, timings }: ClusterOptions) {
    this.random = seeded(seed);
    this.timings = { ...DEFAULT_TIMINGS, ...timings };
    this.delayMs = () => 1;
    this.after(0, () => this.#scan());
  }

  // ── sites ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A new directory that founds a cluster. */
  found(id: PeerId, ...seeds: PeerId[]): Site {
    const site = this.#make(id, seeds);
    const genesis: Genesis = {
      cluster_id: "cluster",
      segment_entries: 1000,
      segment_bytes: 1_000_000,
      members: [{ id, inc: site.inc, host: "h", port: site.port, role: "voter" }],
      prev_voters: [],
    };
    const first = blankEntry(id, site.inc, genesis);
    seal(first, 0);
    site.disk.append([first]);
    this.checker.onAppend(site, [first]);
    site.disk.synced = [first];
    this.checker.onSynced(site);
    return site;
  }

  /** A new, empty directory that joins through seeds. */
  join(id: PeerId, ...seeds: PeerId[]): Site {
    return this.#make(id, seeds);
  }

  #make(id: PeerId, seeds: PeerId[]): Site {
    const site = new Site(id, `i${++this.#incs}`, seeds, () => 1);
    this.sites.push(site);
    return site;
  }

  /** The newest directory of an id that is not gone. */
  site(id: PeerId): Site {
    const site = this.sites.findLast((s) => s.id === id && !s.gone);
    if (site === undefined) throw new Error(`there is no site ${id}`);
    return site;
  }

  start(site: Site): void {
    if (site.running || site.gone) throw new Error(`peer ${site.id} cannot start`);
    site.boot += 1;
    site.session = `s${site.inc}x${site.boot}`;
    site.stopReason = null;
    site.syncing = false;
    site.scheduled = false;
    site.held = null;
    const restored = site.disk.restore();
    this.checker.onSynced(site);
    this.checker.onPromised(site);
    this.checker.onStart(site, restored.commit);
    site.commit = restored.commit;
    site.peer = new Peer(
      {
        self: { id: site.id, inc: site.inc },
        address: { host: "h", port: site.port },
        timings: this.timings,
        seal,
        random: this.random,
        session: site.session,
      },
      restored,
      this.now,
    );
    this.note(`start ${site.id} log ${restored.durable} commit ${restored.commit}${restored.faulty ? " faulty" : ""}`);
    this.#schedule(site);
  }

  /** kill -9 or a power cut. */
  crash(site: Site): void {
    if (!site.running) return;
    this.note(`crash ${site.id}`);
    this.#noteCommit(site);
    site.disk.crash(this.random);
    this.#end(site);
  }

  /** Leaves in good order; the core's `stop` ends the process. */
  quit(site: Site): void {
    this.input(site, { type: "quit" });
  }

  #end(site: Site): void {
    site.boot += 1;
    site.peer = null;
    site.held = null;
    for (const link of site.links.values()) this.break(link);
    site.links.clear();
  }

  #stop(site: Site, reason: string): void {
    this.note(`stop ${site.id}: ${reason}`);
    this.#noteCommit(site);
    site.disk.full = false;
    site.disk.synced = [...site.disk.written];
    this.checker.onSynced(site);
    site.stopReason = reason;
    if (site.disk.promising !== null) site.disk.promised = site.disk.promising;
    site.disk.promising = null;
    this.#end(site);
  }

  /** Somewhere between what was noted before and the truth. */
  #noteCommit(site: Site): void {
    const { disk } = site;
    const commit = Math.min(site.commit, disk.ordered.length);
    if (commit > disk.commit) disk.commit += Math.floor(this.random() * (commit - disk.commit + 1));
  }

  /** Empties the directory: the same id comes back as another incarnation. */
  wipe(site: Site, ...seeds: PeerId[]): Site {
    if (site.running) this.crash(site);
    site.gone = true;
    this.note(`wipe ${site.id}`);
    return this.join(site.id, ...seeds);
  }

  /** Loses everything from `from` on, below the watermark [D5]. The process must be down. */
  damage(site: Site, from: number): void {
    const { disk } = site;
    disk.written = disk.written.slice(0, from - 1);
    disk.faulty = true;
    disk.commit = Math.min(disk.commit, from - 1);
    this.note(`damage ${site.id} from ${from}`);
  }

  freeze(site: Site): void {
    if (site.held !== null || !site.running) return;
    this.note(`freeze ${site.id}`);
    site.held = [];
    site.frozenAt = this.now;
  }

  thaw(site: Site): void {
    const held = site.held;
    if (held === null || site.peer === null) return;
    this.note(`thaw ${site.id}`);
    site.held = null;
    // Expired timers run before queued input.
    site.peer.step({ type: "tick" }, this.now);
    this.#run(site);
    for (const input of held) this.input(site, input);
  }

  submit(site: Site, count = 1, room = "r"): string[] {
    const peer = site.core;
    const first = peer.sender.nextCounter;
    const drafts: Draft[] = [];
    for (let i = 0; i < count; i++)
      drafts.push({ room_id: room, user: `u${site.id}`, ts: Math.floor(this.now), payload: `${site.session} ${first + i}` });
    this.checker.onSubmit(site, site.session, first, drafts);
    site.disk.keep(site.session, drafts);
    this.note(`submit ${site.id} ${first}..${first + count - 1}`);
    this.input(site, { type: "submit", drafts });
    return drafts.map((_, i) => `${site.id}.${site.session}.${first + i}`);
  }

  // ── inputs and outputs ─────────────────────────────────────────────────────────────────────────────────────────

  input(site: Site, input: Input): void {
    if (site.peer === null) return;
    if (site.held !== null) {
      site.held.push(input);
      return;
    }
    site.peer.step(input, this.now);
    this.#schedule(site);
  }

  #schedule(site: Site): void {
    if (site.scheduled) return;
    site.scheduled = true;
    const { boot } = site;
    this.after(site.runMs(), () => {
      if (site.boot === boot && site.peer !== null) this.#run(site);
    });
  }

  #run(site: Site): void {
    site.scheduled = false;
    const peer = site.peer;
    if (peer === null) return;
    if (site.held !== null) return;
    const { boot } = site;
    peer.settle(this.now);
    for (const output of peer.takeOutputs()) {
      this.#carryOut(site, peer, output);
      if (site.peer !== peer) return;
    }
    if (peer.leadership !== null) this.checker.onLead(site, peer.leadership.ballot);
    peer.log.trim();
    this.#flush(site);
    const timer = ++site.timer;
    this.after(Math.max(0, peer.wakeAt() - this.now), () => {
      if (site.boot === boot && site.timer === timer) this.input(site, { type: "tick" });
    });
  }

  #carryOut(site: Site, peer: Peer, output: Output): void {
    const { disk } = site;
    switch (output.do) {
      case "append":
        this.checker.onAppend(site, output.entries);
        disk.append(output.entries);
        if (this.tracing)
          this.note(`${site.id} appends ${output.entries.map((e) => `${e.index}@${e.term}.${e.leader_id}${e.kind === "chat" ? "" : e.kind}`).join(" ")}`);
        return;
      case "truncate":
        this.note(`${site.id} truncates from ${output.from}`);
        this.checker.onTruncate(site, output.from);
        return disk.truncate(output.from);
      case "promise":
        return this.#promise(site, output.ballot);
      case "send":
        return this.#send(site, output.link, output.frame);
      case "serve":
        return this.#serve(site, output);
      case "commit":
        this.checker.onCommit(site, output.through);
        this.note(`${site.id} commits through ${output.through}`);
        site.commit = output.through;
        if (this.random() < 0.2) disk.commit = output.through;
        return;
      case "sent": {
        this.checker.onSent(site, output.entry);
        const session = output.entry.msg_id.split(".")[1] as string;
        disk.settle(session);
        site.sent.push({ msg_id: output.entry.msg_id, at: this.now, index: output.entry.index });
        return;
      }
      case "repaired":
        this.note(`${site.id} is repaired`);
        disk.faulty = false;
        return;
      case "refuse": {
        this.note(`${site.id} refuses: ${output.message}`);
        const link = site.links.get(output.link);
        if (link === undefined) return;
        // Its process says why and ends, as the host's does.
        const refused = link.beyond(site);
        refused.site.refusals.push(output.code);
        this.break(link);
        return this.after(this.delayMs(), () => {
          if (refused.site.boot === refused.boot) this.crash(refused.site);
        });
      }
      case "stop":
        return this.#stop(site, output.reason);
      case "role":
        site.roles.push(output.role);
        return this.note(`${site.id} role ${output.role} term ${output.term} leader ${output.leader_id}`);
      case "notice":
        site.notices.push(output.code);
        return this.note(`${site.id} notice ${output.code}: ${output.message}`);
      case "member":
        return;
      case "debug":
        return this.note(`${site.id} ${output.message}`);
    }
  }

  #flush(site: Site): void {
    const { disk, boot } = site;
    if (site.syncing || site.peer === null) return;
    if (disk.written.length === disk.synced.length && disk.written.at(-1)?.crc === disk.synced.at(-1)?.crc) return;
    site.syncing = true;
    const covered = [...disk.written];
    this.after(site.syncMs(), () => {
      if (site.boot !== boot || site.peer === null) return;
      site.syncing = false;
      const through = disk.confirm(covered);
      this.checker.onSynced(site);
      this.input(site, { type: "durable", index: through });
      this.#flush(site);
    });
  }

  /** One write of the promise file at a time, the newest promise wins. */
  #promise(site: Site, ballot: Ballot): void {
    const { disk, boot } = site;
    const busy = disk.promising !== null;
    disk.promising = ballot;
    this.note(`${site.id} promises ${ballot.term}.${ballot.leader_id}`);
    if (busy) return;
    const write = (): void => {
      const writing = disk.promising as Ballot;
      this.after(site.syncMs(), () => {
        if (site.boot !== boot || site.peer === null) return;
        disk.promised = writing;
        this.checker.onPromised(site);
        this.input(site, { type: "promised", ballot: writing });
        if (disk.promising !== null && sameBallot(disk.promising, writing)) disk.promising = null;
        else write();
      });
    };
    write();
  }

  #serve(site: Site, output: Extract<Output, { do: "serve" }>): void {
    const { written } = site.disk;
    const { after } = output;
    const prev = written[after.index - 1];
    if (after.index > 0 && (prev === undefined || !sameBallot(prev, after.ballot))) {
      if (site.disk.full) return;
      throw new Error(`peer ${site.id} is to serve after ${after.index}, which its file does not hold`);
    }
    const count = 1 + Math.floor(this.random() * this.chunk);
    const frame: CatchupResp = {
      type: "CATCHUP_RESP",
      ballot: output.ballot,
      prev_index: after.index,
      prev_ballot: after.ballot,
      prev_crc: prev?.crc ?? 0,
      commit: site.core.log.commit,
      entries: written.slice(after.index, Math.min(after.index + count, output.through)),
      hint: null,
    };
    this.#send(site, output.link, frame);
  }

  // ── network ────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(site: Site, id: LinkId, frame: Frame): void {
    this.checker.onSend(site, frame);
    const link = site.links.get(id);
    if (link === undefined || link.broken) return;
    const there = link.beyond(site);
    const way = this.#way(site, there.site);
    this.frames += 1;
    if (!this.onFrame(site, there.site, frame)) return this.note(`lost ${describe(site, there.site, frame)}`);
    if (way.state !== "open" || (way.loss > 0 && this.random() < way.loss)) return this.note(`lost ${describe(site, there.site, frame)}`);
    const bulk = frame.type === "SEQ_CHAT" || frame.type === "CATCHUP_RESP" || frame.type === "CHAT";
    // Control frames may overtake bulk; nothing overtakes control [W5].
    const at = Math.max(this.now + this.delayMs(), there.controlAt, bulk ? there.bulkAt : 0);
    if (bulk) there.bulkAt = at;
    else there.controlAt = at;
    const { epoch } = link;
    this.at(at, () => {
      if (!there.up || there.downed || link.epoch !== epoch) return;
      if (this.tracing) this.note(`recv ${describe(site, there.site, frame)}`);
      this.input(there.site, { type: "frame", link: there.link, frame });
    });
  }

  #way(from: Site, to: Site): Way {
    const key = `${name(from)}>${name(to)}`;
    let way = this.#ways.get(key);
    if (way === undefined) this.#ways.set(key, (way = { state: "open", since: 0, loss: 0 }));
    return way;
  }

  /** Sets one direction. "closed" also breaks the connection. */
  setWay(from: Site, to: Site, state: Way["state"], loss = 0): void {
    const way = this.#way(from, to);
    if (way.state !== state) way.since = this.now;
    way.state = state;
    way.loss = loss;
    if (state === "closed") for (const link of [...from.links.values()]) if (link.beyond(from).site === to) this.break(link);
  }

  /** Cuts both directions, as a broken cable or a firewall does. */
  cut(a: Site, b: Site, state: "silent" | "closed" = "closed"): void {
    if (a === b) return;
    this.note(`cut ${a.id}|${b.id} ${state}`);
    this.setWay(a, b, state);
    this.setWay(b, a, state);
  }

  mend(a: Site, b: Site): void {
    if (a === b) return;
    this.setWay(a, b, "open");
    this.setWay(b, a, "open");
  }

  mendAll(): void {
    this.note("mend all");
    for (const way of this.#ways.values()) Object.assign(way, { state: "open", loss: 0 });
  }

  /** Loses everything under way on one connection without closing it, as a replaced connection may. */
  blip(a: Site, b: Site): void {
    for (const link of a.links.values()) if (link.beyond(a).site === b) link.epoch += 1;
  }

  linked(a: Site, b: Site): boolean {
    return [...a.links.values()].some((l) => l.beyond(a).site === b && !l.broken);
  }

  break(link: Link): void {
    if (link.broken) return;
    link.broken = true;
    this.#links.delete(link);
    const keep = this.random() < 0.5;
    for (const end of link.ends) {
      const soon = this.now + this.delayMs();
      const at = keep ? Math.max(soon, end.controlAt, end.bulkAt) : soon;
      if (!keep) link.epoch += 1;
      this.at(at, () => {
        end.downed = true;
        if (end.site.boot !== end.boot) return;
        end.site.links.delete(end.link);
        if (end.up) this.input(end.site, { type: "link-down", link: end.link });
      });
    }
  }

  connect(a: Site, b: Site): void {
    const end = (site: Site): End => ({
      site,
      boot: site.boot,
      link: this.#nextLink++,
      up: false,
      downed: false,
      controlAt: this.now + this.delayMs(),
      bulkAt: 0,
    });
    const link = new Link(end(a), end(b));
    this.#links.add(link);
    for (const here of link.ends) {
      const there = link.beyond(here.site);
      here.site.links.set(here.link, link);
      const { id, inc, port } = there.site;
      this.at(here.controlAt, () => {
        if (here.downed || here.site.boot !== here.boot || here.site.peer === null) return;
        here.up = true;
        this.input(here.site, { type: "link-up", link: here.link, peer: { id, inc, host: "h", port } });
      });
    }
  }

  /** Dials who is wanted and not connected; breaks what has been silent for too long. */
  #scan(): void {
    this.after(SCAN_MS, () => this.#scan());
    const silence = 2 * this.timings.leaderTimeout;
    for (const link of [...this.#links]) {
      const [a, b] = [link.ends[0].site, link.ends[1].site];
      const mute = (from: Site, to: Site) => {
        const way = this.#way(from, to);
        return (way.state !== "open" && this.now - way.since > silence) || (from.held !== null && this.now - from.frozenAt > silence);
      };
      if (mute(a, b) || mute(b, a)) this.break(link);
    }
    const awake = this.sites.filter((s) => s.running && s.held === null);
    for (const a of awake) {
      for (const b of awake) {
        if (a.id >= b.id || this.linked(a, b)) continue;
        if (this.#way(a, b).state !== "open" || this.#way(b, a).state !== "open") continue;
        if (wants(a, b) || wants(b, a)) this.connect(a, b);
      }
    }
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  at(at: number, run: () => void): void {
    push(this.#queue, { at: Math.max(at, this.now), order: this.#order++, run });
  }

  /** Runs until `done` holds or `ms` have passed; says whether it held. */
  run(ms: number, done: () => boolean = () => false): boolean {
    const end = this.now + ms;
    while (!done()) {
      const next = this.#queue[0];
      if (next === undefined || next.at > end) {
        this.now = end;
        return done();
      }
      pop(this.#queue);
      this.now = next.at;
      if (this.now - this.#window > 1000) {
        this.#window = this.now;
        this.#inWindow = 0;
      }
      if (++this.#inWindow > EVENTS_PER_SECOND_MAX) this.checker.fail("[I10] a storm of events");
      next.run();
    }
    return true;
  }

  note(line: string): void {
    if (!this.tracing) return;
    this.trace.push(`${this.now.toFixed(1)} ${line}`);
  }

  // ── what tests ask ─────────────────────────────────────────────────────────────────────────────────────────────

  get running(): Site[] {
    return this.sites.filter((s) => s.running);
  }

  get leader(): Site | null {
    return this.sites.find((s) => s.leads) ?? null;
  }

  /** The newest configuration that anybody delivered. */
  get configuration(): Configuration | null {
    return (this.checker.chosen.findLast((e) => e.kind === "config" || e.kind === "genesis")?.data as Configuration) ?? null;
  }

  roleOf(member: MemberKey): string | null {
    return this.configuration?.members.find((m) => m.id === member.id && m.inc === member.inc)?.role ?? null;
  }

  get voters(): PeerId[] {
    return (this.configuration?.members ?? []).filter((m) => m.role === "voter").map((m) => m.id);
  }

  /** No peer of `sites` has anything left to do: one leader, everything sent, delivered and settled everywhere. */
  calm(sites: readonly Site[] = this.running): boolean {
    const leader = sites.find((s) => s.leads);
    if (leader === undefined) return false;
    const { log } = leader.core;
    return (
      log.commit === log.last &&
      log.state.newest?.settled !== 0 &&
      sites.every((s) => s.running && s.core.sender.pending === 0 && s.core.leader !== null && s.core.leader.ballot.leader_id === leader.id && s.core.log.commit === log.commit)
    );
  }
}

function wants(a: Site, b: Site): boolean {
  const peer = a.core;
  if (peer.targets().some((t) => t.id === b.id)) return true;
  if (peer.membership.heardOf.some((t) => t.id === b.id)) return true;
  return peer.leader === null && a.seeds.includes(b.id);
}

function describe(from: Site, to: Site, frame: Frame): string {
  const { type, ...rest } = frame;
  const text = JSON.stringify(rest, (k, v) => (k === "entries" ? v.map((e: Entry) => e.index).join() : k.endsWith("allot") && v !== null ? `${v.term}.${v.leader_id}` : v));
  return `${from.id}→${to.id} ${type} ${text}`;
}

// ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Stands for the wire's serialisation: a chained sum over everything that an entry says. */
export function seal(entry: Entry, prevCrc: number): void {
  const { index, term, leader_id, inc, kind, room_id, seq_no, msg_id, user, ts, text, data } = entry;
  const line = `${index} ${term} ${leader_id} ${inc} ${kind} ${room_id} ${seq_no} ${msg_id} ${user} ${ts} ${text} ${data === null ? "" : JSON.stringify(data)}`;
  // 53 bits, so that chance never makes two logs look alike.
  let a = prevCrc >>> 0;
  let b = Math.floor(prevCrc / 4_294_967_296) ^ 0x9e3779b9;
  for (let i = 0; i < line.length; i++) {
    a = Math.imul(a ^ line.charCodeAt(i), 0x01000193) >>> 0;
    b = Math.imul(b ^ line.charCodeAt(i), 0x85ebca6b) + a;
  }
  entry.crc = (b & 0x1fffff) * 4_294_967_296 + (a >>> 0);
  entry.end = line.length + 20;
}

export function blankEntry(id: PeerId, inc: string, genesis: Genesis | null): Entry {
  return {
    index: 1,
    term: 0,
    leader_id: id,
    inc,
    kind: "genesis",
    room_id: "",
    seq_no: 0,
    sender_id: 0,
    msg_id: "",
    user: "",
    ts: 0,
    text: "",
    data: genesis,
    crc: 0,
    chunk: NO_BYTES,
    start: 0,
    end: 0,
  };
}

const NO_BYTES = new Uint8Array(0);

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function before(a: Event, b: Event): boolean {
  return a.at !== b.at ? a.at < b.at : a.order < b.order;
}

function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(event, heap[parent] as Event)) break;
    heap[i] = heap[parent] as Event;
    i = parent;
  }
  heap[i] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
    if (!before(heap[child] as Event, last)) break;
    heap[i] = heap[child] as Event;
    i = child;
  }
  heap[i] = last;
}
