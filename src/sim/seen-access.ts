/**
 * Who may be in a secured cluster, as its committed lines say it: read as JSON, without the code that has written them.
 * Each use of an invitation lets one in [I11], and who was evicted is out [I12].
 */
import { Violation } from "./violation.ts";

interface Member {
  readonly id: number;
  readonly inc: string;
  readonly role: string;
  readonly key?: string;
}

interface Line {
  readonly index: number;
  readonly kind: string;
  readonly payload: {
    readonly change?: string;
    readonly hash?: string;
    readonly uses?: number;
    readonly role?: string;
    readonly secure?: boolean;
    readonly members?: readonly Member[];
    readonly invites?: readonly string[];
  };
}

export class SeenAccess {
  /** Uses that are left of the invitations that let members in. */
  readonly #left = new Map<string, number>();
  #members: readonly Member[] | null = null;
  /** `id.incarnation` → the index of the configuration without it, for those who have no place any more. */
  readonly #evicted = new Map<string, number>();

  /** In the order of the log. */
  committedLine(line: string): void {
    if (!/"kind":"(access|config|genesis)"/.test(line)) return;
    const { index, kind, payload } = JSON.parse(line) as Line;
    if (kind === "access") this.#change(payload);
    else if (payload.secure === true) this.#configure(index, payload.members ?? [], payload.invites ?? []);
    else if (this.#members !== null) throw new Violation("I11", `entry ${index} makes a secured cluster a plain one`);
  }

  /** Where it was evicted, if it has no place now; else null. */
  evictedAt(member: string): number | null {
    return this.#evicted.get(member) ?? null;
  }

  /** It has a place in the newest configuration. */
  hasPlace(member: string): boolean {
    return this.#members?.some((m) => nameOf(m) === member && m.key !== undefined) === true;
  }

  #change({ change, hash = "", uses = 0, role }: Line["payload"]): void {
    if (change === "invite" && role === "member") this.#left.set(hash, uses);
    if (change === "revoke") this.#left.delete(hash);
  }

  #configure(index: number, members: readonly Member[], invites: readonly string[]): void {
    const before = this.#members;
    this.#members = members;
    for (const { key, role, id } of members)
      if (key === undefined && role !== "left") throw new Violation("I11", `peer ${id} of entry ${index} has no key`);
    if (before === null) return;
    const had = (m: Member) => before.some((b) => b.key === m.key && nameOf(b) === nameOf(m));
    const come = members.filter((m) => m.key !== undefined && !had(m));
    if (come.length > invites.length)
      throw new Violation("I11", `entry ${index} lets ${come.length} in, and uses ${invites.length} invitations up`);
    for (const hash of invites) {
      const left = this.#left.get(hash) ?? 0;
      if (left === 0) throw new Violation("I11", `entry ${index} uses an invitation that is used up, or is none`);
      this.#left.set(hash, left - 1);
    }
    for (const m of come) {
      this.#evicted.delete(nameOf(m));
      const place = before.find((b) => b.id === m.id && b.key !== undefined);
      if (place !== undefined) throw new Violation("I11", `entry ${index} gives the place of ${nameOf(place)} away`);
    }
    for (const b of before)
      if (b.key !== undefined && !members.some((m) => m.key === b.key)) this.#evicted.set(nameOf(b), index);
  }
}

function nameOf({ id, inc }: Member): string {
  return `${id}.${inc}`;
}
