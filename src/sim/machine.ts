/**
 * One simulated machine: a disk that outlives processes, and at most one process of the production host on it. `double`
 * may be another container on the same disk, which does not see this one.
 */
import { DEFAULT_TIMINGS, type Timings } from "../core/config.ts";
import type { PeerInfo } from "../core/log-entry.ts";
import { DEFAULT_ENGINE } from "../engines/default.ts";
import type { EngineFactory } from "../engines/engine.ts";
import type { MakeClient } from "../host/client/client-options.ts";
import type { DeliveredMessage, HostEvent, Stopped } from "../host/events.ts";
import { Host } from "../host/host.ts";
import type { Inbox } from "../host/inbox.ts";
import { HostError } from "../host/store/unusable.ts";
import type { Invitation } from "../wire/invitation.ts";
import { Application } from "./application.ts";
import { sameBytes } from "./inode.ts";
import { keyOf, virtualTrust } from "./simulated-trust.ts";
import { VirtualDisk } from "./virtual-disk.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { VirtualClock as Clock, type VirtualClock, type VirtualTime } from "./virtual-time.ts";

/** Short enough that evictions happen within a run. */
export const TIMINGS: Timings = { ...DEFAULT_TIMINGS, eviction: 8000 };
/** Small enough that a run fills many segments. */
const SEGMENTS = { entries: 100, bytes: 32_768 };
/** A process that failed by itself is started again after this time, as a service manager would do. */
export const RESTART_MS = 3000;

export interface MachineEvents {
  starting(machine: Machine): void;
  event(machine: Machine, event: HostEvent): void;
  log(machine: Machine, message: string): void;
  ended(machine: Machine, stopped: Stopped): void;
  /** Its application is done with a message. */
  handled(machine: Machine, message: DeliveredMessage): void;
}

/** What a test or a mutant changes in a machine or a client. */
export interface Parts {
  readonly engine?: EngineFactory;
  /** Changes the seeds that a person names. */
  readonly seeds?: (seeds: readonly PeerInfo[], disk: VirtualDisk) => readonly PeerInfo[];
  readonly disk?: (disk: VirtualDisk) => ConstructorParameters<typeof Host>[0]["disk"];
  readonly clock?: (clock: VirtualClock) => ConstructorParameters<typeof Host>[0]["clock"];
  readonly inbox?: (inbox: Inbox) => void;
  readonly makeClient?: MakeClient;
  /** Keys that are shown are believed, proven or not. */
  readonly isBlind?: boolean;
}

export class Machine {
  /** Its place on the network; a second process with the same peer id has another one. */
  readonly site: number;
  readonly id: number;
  readonly time: VirtualTime;
  readonly random: () => number;
  /** Sites of the peers that it is told to join through, wherever they are when it starts. */
  readonly seeds: number[];
  /** Where it listens. */
  port: number;
  /** Another machine that runs on this one's directory. */
  double: Machine | null = null;
  readonly #owner: Machine | null;
  #disk: VirtualDisk;
  running: { readonly host: Host; readonly clock: VirtualClock; readonly die: (silently: boolean) => void } | null =
    null;
  /** The running process as its disk knows it. */
  #files: { holds(): boolean; kill(): void } | null = null;
  #hasStarted = false;
  /** Number of the directory: an emptied or rolled-back one counts as another. */
  directory = 0;
  /**
   * From its next start on, an application reads its messages, and takes this many ms for each batch; null: there is
   * none.
   */
  handleMs: number | null = null;
  /** The machine stays down when its process ends. */
  idle = true;
  #givenUp = false;
  snapshot: ReadonlyMap<string, Uint8Array> | null = null;
  /** What it was given to join a secured cluster with. */
  invitation: Invitation | null = null;
  /** Power is cut at the send with this number from now on; 0: never. */
  sendsLeft = 0;
  /** Its disk may have lost what people typed: power was cut, a sync failed, or somebody changed its files. */
  forgets = false;
  /** Until then it may not have been told that its directory was put back. */
  suspectUntil = 0;
  /**
   * Files that were damaged from outside, with their content after it (a copy may bring that back); null where the file
   * was removed.
   */
  readonly #spoiled = new Map<string, (Uint8Array | null)[]>();
  readonly #network: VirtualNetwork;
  readonly #portOf: (site: number) => number;
  readonly #events: MachineEvents;
  readonly #parts: Parts;
  readonly #isSecured: boolean;

