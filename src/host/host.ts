/**
 * One running peer: an engine on ports. The host feeds the engine what happens, carries out its decisions in their
 * order, and tells its users. The simulator runs this very class.
 *
 *   network ─▶ links ─┐                       ┌─▶ log, promise, outbox (disk)
 *   disk completions ─┼─▶ engine ─────outputs─┼─▶ links ─▶ network
 *   people, clock ────┘                       └─▶ listener (messages, roles, notices)
 *
 * `opening` makes the parts around a directory; `beginning` makes the engine when the peer listens. `intake` takes what
 * people say; `meeting` and `serving` deal with other peers, `telling` with people. `turn` is the loop.
 */
import type { LogIndex, PeerId } from "../core/ids.ts";
import type { HerePerson, Told } from "../core/reports.ts";
import type { Input } from "../engines/engine.ts";
import { describe, startingStatus } from "./answers/status.ts";
import { Who } from "./answers/who.ts";
import { begin } from "./beginning.ts";
import type { ClientEvents } from "./client/client-link.ts";
import { PortError } from "./contracts.ts";
import { type MessageBlock, readMessages } from "./delivery.ts";
import type { LogLevel, Status, Stopped } from "./events.ts";
import type { HostListener, HostOptions, Ports } from "./host-contract.ts";
import { NOT_RUNNING } from "./intake.ts";
import { Namesakes } from "./namesakes.ts";
import { refuseAddress } from "./net/admission.ts";
import { Presence } from "./net/presence.ts";
import { type OpeningHost, open } from "./opening.ts";
import { OwnPerson } from "./own-person.ts";
import type { Opened } from "./parts.ts";
import { committedRooms, Rooms } from "./rooms.ts";
import type { Running } from "./running.ts";
import type { OwnQuestion, Service, Submitted } from "./service.ts";
import { HeldDisk, Outwait } from "./store/holding.ts";
import { Troubles } from "./store/troubles.ts";
import { HostError, lockDirectory, lockFailure, unusable } from "./store/unusable.ts";
import { Telling } from "./telling.ts";
import { Turn, type TurnHost } from "./turn.ts";
import { Upkeep } from "./upkeep.ts";

