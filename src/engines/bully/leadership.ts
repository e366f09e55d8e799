/**
 * Replication on the leader's side: it streams its log, and counts which members have it durable. The followers' side
 * is in `followership`.
 */
import { BEHIND_ENTRIES_MAX, type Timings } from "../../core/config.ts";
import {
  type Ballot,
  compareBallots,
  type LinkId,
  type LogIndex,
  type MemberKey,
  type Millis,
  sameBallot,
  sameMember,
} from "../../core/ids.ts";
import type { Entry, EntryKind, Member, Tail } from "../../core/log-entry.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Acked, Chat, Nack, SeqAck } from "../../core/message.ts";
import { hasQuorum, quorumIndex } from "../../core/quorum.ts";
import type { Acceptor } from "./acceptor.ts";
import { Guests } from "./guests.ts";
import type { Handover } from "./handover.ts";
import type { Content, Leading } from "./leading.ts";
import type { Node } from "./node.ts";
import { meet, type Progress, probe, stream } from "./progress.ts";
import type { Reconfiguration } from "./reconfiguration.ts";
import { isClientSession } from "./relayed-chats.ts";
import type { RoleChanges } from "./role-changes.ts";
import { Sequencer } from "./sequencer.ts";

/** The parts that it uses. */
export interface LeadershipParts {
  readonly acceptor: Acceptor;
  readonly handover: Handover;
  readonly reconfiguration: Reconfiguration;
}

export class Leadership implements Leading {
  readonly ballot: Ballot;
  readonly opened: LogIndex;
  readonly guests: Guests;
  readonly sequencer: Sequencer;
  readonly #node: Node;
  readonly #roles: RoleChanges;
  readonly #acceptor: Acceptor;
  readonly #timings: Timings;
  readonly #progress = new MemberMap<Progress>();
  #heartbeatAt: Millis;
  /** As of the last round of heartbeats. */
  #acked: readonly Acked[] = [];
  /**
   * The highest index that a quorum ever reached under this ballot; and when that index last moved, or nothing was
   * outstanding.
   */
  #reached: LogIndex = 0;
  #progressAt: Millis;

  constructor(node: Node, roles: RoleChanges, parts: LeadershipParts, ballot: Ballot) {
    this.#node = node;
    this.#roles = roles;
    this.#acceptor = parts.acceptor;
    this.#timings = node.timings;
    this.ballot = ballot;
    this.guests = new Guests(node, parts.reconfiguration);
    this.sequencer = new Sequencer(node, ballot, parts.handover);
    this.opened = node.log.last + 1;
    this.#heartbeatAt = node.now;
    this.#progressAt = node.now;
  }

