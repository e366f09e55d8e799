/**
 * Who belongs, on every peer's side: joining, leaving, people's commands, and news of members for the host. How a leader
 * changes the configuration is in `reconfiguration`.
 */
import type { Admin, AdminAck } from "../../core/commands.ts";
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
import type { Configuration, Entry, Member, PeerInfo } from "../../core/log-entry.ts";
import type { Join, JoinAck, Leave } from "../../core/message.ts";
import { duplicateId, isOwnPlace, refuseJoin } from "./admitted.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { Reconfiguration } from "./reconfiguration.ts";
import type { Relay } from "./relay.ts";
import type { Sender } from "./sender.ts";

/** How often a request to the leader is repeated until its effect is seen. */
const REPEAT_MS = 300;
/** The same, for a peer that knows that it is admitted. */
const ADMITTED_REPEAT_MS = 100 * REPEAT_MS;

export class Membership {
  readonly #node: Node;
  readonly #relay: Relay;
  readonly #reconfiguration: Reconfiguration;
  readonly #sender: Pick<Sender, "onAdmitted">;
  /**
   * Last index of the log when this peer was last admitted. Configurations before it say nothing about the present
   * membership [M7].
   */
  #admitted: LogIndex = 0;
  #repeatAt: Millis;
  /** When this peer last had a leader. */
  #ledAt: Millis;
  #quitAsked = false;
  #quitBy: Millis = Number.POSITIVE_INFINITY;
  /** Members as last told to the host. */
  #told = new Map<PeerId, Member>();
  /** The leader that a person's commands were sent to. */
  #commanded: MemberKey | null = null;

  constructor(node: Node, relay: Relay, reconfiguration: Reconfiguration, sender: Pick<Sender, "onAdmitted">) {
    this.#node = node;
    this.#relay = relay;
    this.#reconfiguration = reconfiguration;
    this.#sender = sender;
    this.#repeatAt = node.now;
    this.#ledAt = node.now;
    for (const logged of node.log.state.configurations) {
      if (logged.index <= node.log.commit) this.#told = new Map(logged.configuration.members.map((m) => [m.id, m]));
    }
  }

  /** Whom to dial besides the configuration's members: they may all have gone, or moved, since this peer last heard of them. */
  get heardOf(): readonly Member[] {
    return this.#node.hearsay.members;
  }

