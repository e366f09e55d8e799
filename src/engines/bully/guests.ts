/**
 * Peers that ask a leader to be let in [M4] [M6]. Anybody can send a JOIN. Only a peer that has also answered this
 * leader's heartbeat is known to work, and comes into the configuration. So a stranger that only sends a JOIN leaves no
 * trace, neither in the log nor at the peers that would dial it.
 */
import { MEMBERS_MAX } from "../../core/config.ts";
import type { LinkId, MemberKey, PeerId } from "../../core/ids.ts";
import type { Configuration, Member } from "../../core/log-entry.ts";
import { MemberMap } from "../../core/member-map.ts";
import type { RefuseCode } from "../../core/refuse-codes.ts";
import type { GuestList } from "./leading.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { Reconfiguration } from "./reconfiguration.ts";

export class Guests implements GuestList {
  readonly #node: Node;
  readonly #reconfiguration: Reconfiguration;
  readonly #guests = new MemberMap<{ readonly from: LinkedPeer; readonly member: Member }>();
  readonly joins = new Map<PeerId, Member>();

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

  welcome(from: LinkedPeer, member: Member): void {
    const isNew = !this.has(member);
    this.#guests.set(member, { from, member });
    if (isNew) this.#node.leadership?.heartbeatTo(from.link);
  }

  onLinkDown(who: MemberKey): void {
    this.#guests.delete(who);
    if (this.joins.get(who.id)?.inc === who.inc) this.joins.delete(who.id);
  }

  /** False: that was no guest. */
  onAnswer(who: MemberKey): boolean {
    const guest = this.#guests.get(who);
    if (guest === undefined) return false;
    this.#guests.delete(who);
    this.admit(guest.from, guest.member);
    return true;
  }

  admit(from: LinkedPeer, member: Member): void {
    const { configuration } = this.#node;
    if (configuration === null || !this.mayJoin(from, member, configuration)) return;
    const gone = this.#isFull(configuration) ? this.#longestGone(configuration) : null;
    if (gone !== null && !this.joins.has(member.id)) this.#reconfiguration.evictions.add(gone.id);
    this.joins.set(member.id, member);
  }

  /** The leader's decision; false if refused. */
  mayJoin(from: LinkedPeer, { id, inc }: MemberKey, configuration: Configuration): boolean {
    const { leadership, now, timings } = this.#node;
    const { evictions } = this.#reconfiguration;
    const namesake = configuration.members.find((m) => m.id === id && m.role !== "left");
    if (namesake !== undefined && namesake.inc === inc) return true;
    if (namesake !== undefined) {
      if (this.#reconfiguration.isLive(namesake)) return this.#refuse(from, duplicateId(namesake));
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

  #refuse({ link }: LinkedPeer, why: Refusal): false {
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

type Refusal = { readonly code: RefuseCode; readonly message: string };

export function duplicateId({ id, host, port }: Member): Refusal {
  return {
    code: "duplicate-id",
    message: `peer id ${id} is in use by the peer at ${host}:${port}: choose another --id`,
  };
}