  start(): void {
    const node = this.#node;
    this.#meetMembers();
    for (const progress of this.#progress.values()) this.#announce(progress.member);
    this.append("leader", {});
    node.notice("leading", `this peer leads (term ${this.ballot.term})`);
    this.#heartbeatAt = node.now + this.#timings.heartbeat;
  }

  append(kind: EntryKind, content: Content): Entry {
    const entry = this.sequencer.append(kind, content);
    if (kind === "config" || kind === "settled") this.#meetMembers();
    return entry;
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────

  wakeAt(): Millis {
    return this.#heartbeatAt;
  }

  onTime(): void {
    const node = this.#node;
    if (node.log.commit === node.log.last) this.#progressAt = node.now;
    if (!this.quorumConnected) return this.#roles.abdicate(0, "no majority answers any more");
    const { stall } = node.timeouts;
    if (node.now - this.#progressAt >= stall) {
      // Only the others should try: whatever hangs here would hang again.
      return this.#roles.standBack(`nothing became durable on a majority for ${Math.round(stall)} ms`);
    }
    if (node.now < this.#heartbeatAt) return;
    this.#heartbeatAt = node.now + this.#timings.heartbeat;
    const { id, inc } = node.self;
    this.#acked = [
      { id, inc, match: node.log.durable },
      ...node.otherVoters.flatMap((voter) => {
        const match = this.matchOf(voter);
        return match === 0 ? [] : [{ id: voter.id, inc: voter.inc, match }];
      }),
    ];
    for (const progress of this.#progress.values()) if (this.#isDue(progress)) this.#heartbeat(progress);
    for (const link of this.guests.links) this.heartbeatTo(link);
  }

  /** This process was held up for that long, so the silence of that time was not the others'. */
  discount(late: Millis): void {
    const now = this.#node.now;
    for (const progress of this.#progress.values()) progress.heard = Math.min(now, progress.heard + late);
    this.#progressAt = Math.min(now, this.#progressAt + late);
  }

  /** [E11] A majority acknowledged within the quorum check time. */
  get quorumConnected(): boolean {
    return hasQuorum(this.#node.voterSets, (v) => sameMember(v, this.#node.self) || this.isAlive(v));
  }

  isAlive(member: MemberKey): boolean {
    const progress = this.#progress.get(member);
    return progress !== undefined && this.#node.now - progress.heard < this.#node.timeouts.quorumCheck(member);
  }

  progressOf(member: MemberKey): Progress | null {
    return this.#progress.get(member) ?? null;
  }

  // ── links ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onLinkUp(who: MemberKey): void {
    const progress = this.#progress.get(who);
    if (progress === undefined) return;
    this.#announce(who);
    // It may be a new process, which holds less than the old one acknowledged [D5].
    progress.match = 0;
    progress.last = 0;
    probe(this.#node, progress, this.#node.log.last + 1);
    this.#heartbeat(progress);
  }

  onLinkDown(who: MemberKey): void {
    this.guests.onLinkDown(who);
    const progress = this.#progress.get(who);
    if (progress === undefined) return;
    progress.flight = [];
    this.#meetMembers();
  }

  /** [R10] A part of a frame has come from that member. */
  onReceiving(from: MemberKey): void {
    const progress = this.#progress.get(from);
    if (progress !== undefined) progress.heard = this.#node.now;
  }

  /** [R10] What was sent to that member has not arrived yet, so it is too early to miss its answer. */
  onSending(to: MemberKey): void {
    const progress = this.#progress.get(to);
    if (progress !== undefined) progress.moved = this.#node.now;
  }

  /** Tells a member who leads. */
  greet(who: MemberKey): void {
    const progress = this.#progress.get(who);
    if (progress === undefined) return;
    this.#announce(who);
    this.#heartbeat(progress);
  }

  // ── streaming ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends every follower what it lacks. */
  replicate(): void {
    const node = this.#node;
    for (const progress of this.#progress.values()) {
      const link = node.linkTo(progress.member);
      if (link !== null && !stream(node, this.ballot, progress, link)) this.#heartbeat(progress);
    }
  }

  /** Rounds come every heartbeat interval. */
  #isDue(progress: Progress): boolean {
    const { now, timeouts } = this.#node;
    // Entries that arrive slowly there serve as heartbeats [R10].
    if (progress.state === "stream" && progress.flight.length > 0 && timeouts.isNarrowTo(progress.member)) return false;
    return now - progress.beatAt > timeouts.heartbeat(progress.member) - this.#timings.heartbeat / 2;
  }

  #heartbeat(progress: Progress): void {
    const node = this.#node;
    const link = node.linkTo(progress.member);
    if (link === null) return;
    progress.beatAt = node.now;
    if (
      progress.state !== "behind" &&
      progress.next - 1 > progress.last &&
      node.now - progress.moved > 2 * this.#timings.heartbeat + 2 * node.timeouts.roundTrip(progress.member)
    ) {
      // Entries were sent long ago and never arrived: a frame was lost with its connection.
      const stands = progress.stands === null ? 0 : node.log.hintFor(progress.stands).index;
      probe(this.#node, progress, Math.max(progress.last, stands) + 1);
    }
    const isBehind = progress.state === "behind" || progress.next < node.log.first;
    progress.told = node.log.commit;
    // A narrow line should not carry what others acknowledged: that is told when the line is free again.
    const acked = node.timeouts.isNarrowTo(progress.member) ? [] : this.#acked;
    this.heartbeatTo(link, isBehind ? 0 : Math.min(progress.next - 1, node.log.last), acked);
  }

  /** Without a place before: the receiver then fetches what is committed. */
  heartbeatTo(link: LinkId, before: LogIndex = 0, acked = this.#acked): void {
    const node = this.#node;
    const prev = node.log.tailAt(before);
    node.send(link, {
      type: "HEARTBEAT",
      ballot: this.ballot,
      commit: node.log.commit,
      quorum: this.quorumConnected,
      prev_index: prev.index,
      prev_ballot: prev.ballot,
      prev_crc: before === 0 ? 0 : node.log.crcAt(before),
      last_index: node.log.last,
      acked,
    });
  }

  #announce(member: MemberKey): void {
    const { self, options } = this.#node;
    this.#node.sendTo(member, { type: "COORDINATOR", ballot: this.ballot, peer: { id: self.id, ...options.address } });
  }

  // ── acknowledgements ───────────────────────────────────────────────────────────────────────────────────────────

  onSeqAck(from: MemberKey, ack: SeqAck): void {
    const node = this.#node;
    if (!sameBallot(ack.ballot, this.ballot) || this.guests.onAnswer(from)) return;
    const progress = this.#progress.get(from);
    if (progress === undefined) return;
    progress.heard = node.now;
    progress.faulty = ack.faulty;
    if (ack.linked !== null) progress.linked = ack.linked;
    if (ack.last > progress.last) {
      progress.last = Math.min(ack.last, node.log.last);
      progress.moved = node.now;
    }
    progress.flight = progress.flight.filter((f) => f.through > ack.last);
    if (ack.hint !== null) {
      progress.stands = ack.hint;
      // A heartbeat may overtake the entries sent before it [W5]: entries that seem to be missing may still be under
      // way.
      if (ack.linked === null || progress.flight.length === 0) this.#onHint(progress, ack.hint);
    } else if (progress.state === "probe" && progress.flight.length === 0) progress.state = "stream";
    if (!ack.faulty && ack.match > progress.match) {
      progress.match = Math.min(ack.match, node.log.last);
      this.advanceCommit();
    }
  }

  /** The follower's log does not continue where the frame said: go back, or wait until it has caught up. */
  #onHint(progress: Progress, hint: Tail): void {
    const { log } = this.#node;
    const agreed = log.hintFor(hint);
    if (agreed.index + 1 < log.first) {
      progress.state = "behind";
      return;
    }
    if (progress.state === "behind" || agreed.index + 1 < progress.next) probe(this.#node, progress, agreed.index + 1);
    // Entries that it already has from another peer are not sent.
    else if (sameBallot(agreed.ballot, hint.ballot)) progress.next = agreed.index + 1;
  }

  /** A member is bound to another ballot. */
  onNack(from: MemberKey, { ballot, promised, led }: Nack): void {
    if (!sameBallot(ballot, this.ballot) || compareBallots(promised, this.ballot) <= 0) return;
    // The refusal of a guest counts only when it is a member: then it is asked again.
    if (!this.guests.onAnswer(from)) this.#roles.onRefused(from, promised, led);
  }

  /** [R5] */
  advanceCommit(): void {
    const node = this.#node;
    const reached = quorumIndex(node.voterSets, (v) => this.matchOf(v));
    if (reached > this.#reached) {
      this.#reached = reached;
      this.#progressAt = node.now;
    }
    if (reached <= node.log.commit || reached < this.opened) return;
    this.#acceptor.commitThrough(reached);
  }

  matchOf(voter: MemberKey): LogIndex {
    if (sameMember(voter, this.#node.self)) return this.#node.log.durable;
    const progress = this.#progress.get(voter);
    return progress === undefined || progress.faulty ? 0 : progress.match;
  }

  /** Alive, repaired and at most a little behind: fit to vote and to lead. */
  isCaughtUp(member: MemberKey): boolean {
    const progress = this.#progress.get(member);
    if (progress === undefined || progress.faulty || !this.isAlive(member)) return false;
    return this.#node.log.last - progress.match <= BEHIND_ENTRIES_MAX / 10 && progress.match > 0;
  }

  // ── messages from senders ──────────────────────────────────────────────────────────────────────────────────────

  onChat(from: MemberKey, chat: Chat): void {
    const node = this.#node;
    // The message is relayed by another member [S6]; or it is a client's, whose session began with a peer that may be
    // forgotten by now [S8].
    const isSender = (m: Member) => m.id === chat.sender_id && m.role !== "left";
    const isOfMember = chat.sender_id === from.id || node.configuration?.members.some(isSender) === true;
    if (!isOfMember && !isClientSession(chat.session)) return;
    const expected = this.sequencer.sequence(chat);
    if (expected !== null)
      node.sendTo(from, { type: "CHAT_ACK", sender_id: chat.sender_id, session: chat.session, expected });
  }

  #meetMembers(): void {
    const node = this.#node;
    // A member that has just left still hears that its departure is committed, so that it can stop [M5].
    const stays = (m: Member) => m.role !== "left" || (this.#progress.has(m) && node.isLinked(m));
    const members = (node.configuration?.members ?? []).filter((m) => stays(m) && !sameMember(m, node.self));
    // Until it is settled, a configuration also needs the voters that it removes [M3].
    const met = [...members, ...node.otherVoters];
    for (const known of this.#progress.keys()) if (!met.some((m) => sameMember(m, known))) this.#progress.delete(known);
    for (const member of met) if (!this.#progress.has(member)) this.#progress.set(member, meet(node, member));
  }
}
