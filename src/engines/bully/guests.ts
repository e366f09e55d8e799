/**
 * Peers that ask a leader to be let in [M4] [M6]. Anybody can send a JOIN. Only a peer that has also answered this
 * leader's heartbeat is known to work, and comes into the configuration. So a stranger that only sends a JOIN leaves no
 * trace, neither in the log nor at the peers that would dial it.
 */
import { REDEEM_REFUSALS } from "../../core/access-log.ts";
import { MEMBERS_MAX } from "../../core/config.ts";
import type { LinkId, MemberKey, PeerId } from "../../core/ids.ts";
import type { Configuration, Member } from "../../core/log-entry.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { Against } from "../../core/refuse-codes.ts";
import { duplicateId, isOwnPlace, refuseJoin } from "./admitted.ts";
import type { Asking, GuestList, Newcomer } from "./leading.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { Reconfiguration } from "./reconfiguration.ts";

export class Guests implements GuestList {
  readonly #node: Node;
  readonly #reconfiguration: Reconfiguration;
  readonly #guests = new MemberMap<Newcomer & { readonly from: LinkedPeer }>();
  readonly joins = new Map<PeerId, Newcomer>();

  constructor(node: Node, reconfiguration: Reconfiguration) {
    this.#node = node;
    this.#reconfiguration = reconfiguration;
  }

  has(who: MemberKey): boolean {
    return this.#guests.has(who);
  }

  get links(): readonly LinkId[] {
    return [...this.#guests.values()].map(({ from }) => from.link);
  }

  welcome(from: LinkedPeer, newcomer: Newcomer): void {
    const { member } = newcomer;
    // Somebody has invited it: it need not show that it works, nor is a link that has proven no member's key heard.
    if (newcomer.invite !== undefined) return this.admit(from, newcomer);
    const isNew = !this.has(member);
    this.#guests.set(member, { from, ...newcomer });
    if (isNew) this.#node.leadership?.heartbeatTo(from.link);
  }

  onLinkDown(who: MemberKey): void {
    this.#guests.delete(who);
    if (this.joins.get(who.id)?.member.inc === who.inc) this.joins.delete(who.id);
  }

  /** False: that was no guest. */
  onAnswer(who: MemberKey): boolean {
    const guest = this.#guests.get(who);
    if (guest === undefined) return false;
    this.#guests.delete(who);
    this.admit(guest.from, guest);
    return true;
  }

  admit(from: LinkedPeer, { member, invite }: Newcomer): void {
    const { configuration } = this.#node;
    const uses = invite === undefined ? {} : { invite };
    if (configuration === null || !this.mayJoin(from, { id: member.id, inc: member.inc, ...uses }, configuration))
      return;
    const gone = this.#isFull(configuration) ? this.#longestGone(configuration) : null;
    if (gone !== null && !this.joins.has(member.id)) this.#reconfiguration.evictions.add(gone.id);
    this.joins.set(member.id, { member, ...uses });
  }

  dropUninvited(): void {
    const { log, options } = this.#node;
    const uses = new Map<string, number>();
    for (const [id, { invite }] of this.joins) {
      if (invite === undefined) continue;
      const taken = uses.get(invite) ?? 0;
      const left = log.state.access.invitations.get(invite)?.left ?? 0;
      // The one look at a clock [A7].
      if (taken >= left || log.state.access.mayRedeem(invite, "member", options.wall()) !== null) this.joins.delete(id);
      else uses.set(invite, taken + 1);
    }
  }

  /** The leader's decision; false if refused. */
  mayJoin(from: LinkedPeer, asking: Asking, configuration: Configuration): boolean {
    const { leadership, log, now, timings } = this.#node;
    const { id, inc } = asking;
    if (log.state.secure) return this.#mayJoinSecured(from, asking, configuration);
    const { evictions } = this.#reconfiguration;
    const namesake = configuration.members.find((m) => m.id === id && m.role !== "left");
    if (namesake !== undefined && namesake.inc === inc) return true;
    if (namesake !== undefined) {
      if (this.#reconfiguration.isLive(namesake))
        return this.#refuse(from, duplicateId(id, namesake.host, namesake.port));
      const away = now - (leadership?.progressOf(namesake)?.heard ?? now);
      if (away >= timings.eviction || evictions.has(id)) return true;
      const left = Math.ceil((timings.eviction - away) / 1000);
      const where = `${namesake.host}:${namesake.port}`;
      return this.#refuse(from, {
        code: "id-away",
        message: `peer id ${id} belongs to the peer at ${where}, which is away: try again in ${left} s, say /evict ${id} on another peer, start it with its old data directory, or choose another --id`,
      });
    }
    if (this.joins.has(id) || !this.#isFull(configuration) || this.#longestGone(configuration) !== null) return true;
    return this.#refuse(from, {
      code: "limit",
      message: `the cluster has ${MEMBERS_MAX} members, which is the limit, and none of them has been away for ${timings.eviction / 1000} s: ask for one to leave (/quit there) or, where it is gone, say /evict with its id on another peer; then start again`,
    });
  }

  #mayJoinSecured(from: LinkedPeer, asking: Asking, configuration: Configuration): boolean {
    const node = this.#node;
    const why = refuseJoin(node, from, asking, node.options.wall());
    if (why !== null) return this.#refuse(from, why);
    const before = this.joins.get(asking.id)?.member;
    if (isOwnPlace(node, from, asking) || before?.key === from.key) return true;
    const others = [...this.joins.values()];
    if (before !== undefined) return this.#refuse(from, duplicateId(asking.id, before.host, before.port));
    // The same key under two ids, or more who come with an invitation than it has uses: the next configuration says which.
    const uses = others.filter(({ invite }) => invite === asking.invite).length;
    const left = node.log.state.access.invitations.get(asking.invite ?? "")?.left ?? 0;
    if (uses >= left || others.some(({ member }) => member.key === from.key))
      return this.#refuse(from, REDEEM_REFUSALS["invite-used"]);
    // Nobody goes for a newcomer: whose key is gone could not come back.
    return !this.#isFull(configuration) || this.#refuse(from, FULL);
  }

  #refuse({ link }: LinkedPeer, why: Against): false {
    this.#node.out({ do: "refuse", link, ...why });
    return false;
  }

  #isFull({ members }: Configuration): boolean {
    const { evictions } = this.#reconfiguration;
    const staying = members.filter((m) => m.role !== "left" && !evictions.has(m.id));
    return staying.length + this.joins.size >= MEMBERS_MAX;
  }

  /** The observer that has been away for the longest time, if one is gone: it makes room for a peer that is here. */
  #longestGone({ members }: Configuration): Member | null {
    const { leadership, now } = this.#node;
    const heard = (m: Member) => leadership?.progressOf(m)?.heard ?? now;
    const { evictions } = this.#reconfiguration;
    const isGone = (m: Member) => m.role === "observer" && !evictions.has(m.id) && this.#reconfiguration.isGone(m);
    return members.filter(isGone).sort((a, b) => heard(a) - heard(b))[0] ?? null;
  }
}

const FULL: Against = {
  code: "limit",
  message: `the cluster has ${MEMBERS_MAX} members, which is the limit: say /evict with the id of one that does not come back, then start again`,
};
