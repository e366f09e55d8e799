/** What the parts of a host may ask of the whole; each part names what it needs of it. */
import type { Engine, Input } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import type { Clock } from "./contracts.ts";
import type { Ending, HostEvent, LogLevel } from "./events.ts";
import type { HostOptions } from "./host-contract.ts";

export interface Whole {
  readonly clock: Clock;
  readonly options: HostOptions;
  /** Null before this peer listens. It stays after the peer has stopped. */
  engine(): Engine | null;
  /** What the engine shows; null before this peer listens. */
  core(): EngineView | null;
  /** The same, but null after the peer has stopped. */
  peer(): EngineView | null;
  input(input: Input): void;
  /** Runs work that may find the disk failed or the log damaged, which ends the peer. */
  guarded(work: () => void): void;
  event(event: HostEvent): void;
  log(level: LogLevel, message: string): void;
  /** Says why, and ends the peer. */
  die(reason: string, code?: Ending): void;
}
