/** What who has all rights asks of a peer, and what that answers: shapes only, as `reports.ts` has the others. */
import type { Key, LogIndex, PeerId } from "./ids.ts";
import type { InvitedRole, Rights, Role } from "./log-entry.ts";

/** What was asked for: one string, which is a secret, for whoever is invited. */
export interface InvitationTold {
  readonly event: "invitation";
  readonly invitation: string;
  readonly role: InvitedRole;
  /** Whom it is for; "": who comes chooses a name. */
  readonly name: string;
  readonly rights: Rights;
  /** So many may come with it. */
  readonly uses: number;
  /** ms since 1970. */
  readonly expires: number;
}

/** Who may come in, without the secrets: newest tokens and invitations first. */
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
  /** Entries that it lacks up to the newest revocation; 0: it has that. Null where this peer does not know. */
  readonly behind: number | null;
}

/** Whom a token belongs to, or belonged. */
export interface AccessUser {
  readonly name: string;
  readonly rights: Rights;
  /** Who invited; "" where that is forgotten. */
  readonly by: string;
  /** Of the entry that enrolled it. */
  readonly index: LogIndex;
  readonly revoked: boolean;
}

export interface AccessInvitation {
  /** What it is called where it has no name: says nothing about the secret. */
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

/** What only who has all rights may ask. */
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
  /** A token, or open invitations, by name or by an invitation's id. Answered with a notice, as are those that follow. */
  | { readonly what: "revoke"; readonly name: string }
  | { readonly what: "evict"; readonly id: PeerId }
  /** 0: the leader chooses who leads. */
  | { readonly what: "transfer"; readonly id: PeerId };
