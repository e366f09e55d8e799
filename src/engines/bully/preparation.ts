/**
 * Prepares one ballot: the candidate counts the promises of a majority, and adopts the best of their logs, before it
 * leads (Lamport 2001; Liskov & Cowling 2012).
 */
import {
  type Ballot,
  compareBallots,
  formatBallot,
  type LinkId,
  leaderKey,
  type MemberKey,
  sameBallot,
  sameMember,
} from "../../core/ids.ts";
import type { Tail } from "../../core/log-entry.ts";
import type { CatchupResp, Nack, Prepare, Promised } from "../../core/message.ts";
import { everyVoter, hasQuorum, memberName } from "../../core/quorum.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { RoleChanges } from "./role-changes.ts";

/** The candidate that the ballot belongs to, as the preparation sees it. */
export interface Candidacy {
  /** A member may still need its time: the deadline is set anew. */
  extend(): void;
  fail(why: string): void;
}

export class Preparation {
  readonly #node: Node;
  readonly #roles: Pick<RoleChanges, "raisePromise" | "becomeLeader">;
  readonly #acceptor: Pick<Acceptor, "take">;
  readonly #candidacy: Candidacy;
  /** Null: no ballot is prepared. */
  #ballot: Ballot | null = null;
  #promises = new Map<string, { member: MemberKey; tail: Tail }>();
  #asked = new Set<string>();
  #refused = new Set<string>();
  #donor: MemberKey | null = null;

  constructor(
    node: Node,
    roles: Pick<RoleChanges, "raisePromise" | "becomeLeader">,
    acceptor: Pick<Acceptor, "take">,
    candidacy: Candidacy,
  ) {
    this.#node = node;
    this.#roles = roles;
    this.#acceptor = acceptor;
    this.#candidacy = candidacy;
  }

  start(ballot: Ballot): void {
    const node = this.#node;
    this.#ballot = ballot;
    this.#promises = new Map();
    this.#asked = new Set();
    this.#refused = new Set();
    this.#donor = null;
    node.debug(`prepares ballot ${formatBallot(ballot)} [E5]`);
    this.#roles.raisePromise(ballot);
  }

  stop(): void {
    this.#ballot = null;
    this.#donor = null;
  }

  isFor(ballot: Ballot): boolean {
    return this.#ballot !== null && sameBallot(ballot, this.#ballot);
  }

  /** Whether that member was asked for a promise of the ballot. */
  hasAsked(who: MemberKey): boolean {
    return this.#ballot !== null && this.#asked.has(memberName(who));
  }

  /** Whether that member's log is being adopted. */
  adoptsFrom(who: MemberKey): boolean {
    return this.#donor !== null && sameMember(this.#donor, who);
  }

