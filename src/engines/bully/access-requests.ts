/**
 * Changes of who may come in, on their way into the log [A5]: from this peer's host to the leader, and at the leader from
 * everybody. An answer means that the change is in the leader's log; that it counts, the committed log shows.
 */
import { REDEEM_REFUSALS } from "../../core/access-log.ts";
import type { Access, AccessAck } from "../../core/commands.ts";
import { leaderKey, type MemberKey, sameMember } from "../../core/ids.ts";
import type { AccessChange } from "../../core/log-entry.ts";
import type { RefuseCode } from "../../core/refuse-codes.ts";
import type { Handover } from "./handover.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";

type Answer = Pick<AccessAck, "ok" | "code" | "message">;

const DONE: Answer = { ok: true, code: null, message: "" };
const NOBODY_LEADS = refuse("closing", "nobody leads now: try again when /status names a leader");

export class AccessRequests {
  readonly #node: Node;
  readonly #handover: Pick<Handover, "active">;
  /** Which leader each request went to that is not answered yet. */
  readonly #asked = new Map<number, MemberKey>();

  constructor(node: Node, handover: Pick<Handover, "active">) {
    this.#node = node;
    this.#handover = handover;
  }

  /** From the host. */
  ask(request: number, change: AccessChange): void {
    const { leader, leadership } = this.#node;
    if (leadership !== null) return this.#tell(request, this.#take(change));
    const to = leader === null ? null : leaderKey(leader.ballot);
    if (to === null || !this.#node.sendTo(to, { type: "ACCESS", request, change }))
      return this.#tell(request, NOBODY_LEADS);
    this.#asked.set(request, to);
  }

  onFrame(from: LinkedPeer, frame: Access | AccessAck): void {
    if (frame.type === "ACCESS") {
      const answer = this.#node.leadership === null ? NOBODY_LEADS : this.#take(frame.change);
      return this.#node.send(from.link, { type: "ACCESS_ACK", request: frame.request, ...answer });
    }
    const to = this.#asked.get(frame.request);
    if (to === undefined || !sameMember(to, from)) return;
    this.#asked.delete(frame.request);
    this.#tell(frame.request, frame);
  }

  /** Whether that one was asked for something that is not answered yet. */
  hasAsked(who: MemberKey): boolean {
    for (const to of this.#asked.values()) if (sameMember(to, who)) return true;
    return false;
  }

  /** Whoever was asked leads no more, or is gone: its answer may never come. */
  onTime(): void {
    const { leader } = this.#node;
    for (const [request, to] of this.#asked) {
      if (leader !== null && sameMember(leaderKey(leader.ballot), to) && this.#node.isLinked(to)) continue;
      this.#asked.delete(request);
      this.#tell(request, NOBODY_LEADS);
    }
  }

  /** The leader's decision. Whatever is taken is in the log behind this, once. */
  #take(change: AccessChange): Answer {
    const { leadership, log, options } = this.#node;
    const { access } = log.state;
    if (leadership === null || this.#handover.active) return NOBODY_LEADS;
    if (!log.state.secure)
      return refuse("plain", "this cluster is plain, so nobody needs an invitation: /secure makes it a secured one");
    if (access.says(change)) return DONE;
    const now = options.wall();
    const refused = access.judge(change, now);
    if (refused !== null) return refuse(refused.code, refused.message);
    // The one look at a clock [A7].
    const why = change.change === "user" ? access.mayRedeem(change.invite, "client", now) : null;
    if (why !== null) return refuse(REDEEM_REFUSALS[why].code, REDEEM_REFUSALS[why].message);
    leadership.append("access", { data: change, ts: now });
    return DONE;
  }

  #tell(request: number, { ok, code, message }: Answer): void {
    this.#node.out({ do: "access", request, ok, code, message });
  }
}

function refuse(code: RefuseCode, message: string): Answer {
  return { ok: false, code, message };
}
