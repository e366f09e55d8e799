/**
 * What this peer has seen the others promise and confirm. A peer whose directory was put back to an older state is told
 * of it [D6], because it cannot know by itself that it broke its promise. This is held in memory, and heartbeats spread
 * it, so that one survivor is enough.
 */
import { type Ballot, compareBallots, type LogIndex, type MemberKey } from "../../core/ids.ts";
import { MemberMap } from "../../core/member-map.ts";

export interface SeenOf {
  readonly promised: Ballot;
  readonly match: LogIndex;
}

export class Memory {
  readonly #seen = new MemberMap<SeenOf>();

  /** A member has promised a ballot, and acknowledged entries through `match` under it. */
  saw(member: MemberKey, promised: Ballot, match: LogIndex): void {
    const before = this.of(member);
    if (before === null || fallsShort(before.promised, before.match, { promised, match }))
      this.#seen.set(member, { promised, match });
  }

  /**
   * Forgets all that are not members. A peer that is in no configuration any more has no vote, so its promises no
   * longer matter.
   */
  keep(isMember: (member: MemberKey) => boolean): void {
    for (const member of this.#seen.keys()) if (!isMember(member)) this.#seen.delete(member);
  }

  of(member: MemberKey): SeenOf | null {
    return this.#seen.get(member) ?? null;
  }
}

/**
 * Whether a promise, or the durable index under it, is lower than what was seen. Under a higher promise a log may be
 * shorter.
 */
export function fallsShort(promised: Ballot, durable: LogIndex, seen: SeenOf): boolean {
  return (compareBallots(promised, seen.promised) || durable - seen.match) < 0;
}
