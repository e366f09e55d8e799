/** What the host does for its clients. */
import type { Timings } from "../../core/config.ts";
import type { Status } from "../../core/reports.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Answers } from "../answers/answers.ts";
import type { Past } from "../answers/past.ts";
import type { Clock, Trust } from "../contracts.ts";
import type { Submitted } from "../service.ts";
import type { AccessChanges } from "./access-changes.ts";
import type { Grants } from "./grants.ts";

export interface ClientsHost {
  readonly clock: Clock;
  readonly timings: Timings;
  readonly answers: Answers;
  /** Null while the peer starts or stops. */
  peer(): EngineView | null;
  clusterId(): string | null;
  /** The name of the person at this very peer; null if there is none. */
  ownName(): string | null;
  /** A client has another name than before. */
  onRenamed(): void;
  input(input: Input): void;
  status(): Status;
  /**
   * The part of the status about missing peers and about files that cannot be written. It is asked for at every turn;
   * the whole status is not.
   */
  hindrances(): string;
  /** Why messages wait, as it was told last; null while they do not. */
  waiting(): string | null;
  readonly past: Past;
  readonly grants: Grants;
  readonly changes: Pick<AccessChanges, "submit">;
  readonly trust: Pick<Trust, "hash"> | null;
  /** In whose name whoever has the data directory invites. */
  signs(): string;
  say(user: string, room: string, text: string): Submitted;
}
