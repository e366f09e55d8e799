/** Changes of a peer's role, as its parts may ask for them. Each takes effect at once. */
import type { Ballot, PeerId } from "../../core/ids.ts";

export interface RoleChanges {
  /** Binds this peer to a higher ballot: from here on nothing lower is taken or acknowledged [E6]. */
  raisePromise(ballot: Ballot): void;
  becomeLeader(): void;
  /** Without a leader, or following the one whose ballot is promised. */
  becomeFollower(ballot: Ballot | null): void;
  /** Stops all leader traffic and says so [E10] [E11]; where it does not lead, nothing. `to` 0: anybody may follow. */
  abdicate(to: PeerId, why: string): void;
  /** The same, and for a while only the others are to try. */
  standBack(why: string): void;
}
