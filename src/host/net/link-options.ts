/** What links need from the host, and what they tell it. */
import type { Timings } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { LinkId, MemberKey, ProcessKey } from "../../core/ids.ts";
import type { DiskTimes, Hello, Refuse } from "../../core/message.ts";
import type { Input } from "../../engines/engine.ts";
import type { ClientEvents } from "../client/client-link.ts";
import type { Clock, Network } from "../contracts.ts";
import type { LogLevel } from "../events.ts";
import type { Pair } from "../twins.ts";
import type { Origin } from "./admission.ts";

export type Flow = Pick<Extract<Input, { type: "flow" }>, "window" | "frame" | "receives" | "arrivedUntil">;

export interface LinkEvents {
  up(link: LinkId, hello: Hello): void;
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
  /** Two living processes of one member were found, and refused [E16]; one of them may be this very process. */
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
  /** Why this peer must not be linked, or null. */
  readonly judge: (hello: Hello, from: Origin) => Refuse | null;
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
