/** A client's name and rights at its peer [A8]. In a secured cluster they follow from its token. */
import type { LogIndex } from "../../core/ids.ts";
import type { Rights } from "../../core/log-entry.ts";
import type { Against } from "../../core/refuse-codes.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Trust } from "../contracts.ts";

export interface Grant {
  /** Hash of its token; "" where it has none. */
  readonly token: string;
  /** The client's name, whatever it says itself; "": the name that it says. */
  readonly name: string;
  readonly rights: Rights;
  /** Index of the entry that enrolled it, with which its sessions begin. 0: the owner's token; null: the cluster is plain. */
  readonly enrolled: LogIndex | null;
}

/** The grant of every client of a plain cluster. */
const ANYBODY: Grant = { token: "", name: "", rights: "write", enrolled: null };

const UNINVITED: Against = {
  code: "stranger",
  message:
    "this cluster is secured, and does not know your token: a client comes with an invitation (chatpeer connect)",
};
const REVOKED: Against = { code: "revoked", message: "your token was revoked: ask for a new invitation" };

const RANK: Record<Rights, number> = { read: 0, write: 1, admin: 2 };

/** Whether the right `has` includes the right `wanted`. */
export function includes(has: Rights, wanted: Rights): boolean {
  return RANK[has] >= RANK[wanted];
}

export class Grants {
  readonly #trust: Pick<Trust, "hash"> | null;
  /** Hash of the token in the data directory; "" before there is one. */
  owner = "";

  constructor(trust: Pick<Trust, "hash"> | null) {
    this.#trust = trust;
  }

  /** What the token gives, or why it gives nothing. Only entries that are committed here count. */
  of(token: string | undefined, peer: EngineView): Grant | Against {
    if (!peer.secure) return ANYBODY;
    if (token === undefined || this.#trust === null) return UNINVITED;
    const hash = this.#trust.hash(token);
    if (hash === this.owner) return { token: hash, name: "", rights: "admin", enrolled: 0 };
    const user = peer.access.users.get(hash);
    if (user === undefined || user.index > peer.log.commit) return UNINVITED;
    const grant = { token: hash, name: user.name, rights: user.rights, enrolled: user.index };
    return this.against(grant, peer) ?? grant;
  }

  /** Why a grant no longer holds, or null. It is asked in every turn, so it is cheap. */
  against({ token, enrolled }: Grant, peer: EngineView): Against | null {
    if (!peer.secure || enrolled === 0) return null;
    if (enrolled === null) return UNINVITED;
    const user = peer.access.users.get(token);
    return user === undefined || (user.revoked > 0 && user.revoked <= peer.log.commit) ? REVOKED : null;
  }
}
