/**
 * Who belongs: joining, leaving, eviction, placement. Only the leader changes the configuration, one change
 * at a time, each a whole configuration that needs both its voters and those before it until it is settled [M2] [M3]
 * (Ongaro & Ousterhout 2014, with the 2015 erratum in mind: nothing before the leader's own entry is committed).
 */
import { LEFT_KEPT_MAX } from "../../core/config.ts";
import {
  type Ballot,
  type LinkId,
  type LogIndex,
  leaderKey,
  type MemberKey,
  type Millis,
  type PeerId,
  sameBallot,
  sameMember,
} from "../../core/ids.ts";
import type {
  Admin,
  AdminAck,
  Configuration,
  Entry,
  Join,
  JoinAck,
  Leave,
  Member,
  PeerInfo,
} from "../../core/message.ts";
import { memberName, votersOf } from "../../core/quorum.ts";
import type { LinkedPeer } from "../engine.ts";
import { duplicateId } from "./guests.ts";
import { Handover } from "./handover.ts";
import type { Peer } from "./peer.ts";
import { placeVoters } from "./placement.ts";

/** How often a request to the leader is repeated until its effect is seen. */
const REPEAT_MS = 300;
/** The same, for who knows that it is admitted. */
const ADMITTED_REPEAT_MS = 100 * REPEAT_MS;
/** Who is alive and caught up changes all the time; under load not every batch is worth a look. */
const PLACEMENTS_PER_HEARTBEAT = 2;
const NOBODY: readonly Member[] = [];

