/** What people want of their cluster, on its way to the leader, who alone can carry it out. */
import type { PeerId } from "./ids.ts";
import type { AccessChange } from "./log-entry.ts";
import type { RefuseCode } from "./refuse-codes.ts";

/** A person's command that only the leader can carry out. */
export interface Admin {
  readonly type: "ADMIN";
  readonly op: "transfer" | "evict" | "secure";
  /** 0 with transfer: the leader chooses; 0 with secure. */
  readonly id: PeerId;
}
export interface AdminAck {
  readonly type: "ADMIN_ACK";
  readonly ok: boolean;
  readonly message: string;
}

/** Asks the leader to append a change of who may come in [A5]. The same again changes nothing more. */
export interface Access {
  readonly type: "ACCESS";
  /** The asking peer's own number, echoed by the answer. */
  readonly request: number;
  readonly change: AccessChange;
}
/** ok: it is in the leader's log, not committed yet. */
export interface AccessAck {
  readonly type: "ACCESS_ACK";
  readonly request: number;
  readonly ok: boolean;
  /** Why not; null where ok. "closing": ask again later. */
  readonly code: RefuseCode | null;
  readonly message: string;
}
