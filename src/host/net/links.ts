/**
 * Connections that know whom they connect: HELLO on both sides, then frames. The host above sees one link per peer
 * process, however many connections it takes to keep it.
 *
 * - Both sides may dial. Of two connections between the same two processes, both sides keep the one that the higher id
 *   has dialled; of two that the same side has dialled, the newer one.
 * - A new process takes over the link of the one before. It is then checked whether both live [E16].
 * - Control frames go at once. Bulk (entries, messages) waits while as much is under way as the line carries in a short
 *   time [W5].
 * - A link on which nothing is heard for twice the leader timeout is dead, whatever TCP believes. On far links that
 *   time follows the round trip, which is measured on all links all the time [E15].
 */
import { type Address, place } from "../../core/address.ts";
import type { Frame } from "../../core/frame.ts";
import { type LinkId, type MemberKey, type PeerId, type ProcessKey, sameMember, sameProcess } from "../../core/ids.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import type { Hello, Refuse, Twin, TwinsSeen } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Connection, ConnectionHandler } from "../contracts.ts";
import { type Pair, pairOf, refuseTwin, Twins, twinsSeen } from "../twins.ts";
import { Channel, refusal } from "./channel.ts";
import { Dialler, processName, type Target } from "./dialler.ts";
import { Doors } from "./doors.ts";
import type { Link } from "./link.ts";
import type { LinkOptions } from "./link-options.ts";
import { Listeners, type Listening } from "./listeners.ts";
import { Pulse } from "./pulse.ts";
import type { Window } from "./window.ts";

