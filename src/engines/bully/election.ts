/**
 * Who leads: the Bully algorithm's question and answers (Garcia-Molina 1982), bound to a majority by promises
 * (Lamport 2001; Liskov & Cowling 2012: the new leader adopts the best log of a majority).
 *
 *   idle ──suspicion──▶ polling ──grants of a quorum──▶ preparing ──promises of a quorum──▶ (adopting) ──▶ leader
 *     ▲                  │   │                             │                                   │
 *     └──denied, no──────┘   └─OK─▶ deferring ─in vain─▶ polling     refused, in time ─────────┘──▶ idle, backs off
 */
import { BEHIND_ENTRIES_MAX } from "../../core/config.ts";
import {
  type Ballot,
  compareBallots,
  formatBallot,
  type LinkId,
  leaderKey,
  type MemberKey,
  type Millis,
  type PeerId,
  sameBallot,
  sameMember,
} from "../../core/ids.ts";
import type {
  CatchupResp,
  ElectionAnswer,
  Election as ElectionFrame,
  Nack,
  Prepare,
  Promised,
  Tail,
} from "../../core/message.ts";
import { everyVoter, hasQuorum, memberName } from "../../core/quorum.ts";
import type { LinkedPeer } from "../engine.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Node } from "./node.ts";
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

export class Election {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  readonly #acceptor: Pick<Acceptor, "take">;
  readonly #relay: Pick<Relay, "hearsLeader">;
  readonly #terms: Pick<Terms, "last" | "tellEnd">;
  #phase: Phase = "idle";
  /** Until when the present phase may last. */
  #deadline: Millis = Number.POSITIVE_INFINITY;
  /** When the next attempt may begin while there is no leader. */
  #retryAt: Millis;
  #attempts = 0;
  #round = 0;
  readonly #grants = new Set<string>();
  readonly #answered = new Set<string>();
  /** Highest ballot seen in answers and refusals: a fresh one must be above it. */
  #highestSeen: Ballot;
  #ballot: Ballot | null = null;
  #promises = new Map<string, { member: MemberKey; tail: Tail }>();
  #asked = new Set<string>();
  #refused = new Set<string>();
  #donor: MemberKey | null = null;
  /** Peers deferred to in vain, and until when their OK does not count [E4]. */
  readonly #inVain = new Map<PeerId, { until: Millis; pause: number }>();
  #deferredTo: PeerId = 0;
  /** The leader last suspected for its silence: connected perhaps, but no answer is waited for. */
  #silent: MemberKey | null = null;
  /** A majority that is connected has so long to answer. */
  #pollUntil: Millis = 0;
  #preparedAboveAt: Millis = Number.NEGATIVE_INFINITY;
  /** Neither campaigns nor stands others down until then [E11]. */
  #standsBackUntil: Millis = Number.NEGATIVE_INFINITY;
  /** Whom the last leader handed over to: stood down by nobody for a while [E10]. */
  #yieldsTo: { id: PeerId; until: Millis } = { id: 0, until: 0 };

  constructor(node: Node, roles: RoleChanges, parts: ElectionParts) {
    this.#node = node;
    this.#roles = roles;
    this.#acceptor = parts.acceptor;
    this.#relay = parts.relay;
    this.#terms = parts.terms;
    this.#highestSeen = node.promised;
    // A peer that starts gives a living leader the time to greet it, and whoever remembers more of it than its directory
    // does the time to say so [D6]; alone it has nobody to wait for.
    this.#retryAt = node.now + (node.isVoter && this.#others.length === 0 ? 0 : node.timings.leaderTimeout);
  }

  get campaigning(): boolean {
    return this.#phase !== "idle" || this.#attempts > 0;
  }

  /** Whether that one was asked for a promise of the ballot that is prepared. */
  hasAsked(who: MemberKey): boolean {
    return this.preparing && this.#asked.has(memberName(who));
  }

  /** Whether it is that one's log that is being adopted. */
  adoptsFrom(who: MemberKey): boolean {
    return this.#donor !== null && sameMember(this.#donor, who);
  }