  constructor(
    site: number,
    id: number,
    seeds: readonly number[],
    world: {
      time: VirtualTime;
      network: VirtualNetwork;
      random: () => number;
      portOf: (site: number) => number;
      events: MachineEvents;
      parts: Parts;
      isSecured: boolean;
    },
    owner: Machine | null = null,
  ) {
    this.site = site;
    this.id = id;
    this.#owner = owner;
    this.seeds = [...seeds];
    this.port = 6000 + site;
    this.time = world.time;
    this.random = world.random;
    this.#network = world.network;
    this.#portOf = world.portOf;
    this.#events = world.events;
    this.#parts = world.parts;
    this.#isSecured = world.isSecured;
    this.#disk = this.#emptyDisk();
  }

  get disk(): VirtualDisk {
    return this.#owner?.disk ?? this.#disk;
  }

  /** The directory's name for checkers and people. */
  get name(): string {
    const { site, directory } = this.owner;
    return `peer ${site}${directory === 0 ? "" : ` (directory ${directory + 1})`}`;
  }

  /** The machine whose directory this is. */
  get owner(): Machine {
    return this.#owner ?? this;
  }

  /** Its process has the directory and has opened it, whatever another process believes that has stood still. */
  get holds(): boolean {
    return this.#hasStarted && this.#files?.holds() === true;
  }

