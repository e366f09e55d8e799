/** What a client may do at its peer, and as whom [A8]: by its token where the cluster is secured, else as it says. */
import type { LogIndex } from "../../core/ids.ts";
import type { Rights } from "../../core/log-entry.ts";
import type { RefuseCode } from "../../core/refuse-codes.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Trust } from "../contracts.ts";

export interface Grant {
  /** Hash of its token; "" where it has none. */
  readonly token: string;
  /** Its name whatever it says; "": as it says. */
  readonly name: string;
  readonly rights: Rights;
  /** Of the entry that enrolled it: its sessions begin with that. 0: whoever reads the data directory; null: nobody asked. */
  readonly enrolled: LogIndex | null;
}

export interface Against {
  readonly code: RefuseCode;
  readonly message: string;
}

/** In a plain cluster. */
const ANYBODY: Grant = { token: "", name: "", rights: "write", enrolled: null };

const UNINVITED: Against = {
  code: "stranger",
  message:
    "this cluster is secured, and does not know your token: a client comes with an invitation (chatpeer connect)",
};
const REVOKED: Against = { code: "revoked", message: "your token was revoked: ask for a new invitation" };

const RANK: Record<Rights, number> = { read: 0, write: 1, admin: 2 };

/** Whether who has the one right has the other. */
export function includes(has: Rights, wanted: Rights): boolean {
  return RANK[has] >= RANK[wanted];
}

export class Grants {
  readonly #trust: Pick<Trust, "hash"> | null;
  /** Hash of the token that lies in the data directory; "" before there is one. */
  owner = "";

  constructor(trust: Pick<Trust, "hash"> | null) {
    this.#trust = trust;
  }

  /** Of who shows that token, or why there is none. What counts is what is committed here. */
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

  /** Why that one counts no more, or null: asked every turn. */
  against({ token, enrolled }: Grant, peer: EngineView): Against | null {
    if (!peer.secure || enrolled === 0) return null;
    if (enrolled === null) return UNINVITED;
    const user = peer.access.users.get(token);
    return user === undefined || (user.revoked > 0 && user.revoked <= peer.log.commit) ? REVOKED : null;
  }
}