  /** Promises are being counted: the own log changes by adoption only. */
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
   * [E6] A promise is on its way to the disk, and whom it is given to is here to use it. A rival ballot would only make
   * this disk begin again, and with slow disks nobody would ever be elected.
   */
  get #isBinding(): boolean {
    const { promised, promiseDurable } = this.#node;
    return !promiseDurable && this.#node.isLinked(leaderKey(promised));
  }

  /** [E4] Somebody with a much faster disk goes first, but for the leader that is gone. */
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
    if (this.#phase === "preparing" && node.now >= this.#deadline) return this.#fail("no majority promised in time");
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
    if (node.leader === null && this.#mayCampaign && node.now >= this.#retryAt) this.#poll();
  }

  // ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

  onLinkUp(who: MemberKey): void {
    const node = this.#node;
    if (this.#phase === "preparing" && this.#ballot !== null && node.promiseDurable) {
      // Also a lost donor: it counts again once it has promised this ballot again [E7].
      if (!this.#promises.has(memberName(who))) this.#asked.delete(memberName(who));
      this.#judgePromises();
    } else if (this.#phase === "idle" && node.leader === null && this.#others.every((m) => node.isLinked(m))) {
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
    if (this.#phase === "preparing" && this.#donor !== null && sameMember(this.#donor, who)) {
      this.#promises.delete(memberName(who));
      this.#donor = null;
      this.#judgePromises();
    }
  }

  onLeaderKnown(): void {
    this.#toIdle();
    this.#attempts = 0;
    this.#silent = null;
    this.#inVain.clear();
  }

  /** A promise to somebody else ends this peer's own candidacy. */
  onHigherPromise(ballot: Ballot): void {
    if (this.#ballot !== null && sameBallot(ballot, this.#ballot)) return;
    if (this.#phase !== "idle") this.#toIdle();
    this.#retryAt = this.#node.now + this.#node.timeouts.patience(leaderKey(ballot));
  }

  onAbdication(to: PeerId): void {
    const node = this.#node;
    this.#toIdle();
    const successor = node.otherVoters.find((v) => v.id === to);
    const head = successor === undefined ? node.timings.defer : node.timeouts.deferral(successor);
    this.#yieldsTo = { id: to, until: node.now + head };
    // Whom the leader named goes first; the others follow if nothing comes of it.
    this.#retryAt = node.now + (to === 0 ? this.#pause() + this.#headStart : to === node.self.id ? 0 : head);
    if (node.leadership === null && to === node.self.id && this.#mayCampaign) this.#poll();
  }

  /** This peer led and got nowhere, though it was connected: for a while the others are to try. */
  standBack(): void {
    this.#standsBackUntil = this.#node.now + this.#node.timeouts.stall;
  }

  afterRefusal(promised: Ballot): void {
    this.#see(promised);
    this.#toIdle();
    this.#retryAt = this.#node.now + this.#node.timeouts.patience(leaderKey(promised));
  }

  stop(): void {
    this.#toIdle();
  }

  // ── asking ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #poll(): void {
    const node = this.#node;
    this.#phase = "polling";
    this.#round += 1;
    this.#deadline = node.now + node.timeouts.deference(node.self.id);
    this.#pollUntil = node.now + node.timeouts.poll;
    this.#grants.clear();
    this.#answered.clear();
    this.#grants.add(memberName(node.self));
    for (const voter of node.otherVoters)
      node.sendTo(voter, { type: "ELECTION", round: this.#round, tail: node.log.tail });
    node.debug(`asks for an election, round ${this.#round} [E2]`);
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
      if (this.#phase === "idle" && node.leader === null) this.#poll();
    } else answer("ELECTION_GRANT");
  }

  onAnswer(from: LinkedPeer, frame: ElectionAnswer): void {
    this.#see(frame.promised);
    if (frame.type === "ELECTION_DENY") this.#relay.hearsLeader(from);
    if (this.#phase !== "polling" || frame.round !== this.#round) return;
    const name = memberName(from);
    this.#answered.add(name);
    if (frame.type === "ELECTION_DENY") return this.#fail(`peer ${from.id} hears a leader`);
    if (frame.type === "ELECTION_OK" && !this.#ignoresOk(from.id)) {
      this.#phase = "deferring";
      this.#deferredTo = from.id;
      this.#deadline = this.#node.now + this.#node.timeouts.deferral(from);
      this.#node.debug(`stands down for peer ${from.id} [E3]`);
      return;
    }
    this.#grants.add(name);
    this.#judgePoll();
  }

  #judgePoll(): void {
    const node = this.#node;
    const waitsFor = (v: MemberKey) =>
      node.isLinked(v) &&
      node.abstentionOf(v) === null &&
      !this.#answered.has(memberName(v)) &&
      !(this.#silent !== null && sameMember(v, this.#silent));
    const late = node.now >= this.#deadline;
    const granted = hasQuorum(node.voterSets, (v) => this.#grants.has(memberName(v)));
    if (granted) {
      // A higher peer may still stand this one down; those known dead or silent are not waited for [E3].
      if (late || !node.otherVoters.some((v) => v.id > node.self.id && waitsFor(v))) this.#prepare();
    } else if (node.now >= this.#pollUntil || !node.otherVoters.some(waitsFor))
      this.#fail("no majority granted an election");
    else if (late) this.#deadline = this.#pollUntil; // on a long line answers take longer than deference may
  }

  #ignoresOk(id: PeerId): boolean {
    const entry = this.#inVain.get(id);
    return entry !== undefined && this.#node.now < entry.until;
  }

  #deferredInVain(): void {
    const node = this.#node;
    const pause = Math.min(
      2 * (this.#inVain.get(this.#deferredTo)?.pause ?? 2 * node.timings.leaderTimeout),
      node.timings.eviction,
    );
    this.#inVain.set(this.#deferredTo, { until: node.now + pause, pause });
    node.debug(`deferred to peer ${this.#deferredTo} in vain: goes on without it [E4]`);
    this.#toIdle();
    if (node.leader === null && this.#mayCampaign) this.#poll();
  }

  // ── promising ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * [E13] A refused leader takes a ballot above the refusal and asks nobody first. Once: two that reach one member only,
   * and not each other, would depose each other for ever; the second time in a row it backs off as after any election.
   */
  prepareAbove(promised: Ballot): void {
    const node = this.#node;
    this.#see(promised);
    const again = node.now < this.#preparedAboveAt + node.timeouts.patience(node.self);
    this.#preparedAboveAt = node.now;
    if (again) return this.#fail("refused again and again");
    if (this.#mayCampaign) this.#prepare();
  }

  #prepare(): void {
    const node = this.#node;
    const term = Math.max(this.#highestSeen.term, node.promised.term) + 1;
    if (term > this.#terms.last) {
      this.#terms.tellEnd();
      return this.#fail("the terms are used up [E12]");
    }
    this.#phase = "preparing";
    // Others are asked when the own disk has it, and have their time from then on.
    this.#deadline = Number.POSITIVE_INFINITY;
    const { id, inc, boot } = node.self;
    this.#ballot = { term, leader_id: id, inc, boot };
    this.#promises = new Map();
    this.#asked = new Set();
    this.#refused = new Set();
    this.#donor = null;
    node.debug(`prepares ballot ${formatBallot(this.#ballot)} [E5]`);
    this.#roles.raisePromise(this.#ballot);
  }

  /** The own promise is on disk: now others may be asked for theirs [E5]; or an answer that waited for it may go. */
  onPromiseDurable(): void {
    const node = this.#node;
    const ballot = node.promised;
    if (this.#phase === "preparing" && this.#ballot !== null && sameBallot(this.#ballot, ballot)) {
      this.#promises.set(memberName(node.self), { member: node.self, tail: node.log.tail });
      this.#extend();
      return this.#judgePromises();
    }
    // Only now the candidate can go on.
    this.#retryAt = node.now + node.timeouts.patience(leaderKey(ballot));
    if (!node.healthy) return;
    node.sendTo(leaderKey(ballot), { type: "PROMISE", ballot, tail: node.log.tail });
  }

  onPrepare(from: LinkedPeer, frame: Prepare): void {
    const node = this.#node;
    if (!node.healthy || node.log.last === 0) return;
    const order = compareBallots(frame.ballot, node.promised);
    if (order === 0) {
      if (node.promiseDurable) node.send(from.link, { type: "PROMISE", ballot: frame.ballot, tail: node.log.tail });
      return;
    }
    // The own leader preparing again is obeyed at once [E13].
    const fromOwnLeader = node.leader !== null && sameMember(leaderKey(node.leader.ballot), from);
    if (order < 0 || (node.hearsLeader && !fromOwnLeader)) {
      node.send(from.link, { type: "NACK", ballot: frame.ballot, promised: node.promised, led: node.hearsLeader });
      return;
    }
    this.#roles.raisePromise(frame.ballot);
  }

  onPromise(from: LinkedPeer, frame: Promised): void {
    if (this.#phase !== "preparing" || this.#ballot === null || !sameBallot(frame.ballot, this.#ballot)) return;
    // A written tail is older than the ballot: nobody has appended under that yet.
    if (compareBallots(frame.tail.ballot, frame.ballot) >= 0) return;
    this.#promises.set(memberName(from), { member: { id: from.id, inc: from.inc }, tail: frame.tail });
    this.#judgePromises();
  }

  onNack(from: MemberKey, { ballot, promised, led }: Nack): void {
    const node = this.#node;
    this.#see(promised);
    if (this.#phase !== "preparing" || this.#ballot === null || !sameBallot(ballot, this.#ballot)) return;
    this.#promises.delete(memberName(from));
    this.#refused.add(memberName(from));
    // One refusal is not the end: the others may still be a majority, unless a leader lives or the donor turned away.
    const lostDonor = this.#donor !== null && sameMember(this.#donor, from);
    const possible = hasQuorum(node.voterSets, (v) => node.isLinked(v) && !this.#refused.has(memberName(v)));
    if (led || lostDonor || !possible) this.#fail(`ballot ${formatBallot(ballot)} was refused by peer ${from.id}`);
  }

  /** [E7] [E8], again after every promise and every adopted chunk. */
  #judgePromises(): void {
    const node = this.#node;
    const ballot = this.#ballot;
    if (this.#phase !== "preparing" || ballot === null || !node.promiseDurable) return;
    for (const voter of everyVoter(node.voterSets)) {
      if (sameMember(voter, node.self) || this.#asked.has(memberName(voter))) continue;
      if (node.sendTo(voter, { type: "PREPARE", ballot })) this.#asked.add(memberName(voter));
    }
    if (!hasQuorum(node.voterSets, (v) => this.#promises.has(memberName(v)))) return;
    const best = [...this.#promises.values()].reduce((a, b) => (compareTails(b.tail, a.tail) > 0 ? b : a));
    if (compareTails(best.tail, node.log.tail) > 0) return this.#fetch(best.member, best.tail);
    this.#donor = null;
    if (!node.isVoter) return this.#fail("it is no voter of the newest configuration");
    if (node.log.durable < node.log.last) return;
    this.#roles.becomeLeader();
  }

  // ── adopting ───────────────────────────────────────────────────────────────────────────────────────────────────

  #fetch(donor: MemberKey, best: Tail): void {
    const node = this.#node;
    if (this.#donor !== null && sameMember(this.#donor, donor)) return;
    this.#donor = donor;
    const link = node.linkTo(donor);
    if (link === null) {
      this.#promises.delete(memberName(donor));
      this.#donor = null;
      return this.#judgePromises();
    }
    node.debug(`adopts the log of peer ${donor.id} through ${best.index} [E7]`);
    this.#ask(link, node.log.tailAt(Math.min(node.log.last, best.index)));
  }

  #ask(link: LinkId, after: Tail): void {
    this.#node.send(link, { type: "CATCHUP_REQ", ballot: this.#ballot, after });
  }

  /** Something of a frame came of that one. */
  onReceiving(from: MemberKey): void {
    if (this.#phase === "preparing" && this.adoptsFrom(from)) this.#extend();
  }

  #extend(): void {
    this.#deadline = this.#node.now + this.#node.timeouts.promises(this.#attempts);
  }

  onDonation(from: LinkedPeer, frame: CatchupResp): void {
    const node = this.#node;
    if (this.#phase !== "preparing" || this.#ballot === null) return;
    if (frame.ballot === null || !sameBallot(frame.ballot, this.#ballot)) return;
    if (frame.hint !== null) return this.#ask(from.link, node.log.hintFor(frame.hint));
    const taken = this.#acceptor.take(from, frame, frame.entries);
    if (taken !== "taken") {
      // Without that one the others may be a majority; which of their logs is the best is judged anew.
      node.debug(`the log of peer ${from.id} cannot be adopted: its promise does not count`);
      this.#promises.delete(memberName(from));
      this.#donor = null;
      return this.#judgePromises();
    }
    this.#extend();
    const best = this.#promises.get(memberName(from))?.tail;
    if (best !== undefined && compareTails(best, node.log.tail) > 0) {
      if (frame.more) return;
      if (frame.entries.length === 0) return this.#fail("the best log ends before its promised tail");
      return this.#ask(from.link, node.log.tail);
    }
    this.#donor = null;
    this.#promises.set(memberName(node.self), { member: node.self, tail: node.log.tail });
    this.#judgePromises();
  }

  onDurable(): void {
    this.#judgePromises();
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #fail(why: string): void {
    const node = this.#node;
    this.#toIdle();
    this.#retryAt = node.now + this.#pause();
    this.#attempts += 1;
    node.debug(`no election: ${why}`);
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

  #toIdle(): void {
    this.#phase = "idle";
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#ballot = null;
    this.#donor = null;
  }
}

/** Logs compare by the ballot of their last entry, then by length [E7]. */
function compareTails(a: Tail, b: Tail): number {
  return compareBallots(a.ballot, b.ballot) || a.index - b.index;
}
