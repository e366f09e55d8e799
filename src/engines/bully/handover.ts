/**
 * A leader passes the lead on [E10]: on request, when it quits, and while a cluster is young, so that the highest id
 * leads, as in the classic algorithm. Meanwhile it takes no messages, so that its successor gets a complete log.
 */
import { type MemberKey, type Millis, type PeerId, sameMember } from "../../core/ids.ts";
import type { Member } from "../../core/log-entry.ts";
import { hasQuorum, votersOf } from "../../core/quorum.ts";
import type { Node } from "./node.ts";
import type { RoleChanges } from "./role-changes.ts";

export class Handover {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  /** The successor, and until when the handover is tried. */
  #open: { to: MemberKey; until: Millis } | null = null;
  /** After a handover that failed, the leader goes on leading until then. */
  #restUntil: Millis = 0;
  /**
   * The same for handovers that nobody asked for. The pause grows each time, because the lead may come back when the
   * other peer makes no progress.
   */
  #unasked = { until: 0, pause: 0 };

  constructor(node: Node, roles: RoleChanges) {
    this.#node = node;
    this.#roles = roles;
  }

  get active(): boolean {
    return this.#open !== null;
  }

  stop(): void {
    this.#open = null;
  }

  /** Only while this peer leads. */
  onTime(quitting: boolean): void {
    const node = this.#node;
    const newest = node.log.state.newest;
    if (this.#open !== null) return this.#continue();
    if (newest === null || newest.settled === 0 || newest.settled > node.log.commit || node.now < this.#restUntil)
      return;
    // Once a message was said, nobody is pre-empted.
    if (!quitting && (node.log.state.chats > 0 || node.now < this.#unasked.until)) return;
    const highest = this.#fit[0];
    if (highest === undefined) return;
    if (quitting) return this.#begin(highest);
    if (highest.id < node.self.id || node.timeouts.isSlower(highest)) return;
    const pause = Math.min(2 * (this.#unasked.pause || node.timings.leaderTimeout), node.timings.eviction);
    this.#unasked = { until: node.now + pause, pause };
    this.#begin(highest);
  }

  /** On request; id 0: to the highest that is fit. */
  transfer(id: PeerId): { ok: boolean; message: string } {
    if (id === this.#node.self.id) return { ok: false, message: `peer ${id} leads already` };
    if (this.#open !== null)
      return { ok: false, message: `the leader is handing over to peer ${this.#open.to.id} already` };
    const fit = this.#fit;
    const target = id === 0 ? fit[0] : fit.find((v) => v.id === id);
    if (target !== undefined) {
      this.#begin(target);
      return { ok: true, message: `the leader hands over to peer ${target.id}` };
    }
    if (id === 0) return { ok: false, message: "no other voter is alive and caught up" };
    const whom = fit.map((v) => v.id).join(", ") || "none at present";
    return { ok: false, message: `peer ${id} is no voter that is alive and caught up (those are: ${whom})` };
  }

  /**
   * Voters that could lead at once and, as far as is known, reach a majority themselves. The highest id comes first;
   * voters with slow disks come last, because nobody leads while they make their promise durable [E15].
   */
  get #fit(): Member[] {
    const { configuration, leadership, self, voterSets } = this.#node;
    if (configuration === null || leadership === null) return [];
    const reachesQuorum = (m: Member) => {
      // Empty until its first answer to a heartbeat.
      const linked = leadership.progressOf(m)?.linked ?? [];
      return linked.length === 0 || hasQuorum(voterSets, (v) => v.id === m.id || linked.includes(v.id));
    };
    const isSlow = (m: Member) => Number(this.#node.timeouts.isSlower(m));
    return votersOf(configuration)
      .filter((v) => !sameMember(v, self) && this.#node.isLinked(v) && leadership.isCaughtUp(v) && reachesQuorum(v))
      .sort((a, b) => isSlow(a) - isSlow(b) || b.id - a.id);
  }

  #begin(to: MemberKey): void {
    this.#open = { to: { id: to.id, inc: to.inc }, until: this.#node.now + this.#node.timeouts.handover(to) };
    this.#node.debug(`hands over to peer ${to.id} [E10]`);
    this.#continue();
  }

  #continue(): void {
    const node = this.#node;
    const { log, leadership } = node;
    if (leadership === null || this.#open === null) return;
    const { to, until } = this.#open;
    if (node.isLinked(to) && leadership.progressOf(to)?.match === log.last && log.commit === log.last) {
      this.#open = null;
      return this.#roles.abdicate(to.id, `it handed over to peer ${to.id}`);
    }
    if (node.now < until) return;
    this.#open = null;
    this.#restUntil = node.now + node.timings.leaderTimeout;
    node.notice("transfer-failed", `peer ${to.id} did not catch up in time: this peer goes on leading`);
  }
}
