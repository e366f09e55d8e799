/** A peer's answer to `/status`: the engine's own part of it, and what the host knows. */
import { NOTICE_CHARS_MAX } from "../../core/config.ts";
import { type PeerId, sameMember } from "../../core/ids.ts";
import type { Member } from "../../core/log-entry.ts";
import type { Trouble, Waiting } from "../../core/reports.ts";
import type { EngineView, Surroundings } from "../../engines/view.ts";
import { cut } from "../../wire/text.ts";
import type { MemberStatus, Status } from "../events.ts";
import { type Pair, whereOf } from "../twins.ts";

/** What the host knows besides its engine. */
export interface Seen extends Surroundings {
  readonly twins: readonly Pair[];
  readonly troubles: readonly Trouble[];
}

export function describe(peer: EngineView, firstIndex: number, seen: Seen): Status {
  const { standing, log } = peer;
  return {
    event: "status",
    id: peer.self.id,
    role: standing.role,
    term: standing.term,
    leader_id: standing.leader_id,
    quorum: standing.quorum,
    members: peer.present().map((m) => describeMember(peer, m)),
    first_index: firstIndex,
    last_index: log.last,
    commit_index: log.commit,
    pending: peer.pending,
    waiting: waitingFor(peer, seen),
    troubles: seen.troubles,
    disk_ms: peer.diskTimes().mean,
    twins: [
      ...(peer.twins.length === 0 ? [] : [{ id: peer.self.id, at: peer.twins }]),
      ...seen.twins
        .filter((pair) => !sameMember(pair[0], peer.self))
        .map((pair) => ({ id: pair[0].id, at: pair.map(whereOf) })),
    ],
  };
}

function describeMember(peer: EngineView, member: Member): MemberStatus {
  const state = member.role === "left" ? "left" : peer.isLinked(member) ? "alive" : "unreachable";
  const isAsked = state === "alive" || sameMember(member, peer.self);
  const { id, host, port, role } = member;
  return { id, host, port, role, state, lag: isAsked ? peer.lagOf(member) : null };
}

/** Why messages wait; null: they are taken. The words fit a frame: they may name many members, each with a long address. */
export function waitingFor(peer: EngineView, around: Surroundings): Waiting | null {
  const waiting = peer.waiting(around);
  return waiting === null || waiting.message.length <= NOTICE_CHARS_MAX
    ? waiting
    : { ...waiting, message: cut(waiting.message, NOTICE_CHARS_MAX) };
}

/** The status of a peer that does not listen yet. */
export function startingStatus(id: PeerId, troubles: readonly Trouble[]): Status {
  return {
    event: "status",
    id,
    role: "observer",
    term: 0,
    leader_id: null,
    quorum: false,
    members: [],
    first_index: 0,
    last_index: 0,
    commit_index: 0,
    pending: 0,
    waiting: { message: "this peer is starting", needed: 0, peers: [] },
    troubles,
    disk_ms: 0,
    twins: [],
  };
}
