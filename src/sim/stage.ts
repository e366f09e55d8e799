/** The world as the steps of a plan and its expectations see it, and what they may do in it. */
import type { Status } from "../host/events.ts";
import type { Checkers } from "./checkers.ts";
import type { Clients, VirtualClient } from "./clients.ts";
import type { Machine } from "./machine.ts";
import type { Losses } from "./member-losses.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A machine or a client: both talk, and are told things. */
export type Actor = Machine | VirtualClient;

export interface Stage {
  readonly time: VirtualTime;
  readonly checkers: Checkers;
  readonly network: VirtualNetwork;
  readonly machines: Machine[];
  readonly clients: Clients;
  readonly losses: Losses;
  /** Peers prove their keys. */
  readonly isSecured: boolean;
  /** Codes of notices and errors told by each since its start. */
  readonly told: ReadonlyMap<Actor, string[]>;
  /** Texts of others that each machine has shown as pending since its start [S7]. */
  readonly shown: ReadonlyMap<Actor, string[]>;
  machine(text: string | undefined): Machine | undefined;
  actor(text: string | undefined): Actor | undefined;
  /** Texts that a machine's directory, or a client's process, has delivered, in order. */
  delivered(actor: Actor): readonly string[];
  /** Texts that the application of a machine's directory has handled, each as often as it did. */
  handled(machine: Machine): string[];
  /** The id of the message that was typed last at a machine; null where none was. */
  lastTyped(machine: Machine): string | null;
  status(actor: Actor): Status | null;
  /** Everybody runs, reaches everybody, and follows one leader. */
  readonly isCalm: boolean;
  say(actor: Actor, text: string): void;
  /** From its next start on an application reads its messages. */
  embed(machine: Machine, handleMs: number): void;
  startMachine(machine: Machine, seeds: readonly number[] | null): void;
  /** Starts it at once, and for a while nothing else goes wrong, because only the others can tell it [D6]. */
  rolledBack(machine: Machine): void;
  /**
   * Puts back directories that may be a majority. What was said since is no longer promised, and a machine that still
   * has it may be told something else.
   */
  putBack(machines: readonly Machine[]): void;
  /** A second process with a peer's id, on a directory and a port of its own. */
  addTwin(of: Machine): void;
  /** A second process on a copy of a peer's directory, taken while that runs. */
  addClone(of: Machine): Machine;
  /** The same, and for a while nothing else goes wrong: all must be told. Then the copy is given up [E16]. */
  cloneSeen(of: Machine): void;
  /** A second process on a peer's own directory, in another container, with a port of its own: neither sees the other. */
  addDouble(of: Machine): void;
  /** A port at which nobody has listened yet. */
  freshPort(): number;
  cutWay(from: Actor, to: Actor): void;
  cutBetween(groups: readonly (readonly Actor[])[]): void;
}
