/**
 * Who has lost what it had confirmed, by its own word [D5] [D6]. Such a voter counts again when a leader has made its log
 * whole. Where too few others are left to elect one, nobody can tell any more what was sent, and people must decide: they
 * are told who has lost what, and what they can do.
 */
import { type LinkId, type LogIndex, type MemberKey, type Millis, sameMember } from "../../core/ids.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Lost } from "../../core/message.ts";
import { everyVoter, hasQuorum } from "../../core/quorum.ts";
import type { Peer } from "./peer.ts";

export class Losses {
  readonly #peer: Peer;
  readonly #lost = new MemberMap<Lost>();
  /** As far as others saw this peer confirm, where that is more than it holds; 0 where nobody has said so. */
  #confirmed: LogIndex = 0;
  #sayAgainAt: Millis = 0;
  #told: string | null = null;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  onLinkUp(link: LinkId): void {
    if (this.#peer.faulty) this.#peer.send(link, this.#own);
  }

  onLinkDown(who: MemberKey): void {
    this.#lost.delete(who);
  }

  /** This peer has lost something, or is whole again. */
  tell(confirmed: LogIndex = 0): void {
    this.#confirmed = confirmed;
    this.#sayAgainAt = this.#peer.now + this.#peer.timings.leaderTimeout;
    for (const link of this.#peer.links.keys()) this.#peer.send(link, this.#own);
  }

  onLost(from: MemberKey, frame: Lost): void {
    if (frame.whole) this.#lost.delete(from);
    else this.#lost.set(from, frame);
  }

  get #own(): Lost {
    const { faulty, log } = this.#peer;
    return { type: "LOST", whole: !faulty, durable: log.durable, confirmed: this.#confirmed };
  }

  onTime(): void {
    const peer = this.#peer;
    // A frame may be lost with one of two connections, of which the other stays.
    if (peer.faulty && peer.leader === null && peer.now >= this.#sayAgainAt) this.tell(this.#confirmed);
    if (peer.leader !== null || this.#isWhole || hasQuorum(peer.voterSets, (v) => this.#lossOf(v) === null)) return;
    const { why } = this;
    if (why === null || why === this.#told) return;
    this.#told = why;
    peer.notice("majority-lost", why);
  }

  /** Nobody has lost anything, as far as this peer knows. */
  get #isWhole(): boolean {
    return !this.#peer.faulty && this.#lost.isEmpty;
  }

  #lossOf(voter: MemberKey): Lost | null {
    if (sameMember(voter, this.#peer.self)) return this.#peer.faulty ? this.#own : null;
    return this.#lost.get(voter) ?? null;
  }

  /** Why those who are here are a majority, and elect nobody; null where that is not for losses. */
  get why(): string | null {
    const peer = this.#peer;
    const { voterSets } = peer;
    if (this.#isWhole || !hasQuorum(voterSets, (v) => peer.isLinked(v))) return null;
    if (hasQuorum(voterSets, (v) => peer.isLinked(v) && this.#lossOf(v) === null)) return null;
    const voters = everyVoter(voterSets);
    const lost = voters.flatMap((v) => {
      const loss = this.#lossOf(v);
      return loss === null ? [] : [`peer ${v.id} (${extent(loss)})`];
    });
    const said = `no leader can be elected, because ${lost.join(" and ")} lost what had been confirmed: put back from an older copy, or damaged`;
    const away = voters.filter((v) => !peer.isLinked(v)).map((v) => `peer ${v.id}`);
    if (hasQuorum(voterSets, (v) => this.#lossOf(v) === null))
      return `${said}. It waits for ${away.join(" and ")}, which may hold all of it`;
    return `${said}. If their newer directories exist, stop these peers and put those back. If not, what only they held is lost: stop all, run \`chatpeer recover DIR --force\` on the one with the longest log, and start the others with empty directories and --seed with its address`;
  }
}

function extent({ durable, confirmed }: Lost): string {
  return confirmed > durable ? `entries through ${durable} of ${confirmed}` : `entries through ${durable}`;
}
