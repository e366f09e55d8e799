/**
 * How a leader changes the configuration: one change at a time, each a whole configuration that needs both its voters and
 * those before it until it is settled [M2] [M3] (Ongaro & Ousterhout 2014, with the 2015 erratum in mind: nothing before
 * the leader's own entry is committed).
 */
import type { Admin } from "../../core/commands.ts";
import { LEFT_KEPT_MAX } from "../../core/config.ts";
import { type MemberKey, type Millis, type PeerId, sameMember } from "../../core/ids.ts";
import type { Configuration, Member } from "../../core/log-entry.ts";
import { memberName, votersOf } from "../../core/quorum.ts";
import type { Handover } from "./handover.ts";
import { sameMembers } from "./hearsay.ts";
import type { Node } from "./node.ts";
import { placeVoters } from "./placement.ts";

/** Which members are alive and caught up changes all the time; under load it is not looked at after every batch. */
const PLACEMENTS_PER_HEARTBEAT = 2;

export class Reconfiguration {
  readonly #node: Node;
  readonly #handover: Handover;
  /** Members that leave with the next configuration. */
  readonly #leaves = new Set<string>();
  readonly evictions = new Set<PeerId>();
  /** The next one makes the cluster a secured one. */
  #secures = false;
  /** When it last looked whether the members are placed as they should be. */
  #placedAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(node: Node, handover: Handover) {
    this.#node = node;
    this.#handover = handover;
  }

  onTime(): void {
    if (this.#node.leadership === null) {
      this.#handover.stop();
      this.#leaves.clear();
      this.evictions.clear();
      this.#secures = false;
      return;
    }
    this.#settle();
    this.#reconfigure();
    this.#handover.onTime(this.#node.quitting);
  }

  onLeave(member: MemberKey): void {
    if (this.#node.leadership !== null) this.#leaves.add(memberName(member));
  }

  /** It has said that it leaves. */
  leaves(member: MemberKey): boolean {
    return this.#leaves.has(memberName(member));
  }

  carryOut(admin: Admin): { readonly ok: boolean; readonly message: string } {
    if (admin.op === "secure") return this.#secure();
    return admin.op === "transfer" ? this.#handover.transfer(admin.id) : this.#evict(admin.id);
  }

  /** [M3] A committed configuration is settled by an entry of its own. */
  #settle(): void {
    const node = this.#node;
    const newest = node.log.state.newest;
    const leadership = node.leadership;
    if (leadership === null || newest === null || newest.settled !== 0) return;
    if (newest.index > node.log.commit || leadership.opened > node.log.commit) return;
    leadership.append("settled", { data: { config_index: newest.index } });
  }

  #reconfigure(): void {
    const node = this.#node;
    const leadership = node.leadership;
    const newest = node.log.state.newest;
    if (leadership === null || newest === null || this.#handover.active) return;
    if (leadership.opened > node.log.commit || newest.settled === 0 || newest.settled > node.log.commit) return;
    const asked = leadership.guests.joins.size + this.#leaves.size + this.evictions.size > 0 || this.#secures;
    if (!asked && node.now < this.#placedAt + node.timings.heartbeat / PLACEMENTS_PER_HEARTBEAT) return;
    this.#placedAt = node.now;
    const secure = node.log.state.secure || this.#maySecure;
    this.#secures = false;
    // Who comes into a plain cluster has proven no key.
    if (secure && !node.log.state.secure) leadership.guests.joins.clear();
    if (secure) leadership.guests.dropUninvited();
    const placed = this.#target(newest.configuration);
    const members = secure ? placed.map((m) => this.#withKey(m)) : placed;
    if (sameMembers(members, newest.configuration.members)) return;
    const prev_voters = votersOf(newest.configuration).map(({ id, inc }) => ({ id, inc }));
    const invites = [...leadership.guests.joins.values()].flatMap(({ member, invite }) =>
      invite !== undefined && members.some((m) => sameMember(m, member)) ? [invite] : [],
    );
    const trust = { ...(secure && { secure }), ...(invites.length > 0 && { invites }) };
    leadership.append("config", { data: { members, prev_voters, ...trust } });
    leadership.guests.joins.clear();
    this.#leaves.clear();
    this.evictions.clear();
  }

  /** The members as they should be: joins, leaves, evictions, new addresses, then placement [M5]. */
  #target(present: Configuration): Member[] {
    const { self } = this.#node;
    const members = new Map<PeerId, Member>(present.members.map((m) => [m.id, m]));
    for (const member of present.members) {
      const evicted = this.evictions.has(member.id) && (this.#node.log.state.secure || !this.isLive(member));
      const gone = (evicted || this.#leaves.has(memberName(member))) && !sameMember(member, self);
      const { key, ...known } = member;
      // Who quits keeps its key, and with it its place [A2].
      const keeps = key !== undefined && !(evicted && gone) ? { key } : {};
      const role = gone ? "left" : member.role;
      members.set(member.id, { ...known, ...this.#node.presentAddress(member), role, ...keeps });
    }
    for (const { member: join } of this.#node.leadership?.guests.joins.values() ?? []) {
      const before = members.get(join.id);
      // A voter's id passes to a new incarnation in two steps: the old one leaves first [M6].
      if (before === undefined || before.role !== "voter") members.set(join.id, join);
      else members.set(join.id, { ...before, role: "left" });
    }
    const staying = [...members.values()].filter((m) => m.role !== "left");
    const voters = placeVoters({
      leader: self.id,
      leaderQuits: this.#node.quitting,
      members: staying.map((m) => ({
        id: m.id,
        voter: m.role === "voter",
        fit: this.#isFit(m) && (m.role === "voter" || this.#areAcquainted(present, m)),
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
   * Members that left stay named for a while, for people to see. This binds nobody: the configuration that removed them
   * is settled, so their votes do not count, nor do their incarnations if they come back. When there are too many, all
   * that nobody is linked to are dropped.
   */
  #withoutForgotten(members: readonly Member[], present: Configuration): Member[] {
    const left = members.filter((m) => m.role === "left");
    if (left.length <= LEFT_KEPT_MAX) return [...members];
    const isOld = (m: Member) => present.members.some((p) => p.role === "left" && sameMember(p, m));
    // A member that is still linked may wait to hear that its departure is committed [M5].
    return members.filter((m) => m.role !== "left" || !isOld(m) || this.#node.isLinked(m));
  }

  isLive(member: MemberKey): boolean {
    const node = this.#node;
    return sameMember(member, node.self) || (node.isLinked(member) && node.leadership?.isAlive(member) === true);
  }

  #isFit(member: MemberKey): boolean {
    return sameMember(member, this.#node.self) || this.#node.leadership?.isCaughtUp(member) === true;
  }

  /**
   * [A11] That one and every voter know each other's keys. Otherwise two who are left of a majority might not believe each
   * other, and the one who could tell them be gone.
   */
  #areAcquainted(present: Configuration, newcomer: MemberKey): boolean {
    const { leadership, log } = this.#node;
    if (!log.state.secure) return true;
    const since = log.state.newest?.index ?? 0;
    const hasIt = (m: MemberKey) => sameMember(m, this.#node.self) || (leadership?.progressOf(m)?.match ?? 0) >= since;
    return hasIt(newcomer) && votersOf(present).every((v) => hasIt(v) || this.isGone(v));
  }

  /** Away for the eviction time, and no live voter reaches it either [M5]. */
  isGone(member: MemberKey): boolean {
    const node = this.#node;
    const leadership = node.leadership;
    const progress = leadership?.progressOf(member);
    if (leadership === null || progress === null || progress === undefined) return false;
    if (node.now - progress.heard < node.timings.eviction) return false;
    return !votersOf(node.configuration as Configuration).some(
      (v) => leadership.isAlive(v) && leadership.progressOf(v)?.linked.includes(member.id),
    );
  }

  #evict(id: PeerId): { ok: boolean; message: string } {
    const { secure } = this.#node.log.state;
    const member = this.#node.configuration?.members.find((m) => m.id === id);
    // Who has quit a secured cluster has its place there still.
    if (member === undefined || (member.role === "left" && member.key === undefined))
      return { ok: false, message: `there is no peer ${id} in the cluster` };
    if (secure && sameMember(member, this.#node.self)) {
      const { ok, message } = this.#handover.transfer(0);
      const then = ok ? `say /evict ${id} again when another peer leads` : "nobody else can lead, so it stays";
      return { ok: false, message: `peer ${id} leads: ${message}; ${then}` };
    }
    if (!secure && this.isLive(member)) return { ok: false, message: `peer ${id} is alive: let it leave with /quit` };
    this.evictions.add(id);
    const means = secure ? "its key counts no more, and " : "";
    return { ok: true, message: `peer ${id} is evicted: ${means}its id is free again` };
  }

  /** [A10] */
  #secure(): { ok: boolean; message: string } {
    if (this.#node.log.state.secure) return { ok: false, message: "this cluster is secured already" };
    const missing = this.#keyless.map(({ id, host, port }) => `peer ${id} at ${host}:${port}`);
    if (missing.length > 0)
      return {
        ok: false,
        message: `every member must be here and have a key. ${missing.join(", ")} is away, or has none of its own: start it, or say /evict`,
      };
    this.#secures = true;
    return { ok: true, message: "the cluster becomes a secured one: from now on peers prove their keys" };
  }

  get #maySecure(): boolean {
    return this.#secures && this.#keyless.length === 0;
  }

  /** Members whose keys this leader does not know. */
  get #keyless(): Member[] {
    const members = this.#node.configuration?.members ?? [];
    const stays = (m: Member) => m.role !== "left" && !(this.evictions.has(m.id) && !this.isLive(m));
    const keyed = members.filter(stays).map((m) => this.#withKey(m));
    // Two with one key are two copies of one directory: neither can be told from the other.
    return keyed.filter(({ id, key }) => key === undefined || keyed.some((m) => m.id !== id && m.key === key));
  }

  /** With the key that it has, or has said on its plain link. */
  #withKey(member: Member): Member {
    if (member.key !== undefined || member.role === "left") return member;
    const { links, options, self } = this.#node;
    const link = this.#node.linkTo(member);
    const key = sameMember(member, self) ? options.key : (link !== null && links.get(link)?.key) || undefined;
    return key === undefined ? member : { ...member, key };
  }
}
