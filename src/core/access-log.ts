/**
 * Who may come in with what: invitations and tokens, known by the hashes of their secrets. Like all of the log state a
 * function of the log prefix, so that a use is a use whoever leads [A7]. Nothing is forgotten because of a commit index:
 * of those that count no more the last ones are kept, and what goes for a newer one comes back when that is undone.
 */
import { assert } from "./assert.ts";
import { CLOSED_ACCESS_KEPT, INVITATIONS_MAX, TOKENS_MAX } from "./config.ts";
import type { LogIndex } from "./ids.ts";
import type { AccessChange, Entry, Invite, InvitedRole } from "./log-entry.ts";
import type { AccessView, Invitation, RedeemRefusal, TokenUser } from "./log-view.ts";
import type { Against } from "./refuse-codes.ts";

/** What the holder is told. Who guesses hears the same as who mistypes. */
export const REDEEM_REFUSALS: Readonly<Record<RedeemRefusal, Against>> = {
  stranger: { code: "stranger", message: "nobody here knows this invitation: ask for a new one" },
  "invite-used": { code: "invite-used", message: "this invitation has been used: ask for a new one" },
  "invite-expired": { code: "invite-expired", message: "this invitation's time is over: ask for a new one" },
  "invite-revoked": { code: "revoked", message: "this invitation was revoked: ask for a new one" },
  "invite-role": {
    code: "forbidden",
    message: "this invitation is for the other kind of guest: a member joins, a client connects",
  },
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type OwnInvitation = Writable<Invitation> & { readonly hash: string };
type OwnUser = Writable<TokenUser> & { readonly hash: string };
type Own = OwnInvitation | OwnUser;

/** What went for one that closed later, by the entry at `at`. */
interface Dropped {
  readonly at: LogIndex;
  readonly what: Own;
}

/** As plain data, for checkpoints; left out where there is nothing. */
export interface AccessData {
  readonly access?: {
    readonly invitations: readonly Readonly<OwnInvitation>[];
    readonly users: readonly Readonly<OwnUser>[];
    readonly dropped: readonly { readonly at: LogIndex; readonly what: Readonly<Own> }[];
  };
}

export interface AccessBounds {
  readonly invitations: number;
  readonly tokens: number;
  /** So many that count no more are still known. */
  readonly closed: number;
}

const BOUNDS: AccessBounds = { invitations: INVITATIONS_MAX, tokens: TOKENS_MAX, closed: CLOSED_ACCESS_KEPT };

export class AccessLog implements AccessView {
  readonly invitations = new Map<string, OwnInvitation>();
  readonly users = new Map<string, OwnUser>();
  readonly #bounds: AccessBounds;
  /** Users whose tokens count, by name. */
  readonly #named = new Map<string, OwnUser>();
  #open = 0;
  /** Those of both maps that count no more, in the order in which that came. */
  #closed: Own[] = [];
  #dropped: Dropped[] = [];

  constructor(bounds = BOUNDS) {
    this.#bounds = bounds;
  }

  load({ access }: AccessData): void {
    if (access === undefined) return;
    for (const invitation of access.invitations) this.#put({ ...invitation });
    for (const user of access.users) this.#put({ ...user });
    this.#dropped = access.dropped.map(({ at, what }) => ({ at, what: { ...what } }));
    this.#closed = [...this.invitations.values(), ...this.users.values()].filter((one) => closedAt(one) > 0);
    this.#closed.sort(asClosed);
  }

  toData(): AccessData {
    if (this.invitations.size + this.users.size + this.#dropped.length === 0) return {};
    return {
      access: {
        invitations: [...this.invitations.values()].map((one) => ({ ...one })).sort(asMade),
        users: [...this.users.values()].map((one) => ({ ...one })).sort(asMade),
        dropped: this.#dropped.map(({ at, what }) => ({ at, what: { ...what } })),
      },
    };
  }

  userNamed(name: string): TokenUser | null {
    return this.#named.get(name) ?? null;
  }

  mayRedeem(hash: string, role: InvitedRole, now: number): RedeemRefusal | null {
    const invitation = this.invitations.get(hash);
    if (invitation === undefined) return "stranger";
    const why = whyClosed(invitation);
    if (why !== null) return why;
    if (invitation.role !== role) return "invite-role";
    return now >= invitation.expires ? "invite-expired" : null;
  }

  /** The log says that already: nothing has to be appended for it. */
  says(change: AccessChange): boolean {
    switch (change.change) {
      case "invite": {
        const known = this.invitations.get(change.hash);
        return known !== undefined && INVITE_FIELDS.every((field) => known[field] === change[field]);
      }
      case "user": {
        const known = this.users.get(change.hash);
        return known?.invite === change.invite && known.name === change.name && known.rights === change.rights;
      }
      case "revoke": {
        const known = this.#known(change.hash);
        return known !== null && closedAt(known) > 0;
      }
    }
  }

  /** Why that cannot follow, whatever the time; null: it can. `ts`: of the entry. */
  judge(change: AccessChange, ts: number): Against | null {
    switch (change.change) {
      case "invite":
        if (this.#known(change.hash) !== null) return { code: "malformed", message: "that secret is in use" };
        if (this.#open < this.#bounds.invitations || this.#mostExpired(ts) !== null) return null;
        return { code: "limit", message: `${this.#open} invitations are open, and no more may be: revoke some` };
      case "user": {
        const { hash, name, rights, invite } = change;
        if (this.#known(hash) !== null) return { code: "malformed", message: "that token is in use" };
        const why = this.mayRedeem(invite, "client", 0);
        if (why !== null) return REDEEM_REFUSALS[why];
        const invitation = this.invitations.get(invite) as OwnInvitation;
        if (invitation.rights !== rights)
          return { code: "forbidden", message: `the invitation gives the right to ${invitation.rights}` };
        if (invitation.name !== "" && invitation.name !== name)
          return { code: "forbidden", message: `the invitation is for ${invitation.name}` };
        if (this.#named.has(name)) return { code: "name-in-use", message: `${name} has a token: take another name` };
        if (this.#named.size < this.#bounds.tokens) return null;
        return { code: "limit", message: `${this.#named.size} tokens count, and no more may: revoke some` };
      }
      case "revoke": {
        const known = this.#known(change.hash);
        if (known === null) return { code: "stranger", message: "nobody has an invitation or a token like that" };
        return closedAt(known) === 0 ? null : { code: "revoked", message: "it counts no more" };
      }
    }
  }

  /** Why a configuration cannot use these invitations up, one use each; null: it can. */
  refuseUses(hashes: readonly string[]): string | null {
    const uses = new Map<string, number>();
    for (const hash of hashes) {
      const more = (uses.get(hash) ?? 0) + 1;
      uses.set(hash, more);
      const why = this.mayRedeem(hash, "member", 0);
      if (why !== null) return `uses an invitation of no use: ${why}`;
      if (more > (this.invitations.get(hash) as OwnInvitation).left) return "uses an invitation more often than it may";
    }
    return null;
  }

  /** `index`, `ts`: of the entry. The change must not be refused by `judge`. */
  apply({ index, ts, data }: Entry): void {
    const change = data as AccessChange;
    switch (change.change) {
      case "invite": {
        const { change: _change, ...invite } = change;
        if (this.#open >= this.#bounds.invitations) this.#close(this.#mostExpired(ts), index);
        this.#put({ ...invite, left: invite.uses, index, closed: 0, revoked: 0 });
        break;
      }
      case "user": {
        const { hash, name, rights, invite } = change;
        this.#put({ hash, name, rights, index, invite, revoked: 0 });
        this.#use(invite, index);
        break;
      }
      case "revoke": {
        const known = this.#known(change.hash);
        this.#close(known, index);
        if (known !== null) known.revoked = index;
        break;
      }
    }
    this.#drop(index);
  }

  undo({ index, data }: Entry): void {
    const change = data as AccessChange;
    this.#reopen(index);
    if (change.change === "user") this.#unuse(change.invite);
    if (change.change === "invite" || change.change === "user") this.#remove(change.hash);
  }

  /** The uses that a configuration at `index` takes; not refused by `refuseUses`. */
  applyUses(hashes: readonly string[], index: LogIndex): void {
    for (const hash of hashes) this.#use(hash, index);
    this.#closed.sort(asClosed);
    this.#drop(index);
  }

  undoUses(hashes: readonly string[], index: LogIndex): void {
    this.#reopen(index);
    for (const hash of hashes) this.#unuse(hash);
  }

  /** What went by an entry at or below `committed` never comes back. */
  forget(committed: LogIndex): void {
    if (this.#dropped.length === 0) return;
    this.#dropped = this.#dropped.filter(({ at }) => at > committed);
  }

  #known(hash: string): Own | null {
    return this.invitations.get(hash) ?? this.users.get(hash) ?? null;
  }

  /** The open invitation whose time was over first. */
  #mostExpired(ts: number): OwnInvitation | null {
    let found: OwnInvitation | null = null;
    for (const one of this.invitations.values())
      if (one.closed === 0 && one.expires <= ts && (found === null || one.expires < found.expires)) found = one;
    return found;
  }

  #use(hash: string, index: LogIndex): void {
    const invitation = this.invitations.get(hash);
    assert(invitation !== undefined && invitation.left > 0, "an invitation that is used has uses left");
    invitation.left -= 1;
    if (invitation.left === 0) this.#close(invitation, index);
  }

  #unuse(hash: string): void {
    const invitation = this.invitations.get(hash);
    assert(invitation !== undefined, "an invitation is known as long as its use may be undone");
    invitation.left += 1;
  }

  #put(one: Own): void {
    if ("left" in one) {
      this.invitations.set(one.hash, one);
      if (one.closed === 0) this.#open += 1;
    } else {
      this.users.set(one.hash, one);
      if (one.revoked === 0) this.#named.set(one.name, one);
    }
  }

  #remove(hash: string): void {
    const known = this.#known(hash);
    assert(known !== null, "what is taken back is there");
    if ("left" in known) {
      this.invitations.delete(hash);
      if (known.closed === 0) this.#open -= 1;
    } else {
      this.users.delete(hash);
      if (known.revoked === 0) this.#named.delete(known.name);
    }
  }

  #close(one: Own | null, index: LogIndex): void {
    assert(one !== null && closedAt(one) === 0, "only what counts is closed");
    if ("left" in one) {
      one.closed = index;
      this.#open -= 1;
    } else {
      one.revoked = index;
      this.#named.delete(one.name);
    }
    this.#closed.push(one);
  }

  #drop(at: LogIndex): void {
    while (this.#closed.length > this.#bounds.closed) {
      const what = this.#closed.shift() as Own;
      this.#remove(what.hash);
      this.#dropped.push({ at, what });
    }
  }

  /** Takes back what the entry at `index` dropped and closed. */
  #reopen(index: LogIndex): void {
    while (this.#dropped[this.#dropped.length - 1]?.at === index) {
      const { what } = this.#dropped.pop() as Dropped;
      this.#put(what);
      this.#closed.unshift(what);
    }
    for (let last = this.#closed.at(-1); last !== undefined && closedAt(last) === index; last = this.#closed.at(-1)) {
      this.#closed.pop();
      if (last.revoked === index) last.revoked = 0;
      if ("left" in last) last.closed = 0;
      this.#put(last);
    }
  }
}

const INVITE_FIELDS = ["role", "name", "rights", "uses", "expires", "by"] as const satisfies (keyof Invite)[];

function closedAt(one: Own): LogIndex {
  return "left" in one ? one.closed : one.revoked;
}

function whyClosed({ revoked, left, closed }: OwnInvitation): RedeemRefusal | null {
  if (revoked > 0) return "invite-revoked";
  if (left === 0) return "invite-used";
  return closed > 0 ? "invite-expired" : null;
}

function asMade(a: Own, b: Own): number {
  return a.index - b.index;
}

/** An entry that closes several closes the oldest first. */
function asClosed(a: Own, b: Own): number {
  return closedAt(a) - closedAt(b) || asMade(a, b);
}
