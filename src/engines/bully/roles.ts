/**
 * The role of a peer, and the only place that changes it:
 *
 *                      suspects its leader                  quorum of grants, then of promises
 *        ┌──────────┐ ───────────────────────▶ ┌───────────┐ ─────────────────────────────▶ ┌────────┐
 *        │ follower │                          │ candidate │                                │ leader │
 *        └──────────┘ ◀─────────────────────── └───────────┘ ◀───────────────────────────── └────────┘
 *              ▲        denied, stood down,           refused by a member [E13]                  │
 *              └──────────── a leader appears ◀────────── abdicates, sees a higher ballot ───────┘
 *
 * An observer is a follower that is no voter by its newest configuration: it never suspects and never campaigns.
 */
import { assert } from "../../core/assert.ts";
import { TERM_MAX } from "../../core/config.ts";
import {
  type Ballot,
  compareBallots,
  formatBallot,
  type MemberKey,
  makerOf,
  type PeerId,
  sameBallot,
  sameProcess,
} from "../../core/ids.ts";
import type { ShownRole } from "../engine.ts";
import type { Election } from "./election.ts";
import type { Fence } from "./fence.ts";
import type { Followership } from "./followership.ts";
import type { Histories } from "./histories.ts";
import { Leadership, type LeadershipParts } from "./leadership.ts";
import type { Membership } from "./membership.ts";
import type { Node } from "./node.ts";
import type { RoleChanges } from "./role-changes.ts";
import type { Sender } from "./sender.ts";
import type { Terms } from "./terms.ts";

/** The parts that must know of a change. */
interface RoleParts extends LeadershipParts {
  /** The same as the node's, as the peer sees it. */
  leadership: Leadership | null;
  readonly election: Election;
  readonly fence: Fence;
  readonly followership: Pick<Followership, "reset">;
  readonly histories: Pick<Histories, "onPromise">;
  readonly membership: Pick<Membership, "onLeaderKnown">;
  readonly sender: Pick<Sender, "onLeaderChange">;
  readonly terms: Pick<Terms, "onPromise">;
}

export class Roles implements RoleChanges {
  readonly #node: Node;
  readonly #parts: RoleParts;
  #told = "";

  constructor(node: Node, parts: RoleParts) {
    this.#node = node;
    this.#parts = parts;
  }

  raisePromise(ballot: Ballot): void {
    const node = this.#node;
    const { election, fence, followership, histories, terms } = this.#parts;
    assert(compareBallots(ballot, node.promised) > 0, "a promise never goes back");
    assert(ballot.term <= TERM_MAX, "terms are bounded");
    node.promised = ballot;
    node.promiseDurable = false;
    terms.onPromise(ballot);
    fence.onPromise();
    if (node.leadership !== null) node.debug(`steps down: ${formatBallot(ballot)} is above its ballot`);
    this.#parts.leadership = null;
    node.leader = null;
    followership.reset();
    histories.onPromise();
    election.onHigherPromise(ballot);
    node.timeouts.disk.onPromise(node.now);
    node.out({ do: "promise", ballot });
  }

  promiseAgain(ballot: Ballot): void {
    if (compareBallots(ballot, this.#node.promised) > 0) this.raisePromise(ballot);
    else this.#parts.followership.reset();
  }

  becomeLeader(): void {
    const node = this.#node;
    const parts = this.#parts;
    assert(
      node.promiseDurable && sameProcess(makerOf(node.promised), node.self),
      "a leader leads under its own durable promise",
    );
    node.leader = { ballot: node.promised, heard: node.now, quorum: true };
    const leadership = new Leadership(node, this, parts, node.promised);
    parts.leadership = leadership;
    parts.election.onLeaderKnown();
    parts.sender.onLeaderChange();
    leadership.start();
  }

  becomeFollower(ballot: Ballot | null): void {
    const node = this.#node;
    const { election, membership, sender } = this.#parts;
    this.#parts.leadership = null;
    if (ballot === null) {
      node.leader = null;
      return;
    }
    assert(sameBallot(ballot, node.promised), "a peer follows the ballot it promised");
    node.leader = { ballot, heard: node.now, quorum: true };
    election.onLeaderKnown();
    sender.onLeaderChange();
    membership.onLeaderKnown();
    node.debug(`follows peer ${ballot.leader_id}`);
  }

  abdicate(to: PeerId, why: string): void {
    const node = this.#node;
    const ballot = node.leadership?.ballot;
    if (ballot === undefined) return;
    for (const link of node.links.keys()) node.send(link, { type: "ABDICATE", ballot, to });
    this.becomeFollower(null);
    this.#parts.election.onAbdication(to);
    node.notice("abdicated", `this peer no longer leads: ${why}`);
  }

  standBack(why: string): void {
    this.#parts.election.standBack();
    this.abdicate(0, why);
  }

  withdraw(why: string): void {
    this.abdicate(0, why);
    this.#parts.election.stop();
  }

  onRefused(by: MemberKey, promised: Ballot, led: boolean): void {
    const node = this.#node;
    const { election } = this.#parts;
    // Where another leader lives under that promise, a ballot above it would only unseat that leader.
    if (led) node.debug(`steps down: peer ${by.id} follows a leader with ${formatBallot(promised)}`);
    else node.debug(`peer ${by.id} promised ${formatBallot(promised)}: taking a ballot above it [E13]`);
    this.becomeFollower(null);
    if (led) election.afterRefusal(promised);
    else election.prepareAbove(promised);
  }

  /** Something of a leader's ballot came that passed the fence. */
  onLeaderHeard(ballot: Ballot): void {
    const node = this.#node;
    if (node.leader === null) this.becomeFollower(ballot);
    if (node.leader !== null) node.leader.heard = node.now;
  }

  /** The role that people are shown. */
  get shown(): ShownRole {
    const node = this.#node;
    if (node.leadership !== null) return "leader";
    if (!node.isVoter) return "observer";
    return node.leader === null && this.#parts.election.campaigning ? "candidate" : "follower";
  }

  /** Tells the host where that, the term or the leader has changed. */
  tell(): void {
    const { leader, promised } = this.#node;
    const role = this.shown;
    const leaderId = leader?.ballot.leader_id ?? null;
    const told = `${role} ${promised.term} ${leaderId}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#node.out({ do: "role", role, term: promised.term, leader_id: leaderId });
  }
}
