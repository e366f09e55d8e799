/** Random logs that a correct leader could have written, from moves that a property test can shrink. */
import fc from "fast-check";
import type { Ballot } from "../../src/core/ids.ts";
import type { Entry, EntryKind, Presence, ReadThrough } from "../../src/core/log-entry.ts";
import { entryOf, genesisOf, seal } from "./entries.ts";

export interface Move {
  readonly kind: "chat" | "leader" | "config" | "system" | "read";
  readonly room: string;
  readonly session: string;
}

export const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("chat", "chat", "chat", "leader", "config", "system", "read"),
  room: fc.constantFrom("lobby", "attic"),
  session: fc.constantFrom("1.a", "1.b", "2.a"),
});

export const moves = fc.array(move, { maxLength: 40 });

/** A genesis and one entry per move. A configuration that is not settled is settled by the next move of that kind. */
export function written(made: readonly Move[]): Entry[] {
  const entries: Entry[] = [];
  grow(entries, made);
  return entries;
}

/** Goes on with a log, in place. */
export function grow(entries: Entry[], made: readonly Move[]): void {
  if (entries.length === 0) entries.push(genesisOf(["voter", "voter", "voter"]));
  for (const step of made) {
    const last = entries.at(-1) as Entry;
    const entry = next(entries, step, last);
    seal(entry, last.crc);
    entries.push(entry);
  }
}

function next(entries: readonly Entry[], { kind, room, session }: Move, last: Entry): Entry {
  const index = last.index + 1;
  const opens = kind === "leader" || last.kind === "genesis";
  const ballot = opens ? { term: last.term + 1, leader_id: 1 + (index % 3), inc: "i", boot: 1 + (index % 2) } : last;
  if (kind === "chat") {
    const of = (claim: (e: Entry) => boolean) => 1 + entries.filter((e) => e.kind === "chat" && claim(e)).length;
    return entryOf(index, ballot, "chat", {
      room_id: room,
      seq_no: of((e) => e.room_id === room),
      sender_id: Number(session[0]),
      session,
      counter: of((e) => e.session === session),
    });
  }
  if (kind === "system" || kind === "read") return aboutPeople(entries, kind, room, session, index, ballot);
  const changed = entries.findLast((e) => e.kind === "config" || e.kind === "settled");
  const settles = kind === "config" && changed?.kind === "config";
  const named: EntryKind = settles ? "settled" : kind;
  const data = settles ? { config_index: changed.index } : kind === "config" ? { members: [], prev_voters: [] } : null;
  return entryOf(index, ballot, named, { data });
}

/** Whoever is here leaves, or has another name where that is free; the others come. A room is read through its end. */
function aboutPeople(
  entries: readonly Entry[],
  kind: "system" | "read",
  room: string,
  session: string,
  index: number,
  ballot: Ballot,
): Entry {
  const user = `user ${session}`;
  const said = { room_id: room, sender_id: Number(session[0]), user };
  if (kind === "read") {
    const chats = entries.filter((e) => e.kind === "chat" && e.room_id === room).length;
    const last = entries.findLast((e) => e.kind === "read" && e.room_id === room && e.user === user);
    const from = (last?.data as ReadThrough | undefined)?.through ?? 0;
    if (from < chats) return entryOf(index, ballot, "read", { ...said, data: { from, through: chats } });
  }
  const present = new Set<string>();
  for (const e of entries) {
    if (e.kind !== "system") continue;
    const { change, was } = e.data as Presence;
    present.delete(was);
    if (change === "joined" || change === "renamed") present.add(e.user);
    else present.delete(e.user);
  }
  const data = (change: Presence["change"], was = ""): Presence => ({ change, was });
  if (!present.has(user)) {
    const other = [...present][0];
    const renames = other !== undefined && index % 2 === 0;
    return entryOf(index, ballot, "system", { ...said, data: renames ? data("renamed", other) : data("joined") });
  }
  return entryOf(index, ballot, "system", { ...said, data: data(index % 3 === 0 ? "gone" : "left") });
}
