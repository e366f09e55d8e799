/**
 * Compares pending messages of earlier processes with the log [S10]. Their numbers alone do not show whether they were
 * sent, because somebody else may have used a number. Unless the outbox is old, the entries are near the end of the
 * log.
 */
import type { LogIndex, PeerId } from "../../core/ids.ts";
import type { Draft, Entry } from "../../core/log-entry.ts";
import type { LogState } from "../../core/log-state.ts";
import { saysSame } from "../../core/own-session.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { PendingSession } from "./outbox.ts";

/** Entries looked at together. */
const PAGE_ENTRIES = 1024;

export interface CommittedLog {
  readonly state: LogState;
  readonly commit: LogIndex;
  /** Entries behind the commit index, which may be taken back. */
  readonly uncommitted: readonly Entry[];
  /** Throws WireError where the log is damaged. */
  readEntries(from: LogIndex, count: number): Entry[];
}

/** For each session the counters, in ascending order, that other texts have got. */
export function claimedByOthers(
  pending: readonly PendingSession[],
  senderId: PeerId,
  log: CommittedLog,
): Map<string, number[]> {
  const claimed = new Map<string, number[]>();
  const sought = new Map<string, { readonly session: string; readonly drafts: Map<number, Draft> }>();
  let open = 0;
  for (const { session, first, drafts } of pending) {
    const key = `${senderId}.${session}`;
    const uncommitted = log.uncommitted.filter((e) => e.kind === "chat" && e.session === key).length;
    const committed = log.state.sessions.get(key) - uncommitted;
    const numbered = sought.get(key) ?? { session, drafts: new Map<number, Draft>() };
    for (const [i, draft] of drafts.entries()) if (first + i <= committed) numbered.drafts.set(first + i, draft);
    if (numbered.drafts.size > 0) sought.set(key, numbered);
  }
  for (const { drafts } of sought.values()) open += drafts.size;
  for (let through = log.commit; through > 0 && open > 0; through -= PAGE_ENTRIES) {
    const from = Math.max(1, through - PAGE_ENTRIES + 1);
    for (const entry of readPage(log, from, through)) {
      const numbered = entry.kind === "chat" ? sought.get(entry.session) : undefined;
      const draft = numbered?.drafts.get(entry.counter);
      if (numbered === undefined || draft === undefined) continue;
      open -= 1;
      if (saysSame(draft, entry)) continue;
      claimed.set(numbered.session, [...(claimed.get(numbered.session) ?? []), entry.counter]);
    }
  }
  for (const counters of claimed.values()) counters.sort((a, b) => a - b);
  return claimed;
}

/** A damaged piece of the log shows nothing here; the code that needs those entries deals with it. */
function readPage(log: CommittedLog, from: LogIndex, through: LogIndex): Entry[] {
  try {
    return log.readEntries(from, through - from + 1);
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}
