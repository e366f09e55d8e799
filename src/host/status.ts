/** A peer's answer to `/status`, from what its core knows. */
import { sameMember } from "../core/ids.ts";
import type { Member } from "../core/message.ts";
import type { Peer } from "../core/peer.ts";
import type { MemberStatus, Status } from "./events.ts";
import { type Pair, twinsText, whereOf } from "./twins.ts";

export function describe(peer: Peer, firstIndex: number, seen: readonly Pair[]): Status {
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
    waiting: whyWaiting(peer),
    disk_ms: peer.timeouts.disk.times.mean,
    twins: [
      ...(peer.twin === null ? [] : [{ id: peer.self.id, at: peer.ownTwins }]),
      ...seen
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

/**
 * Why nothing is being sequenced, in words for a person, or null while a majority is there [S9] [M5].
 */
export function whyWaiting(peer: Peer): string | null {
  if (peer.founding > 0)
    return `this peer founded a cluster and is alone in it: messages are taken ${peer.timings.founding / 1000} s after its start, unless somebody knows it from another one`;
  if (peer.histories.contradictsLeader) return peer.histories.found;
  if (peer.leader?.quorum === true || peer.relay.via !== null) return null;
  if (peer.twin !== null) return twinsText(peer.self.id, peer.ownTwins);
  const members = (peer.configuration?.members ?? []).filter((m) => m.role !== "left");
  if (members.length === 0) return "not in a cluster yet: no seed has answered";
  const voters = members.filter((m) => m.role === "voter");
  const here = voters.filter((v) => peer.isLinked(v)).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (peer.losses.why !== null) return peer.losses.why;
  if (here >= needed && peer.histories.found !== null) return peer.histories.found;
  if (here >= needed)
    return `waiting for a leader (${here} of ${voters.length} voters here, none is elected yet): messages are kept and will be sent`;
  const own = peer.memberOf(peer.self);
  const missing = voters.filter((v) => !peer.isLinked(v)).map((v) => `peer ${v.id}`);
  if ((own === null || own.role === "left" || own.role === "observer") && voters.length === 1) {
    return `waiting for ${missing.join(", ")}, the only voter: who left last must return first; messages are kept and will be sent`;
  }
  return `waiting for a majority (${here} of ${voters.length} voters here, ${needed} needed; missing: ${missing.join(", ")}): messages are kept and will be sent`;
}
