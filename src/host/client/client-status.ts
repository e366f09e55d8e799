/** The status of a client: what its peer told last, corrected by what the client itself knows better. */
import { type Address, sameAddress } from "../../core/address.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { Status } from "../../core/reports.ts";
import { startingStatus } from "../answers/status.ts";

/** `told`: null before a peer told anything; `seen`: the end of what was read. */
export function clientStatus(
  told: Status | null,
  own: { readonly seen: LogIndex; readonly pending: number; readonly isServed: boolean },
): Status {
  const last = told ?? { ...startingStatus(0, []), waiting: null };
  const status: Status = {
    ...last,
    role: "client",
    last_index: Math.max(last.last_index, own.seen),
    commit_index: Math.max(last.commit_index, own.seen),
    pending: own.pending,
  };
  if (own.isServed) return status;
  const members = last.members.map((m) => (m.state === "alive" ? { ...m, state: "unreachable" as const } : m));
  return {
    ...status,
    id: 0,
    leader_id: null,
    quorum: false,
    members,
    waiting: { message: "no peer serves this client", needed: 0, peers: [] },
  };
}

/** Addresses of all known peers: as its last peer saw them, as the log says, and as given at the start. */
export function peerAddresses(told: Status | null, members: readonly Address[], first: readonly Address[]): Address[] {
  const seen = told?.members.filter((m) => m.role !== "left") ?? [];
  const all = [...seen, ...members, ...first].map(({ host, port }) => ({ host, port }));
  return all.filter((a, i) => all.findIndex((b) => sameAddress(a, b)) === i);
}
