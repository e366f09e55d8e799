/** Changes of a peer's role, as its parts may ask for them. Each takes effect at once. */
import type { Ballot, MemberKey, PeerId } from "../../core/ids.ts";

export interface RoleChanges {
  /** Binds this peer to a higher ballot: from here on nothing lower is taken or acknowledged [E6]. */
  raisePromise(ballot: Ballot): void;
  /**
   * This peer holds less than it had confirmed: nothing is proven any more, and it keeps the promise that it had given
   * [D6].
   */
  promiseAgain(ballot: Ballot): void;
  becomeLeader(): void;
  /** Without a leader, or following the one whose ballot is promised. */
  becomeFollower(ballot: Ballot | null): void;
  /**
   * Stops all leader traffic and says so [E10] [E11]. Does nothing where this peer does not lead. `to` is the
   * successor; 0: any peer may be.
   */
  abdicate(to: PeerId, why: string): void;
  /** The same; and for a while only the others try to lead. */
  standBack(why: string): void;
  /** The same, and ends an election of its own: this peer has no vote for now. */
  withdraw(why: string): void;
  /** [E13] A member has promised more than the ballot that this peer leads by; `led`: and hears a leader. */
  onRefused(by: MemberKey, promised: Ballot, led: boolean): void;
}
