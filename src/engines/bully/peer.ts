/**
 * One peer of the protocol: inputs in, outputs out, nothing else. The host feeds `step` with what happened and carries
 * out `takeOutputs` in order (`engine` says what each means). Here its parts are built and inputs find theirs.
 */
import type { Frame } from "../../core/frame.ts";
import {
  type Ballot,
  type LinkId,
  type LogIndex,
  type MemberKey,
  type Millis,
  type PeerId,
  sameBallot,
} from "../../core/ids.ts";
import type { Twin } from "../../core/message.ts";
import type { Engine, Input, PeerOptions, Restored, ShownRole } from "../engine.ts";
import type { Linked } from "../view.ts";
import { Acceptor, type CommitListener } from "./acceptor.ts";
import { AccessRequests } from "./access-requests.ts";
import { Election } from "./election.ts";
import { Fence } from "./fence.ts";
import { Followership } from "./followership.ts";
import { Handover } from "./handover.ts";
import { Histories } from "./histories.ts";
import { LateClock } from "./late-clock.ts";
import type { Leadership } from "./leadership.ts";
import { LineNews } from "./line-news.ts";
import { type LinkChanges, LinkKeys } from "./link-keys.ts";
import { Losses } from "./losses.ts";
import { Membership } from "./membership.ts";
import { Node, UNLIMITED } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import { PeerView } from "./peer-view.ts";
import { PendingNews } from "./pending-news.ts";
import { People } from "./people.ts";
import { Reconfiguration } from "./reconfiguration.ts";
import { Relay, type WayListener } from "./relay.ts";
import { RelayedChats } from "./relayed-chats.ts";
import { Roles } from "./roles.ts";
import { Sender } from "./sender.ts";
import { Senders } from "./senders.ts";
import { Terms } from "./terms.ts";

export class Peer extends Node implements Engine, CommitListener, LinkChanges, WayListener {
  readonly view = new PeerView(this);
  declare leadership: Leadership | null;
  readonly roles = new Roles(this, this);
  readonly fence = new Fence(this, this.roles);
  readonly terms = new Terms(this);
  readonly histories = new Histories(this, this.roles);
  readonly losses = new Losses(this, this.roles);
  readonly relay = new Relay(this, this);
  readonly handover = new Handover(this, this.roles);
  readonly reconfiguration = new Reconfiguration(this, this.handover);
  readonly acceptor = new Acceptor(this, this.histories, this);
  readonly election = new Election(this, this.roles, this);
  readonly preparation = this.election.preparation;
  readonly followership = new Followership(this, this.roles, this);
  readonly sender: Sender;
  readonly membership: Membership;
  readonly pendingNews: PendingNews;
  readonly clients = new RelayedChats(this);
  readonly people = new People(this, this.handover);
  readonly senders: Senders;
  readonly access = new AccessRequests(this, this.handover);
  readonly #linkKeys = new LinkKeys(this, this);
  readonly #lines: LineNews;
  readonly #clock: LateClock;

  constructor(options: PeerOptions, restored: Restored, now: Millis) {
    super(options, restored, now);
    this.#clock = new LateClock(now);
    this.sender = new Sender(this, this.relay, restored.outbox);
    this.membership = new Membership(this, this.relay, this.reconfiguration, this.sender);
    this.pendingNews = new PendingNews(this, this.relay, this.sender);
    this.senders = new Senders(this, this.terms, this);
    this.#lines = new LineNews(this, this);
  }

  /** Takes one input. Call `settle` once after the inputs that arrived together, then `takeOutputs`. */
  step(input: Input, now: Millis): void {
    this.#advance(now);
    switch (input.type) {
      case "link-up":
        return this.#onLinkUp(input.link, input.peer);
      case "link-down":
        return this.#linkKeys.onLinkDown(input.link);
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
        return this.#lines.onMeasured(input);
      case "flow":
        return this.#lines.onFlow(input);
      case "disk-refuses":
        this.refused = input.why;
        return this.roles.withdraw("it cannot write to its disk");
      case "disk-ok":
        this.refused = null;
        return;
      case "twin":
        return this.#onTwin(input.twin);
      case "transfer":
        return this.membership.onTransferCommand(input.to);
      case "evict":
        return this.membership.onEvictCommand(input.id);
      case "secure":
        return this.membership.onSecureCommand();
      case "access":
        return this.access.ask(input.request, input.change);
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
    this.access.onTime();
    this.#linkKeys.sort();
    this.sender.pump();
    this.clients.onTime();
    this.people.onTime();
    this.pendingNews.onTime();
    this.losses.onTime();
    this.leadership?.replicate();
    this.followership.acknowledge();
    const diskNews = this.timeouts.disk.news();
    if (diskNews !== null) this.notice(diskNews.code, diskNews.message);
    this.roles.tell();
    this.#clock.expect(this.wakeAt());
  }

  carriedOut(delivered: LogIndex): void {
    this.log.trim(this.leadership !== null, delivered);
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
    this.#linkKeys.sort();
    if (late === 0) return;
    // This process was held up: silence of that time says nothing about others [E1].
    if (this.leader !== null) this.leader.heard = Math.min(this.now, this.leader.heard + late);
    this.leadership?.discount(late);
    this.people.discount(late);
    this.timeouts.disk.discount(late);
  }

  #onLinkUp(link: LinkId, { id, inc, boot, host, port, key }: Omit<Linked, "link">): void {
    this.#linkKeys.onLinkUp({ link, id, inc, boot, host, port, ...(key !== undefined && { key }), ...UNLIMITED });
  }

