/** Who may come into a secured cluster [A6]: by the log, which each member has, and by what TLS says of a link. */
import { REDEEM_REFUSALS } from "../../core/access-log.ts";
import { type PeerId, sameMember } from "../../core/ids.ts";
import type { Member } from "../../core/log-entry.ts";
import type { Against } from "../../core/refuse-codes.ts";
import type { Asking } from "./leading.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";

/** A member of that id, incarnation and key, gone by /quit too: it needs no invitation. */
export function isOwnPlace(node: Node, { key }: LinkedPeer, asking: Asking): boolean {
  return (
    node.configuration?.members.some((m) => sameMember(m, asking) && m.key !== undefined && m.key === key) === true
  );
}

/**
 * Why not, or null. `now`: what invitations are judged by, 0 for a peer that does not lead, since only the leader's clock
 * counts. Who has no invitation learns nothing about ids.
 */
export function refuseJoin(node: Node, from: LinkedPeer, asking: Asking, now: number): Against | null {
  if (isOwnPlace(node, from, asking)) return null;
  const members = node.configuration?.members ?? [];
  const { id, invite } = asking;
  if (invite === undefined) {
    const wasEvicted = members.some((m) => sameMember(m, asking) && m.key === undefined);
    return wasEvicted ? EVICTED : REDEEM_REFUSALS.stranger;
  }
  const why = node.log.state.access.mayRedeem(invite, "member", now);
  if (why !== null) return REDEEM_REFUSALS[why];
  if (from.key === undefined)
    return { code: "needs-tls", message: "this cluster is secured: who joins proves a key of its own" };
  const owner = members.find((m) => m.key === from.key && m.id !== id);
  if (owner !== undefined)
    return {
      code: "duplicate-id",
      message: `the key of this directory is that of peer ${owner.id}: join with an empty directory, not with a copy`,
    };
  const namesake = members.find((m) => m.id === id && m.key !== undefined);
  return namesake === undefined ? null : taken(node, namesake);
}

const EVICTED: Against = {
  code: "evicted",
  message: "this peer was evicted: it comes back with a new invitation only",
};

function taken(node: Node, { id, inc, host, port, role }: Member): Against {
  if (node.isLinked({ id, inc })) return duplicateId(id, host, port);
  const where = role === "left" ? "which has left and may come back" : `at ${host}:${port}, which is away`;
  return {
    code: "id-away",
    message: `peer id ${id} belongs to the peer ${where}: choose another --id, start it with its old data directory, or say /evict ${id} on another peer`,
  };
}

export function duplicateId(id: PeerId, host: string, port: number): Against {
  return {
    code: "duplicate-id",
    message: `peer id ${id} is in use by the peer at ${host}:${port}: choose another --id`,
  };
}
