/**
 * Replication on a follower's side. It takes entries that provably continue its own log, acknowledges only what it
 * could never lose, and fetches the entries that it is far behind by. The leader's side is in `leadership`.
 */
import {
  ballotOf,
  compareBallots,
  type LinkId,
  type LogIndex,
  leaderKey,
  type MemberKey,
  type Millis,
  sameBallot,
  sameMember,
} from "../../core/ids.ts";
import type { Tail } from "../../core/log-entry.ts";
import type { CatchupReq, CatchupResp, Heartbeat, SeqChat } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Election } from "./election.ts";
import type { Histories } from "./histories.ts";
import type { Losses } from "./losses.ts";
import type { Node } from "./node.ts";
import type { Relay } from "./relay.ts";
import type { RoleChanges } from "./role-changes.ts";

/** The parts that it uses. */
interface FollowershipParts {
  readonly acceptor: Acceptor;
  readonly histories: Histories;
  readonly relay: Pick<Relay, "via">;
  readonly losses: Pick<Losses, "tell">;
  readonly election: Pick<Election, "preparing">;
}

/** What every peer does with the log of another, leader or not. */
export class Followership {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  readonly #acceptor: Acceptor;
  readonly #histories: Histories;
  readonly #relay: Pick<Relay, "via">;
  readonly #losses: Pick<Losses, "tell">;
  readonly #election: Pick<Election, "preparing">;
  /** An acknowledgement is owed. */
  #owed = false;
  #owedHint: Tail | null = null;
  /**
   * The hint is about entries that came. A hint about a heartbeat is not final, because the heartbeat may have
   * overtaken entries.
   */
  #hintIsFinal = false;
  #owedLinks = false;
  #ackedMatch: LogIndex = -1;
  /** [D5] Last index of the leader's log when this faulty peer met it; null until then. */
  #repairThrough: LogIndex | null = null;
  /** The catch-up request under way: to whom, since when. */
  #fetching: { readonly from: MemberKey; since: Millis } | null = null;
  /** The leader itself streams the next entries to this peer. */
  #isStreamed = false;
  /**
   * The leader has said once that it cannot stream to this peer, or that this peer is its guest. If it says so again it
   * cannot.
   */
  #isBehind = false;
  #askRelayAt: Millis = 0;
  /** Members that had no entries for this peer. When there are no others, the leader is asked. */
  readonly #useless = new Set<string>();

  constructor(node: Node, roles: RoleChanges, parts: FollowershipParts) {
    this.#node = node;
    this.#roles = roles;
    this.#acceptor = parts.acceptor;
    this.#histories = parts.histories;
    this.#relay = parts.relay;
    this.#losses = parts.losses;
    this.#election = parts.election;
  }

  /** Whether that member was asked for committed entries, and has not answered yet. */
  hasAsked(who: MemberKey): boolean {
    return this.#fetching !== null && sameMember(this.#fetching.from, who);
  }

