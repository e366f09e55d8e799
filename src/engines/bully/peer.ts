/**
 * One peer of the protocol: inputs in, outputs out, nothing else. The host feeds `step` with what happened and carries
 * out `takeOutputs` in order (`contract` says what each means).
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
  type LinkId,
  type LogIndex,
  type MemberKey,
  type Millis,
  makerOf,
  type PeerId,
  type ProcessKey,
  sameBallot,
  sameProcess,
} from "../../core/ids.ts";
import type { DiskTimes, Frame, Refusal, Twin } from "../../core/message.ts";
import type { Input, PeerOptions, Restored, ShownRole } from "../engine.ts";
import { Acceptor, type CommitListener } from "./acceptor.ts";
import { Election } from "./election.ts";
import { LateClock } from "./failure.ts";
import { Followership } from "./following.ts";
import { Handover } from "./handover.ts";
import { Histories } from "./histories.ts";
import { Losses } from "./losses.ts";
import { Membership } from "./membership.ts";
import { fallsShort, type SeenOf } from "./memory.ts";
import { Node } from "./node.ts";
import { Sender } from "./ordering.ts";
import { slowDiskCost } from "./own-disk.ts";
import { PendingNews } from "./pending.ts";
import { People } from "./people.ts";
import { Reconfiguration } from "./reconfiguration.ts";
import { Relay, type WayListener } from "./relay.ts";
import { Clients } from "./relayed-chats.ts";
import { Leadership } from "./replication.ts";
import type { RoleChanges } from "./roles.ts";
import { Senders } from "./senders.ts";
import { Terms } from "./terms.ts";

/** Frames of a ballot whose promise is still on its way to disk; more are dropped and sent again. */
const WAITING_FRAMES_MAX = 64;

export class Peer extends Node implements RoleChanges, CommitListener, WayListener {
  declare leadership: Leadership | null;
  readonly terms = new Terms(this);
  readonly histories = new Histories(this, this);
  readonly losses = new Losses(this);
  readonly relay = new Relay(this, this);
  readonly handover = new Handover(this, this);
  readonly reconfiguration = new Reconfiguration(this, this.handover);
  readonly acceptor = new Acceptor(this, this.histories, this);
  readonly election = new Election(this, this, this);
  readonly followership = new Followership(this, this, this);
  readonly sender: Sender;
  readonly membership: Membership;
  readonly pendingNews: PendingNews;
  readonly clients = new Clients(this);
  readonly people = new People(this, this.handover);
  readonly senders: Senders;
  readonly #clock: LateClock;
  #waiting: { link: LinkId; frame: Frame }[] = [];
  /** A ballot whose leader said it leads no more: its frames still under way are not heard. */
  #abdicated: Ballot | null = null;
  #shown = "";

  constructor(options: PeerOptions, restored: Restored, now: Millis) {
    super(options, restored, now);
    this.#clock = new LateClock(now);
    this.sender = new Sender(this, this.relay, restored.outbox);
    this.membership = new Membership(this, this.relay, this.reconfiguration, this.sender);
    this.pendingNews = new PendingNews(this, this.relay, this.sender);
    this.senders = new Senders(this, this.terms, this);
  }

  /** Takes one input. Call `settle` once after the inputs that arrived together, then `takeOutputs`. */
  step(input: Input, now: Millis): void {
    this.#advance(now);
    switch (input.type) {
      case "link-up":
        return this.#onLinkUp(input.link, input.peer);
      case "link-down":
        return this.#onLinkDown(input.link);
      case "frame":
        return this.#onFrame(input.link, input.frame);
      case "submit":
        return this.sender.submit(input.drafts);
      case "client-up":
        return this.clients.attach(input.client, input.session);
      case "client-down":
        return this.clients.detach(input.client);
      case "client-chat":
        return this.clients.onChat(input.client, input.chat);
      case "person":
        return this.people.onPerson(input.person);
      case "silence":
        return this.people.onSilence(input.user);
      case "read":
        return this.people.onRead(input.read);
      case "durable":
        return this.#onDurable(input.index);
      case "promised":
        return this.#onPromised(input.ballot);
      case "measured":
        return this.#onMeasured(input.link, input.roundTrip, input.disk);
      case "flow":
        return this.#onFlow(input);
      case "disk-refuses":
        return this.#onDiskRefuses(input.why);
      case "disk-ok":
        this.refused = null;
        return;
      case "twin":
        return this.#onTwin(input.twin);
      case "transfer":
        return this.membership.onTransferCommand(input.to);
      case "evict":
        return this.membership.onEvictCommand(input.id);
      case "quit":
        return this.membership.quit();
      case "tick":
        return;
    }
  }

