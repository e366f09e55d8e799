/** What a host is made with: its ports, its options, and the listener that it tells. */
import type { Address } from "../core/address.ts";
import type { Timings } from "../core/config.ts";
import type { PeerId } from "../core/ids.ts";
import type { PeerInfo } from "../core/log-entry.ts";
import type { EngineFactory } from "../engines/engine.ts";
import type { Invitation } from "../wire/invitation.ts";
import type { Clock, Disk, Network, Trust } from "./contracts.ts";
import type { HostEvent, LogRecord, Stopped } from "./events.ts";
import type { PersonOptions } from "./own-person.ts";

/** `name` stands with this peer's messages. */
export interface HostOptions extends PersonOptions {
  /** Makes the engine, which decides who orders the messages and what is committed. */
  readonly engine: EngineFactory;
  readonly id: PeerId;
  /** Where to listen; port 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Further addresses to listen at: the same peer, dialled another way. Others are told only `advertise`. */
  readonly alsoListensAt?: readonly Address[];
  /** The address that others dial; null: host and port as bound. */
  readonly advertise: Address | null;
  readonly seeds: readonly PeerInfo[];
  readonly timings: Timings;
  /** "os" leaves durability to the operating system's page cache: faster, and unsafe when machines lose power. */
  readonly durability: "fsync" | "os";
  /**
   * The listener calls `acknowledge` when it is done with a message [C1]. Default: a message is done with when it was
   * told.
   */
  readonly acknowledges?: boolean;
  /** A cluster that is founded here is secured: members prove their keys, and strangers need an invitation. */
  readonly secured?: boolean;
  /** With which an empty directory joins a secured cluster; of no meaning to a member. */
  readonly invitation?: Invitation;
  /** A plain cluster may be reached from other machines, by anybody. */
  readonly insecure?: boolean;
  /** A person says that the holder of the directory is dead, if that cannot be seen from here. */
  readonly takesLock?: boolean;
  /** Segment limits that a founder writes into its genesis, if not the usual ones [L4]. */
  readonly segments?: { readonly entries: number; readonly bytes: number };
}

export interface Ports {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  /** None: every cluster is plain. */
  readonly trust?: Trust;
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
