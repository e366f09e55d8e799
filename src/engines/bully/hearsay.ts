/** The members as others have named them. A peer whose log is empty or old cannot find the members by its log [M7]. */
import { type LogIndex, type MemberKey, type PeerId, sameMember } from "../../core/ids.ts";
import type { Member } from "../../core/log-entry.ts";
import type { JoinAck } from "../../core/message.ts";

const NOBODY: readonly Member[] = [];

export class Hearsay {
  /** The members and their addresses, as each member that answered a JOIN has named them. */
  readonly #from = new Map<PeerId, { readonly configured: LogIndex; readonly members: readonly Member[] }>();
  #members: readonly Member[] = NOBODY;

  get isEmpty(): boolean {
    return this.#from.size === 0;
  }

  /** Whom to dial besides the configuration's members: they may all have gone, or moved, since this peer last heard of them. */
  get members(): readonly Member[] {
    return this.#members;
  }

  names(key: MemberKey): boolean {
    return this.#members.some((m) => sameMember(m, key));
  }

  /**
   * The members by the newest configuration that an answer came from, if it is newer than the one at `index`; else
   * null.
   */
  newerThan(index: LogIndex): readonly Member[] | null {
    let newest = { configured: index, members: NOBODY };
    for (const heard of this.#from.values()) if (heard.configured > newest.configured) newest = heard;
    return newest.members === NOBODY ? null : newest.members;
  }

  /** `self`: the peer that asked, which is left out. */
  onJoinAck(from: PeerId, { configured, members }: JoinAck, self: PeerId): void {
    const before = this.#from.get(from)?.members ?? NOBODY;
    this.#from.set(from, { configured, members });
    if (sameMembers(members, before)) return;
    const isOther = (m: Member) => m.role !== "left" && m.id !== self;
    this.#members = [...this.#from.values()].flatMap((heard) => heard.members.filter(isOther));
  }

  forget(): void {
    this.#from.clear();
    this.#members = NOBODY;
  }
}

/** In the same order, at the same addresses, in the same roles. */
export function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return a.length === b.length && a.every((m, i) => sameMemberAs(m, b[i]));
}

function sameMemberAs(a: Member, b: Member | undefined): boolean {
  return (
    a.id === b?.id && a.inc === b.inc && a.host === b.host && a.port === b.port && a.role === b.role && a.key === b.key
  );
}
