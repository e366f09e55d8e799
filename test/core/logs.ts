/** Random logs that a correct leader could have written, from moves that a property test can shrink. */
import fc from "fast-check";
import type { Entry, EntryKind } from "../../src/core/message.ts";
import { entryOf, genesisOf, seal } from "./entries.ts";

export interface Move {
  readonly kind: "chat" | "leader" | "config";
  readonly room: string;
  readonly session: string;
}

export const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("chat", "chat", "chat", "leader", "config"),
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
  const ballot = opens ? { term: last.term + 1, leader_id: 1 + (index % 3), inc: "i" } : last;
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
  const changed = entries.findLast((e) => e.kind === "config" || e.kind === "settled");
  const settles = kind === "config" && changed?.kind === "config";
  const named: EntryKind = settles ? "settled" : kind;
  const data = settles ? { config_index: changed.index } : kind === "config" ? { members: [], prev_voters: [] } : null;
  return entryOf(index, ballot, named, { data });
}
