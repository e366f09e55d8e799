/** The status line and what stands above it at the bottom of the screen: pure functions of what is known to spans. */
import { place } from "../../core/address.ts";
import type { Waiting } from "../../core/reports.ts";
import type { MemberStatus, Status } from "../../host/events.ts";
import type { RoomState } from "../chat/chat-rooms.ts";
import { counted, leadsHere } from "./answer-rows.ts";
import type { Span } from "./bottom.ts";
import type { Paint } from "./paint.ts";
import { visible } from "./visible.ts";
import { cut, width } from "./width.ts";

export interface Standing {
  readonly status: Status;
  readonly name: string;
  readonly rooms: readonly RoomState[];
  /** The people who have read the last own message in the room. */
  readonly read: { readonly seqNo: number; readonly readers: readonly string[] } | null;
}

/** Others have read what was said last; who, comes at the end, where there is room for it. */
export const READ_MARK = " ✓✓";
/** Readers who are named. */
const READERS_MAX = 3;
/** Rooms whose unread messages are counted one by one, and columns of their names: anybody can make one. */
const UNREAD_ROOMS_MAX = 2;
const ROOM_COLUMNS_MAX = 16;

/**
 * What is given up where there is no room for all, the first of these first: readers are counted, then left out; so is the
 * name, which stands in the prompt, too; words become signs; that all is well goes without saying; and last, whose client it is.
 */
const GIVEN_UP = ["readers' names", "readers", "name", "words", "quorum held", "peer"] as const;

/**
 * `alice · general · 0 pending ✓✓ · unread: dev 4 · peer 3 leads (term 5) · 3 of 3 here · quorum held · 42 read by bob`, as
 * much of it as so many columns hold; what still does not fit is cut from its end.
 */
export function statusSpans(standing: Standing, paint: Paint, columns: number): Span[] {
  const forms = [...GIVEN_UP, null].map((_, i) => allSpans(standing, paint, new Set(GIVEN_UP.slice(0, i))));
  // The mark comes and goes, so its room is always kept: otherwise the rest would move.
  const room = columns - (markOf(standing) === "" ? width(READ_MARK) : 0);
  const fits = (spans: Span[]) => width(spans.map((span) => span.text).join("")) <= room;
  return forms.find(fits) ?? (forms.at(-1) as Span[]);
}

function allSpans(standing: Standing, paint: Paint, without: ReadonlySet<(typeof GIVEN_UP)[number]>): Span[] {
  const { status, name, rooms, read } = standing;
  const { id, leader_id, term, quorum, pending, role } = status;
  const leader = leader_id === null ? "no leader" : leadsHere(status) ? "you lead" : `peer ${leader_id} leads`;
  const members = status.members.filter((m) => m.role !== "left");
  const here = members.filter((m) => isHere(m, status)).length;
  const room = rooms.find((r) => r.active)?.room_id ?? "";
  const unread = unreadRooms(rooms);
  const short = without.has("words");
  return [
    ...(without.has("name") ? [] : [{ text: visible(name), paint: paint.bold }, { text: " · " }]),
    { text: `${visible(room)} · ${pending} pending${markOf(standing)} · ` },
    ...(unread === "" ? [] : [{ text: `unread: ${unread}`, paint: paint.bold }, { text: " · " }]),
    ...(role === "client" && id > 0 && !without.has("peer")
      ? [{ text: `${short ? "at" : "through"} peer ${id} · ` }]
      : []),
    { text: `${leader} (term ${term}) · ${here}${short ? "/" : " of "}${members.length} here` },
    ...(quorum ? [] : [{ text: " · " }, { text: "quorum lost", paint: paint.red }]),
    ...(quorum && !without.has("quorum held") ? [{ text: " · quorum held" }] : []),
    ...(read === null || without.has("readers")
      ? []
      : [
          { text: ` · ${read.seqNo} read by ${readBy(read.readers, without.has("readers' names") ? 0 : READERS_MAX)}` },
        ]),
  ];
}

function markOf({ status, read }: Standing): string {
  return read === null || status.pending > 0 ? "" : READ_MARK;
}

/** A peer of itself; a client counts whom its peer sees. */
function isHere(member: MemberStatus, { id, role }: Status): boolean {
  return member.state === "alive" || (member.id === id && role !== "client");
}

/** `bob, carol`, or how many they are. */
function readBy(readers: readonly string[], namesMax: number): string {
  return readers.length > namesMax ? `${readers.length}` : readers.map(visible).join(", ");
}

/** `dev 4, ops 1, 2 more rooms` */
function unreadRooms(rooms: readonly RoomState[]): string {
  const unread = rooms.filter((r) => !r.joined && r.unread > 0);
  const more = unread.length - UNREAD_ROOMS_MAX;
  const named = unread
    .slice(0, UNREAD_ROOMS_MAX)
    .map((r) => `${cut(visible(r.room_id), ROOM_COLUMNS_MAX)} ${r.unread}`);
  return [...named, ...(more > 0 ? [counted(more, "more room")] : [])].join(", ");
}

/** Why messages wait; null while a majority is here. */
export function waitingSpans(status: Status, paint: Paint): Span[] | null {
  const { quorum, members, role, id } = status;
  if (quorum) return null;
  if (role === "client" && id === 0)
    return [{ text: "waiting for a peer that serves: messages are kept here and will be sent", paint: paint.red }];
  const missingVoters = status.waiting?.peers ?? [];
  if (missingVoters.length > 0) return [{ text: `${waitsFor(status.waiting as Waiting)}: ${KEPT}`, paint: paint.red }];
  const voters = members.filter((m) => m.role === "voter");
  const here = voters.filter((v) => isHere(v, status)).length;
  const missing = here > voters.length / 2 ? "a leader" : "a majority";
  const why =
    voters.length === 0 ? "not in a cluster yet" : `waiting for ${missing} (${here} of ${voters.length} here)`;
  return [{ text: `${why}: ${KEPT}`, paint: paint.red }];
}

const KEPT = "messages are kept and will be sent";

/** Why a voter that is here has no vote. */
const WITHOUT_VOTE = {
  room: "its disk is full",
  handles: "it can open no more files",
  rights: "it may not write",
  damaged: "its log is damaged",
  twin: "it runs twice",
} as const;

/** `waiting for 1 of peer 2 (10.0.0.2:6002), peer 3 (10.0.0.3:6003: its disk is full)` */
function waitsFor({ needed, peers }: Waiting): string {
  const names = peers.map(({ id, why, ...address }) => {
    const where = visible(place(address));
    return `peer ${id} (${why === "away" ? where : `${where}: ${WITHOUT_VOTE[why]}`})`;
  });
  return `waiting for ${needed < peers.length ? `${needed} of ` : ""}${names.join(", ")}`;
}

/** Own messages on their way: the newest, and how many others there are; each a row. */
export function pendingSpans(pending: readonly string[], rowsMax: number): Span[][] {
  if (rowsMax < 1) return [];
  const shown = pending.length > rowsMax ? pending.slice(pending.length - rowsMax + 1) : pending;
  const hidden = pending.length - shown.length;
  if (rowsMax === 1 && hidden > 0) return [[{ text: `… ${counted(pending.length, "message")} pending` }]];
  return [...(hidden > 0 ? [`… and ${hidden} more`] : []), ...shown].map((text) => [{ text }]);
}