  meet(peer: LinkedPeer): void {
    this.connect(peer);
    const seen = this.memory.of(peer);
    if (seen !== null) this.send(peer.link, { type: "SEEN", ...seen });
    this.losses.onLinkUp(peer.link);
    this.leadership?.onLinkUp(peer);
    this.election.onLinkUp(peer);
    this.membership.onLinkUp(peer);
  }

  part(link: LinkId): void {
    const peer = this.disconnect(link);
    if (peer === null) return;
    this.fence.onLinkDown(link);
    this.losses.onLinkDown(peer);
    this.leadership?.onLinkDown(peer);
    this.followership.onLinkDown(peer);
    this.election.onLinkDown(peer);
    this.membership.onLinkDown(peer);
  }

  knock(peer: LinkedPeer): void {
    this.membership.knock(peer);
  }

  #onFrame(link: LinkId, frame: Frame): void {
    const from = this.links.get(link);
    const stranger = from === undefined ? this.strangers.get(link) : undefined;
    if (stranger !== undefined && this.senders.hearsStranger(stranger, frame))
      return this.membership.onFrame(stranger, frame);
    if (from === undefined || !this.senders.believes(from, frame)) return;
    switch (frame.type) {
      case "HEARTBEAT":
      case "SEQ_CHAT":
      case "COORDINATOR":
        // Entries are too frequent to be looked at for this, and other frames always come before them.
        if (frame.type !== "SEQ_CHAT") this.#saw(from, frame.ballot, 0);
        if (!this.fence.passes(link, frame, frame.ballot)) return;
        if (frame.type === "COORDINATOR") return this.roles.onLeaderHeard(frame.ballot);
        this.roles.onLeaderHeard(frame.ballot);
        return frame.type === "HEARTBEAT"
          ? this.followership.onHeartbeat(from, frame)
          : this.followership.onSeqChat(from, frame);
      case "SEQ_ACK":
        if (!frame.faulty) this.#saw(from, frame.ballot, frame.match);
        return this.leadership?.onSeqAck(from, frame);
      case "SEEN":
        return this.losses.onSeen(from, frame);
      case "LOST":
        return this.losses.onLost(from, frame);
      case "FORK":
        return this.histories.onFork(from, frame);
      case "NACK":
        if (frame.led) this.relay.hearsLeader(from);
        return this.leadership !== null ? this.leadership.onNack(from, frame) : this.election.onNack(from, frame);
      case "ELECTION":
        return this.election.onElection(from, frame);
      case "ELECTION_OK":
      case "ELECTION_DENY":
      case "ELECTION_GRANT":
        return this.election.onAnswer(from, frame);
      case "PREPARE":
        return this.preparation.onPrepare(from, frame);
      case "PROMISE":
        this.#saw(from, frame.ballot, 0);
        return this.preparation.onPromise(from, frame);
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
          : this.preparation.onDonation(from, frame);
      case "JOIN":
      case "JOIN_ACK":
      case "LEAVE":
      case "ADMIN":
      case "ADMIN_ACK":
        return this.membership.onFrame(from, frame);
      case "ACCESS":
      case "ACCESS_ACK":
        return this.access.onFrame(from, frame);
      default:
        // The links' own, and what is between the host and its clients.
        return;
    }
  }

  /** [D6] Of members only: there are few of them. */
  #saw(member: MemberKey, promised: Ballot, match: LogIndex): void {
    if (this.memberOf(member) !== null) this.memory.saw(member, promised, match);
  }

  #onPromised(ballot: Ballot): void {
    if (!sameBallot(ballot, this.promised) || this.promiseDurable) return;
    this.promiseDurable = true;
    this.timeouts.onPromised();
    this.election.onPromiseDurable();
    for (const { link, frame } of this.fence.onPromiseDurable()) this.#onFrame(link, frame);
  }

  #onDurable(index: LogIndex): void {
    // Behind a truncation that the host has not carried out yet, it confirms entries that are cut away.
    const confirmed = Math.min(index, this.cutFrom - 1, this.log.last);
    if (confirmed <= this.log.durable) return;
    this.log.durable = confirmed;
    this.timeouts.onDurable(confirmed);
    this.leadership?.advanceCommit();
    this.followership.onDurable();
    this.preparation.onDurable();
  }

  #onTwin(twin: Twin): void {
    if (this.twin !== null) return;
    this.twin = twin;
    this.out({ do: "twins", at: this.ownTwins });
    this.roles.withdraw("its directory runs twice");
  }

  #onAbdicate(ballot: Ballot, to: PeerId): void {
    this.fence.onAbdicate(ballot);
    if (this.leader === null || !sameBallot(this.leader.ballot, ballot)) return;
    this.roles.becomeFollower(null);
    this.election.onAbdication(to);
  }

  get shownRole(): ShownRole {
    return this.roles.shown;
  }
}
