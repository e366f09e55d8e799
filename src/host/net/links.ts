/**
 * Connections that know whom they connect: HELLO on both sides, then frames. The host above sees one link per peer
 * process, however many connections it takes to keep it.
 *
 * - Both sides may dial. Of two connections between the same two processes both keep the one dialled by the higher id,
 *   of two dialled by the same side the newer one.
 * - A new process takes over the link of the one before; whether both live is looked at then [E16].
 * - Control frames go at once; bulk (entries, messages) waits while as much is under way as the line carries soon [W5].
 * - A link on which nothing is heard for twice the leader timeout is dead, whatever TCP believes; on far links that time
 *   follows the round trip, which is measured on all of them all the time [E15].
 */

import { type Address, place } from "../../core/address.ts";
import type { Timings } from "../../core/config.ts";
import { type LinkId, type MemberKey, type PeerId, type ProcessKey, sameMember, sameProcess } from "../../core/ids.ts";
import type { DiskTimes, Frame, Hello, PeerInfo, Ping, Pong, Refuse } from "../../core/message.ts";
import type { Input } from "../../engines/engine.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { ClientEvents } from "../client/client-link.ts";
import type { Clock, Connection, ConnectionHandler, Network, Timer } from "../contracts.ts";
import type { LogLevel } from "../events.ts";
import { type Pair, refuseTwin, Twins } from "../twins.ts";
import type { Origin } from "./admission.ts";
import { Channel, refusal } from "./channel.ts";
import { Dialler, processName, type Target } from "./dialler.ts";
import { Doors } from "./doors.ts";
import { Listeners, type Listening } from "./listeners.ts";
import type { Window } from "./window.ts";

export type Flow = Pick<Extract<Input, { type: "flow" }>, "window" | "frame" | "receives" | "arrivedUntil">;

export interface LinkEvents {
  up(link: LinkId, hello: Hello): void;
  down(link: LinkId): void;
  frame(link: LinkId, frame: Frame): void;
  /** The other side answered after so long, and said how long its disk takes [E15]. */
  measured(link: LinkId, roundTrip: number, disk: DiskTimes): void;
  /** How much bulk may be under way on a link has changed, or frames that take long are coming, or going [R10]. */
  flow(link: LinkId, flow: Flow): void;
  /** This process stood still for so many milliseconds, in which the others gave it up. */
  goesOn(away: number): void;
  /**
   * The other side said why it will not talk to us; `dialled`: we had asked it to, it is no stranger's word. `by`: who it
   * said that it is.
   */
  refused(address: string, refuse: Refuse, dialled: boolean, by: Hello | null): void;
  /** Two living processes of one member were found out, and refused [E16]; one of them may be this very process. */
  twins(pair: Pair): void;
  log(level: LogLevel, message: string): void;
}

export interface LinkOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly self: ProcessKey;
  readonly timings: Timings;
  /** This peer's HELLO as of now. */
  readonly hello: () => Hello;
  /** What speaks against linking this peer, or null. */
  readonly judge: (hello: Hello, from: Origin) => Refuse | null;
  readonly isMember: (member: MemberKey) => boolean;
  /** Whether the directory is this process's still: nothing is answered for it otherwise [D1]. */
  readonly holds: () => boolean;
  /** How long this peer's disk takes, for others to know. */
  readonly disk: () => DiskTimes;
  /** Milliseconds after which a link that is silent is given up. */
  readonly silenceMax: (link: LinkId) => number;
  readonly events: LinkEvents;
  readonly clients: ClientEvents;
}

/** Where there is always something to send, the round trip is measured this often, in heartbeat intervals. */
const MEASURE_EVERY_HEARTBEATS = 5;
/** So many times within the silence that is borne something is sent, and the round trip measured, where that is long [R10]. */
const [HEARD_PER_SILENCE, MEASURED_PER_SILENCE] = [4, 2];
const NO_DISK: DiskTimes = { mean: 0, bound: 0 };