  /** What follows from all inputs together: batches, acknowledgements, timers that are due. */
  settle(now: Millis): void {
    this.#advance(now);
    this.election.onTime();
    this.leadership?.onTime();
    this.followership.onTime();
    this.membership.onTime();
    this.sender.pump();
    this.clients.onTime();
    this.people.onTime();
    this.pendingNews.onTime();
    this.losses.onTime();
    this.leadership?.replicate();
    this.followership.acknowledge();
    this.#tellDisk();
    this.#showRole();
    this.#clock.expect(this.wakeAt());
  }

  /** When `settle` must run again at the latest. */
  wakeAt(): Millis {
    return Math.min(
      this.now + this.timings.heartbeat,
      this.election.wakeAt(),
      this.leadership?.wakeAt() ?? Number.POSITIVE_INFINITY,
      this.membership.wakeAt(),
      this.founding > 0 ? this.foundingUntil : Number.POSITIVE_INFINITY,
    );
  }

  // ── changes of role ────────────────────────────────────────────────────────────────────────────────────────────

  raisePromise(ballot: Ballot): void {
    assert(compareBallots(ballot, this.promised) > 0, "a promise never goes back");
    assert(ballot.term <= TERM_MAX, "terms are bounded");
    this.promised = ballot;
    this.promiseDurable = false;
    this.terms.onPromise(ballot);
    this.#waiting = [];
    if (this.leadership !== null) this.debug(`steps down: ${formatBallot(ballot)} is above its ballot`);
    this.leadership = null;
    this.leader = null;
    this.followership.reset();
    this.histories.onPromise();
    this.election.onHigherPromise(ballot);
    this.timeouts.disk.onPromise(this.now);
    this.out({ do: "promise", ballot });
  }

  becomeLeader(): void {
    assert(
      this.promiseDurable && sameProcess(makerOf(this.promised), this.self),
      "a leader leads under its own durable promise",
    );
    this.leader = { ballot: this.promised, heard: this.now, quorum: true };
    this.leadership = new Leadership(this, this, this, this.promised);
    this.election.onLeaderKnown();
    this.sender.onLeaderChange();
    this.leadership.start();
  }

  becomeFollower(ballot: Ballot | null): void {
    this.leadership = null;
    if (ballot === null) {
      this.leader = null;
      return;
    }
    assert(sameBallot(ballot, this.promised), "a peer follows the ballot it promised");
    this.leader = { ballot, heard: this.now, quorum: true };
    this.election.onLeaderKnown();
    this.sender.onLeaderChange();
    this.membership.onLeaderKnown();
    this.debug(`follows peer ${ballot.leader_id}`);
  }

  abdicate(to: PeerId, why: string): void {
    const ballot = this.leadership?.ballot;
    if (ballot === undefined) return;
    for (const link of this.links.keys()) this.send(link, { type: "ABDICATE", ballot, to });
    this.becomeFollower(null);
    this.election.onAbdication(to);
    this.notice("abdicated", `this peer no longer leads: ${why}`);
  }

  standBack(why: string): void {
    this.election.standBack();
    this.abdicate(0, why);
  }

  // ── what parts tell ────────────────────────────────────────────────────────────────────────────────────────────

  onCommitted(from: LogIndex, through: LogIndex): void {
    for (let i = from; i <= through; i++) {
      const entry = this.log.entryAt(i);
      if (entry === null) continue;
      if (entry.kind === "chat") this.sender.onCommitted(entry);
      else if (entry.kind !== "leader") this.membership.onCommitted(entry);
    }
  }

  onWayFound(): void {
    this.sender.onLeaderChange();
  }

