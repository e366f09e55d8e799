/**
 * Decides who leads: the question and the answers of the Bully algorithm (Garcia-Molina 1982), bound to a majority by
 * the promises that `preparation` counts.
 *
 *   idle ──suspicion──▶ polling ──grants of a quorum──▶ preparing ──promises of a quorum──▶ (adopting) ──▶ leader
 *     ▲                  │   │                             │                                   │
 *     └──denied, no──────┘   └─OK─▶ deferring ─in vain─▶ polling     refused, in time ─────────┘──▶ idle, backs off
 */
import { BEHIND_ENTRIES_MAX } from "../../core/config.ts";
import {
  type Ballot,
  compareBallots,
  leaderKey,
  type MemberKey,
  type Millis,
  type PeerId,
  sameMember,
} from "../../core/ids.ts";
import type { ElectionAnswer, Election as ElectionFrame, Nack } from "../../core/message.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import { Poll } from "./poll.ts";
import { type Candidacy, Preparation } from "./preparation.ts";
import type { Relay } from "./relay.ts";
import type { RoleChanges } from "./role-changes.ts";
import type { Terms } from "./terms.ts";

type Phase = "idle" | "polling" | "deferring" | "preparing";

/** The parts that it uses. */
interface ElectionParts {
  readonly acceptor: Pick<Acceptor, "take">;
  readonly relay: Pick<Relay, "hearsLeader">;
  readonly terms: Pick<Terms, "last" | "tellEnd">;
}

export class Election implements Candidacy {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  readonly #relay: Pick<Relay, "hearsLeader">;
  readonly #terms: Pick<Terms, "last" | "tellEnd">;
  readonly #poll: Poll;
  readonly preparation: Preparation;
  #phase: Phase = "idle";
  /** Until when the present phase may last. */
  #deadline: Millis = Number.POSITIVE_INFINITY;
  /** When the next attempt may begin while there is no leader. */
  #retryAt: Millis;
  #attempts = 0;
  /** Highest ballot seen in answers and refusals: a fresh one must be above it. */
  #highestSeen: Ballot;
  #deferredTo: PeerId = 0;
  /** The leader last suspected for its silence. It may be connected, but its answer is not waited for. */
  #silent: MemberKey | null = null;
  #preparedAboveAt: Millis = Number.NEGATIVE_INFINITY;
  /** Until then this peer neither campaigns nor stands others down [E11]. */
  #standsBackUntil: Millis = Number.NEGATIVE_INFINITY;
  /** The peer that the last leader handed over to: nobody stands it down for a while [E10]. */
  #yieldsTo: { id: PeerId; until: Millis } = { id: 0, until: 0 };

  constructor(node: Node, roles: RoleChanges, parts: ElectionParts) {
    this.#node = node;
    this.#roles = roles;
    this.#poll = new Poll(node);
    this.preparation = new Preparation(node, roles, parts.acceptor, this);
    this.#relay = parts.relay;
    this.#terms = parts.terms;
    this.#highestSeen = node.promised;
    // A starting peer gives a leader the time to greet it, and others the time to say that they remember more of it
    // than its directory holds [D6]. A peer that is alone has nobody to wait for.
    this.#retryAt = node.now + (node.isVoter && this.#others.length === 0 ? 0 : node.timings.leaderTimeout);
  }

  get campaigning(): boolean {
    return this.#phase !== "idle" || this.#attempts > 0;
  }

  /** Promises are being counted. Meanwhile this peer's log changes by adoption only. */
  get preparing(): boolean {
    return this.#phase === "preparing";
  }

  get #mayCampaign(): boolean {
    const node = this.#node;
    return (
      node.isVoter &&
      node.healthy &&
      !this.#isBinding &&
      !node.quitting &&
      node.leadership === null &&
      (node.now >= this.#standsBackUntil || node.otherVoters.length === 0)
    );
  }

