/**
 * What a leader knows of one member under its ballot, and what it streams there. It sees each member in one of three states:
 *   probe   one frame under way; the place where the logs agree is not known yet
 *   stream  frames are pipelined
 *   behind  the entries it needs are no longer in memory: it fetches the committed prefix itself [R8]
 */
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, INFLIGHT_BYTES_MAX, INFLIGHT_ENTRIES_MAX } from "../../core/config.ts";
import type { Ballot, LinkId, LogIndex, MemberKey, Millis, PeerId } from "../../core/ids.ts";
import type { Entry, Tail } from "../../core/log-entry.ts";
import type { KnownMember } from "./leading.ts";
import type { Node } from "./node.ts";

export interface Progress extends KnownMember {
  readonly member: MemberKey;
  state: "probe" | "stream" | "behind";
  /** Next index to send. */
  next: LogIndex;
  match: LogIndex;
  /** Last index the follower said it holds of this log. */
  last: LogIndex;
  /** Where the follower last said its log ends or differs; to begin from when frames went missing. */
  stands: Tail | null;
  /** Commit index last told. */
  told: LogIndex;
  heard: Millis;
  /** When it was sent a heartbeat. */
  beatAt: Millis;
  /** When `last` moved, the stream was set back, or entries began to be under way. */
  moved: Millis;
  faulty: boolean;
  linked: readonly PeerId[];
  /** Frames under way. */
  flight: { from: LogIndex; through: LogIndex; bytes: number }[];
}

/** The progress of a member of which the leader has heard nothing yet. */
export function meet({ log, now }: Node, { id, inc }: MemberKey): Progress {
  return {
    member: { id, inc },
    state: "probe",
    next: log.last + 1,
    match: 0,
    last: 0,
    stands: null,
    told: 0,
    // No member is presumed dead before it has had the time to answer.
    heard: now,
    moved: now,
    beatAt: 0,
    faulty: false,
    linked: [],
    flight: [],
  };
}

/** The leader finds out anew, from `next` on, where the logs agree. */
export function probe({ log, now }: Node, progress: Progress, next: LogIndex): void {
  progress.state = "probe";
  progress.next = Math.max(1, Math.min(next, log.last + 1));
  progress.flight = [];
  progress.moved = now;
}

/** Sends what the member lacks, as far as its windows allow. False: what it lacks is no longer in memory. */
export function stream(node: Node, ballot: Ballot, progress: Progress, link: LinkId): boolean {
  const { log } = node;
  if (progress.state === "behind") return true;
  if (progress.next < log.first) {
    progress.state = "behind";
    return false;
  }
  const { window, frame } = node.flowTo(progress.member);
  while (progress.next <= log.last) {
    if (progress.state === "probe" && progress.flight.length > 0) return true;
    const bytes = progress.flight.reduce((sum, f) => sum + f.bytes, 0);
    const entriesUnderWay = progress.next - (progress.flight[0]?.from ?? progress.next);
    if (bytes >= Math.min(2 * window, INFLIGHT_BYTES_MAX) || entriesUnderWay >= INFLIGHT_ENTRIES_MAX) return true;
    const entries = log.slice(progress.next, BATCH_ENTRIES_MAX, Math.min(frame, BATCH_BYTES_MAX));
    sendEntries(node, ballot, progress, link, entries);
  }
  if (progress.told < log.commit && progress.state === "stream") sendEntries(node, ballot, progress, link, []);
  return true;
}

function sendEntries(node: Node, ballot: Ballot, progress: Progress, link: LinkId, entries: Entry[]): void {
  const { log } = node;
  const prev = log.tailAt(progress.next - 1);
  node.send(link, {
    type: "SEQ_CHAT",
    ballot,
    prev_index: prev.index,
    prev_ballot: prev.ballot,
    prev_crc: log.crcAt(prev.index),
    commit: log.commit,
    entries,
  });
  progress.told = log.commit;
  const final = entries[entries.length - 1];
  if (final === undefined) return;
  const bytes = entries.reduce((sum, e) => sum + e.end - e.start, 0);
  // Earlier acknowledgements say nothing about what is under way from now on.
  if (progress.flight.length === 0) progress.moved = node.now;
  progress.flight.push({ from: progress.next, through: final.index, bytes });
  progress.next = final.index + 1;
}