  /** After a new promise: nothing is proven under it yet. */
  reset(): void {
    this.#acceptor.reset();
    this.#ackedMatch = -1;
    this.#owed = false;
    this.#owedHint = null;
    this.#hintIsFinal = false;
    this.#repairThrough = null;
    this.#isStreamed = false;
    this.#isBehind = false;
    this.#node.isLevel = false;
    // Committed entries stay committed: a request for them stays open, and is not repeated. Only a candidate drops it,
    // because it asks for something else.
    if (sameMember(leaderKey(this.#node.promised), this.#node.self)) this.#fetching = null;
    this.#useless.clear();
  }

  onLinkDown(who: MemberKey): void {
    if (this.#fetching !== null && sameMember(this.#fetching.from, who)) this.#fetching = null;
    const leader = this.#node.leader;
    if (leader === null || sameMember(leaderKey(leader.ballot), who)) this.#repairThrough = null;
  }

  /** [R10] Something of a frame came of that one. */
  onReceiving(from: MemberKey): void {
    if (this.#fetching !== null && sameMember(this.#fetching.from, from)) this.#fetching.since = this.#node.now;
  }

  onTime(): void {
    const fetching = this.#fetching;
    if (fetching !== null && this.#node.now - fetching.since > this.#node.timeouts.answer(fetching.from)) {
      this.#useless.add(memberName(fetching.from));
      this.#fetching = null;
    }
    this.#askRelay();
  }

  /** [S6] Where the leader cannot be reached, committed entries come from a member that reaches it. */
  #askRelay(): void {
    const node = this.#node;
    const { via } = this.#relay;
    if (via === null || this.#fetching !== null || node.now < this.#askRelayAt) return;
    if (this.#election.preparing || node.refused !== null || !node.promiseDurable) return;
    this.#askRelayAt = node.now + node.timings.heartbeat;
    this.#request(via, node.log.tail);
  }

  onHeartbeat(from: MemberKey, frame: Heartbeat): void {
    const node = this.#node;
    if (node.leader !== null) node.leader.quorum = frame.quorum;
    if (this.#histories.contradictsLeader) return;
    for (const acked of frame.acked)
      if (node.memberOf(acked) !== null) node.memory.saw(acked, frame.ballot, acked.match);
    this.#owed = true;
    this.#owedLinks = true;
    const wasBehind = this.#isBehind;
    this.#isStreamed = frame.prev_index !== 0;
    this.#isBehind = !this.#isStreamed;
    if (node.faulty && this.#repairThrough === null) this.#repairThrough = frame.last_index;
    const prev = { index: frame.prev_index, ballot: frame.prev_ballot };
    if (!this.#acceptor.holds(prev)) this.#owedHint = node.log.hintFor(prev);
    else if (this.#histories.differ(from, frame.prev_index, frame.prev_crc)) return;
    else this.#prove(frame.prev_index, frame.commit);
    if (frame.prev_index !== 0 || frame.last_index === 0) return;
    // The leader cannot stream to this peer from memory. The end of this log tells it where to begin; while that is too
    // far back, this peer fetches the committed prefix itself [R8]. The same entries should not come both ways.
    if (this.#fetching !== null) return;
    this.#owedHint = node.log.tail;
    if (wasBehind && this.#acceptor.matched < frame.commit) this.#fetchMore();
  }

  onSeqChat(from: MemberKey, frame: SeqChat): void {
    this.#isStreamed = true;
    if (this.#histories.contradictsLeader) return;
    const taken = this.#acceptor.take(from, frame, frame.entries);
    if (taken === "refused") return;
    if (taken === "taken") {
      this.#owedHint = null;
      this.#hintIsFinal = false;
      this.#prove(frame.prev_index + frame.entries.length, frame.commit);
      if (frame.entries.length > 0 && this.#node.log.durable >= this.#acceptor.matched) this.#owed = true;
      return;
    }
    this.#owed = true;
    this.#owedHint = taken;
    this.#hintIsFinal = true;
  }

  onDurable(): void {
    if (Math.min(this.#node.log.durable, this.#acceptor.matched) > this.#ackedMatch) this.#owed = true;
    this.#checkRepair();
  }

  /**
   * [R3] An acknowledgement is sent only while the leader's ballot is the promise, and only for entries that are both
   * durable and proven equal.
   */
  acknowledge(): void {
    const node = this.#node;
    const leader = node.leader;
    if (!this.#owed || leader === null || node.leadership !== null || !node.promiseDurable) return;
    if (!sameBallot(leader.ballot, node.promised)) return;
    const to = leaderKey(leader.ballot);
    const match = Math.min(node.log.durable, this.#acceptor.matched);
    const ack = { ballot: leader.ballot, match, last: this.#acceptor.matched, faulty: node.faulty };
    const linked = this.#owedLinks ? [...new Set([...node.links.values()].map((l) => l.id))] : null;
    if (linked !== null && this.#hintIsFinal) {
      // In a frame of its own: a leader does not act at once on a hint that comes with the answer to a heartbeat.
      node.sendTo(to, { type: "SEQ_ACK", ...ack, hint: null, linked });
      node.sendTo(to, { type: "SEQ_ACK", ...ack, hint: this.#owedHint, linked: null });
    } else node.sendTo(to, { type: "SEQ_ACK", ...ack, hint: this.#owedHint, linked });
    this.#ackedMatch = match;
    this.#owed = false;
    this.#owedHint = null;
    this.#hintIsFinal = false;
    this.#owedLinks = false;
  }

  // ── catching up ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Any member serves its committed prefix; a donor serves its written tail to the candidate it promised [E7]. */
  onCatchupReq(link: LinkId, frame: CatchupReq): void {
    const node = this.#node;
    const { log } = node;
    const donates = sameBallot(frame.ballot ?? node.promised, node.promised) && node.promiseDurable && node.healthy;
    if (frame.ballot !== null && !donates) {
      node.send(link, { type: "NACK", ballot: frame.ballot, promised: node.promised, led: node.hearsLeader });
      return;
    }
    const through = frame.ballot !== null ? log.last : log.commit;
    const holds = this.#acceptor.holds(frame.after);
    // Entries that a full disk had no room for cannot be served from it [D4].
    if (!holds || node.refused !== null) {
      const hint = holds ? null : log.hintFor(frame.after);
      node.send(link, {
        type: "CATCHUP_RESP",
        ballot: frame.ballot,
        prev_index: 0,
        prev_ballot: log.tailAt(0).ballot,
        prev_crc: 0,
        commit: log.commit,
        entries: [],
        hint,
        more: false,
      });
      return;
    }
    node.out({
      do: "serve",
      link,
      ballot: frame.ballot,
      after: frame.after,
      through: Math.max(through, frame.after.index),
    });
  }

  onCatchupResp(from: MemberKey, frame: CatchupResp): void {
    const node = this.#node;
    if (this.#fetching === null) return;
    this.#fetching = frame.more ? { from: this.#fetching.from, since: node.now } : null;
    if (this.#election.preparing || !node.promiseDurable) return;
    if (frame.hint !== null) {
      const asked = node.log.hintFor(frame.hint);
      if (asked.index < node.log.commit) {
        // It holds less than this peer has committed, so asking it is of no use.
        return this.#tryAnother(from);
      }
      return this.#request(from, asked);
    }
    const final = frame.entries[frame.entries.length - 1];
    if (final === undefined) {
      // Entries that are committed there, and are the same here, are committed here too.
      const prev = { index: frame.prev_index, ballot: frame.prev_ballot };
      if (this.#acceptor.holds(prev) && !this.#histories.differ(from, prev.index, frame.prev_crc))
        this.#acceptor.commitThrough(Math.min(frame.commit, prev.index));
      return this.#tryAnother(from);
    }
    if (compareBallots(final, node.promised) > 0) {
      // [R8] Entries that were committed under a higher ballot bind this peer to that ballot before it takes them.
      this.#roles.raisePromise(ballotOf(final));
      return;
    }
    const taken = this.#acceptor.take(from, frame, frame.entries);
    if (taken !== "taken") return;
    this.#acceptor.commitThrough(Math.min(frame.commit, final.index));
    if (frame.more) return;
    this.#owed = true;
    this.#owedHint = node.log.tail;
    if (this.#isStreamed || final.index >= frame.commit) return;
    if (node.leader === null) this.#askRelayAt = node.now;
    else this.#fetchMore();
  }

  /** The leader is asked last. If it has nothing either, its next heartbeat shows whether anything is missing. */
  #tryAnother(useless: MemberKey): void {
    const leader = this.#node.leader;
    if (leader !== null && sameMember(leaderKey(leader.ballot), useless)) return this.#useless.clear();
    this.#useless.add(memberName(useless));
    this.#fetchMore();
  }

  #fetchMore(): void {
    const node = this.#node;
    if (this.#fetching !== null || node.leader === null || node.refused !== null || !node.promiseDurable) return;
    const leader = leaderKey(node.leader.ballot);
    // Anyone but the busy leader, if possible.
    const others = (node.configuration?.members ?? []).filter(
      (m) =>
        m.role !== "left" &&
        !sameMember(m, node.self) &&
        !sameMember(m, leader) &&
        node.isLinked(m) &&
        !this.#useless.has(memberName(m)),
    );
    const from = others[Math.floor(node.options.random() * others.length)] ?? leader;
    this.#request(from, node.log.tail);
  }

  #request(from: MemberKey, after: Tail): void {
    if (!this.#node.sendTo(from, { type: "CATCHUP_REQ", ballot: null, after })) return;
    this.#fetching = { from: { id: from.id, inc: from.inc }, since: this.#node.now };
  }

  // ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The leader's log is proven equal through `index`. */
  #prove(index: LogIndex, commit: LogIndex): void {
    const acceptor = this.#acceptor;
    acceptor.prove(index);
    if (acceptor.matched >= commit) this.#node.isLevel = true;
    acceptor.commitThrough(Math.min(commit, acceptor.matched));
    this.#checkRepair();
  }

  /**
   * [D5] The peer counts again once its log is durable, and proven equal, through the index that the leader's log had
   * when this peer met it.
   */
  #checkRepair(): void {
    const node = this.#node;
    if (
      !node.faulty ||
      this.#repairThrough === null ||
      Math.min(node.log.durable, this.#acceptor.matched) < this.#repairThrough
    )
      return;
    node.faulty = false;
    this.#losses.tell();
    this.#owed = true;
    node.out({ do: "repaired" });
    node.notice(
      "repaired",
      `the damaged log is whole again through index ${this.#repairThrough}: this peer counts again`,
    );
  }
}
