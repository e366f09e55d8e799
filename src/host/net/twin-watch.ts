/** Watches the connections for members that run twice, and tells everybody of them [E16]. */
import { type MemberKey, type ProcessKey, sameMember, sameProcess } from "../../core/ids.ts";
import type { Hello, Twin, TwinsSeen } from "../../core/message.ts";
import { type Pair, pairOf, refuseTwin, Twins, twinsSeen } from "../twins.ts";
import type { Channel } from "./channel.ts";
import type { Link } from "./link.ts";
import type { LinkOptions } from "./link-options.ts";
import type { Pulse } from "./pulse.ts";

/** The connections, as their owner knows them. */
export interface Connected {
  channelsOf(process: ProcessKey): readonly Channel[];
  /** The process of a member that has a link. */
  linked(member: MemberKey): ProcessKey | undefined;
  /** Sends to every linked peer. */
  tellAll(frame: TwinsSeen): void;
}

export class TwinWatch {
  readonly #options: Pick<LinkOptions, "clock" | "self" | "hello" | "isMember" | "events">;
  readonly #pulse: Pick<Pulse, "ping">;
  readonly #connected: Connected;
  readonly #twins = new Twins();

  constructor(
    options: Pick<LinkOptions, "clock" | "self" | "hello" | "isMember" | "events">,
    pulse: Pick<Pulse, "ping">,
    connected: Connected,
  ) {
    this.#options = options;
    this.#pulse = pulse;
    this.#connected = connected;
  }

  get seen(): readonly Pair[] {
    return this.#twins.seen;
  }

  /** What a peer that has just been linked is to hear. */
  get toTell(): TwinsSeen[] {
    return this.seen.map((pair) => twinsSeen(pair[0], pair));
  }

  refusalOf(hello: Hello): ReturnType<Twins["refusalOf"]> {
    return this.#twins.refusalOf(hello);
  }

  decided(member: MemberKey): void {
    this.#twins.decided(member);
  }

  /** Another process of a linked member. Both keep a connection as long as either may answer, and one of them has the link. */
  suspect(present: Link, fresh: Channel, hello: Hello): void {
    this.#twins.suspect([present.hello, hello], this.#options.clock.now());
    this.#pulse.ping(present.channel, present);
    this.#pulse.ping(fresh, undefined);
  }

  /** Another process of this very member: it is asked whether it lives, too. */
  meetOwn(channel: Channel, hello: Hello): void {
    channel.recognise();
    channel.greet();
    const own = this.#options.hello();
    this.#twins.suspect([own, hello], this.#options.clock.now(), [own]);
    this.#pulse.ping(channel, undefined);
  }

  /** A process has answered the question of that time. Returns whether that proves twins. */
  onAnswer({ theirs }: Channel, askedAt: number): boolean {
    const twins = theirs === null ? null : this.#twins.onAnswer(theirs, askedAt);
    if (twins !== null) this.#refuse(twins);
    return twins !== null;
  }

  /** Another member has seen twins. That is old news if the member (perhaps this one) has been started again since. */
  onSeen(from: Hello | null, seen: TwinsSeen): void {
    const { isMember, self } = this.#options;
    if (from === null || !isMember(from)) return;
    const pair = pairOf(seen);
    const present = sameMember(seen, self) ? self : this.#connected.linked(seen);
    if (present !== undefined && !pair.some((one) => sameProcess(one, present))) return;
    if (this.#twins.learn(pair)) this.#refuse(pair);
  }

  onClosed({ theirs }: Channel): void {
    if (theirs === null || this.#connected.channelsOf(theirs).length > 0) return;
    // A process that was only asked is let go, and comes back.
    for (const one of this.#twins.onGone(theirs))
      for (const asked of this.#connected.channelsOf(one)) if (asked.link === null) asked.end();
  }

  /** Tells all linked peers of twins: some of them were greeted by only one of the two. */
  tell(member: MemberKey, at: readonly Twin[]): void {
    this.#connected.tellAll(twinsSeen(member, at));
  }

  /** Both processes are told of each other, on every connection that they have, and all other peers of both. */
  #refuse(pair: Pair): void {
    this.#options.events.twins(pair);
    for (const [i, one] of pair.entries())
      for (const channel of this.#connected.channelsOf(one)) channel.refuse(refuseTwin(one, pair[1 - i] as Pair[0]));
    this.tell(pair[0], pair);
  }
}