  /** The newest configuration's members, each with the address at which it last said it listens [M8]. */
  get present(): Member[] {
    const members = this.#node.configuration?.members ?? [];
    return members.map((m) => ({ ...m, ...this.#node.presentAddress(m) }));
  }

  /**
   * The members by the newest configuration that an answer to a JOIN came from, if this log has an older one; else
   * null.
   */
  get heardNewest(): readonly Member[] | null {
    return this.#node.hearsay.newerThan(this.#node.log.state.newest?.index ?? 0);
  }

  /**
   * This peer knows nobody who leads it to the cluster: an empty log names no members, and an old log perhaps only
   * members that have left. So it asks every peer of its cluster that it meets, and believes the answers [M7].
   */
  get isLost(): boolean {
    const { leader, quitting } = this.#node;
    return leader === null && this.#relay.via === null && !quitting && this.#wantsRepeat;
  }

  hasCommanded(who: MemberKey): boolean {
    return this.#commanded !== null && sameMember(this.#commanded, who);
  }

  get #isMember(): boolean {
    const role = this.#node.memberOf(this.#node.self)?.role;
    return role === "voter" || role === "observer";
  }

  wakeAt(): Millis {
    return this.#wantsRepeat ? Math.min(this.#repeatAt, this.#quitBy) : Number.POSITIVE_INFINITY;
  }

  /**
   * A member that has found no leader for long asks to join again: it may have been evicted meanwhile, which only the
   * others' logs show [M7]. A JOIN of a member changes nothing.
   */
  get #wantsRepeat(): boolean {
    return this.#quitAsked || !this.#isMember || this.#node.now - this.#ledAt > 2 * this.#node.timings.leaderTimeout;
  }

  onTime(): void {
    const node = this.#node;
    if (node.leader !== null) this.#onLed(node.leader.ballot);
    // The peer that it waited for is gone, and perhaps only others know the present leader.
    else this.#repeatAt = Math.min(this.#repeatAt, node.now + REPEAT_MS);
    if (this.#quitAsked && node.now >= this.#quitBy)
      node.out({ do: "stop", reason: "no majority confirmed the departure in time" });
    if (this.#wantsRepeat && node.now >= this.#repeatAt) {
      // A peer whose log does not yet show what the leader's log shows needs no repeated request: the answers would
      // only hold it up.
      const isWaiting = !this.#quitAsked && this.#admitted > 0 && node.leader !== null;
      this.#repeatAt = node.now + (isWaiting ? ADMITTED_REPEAT_MS : REPEAT_MS);
      if (this.#quitAsked) this.#pressToLeave();
      else this.#askToJoin();
    }
    this.#reconfiguration.onTime();
  }

  #onLed(ballot: Ballot): void {
    const node = this.#node;
    this.#ledAt = node.now;
    if (node.hearsay.isEmpty || !this.#isMember || node.memberOf(leaderKey(ballot)) === null) return;
    // From here on the log itself names the members. Before it holds an entry of this leader, it may still come to a
    // configuration in which that leader, too, had left.
    if (sameBallot(node.log.state.ballotAt(node.log.last), ballot)) node.hearsay.forget();
  }

  /** A leader is known: what waited to be said to it is said now. */
  onLeaderKnown(): void {
    this.#repeatAt = this.#node.now;
  }

  onLinkUp(who: LinkedPeer): void {
    const node = this.#node;
    const member = node.memberOf(who);
    if (member !== null && member.role !== "left")
      node.out({ do: "member", id: who.id, state: "alive", role: member.role });
    this.knock(who);
  }

  /** Asks whoever has just come to be let in, where that is wanted. */
  knock({ link }: LinkedPeer): void {
    if (!this.#isMember && !this.#node.quitting) this.#sendJoin(link);
  }

  onLinkDown(who: MemberKey): void {
    const member = this.#node.memberOf(who);
    if (member !== null && member.role !== "left")
      this.#node.out({ do: "member", id: who.id, state: "unreachable", role: member.role });
  }

  onFrame(from: LinkedPeer, frame: Join | JoinAck | Leave | Admin | AdminAck): void {
    switch (frame.type) {
      case "JOIN":
        return this.#onJoin(from, frame);
      case "JOIN_ACK":
        return this.#onJoinAck(from, frame);
      case "LEAVE":
        return this.#reconfiguration.onLeave(frame);
      case "ADMIN":
        return this.#onAdmin(from, frame);
      case "ADMIN_ACK":
        return this.#node.notice(frame.ok ? "done" : "refused", frame.message);
    }
  }

  /** A config or settled entry (or the genesis) is committed. */
  onCommitted(_entry: Entry): void {
    const node = this.#node;
    const { commit, state } = node.log;
    const logged = state.configurationAt(commit);
    if (logged === null) return;
    this.#tell(logged.configuration);
    node.memory.keep((member) => node.knows(member));
    const own = logged.configuration.members.find((m) => sameMember(m, node.self));
    const settled = logged.settled !== 0 && logged.settled <= commit;
    if (!settled || logged.index <= this.#admitted || (own !== undefined && own.role !== "left")) return;
    if (this.#quitAsked) node.out({ do: "stop", reason: "left the cluster" });
    else if (own !== undefined)
      node.debug("the configuration says that this peer has left: it asks to join again [M7]");
  }

  // ── leaving ────────────────────────────────────────────────────────────────────────────────────────────────────

  quit(): void {
    const node = this.#node;
    if (this.#quitAsked) return;
    this.#quitAsked = true;
    node.quitting = true;
    if (!this.#isMember || !this.#othersStay) {
      node.out({ do: "stop", reason: "nobody to say goodbye to" });
      return;
    }
    this.#repeatAt = node.now;
    this.#quitBy = node.now + node.timeouts.quit;
  }

  #pressToLeave(): void {
    const node = this.#node;
    if (node.leadership !== null) {
      // It hands over first, unless everybody else is going too.
      if (!this.#othersStay) node.out({ do: "stop", reason: "nobody is left to hand over to" });
      return;
    }
    if (node.leader !== null) {
      node.sendTo(leaderKey(node.leader.ballot), { type: "LEAVE", id: node.self.id, inc: node.self.inc });
    }
  }

  /** A connected member has neither left nor is leaving. */
  get #othersStay(): boolean {
    const { configuration, self } = this.#node;
    const stays = (m: Member) =>
      m.role !== "left" && !sameMember(m, self) && this.#node.isLinked(m) && !this.#reconfiguration.leaves(m);
    return configuration?.members.some(stays) ?? false;
  }

  // ── joining ────────────────────────────────────────────────────────────────────────────────────────────────────

  #askToJoin(): void {
    if (this.#node.quitting) return;
    const { links, strangers } = this.#node;
    for (const link of [...links.keys(), ...strangers.keys()]) this.#sendJoin(link);
  }

  #sendJoin(link: LinkId): void {
    const { self, options } = this.#node;
    const invite = this.#isMember ? undefined : options.invite;
    const said = { id: self.id, inc: self.inc, ...options.address, ...(invite !== undefined && { invite }) };
    this.#node.send(link, { type: "JOIN", ...said });
  }

  #onJoin(from: LinkedPeer, frame: Join): void {
    const node = this.#node;
    const configuration = node.configuration;
    // The log of a peer that is itself catching up may still name the cluster before a forced recovery [M9].
    if (configuration === null || node.memberOf(node.self) === null) return;
    const guests = node.leadership?.guests;
    const { secure } = node.log.state;
    // Who is being evicted may still be needed for that, until it is committed: its link stays [A4].
    if (secure && node.keyOf(frame) === from.key && !isOwnPlace(node, from, frame)) return;
    if (guests?.mayJoin(from, frame, configuration) === false) return;
    const refused = secure && guests === undefined ? refuseJoin(node, from, frame, 0) : null;
    if (refused !== null) return void node.out({ do: "refuse", link: from.link, ...refused });
    // No peer dials its own id. So if the leader has the joiner's id, its followers must say so.
    const leads = configuration.members.find(
      (m) => node.leader !== null && sameMember(m, leaderKey(node.leader.ballot)),
    );
    if (leads !== undefined && leads.id === frame.id && leads.inc !== frame.inc && node.hearsLeader)
      return void node.out({ do: "refuse", link: from.link, ...duplicateId(leads.id, leads.host, leads.port) });
    const own = configuration.members.find((m) => sameMember(m, frame) && m.role !== "left");
    const leader = node.leader === null ? null : this.#addressOf(node.leader.ballot.leader_id);
    node.send(from.link, {
      type: "JOIN_ACK",
      cluster_id: node.log.state.clusterId,
      members: this.present,
      leader,
      admitted: own === undefined ? 0 : (node.log.state.newest?.index ?? 0),
      configured: node.log.state.newest?.index ?? 0,
    });
    const { id, inc, host, port, invite } = frame;
    const key = secure && from.key !== undefined ? { key: from.key } : {};
    const uses = secure && invite !== undefined && !isOwnPlace(node, from, frame) ? { invite } : {};
    // The answer names this leader. By its heartbeats it now shows that it leads, and the guest shows that it follows.
    if (own === undefined)
      guests?.welcome(from, { member: { id, inc, host, port, role: "observer", ...key }, ...uses });
  }

  #onJoinAck(from: LinkedPeer, frame: JoinAck): void {
    if (frame.leader !== null && frame.leader.id !== from.id) this.#relay.hearsLeader(from);
    this.#admitted = Math.max(this.#admitted, frame.admitted);
    this.#node.hearsay.onJoinAck(from.id, frame, this.#node.self.id);
  }

  #addressOf(id: PeerId): PeerInfo | null {
    const { self, options, configuration } = this.#node;
    if (id === self.id) return { id, ...options.address };
    const member = configuration?.members.find((m) => m.id === id);
    return member === undefined ? null : { id, ...this.#node.presentAddress(member) };
  }

  // ── people's commands ──────────────────────────────────────────────────────────────────────────────────────────

  onTransferCommand(to: PeerId): void {
    this.#command({ type: "ADMIN", op: "transfer", id: to });
  }

  onEvictCommand(id: PeerId): void {
    this.#command({ type: "ADMIN", op: "evict", id });
  }

  onSecureCommand(): void {
    this.#command({ type: "ADMIN", op: "secure", id: 0 });
  }

  #command(admin: Admin): void {
    const node = this.#node;
    if (node.leadership !== null) {
      const { ok, message } = this.#reconfiguration.carryOut(admin);
      return node.notice(ok ? "done" : "refused", message);
    }
    this.#commanded = node.leader && leaderKey(node.leader.ballot);
    if (this.#commanded === null || !node.sendTo(this.#commanded, admin)) {
      node.notice("refused", "there is no leader to carry that out now: try again when /status names one");
    }
  }

  #onAdmin(from: LinkedPeer, admin: Admin): void {
    const node = this.#node;
    const answer =
      node.leadership === null
        ? { ok: false, message: "that peer leads no more: try again" }
        : this.#reconfiguration.carryOut(admin);
    node.send(from.link, { type: "ADMIN_ACK", ...answer });
  }

  // ── telling the host ───────────────────────────────────────────────────────────────────────────────────────────

  #tell(configuration: Configuration): void {
    const node = this.#node;
    for (const member of configuration.members) {
      const before = this.#told.get(member.id);
      if (before === undefined && member.role === "left") continue;
      if (before === undefined || before.inc !== member.inc || (before.role === "left") !== (member.role === "left")) {
        node.out({ do: "member", id: member.id, state: member.role === "left" ? "left" : "joined", role: member.role });
        if (member.role !== "left" && sameMember(member, node.self)) this.#sender.onAdmitted();
      } else if (before.role !== member.role) {
        node.out({
          do: "member",
          id: member.id,
          state: node.isLinked(member) ? "alive" : "unreachable",
          role: member.role,
        });
      }
    }
    this.#told = new Map(configuration.members.map((m) => [m.id, m]));
  }
}