  /**
   * [E6] A promise to a connected peer is on its way to the disk. A rival ballot would only make this disk begin again,
   * and with slow disks nobody would ever be elected.
   */
  get #isBinding(): boolean {
    const { promised, promiseDurable } = this.#node;
    return !promiseDurable && this.#node.isLinked(leaderKey(promised));
  }

  /** [E4] How long to wait, so that a peer with a much faster disk, other than the lost leader, goes first. */
  get #headStart(): Millis {
    const { otherVoters, timeouts, timings } = this.#node;
    const silent = this.#silent;
    const goesFirst = (v: MemberKey) =>
      this.#node.isLinked(v) && !(silent !== null && sameMember(v, silent)) && timeouts.isSlowerThan(v);
    return otherVoters.some(goesFirst) ? timings.defer : 0;
  }

  /** Members that have not left, and voters whose votes still count. */
  get #others(): MemberKey[] {
    const { configuration, otherVoters, self } = this.#node;
    const stay = (configuration?.members ?? []).filter((m) => m.role !== "left" && !sameMember(m, self));
    return [...stay, ...otherVoters];
  }

  wakeAt(): Millis {
    if (this.#phase !== "idle") return this.#deadline;
    const leader = this.#node.leader;
    if (!this.#mayCampaign) return Number.POSITIVE_INFINITY;
    return leader === null ? this.#retryAt : leader.heard + this.#node.timeouts.leaderTimeout(leaderKey(leader.ballot));
  }

  onTime(): void {
    const node = this.#node;
    if (this.#phase === "polling" && node.now >= this.#deadline) return this.#judgePoll();
    if (this.#phase === "deferring" && node.now >= this.#deadline) return this.#deferredInVain();
    if (this.#phase === "preparing" && node.now >= this.#deadline) return this.fail("no majority promised in time");
    if (this.#phase !== "idle") return;
    const { leader } = node;
    if (leader !== null && node.leadership === null) {
      const key = leaderKey(leader.ballot);
      const timeout = node.timeouts.leaderTimeout(key);
      if (node.now >= leader.heard + timeout) {
        node.debug(`suspects peer ${key.id}: nothing heard for ${Math.round(timeout)} ms [E1]`);
        this.#silent = key;
        this.#roles.becomeFollower(null);
        this.#retryAt = node.now + this.#headStart;
      }
    }
    if (node.leader === null && this.#mayCampaign && node.now >= this.#retryAt) this.#ask();
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

  onLinkUp(who: MemberKey): void {
    const node = this.#node;
    if (this.#phase === "preparing") return this.preparation.onLinkUp(who);
    if (this.#phase === "idle" && node.leader === null && this.#others.every((m) => node.isLinked(m))) {
      // Everyone is here and a leader among them would have greeted us by now.
      this.#retryAt = Math.min(this.#retryAt, node.now + node.timings.retryMax);
    }
  }

  onLinkDown(who: MemberKey): void {
    const node = this.#node;
    if (node.leader !== null && node.leadership === null && sameMember(leaderKey(node.leader.ballot), who)) {
      node.debug(`suspects peer ${who.id}: its connection closed [E1]`);
      this.#roles.becomeFollower(null);
      this.#retryAt = node.now + this.#headStart;
    }
    if (this.#phase === "polling") this.#judgePoll();
    if (this.#phase === "deferring" && this.#deferredTo === who.id) this.#deferredInVain();
    this.preparation.onLinkDown(who);
  }

  onLeaderKnown(): void {
    this.stop();
    this.#attempts = 0;
    this.#silent = null;
    this.#poll.onLeaderKnown();
  }

  /** A promise to somebody else ends this peer's own candidacy. */
  onHigherPromise(ballot: Ballot): void {
    if (this.preparation.isFor(ballot)) return;
    if (this.#phase !== "idle") this.stop();
    this.#retryAt = this.#node.now + this.#node.timeouts.patience(leaderKey(ballot));
  }

  onAbdication(to: PeerId): void {
    const node = this.#node;
    this.stop();
    const successor = node.otherVoters.find((v) => v.id === to);
    const head = successor === undefined ? node.timings.defer : node.timeouts.deferral(successor);
    this.#yieldsTo = { id: to, until: node.now + head };
    // The peer that the leader named goes first, and waits for nobody above it. The others follow if nothing comes of
    // it.
    this.#retryAt = node.now + (to === 0 ? this.#pause() + this.#headStart : to === node.self.id ? 0 : head);
    if (node.leadership === null && to === node.self.id && this.#mayCampaign) this.#ask(0);
  }

  /** For a while only the others try: this peer led and made no progress, though it was connected. */
  standBack(): void {
    this.#standsBackUntil = this.#node.now + this.#node.timeouts.stall;
  }

  afterRefusal(promised: Ballot): void {
    this.#see(promised);
    this.stop();
    this.#retryAt = this.#node.now + this.#node.timeouts.patience(leaderKey(promised));
  }

  // ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #ask(deference = this.#node.timeouts.deference(this.#node.self.id)): void {
    this.#phase = "polling";
    this.#poll.start(deference);
    this.#judgePoll();
  }

  onElection(from: LinkedPeer, frame: ElectionFrame): void {
    const node = this.#node;
    if (!node.healthy || this.#isBinding) return;
    const answer = (type: ElectionAnswer["type"]) =>
      node.send(from.link, { type, round: frame.round, promised: node.promised });
    if (node.hearsLeader) {
      answer("ELECTION_DENY");
      // The candidate may just not know the leader yet.
      node.leadership?.greet(from);
      return;
    }
    const ahead = node.log.last - frame.tail.index;
    const yields = this.#yieldsTo.id === from.id && node.now < this.#yieldsTo.until;
    const stands = !yields && !node.timeouts.isSlowerThan(from);
    const bully = stands && node.self.id > from.id && node.seesQuorum && -ahead <= BEHIND_ENTRIES_MAX;
    if (this.#mayCampaign && (bully || ahead > BEHIND_ENTRIES_MAX)) {
      answer("ELECTION_OK");
      if (this.#phase === "idle" && node.leader === null) this.#ask();
    } else answer("ELECTION_GRANT");
  }

  onAnswer(from: LinkedPeer, frame: ElectionAnswer): void {
    this.#see(frame.promised);
    if (frame.type === "ELECTION_DENY") this.#relay.hearsLeader(from);
    if (this.#phase !== "polling" || !this.#poll.isAnswered(from, frame.round)) return;
    if (frame.type === "ELECTION_DENY") return this.fail(`peer ${from.id} hears a leader`);
    if (frame.type === "ELECTION_OK" && !this.#poll.ignoresOk(from.id)) {
      this.#phase = "deferring";
      this.#deferredTo = from.id;
      this.#deadline = this.#node.now + this.#node.timeouts.deferral(from);
      this.#node.debug(`stands down for peer ${from.id} [E3]`);
      return;
    }
    this.#poll.grant(from);
    this.#judgePoll();
  }

  #judgePoll(): void {
    const verdict = this.#poll.judge(this.#silent);
    if (verdict === "granted") this.#prepare();
    else if (verdict === "refused") this.fail("no majority granted an election");
    else this.#deadline = this.#poll.deadline;
  }

  #deferredInVain(): void {
    const node = this.#node;
    this.#poll.onDeferredInVain(this.#deferredTo);
    node.debug(`deferred to peer ${this.#deferredTo} in vain: goes on without it [E4]`);
    this.stop();
    if (node.leader === null && this.#mayCampaign) this.#ask();
  }

  // ── promising ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * [E13] A refused leader takes a ballot above the refusal, and asks nobody first. It does so once: two leaders that
   * reach the same member, but not each other, would depose each other for ever. The second time in a row it backs off.
   */
  prepareAbove(promised: Ballot): void {
    const node = this.#node;
    this.#see(promised);
    const again = node.now < this.#preparedAboveAt + node.timeouts.patience(node.self);
    this.#preparedAboveAt = node.now;
    if (again) return this.fail("refused again and again");
    if (this.#mayCampaign) this.#prepare();
  }

  #prepare(): void {
    const node = this.#node;
    const term = Math.max(this.#highestSeen.term, node.promised.term) + 1;
    if (term > this.#terms.last) {
      this.#terms.tellEnd();
      return this.fail("the terms are used up [E12]");
    }
    this.#phase = "preparing";
    // The others are asked when this peer's own disk has the promise; their time begins then.
    this.#deadline = Number.POSITIVE_INFINITY;
    const { id, inc, boot } = node.self;
    this.preparation.start({ term, leader_id: id, inc, boot });
  }

  /** This peer's promise is on disk. Now others may be asked for theirs [E5], or the waiting answer may go out. */
  onPromiseDurable(): void {
    const node = this.#node;
    if (this.preparation.onPromiseDurable()) return;
    const ballot = node.promised;
    // Only now the candidate can go on.
    this.#retryAt = node.now + node.timeouts.patience(leaderKey(ballot));
    if (!node.healthy) return;
    node.sendTo(leaderKey(ballot), { type: "PROMISE", ballot, tail: node.log.tail });
  }

  onNack(from: MemberKey, frame: Nack): void {
    this.#see(frame.promised);
    this.preparation.onNack(from, frame);
  }

  /** A part of a frame has come from that member. */
  onReceiving(from: MemberKey): void {
    if (this.preparation.adoptsFrom(from)) this.extend();
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────

  extend(): void {
    this.#deadline = this.#node.now + this.#node.timeouts.promises(this.#attempts);
  }

  fail(why: string): void {
    this.stop();
    this.#retryAt = this.#node.now + this.#pause();
    this.#attempts += 1;
    this.#node.debug(`no election: ${why}`);
  }

  #pause(): number {
    const { options, self, timeouts, timings } = this.#node;
    const first = timings.retryMin + options.random() * (timings.retryMax - timings.retryMin);
    const most = timeouts.patience(self) * (0.5 + options.random() / 2);
    return Math.min(first * 2 ** Math.min(this.#attempts, 16), most);
  }

  #see(ballot: Ballot): void {
    if (compareBallots(ballot, this.#highestSeen) > 0) this.#highestSeen = ballot;
  }

  /** Ends the election: nothing is asked or prepared any more. */
  stop(): void {
    this.#phase = "idle";
    this.#deadline = Number.POSITIVE_INFINITY;
    this.preparation.stop();
  }
}
