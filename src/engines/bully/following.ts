/**
 * What was said, on a follower's side: it takes what provably continues its own log, acknowledges only what it could
 * never lose, and fetches what it is far behind by. The leader's side is in `replication`.
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
import type { Before, CatchupReq, CatchupResp, Entry, Heartbeat, SeqChat, Tail } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import type { Peer } from "./peer.ts";

/** What every peer does with the log of another, leader or not. */
export class Followership {
  readonly #peer: Peer;
  /** Last index proven equal to the leader's log under the promised ballot. */
  #matched: LogIndex = 0;
  /** An acknowledgement is owed. */
  #owed = false;
  #owedHint: Tail | null = null;
  /** The hint is about entries that came, not about a heartbeat, which may have overtaken some. */
  #hintIsFinal = false;
  #owedLinks = false;
  #ackedMatch: LogIndex = -1;
  /** [D5] Last index of the leader's log when this faulty peer met it; null until then. */
  #repairThrough: LogIndex | null = null;
  /** The catch-up request under way: to whom, since when. */
  #fetching: { readonly from: MemberKey; since: Millis } | null = null;
  /** It once had all that was committed, by the word of the leader it promised. */
  #isLevel = false;
  /** The leader sends what comes next itself. */
  #isStreamed = false;
  /** It has said that it cannot, or that this peer is its guest; when that comes again it cannot. */
  #isBehind = false;
  #askRelayAt: Millis = 0;
  /** Members that had nothing for us; the leader is asked then. */
  readonly #useless = new Set<string>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get matched(): LogIndex {
    return this.#peer.leadership !== null ? this.#peer.log.last : this.#matched;
  }

  /** It has not yet had all that was committed under the leader it promised. */
  get catchesUp(): boolean {
    return this.#peer.leadership === null && !this.#isLevel;
  }

  /** Whether that one was asked for what is committed, and has not answered yet. */
  hasAsked(who: MemberKey): boolean {
    return this.#fetching !== null && sameMember(this.#fetching.from, who);
  }

  /** A new promise: nothing is proven under it yet. */
  reset(): void {
    this.#matched = 0;
    this.#ackedMatch = -1;
    this.#owed = false;
    this.#owedHint = null;
    this.#hintIsFinal = false;
    this.#repairThrough = null;
    this.#isStreamed = false;
    this.#isBehind = false;
    this.#isLevel = false;
    // What is committed stays so: it still comes in, and nobody is asked for it again. A candidate asks for other things.
    if (sameMember(leaderKey(this.#peer.promised), this.#peer.self)) this.#fetching = null;
    this.#useless.clear();
  }

  onLinkDown(who: MemberKey): void {
    if (this.#fetching !== null && sameMember(this.#fetching.from, who)) this.#fetching = null;
    const leader = this.#peer.leader;
    if (leader === null || sameMember(leaderKey(leader.ballot), who)) this.#repairThrough = null;
  }

  /** [R10] Something of a frame came of that one. */
  onReceiving(from: MemberKey): void {
    if (this.#fetching !== null && sameMember(this.#fetching.from, from)) this.#fetching.since = this.#peer.now;
  }

  onTime(): void {
    const fetching = this.#fetching;
    if (fetching !== null && this.#peer.now - fetching.since > this.#peer.timeouts.answer(fetching.from)) {
      this.#useless.add(memberName(fetching.from));
      this.#fetching = null;
    }
    this.#askRelay();
  }

  /** [S6] Out of the leader's reach, what is committed comes from a member that is not. */
  #askRelay(): void {
    const peer = this.#peer;
    const { via } = peer.relay;
    if (via === null || this.#fetching !== null || peer.now < this.#askRelayAt) return;
    if (peer.election.preparing || peer.refused !== null || !peer.promiseDurable) return;
    this.#askRelayAt = peer.now + peer.timings.heartbeat;
    this.#request(via, peer.log.tail);
  }

  onHeartbeat(from: MemberKey, frame: Heartbeat): void {
    const peer = this.#peer;
    if (peer.leader !== null) peer.leader.quorum = frame.quorum;
    if (peer.histories.contradictsLeader) return;
    for (const acked of frame.acked)
      if (peer.memberOf(acked) !== null) peer.memory.saw(acked, frame.ballot, acked.match);
    this.#owed = true;
    this.#owedLinks = true;
    const wasBehind = this.#isBehind;
    this.#isStreamed = frame.prev_index !== 0;
    this.#isBehind = !this.#isStreamed;
    if (peer.faulty && this.#repairThrough === null) this.#repairThrough = frame.last_index;
    const prev = { index: frame.prev_index, ballot: frame.prev_ballot };
    if (!this.#holds(prev)) this.#owedHint = peer.log.hintFor(prev);
    else if (peer.histories.differ(from, frame.prev_index, frame.prev_crc)) return;
    else this.#prove(frame.prev_index, frame.commit);
    if (frame.prev_index !== 0 || frame.last_index === 0) return;
    // The leader cannot stream to us from memory: where this log stands tells it where to begin, and as long as that
    // is too far back the committed prefix is ours to fetch [R8]. What is on its way is not to come from both.
    if (this.#fetching !== null) return;
    this.#owedHint = peer.log.tail;
    if (wasBehind && this.#matched < frame.commit) this.#fetchMore();
  }

  onSeqChat(from: MemberKey, frame: SeqChat): void {
    this.#isStreamed = true;
    if (this.#peer.histories.contradictsLeader) return;
    const taken = this.take(from, frame, frame.entries);
    if (taken === "refused") return;
    if (taken === "taken") {
      this.#owedHint = null;
      this.#hintIsFinal = false;
      this.#prove(frame.prev_index + frame.entries.length, frame.commit);
      if (frame.entries.length > 0 && this.#peer.log.durable >= this.#matched) this.#owed = true;
      return;
    }
    this.#owed = true;
    this.#owedHint = taken;
    this.#hintIsFinal = true;
  }

  onDurable(): void {
    if (Math.min(this.#peer.log.durable, this.#matched) > this.#ackedMatch) this.#owed = true;
    this.#checkRepair();
  }

  /** [R3] Sent only while the leader's ballot is the promise, and for what is both durable and proven equal. */
  acknowledge(): void {
    const peer = this.#peer;
    const leader = peer.leader;
    if (!this.#owed || leader === null || peer.leadership !== null || !peer.promiseDurable) return;
    if (!sameBallot(leader.ballot, peer.promised)) return;
    const to = leaderKey(leader.ballot);
    const match = Math.min(peer.log.durable, this.#matched);
    const ack = { ballot: leader.ballot, match, last: this.#matched, faulty: peer.faulty };
    const linked = this.#owedLinks ? [...new Set([...peer.links.values()].map((l) => l.id))] : null;
    if (linked !== null && this.#hintIsFinal) {
      // Said apart: of a hint that comes with an answer to a heartbeat the leader waits to see more.
      peer.sendTo(to, { type: "SEQ_ACK", ...ack, hint: null, linked });
      peer.sendTo(to, { type: "SEQ_ACK", ...ack, hint: this.#owedHint, linked: null });
    } else peer.sendTo(to, { type: "SEQ_ACK", ...ack, hint: this.#owedHint, linked });
    this.#ackedMatch = match;
    this.#owed = false;
    this.#owedHint = null;
    this.#hintIsFinal = false;
    this.#owedLinks = false;
  }

  /**
   * [R2] Takes entries that continue this log at the place before. Answers "taken", the place to try next where that is not in
   * this log, or "refused" where they cannot be taken at all. Only a real conflict truncates.
   */
  take(from: MemberKey, before: Before, entries: readonly Entry[]): "taken" | "refused" | Tail {
    const peer = this.#peer;
    const { histories, log } = peer;
    const prev = { index: before.prev_index, ballot: before.prev_ballot };
    if (!this.#holds(prev)) return log.hintFor(prev);
    if (histories.differ(from, prev.index, before.prev_crc)) return "refused";
    let skip = 0;
    while (skip < entries.length) {
      const entry = entries[skip] as Entry;
      if (entry.index > log.last || !sameBallot(log.state.ballotAt(entry.index), entry)) break;
      if (histories.differ(from, entry.index, entry.crc)) return "refused";
      skip += 1;
    }
    const first = entries[skip];
    if (first === undefined) return "taken";
    if (peer.refused !== null) return "refused";
    if (first.index <= log.commit) {
      histories.onConflict(from, first.index);
      return "refused";
    }
    const final = entries[entries.length - 1] as Entry;
    if (compareBallots(final, peer.promised) > 0) {
      peer.notice("bad-entry", `refused an entry at index ${final.index}: its ballot is above the promise`);
      return "refused";
    }
    if (first.index <= log.last) {
      log.truncate(first.index);
      peer.timeouts.disk.onTruncate(first.index);
      this.#matched = Math.min(this.#matched, first.index - 1);
      peer.out({ do: "truncate", from: first.index });
    }
    for (let i = skip; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      const refusal = log.state.refusal(entry);
      if (refusal !== null) {
        peer.notice("bad-entry", `refused an entry at index ${entry.index}: ${refusal}`);
        return "refused";
      }
      log.append(entry);
      peer.write(entry);
    }
    return "taken";
  }

  /** [R6] Delivers what is committed, in index order, each entry once. */
  commitThrough(index: LogIndex): void {
    const peer = this.#peer;
    const through = Math.min(index, peer.log.last);
    if (through <= peer.log.commit) return;
    const from = peer.log.commit + 1;
    peer.log.commitThrough(through);
    peer.out({ do: "commit", through });
    for (let i = from; i <= through; i++) {
      const entry = peer.log.entryAt(i);
      if (entry === null) continue;
      if (entry.kind === "chat") peer.sender.onCommitted(entry);
      else if (entry.kind !== "leader") peer.membership.onCommitted(entry);
    }
  }

  // ── catching up ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Any member serves its committed prefix; a donor serves its written tail to the candidate it promised [E7]. */
  onCatchupReq(link: LinkId, frame: CatchupReq): void {
    const peer = this.#peer;
    const { log } = peer;
    const donates = sameBallot(frame.ballot ?? peer.promised, peer.promised) && peer.promiseDurable && peer.healthy;
    if (frame.ballot !== null && !donates) {
      peer.send(link, { type: "NACK", ballot: frame.ballot, promised: peer.promised, led: peer.hearsLeader });
      return;
    }
    const through = frame.ballot !== null ? log.last : log.commit;
    const holds = this.#holds(frame.after);
    // What a full disk had no room for cannot be served from it [D4].
    if (!holds || peer.refused !== null) {
      const hint = holds ? null : log.hintFor(frame.after);
      peer.send(link, {
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
    peer.out({
      do: "serve",
      link,
      ballot: frame.ballot,
      after: frame.after,
      through: Math.max(through, frame.after.index),
    });
  }

  onCatchupResp(from: MemberKey, frame: CatchupResp): void {
    const peer = this.#peer;
    if (this.#fetching === null) return;
    this.#fetching = frame.more ? { from: this.#fetching.from, since: peer.now } : null;
    if (peer.election.preparing || !peer.promiseDurable) return;
    if (frame.hint !== null) {
      const asked = peer.log.hintFor(frame.hint);
      if (asked.index < peer.log.commit) {
        // It holds less than we have committed: no use asking it.
        return this.#tryAnother(from);
      }
      return this.#request(from, asked);
    }
    const final = frame.entries[frame.entries.length - 1];
    if (final === undefined) {
      // What is committed there and stands here alike is committed here.
      const prev = { index: frame.prev_index, ballot: frame.prev_ballot };
      if (this.#holds(prev) && !peer.histories.differ(from, prev.index, frame.prev_crc))
        this.commitThrough(Math.min(frame.commit, prev.index));
      return this.#tryAnother(from);
    }
    if (compareBallots(final, peer.promised) > 0) {
      // [R8] What was committed under a higher ballot binds us to it before we take it.
      peer.raisePromise(ballotOf(final));
      return;
    }
    const taken = this.take(from, frame, frame.entries);
    if (taken !== "taken") return;
    this.commitThrough(Math.min(frame.commit, final.index));
    if (frame.more) return;
    this.#owed = true;
    this.#owedHint = peer.log.tail;
    if (this.#isStreamed || final.index >= frame.commit) return;
    if (peer.leader === null) this.#askRelayAt = peer.now;
    else this.#fetchMore();
  }

  /** The leader is the last to be asked; if it has nothing either, its next heartbeat says whether anything is missing. */
  #tryAnother(useless: MemberKey): void {
    const leader = this.#peer.leader;
    if (leader !== null && sameMember(leaderKey(leader.ballot), useless)) return this.#useless.clear();
    this.#useless.add(memberName(useless));
    this.#fetchMore();
  }

  #fetchMore(): void {
    const peer = this.#peer;
    if (this.#fetching !== null || peer.leader === null || peer.refused !== null || !peer.promiseDurable) return;
    const leader = leaderKey(peer.leader.ballot);
    // Anyone but the busy leader, if possible.
    const others = (peer.configuration?.members ?? []).filter(
      (m) =>
        m.role !== "left" &&
        !sameMember(m, peer.self) &&
        !sameMember(m, leader) &&
        peer.isLinked(m) &&
        !this.#useless.has(memberName(m)),
    );
    const from = others[Math.floor(peer.options.random() * others.length)] ?? leader;
    this.#request(from, peer.log.tail);
  }

  #request(from: MemberKey, after: Tail): void {
    if (!this.#peer.sendTo(from, { type: "CATCHUP_REQ", ballot: null, after })) return;
    this.#fetching = { from: { id: from.id, inc: from.inc }, since: this.#peer.now };
  }

  // ── helpers ────────────────────────────────────────────────────────────────────────────────────────────────────

  #holds(place: Tail): boolean {
    const { log } = this.#peer;
    return place.index <= log.last && sameBallot(log.state.ballotAt(place.index), place.ballot);
  }

  /** The leader's log is proven equal through `index`. */
  #prove(index: LogIndex, commit: LogIndex): void {
    this.#matched = Math.max(this.#matched, index);
    if (this.#matched >= commit) this.#isLevel = true;
    this.commitThrough(Math.min(commit, this.#matched));
    this.#checkRepair();
  }

  /** [D5] Counts again once durable and matched through what the leader had when this peer met it. */
  #checkRepair(): void {
    const peer = this.#peer;
    if (!peer.faulty || this.#repairThrough === null || Math.min(peer.log.durable, this.#matched) < this.#repairThrough)
      return;
    peer.faulty = false;
    peer.losses.tell();
    this.#owed = true;
    peer.out({ do: "repaired" });
    peer.notice(
      "repaired",
      `the damaged log is whole again through index ${this.#repairThrough}: this peer counts again`,
    );
  }
}