  onLinkUp(who: MemberKey): void {
    if (this.#ballot === null || !this.#node.promiseDurable) return;
    // This holds for a lost donor, too: it counts again once it has promised this ballot again [E7].
    if (!this.#promises.has(memberName(who))) this.#asked.delete(memberName(who));
    this.#judge();
  }

  onLinkDown(who: MemberKey): void {
    if (!this.adoptsFrom(who)) return;
    this.#promises.delete(memberName(who));
    this.#donor = null;
    this.#judge();
  }

  onDurable(): void {
    this.#judge();
  }

  // ── promising ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * This peer's promise is on disk: now others may be asked for theirs [E5]. Returns false where another ballot was
   * promised.
   */
  onPromiseDurable(): boolean {
    const node = this.#node;
    if (!this.isFor(node.promised)) return false;
    this.#promises.set(memberName(node.self), { member: node.self, tail: node.log.tail });
    this.#candidacy.extend();
    this.#judge();
    return true;
  }

  /** Another candidate asks for a promise. */
  onPrepare(from: LinkedPeer, frame: Prepare): void {
    const node = this.#node;
    if (!node.healthy || node.log.last === 0) return;
    const order = compareBallots(frame.ballot, node.promised);
    if (order === 0) {
      if (node.promiseDurable) node.send(from.link, { type: "PROMISE", ballot: frame.ballot, tail: node.log.tail });
      return;
    }
    // If this peer's own leader prepares again, it gets the promise at once [E13].
    const fromOwnLeader = node.leader !== null && sameMember(leaderKey(node.leader.ballot), from);
    if (order < 0 || (node.hearsLeader && !fromOwnLeader)) {
      node.send(from.link, { type: "NACK", ballot: frame.ballot, promised: node.promised, led: node.hearsLeader });
      return;
    }
    this.#roles.raisePromise(frame.ballot);
  }

  onPromise(from: LinkedPeer, frame: Promised): void {
    if (!this.isFor(frame.ballot)) return;
    // A written tail is always older than the ballot: nobody has appended under the ballot yet.
    if (compareBallots(frame.tail.ballot, frame.ballot) >= 0) return;
    this.#promises.set(memberName(from), { member: { id: from.id, inc: from.inc }, tail: frame.tail });
    this.#judge();
  }

  onNack(from: MemberKey, { ballot, led }: Nack): void {
    const node = this.#node;
    if (!this.isFor(ballot)) return;
    this.#promises.delete(memberName(from));
    this.#refused.add(memberName(from));
    // One refusal does not end it: the others may still be a majority, unless a leader lives or the donor has refused.
    const lostDonor = this.adoptsFrom(from);
    const possible = hasQuorum(node.voterSets, (v) => node.isLinked(v) && !this.#refused.has(memberName(v)));
    if (led || lostDonor || !possible)
      this.#candidacy.fail(`ballot ${formatBallot(ballot)} was refused by peer ${from.id}`);
  }

  /** [E7] [E8], again after every promise and every adopted chunk. */
  #judge(): void {
    const node = this.#node;
    const ballot = this.#ballot;
    if (ballot === null || !node.promiseDurable) return;
    for (const voter of everyVoter(node.voterSets)) {
      if (sameMember(voter, node.self) || this.#asked.has(memberName(voter))) continue;
      if (node.sendTo(voter, { type: "PREPARE", ballot })) this.#asked.add(memberName(voter));
    }
    if (!hasQuorum(node.voterSets, (v) => this.#promises.has(memberName(v)))) return;
    const best = [...this.#promises.values()].reduce((a, b) => (compareTails(b.tail, a.tail) > 0 ? b : a));
    if (compareTails(best.tail, node.log.tail) > 0) return this.#fetch(best.member, best.tail);
    this.#donor = null;
    if (!node.isVoter) return this.#candidacy.fail("it is no voter of the newest configuration");
    if (node.log.durable < node.log.last) return;
    this.#roles.becomeLeader();
  }

  // ── adopting ───────────────────────────────────────────────────────────────────────────────────────────────────

  #fetch(donor: MemberKey, best: Tail): void {
    const node = this.#node;
    if (this.adoptsFrom(donor)) return;
    this.#donor = donor;
    const link = node.linkTo(donor);
    if (link === null) {
      this.#promises.delete(memberName(donor));
      this.#donor = null;
      return this.#judge();
    }
    node.debug(`adopts the log of peer ${donor.id} through ${best.index} [E7]`);
    this.#ask(link, node.log.tailAt(Math.min(node.log.last, best.index)));
  }

  #ask(link: LinkId, after: Tail): void {
    this.#node.send(link, { type: "CATCHUP_REQ", ballot: this.#ballot, after });
  }

  onDonation(from: LinkedPeer, frame: CatchupResp): void {
    const node = this.#node;
    if (frame.ballot === null || !this.isFor(frame.ballot)) return;
    if (frame.hint !== null) return this.#ask(from.link, node.log.hintFor(frame.hint));
    const taken = this.#acceptor.take(from, frame, frame.entries);
    if (taken !== "taken") {
      // The others may be a majority without it. Which of their logs is the best is judged anew.
      node.debug(`the log of peer ${from.id} cannot be adopted: its promise does not count`);
      this.#promises.delete(memberName(from));
      this.#donor = null;
      return this.#judge();
    }
    this.#candidacy.extend();
    const best = this.#promises.get(memberName(from))?.tail;
    if (best !== undefined && compareTails(best, node.log.tail) > 0) {
      if (frame.more) return;
      if (frame.entries.length === 0) return this.#candidacy.fail("the best log ends before its promised tail");
      return this.#ask(from.link, node.log.tail);
    }
    this.#donor = null;
    this.#promises.set(memberName(node.self), { member: node.self, tail: node.log.tail });
    this.#judge();
  }
}

/** Logs compare by the ballot of their last entry, then by length [E7]. */
function compareTails(a: Tail, b: Tail): number {
  return compareBallots(a.ballot, b.ballot) || a.index - b.index;
}
