/**
 * One running peer: an engine on ports. Feeds it what happens, carries out what it decides in the order it
 * says, and tells those who use it. The simulator runs this very class.
 *
 *   network ─▶ links ─┐                       ┌─▶ log, promise, outbox (disk)
 *   disk completions ─┼─▶ engine ─────outputs─┼─▶ links ─▶ network
 *   people, clock ────┘                       └─▶ listener (messages, roles, notices)
 */

import type { Address } from "../core/address.ts";
import {
  CATCHUP_ANSWER_BYTES_MAX,
  CATCHUP_BYTES_MAX,
  OUTBOX_BYTES_MAX,
  OUTBOX_MESSAGES_MAX,
  SESSION_CHARS,
  TAKEN_CHARACTERS_MAX,
  type Timings,
} from "../core/config.ts";
import { type LinkId, type LogIndex, type PeerId, sameMember, sameProcess } from "../core/ids.ts";
import type { Draft, Entry, Frame, Hello, PeerInfo, Refuse, Twin } from "../core/message.ts";
import { messageId } from "../core/message-id.ts";
import type { HerePerson, Notice, Told, Unsent } from "../core/reports.ts";
import { twinsText } from "../core/twin-text.ts";
import { OWN_VERSIONS, sayVersions } from "../core/versions.ts";
import type { Engine, EngineFactory, Input, Output } from "../engines/engine.ts";
import type { EngineView, Surroundings } from "../engines/view.ts";
import { encodeRawEntries } from "../wire/encode.ts";
import { makeSeal } from "../wire/entry.ts";
import { Answers } from "./answers/answers.ts";
import { nameInUse } from "./answers/names.ts";
import { Past } from "./answers/past.ts";
import { Slices } from "./answers/slices.ts";
import { describe, waitingFor } from "./answers/status.ts";
import { Waiter } from "./answers/waiter.ts";
import { Who } from "./answers/who.ts";
import { Clients } from "./client/attached-clients.ts";
import type { ClientEvents } from "./client/client-link.ts";
import type { ClientsHost } from "./client/clients-host.ts";
import { type Clock, type Disk, type Network, PortError, type Timer } from "./contracts.ts";
import { Delivery, type MessageBlock, readMessages } from "./delivery.ts";
import type { HostEvent, LogLevel, LogRecord, Status, Stopped } from "./events.ts";
import { endsPeer, judgeHello, type Origin, refuseAddress, refuseText } from "./net/admission.ts";
import { refusal } from "./net/channel.ts";
import { Links } from "./net/links.ts";
import { Presence } from "./net/presence.ts";
import { OwnPerson, type PersonOptions } from "./people.ts";
import { committedRooms, ROOMS, Rooms, readRooms, saveRooms } from "./rooms.ts";
import type { OwnQuestion, Service, Submitted } from "./service.ts";
import { byteLength } from "./store/bytes.ts";
import { type Directory, openDirectory } from "./store/directory.ts";
import { HeldDisk, Outwait } from "./store/holding.ts";
import type { RawEntries } from "./store/log-store.ts";
import { makeEntry } from "./store/made-entry.ts";
import { Troubles } from "./store/troubles.ts";
import { HostError, lockDirectory, lockFailure, unusable } from "./store/unusable.ts";
import { Writer } from "./store/writer.ts";
import { type Pair, whereOf } from "./twins.ts";

/** `name` stands with this peer's messages. */
export interface HostOptions extends PersonOptions {
  /** What decides: who orders the messages, and what is committed. */
  readonly engine: EngineFactory;
  readonly id: PeerId;
  /** Where to listen; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Where to listen besides: the same peer, dialled another way. Others hear only of `advertise`. */
  readonly alsoListensAt?: readonly Address[];
  /** What others dial; null: host and port as bound. */
  readonly advertise: { readonly host: string; readonly port: number } | null;
  readonly seeds: readonly PeerInfo[];
  readonly timings: Timings;
  /** "os" leaves durability to the operating system's page cache: faster, and unsafe when machines lose power. */
  readonly durability: "fsync" | "os";
  /** The listener says by `acknowledge` when it is done with a message [A1]. Default: one that was told is done with. */
  readonly acknowledges?: boolean;
  /** Somebody says that whoever has the directory is dead, if that cannot be seen from here. */
  readonly takesLock?: boolean;
  /** Segment limits that a founder writes into its genesis, where they are not to be the usual ones [L4]. */
  readonly segments?: { readonly entries: number; readonly bytes: number };
}

export interface Ports {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
}

export interface HostListener {
  event(event: HostEvent): void;
  log(record: LogRecord): void;
  /** The last call. */
  stopped(stopped: Stopped): void;
  /** There is room in the outbox again after `submit` answered "full". */
  writable(): void;
  /** The commit index has moved. */
  committed?(): void;
  /** A turn is over: `status` may say something new. */
  turned?(): void;
}

/** Commit index, cursor and watermark are noted this often, and at segment ends and a clean stop [D5] [D7]. */
const PROGRESS_MS = 1000;
const UNSENT_KEPT = 10_000;
const REFUSALS_KEPT = 1000;
/** Members that are not connected so long after a leader is known are not asked whether somebody there has this name. */
const NAME_MS = 1000;