  // ── inputs ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #advance(now: Millis): void {
    const late = this.#clock.advance(now);
    this.now = Math.max(this.now, now);
    if (late === 0) return;
    // The process itself was held up: the silence of that time says nothing about others [E1].
    if (this.leader !== null) this.leader.heard = Math.min(this.now, this.leader.heard + late);
    this.leadership?.discount(late);
    this.people.discount(late);
    this.timeouts.disk.discount(late);
  }

  #onLinkUp(link: LinkId, peer: ProcessKey & { host: string; port: number }): void {
    this.connect(link, peer);
    const seen = this.memory.of(peer);
    if (seen !== null) this.send(link, { type: "SEEN", ...seen });
    this.losses.onLinkUp(link);
    this.leadership?.onLinkUp(peer);
    this.election.onLinkUp(peer);
    this.membership.onLinkUp(link, peer);
  }

  #onLinkDown(link: LinkId): void {
    const peer = this.disconnect(link);
    if (peer === null) return;
    this.#waiting = this.#waiting.filter((w) => w.link !== link);
    this.losses.onLinkDown(peer);
    this.leadership?.onLinkDown(peer);
    this.followership.onLinkDown(peer);
    this.election.onLinkDown(peer);
    this.membership.onLinkDown(peer);
  }

  #onFrame(link: LinkId, frame: Frame): void {
    const from = this.links.get(link);
    if (from === undefined || !this.senders.believes(from, frame)) return;
    switch (frame.type) {
      case "HEARTBEAT":
      case "SEQ_CHAT":
      case "COORDINATOR":
        // The one fence for leader traffic: below the promise is refused, above it waits for the disk.
        // Entries come too often to be looked at for this, and never before these.
        if (frame.type !== "SEQ_CHAT") this.#saw(from, frame.ballot, 0);
        if (!this.#passes(link, frame, frame.ballot)) return;
        if (frame.type === "COORDINATOR") return this.#followed(frame.ballot);
        this.#followed(frame.ballot);
        return frame.type === "HEARTBEAT"
          ? this.followership.onHeartbeat(from, frame)
          : this.followership.onSeqChat(from, frame);
      case "SEQ_ACK":
        if (!frame.faulty) this.#saw(from, frame.ballot, frame.match);
        return this.leadership?.onSeqAck(from, frame);
      case "SEEN":
        return this.#onSeen(from, frame);
      case "LOST":
        return this.losses.onLost(from, frame);
      case "FORK":
        return this.histories.onFork(from, frame);
      case "NACK":
        return this.#onNack(from, frame.ballot, frame.promised, frame.led);
      case "ELECTION":
        return this.election.onElection(from, frame);
      case "ELECTION_OK":
      case "ELECTION_DENY":
      case "ELECTION_GRANT":
        return this.election.onAnswer(from, frame);
      case "PREPARE":
        return this.election.onPrepare(from, frame);
      case "PROMISE":
        this.#saw(from, frame.ballot, 0);
        return this.election.onPromise(from, frame);
      case "ABDICATE":
        return this.#onAbdicate(frame.ballot, frame.to);
      case "CHAT":
        return this.leadership !== null ? this.leadership.onChat(from, frame) : this.relay.toLeader(from, frame);
      case "CHAT_ACK":
        if (this.clients.onChatAck(frame)) return;
        return frame.sender_id === this.self.id ? this.sender.onChatAck(frame) : this.relay.toSender(frame);
      case "PEOPLE":
        return this.people.onPeople(from, frame);
      case "PENDING":
        return this.pendingNews.onPending(from, frame);
      case "CATCHUP_REQ":
        return this.followership.onCatchupReq(link, frame);
      case "CATCHUP_RESP":
        return frame.ballot === null
          ? this.followership.onCatchupResp(from, frame)
          : this.election.onDonation(from, frame);
      case "JOIN":
      case "JOIN_ACK":
      case "LEAVE":
      case "ADMIN":
      case "ADMIN_ACK":
        return this.membership.onFrame(from, frame);
      case "HELLO":
      case "REFUSE":
      case "PING":
      case "PONG":
        return; // the links' own
      case "ATTACH":
      case "ATTACHED":
      case "DETACH":
      case "ASK":
      case "TELL":
        return; // between the host and its clients
    }
  }

  /** [D6] Of members only: there are few of them. */
  #saw(member: MemberKey, promised: Ballot, match: LogIndex): void {
    if (this.memberOf(member) !== null) this.memory.saw(member, promised, match);
  }

  /** Whether leader traffic under `ballot` may be taken now. */
  #passes(link: LinkId, frame: Frame, ballot: Ballot): boolean {
    const order = compareBallots(ballot, this.promised);
    if (order < 0) {
      this.send(link, { type: "NACK", ballot, promised: this.promised, led: this.hearsLeader });
      return false;
    }
    if (this.#abdicated !== null && sameBallot(ballot, this.#abdicated)) return false;
    if (order > 0) this.raisePromise(ballot);
    if (this.promiseDurable) return true;
    if (this.#waiting.length < WAITING_FRAMES_MAX) this.#waiting.push({ link, frame });
    return false;
  }

  #followed(ballot: Ballot): void {
    if (this.leader === null) this.becomeFollower(ballot);
    if (this.leader !== null) this.leader.heard = this.now;
  }

  #onPromised(ballot: Ballot): void {
    if (!sameBallot(ballot, this.promised) || this.promiseDurable) return;
    this.promiseDurable = true;
    this.timeouts.onPromised();
    this.election.onPromiseDurable();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { link, frame } of waiting) this.#onFrame(link, frame);
  }

  #onDurable(index: LogIndex): void {
    // A truncation that the host has not carried out yet: what it confirms behind that are the entries cut away.
    const confirmed = Math.min(index, this.cutFrom - 1, this.log.last);
    if (confirmed <= this.log.durable) return;
    this.log.durable = confirmed;
    this.timeouts.onDurable(confirmed);
    this.leadership?.advanceCommit();
    this.followership.onDurable();
    this.election.onDurable();
  }

  #onMeasured(link: LinkId, roundTrip: Millis, disk: DiskTimes): void {
    const from = this.links.get(link);
    // Of members only: there are few of them.
    if (from !== undefined && this.memberOf(from) !== null) this.timeouts.onMeasured(from, roundTrip, disk);
  }

  /** [R10] What arrives counts, not what is whole; and what is under way is not lost. */
  #onFlow({ link, window, frame, receives, arrivedUntil }: Extract<Input, { type: "flow" }>): void {
    const other = this.links.get(link);
    if (other === undefined) return;
    other.window = window;
    other.frame = frame;
    if (receives) {
      this.timeouts.onReceiving();
      const { leader } = this;
      if (leader !== null && sameProcess(makerOf(leader.ballot), other)) leader.heard = this.now;
      this.leadership?.onReceiving(other);
      this.followership.onReceiving(other);
      this.election.onReceiving(other);
    }
    if (arrivedUntil === null) return;
    this.timeouts.onSending(other);
    this.leadership?.onSending(other);
    this.sender.onSending(other, arrivedUntil);
  }

  /** Says once when the disk became slow, and what that costs, and once when it is fast again. */
  #tellDisk(): void {
    const change = this.timeouts.disk.change();
    if (change === null) return;
    if (!change.isSlow)
      return this.notice("disk-fast", `the disk is fast again: a sync takes ${Math.round(change.ms)} ms`);
    this.notice(
      "disk-slow",
      `the disk is slow, ${slowDiskCost(change.ms)}. Choose a faster one for the data directory; \`chatpeer doctor\` measures it`,
    );
  }

  #onDiskRefuses(why: Refusal): void {
    this.refused = why;
    this.abdicate(0, "it cannot write to its disk");
    this.election.stop();
  }

  #onTwin(twin: Twin): void {
    if (this.twin !== null) return;
    this.twin = twin;
    this.out({ do: "twins", at: this.ownTwins });
    this.abdicate(0, "its directory runs twice");
    this.election.stop();
  }

  #onAbdicate(ballot: Ballot, to: PeerId): void {
    this.#abdicated = ballot;
    if (this.leader === null || !sameBallot(this.leader.ballot, ballot)) return;
    this.becomeFollower(null);
    this.election.onAbdication(to);
  }

  /**
   * [D6] Another peer saw more of this incarnation than its directory holds: somebody put back a copy, or the disk forgot. It keeps
   * the promise that it no longer knew, and counts in nothing until it is repaired.
   */
  #onSeen(from: MemberKey, seen: SeenOf): void {
    if (!fallsShort(this.promised, this.log.durable, seen)) return;
    if (!this.faulty) {
      this.out({ do: "damaged", from: this.log.durable + 1 });
      this.notice(
        "rolled-back",
        `this directory has lost what it had confirmed to peer ${from.id} (was it put back from a copy?): it is fetched from the others, and this peer counts again when it is whole`,
      );
    }
    this.faulty = true;
    this.losses.tell(seen.match);
    this.abdicate(0, "its directory was put back to an older state");
    this.election.stop();
    if (compareBallots(seen.promised, this.promised) > 0) this.raisePromise(seen.promised);
    else this.followership.reset();
  }

  #onNack(from: MemberKey, ballot: Ballot, promised: Ballot, led: boolean): void {
    if (led) this.relay.hearsLeader(from);
    const refused = this.leadership?.ballot;
    if (refused === undefined) return this.election.onNack(from, ballot, promised, led);
    if (!sameBallot(refused, ballot) || compareBallots(promised, refused) <= 0) return;
    // Its word counts as soon as it is a member: then it is asked again.
    if (this.leadership?.guests.onAnswer(from) === true) return;
    if (led) {
      // Another leader lives under that promise: taking a ballot above it would only unseat it.
      this.debug(`steps down: peer ${from.id} follows a leader with ${formatBallot(promised)}`);
      this.becomeFollower(null);
      this.election.afterRefusal(promised);
      return;
    }
    this.debug(`peer ${from.id} promised ${formatBallot(promised)}: taking a ballot above it [E13]`);
    this.leadership = null;
    this.leader = null;
    this.election.prepareAbove(promised);
  }

  #showRole(): void {
    const role = this.shownRole;
    const leaderId = this.leader?.ballot.leader_id ?? null;
    const shown = `${role} ${this.promised.term} ${leaderId}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.out({ do: "role", role, term: this.promised.term, leader_id: leaderId });
  }

  get shownRole(): ShownRole {
    if (this.leadership !== null) return "leader";
    if (!this.isVoter) return "observer";
    return this.leader === null && this.election.campaigning ? "candidate" : "follower";
  }
}
