/** Questions for which the right "admin" is needed, and the answers to them: shapes only, like `reports.ts`. */
import type { Key, LogIndex, PeerId } from "./ids.ts";
import type { InvitedRole, Rights, Role } from "./log-entry.ts";

/** An invitation that was made. The string is a secret between the asker and the guest. */
export interface InvitationTold {
  readonly event: "invitation";
  readonly invitation: string;
  readonly role: InvitedRole;
  /** Name of the guest; "": the guest chooses a name. */
  readonly name: string;
  readonly rights: Rights;
  /** Number of guests that may come with it. */
  readonly uses: number;
  /** ms since 1970. */
  readonly expires: number;
}

/** All access to the cluster, without secrets. The newest tokens and invitations are first. */
export interface AccessReport {
  readonly event: "access";
  readonly members: readonly AccessMember[];
  readonly users: readonly AccessUser[];
  readonly invitations: readonly AccessInvitation[];
}

export interface AccessMember {
  readonly id: PeerId;
  readonly key: Key | null;
  readonly role: Role;
  readonly state: "alive" | "unreachable" | "left";
  /** Number of entries that the member lacks up to the newest revocation; 0: it has the revocation. Null: this peer does not know. */
  readonly behind: number | null;
}

/** The holder of a token, also of a revoked one. */
export interface AccessUser {
  readonly name: string;
  readonly rights: Rights;
  /** Name of the person who invited; "" if it is forgotten. */
  readonly by: string;
  /** Index of the entry that enrolled the holder. */
  readonly index: LogIndex;
  readonly revoked: boolean;
}

export interface AccessInvitation {
  /** Names the invitation, for `revoke`. It tells nothing about the secret. */
  readonly id: string;
  readonly role: InvitedRole;
  readonly name: string;
  readonly rights: Rights;
  readonly uses: number;
  /** Uses that are left. */
  readonly left: number;
  /** ms since 1970. */
  readonly expires: number;
  readonly by: string;
  readonly state: "open" | "used" | "expired" | "revoked";
}

/** Questions for which the right "admin" is needed. */
export type AdminQuestion =
  /** Answered with `invitation`. `expires`: ms since 1970; `name`: "" for whoever comes. */
  | {
      readonly what: "invite";
      readonly role: InvitedRole;
      readonly name: string;
      readonly rights: Rights;
      readonly uses: number;
      readonly expires: number;
    }
  /** Answered with `access`. */
  | { readonly what: "access" }
  /** Takes back a token or open invitations, by name or by an invitation's id. Answered with a notice, like the next two. */
  | { readonly what: "revoke"; readonly name: string }
  | { readonly what: "evict"; readonly id: PeerId }
  /** 0: the leader chooses who leads. */
  | { readonly what: "transfer"; readonly id: PeerId };
