/** What links need of the host, and what they tell it. */
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
