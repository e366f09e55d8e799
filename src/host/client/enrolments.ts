/**
 * Who is invited as a client comes once, on a connection of its own, with the invitation and the hash of the token that it
 * has made [A8]. It is told that the token counts when this peer's committed log says so; who lost that answer comes again.
 */
import { REDEEM_REFUSALS } from "../../core/access-log.ts";
import type { Redeem } from "../../core/client-frames.ts";
import type { Enrolment } from "../../core/log-entry.ts";
import type { EngineView } from "../../engines/view.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Trust } from "../contracts.ts";
import { refusal } from "../net/channel.ts";
import type { AccessChanges } from "./access-changes.ts";
import type { ClientLink } from "./client-link.ts";
import type { Against } from "./grants.ts";
import { nameTaken } from "./reserved-names.ts";

export interface EnrolmentsHost {
  readonly clock: Clock;
  readonly trust: Pick<Trust, "hash"> | null;
  readonly changes: Pick<AccessChanges, "submit">;
  peer(): EngineView | null;
  clusterId(): string | null;
}

export class Enrolments {
  readonly #host: EnrolmentsHost;
  readonly #waiting = new Set<ClientLink>();

  constructor(host: EnrolmentsHost) {
    this.#host = host;
  }

  redeem(link: ClientLink, frame: Redeem): void {
    const judged = this.#judge(frame);
    if ("code" in judged) return link.refuse(refusal(judged.code, judged.message));
    this.#waiting.add(link);
    this.#host.changes.submit(judged, (against) => {
      if (!this.#waiting.delete(link)) return;
      const peer = this.#host.peer();
      const user = peer?.access.users.get(frame.token);
      if (against !== null) return link.refuse(refusal(against.code, against.message));
      if (peer === null || user === undefined)
        return link.refuse(refusal("closing", "this peer is stopping: try again"));
      link.write(
        encodeFrame({
          type: "REDEEMED",
          name: user.name,
          rights: user.rights,
          index: user.index,
          cluster_id: frame.cluster_id,
          members: addressesWithKeys(peer),
        }),
        true,
      );
      link.end();
    });
  }

  /** False: that connection is nobody's here. */
  closed(link: ClientLink): boolean {
    return this.#waiting.delete(link);
  }

  isWaiting(link: ClientLink): boolean {
    return this.#waiting.has(link);
  }

  #judge({ cluster_id, invite, token, user }: Redeem): Enrolment | Against {
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

/** Where members listen, and what they prove there. */
function addressesWithKeys(peer: EngineView) {
  return peer.present().flatMap((member) => {
    const { id, host, port, role } = member;
    const key = peer.keyOf(member);
    return role === "left" || key === null ? [] : [{ id, host, port, key }];
  });
}