interface Link {
  readonly id: LinkId;
  readonly hello: Hello;
  channel: Channel;
  /** Round trip in milliseconds as last measured, null before. */
  roundTrip: number | null;
  /** When the question was sent whose answer will be the next measurement; null: none is under way. One at a time: what a cut holds back is one late answer, not many. */
  askedAt: number | null;
  measuredAt: number;
  /** As last told. */
  window: number;
}

export class Links {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  readonly #listeners: Listeners;
  readonly #channels = new Set<Channel>();
  /** The last PING of each that came while this process did not know that it holds its directory. */
  readonly #unanswered = new Map<Channel, number>();
  readonly #links = new Map<LinkId, Link>();
  readonly #byName = new Map<string, Link>();
  readonly #dialler: Dialler;
  readonly #doors: Doors;
  /** Accepted, and counted there: until they are known as members. */
  readonly #guests = new Set<Channel>();
  readonly #twins = new Twins();
  #nextLink: LinkId = 1;
  #beat: Timer | null = null;
  #beatAt = 0;
  #wallBeatAt = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#listeners = new Listeners(options.network);
    this.#doors = new Doors(
      () => this.#clock.now(),
      (message) => options.events.log("warn", message),
    );
    this.#dialler = new Dialler({
      clock: options.clock,
      connect: (target) => this.#dial(target),
      isLinked: (id) => this.#linkedTo(id),
      isProcessLinked: (process) => this.#linkOfProcess(process) !== null,
      log: options.events.log,
    });
  }

  listen(addresses: readonly Address[], ready: (listening: Listening) => void): void {
    this.#listeners.listen(
      addresses,
      (connection) => this.#accept(connection),
      (listening) => {
        if (listening.ok) this.#scheduleBeat();
        ready(listening);
      },
    );
  }

  /** Whom to keep connected, and at which addresses: each without a link is dialled, again and again. */
  setTargets(targets: readonly PeerInfo[]): void {
    this.#dialler.want(targets);
  }

  send(link: LinkId, frame: Frame): void {
    const bulk =
      frame.type === "SEQ_CHAT" || frame.type === "CATCHUP_RESP" || frame.type === "CHAT" || frame.type === "PENDING";
    this.sendRaw(link, encodeFrame(frame), bulk);
  }

  sendRaw(link: LinkId, pieces: readonly Uint8Array[], bulk = true): void {
    this.#links.get(link)?.channel.write(pieces, bulk);
  }

  /** Says why, and closes. */
  refuse(link: LinkId, refuse: Refuse): void {
    this.#links.get(link)?.channel.refuse(refuse);
  }

  /** Bytes that wait to be sent on a link. */
  queued(link: LinkId): number {
    return this.#links.get(link)?.channel.queued ?? 0;
  }

  roundTrip(link: LinkId): number | null {
    return this.#links.get(link)?.roundTrip ?? null;
  }

  /** What bulk may be under way on a link, null where there is none. */
  window(link: LinkId): Window | null {
    return this.#links.get(link)?.channel.window ?? null;
  }

  /** When something last came on a link, by this machine's clock. */
  heardAt(link: LinkId): number | undefined {
    return this.#links.get(link)?.channel.heardAt;
  }

  /** Members that run twice, as far as this peer has seen. */
  get twins(): readonly Pair[] {
    return this.#twins.seen;
  }

  close(): void {
    this.#closed = true;
    this.#beat?.cancel();
    this.#listeners.close();
    this.#dialler.close();
    for (const channel of [...this.#channels]) channel.end();
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────

  #accept(connection: Connection): ConnectionHandler | null {
    if (this.#closed) return null;
    const why = this.#doors.enter(connection.remote);
    if (why !== null) {
      for (const piece of encodeFrame(refusal("limit", `this peer takes no more connections now: ${why}`)))
        connection.write(piece);
      connection.end();
      return DEAF;
    }
    const channel = this.#open(connection, null);
    this.#guests.add(channel);
    return channel.handler;
  }

  #dial(target: Target): void {
    // The handler is needed to connect, and the connection to make the channel.
    let channel: Channel | null = null;
    const connection = this.#options.network.connect(target.host, target.port, {
      open: () => channel?.handler.open?.(),
      data: (bytes) => channel?.handler.data(bytes),
      drain: () => channel?.handler.drain(),
      close: (code) => channel?.handler.close(code),
    });
    channel = this.#open(connection, target);
  }

  #open(connection: Connection, target: Target | null): Channel {
    const channel = new Channel(
      this.#clock,
      connection,
      target,
      this.#options.hello(),
      this.#options.timings.handshake,
      {
        hello: (c, theirs) => this.#onHello(c, theirs),
        attach: (c, frame) => this.#options.clients.attach(c, frame),
        frame: (c, frame) => this.#onFrame(c, frame),
        refused: (refuse) => this.#onRefused(channel, refuse),
        malformed: (why) => this.#options.events.log("warn", `closed the connection with ${connection.remote}: ${why}`),
        closed: (c, code) => this.#onClosed(c, code),
      },
    );
    this.#channels.add(channel);
    return channel;
  }

  #onHello(channel: Channel, hello: Hello): void {
    const { self, judge, events } = this.#options;
    if (sameProcess(hello, self)) {
      // Our own address stands in a seed or a configuration: no use dialling it.
      if (channel.target !== null) this.#dialler.unwelcome(channel.target);
      return channel.end();
    }
    if (sameMember(hello, self)) return this.#meetTwin(channel, hello);
    const against =
      this.#twins.refusalOf(hello) ?? judge(hello, { dialled: channel.target !== null, identity: channel.identity });
    // Both sides may have something to say against the other: this one listens until it is said.
    if (against !== null) return channel.refuse(against, true);
    if (this.#options.isMember(hello)) this.#noGuest(channel);
    if (channel.target !== null) this.#dialler.answered(channel.target, hello);
    const name = linkName(hello);
    const present = this.#byName.get(name);
    if (present !== undefined && sameProcess(present.hello, hello)) return this.#chooseBetween(present, channel);
    if (present !== undefined) {
      this.#suspect(present, channel, hello);
      if (hello.boot < present.hello.boot) return;
      // What the old process was told is not known to the new one.
      this.#drop(present);
    }
    this.#twins.decided(hello);
    const link: Link = {
      id: this.#nextLink,
      hello,
      channel,
      roundTrip: null,
      askedAt: null,
      measuredAt: 0,
      window: 0,
    };
    this.#nextLink += 1;
    channel.link = link.id;
    this.#links.set(link.id, link);
    this.#byName.set(name, link);
    this.#dialler.heard(hello);
    const version = channel.isMixed ? `, protocol version ${channel.version}` : "";
    events.log("debug", `linked with peer ${hello.id} at ${place(hello)}${version}`);
    events.up(link.id, hello);
    this.#tellWindow(link);
    this.#ping(channel, link);
  }

  /** [E16] Another process of a member that is linked: both have a connection for as long as either may answer, and one the link. */
  #suspect(present: Link, fresh: Channel, hello: Hello): void {
    this.#twins.suspect([present.hello, hello], this.#clock.now());
    this.#ping(present.channel, present);
    this.#ping(fresh, undefined);
  }

  /** Another process of this very member: does it live, too? */
  #meetTwin(channel: Channel, hello: Hello): void {
    const own = this.#options.hello();
    this.#twins.suspect([own, hello], this.#clock.now(), [own]);
    this.#ping(channel, undefined);
  }

  /** Both are told of each other, on every connection that they have. */
  #refuseTwins(pair: Pair): void {
    this.#options.events.twins(pair);
    for (const [i, one] of pair.entries())
      for (const channel of this.#channelsOf(one)) channel.refuse(refuseTwin(one, pair[1 - i] as Hello));
  }

  #channelsOf(hello: Hello): Channel[] {
    return [...this.#channels].filter((c) => c.theirs !== null && sameProcess(c.theirs, hello));
  }

  /** Two connections with the same process: both ends judge alike, so both keep the same one. */
  #chooseBetween(link: Link, fresh: Channel): void {
    const higherDials = (c: Channel) => (c.target !== null) === this.#options.self.id > link.hello.id;
    const keepFresh = higherDials(fresh) || !higherDials(link.channel);
    if (!keepFresh) return fresh.end();
    const old = link.channel;
    old.link = null;
    link.channel = fresh;
    fresh.link = link.id;
    // The answer may be lost with the old one.
    link.askedAt = null;
    this.#tellWindow(link);
    old.end();
  }

  #onFrame(channel: Channel, frame: Frame): void {
    if (channel.isClient) return this.#options.clients.frame(channel, frame);
    if (frame.type === "PING") return this.#onPing(channel, frame);
    if (frame.type === "PONG") {
      const twins = channel.theirs === null ? null : this.#twins.onAnswer(channel.theirs, frame.at);
      if (twins !== null) return this.#refuseTwins(twins);
    }
    // Frames of a connection that is being replaced still belong to the link.
    const link = channel.link ?? (channel.theirs === null ? null : this.#linkOfProcess(processName(channel.theirs)));
    if (link === null) return;
    if (frame.type === "PONG") return this.#onPong(this.#links.get(link), frame);
    this.#options.events.frame(link, frame);
  }

  #onPing(channel: Channel, { at }: Ping): void {
    // Whoever stood still while another process took over the directory does not say that it lives; one that still has
    // it does as soon as it knows that, because the other side asks one thing at a time.
    if (!this.#options.holds()) return void this.#unanswered.set(channel, at);
    this.#unanswered.delete(channel);
    channel.write(encodeFrame({ type: "PONG", at, disk: this.#options.disk() }), false);
  }

  #onPong(link: Link | undefined, { at, disk }: Pong): void {
    if (link === undefined) return;
    this.#tellWindow(link);
    if (link.askedAt !== at) return;
    const now = this.#clock.now();
    link.askedAt = null;
    link.measuredAt = now;
    // While a process stands still, or a cable is pulled, nothing at all is heard: that time is not the line's.
    const { silence } = link.channel;
    const still = silence > this.#options.timings.leaderTimeout ? silence : 0;
    link.roundTrip = Math.max(0, now - at - still);
    this.#options.events.measured(link.id, link.roundTrip, disk ?? NO_DISK);
  }

  /** Keeps the connection alive; where no measurement is under way it begins one. */
  #ping(channel: Channel, link: Link | undefined): void {
    const at = channel.ping();
    if (link === undefined || link.askedAt !== null) return;
    link.askedAt = at;
    channel.silence = 0;
  }

  #tellWindow(link: Link): void {
    if (link.channel.window.size !== link.window) this.#tellFlow(link, false, null);
  }

  /** Tells of frames that take longer than a heartbeat interval: that nothing else is heard of them says nothing. */
  #tellProgress(link: Link, now: number): void {
    const { channel } = link;
    const { heartbeat, leaderTimeout } = this.#options.timings;
    const isHeard = now - channel.heardAt <= leaderTimeout;
    const receives = isHeard && now - (channel.receivesSince ?? now) > heartbeat;
    const sends = isHeard && now - (channel.window.waitsSince ?? now) > heartbeat;
    if (receives || sends) this.#tellFlow(link, receives, sends ? channel.window.arrivedUntil : null);
  }

  #tellFlow(link: Link, receives: boolean, arrivedUntil: number | null): void {
    const { size: window, frame } = link.channel.window;
    link.window = window;
    this.#options.events.flow(link.id, { window, frame, receives, arrivedUntil });
  }

  #linkOfProcess(process: string): LinkId | null {
    for (const link of this.#links.values()) if (processName(link.hello) === process) return link.id;
    return null;
  }

  #onRefused({ target, remote, theirs }: Channel, refuse: Refuse): void {
    const address = target === null ? remote : place(target);
    if (target !== null) this.#dialler.unwelcome(target);
    if (refuse.code !== "closing") this.#options.events.refused(address, refuse, target !== null, theirs);
  }

  /** Members get in however many others there are. */
  #noGuest(channel: Channel): void {
    if (this.#guests.delete(channel)) this.#doors.leave(channel.remote);
  }

  #onClosed(channel: Channel, code: string): void {
    this.#channels.delete(channel);
    this.#unanswered.delete(channel);
    if (channel.isClient) this.#options.clients.closed(channel);
    const { target } = channel;
    this.#noGuest(channel);
    if (this.#closed) return;
    const link = channel.link === null ? undefined : this.#links.get(channel.link);
    if (link !== undefined && link.channel === channel) this.#drop(link);
    if (channel.theirs !== null && this.#channelsOf(channel.theirs).length === 0)
      // Who was only asked is let go, and comes back.
      for (const one of this.#twins.onGone(channel.theirs))
        for (const asked of this.#channelsOf(one)) if (asked.link === null) asked.end();
    if (target !== null) this.#dialler.onClosed(target, code);
  }

  /** The link is over; who is wanted is dialled again. */
  #drop(link: Link): void {
    this.#links.delete(link.id);
    if (this.#byName.get(linkName(link.hello)) === link) this.#byName.delete(linkName(link.hello));
    link.channel.link = null;
    this.#options.events.log("debug", `lost the link with peer ${link.hello.id}`);
    this.#options.events.down(link.id);
    this.#dialler.onLinkDown(link.hello);
  }

  #linkedTo(id: PeerId): boolean {
    for (const link of this.#links.values()) if (link.hello.id === id) return true;
    return false;
  }

  // ── keeping alive ──────────────────────────────────────────────────────────────────────────────────────────────

  #scheduleBeat(): void {
    const every = this.#options.timings.heartbeat;
    this.#beatAt = this.#clock.now() + every;
    this.#wallBeatAt = this.#clock.wall() + every;
    this.#beat = this.#clock.after(every, () => this.#onBeat());
  }

  #onBeat(): void {
    const now = this.#clock.now();
    const late = Math.max(0, now - this.#beatAt);
    const { timings, silenceMax } = this.#options;
    const { heartbeat } = timings;
    // The clock of a machine that sleeps stands still too, but for the one that shows the time of day.
    const away = Math.max(late, this.#clock.wall() - this.#wallBeatAt);
    if (away > 2 * timings.leaderTimeout) this.#options.events.goesOn(away);
    for (const [channel, at] of this.#unanswered) this.#onPing(channel, { type: "PING", at });
    for (const channel of this.#channels) {
      // Being late ourselves, we heard nothing because we did not listen.
      if (late > heartbeat) channel.heardAt += late;
      if (!channel.isGreeted) continue;
      const link = channel.link === null ? undefined : this.#links.get(channel.link);
      // What was asked before this process stood still is answered in its own time.
      if (link !== undefined && late > heartbeat) link.askedAt = null;
      const silence = link === undefined ? 2 * timings.leaderTimeout : silenceMax(link.id);
      if (now - channel.heardAt > silence) {
        channel.destroy("silent");
        continue;
      }
      const every = Math.max(MEASURE_EVERY_HEARTBEATS * heartbeat, silence / MEASURED_PER_SILENCE);
      const isDue = link?.askedAt === null && now - link.measuredAt >= every;
      // A narrow line has better things to carry than more of them.
      const idle = Math.max(heartbeat, Math.min(silence / HEARD_PER_SILENCE, timings.leaderTimeout));
      if (isDue || channel.window.hasUnmarked || now - channel.sentAt >= idle) this.#ping(channel, link);
      if (link !== undefined) this.#tellProgress(link, now);
    }
    this.#dialler.onBeat();
    this.#scheduleBeat();
  }
}

/** Of a connection that has been refused: what comes on it is not heard. */
const DEAF: ConnectionHandler = { data() {}, drain() {}, close() {} };

function linkName(hello: MemberKey): string {
  return `${hello.id}.${hello.inc}`;
}
