/** The log as its readers see it, who change nothing. `Log` says what each member means. */
import type { Ballot, LogIndex } from "./ids.ts";
import type { Configuration, Entry, Invite, InvitedRole, Rights, Tail } from "./log-entry.ts";

export interface LogView {
  readonly first: LogIndex;
  readonly last: LogIndex;
  readonly durable: LogIndex;
  readonly commit: LogIndex;
  readonly state: LogStateView;
  entryAt(index: LogIndex): Entry | null;
  crcAt(index: LogIndex): number;
  tailAt(index: LogIndex): Tail;
  slice(from: LogIndex, entriesMax: number, bytesMax: number): Entry[];
}

export interface LogStateView {
  readonly formerClusters: readonly string[];
  readonly rooms: CountsView;
  readonly sessions: CountsView;
  readonly people: PeopleView;
  readonly access: AccessView;
  /** Those that still matter, oldest first. */
  readonly configurations: readonly LoggedConfigurationView[];
  configurationAt(index: LogIndex): LoggedConfigurationView | null;
  ballotAt(index: LogIndex): Ballot;
}

export interface LoggedConfigurationView {
  readonly index: LogIndex;
  readonly configuration: Configuration;
  /** Of the entry that settles it; 0: none yet. */
  readonly settled: LogIndex;
}

export interface CountsView extends Iterable<[string, number]> {
  get(key: string): number;
}

export interface PeopleView {
  readonly present: ReadonlySet<string>;
  readThrough(room: string, user: string): number;
  readers(room: string): ReadonlyMap<string, number>;
}

/** Why an invitation does not let somebody in. */
export type RedeemRefusal = "stranger" | "invite-used" | "invite-expired" | "invite-revoked" | "invite-role";

export interface AccessView {
  /** By the hash of the secret. Those that are closed are forgotten some time after that. */
  readonly invitations: ReadonlyMap<string, Invitation>;
  /** By the hash of the token; those that were revoked are forgotten likewise. */
  readonly users: ReadonlyMap<string, TokenUser>;
  /** Whose token counts, by name. */
  userNamed(name: string): TokenUser | null;
  /** Why nobody may come with that secret as that, at this time (ms since 1970); null: one may. */
  mayRedeem(hash: string, role: InvitedRole, now: number): RedeemRefusal | null;
}

export interface Invitation extends Omit<Invite, "change" | "hash"> {
  /** Uses that are left. */
  readonly left: number;
  /** Of the entry that made it. */
  readonly index: LogIndex;
  /** Of the entry since which it counts no more: used up, revoked, or over and gone for a newer one; 0 while it counts. */
  readonly closed: LogIndex;
  /** Of the entry that revoked it, 0 if there is none. */
  readonly revoked: LogIndex;
}

export interface TokenUser {
  readonly name: string;
  readonly rights: Rights;
  /** Of the entry that enrolled it. */
  readonly index: LogIndex;
  /** Hash of its invitation. */
  readonly invite: string;
  /** Of the entry that revoked it, 0 if there is none. */
  readonly revoked: LogIndex;
}