export class Links {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  readonly #listeners: Listeners;
  readonly #channels = new Set<Channel>();
  readonly #links = new Map<LinkId, Link>();
  readonly #byName = new Map<string, Link>();
  readonly #dialler: Dialler;
  readonly #doors: Doors;
  readonly #pulse: Pulse;
  /** Accepted connections that `doors` counts, until they are known as members. */
  readonly #guests = new Set<Channel>();
  readonly #twins = new Twins();
  #nextLink: LinkId = 1;
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
    this.#pulse = new Pulse(options, this.#channels, this.#links, () => this.#dialler.onBeat());
  }

  listen(addresses: readonly Address[], ready: (listening: Listening) => void): void {
    this.#listeners.listen(
      addresses,
      (connection) => this.#accept(connection),
      (listening) => {
        if (listening.ok) this.#pulse.start();
        ready(listening);
      },
    );
  }

  /** Takes the peers to keep connected, with their addresses: each peer without a link is dialled, again and again. */
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

  /** How much bulk may be under way on a link; null where there is no such link. */
  window(link: LinkId): Window | null {
    return this.#links.get(link)?.channel.window ?? null;
  }

  /** Time of the last data on a link, by this machine's clock. */
  heardAt(link: LinkId): number | undefined {
    return this.#links.get(link)?.channel.heardAt;
  }

  /** Members that run twice, as far as this peer has seen. */
  get twins(): readonly Pair[] {
    return this.#twins.seen;
  }

  close(): void {
    this.#closed = true;
    this.#pulse.stop();
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
      // This peer's own address is in a seed or a configuration: dialling it is of no use.
      if (channel.target !== null) this.#dialler.unwelcome(channel.target);
      return channel.end();
    }
    if (sameMember(hello, self)) return this.#meetTwin(channel, hello);
    const against =
      this.#twins.refusalOf(hello) ?? judge(hello, { dialled: channel.target !== null, identity: channel.identity });
    // Both sides may have a reason to refuse the other: this side listens until the other has said its reason.
    if (against !== null) return channel.refuse(against, true);
    if (this.#options.isMember(hello)) this.#noGuest(channel);
    if (channel.target !== null) this.#dialler.answered(channel.target, hello);
    const name = memberName(hello);
    const present = this.#byName.get(name);
    if (present !== undefined && sameProcess(present.hello, hello)) return this.#chooseBetween(present, channel);
    if (present !== undefined) {
      this.#suspect(present, channel, hello);
      if (hello.boot < present.hello.boot) return;
      // The new process does not know what the old one was told.
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
    this.#pulse.tellWindow(link);
    this.#pulse.ping(channel, link);
    for (const pair of this.#twins.seen) this.send(link.id, twinsSeen(pair[0], pair));
  }

  /**
   * [E16] Another process of a linked member. Both keep a connection as long as either may answer, and one of them has
   * the link.
   */
  #suspect(present: Link, fresh: Channel, hello: Hello): void {
    this.#twins.suspect([present.hello, hello], this.#clock.now());
    this.#pulse.ping(present.channel, present);
    this.#pulse.ping(fresh, undefined);
  }

  /** Another process of this very member: it is asked whether it lives, too. */
  #meetTwin(channel: Channel, hello: Hello): void {
    const own = this.#options.hello();
    this.#twins.suspect([own, hello], this.#clock.now(), [own]);
    this.#pulse.ping(channel, undefined);
  }

  /** Both processes are told of each other, on every connection that they have, and all other peers of both. */
  #refuseTwins(pair: Pair): void {
    this.#options.events.twins(pair);
    for (const [i, one] of pair.entries())
      for (const channel of this.#channelsOf(one)) channel.refuse(refuseTwin(one, pair[1 - i] as Pair[0]));
    this.tellTwins(pair[0], pair);
  }

  /** Tells all linked peers of twins: some of them were greeted by only one of the two. */
  tellTwins(member: MemberKey, at: readonly Twin[]): void {
    for (const link of this.#links.keys()) this.send(link, twinsSeen(member, at));
  }

  /** Another member has seen twins. That is old news if the member (perhaps this one) has been started again since. */
  #onTwinsSeen(from: Hello | null, seen: TwinsSeen): void {
    const { isMember, self } = this.#options;
    if (from === null || !isMember(from)) return;
    const pair = pairOf(seen);
    const present = sameMember(seen, self) ? self : this.#byName.get(memberName(seen))?.hello;
    if (present !== undefined && !pair.some((one) => sameProcess(one, present))) return;
    if (this.#twins.learn(pair)) this.#refuseTwins(pair);
  }

  #channelsOf(key: ProcessKey): Channel[] {
    return [...this.#channels].filter((c) => c.theirs !== null && sameProcess(c.theirs, key));
  }

  /** Two connections with the same process: both ends decide by the same rule, so both keep the same connection. */
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
    this.#pulse.tellWindow(link);
    old.end();
  }

  #onFrame(channel: Channel, frame: Frame): void {
    if (channel.isClient) return this.#options.clients.frame(channel, frame);
    if (frame.type === "PING") return this.#pulse.onPing(channel, frame);
    if (frame.type === "PONG") {
      const twins = channel.theirs === null ? null : this.#twins.onAnswer(channel.theirs, frame.at);
      if (twins !== null) return this.#refuseTwins(twins);
    }
    if (frame.type === "TWINS") return this.#onTwinsSeen(channel.theirs, frame);
    // Frames of a connection that is being replaced still belong to the link.
    const link = channel.link ?? (channel.theirs === null ? null : this.#linkOfProcess(processName(channel.theirs)));
    if (link === null) return;
    if (frame.type === "PONG") return this.#pulse.onPong(this.#links.get(link), frame);
    this.#options.events.frame(link, frame);
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

  /** A member is no guest: members get in however many other connections there are. */
  #noGuest(channel: Channel): void {
    if (this.#guests.delete(channel)) this.#doors.leave(channel.remote);
  }

  #onClosed(channel: Channel, code: string): void {
    this.#channels.delete(channel);
    this.#pulse.forget(channel);
    if (channel.isClient) this.#options.clients.closed(channel);
    const { target } = channel;
    this.#noGuest(channel);
    if (this.#closed) return;
    const link = channel.link === null ? undefined : this.#links.get(channel.link);
    if (link !== undefined && link.channel === channel) this.#drop(link);
    if (channel.theirs !== null && this.#channelsOf(channel.theirs).length === 0)
      // A process that was only asked is let go, and comes back.
      for (const one of this.#twins.onGone(channel.theirs))
        for (const asked of this.#channelsOf(one)) if (asked.link === null) asked.end();
    if (target !== null) this.#dialler.onClosed(target, code);
  }

  /** The link is over; if that peer is wanted it is dialled again. */
  #drop(link: Link): void {
    this.#links.delete(link.id);
    if (this.#byName.get(memberName(link.hello)) === link) this.#byName.delete(memberName(link.hello));
    link.channel.link = null;
    this.#options.events.log("debug", `lost the link with peer ${link.hello.id}`);
    this.#options.events.down(link.id);
    this.#dialler.onLinkDown(link.hello);
  }

  #linkedTo(id: PeerId): boolean {
    for (const link of this.#links.values()) if (link.hello.id === id) return true;
    return false;
  }
}

/** The handler of a connection that has been refused: what comes on it is ignored. */
const DEAF: ConnectionHandler = { data() {}, drain() {}, close() {} };
