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
import type { Attach, Redeem } from "../../core/client-frames.ts";
import type { Frame } from "../../core/frame.ts";
import { type LinkId, type MemberKey, type PeerId, type ProcessKey, sameMember, sameProcess } from "../../core/ids.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import type { Hello, Refuse, Twin } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Connection, ConnectionHandler } from "../contracts.ts";
import type { Pair } from "../twins.ts";
import { impostor, isUntrusted, type Origin } from "./admission.ts";
import { Channel } from "./channel.ts";
import { connectChannel } from "./connect-channel.ts";
import { Dialler, processName, type Target } from "./dialler.ts";
import { Entrance } from "./entrance.ts";
import { type Link, newLink } from "./link.ts";
import type { LinkOptions } from "./link-options.ts";
import { Listeners, type Listening } from "./listeners.ts";
import { Pulse } from "./pulse.ts";
import { TwinWatch } from "./twin-watch.ts";
import type { Window } from "./window.ts";

export class Links {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  #listeners = new Listeners();
  readonly #channels = new Set<Channel>();
  readonly #links = new Map<LinkId, Link>();
  readonly #byName = new Map<string, Link>();
  readonly #dialler: Dialler;
  readonly #entrance: Entrance;
  readonly #pulse: Pulse;
  readonly #twins: TwinWatch;
  #nextLink: LinkId = 1;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#entrance = new Entrance(options);
    this.#dialler = new Dialler({
      clock: options.clock,
      connect: (target) => this.#dial(target),
      isLinked: (id) => this.#linkedTo(id),
      isProcessLinked: (process) => this.#linkOfProcess(process) !== null,
      log: options.events.log,
    });
    this.#pulse = new Pulse(options, this.#channels, this.#links, () => this.#dialler.onBeat());
    this.#twins = new TwinWatch(options, this.#pulse, {
      channelsOf: (process) => this.#channelsOf(process),
      linked: (member) => this.#byName.get(memberName(member))?.hello,
      tellAll: (frame) => {
        for (const link of this.#links.keys()) this.send(link, frame);
      },
    });
  }

  listen(addresses: readonly Address[], ready: (listening: Listening) => void): void {
    const { network, isSecured } = this.#options.listens();
    const accept = (connection: Connection) => this.#accept(connection, isSecured);
    this.#listeners.listen(network, addresses, accept, (listening) => {
      if (listening.ok) this.#pulse.start();
      ready(listening);
    });
  }

  /** The cluster is secured from now on: at these addresses it is spoken with in no other way [A10]. */
  listenAnew(ready: (listening: Listening) => void): void {
    const { addresses } = this.#listeners;
    this.#listeners.close();
    this.#listeners = new Listeners();
    this.listen(addresses, ready);
  }

  /** Ends what is not secured: links with peers, and the connections of clients unless `peersOnly`. */
  endPlain(peersOnly = false): void {
    for (const c of [...this.#channels]) if (!c.isSecured && !(peersOnly && c.isClient)) c.end();
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

  /** Who waited to be known may be known by now. */
  reconsider(): void {
    for (const channel of [...this.#channels]) {
      const { theirs, isStranger } = channel;
      if (theirs === null || !isStranger || this.#options.judge(theirs, originOf(channel)) !== null) continue;
      this.#admit(channel, theirs);
    }
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

  /** Tells all linked peers of twins: some of them were greeted by only one of the two. */
  tellTwins(member: MemberKey, at: readonly Twin[]): void {
    this.#twins.tell(member, at);
  }

  close(): void {
    this.#closed = true;
    this.#pulse.stop();
    this.#listeners.close();
    this.#dialler.close();
    for (const channel of [...this.#channels]) channel.end();
  }

  // ── connections ────────────────────────────────────────────────────────────────────────────────────────────────

  #accept(connection: Connection, isSecured: boolean): ConnectionHandler | null {
    if (this.#closed) return null;
    return this.#entrance.enter(connection, isSecured, () => this.#open(connection, null, isSecured));
  }

  #dial(target: Target): void {
    const { network, isSecured } = this.#options.dials();
    connectChannel(network, target, (connection) => this.#open(connection, target, isSecured));
  }

  #open(connection: Connection, target: Target | null, isSecured: boolean): Channel {
    const channel: Channel = new Channel(
      this.#clock,
      connection,
      target,
      this.#options.hello(),
      this.#options.timings.handshake,
      {
        hello: (c, theirs) => this.#onHello(c, theirs),
        client: (c, frame) => this.#onClient(c, frame),
        frame: (c, frame) => this.#onFrame(c, frame),
        refused: (refuse) => this.#onRefused(channel, refuse),
        malformed: (why) => this.#options.events.log("warn", `closed the connection with ${connection.remote}: ${why}`),
        closed: (c, code) => this.#onClosed(c, code),
      },
      isSecured ? this.#options.trusts : null,
    );
    this.#channels.add(channel);
    return channel;
  }

  #onClient(channel: Channel, frame: Attach | Redeem): void {
    if (frame.type === "ATTACH") this.#options.clients.attach(channel, frame);
    else this.#options.clients.redeem(channel, frame);
    // Whom they have not refused they know.
    if (!channel.isOver) channel.recognise();
  }

  #onHello(channel: Channel, hello: Hello): void {
    const { self, judge, proves } = this.#options;
    if (channel.isSecured && !proves(hello, channel.identity)) return channel.refuse(impostor(hello), true);
    if (sameProcess(hello, self)) {
      channel.greet();
      // This peer's own address is in a seed or a configuration: dialling it is of no use.
      if (channel.target !== null) this.#dialler.unwelcome(channel.target);
      return channel.end();
    }
    if (sameMember(hello, self)) return this.#twins.meetOwn(channel, hello);
    const against = this.#twins.refusalOf(hello) ?? judge(hello, originOf(channel));
    // Both sides may have a reason to refuse the other: this side listens until the other has said its reason.
    if (against === "stranger") return channel.greet();
    if (against !== null) return channel.refuse(against, true);
    this.#admit(channel, hello);
  }

  /** Nothing but what asks to be let in is heard of whom nobody knows [A3]. */
  #onStranger(channel: Channel, frame: Frame): void {
    const { theirs } = channel;
    if (frame.type !== "JOIN" || theirs === null) return;
    const answer = this.#options.admit(theirs, frame);
    if (answer !== null) return channel.refuse(answer);
    this.#admit(channel, theirs);
    if (channel.link !== null) this.#options.events.frame(channel.link, frame);
  }

  #admit(channel: Channel, hello: Hello): void {
    const { events } = this.#options;
    channel.recognise();
    channel.greet();
    if (this.#options.isMember(hello)) this.#entrance.leave(channel);
    if (channel.target !== null) this.#dialler.answered(channel.target, hello);
    const name = memberName(hello);
    const present = this.#byName.get(name);
    if (present !== undefined && sameProcess(present.hello, hello)) return this.#chooseBetween(present, channel);
    if (present !== undefined) {
      this.#twins.suspect(present, channel, hello);
      if (hello.boot < present.hello.boot) return;
      // The new process does not know what the old one was told.
      this.#drop(present);
    }
    this.#twins.decided(hello);
    const link = newLink(this.#nextLink, hello, channel);
    this.#nextLink += 1;
    channel.link = link.id;
    this.#links.set(link.id, link);
    this.#byName.set(name, link);
    this.#dialler.heard(hello);
    const version = channel.isMixed ? `, protocol version ${channel.version}` : "";
    events.log("debug", `linked with peer ${hello.id} at ${place(hello)}${version}`);
    events.up(link.id, hello, channel.isSecured ? channel.identity : (hello.key ?? null));
    this.#pulse.tellWindow(link);
    this.#pulse.ping(channel, link);
    for (const frame of this.#twins.toTell) this.send(link.id, frame);
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
    if (channel.isStranger) return this.#onStranger(channel, frame);
    if (frame.type === "PONG" && this.#twins.onAnswer(channel, frame.at)) return;
    if (frame.type === "TWINS") return this.#twins.onSeen(channel.theirs, frame);
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

  #onRefused({ target, remote, theirs, isStranger }: Channel, refuse: Refuse): void {
    const address = target === null ? remote : place(target);
    if (target !== null) this.#dialler.unwelcome(target);
    // A stranger may not be the peer that it says it is.
    if (refuse.code !== "closing")
      this.#options.events.refused(address, refuse, target !== null, isStranger ? null : theirs);
  }

  #onClosed(channel: Channel, code: string): void {
    this.#channels.delete(channel);
    this.#pulse.forget(channel);
    if (channel.isClient) this.#options.clients.closed(channel);
    const { target } = channel;
    this.#entrance.leave(channel);
    if (this.#closed) return;
    const link = channel.link === null ? undefined : this.#links.get(channel.link);
    if (link !== undefined && link.channel === channel) this.#drop(link);
    this.#twins.onClosed(channel);
    if (target === null) return;
    this.#dialler.onClosed(target, code);
    if (isUntrusted(code)) this.#options.events.untrusted(target, code);
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

function originOf({ target, isSecured, identity }: Channel): Origin {
  return { dialled: target !== null, isSecured, identity };
}
