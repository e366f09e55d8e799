/** A candidate's question whether it may stand for election, and what the other voters answer [E2] [E3] [E4]. */
import { type MemberKey, type Millis, type PeerId, sameMember } from "../../core/ids.ts";
import { hasQuorum, memberName } from "../../core/quorum.ts";
import type { Node } from "./node.ts";

/** What the answers so far come to. */
export type Verdict = "granted" | "open" | "refused";

export class Poll {
  readonly #node: Node;
  #round = 0;
  readonly #grants = new Set<string>();
  readonly #answered = new Set<string>();
  /** A connected majority has until then to answer. */
  #until: Millis = 0;
  /** Higher peers have until then to stand this one down [E3]. */
  #deferUntil: Millis = 0;
  /** Peers that this one deferred to in vain, and until when their OK does not count [E4]. */
  readonly #inVain = new Map<PeerId, { until: Millis; pause: number }>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** When the verdict may change although no answer came. */
  get deadline(): Millis {
    return this.#node.now < this.#deferUntil ? this.#deferUntil : this.#until;
  }

  /** Asks every other voter. */
  start(deference: Millis): void {
    const node = this.#node;
    this.#round += 1;
    this.#deferUntil = node.now + deference;
    this.#until = node.now + node.timeouts.poll;
    this.#grants.clear();
    this.#answered.clear();
    this.#grants.add(memberName(node.self));
    for (const voter of node.otherVoters)
      node.sendTo(voter, { type: "ELECTION", round: this.#round, tail: node.log.tail });
    node.debug(`asks for an election, round ${this.#round} [E2]`);
  }

  /** Whether that is an answer to the question asked last, and notes that it came. */
  isAnswered(from: MemberKey, round: number): boolean {
    if (round !== this.#round) return false;
    this.#answered.add(memberName(from));
    return true;
  }

  grant(from: MemberKey): void {
    this.#grants.add(memberName(from));
  }

  /** `silent`: a member whose answer is not waited for. */
  judge(silent: MemberKey | null): Verdict {
    const node = this.#node;
    const waitsFor = (v: MemberKey) =>
      node.isLinked(v) &&
      node.abstentionOf(v) === null &&
      !this.#answered.has(memberName(v)) &&
      !(silent !== null && sameMember(v, silent));
    if (hasQuorum(node.voterSets, (v) => this.#grants.has(memberName(v)))) {
      // A higher peer may still stand this one down. Peers known to be dead or silent are not waited for [E3].
      const mayDefer = node.now < this.#deferUntil && node.otherVoters.some((v) => v.id > node.self.id && waitsFor(v));
      return mayDefer ? "open" : "granted";
    }
    return node.now >= this.#until || !node.otherVoters.some(waitsFor) ? "refused" : "open";
  }

  // ── deferring ──────────────────────────────────────────────────────────────────────────────────────────────────

  ignoresOk(id: PeerId): boolean {
    const entry = this.#inVain.get(id);
    return entry !== undefined && this.#node.now < entry.until;
  }

  /** That peer said that it would lead, and did not. Its OK does not count for a while, which grows each time. */
  onDeferredInVain(id: PeerId): void {
    const { now, timings } = this.#node;
    const pause = Math.min(2 * (this.#inVain.get(id)?.pause ?? 2 * timings.leaderTimeout), timings.eviction);
    this.#inVain.set(id, { until: now + pause, pause });
  }

  onLeaderKnown(): void {
    this.#inVain.clear();
  }
}