export class Host implements Service {
  readonly #clock: Clock;
  readonly #ports: Ports;
  readonly #options: HostOptions;
  readonly #listener: HostListener;
  #outwait: Outwait | null = null;
  #disk: HeldDisk | null = null;
  #directory: Directory | null = null;
  #delivery: Delivery | null = null;
  #links: Links | null = null;
  readonly rooms = new Rooms(
    () => (this.#peer === null ? new Map() : committedRooms(this.#peer.log)),
    (event) => this.#event(event),
  );
  #slices: Slices | null = null;
  #answers: Answers | null = null;
  #clients: Clients | null = null;
  readonly #who: Who;
  readonly #presence: Presence;
  readonly #troubles: Troubles;
  readonly #person: OwnPerson;
  #engine: Engine | null = null;
  #session = "";
  /** The same as the log has it. */
  #sessionKey = "";
  #scheduled = false;
  #timer: Timer | null = null;
  #progressTimer: Timer | null = null;
  #stopping = false;
  #writer: Writer | null = null;
  #outboxFull = false;
  /** When this peer first had a leader. */
  #cameAt: number | null = null;
  /** Whether somebody else has its person's name: of two who ask at once neither has it yet. */
  #name: "unknown" | "asked" | "free" = "unknown";
  /** What was taken last could not be written to the outbox yet. */
  #outboxStuck = false;
  /** Messages of this turn, on their way to the outbox: once kept they are pending, and go to the core. */
  #taken: { readonly id: string; readonly draft: Draft; readonly isOwn: boolean; readonly was?: string }[] = [];
  #takenCharacters = 0;
  #outboxBytes = 0;
  /** As the engine named them last. */
  #targets: readonly PeerInfo[] | null = null;
  /** What was told of refusals: whoever is dialled again is refused again. */
  readonly #refusals = new Set<string>();
  /** Others' pending messages that were shown [S7]. */
  readonly #unsent = new Set<string>();
  /** The highest commit index that a leader has named. */
  #committedElsewhere: LogIndex = 0;
  readonly #waiter: Waiter;

  constructor(ports: Ports, options: HostOptions, listener: HostListener) {
    this.#ports = ports;
    this.#clock = ports.clock;
    this.#waiter = new Waiter(ports.clock, (message) => this.#tell({ event: "notice", code: "waiting", message }));
    this.#options = options;
    this.#person = new OwnPerson(options, ports.clock, (input) => this.#input(input));
    this.#presence = new Presence(
      this.#clock,
      (id) => id !== this.#directory?.self.id,
      (event) => this.#event(event),
    );
    this.#who = new Who({
      clock: ports.clock,
      peer: () => (this.#stopping ? null : this.#peer),
      links: () => this.#links,
      peopleHere: () => this.#peopleHere(),
    });
    this.#listener = listener;
    this.#troubles = new Troubles(
      () => ports.clock.wall(),
      (notice) => this.#stopping || this.#event(notice),
    );
  }

  /**
   * Takes the directory and begins to listen; `started` or `stopped` follows. Throws HostError for a bad directory, but
   * for one whose holder must be outwaited first.
   */
  start(): void {
    const { advertise, host, port } = this.#options;
    const refused = refuseAddress(advertise ?? { host, port });
    if (refused !== null) throw new HostError(refused);
    const { disk } = this.#ports;
    const holder = lockDirectory(disk);
    if (holder === null) return this.#open();
    this.#outwait = new Outwait(disk, this.#clock, holder, this.#options.takesLock === true, {
      waiting: (message) => this.#event({ event: "notice", code: "locked", message }),
      taken: () => this.#guarded(() => this.#open()),
      refused: (error) => this.#die(lockFailure(error)),
    });
  }

  /** The directory is locked. */
  #open(): void {
    const { id, host, port, alsoListensAt = [], seeds, durability } = this.#options;
    this.#outwait = null;
    const disk = new HeldDisk(this.#ports.disk, this.#clock, {
      lost: (reason) => this.#die(reason),
      unrenewed: (error) => this.#troubles.note("lock", error),
    });
    this.#disk = disk;
    const directory = openDirectory(disk, this.#clock, {
      id,
      founds: seeds.length === 0,
      fsync: durability === "fsync",
      events: {
        durable: (index) => this.#input({ type: "durable", index: this.#writer?.confirmed(index) ?? index }),
        failed: (error) => this.#die(diskFailure(error)),
        noted: (file, error) => this.#troubles.note(file, error),
      },
    });
    this.#directory = directory;
    for (const note of directory.notes) this.#event({ event: "notice", code: "recovered", message: note });
    this.#beginSession(this.#clock.word(SESSION_CHARS));
    if (!readRooms(disk, this.rooms))
      this.#event({ event: "notice", code: "recovered", message: `${ROOMS} was damaged: join your rooms again` });
    this.#writer = new Writer(directory, this.#clock, {
      promised: (ballot) => this.#input({ type: "promised", ballot }),
      stuck: (why) => this.#input({ type: "disk-refuses", why }),
      free: () => this.#input({ type: "disk-ok" }),
      noted: (file, error) => this.#troubles.note(file, error),
      failed: (reason) => this.#die(reason),
    });
    const reading = { delivered: directory.delivered, byHand: this.#options.acknowledges === true };
    this.#delivery = new Delivery(directory, reading, (message) => this.#event(message));
    this.#slices = new Slices(this.#clock, (work) => this.#guarded(work));
    const past = new Past(this.#slices, {
      readLines: (from, count) => directory.readLines(from, count),
      readEntries: (from, count) => directory.readEntries(from, count),
      read: (after, bytesMax, through) => this.#read(after, bytesMax, through),
    });
    const peer = () => (this.#stopping ? null : this.#peer);
    this.#answers = new Answers({
      clock: this.#clock,
      slices: this.#slices,
      past,
      who: this.#who,
      peer,
      status: () => this.status(),
      input: (input) => this.#input(input),
      isHere: (name) => this.#clients?.has(name) === true || this.#person.announced === name,
    });
    this.#clients = new Clients(this.#forClients(this.#answers, past));
    const links = new Links({
      clients: this.#clients,
      network: this.#ports.network,
      clock: this.#clock,
      self: directory.self,
      timings: this.#options.timings,
      hello: () => this.#hello(),
      isMember: (member) => (this.#peer?.memberOf(member) ?? null) !== null,
      judge: (hello, from) => this.#judge(hello, from),
      holds: () => this.#holdsDirectory(),
      disk: () => this.#peer?.diskTimes() ?? { mean: 0, bound: 0 },
      silenceMax: (link) => this.#silenceMax(link),
      events: {
        up: (link, hello) => this.#onUp(link, hello),
        down: (link) => this.#onDown(link),
        frame: (link, frame) => this.#onFrame(link, frame),
        // Nothing follows from it at once: the times are looked at again within a heartbeat.
        measured: (link, roundTrip, disk) =>
          this.#engine?.step({ type: "measured", link, roundTrip, disk }, this.#clock.now()),
        goesOn: (away) => this.#presence.goesOn(away),
        flow: (link, flow) => this.#engine?.step({ type: "flow", link, ...flow }, this.#clock.now()),
        refused: (address, refuse, dialled, by) => this.#onRefused(address, refuse, dialled, by),
        twins: (pair) => this.#onTwins(pair),
        log: (level, message) => this.#log(level, message),
      },
    });
    this.#links = links;
    links.listen([{ host, port }, ...alsoListensAt], (listening) => {
      if (this.#stopping) return;
      if (!listening.ok) return this.#die(listening.message);
      this.#guarded(() => this.#onListening(listening.ports[0] as number));
    });
  }

  // ── what people do ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes one text for a room. Before this turn of the event loop ends it is kept until it is sent, also across restarts. */
  submit(room: string, text: string): Submitted {
    return this.#submitAs(this.#person.name, room, text, true);
  }

  /** Whoever says it; `isOwn`: the person here, who is told that it is pending. */
  #submitAs(user: string, room: string, text: string, isOwn: boolean): Submitted {
    const peer = this.#peer;
    const directory = this.#directory;
    if (peer === null || directory === null || this.#stopping)
      return { ok: false, code: "closing", message: "this peer is not running" };
    const refusal = refuseText(room, text);
    if (refusal !== null) return refusal;
    if (
      this.#takenCharacters >= TAKEN_CHARACTERS_MAX ||
      peer.pending >= OUTBOX_MESSAGES_MAX ||
      this.#outboxBytes >= OUTBOX_BYTES_MAX
    ) {
      this.#outboxFull = true;
      return {
        ok: false,
        code: "full",
        message: `${peer.pending} messages wait to be sent: wait until some are`,
      };
    }
    if (this.#outboxStuck) {
      const message = "earlier messages cannot be kept on the disk yet: this one was not taken";
      return { ok: false, code: "disk", message };
    }
    const draft: Draft = { room_id: room, user, ts: this.#clock.wall(), payload: text };
    const counter = peer.nextCounter + this.#taken.length;
    directory.outbox.add(this.#session, counter, draft);
    this.#outboxBytes += text.length;
    this.#takenCharacters += text.length;
    const id = messageId({ session: this.#sessionKey, counter });
    this.#taken.push({ id, draft, isOwn });
    this.#schedule();
    return { ok: true, msg_id: id };
  }

  get pending(): number {
    return (this.#peer?.pending ?? 0) + this.#taken.length;
  }

  /** Commit index of the running peer. */
  get commit(): LogIndex {
    return this.#peer?.log.commit ?? 0;
  }

  catchUp(): { readonly at: LogIndex; readonly of: LogIndex } | null {
    if (this.#peer === null || (this.#peer.standing.role !== "leader" && this.#committedElsewhere === 0)) return null;
    return { at: this.commit, of: Math.max(this.commit, this.#committedElsewhere) };
  }

  status(): Status {
    const { id } = this.#options;
    const troubles = this.#troubles.list;
    const twins = this.#links?.twins ?? [];
    if (this.#peer !== null)
      return describe(this.#peer, this.#peer.log.last > 0 ? 1 : 0, { twins, troubles, ...this.#surroundings });
    return {
      event: "status",
      id,
      role: "observer",
      term: 0,
      leader_id: null,
      quorum: false,
      members: [],
      first_index: 0,
      last_index: 0,
      commit_index: 0,
      pending: 0,
      waiting: { message: "this peer is starting", needed: 0, peers: [] },
      troubles,
      disk_ms: 0,
      twins: [],
    };
  }

  /** How far into the log messages have been delivered. */
  get delivered(): LogIndex {
    return this.#delivery?.cursor ?? 0;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    this.#answers?.ask(question, this.#person, answer);
  }

  confirmRead(room: string, seqNo: number): void {
    this.rooms.show(room, seqNo);
    this.#person.confirmRead(room, seqNo);
  }

  #peopleHere(): HerePerson[] {
    const user = this.#name === "free" ? (this.#person.announced ?? "") : "";
    const own = { user, client: false, heard_ms: 0, round_trip_ms: 0, lag: 0 };
    return [own, ...(this.#clients?.people() ?? [])];
  }

  /** The door for clients that come another way than over this peer's listener; null before it listens. */
  get clients(): ClientEvents | null {
    return this.#clients;
  }

  transfer(to: PeerId): void {
    this.#input({ type: "transfer", to });
  }

  evict(id: PeerId): void {
    this.#input({ type: "evict", id });
  }

  /** For a reader that cannot keep up: messages wait in the log, not in memory. */
  pauseDelivery(): void {
    this.#delivery?.pause();
  }

  resumeDelivery(): void {
    this.#guarded(() => this.#delivery?.resume());
  }

  /** Through `index`, at most the commit index, messages are dealt with: the next process goes on behind it [A1]. */
  acknowledge(index: LogIndex): void {
    this.#delivery?.acknowledge(Math.min(index, this.commit));
  }

  /** Through here messages are dealt with. */
  get acknowledged(): LogIndex {
    return this.#delivery?.acknowledged ?? 0;
  }

  /** Committed messages of the next block of the log after `after`, and through where that reaches: for readers of their own [A3]. */
  messagesAfter(after: LogIndex, room: string | null): MessageBlock {
    let block: MessageBlock = { messages: [], through: after };
    this.#guarded(() => {
      if (this.#peer === null || this.#directory === null || this.#stopping) return;
      block = readMessages(this.#directory, this.#peer.log, after, room);
    });
    return block;
  }

  /** Leaves in good order within the quit time, then `stopped`. */
  quit(): void {
    if (this.#peer === null) return this.stop();
    this.#person.leave();
    this.#input({ type: "quit" });
  }

  /** Stops at once, without telling the others. */
  stop(): void {
    this.#end({ code: 0, reason: "stopped" });
  }

  // ── start ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #onListening(port: number): void {
    const directory = this.#directory as Directory;
    const { id, timings, advertise, host } = this.#options;
    const address = advertise ?? { host, port };
    const founded = this.#found(directory, address);
    this.#engine = this.#options.engine(
      {
        self: directory.self,
        address,
        timings,
        seal: makeSeal(),
        random: () => this.#clock.random(),
        wall: () => this.#clock.wall(),
        session: this.#session,
        newSession: () => this.#clock.word(SESSION_CHARS),
      },
      directory.restored,
      this.#clock.now(),
    );
    const peer = this.#engine.view;
    for (const { session } of directory.restored.outbox)
      directory.outbox.settle(session, peer.firstPending(session) - 1);
    this.#outboxBytes = directory.restored.outbox.reduce(
      (sum, s) => sum + s.drafts.reduce((n, d) => n + d.payload.length, 0),
      0,
    );
    const { founding } = peer;
    // What it founded, and that it waits, has just been told.
    if (founded) this.#waiter.wasTold(waitingFor(peer, this.#surroundings)?.message ?? null);
    const cluster_id = directory.clusterId;
    this.#event({ event: "started", id, host, port, cluster_id, ...(founding > 0 && { founding_ms: founding }) });
    if (this.#clock.wall() === 0) {
      const message =
        "this machine's clock is before 1970: messages from here bear the date 1970-01-01 until it is set";
      this.#event({ event: "notice", code: "clock", message });
    }
    for (const { session, counters, to } of directory.renamed) {
      const { drafts = [] } = directory.restored.outbox.find((run) => run.session === to) ?? {};
      this.#tellRenamed(session, counters, to, drafts);
    }
    this.#person.come();
    this.#delivery?.follow(peer.log);
    this.#deliver(peer.log.commit);
    this.#progressTimer = this.#clock.after(PROGRESS_MS, () => this.#noteProgress());
    this.#schedule();
  }

  /** [M1] The first entry of a new cluster, durable before anybody hears of it. */
  #found(directory: Directory, address: { host: string; port: number }): boolean {
    const genesis = directory.foundingGenesis(address, this.#options.segments);
    if (genesis === null) return false;
    const { state } = directory.restored;
    const { id, inc, boot } = directory.self;
    const ballot = { term: 0, leader_id: id, inc, boot };
    const entry = makeEntry(1, ballot, "genesis", genesis, 0);
    directory.store.append([entry]);
    directory.store.syncNow();
    state.apply(entry);
    directory.restored = { ...directory.restored, entries: [entry], durable: 1 };
    const seconds = this.#options.timings.founding / 1000;
    const message = `founded cluster ${genesis.cluster_id}: messages are taken in ${seconds} s, or when another peer joins`;
    this.#event({ event: "notice", code: "founded", message });
    return true;
  }

  #hello(): Hello {
    const directory = this.#directory as Directory;
    const address = this.#peer?.address ?? { host: this.#options.host, port: this.#options.port };
    return {
      type: "HELLO",
      ...sayVersions(OWN_VERSIONS),
      cluster_id: directory.clusterId,
      ...directory.self,
      ...address,
      wall: this.#clock.wall(),
    };
  }

  #judge(hello: Hello, from: Origin): Refuse | null {
    if (this.#peer === null) return refusal("closing", "this peer is starting or stopping: try again");
    const { self, twins } = this.#peer;
    if (twins.length > 0) return refusal("closing", twinsText(self.id, twins));
    const judgement = judgeHello(hello, from, this.#peer, (this.#directory as Directory).clusterId);
    if (judgement?.notice !== undefined)
      this.#event({ event: "notice", code: "emptied-founder", message: judgement.notice });
    return judgement?.refuse ?? null;
  }

  // ── inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #input(input: Input): void {
    if (this.#engine === null || this.#stopping) return;
    this.#engine.step(input, this.#clock.now());
    this.#schedule();
  }

  #onUp(link: LinkId, hello: Hello): void {
    const { id, inc, boot, host, port } = hello;
    this.#input({ type: "link-up", link, peer: { id, inc, boot, host, port } });
  }

  #onDown(link: LinkId): void {
    const gone = this.#peer?.links.get(link);
    this.#input({ type: "link-down", link });
    if (gone !== undefined) this.#who.onLinkDown(link, gone.id);
  }

  #onFrame(link: LinkId, frame: Frame): void {
    const directory = this.#directory as Directory;
    if (frame.type === "JOIN_ACK" && directory.clusterId === null) {
      // From here on this directory belongs to one cluster; a seed of another one is told so.
      let isBound = false;
      this.#guarded(() => {
        isBound = directory.bindCluster(frame.cluster_id);
      });
      if (!isBound) return;
    } else if (frame.type === "JOIN_ACK" && frame.cluster_id !== directory.clusterId) return;
    if (frame.type === "ASK") return this.#who.onAsk(link, frame);
    if (frame.type === "TELL") return this.#who.onTold(link, frame);
    if (frame.type === "HEARTBEAT" || frame.type === "SEQ_CHAT")
      this.#committedElsewhere = Math.max(this.#committedElsewhere, frame.commit);
    this.#input({ type: "frame", link, frame });
  }

  #onTwins(pair: Pair): void {
    const own = (this.#directory as Directory).self;
    const other = pair.find((one) => !sameProcess(one, own)) as Hello;
    if (sameMember(other, own)) return this.#input({ type: "twin", twin: other });
    this.#tellTwins(other.id, pair.map(whereOf));
  }

  /** Talks to no other peer any more: its twin may say something else in the same name. */
  #standAside(peer: EngineView, at: readonly Twin[]): void {
    this.#tellTwins(peer.self.id, at);
    this.#links?.setTargets([]);
    for (const link of peer.links.keys()) this.#links?.refuse(link, refusal("closing", twinsText(peer.self.id, at)));
  }

  #tellTwins(id: PeerId, at: readonly Twin[]): void {
    const message = twinsText(id, at);
    this.#log("error", message);
    this.#event({ event: "twins", id, at, message });
  }

  #onRefused(address: string, refused: Refuse, dialled: boolean, by: Hello | null): void {
    if (refused.twin !== undefined) {
      if (by !== null && this.#peer?.knows(by) === true) this.#input({ type: "twin", twin: refused.twin });
      return;
    }
    const message = `refused by ${address}: ${refused.message}`;
    if (this.#refusals.has(message)) return;
    if (this.#refusals.size >= REFUSALS_KEPT) this.#refusals.clear();
    this.#refusals.add(message);
    const peer = this.#peer;
    if (peer === null || this.#stopping) return;
    if (endsPeer(refused, dialled, peer)) {
      const { pending } = peer;
      // It took none of them, and whoever starts it again as told leaves its outbox behind.
      if (peer.founding > 0) this.#clients?.refuseSaid(message);
      const typed = `. ${pending === 1 ? "1 message" : `${pending} messages`} typed here will not be sent`;
      return this.#die(pending > 0 ? message + typed : message);
    }
    // Those who waited in vain while this process stood still say so now.
    if (this.#presence.isSettling) return this.#log("debug", message);
    this.#event({ event: "error", code: refused.code, message });
  }

  /** Twice what a leader at the other side would have: whoever follows it goes first. */
  #silenceMax(link: LinkId): number {
    return this.#peer?.linkSilence(link) ?? 2 * this.#options.timings.leaderTimeout;
  }

  // ── the loop ───────────────────────────────────────────────────────────────────────────────────────────────────

  #schedule(): void {
    if (this.#scheduled || this.#stopping) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#run());
  }

  #run(): void {
    this.#scheduled = false;
    const engine = this.#engine;
    const directory = this.#directory;
    if (engine === null || directory === null || !this.#holdsDirectory()) return;
    const peer = engine.view;
    this.#keepTaken(engine, directory);
    engine.settle(this.#clock.now());
    this.#guarded(() => {
      for (const output of engine.takeOutputs()) {
        this.#carryOut(output);
        if (this.#stopping) return;
      }
      engine.carriedOut(this.delivered);
      directory.store.flush();
    });
    if (this.#stopping) return;
    this.#updateTargets(peer);
    this.#tellWaiting(peer);
    this.#lookAtName(peer);
    this.#guarded(() => this.#clients?.onTurn());
    if (this.#stopping) return;
    if (this.#outboxFull && peer.pending < OUTBOX_MESSAGES_MAX / 2 && this.#outboxBytes < OUTBOX_BYTES_MAX / 2) {
      this.#outboxFull = false;
      this.#listener.writable();
    }
    this.#listener.turned?.();
    this.#timer?.cancel();
    this.#timer = this.#clock.after(Math.max(0, engine.wakeAt() - this.#clock.now()), () => {
      this.#timer = null;
      this.#input({ type: "tick" });
    });
  }

  #carryOut(output: Output): void {
    const peer = this.#peer as EngineView;
    switch (output.do) {
      case "append":
      case "truncate":
        return this.#writer?.write(output);
      case "promise":
        return this.#writer?.promise(output.ballot);
      case "send":
        return this.#links?.send(output.link, output.frame);
      case "serve":
        return this.#serve(output);
      case "commit":
        this.#deliver(output.through);
        return this.#listener.committed?.();
      case "sent":
        return this.#onSent(output.entries);
      case "renamed":
        return this.#onRenamed(output);
      case "answer-client":
        return this.#clients?.answer(output.client, output.frame);
      case "role":
        this.#log("info", `role ${output.role}, term ${output.term}, leader ${output.leader_id ?? "none"}`);
        return this.#event({ event: "role", role: output.role, term: output.term, leader_id: output.leader_id });
      case "member":
        return this.#presence.onMember({ event: "member", id: output.id, state: output.state, role: output.role });
      case "refuse":
        return this.#links?.refuse(output.link, refusal(output.code, output.message));
      case "damaged":
        return this.#directory?.markDamage(output.from);
      case "repaired":
        return this.#directory?.clearDamage();
      case "unsent":
        return this.#onUnsent(output);
      case "twins":
        return this.#standAside(peer, output.at);
      case "notice":
        this.#log("info", output.message);
        return this.#event({ event: "notice", code: output.code, message: output.message });
      case "debug":
        return this.#log("debug", output.message);
      case "stop": {
        const kept = peer.pending;
        if (kept > 0) {
          this.#event({
            event: "notice",
            code: "kept",
            message: `${kept === 1 ? "1 message is" : `${kept} messages are`} not sent yet: what is pending is kept and goes out at the next start`,
          });
        }
        const last = peer.lastWords();
        if (last !== null) this.#event({ event: "notice", code: "last-voter", message: last });
        return this.#end({ code: 0, reason: output.reason });
      }
    }
  }

  /** Nothing is written or said on an old look at the lock: this process may have stood still for long [D1]. */
  #holdsDirectory(): boolean {
    if (!this.#stopping) this.#guarded(() => this.#disk?.check());
    return !this.#stopping;
  }

  #deliver(through: LogIndex): void {
    this.#guarded(() => this.#delivery?.through(through));
  }

  /** A disk that fails where nothing can wait for it, or a log found damaged [D5], ends the peer: the next start sees to it. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof HostError) return this.#die(error.message);
      if (!(error instanceof PortError)) throw error;
      this.#die(unusable(error));
    }
  }

  #serve({ link, ballot, after, through }: Extract<Output, { do: "serve" }>): void {
    const { log } = this.#peer as EngineView;
    const last = Math.min(through, (this.#directory as Directory).store.last);
    const window = this.#links?.window(link) ?? null;
    if (window === null) return;
    let left = Math.min(window.answer, CATCHUP_ANSWER_BYTES_MAX);
    for (let from = after; ; ) {
      const read = this.#read(from.index, Math.min(window.frame, CATCHUP_BYTES_MAX), last);
      if (read === null) return;
      const end = from.index + read.count;
      left -= byteLength(read.lines);
      const more = end < last && left > 0;
      const header = {
        type: "CATCHUP_RESP" as const,
        ballot,
        prev_index: from.index,
        prev_ballot: from.ballot,
        prev_crc: read.prevCrc,
        commit: log.commit,
        hint: null,
        more,
      };
      this.#log("debug", `serves ${read.count} entries after ${from.index}`);
      this.#links?.sendRaw(link, encodeRawEntries(header, read.lines, read.count));
      if (!more) return;
      from = log.tailAt(end);
    }
  }

  /** Lines of the log from disk; null where it is damaged, which ends this peer: the next start sees to it [D5]. */
  #read(after: LogIndex, bytesMax: number, through: LogIndex): RawEntries | null {
    const { store } = this.#directory as Directory;
    const read = store.read(after, bytesMax, Math.min(through, store.last));
    if (read !== null) return read;
    this.#directory?.markDamage(after + 1);
    this.#die(`the log is damaged behind index ${after}: start again, and it is fetched anew from the others`);
    return null;
  }

  #onUnsent({ sender, session, first, drafts }: Extract<Output, { do: "unsent" }>): void {
    for (const [i, { room_id, user, payload, ts }] of drafts.entries()) {
      const msgId = `${sender}.${session}.${first + i}`;
      // Told again after every reconnection there.
      if (this.#unsent.has(msgId)) continue;
      if (this.#unsent.size >= UNSENT_KEPT) this.#unsent.clear();
      this.#unsent.add(msgId);
      this.#tell({ event: "unsent", sender_id: sender, msg_id: msgId, room_id, user, payload, ts });
    }
  }

  /** What was taken is in the outbox before it goes anywhere [S1]. */
  #keepTaken(engine: Engine, directory: Directory): void {
    if (this.#taken.length === 0) return;
    try {
      directory.outbox.write();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#outboxStuck = true;
      return this.#troubles.note("outbox.jsonl", error);
    }
    if (this.#outboxStuck) this.#troubles.note("outbox.jsonl", null);
    this.#outboxStuck = false;
    const taken = this.#taken;
    this.#taken = [];
    this.#takenCharacters = 0;
    engine.step({ type: "submit", drafts: taken.map(({ draft }) => draft) }, this.#clock.now());
    for (const { id, draft, isOwn, was } of taken) {
      const { room_id, payload } = draft;
      if (isOwn) this.#event({ event: "pending", msg_id: id, room_id, payload, ...(was !== undefined && { was }) });
    }
  }

  /** The same messages under other ids: who follows them hears of these as well. */
  #onRenamed({ session, counters, to, drafts }: Extract<Output, { do: "renamed" }>): void {
    this.#directory?.outbox.rename(session, counters, to);
    this.#tellRenamed(session, counters, to, drafts);
    if (session === this.#session) this.#beginSession(to);
  }

  #tellRenamed(session: string, counters: readonly number[], to: string, drafts: readonly Draft[]): void {
    const before = `${this.#options.id}.${session}`;
    for (const [i, { room_id, payload }] of drafts.entries()) {
      const was = messageId({ session: before, counter: counters[i] as number });
      const msg_id = messageId({ session: `${this.#options.id}.${to}`, counter: i + 1 });
      if (this.#clients?.onRenamed(was, msg_id) === true) continue;
      this.#event({ event: "pending", msg_id, room_id, payload, was });
    }
  }

  /** What was taken and is not in the outbox yet is numbered there, too. */
  #beginSession(session: string): void {
    this.#session = session;
    this.#sessionKey = `${this.#options.id}.${session}`;
    if (this.#taken.length === 0 || this.#peer === null) return;
    const first = this.#peer.nextCounter;
    this.#directory?.outbox.renumberAdded(session, first);
    this.#taken = this.#taken.map((taken, i) => {
      const id = messageId({ session: this.#sessionKey, counter: first + i });
      if (!taken.isOwn) this.#clients?.onRenamed(taken.id, id);
      return { ...taken, id, was: taken.was ?? taken.id };
    });
  }

  #onSent(entries: readonly Entry[]): void {
    const outbox = this.#directory?.outbox;
    let last: Entry | null = null;
    for (const entry of entries) {
      if (last !== null && last.session !== entry.session) outbox?.settle(ownSession(last), last.counter);
      last = entry;
      this.#outboxBytes -= entry.text.length;
      if (this.#clients?.onSent(entry) === true) continue;
      this.#event({
        event: "sent",
        msg_id: messageId(entry),
        index: entry.index,
        room_id: entry.room_id,
        seq_no: entry.seq_no,
      });
    }
    if (last !== null) outbox?.settle(ownSession(last), last.counter);
  }

  /**
   * Whom to dial, and where: what a person says now comes first and is never left out, because what the log says of a member
   * may be out of date; a seed that is no member hears if it belongs to another cluster.
   */
  #updateTargets(peer: EngineView): void {
    if (peer.twins.length > 0) return;
    const targets = peer.targets();
    if (targets === this.#targets) return;
    this.#targets = targets;
    const known = [...this.#options.seeds, ...targets];
    this.#links?.setTargets(known.filter(({ id }) => id !== peer.self.id));
  }

  #tellWaiting(peer: EngineView): void {
    const isAsked = peer.pending > 0 || peer.sequencer === null;
    // That was told with the founding.
    if (!isAsked && peer.founding > 0) return;
    this.#waiter.onTurn(isAsked ? (waitingFor(peer, this.#surroundings)?.message ?? null) : null);
  }

  #hindrances(): string {
    const waiting = this.#peer === null ? null : waitingFor(this.#peer, this.#surroundings);
    return [waiting?.message, ...this.#troubles.list.map(({ message }) => message)].join();
  }

  get #surroundings(): Surroundings {
    return { seeds: this.#options.seeds, hasCluster: this.#directory?.clusterId != null };
  }

  /** [P6] Once, when this peer has come to the others: the name of its person may be somebody else's who is here. */
  #lookAtName(peer: EngineView): void {
    const name = this.#person.announced;
    if (this.#name !== "unknown" || name === null || peer.sequencer === null) return;
    // One that joins knows nobody before the log names itself.
    if (peer.memberOf(peer.self) === null) return;
    const others = peer.present().filter((m) => m.role !== "left" && !sameMember(m, peer.self));
    this.#cameAt ??= this.#clock.now();
    if (!others.every((m) => peer.isLinked(m)) && this.#clock.now() - this.#cameAt < NAME_MS) return;
    this.#name = "asked";
    this.#who.ask(({ people }) => {
      const inUse = this.#person.announced === name ? nameInUse(name, people, peer.self.id) : null;
      if (inUse !== null) return this.#die(inUse, "name-in-use");
      this.#name = "free";
    });
  }

  // ── progress and end ───────────────────────────────────────────────────────────────────────────────────────────

  #noteProgress(): void {
    if (!this.#holdsDirectory()) return;
    this.#directory?.secondPromise();
    // With writes that wait for room, what the core has committed is not what the disk says there [D7].
    if (this.#writer?.caughtUp) this.#saveProgress(false);
    if (this.#outboxStuck) this.#schedule();
    this.#directory?.retryNotes();
    this.#directory?.outbox.flush((error) => this.#troubles.note("outbox.jsonl", error));
    if (this.rooms.changed) this.#troubles.note("rooms.json", saveRooms(this.#disk as Disk, this.rooms));
    this.#progressTimer = this.#clock.after(PROGRESS_MS, () => this.#noteProgress());
  }

  #saveProgress(clean: boolean): void {
    const { log } = this.#peer as EngineView;
    const delivered = (this.#delivery as Delivery).acknowledged;
    (this.#directory as Directory).saveProgress({ durable: log.durable, commit: log.commit, delivered, clean });
  }

  #end(stopped: Stopped): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#engine !== null && this.#directory !== null) this.#keepTaken(this.#engine, this.#directory);
    if (this.#taken.length > 0) {
      const message = `${this.#taken.length} of the last messages could not be kept on the disk: they are not sent, type them again`;
      this.#event({ event: "error", code: "disk", message });
    }
    this.#outwait?.cancel();
    this.#writer?.stop();
    this.#slices?.stop();
    this.#presence.stop();
    this.#timer?.cancel();
    this.#progressTimer?.cancel();
    this.#links?.close();
    try {
      if (this.#peer !== null && stopped.code === 0 && this.#writer?.caughtUp) {
        this.#directory?.store.syncNow();
        this.#saveProgress(true);
        if (this.rooms.changed) saveRooms(this.#disk as Disk, this.rooms);
      }
      this.#directory?.close();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      const message = `the data directory could not be closed in good order (${error.message}): the next start reads more of it, and tells again what was told last`;
      this.#event({ event: "error", code: "disk", message });
    }
    this.#listener.stopped(stopped);
  }

  #die(reason: string, code: "fatal" | "name-in-use" = "fatal"): void {
    if (this.#stopping) return;
    this.#event({ event: "error", code, message: reason });
    this.#end({ code: 1, reason });
  }

  #event(event: HostEvent): void {
    this.#listener.event(event);
  }

  /** To the people here and to those of the clients. */
  #tell(told: Unsent | Notice): void {
    this.#event(told);
    this.#clients?.tellAll(told);
  }

  #forClients(answers: Answers, past: Past): ClientsHost {
    return {
      clock: this.#clock,
      timings: this.#options.timings,
      answers,
      past,
      peer: () => (this.#stopping ? null : this.#peer),
      clusterId: () => this.#directory?.clusterId ?? null,
      ownName: () => this.#person.announced,
      input: (input) => this.#input(input),
      status: () => this.status(),
      hindrances: () => this.#hindrances(),
      waiting: () => this.#waiter.told,
      say: (user, room, text) => this.#submitAs(user, room, text, false),
    };
  }

  get #peer(): EngineView | null {
    return this.#engine === null ? null : this.#engine.view;
  }

  #log(level: LogLevel, message: string, index?: number): void {
    const peer = this.#peer;
    this.#listener.log({
      level,
      time: this.#clock.wall(),
      peer: this.#options.id,
      role: peer?.standing.role ?? "starting",
      term: peer?.standing.term ?? 0,
      index: index ?? peer?.log.commit ?? 0,
      message,
    });
  }
}

export { HostError };

/** The session's name without its sender. */
function ownSession({ session }: Entry): string {
  return session.slice(session.indexOf(".") + 1);
}

function diskFailure(error: PortError): string {
  return `the disk failed to make the log durable (${error.message}): what it confirmed is safe; check the disk, then start again`;
}
