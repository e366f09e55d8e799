/**
 * Exchanges invitations for tokens [A8]. An invited client comes once, on a connection of its own, with the invitation and
 * the hash of a token that it has made. It is answered when this peer's committed log has the token. A client that has lost
 * the answer comes again and gets the same one.
 */
import { REDEEM_REFUSALS } from "../../core/access-log.ts";
import type { Redeem } from "../../core/client-frames.ts";
import type { Enrolment, Member } from "../../core/log-entry.ts";
import type { AccessView, TokenUser } from "../../core/log-view.ts";
import type { Against } from "../../core/refuse-codes.ts";
import type { EngineView } from "../../engines/view.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Trust } from "../contracts.ts";
import { refusal, refusalFor } from "../net/refusal.ts";
import type { AccessChanges } from "./access-changes.ts";
import type { ClientLink } from "./client-link.ts";
import { nameTaken } from "./reserved-names.ts";

export interface EnrolmentsHost {
  readonly clock: Clock;
  readonly trust: Pick<Trust, "hash"> | null;
  readonly changes: Pick<AccessChanges, "submit">;
  peer(): EngineView | null;
  clusterId(): string | null;
}

type Granted = Pick<TokenUser, "name" | "rights" | "index">;
type Filter = (member: Member) => boolean;

export class Enrolments {
  readonly #host: EnrolmentsHost;
  readonly #waiting = new Set<ClientLink>();

  constructor(host: EnrolmentsHost) {
    this.#host = host;
  }

  redeem(link: ClientLink, frame: Redeem): void {
    const judged = this.#judge(frame);
    if ("code" in judged) return link.refuse(refusalFor(judged));
    if (!("change" in judged)) return this.#answer(link, frame, judged, (member) => member.key !== undefined);
    this.#waiting.add(link);
    this.#host.changes.submit(judged, (against) => {
      if (!this.#waiting.delete(link)) return;
      const user = this.#host.peer()?.access.users.get(judged.hash);
      if (against !== null) return link.refuse(refusalFor(against));
      if (user === undefined) return link.refuse(refusal("closing", "this peer is stopping: try again"));
      this.#answer(link, frame, user, (member) => member.role !== "left");
    });
  }

  #answer(link: ClientLink, { cluster_id }: Redeem, { name, rights, index }: Granted, isTold: Filter): void {
    const peer = this.#host.peer();
    if (peer === null) return link.refuse(refusal("closing", "this peer is stopping: try again"));
    const members = addressesWithKeys(peer, isTold);
    link.write(encodeFrame({ type: "REDEEMED", name, rights, index, cluster_id, members }), true);
    link.end();
  }

  /** Returns false for a connection on which nobody waits for a token. */
  closed(link: ClientLink): boolean {
    return this.#waiting.delete(link);
  }

  isWaiting(link: ClientLink): boolean {
    return this.#waiting.has(link);
  }

  #judge({ cluster_id, invite, token, user }: Redeem): Enrolment | Granted | Against {
    const { clock, trust } = this.#host;
    const peer = this.#host.peer();
    const own = this.#host.clusterId();
    if (peer === null || peer.quitting || own === null)
      return { code: "closing", message: "this peer is starting or stopping: try again" };
    if (cluster_id !== own)
      return { code: "wrong-cluster", message: `this peer belongs to cluster ${own}, not to ${cluster_id}` };
    if (!peer.secure || trust === null)
      return { code: "plain", message: "this cluster is plain: a client connects to it without an invitation" };
    const hash = trust.hash(invite);
    if (token === undefined) return look(peer.access, hash, user, clock.wall());
    const known = peer.access.users.get(token);
    if (known !== undefined && known.invite === hash && known.revoked === 0)
      return { change: "user", hash: token, name: known.name, rights: known.rights, invite: hash };
    const why = peer.access.mayRedeem(hash, "client", clock.wall());
    const invitation = peer.access.invitations.get(hash);
    if (why !== null || invitation === undefined) return REDEEM_REFUSALS[why ?? "stranger"];
    const { name, rights } = invitation;
    const taken = nameTaken(name === "" ? user : name, peer, clock.wall(), { but: hash, isKnown: name !== "" });
    if (taken !== null) return { code: "name-in-use", message: taken };
    return { change: "user", hash: token, name: name === "" ? user : name, rights, invite: hash };
  }
}

/** What an invitation of either kind would give. */
function look(access: AccessView, hash: string, user: string, wall: number): Granted | Against {
  const invitation = access.invitations.get(hash);
  const why = access.mayRedeem(hash, invitation?.role ?? "member", wall);
  if (why !== null || invitation === undefined) return REDEEM_REFUSALS[why ?? "stranger"];
  const { name, rights, index } = invitation;
  return { name: name === "" ? user : name, rights, index };
}

/** The members' addresses, and the keys to expect there. */
function addressesWithKeys(peer: EngineView, isTold: Filter) {
  return (peer.configuration?.members ?? []).filter(isTold).flatMap((member) => {
    const { id, host, port } = member;
    const key = peer.keyOf(member);
    return key === null ? [] : [{ id, host, port, key }];
  });
}
