/** Works out, from the events of a run, what the page draws: here, where it is typed and tested. */
import { type Cut, cutsOf } from "./cuts.ts";
import type { ReportEvent, ReportMessage, SimReport } from "./sim-report.ts";
import type { Color } from "./theme.ts";

export interface Scene {
  readonly endMs: number;
  /** The usual time of a frame on its way: the median. */
  readonly usualMs: number;
  readonly types: readonly FrameType[];
  /** A list for each peer, by time, without gaps. */
  readonly lifelines: readonly (readonly Stretch[])[];
  readonly cuts: readonly Cut[];
  /** The stretch that is seen first; a jump to a moment zooms in as far. */
  readonly start: { readonly t0: number; readonly t1: number };
}
export interface FrameType {
  readonly name: string;
  readonly family: Family;
  readonly count: number;
  /** Whether it is drawn before anybody asks. */
  readonly shown: boolean;
}
/** A part of a lifeline in which nothing changes. */
export interface Stretch {
  readonly t0: number;
  readonly t1: number;
  readonly up: boolean;
  readonly paused: boolean;
  readonly role: string;
  readonly term: number;
}
/** Frames of one purpose share a colour: nobody can tell more colours apart. */
const FAMILIES = {
  join: ["HELLO", "REFUSE", "JOIN", "JOIN_ACK", "LEAVE", "ADMIN"],
  vote: ["ELECTION", "ELECTION_OK", "ELECTION_DENY", "ELECTION_GRANT", "PREPARE", "PROMISE", "COORDINATOR", "ABDICATE"],
  chat: ["CHAT"],
  order: ["SEQ_CHAT"],
  catch: ["CATCHUP_REQ", "CATCHUP_RESP"],
  ack: ["SEQ_ACK", "CHAT_ACK", "ADMIN_ACK", "NACK"],
  beat: ["HEARTBEAT", "PING", "PONG"],
  other: [],
} satisfies Partial<Record<Color, readonly string[]>>;
/** Also the name of its colour. */
export type Family = keyof typeof FAMILIES;

/**
 * If a run has more heartbeats or acknowledgements than this they are hidden at first, because they would cover
 * everything else.
 */
const ROUTINE_MAX = 120;

export function sceneOf(report: SimReport): Scene {
  const times = [report.endMs, report.events.at(-1)?.atMs ?? 0, report.messages.at(-1)?.sentMs ?? 0];
  const endMs = Math.max(1, ...times);
  const delays = report.messages
    .flatMap((m) => (m.arrivedMs === null ? [] : [m.arrivedMs - m.sentMs]))
    .sort((a, b) => a - b);
  const usualMs = Math.max(1e-3, delays[delays.length >> 1] ?? 1);
  const types = frameTypes(report.messages);
  return {
    ...{ endMs, usualMs, types },
    lifelines: report.peers.map((peer) =>
      lifeline(
        report.events.filter((e) => e.peer === peer),
        endMs,
      ),
    ),
    cuts: cutsOf(report, endMs),
    start: startOf(report, types, endMs, usualMs),
  };
}

/** Arrows that one screen holds with ease. */
const ARROWS_AT_ONCE = 200;

/** A short run is shown whole. A long one is shown where it gets interesting; the overview marks that place. */
function startOf(
  { events, messages, verdict }: SimReport,
  types: readonly FrameType[],
  endMs: number,
  usualMs: number,
): Scene["start"] {
  const shown = new Set(types.filter((t) => t.shown).map((t) => t.name));
  const sent = messages.filter((m) => shown.has(m.frame)).map((m) => m.sentMs);
  if (sent.length <= ARROWS_AT_ONCE) return { t0: -endMs, t1: 2 * endMs };
  const failed = verdict.result === "FAIL";
  const trouble = events.find((e) => ["crash", "cut", "pause", "fault"].includes(e.kind));
  const at = failed ? verdict.atMs : (trouble?.atMs ?? 0);
  const next = sent.findIndex((t) => t >= at);
  const middle = next < 0 ? sent.length : next;
  const before = at - (sent[middle - ARROWS_AT_ONCE / 2] ?? 0);
  const behind = (sent[middle + ARROWS_AT_ONCE / 2] ?? endMs) - at;
  const half = Math.max(Math.min(before, behind), usualMs * 20);
  // The time before a failure gets more room than the time after it; with a fault it is the other way round.
  return failed ? { t0: at - 1.5 * half, t1: at + 0.5 * half } : { t0: at - 0.5 * half, t1: at + 1.5 * half };
}

function frameTypes(messages: readonly ReportMessage[]): FrameType[] {
  const counts = new Map<string, number>();
  for (const { frame } of messages) counts.set(frame, (counts.get(frame) ?? 0) + 1);
  const order = Object.keys(FAMILIES) as Family[];
  return [...counts]
    .map(([name, count]) => {
      const family = order.find((f) => (FAMILIES[f] as readonly string[]).includes(name)) ?? "other";
      return { name, family, count, shown: count <= ROUTINE_MAX || (family !== "ack" && family !== "beat") };
    })
    .sort((a, b) => order.indexOf(a.family) - order.indexOf(b.family) || (a.name < b.name ? -1 : 1));
}

/** Events that only happen to a peer that runs, or starts. */
const SIGNS_OF_LIFE: ReadonlySet<ReportEvent["kind"]> = new Set([
  ...(["start", "crash", "stop", "pause", "resume"] as const),
  ...(["role", "commit", "deliver", "sent", "submit"] as const),
]);

function lifeline(events: readonly ReportEvent[], endMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  // A peer that does something before its first start event ran from the beginning; a peer that never does anything
  // never started.
  const first = events.find((e) => SIGNS_OF_LIFE.has(e.kind));
  let now = { up: first !== undefined && first.kind !== "start", paused: false, role: "", term: 0 };
  let since = 0;
  const end = (at: number): void => {
    if (at > since) stretches.push({ t0: since, t1: at, ...now });
    since = at;
  };
  for (const e of events) {
    const next = after(now, e);
    if (next.up === now.up && next.paused === now.paused && next.role === now.role && next.term === now.term) continue;
    end(e.atMs);
    now = next;
  }
  end(endMs);
  return stretches;
}

type State = Pick<Stretch, "up" | "paused" | "role" | "term">;

function after(now: State, e: ReportEvent): State {
  // A peer's term is at least that of what it commits or delivers; but it may hear of a term before it has a role in
  // it.
  const term = Math.max(now.term, e.term);
  if (e.kind === "start") return { up: true, paused: false, role: "", term };
  if (e.kind === "crash" || e.kind === "stop") return { ...now, up: false, paused: false, role: "" };
  if (e.kind === "pause" || e.kind === "resume") return { ...now, paused: e.kind === "pause" };
  if (e.kind === "role") return { ...now, role: e.role, term: e.term || term };
  return { ...now, term };
}
