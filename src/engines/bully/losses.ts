/**
 * Voters that say they have lost what they had confirmed [D5] [D6]. Such a voter counts again when a leader has made
 * its log whole. Where too few others are left to elect a leader, no peer can tell any more what was sent, and people
 * must decide. They are told which voter has lost what, and what they can do.
 */
import { type LinkId, type LogIndex, type MemberKey, type Millis, sameMember } from "../../core/ids.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Lost } from "../../core/message.ts";
import { everyVoter, hasQuorum } from "../../core/quorum.ts";
import { fallsShort, type SeenOf } from "./memory.ts";
import type { Node } from "./node.ts";
import type { RoleChanges } from "./role-changes.ts";

export class Losses {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  readonly #lost = new MemberMap<Lost>();
  /** The highest index that others saw this peer confirm, if that is more than it holds; 0 where nobody has said so. */
  #confirmed: LogIndex = 0;
  #sayAgainAt: Millis = 0;
  #told: string | null = null;

  constructor(node: Node, roles: RoleChanges) {
    this.#node = node;
    this.#roles = roles;
  }

  onLinkUp(link: LinkId): void {
    if (this.#node.faulty) this.#node.send(link, this.#own);
  }

  onLinkDown(who: MemberKey): void {
    this.#lost.delete(who);
  }

  /** Tells the others that this peer has lost something, or is whole again. */
  tell(confirmed: LogIndex = 0): void {
    this.#confirmed = confirmed;
    this.#sayAgainAt = this.#node.now + this.#node.timings.leaderTimeout;
    for (const link of this.#node.links.keys()) this.#node.send(link, this.#own);
  }

  /**
   * [D6] Another peer saw more of this incarnation than its directory holds: a copy was put back, or the disk lost
   * writes. From now on it keeps the promise that it no longer knew of, and it counts in nothing until it is repaired.
   */
  onSeen(from: MemberKey, seen: SeenOf): void {
    const node = this.#node;
    if (!fallsShort(node.promised, node.log.durable, seen)) return;
    if (!node.faulty) {
      node.out({ do: "damaged", from: node.log.durable + 1 });
      node.notice(
        "rolled-back",
        `this directory has lost what it had confirmed to peer ${from.id} (was it put back from a copy?): it is fetched from the others, and this peer counts again when it is whole`,
      );
    }
    node.faulty = true;
    this.tell(seen.match);
    this.#roles.withdraw("its directory was put back to an older state");
    this.#roles.promiseAgain(seen.promised);
  }

  onLost(from: MemberKey, frame: Lost): void {
    if (frame.whole) this.#lost.delete(from);
    else this.#lost.set(from, frame);
  }

  get #own(): Lost {
    const { faulty, log } = this.#node;
    return { type: "LOST", whole: !faulty, durable: log.durable, confirmed: this.#confirmed };
  }

  onTime(): void {
    const node = this.#node;
    // Of two connections one may close with the frame in it, while the link stays up with the other one.
    if (node.faulty && node.leader === null && node.now >= this.#sayAgainAt) this.tell(this.#confirmed);
    if (node.leader !== null || this.#isWhole || hasQuorum(node.voterSets, (v) => this.#lossOf(v) === null)) return;
    const { why } = this;
    if (why === null || why === this.#told) return;
    this.#told = why;
    node.notice("majority-lost", why);
  }

  /** Nobody has lost anything, as far as this peer knows. */
  get #isWhole(): boolean {
    return !this.#node.faulty && this.#lost.isEmpty;
  }

  #lossOf(voter: MemberKey): Lost | null {
    if (sameMember(voter, this.#node.self)) return this.#node.faulty ? this.#own : null;
    return this.#lost.get(voter) ?? null;
  }

  /** Why the voters that are here are a majority and still elect nobody; null where losses are not the reason. */
  get why(): string | null {
    const node = this.#node;
    const { voterSets } = node;
    if (this.#isWhole || !hasQuorum(voterSets, (v) => node.isLinked(v))) return null;
    if (hasQuorum(voterSets, (v) => node.isLinked(v) && this.#lossOf(v) === null)) return null;
    const voters = everyVoter(voterSets);
    const lost = voters.flatMap((v) => {
      const loss = this.#lossOf(v);
      return loss === null ? [] : [`peer ${v.id} (${extent(loss)})`];
    });
    const said = `no leader can be elected, because ${lost.join(" and ")} lost what had been confirmed: put back from an older copy, or damaged`;
    const away = voters.filter((v) => !node.isLinked(v)).map((v) => `peer ${v.id}`);
    if (hasQuorum(voterSets, (v) => this.#lossOf(v) === null))
      return `${said}. It waits for ${away.join(" and ")}, which may hold all of it`;
    return `${said}. If their newer directories exist, stop these peers and put those back. If not, what only they held is lost: stop all, run \`chatpeer recover DIR --force\` on the one with the longest log, and start the others with empty directories and --seed with its address`;
  }
}

function extent({ durable, confirmed }: Lost): string {
  return confirmed > durable ? `entries through ${durable} of ${confirmed}` : `entries through ${durable}`;
}