  start(): void {
    this.idle = false;
    if (this.running !== null || this.#givenUp) return;
    this.#events.starting(this);
    const clock = new Clock(this.time, this.random);
    const { network, secured, die } = this.#network.attach(this.site, clock);
    const trust = this.#isSecured ? { trust: virtualTrust(clock, this.random, secured, keyOf(this.name)) } : {};
    const invited = this.invitation === null ? {} : { invitation: this.invitation };
    let application: Application | null = null;
    const { handleMs } = this.owner;
    const host: Host = new Host(
      { clock: this.#parts.clock?.(clock) ?? clock, network, disk: this.#openDisk(clock), ...trust },
      {
        engine: this.#parts.engine ?? DEFAULT_ENGINE.create,
        id: this.id,
        host: "virtual",
        port: this.port,
        advertise: null,
        seeds: this.#seedAddresses(),
        name: `user${this.id}`,
        timings: TIMINGS,
        durability: "fsync",
        segments: SEGMENTS,
        acknowledges: handleMs !== null,
        ...(this.#isSecured && { secured: this.seeds.length === 0, ...invited }),
      },
      {
        event: (event) => {
          this.#hasStarted ||= event.event === "started";
          this.#events.event(this, event);
          if (event.event === "message") application?.deliver(event);
        },
        // Records above "debug" are events as well.
        log: (record) => record.level === "debug" && this.#events.log(this, record.message),
        writable: () => {},
        stopped: (stopped) => {
          if (this.running?.host === host) this.#over(false);
          this.#events.ended(this, stopped);
          if (stopped.code === 0) this.idle = true;
          else this.#startLater();
        },
      },
    );
    this.running = { host, clock, die };
    if (handleMs !== null) {
      const after = clock.after.bind(clock);
      application = new Application(host, after, handleMs, (message) => this.#events.handled(this, message));
      this.#parts.inbox?.(application.inbox);
    }
    clock.run(() => {
      try {
        host.start();
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.#over(false);
        this.#events.ended(this, { code: 1, reason: error.message });
        this.#startLater();
      }
    });
  }

  #seedAddresses(): readonly PeerInfo[] {
    const named = this.seeds.map((id) => ({ id, host: "virtual", port: this.#portOf(id) }));
    return this.#parts.seeds?.(named, this.disk) ?? named;
  }

  /** Does something on the running process, when it is not frozen. */
  do(work: (host: Host) => void): void {
    const { running } = this;
    running?.clock.run(() => work(running.host));
  }

  kill(): void {
    this.idle = true;
    this.#over(false);
  }

  /** The process is gone, and no kernel tells the others so. */
  vanish(): void {
    this.idle = true;
    this.#over(true);
  }

  get isGone(): boolean {
    return this.#givenUp;
  }

  /** It is gone for good, even if it was planned to start again. */
  giveUp(): void {
    this.vanish();
    this.#givenUp = true;
  }

  cutPower(): void {
    this.forgets = true;
    this.double?.vanish();
    this.vanish();
    this.disk.crash();
  }

  /** Ends every process on the directory. */
  killAll(): void {
    this.double?.kill();
    this.kill();
  }

  wipe(): void {
    this.forgets = true;
    this.killAll();
    this.#spoiled.clear();
    this.#disk = this.#emptyDisk();
    this.directory += 1;
  }

  /** Changes a file of a machine that is down, as a bad disk would. */
  spoil(path: string, change: (bytes: Uint8Array) => Uint8Array | null): void {
    this.forgets = true;
    const before = this.disk.contents(path);
    this.disk.damage(path, change);
    const after = this.disk.paths().includes(path) ? this.disk.contents(path).slice() : null;
    if (after !== null && sameBytes(before, after)) return;
    this.#spoiled.set(path, [...(this.#spoiled.get(path) ?? []), after]);
  }

  /** Whether a file is still as it was spoiled: damage in the cold part of a log is found when somebody reads it. */
  isSpoiled(path: string): boolean {
    const spoiled = this.owner.#spoiled.get(path);
    if (spoiled === undefined) return false;
    const now = this.disk.paths().includes(path) ? this.disk.contents(path) : null;
    return spoiled.some((then) => (then === null || now === null ? then === now : sameBytes(then, now)));
  }

  get spoiledPaths(): string[] {
    return [...this.owner.#spoiled.keys()].filter((path) => this.isSpoiled(path));
  }

  takeSnapshot(): void {
    this.snapshot = this.#copied();
  }

  /** Begins with what another machine's files hold at this moment. */
  copy(of: Machine): void {
    this.#disk.fill(of.#copied());
  }

  #copied(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.disk.paths().map((path) => [path, this.disk.contents(path).slice()]));
  }

  /** The directory is as it was at the snapshot: somebody restored a backup. False if there is none. */
  rollBack(): boolean {
    if (this.snapshot === null) return false;
    this.forgets = true;
    this.killAll();
    const disk = this.#emptyDisk();
    disk.fill(this.snapshot);
    this.#disk = disk;
    this.directory += 1;
    return true;
  }

  #emptyDisk(): VirtualDisk {
    const { time, random } = this;
    const done = (fn: () => void) => () => this.running?.clock.run(fn);
    const disk = new VirtualDisk({ clock: { after: (ms, fn) => time.at(time.now + ms, done(fn)) }, random });
    disk.faults.syncMs = () => 0.1 + random() * 2;
    return disk;
  }

  /** A double uses its own disk port, without a mutant's changes. */
  #openDisk(clock: VirtualClock): ConstructorParameters<typeof Host>[0]["disk"] {
    const { disk } = this;
    if (this.#owner !== null) {
      const port = disk.beside("in another container", {
        after: (ms, fn) => this.time.at(this.time.now + ms, () => clock.run(fn)),
      });
      this.#files = port;
      return port;
    }
    this.#files = disk;
    return this.#parts.disk?.(disk) ?? disk;
  }

  #over(silently: boolean): void {
    const { running } = this;
    if (running === null) return;
    this.running = null;
    this.#hasStarted = false;
    running.clock.end();
    running.die(silently);
    this.#files?.kill();
  }

  #startLater(): void {
    this.time.at(this.time.now + RESTART_MS, () => {
      if (!this.idle) this.start();
    });
  }
}