export class Host implements Service {
  readonly #ports: Ports;
  readonly #options: HostOptions;
  readonly #listener: HostListener;
  readonly #person: OwnPerson;
  /** What its parts may ask of it. */
  readonly #whole: OpeningHost & TurnHost;
  readonly rooms = new Rooms(
    () => (this.#running === null ? new Map() : committedRooms(this.#running.peer.log)),
    (event) => this.#whole.event(event),
  );
  #outwait: Outwait | null = null;
  /** Null before it has its directory. */
  #opened: Opened | null = null;
  /** Null before it listens. */
  #running: Running | null = null;
  #stopping = false;

  constructor(ports: Ports, options: HostOptions, listener: HostListener) {
    const { clock, network } = ports;
    this.#ports = ports;
    this.#options = options;
    this.#listener = listener;
    const input = (given: Input) => this.#input(given);
    const engine = () => this.#running?.engine ?? null;
    const core = () => this.#running?.peer ?? null;
    const peer = () => (this.#stopping ? null : core());
    this.#person = new OwnPerson(options, clock, input, () => this.#whole.namesakes.lookSoon());
    const who = new Who({
      ...{ clock, peer },
      links: () => this.#opened?.links ?? null,
      peopleHere: (asker) => this.#peopleHere(asker),
    });
    const troubles = new Troubles(clock, (notice) => this.#stopping || listener.event(notice));
    const event: HostListener["event"] = (said) => listener.event(said);
    const die: OpeningHost["die"] = (reason, code) => this.#die(reason, code);
    const telling = new Telling({
      ...{ clock, options, core, event, die, person: this.#person, who, troubles },
      hasCluster: () => this.#opened?.meeting.hasCluster === true,
      clients: () => this.#opened?.clients ?? null,
    });
    const namesakes = new Namesakes({
      ...{ clock, options, event, person: this.#person, who },
      clients: () => this.#opened?.clients ?? null,
    });
    this.#whole = {
      ...{ event, die, who, troubles, telling, namesakes },
      ...{ clock, network, options, listener, person: this.#person, rooms: this.rooms, input, engine, core, peer },
      presence: new Presence(clock, (id) => id !== this.#opened?.directory.self.id, event),
      log: (level, message) => this.#log(level, message),
      guarded: (work) => this.#guarded(work),
      end: (stopped) => this.#end(stopped),
      status: () => this.status(),
      holds: () => this.#holdsDirectory(),
      isStopping: () => this.#stopping,
      deliver: (through) => this.#deliver(through),
      schedule: () => this.#running?.turn.schedule(),
    };
  }

  /**
   * Takes the directory and begins to listen; `started` or `stopped` follows. Throws HostError for a bad directory,
   * unless its holder must be outwaited first.
   */
  start(): void {
    const { advertise, host, port } = this.#options;
    const refused = refuseAddress(advertise ?? { host, port });
    if (refused !== null) throw new HostError(refused);
    const { disk } = this.#ports;
    const holder = lockDirectory(disk);
    if (holder === null) return this.#open();
    this.#outwait = new Outwait(disk, this.#ports.clock, holder, this.#options.takesLock === true, {
      waiting: (message) => this.#whole.event({ event: "notice", code: "locked", message }),
      taken: () => this.#whole.guarded(() => this.#open()),
      refused: (error) => this.#whole.die(lockFailure(error)),
    });
  }

  /** The directory is locked. */
  #open(): void {
    const { host, port, alsoListensAt = [] } = this.#options;
    this.#outwait = null;
    const { clock, disk } = this.#ports;
    const held = new HeldDisk(disk, clock, {
      lost: (reason) => this.#die(reason),
      unrenewed: (error) => this.#whole.troubles.note("lock", error),
    });
    const opened = open(this.#whole, held);
    this.#opened = opened;
    opened.links.listen([{ host, port }, ...alsoListensAt], (listening) => {
      if (this.#stopping) return;
      if (!listening.ok) return this.#die(listening.message);
      this.#guarded(() => this.#begin(opened, listening.ports[0] as number));
    });
  }

  #begin(opened: Opened, port: number): void {
    const { peer, turn, upkeep } = begin(this.#whole, opened, port, (engine) => {
      const parts = { ...opened, engine, peer: engine.view };
      this.#running = { ...parts, turn: new Turn(this.#whole, parts), upkeep: new Upkeep(this.#whole, parts) };
      return this.#running;
    });
    this.#person.come();
    opened.delivery.follow(peer.log);
    this.#deliver(peer.log.commit);
    upkeep.start();
    turn.schedule();
  }

  // ── what people do ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes one text for a room. Before this turn of the event loop ends it is kept until it is sent, also across restarts. */
  submit(room: string, text: string): Submitted {
    return this.#opened?.intake.submit(this.#person.name, room, text, true) ?? NOT_RUNNING;
  }

  get pending(): number {
    return (this.#running?.peer.pending ?? 0) + (this.#opened?.intake.taken ?? 0);
  }

  /** Commit index of the running peer. */
  get commit(): LogIndex {
    return this.#running?.peer.log.commit ?? 0;
  }

  catchUp(): { readonly at: LogIndex; readonly of: LogIndex } | null {
    if (this.#running === null) return null;
    const { peer, meeting } = this.#running;
    if (peer.standing.role !== "leader" && meeting.committedElsewhere === 0) return null;
    return { at: this.commit, of: Math.max(this.commit, meeting.committedElsewhere) };
  }

  status(): Status {
    const troubles = this.#whole.troubles.list;
    if (this.#running === null) return startingStatus(this.#options.id, troubles);
    const { peer, links } = this.#running;
    return describe(peer, peer.log.last > 0 ? 1 : 0, {
      twins: links.twins,
      troubles,
      ...this.#whole.telling.surroundings,
    });
  }

  /** How far into the log messages have been delivered. */
  get delivered(): LogIndex {
    return this.#opened?.delivery.cursor ?? 0;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    this.#opened?.answers.ask(question, this.#person, answer);
  }

  confirmRead(room: string, seqNo: number): void {
    this.rooms.show(room, seqNo);
    this.#person.confirmRead(room, seqNo);
  }

  /** Of two that begin with one name at once, the one at the peer with the lower id gets it: to peers above, it claims it. */
  #peopleHere(asker: PeerId): HerePerson[] {
    const claims = this.#options.id < asker;
    const user = this.#whole.telling.nameHere(claims);
    const own = { user, client: false, heard_ms: 0, round_trip_ms: 0, lag: 0 };
    return [own, ...(this.#opened?.clients.people(claims) ?? [])];
  }

  /** The door for clients that do not come through this peer's listener; null before it listens. */
  get clients(): ClientEvents | null {
    return this.#opened?.clients ?? null;
  }

  transfer(to: PeerId): void {
    this.#whole.input({ type: "transfer", to });
  }

  evict(id: PeerId): void {
    this.#whole.input({ type: "evict", id });
  }

  /** For a reader that cannot keep up: messages wait in the log, not in memory. */
  pauseDelivery(): void {
    this.#opened?.delivery.pause();
  }

  resumeDelivery(): void {
    this.#whole.guarded(() => this.#opened?.delivery.resume());
  }

  /** Messages through `index`, at most the commit index, are dealt with: the next process goes on behind it [C1]. */
  acknowledge(index: LogIndex): void {
    this.#opened?.delivery.acknowledge(Math.min(index, this.commit));
  }

  /** Messages through here are dealt with. */
  get acknowledged(): LogIndex {
    return this.#opened?.delivery.acknowledged ?? 0;
  }

  /**
   * Committed messages of the next block of the log after `after`, and the index through which that block reaches: for
   * independent readers [C3].
   */
  messagesAfter(after: LogIndex, room: string | null): MessageBlock {
    let block: MessageBlock = { messages: [], through: after };
    this.#whole.guarded(() => {
      if (this.#running === null || this.#stopping) return;
      block = readMessages(this.#running.directory, this.#running.peer.log, after, room);
    });
    return block;
  }

  /** Leaves in good order within the quit time, then `stopped`. */
  quit(): void {
    if (this.#running === null) return this.stop();
    this.#person.leave();
    this.#whole.input({ type: "quit" });
  }

  /** Stops at once, without telling the others. */
  stop(): void {
    this.#end({ code: 0, reason: "stopped" });
  }

  // ── work and end ───────────────────────────────────────────────────────────────────────────────────────────────

  #input(input: Input): void {
    if (this.#running === null || this.#stopping) return;
    this.#running.engine.step(input, this.#ports.clock.now());
    this.#running.turn.schedule();
  }

  /**
   * Whether the lock was looked at recently and is still held. If this process stood still for long, it must not write
   * or say anything before it has looked again [D1].
   */
  #holdsDirectory(): boolean {
    if (!this.#stopping) this.#guarded(() => this.#opened?.disk.check());
    return !this.#stopping;
  }

  #deliver(through: LogIndex): void {
    this.#guarded(() => this.#opened?.delivery.through(through));
  }

  /**
   * The peer ends if the disk fails where nothing can wait for it, or if the log is found damaged [D5]. The next start
   * repairs that.
   */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof HostError) return this.#die(error.message);
      if (!(error instanceof PortError)) throw error;
      this.#die(unusable(error));
    }
  }

  #end(stopped: Stopped): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const [opened, running] = [this.#opened, this.#running];
    running?.intake.keep(running.engine);
    const lost = opened?.intake.taken ?? 0;
    if (lost > 0) {
      const message = `${lost} of the last messages could not be kept on the disk: they are not sent, type them again`;
      this.#whole.event({ event: "error", code: "disk", message });
    }
    this.#outwait?.cancel();
    opened?.writer.stop();
    opened?.slices.stop();
    this.#whole.presence.stop();
    this.#whole.namesakes.stop();
    running?.turn.stop();
    running?.upkeep.stop();
    opened?.links.close();
    try {
      if (stopped.code === 0) running?.upkeep.close();
      opened?.directory.close();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const message = `the data directory could not be closed in good order (${error.message}): the next start reads more of it, and tells again what was told last`;
      this.#whole.event({ event: "error", code: "disk", message });
    }
    this.#listener.stopped(stopped);
  }

  #die(reason: string, code: "fatal" | "name-in-use" = "fatal"): void {
    if (this.#stopping) return;
    this.#whole.event({ event: "error", code, message: reason });
    this.#end({ code: 1, reason });
  }

  #log(level: LogLevel, message: string): void {
    const peer = this.#running?.peer;
    this.#listener.log({
      level,
      time: this.#ports.clock.wall(),
      peer: this.#options.id,
      role: peer?.standing.role ?? "starting",
      term: peer?.standing.term ?? 0,
      index: peer?.log.commit ?? 0,
      message,
    });
  }
}