export class Membership {
  readonly #peer: Peer;
  readonly handover: Handover;
  /** Leader: what the next configuration is to bring. */
  readonly #leaves = new Set<string>();
  readonly evictions = new Set<PeerId>();
  /** Last index of the log when this peer was last admitted: earlier configurations do not speak of it [M7]. */
  #admitted: LogIndex = 0;
  #repeatAt: Millis;
  /** When this peer last had a leader. */
  #ledAt: Millis;
  #quitAsked = false;
  #quitBy: Millis = Number.POSITIVE_INFINITY;
  /** Leader: when it last looked whether the members are placed as they should be. */
  #placedAt: Millis = Number.NEGATIVE_INFINITY;
  /** Members as last told to the host. */
  #told = new Map<PeerId, Member>();
  /** Where each member that answered a JOIN says the members are; all of them together. */
  readonly #heardFrom = new Map<PeerId, { readonly configured: LogIndex; readonly members: readonly Member[] }>();
  #heardOf: readonly Member[] = NOBODY;
  /** Whom a person's commands were sent to. */
  #commanded: MemberKey | null = null;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.handover = new Handover(peer);
    this.#repeatAt = peer.now;
    this.#ledAt = peer.now;
    for (const logged of peer.log.state.configurations) {
      if (logged.index <= peer.log.commit) this.#told = new Map(logged.configuration.members.map((m) => [m.id, m]));
    }
  }

  /** Whom to dial besides the configuration's members: they may all have gone, or moved, since this peer last heard of them. */
  get heardOf(): readonly PeerInfo[] {
    return this.#heardOf;
  }

  /** The newest configuration's members, each where it said last that it listens [M8]. */
  get present(): Member[] {
    const members = this.#peer.configuration?.members ?? [];
    return members.map((m) => ({ id: m.id, inc: m.inc, ...this.#presentAddress(m), role: m.role }));
  }

  /** The members by the newest configuration that an answer to a JOIN was by, where this log has an older one; else null. */
  get heardNewest(): readonly Member[] | null {
    let newest = { configured: this.#peer.log.state.newest?.index ?? 0, members: NOBODY };
    for (const heard of this.#heardFrom.values()) if (heard.configured > newest.configured) newest = heard;
    return newest.members === NOBODY ? null : newest.members;
  }

  /** Named by a JOIN_ACK, and the log does not lead to a leader yet [M7]. */
  isIntroduced(key: MemberKey): boolean {
    return this.#heardOf.some((m) => sameMember(m, key));
  }

  /**
   * Nobody whom this peer knows leads it anywhere: an empty log names nobody, and an old one perhaps only such as have gone.
   * So it asks everybody whom it meets in its cluster, and believes who answers [M7].
   */
  get isLost(): boolean {
    const { leader, relay, quitting } = this.#peer;
    return leader === null && relay.via === null && !quitting && this.#wantsRepeat;
  }

  hasCommanded(who: MemberKey): boolean {
    return this.#commanded !== null && sameMember(this.#commanded, who);
  }

  get #isMember(): boolean {
    const role = this.#peer.memberOf(this.#peer.self)?.role;
    return role === "voter" || role === "observer";
  }

  wakeAt(): Millis {
    return this.#wantsRepeat ? Math.min(this.#repeatAt, this.#quitBy) : Number.POSITIVE_INFINITY;
  }

  /**
   * A member that finds no leader for long asks to join again: it may have been evicted meanwhile, and only the
   * others' logs say so [M7]. A JOIN of somebody who belongs changes nothing.
   */
  get #wantsRepeat(): boolean {
    return this.#quitAsked || !this.#isMember || this.#peer.now - this.#ledAt > 2 * this.#peer.timings.leaderTimeout;
  }

  onTime(): void {
    const peer = this.#peer;
    if (peer.leader !== null) this.#onLed(peer.leader.ballot);
    // Whom it waited for is gone, and perhaps whoever leads now is known to others only.
    else this.#repeatAt = Math.min(this.#repeatAt, peer.now + REPEAT_MS);
    if (this.#quitAsked && peer.now >= this.#quitBy)
      peer.out({ do: "stop", reason: "no majority confirmed the departure in time" });
    if (this.#wantsRepeat && peer.now >= this.#repeatAt) {
      // Whose log does not show yet what the leader's does has nothing to press for; the answers would only hold it up.
      const isWaiting = !this.#quitAsked && this.#admitted > 0 && peer.leader !== null;
      this.#repeatAt = peer.now + (isWaiting ? ADMITTED_REPEAT_MS : REPEAT_MS);
      if (this.#quitAsked) this.#pressToLeave();
      else this.#askToJoin();
    }
    if (peer.leadership === null) {
      this.handover.stop();
      this.#leaves.clear();
      this.evictions.clear();
      return;
    }
    this.#settle();
    this.#reconfigure();
    this.handover.onTime(this.#quitAsked);
  }

  #onLed(ballot: Ballot): void {
    const peer = this.#peer;
    this.#ledAt = peer.now;
    if (this.#heardFrom.size === 0 || !this.#isMember || peer.memberOf(leaderKey(ballot)) === null) return;
    // From here on the log speaks for itself. Before it has something of this leader it may still come to a configuration
    // in which that one, too, had left.
    if (sameBallot(peer.log.state.ballotAt(peer.log.last), ballot)) this.#forgetHeardOf();
  }

  /** Whoever waits to say something to the leader says it now. */
  onLeaderKnown(): void {
    this.#repeatAt = this.#peer.now;
  }

  onLinkUp(link: LinkId, who: MemberKey & { host: string; port: number }): void {
    const peer = this.#peer;
    const member = peer.memberOf(who);
    if (member !== null && member.role !== "left")
      peer.out({ do: "member", id: who.id, state: "alive", role: member.role });
    if (!this.#isMember && !peer.quitting) this.#sendJoin(link);
  }

  onLinkDown(who: MemberKey): void {
    const member = this.#peer.memberOf(who);
    if (member !== null && member.role !== "left")
      this.#peer.out({ do: "member", id: who.id, state: "unreachable", role: member.role });
  }

  onFrame(from: LinkedPeer, frame: Join | JoinAck | Leave | Admin | AdminAck): void {
    switch (frame.type) {
      case "JOIN":
        return this.#onJoin(from, frame);
      case "JOIN_ACK":
        return this.#onJoinAck(from, frame);
      case "LEAVE":
        return this.#onLeave(frame);
      case "ADMIN":
        return this.#onAdmin(from, frame);
      case "ADMIN_ACK":
        return this.#peer.notice(frame.ok ? "done" : "refused", frame.message);
    }
  }

  /** A config or settled entry (or the genesis) is committed. */
  onCommitted(_entry: Entry): void {
    const peer = this.#peer;
    const { commit, state } = peer.log;
    const logged = [...state.configurations].reverse().find((c) => c.index <= commit);
    if (logged === undefined) return;
    this.#tell(logged.configuration);
    peer.memory.keep((member) => peer.knows(member));
    const own = logged.configuration.members.find((m) => sameMember(m, peer.self));
    const settled = logged.settled !== 0 && logged.settled <= commit;
    if (!settled || logged.index <= this.#admitted || (own !== undefined && own.role !== "left")) return;
    if (this.#quitAsked) peer.out({ do: "stop", reason: "left the cluster" });
    else if (own !== undefined)
      peer.debug("the configuration says that this peer has left: it asks to join again [M7]");
  }

  // ── leaving ────────────────────────────────────────────────────────────────────────────────────────────────────

  quit(): void {
    const peer = this.#peer;
    if (this.#quitAsked) return;
    this.#quitAsked = true;
    peer.quitting = true;
    if (!this.#isMember || !this.#othersStay) {
      peer.out({ do: "stop", reason: "nobody to say goodbye to" });
      return;
    }
    this.#repeatAt = peer.now;
    this.#quitBy = peer.now + peer.timeouts.quit;
  }

  #pressToLeave(): void {
    const peer = this.#peer;
    if (peer.leadership !== null) {
      // It hands over first, unless everybody else is going too.
      if (!this.#othersStay) peer.out({ do: "stop", reason: "nobody is left to hand over to" });
      return;
    }
    if (peer.leader !== null) {
      peer.sendTo(leaderKey(peer.leader.ballot), { type: "LEAVE", id: peer.self.id, inc: peer.self.inc });
    }
  }

  /** Somebody is here who neither has left nor is leaving. */
  get #othersStay(): boolean {
    const { configuration, self } = this.#peer;
    const stays = (m: Member) =>
      m.role !== "left" && !sameMember(m, self) && this.#peer.isLinked(m) && !this.#leaves.has(memberName(m));
    return configuration?.members.some(stays) ?? false;
  }

  #onLeave(frame: Leave): void {
    if (this.#peer.leadership === null) return;
    this.#leaves.add(memberName(frame));
  }

  // ── joining ────────────────────────────────────────────────────────────────────────────────────────────────────

  #askToJoin(): void {
    if (this.#peer.quitting) return;
    for (const link of this.#peer.links.keys()) this.#sendJoin(link);
  }

  #sendJoin(link: LinkId): void {
    const { self, options } = this.#peer;
    this.#peer.send(link, { type: "JOIN", id: self.id, inc: self.inc, ...options.address });
  }

  #onJoin(from: LinkedPeer, frame: Join): void {
    const peer = this.#peer;
    const configuration = peer.configuration;
    // The log of one that is itself still catching up may name the cluster before a forced recovery [M9].
    if (configuration === null || peer.memberOf(peer.self) === null) return;
    const guests = peer.leadership?.guests;
    if (guests?.mayJoin(from, frame, configuration) === false) return;
    // Nobody dials its own id: of a leader with the joiner's id its followers must tell.
    const leads = configuration.members.find(
      (m) => peer.leader !== null && sameMember(m, leaderKey(peer.leader.ballot)),
    );
    if (leads !== undefined && leads.id === frame.id && leads.inc !== frame.inc && peer.hearsLeader)
      return void peer.out({ do: "refuse", link: from.link, ...duplicateId(leads) });
    const own = configuration.members.find((m) => sameMember(m, frame) && m.role !== "left");
    const leader = peer.leader === null ? null : this.#addressOf(peer.leader.ballot.leader_id);
    peer.send(from.link, {
      type: "JOIN_ACK",
      cluster_id: peer.log.state.clusterId,
      members: this.present,
      leader,
      admitted: own === undefined ? 0 : (peer.log.state.newest?.index ?? 0),
      configured: peer.log.state.newest?.index ?? 0,
    });
    const { id, inc, host, port } = frame;
    // The answer names this leader; now it shows that it is one, and the other that it follows.
    if (own === undefined) guests?.welcome(from, { id, inc, host, port, role: "observer" });
  }

  #onJoinAck(from: LinkedPeer, frame: JoinAck): void {
    if (frame.leader !== null && frame.leader.id !== from.id) this.#peer.relay.hearsLeader(from);
    this.#admitted = Math.max(this.#admitted, frame.admitted);
    const { configured, members } = frame;
    const before = this.#heardFrom.get(from.id)?.members ?? NOBODY;
    this.#heardFrom.set(from.id, { configured, members });
    if (sameMembers(members, before)) return;
    const isOther = (m: Member) => m.role !== "left" && m.id !== this.#peer.self.id;
    this.#heardOf = [...this.#heardFrom.values()].flatMap((heard) => heard.members.filter(isOther));
  }

  #forgetHeardOf(): void {
    this.#heardFrom.clear();
    this.#heardOf = NOBODY;
  }

  #addressOf(id: PeerId): PeerInfo | null {
    const { self, options, configuration } = this.#peer;
    if (id === self.id) return { id, ...options.address };
    const member = configuration?.members.find((m) => m.id === id);
    return member === undefined ? null : { id, ...this.#presentAddress(member) };
  }

  /** Where a member said it listens when it connected; the configuration follows later [M8]. */
  #presentAddress(member: Member): { host: string; port: number } {
    const { self, options, links } = this.#peer;
    if (sameMember(member, self)) return options.address;
    const link = this.#peer.linkTo(member);
    const { host, port } = (link === null ? undefined : links.get(link)) ?? member;
    return { host, port };
  }

  // ── the leader's changes ───────────────────────────────────────────────────────────────────────────────────────

  /** [M3] A committed configuration is settled by an entry of its own. */
  #settle(): void {
    const peer = this.#peer;
    const newest = peer.log.state.newest;
    const leadership = peer.leadership;
    if (leadership === null || newest === null || newest.settled !== 0) return;
    if (newest.index > peer.log.commit || leadership.opened > peer.log.commit) return;
    leadership.append("settled", { data: { config_index: newest.index } });
  }

  #reconfigure(): void {
    const peer = this.#peer;
    const leadership = peer.leadership;
    const newest = peer.log.state.newest;
    if (leadership === null || newest === null || this.handover.active) return;
    if (leadership.opened > peer.log.commit || newest.settled === 0 || newest.settled > peer.log.commit) return;
    const asked = leadership.guests.joins.size + this.#leaves.size + this.evictions.size > 0;
    if (!asked && peer.now < this.#placedAt + peer.timings.heartbeat / PLACEMENTS_PER_HEARTBEAT) return;
    this.#placedAt = peer.now;
    const members = this.#target(newest.configuration);
    if (sameMembers(members, newest.configuration.members)) return;
    const prevVoters = votersOf(newest.configuration).map(({ id, inc }) => ({ id, inc }));
    leadership.append("config", { data: { members, prev_voters: prevVoters } });
    leadership.guests.joins.clear();
    this.#leaves.clear();
    this.evictions.clear();
  }

  /** The members as they should be: joins, leaves, evictions, new addresses, then placement [M5]. */
  #target(present: Configuration): Member[] {
    const { self } = this.#peer;
    const members = new Map<PeerId, Member>(present.members.map((m) => [m.id, m]));
    for (const member of present.members) {
      const gone = this.#leaves.has(memberName(member)) || (this.evictions.has(member.id) && !this.isLive(member));
      const role = gone && !sameMember(member, self) ? "left" : member.role;
      members.set(member.id, { id: member.id, inc: member.inc, ...this.#presentAddress(member), role });
    }
    for (const join of this.#peer.leadership?.guests.joins.values() ?? []) {
      const before = members.get(join.id);
      // A voter's id passes to a new incarnation in two steps: first the old one leaves [M6].
      if (before === undefined || before.role !== "voter") members.set(join.id, join);
      else members.set(join.id, { ...before, role: "left" });
    }
    const staying = [...members.values()].filter((m) => m.role !== "left");
    const voters = placeVoters({
      leader: self.id,
      leaderQuits: this.#quitAsked,
      members: staying.map((m) => ({
        id: m.id,
        voter: m.role === "voter",
        fit: this.#isFit(m),
        gone: this.isGone(m),
      })),
    });
    return this.#withoutForgotten([...members.values()], present)
      .map((m) =>
        m.role === "left" ? m : { ...m, role: voters.has(m.id) ? ("voter" as const) : ("observer" as const) },
      )
      .sort((a, b) => a.id - b.id);
  }

  /**
   * Those who left are named for a while, for people who look. That binds nobody: the configuration that let them go is settled, so
   * neither do their votes count, nor their incarnations, should they come back. Too many, and all go that nobody is linked to.
   */
  #withoutForgotten(members: readonly Member[], present: Configuration): Member[] {
    const left = members.filter((m) => m.role === "left");
    if (left.length <= LEFT_KEPT_MAX) return [...members];
    const isOld = (m: Member) => present.members.some((p) => p.role === "left" && sameMember(p, m));
    // Who is linked still may wait to hear that its departure is committed [M5].
    return members.filter((m) => m.role !== "left" || !isOld(m) || this.#peer.isLinked(m));
  }

  isLive(member: MemberKey): boolean {
    const peer = this.#peer;
    return sameMember(member, peer.self) || (peer.isLinked(member) && peer.leadership?.isAlive(member) === true);
  }

  #isFit(member: MemberKey): boolean {
    return sameMember(member, this.#peer.self) || this.#peer.leadership?.isCaughtUp(member) === true;
  }

  /** Away for the eviction time, and no live voter reaches it either [M5]. */
  isGone(member: MemberKey): boolean {
    const peer = this.#peer;
    const leadership = peer.leadership;
    const progress = leadership?.progressOf(member);
    if (leadership === null || progress === null || progress === undefined) return false;
    if (peer.now - progress.heard < peer.timings.eviction) return false;
    return !votersOf(peer.configuration as Configuration).some(
      (v) => leadership.isAlive(v) && leadership.progressOf(v)?.linked.includes(member.id),
    );
  }

  // ── people's commands ──────────────────────────────────────────────────────────────────────────────────────────

  onTransferCommand(to: PeerId): void {
    this.#command({ type: "ADMIN", op: "transfer", id: to });
  }

  onEvictCommand(id: PeerId): void {
    this.#command({ type: "ADMIN", op: "evict", id });
  }

  #command(admin: Admin): void {
    const peer = this.#peer;
    if (peer.leadership !== null) {
      const { ok, message } = this.#carryOut(admin);
      return peer.notice(ok ? "done" : "refused", message);
    }
    this.#commanded = peer.leader && leaderKey(peer.leader.ballot);
    if (this.#commanded === null || !peer.sendTo(this.#commanded, admin)) {
      peer.notice("refused", "there is no leader to carry that out now: try again when /status names one");
    }
  }

  #onAdmin(from: LinkedPeer, admin: Admin): void {
    const peer = this.#peer;
    const answer =
      peer.leadership === null ? { ok: false, message: "that peer leads no more: try again" } : this.#carryOut(admin);
    peer.send(from.link, { type: "ADMIN_ACK", ...answer });
  }

  #carryOut(admin: Admin): { ok: boolean; message: string } {
    return admin.op === "transfer" ? this.handover.transfer(admin.id) : this.#evict(admin.id);
  }

  #evict(id: PeerId): { ok: boolean; message: string } {
    const member = this.#peer.configuration?.members.find((m) => m.id === id);
    if (member === undefined || member.role === "left")
      return { ok: false, message: `there is no peer ${id} in the cluster` };
    if (this.isLive(member)) return { ok: false, message: `peer ${id} is alive: let it leave with /quit` };
    this.evictions.add(id);
    return { ok: true, message: `peer ${id} is evicted: its id is free again` };
  }

  // ── telling the host ───────────────────────────────────────────────────────────────────────────────────────────

  #tell(configuration: Configuration): void {
    const peer = this.#peer;
    for (const member of configuration.members) {
      const before = this.#told.get(member.id);
      if (before === undefined && member.role === "left") continue;
      if (before === undefined || before.inc !== member.inc || (before.role === "left") !== (member.role === "left")) {
        peer.out({ do: "member", id: member.id, state: member.role === "left" ? "left" : "joined", role: member.role });
        if (member.role !== "left" && sameMember(member, peer.self)) peer.sender.onAdmitted();
      } else if (before.role !== member.role) {
        peer.out({
          do: "member",
          id: member.id,
          state: peer.isLinked(member) ? "alive" : "unreachable",
          role: member.role,
        });
      }
    }
    this.#told = new Map(configuration.members.map((m) => [m.id, m]));
  }
}

function samePlaces(a: readonly PeerInfo[], b: readonly PeerInfo[]): boolean {
  const same = (x: PeerInfo, y: PeerInfo | undefined) => x.id === y?.id && x.host === y.host && x.port === y.port;
  return a.length === b.length && a.every((x, i) => same(x, b[i]));
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  const same = (x: Member, y: Member | undefined) => x.inc === y?.inc && x.role === y.role;
  return samePlaces(a, b) && a.every((m, i) => same(m, b[i]));
}
