/** What links need from the host, and what they tell it. */
import type { Timings } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { Key, LinkId, MemberKey, ProcessKey } from "../../core/ids.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import type { DiskTimes, Hello, Join, Refuse } from "../../core/message.ts";
import type { Input } from "../../engines/engine.ts";
import type { ClientEvents } from "../client/client-link.ts";
import type { Clock, Network } from "../contracts.ts";
import type { LogLevel } from "../events.ts";
import type { Pair } from "../twins.ts";
import type { Origin, Untrusted } from "./admission.ts";

export type Flow = Pick<Extract<Input, { type: "flow" }>, "window" | "frame" | "receives" | "arrivedUntil">;

/** TCP, or TLS, where both sides prove their keys. */
export interface Transport {
  readonly network: Network;
  readonly isSecured: boolean;
}

export interface LinkEvents {
  /** `key`: what the other side has proven, or on a plain connection says; null: it has none. */
  up(link: LinkId, hello: Hello, key: Key | null): void;
  down(link: LinkId): void;
  frame(link: LinkId, frame: Frame): void;
  /** The other side answered after `roundTrip` milliseconds, and said how long its disk takes [E15]. */
  measured(link: LinkId, roundTrip: number, disk: DiskTimes): void;
  /**
   * The amount of bulk that may be under way on a link has changed; or frames that take long are coming in or going out
   * [R10].
   */
  flow(link: LinkId, flow: Flow): void;
  /** This process stood still for `away` milliseconds, in which the others gave it up. */
  goesOn(away: number): void;
  /**
   * The other side said why it refuses this peer. `dialled`: this peer had dialled it, so it is no stranger. `by`: the
   * peer that it said it is.
   */
  refused(address: string, refuse: Refuse, dialled: boolean, by: Hello | null): void;
  /** The side that answered at a dialled address is not one that this peer trusts: nothing was written to it. */
  untrusted(target: PeerInfo, code: Untrusted): void;
  /** Two living processes of one member were found, and refused [E16]; one of them may be this very process. */
  twins(pair: Pair): void;
  log(level: LogLevel, message: string): void;
}

export interface LinkOptions {
  /** Where it listens, and over what the next dial goes. */
  readonly listens: () => Transport;
  readonly dials: () => Transport;
  readonly clock: Clock;
  readonly self: ProcessKey;
  readonly timings: Timings;
  /** This peer's HELLO as of now. */
  readonly hello: () => Hello;
  /** Whether this peer may talk with the holder of a key: a member, or a peer that its invitation names. */
  readonly trusts: (identity: Key) => boolean;
  /** False: the HELLO names a member, and the connection has proven another key than that member's. */
  readonly proves: (hello: Hello, identity: Key | null) => boolean;
  /** Why this peer must not be linked; "stranger": it must show an invitation first; null: it may be linked. */
  readonly judge: (hello: Hello, from: Origin) => Refuse | "stranger" | null;
  /** Why a stranger must not be linked with its JOIN, or null. */
  readonly admit: (hello: Hello, join: Join) => Refuse | null;
  readonly isMember: (member: MemberKey) => boolean;
  /** Whether this process still has its directory: otherwise it answers nothing [D1]. */
  readonly holds: () => boolean;
  /** How long this peer's disk takes, as others are told. */
  readonly disk: () => DiskTimes;
  /** Milliseconds after which a silent link is given up. */
  readonly silenceMax: (link: LinkId) => number;
  readonly events: LinkEvents;
  readonly clients: ClientEvents;
}
