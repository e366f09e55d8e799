/** A peer's answer to `/status`, from what its core knows. */
import { sameMember } from "../../core/ids.ts";
import type { Member } from "../../core/message.ts";
import type { Trouble } from "../../core/reports.ts";
import type { Peer } from "../../engines/bully/peer.ts";
import type { MemberStatus, Status } from "../events.ts";
import { type Pair, whereOf } from "../twins.ts";
import { type Surroundings, waitingFor } from "./waiting.ts";

/** What the host knows besides its peer. */
export interface Seen extends Surroundings {
  readonly twins: readonly Pair[];
  readonly troubles: readonly Trouble[];
}

export function describe(peer: Peer, firstIndex: number, seen: Seen): Status {
  const { leadership, leader, log } = peer;
  return {
    event: "status",
    id: peer.self.id,
    role: peer.shownRole,
    term: peer.promised.term,
    leader_id: leader?.ballot.leader_id ?? null,
    quorum: leadership?.quorumConnected ?? leader?.quorum ?? false,
    members: peer.membership.present.map((m) => describeMember(peer, m)),
    first_index: firstIndex,
    last_index: log.last,
    commit_index: log.commit,
    pending: peer.sender.pending,
    waiting: waitingFor(peer, seen),
    troubles: seen.troubles,
    disk_ms: peer.timeouts.disk.times.mean,
    twins: [
      ...(peer.twin === null ? [] : [{ id: peer.self.id, at: peer.ownTwins }]),
      ...seen.twins
        .filter((pair) => !sameMember(pair[0], peer.self))
        .map((pair) => ({ id: pair[0].id, at: pair.map(whereOf) })),
    ],
  };
}

function describeMember(peer: Peer, member: Member): MemberStatus {
  const { leadership, log } = peer;
  const own = sameMember(member, peer.self);
  const state = member.role === "left" ? "left" : peer.isLinked(member) ? "alive" : "unreachable";
  const progress = leadership?.progressOf(member);
  const lag = own
    ? log.last - log.commit
    : progress && state === "alive"
      ? log.last - Math.max(progress.match, progress.last)
      : null;
  return { id: member.id, host: member.host, port: member.port, role: member.role, state, lag };
}
