/**
 * Which people are here, and how far each has read. Like all of the log state it follows from the log prefix, so that
 * truncation takes it back and a new leader knows it [P1] [P4]. Every entry says what was before, so `undo` is exact.
 */
import { READ_MARKS_MAX, USERS_MAX } from "./config.ts";
import type { Entry, Presence, ReadThrough } from "./log-entry.ts";

/** As plain data, for checkpoints. A field without content is left out. */
export interface PeopleData {
  readonly present?: readonly string[];
  /** Room, user, number read through. */
  readonly read?: readonly (readonly [string, string, number])[];
}

export class PeopleLog {
  readonly present = new Set<string>();
  /** By room, then by user. */
  readonly #read = new Map<string, Map<string, number>>();
  #marks = 0;

  load({ present = [], read = [] }: PeopleData): void {
    for (const user of present) this.present.add(user);
    for (const [room, user, through] of read) this.#mark(room, user, through);
  }

  toData(): PeopleData {
    const read = [...this.#read].flatMap(([room, users]) => [...users].map(([user, n]) => [room, user, n] as const));
    const order = (a: readonly [string, string, number], b: readonly [string, string, number]) =>
      a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? -1 : 1;
    return {
      ...(this.present.size > 0 && { present: [...this.present].sort() }),
      ...(read.length > 0 && { read: read.sort(order) }),
    };
  }

  /** Number through which a user has read a room, 0 for nothing. */
  readThrough(room: string, user: string): number {
    return this.#read.get(room)?.get(user) ?? 0;
  }

  readers(room: string): ReadonlyMap<string, number> {
    return this.#read.get(room) ?? NOBODY;
  }

  /** There is room for one more person, or for a reader's first mark. */
  get takesUser(): boolean {
    return this.present.size < USERS_MAX;
  }

  takesReader(room: string, user: string): boolean {
    return this.#marks < READ_MARKS_MAX || this.readThrough(room, user) > 0;
  }

  /** Why a system or read entry cannot follow, or null. `last` is the number of the room's last message. */
  refusal(entry: Entry, last: number): string | null {
    if (entry.kind === "read") {
      const { from, through } = entry.data as ReadThrough;
      const before = this.readThrough(entry.room_id, entry.user);
      if (from !== before || through <= from || through > last)
        return `${entry.user} reads room ${entry.room_id} from ${from} through ${through}, after ${before}, of ${last}`;
      return this.takesReader(entry.room_id, entry.user) ? null : "more marks of readers than there may be";
    }
    const { change, was } = entry.data as Presence;
    const leaver = change === "renamed" ? was : change === "joined" ? null : entry.user;
    const comer = change === "joined" || change === "renamed" ? entry.user : null;
    if (leaver !== null && !this.present.has(leaver)) return `${leaver} goes, who is not here`;
    if (comer !== null && this.present.has(comer)) return `${comer} comes, who is here`;
    return change === "joined" && !this.takesUser ? "more people than there may be" : null;
  }

  apply(entry: Entry): void {
    if (entry.kind === "read") return this.#mark(entry.room_id, entry.user, (entry.data as ReadThrough).through);
    const { change, was } = entry.data as Presence;
    if (change === "joined" || change === "renamed") this.present.add(entry.user);
    else this.present.delete(entry.user);
    if (change === "renamed") this.present.delete(was);
  }

  undo(entry: Entry): void {
    if (entry.kind === "read") return this.#mark(entry.room_id, entry.user, (entry.data as ReadThrough).from);
    const { change, was } = entry.data as Presence;
    if (change === "joined" || change === "renamed") this.present.delete(entry.user);
    else this.present.add(entry.user);
    if (change === "renamed") this.present.add(was);
  }

  #mark(room: string, user: string, through: number): void {
    const users = this.#read.get(room) ?? new Map<string, number>();
    this.#marks -= users.size;
    if (through > 0) users.set(user, through);
    else users.delete(user);
    this.#marks += users.size;
    if (users.size > 0) this.#read.set(room, users);
    else this.#read.delete(room);
  }
}

const NOBODY: ReadonlyMap<string, number> = new Map();
