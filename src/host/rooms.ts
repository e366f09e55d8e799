/**
 * The rooms that a person has joined, and how far each has been shown: later messages are unread. Every message of
 * every room is replicated and delivered all the same; this is only about what a person looks at.
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import { ROOMS_JOINED_MAX } from "../core/config.ts";
import type { LogView } from "../core/log-view.ts";
import type { RoomStatus } from "../core/reports.ts";
import { count, name } from "../wire/schema-parts.ts";
import { isName } from "../wire/text.ts";
import { type Disk, PortError } from "./contracts.ts";
import { DamagedFile, readState, replaceStateNow } from "./store/state-files.ts";

export const ROOMS = "rooms.json";

const seqNo = count(Number.MAX_SAFE_INTEGER);
const DATA = v.strictObject({
  rooms: v.pipe(
    v.array(v.strictObject({ room_id: name, joined: v.boolean(), shown: seqNo })),
    v.maxLength(ROOMS_JOINED_MAX),
  ),
});

interface Looked {
  joined: boolean;
  /** Number of the last message that was shown. */
  shown: number;
}

export class Rooms {
  readonly #rooms = new Map<string, Looked>();
  readonly #last: () => ReadonlyMap<string, number>;
  readonly #tell: (event: { readonly event: "room" } & RoomStatus) => void;
  /** The rooms' last numbers at the beginning. In a room that was never looked at, later messages are unread. */
  #begun: ReadonlyMap<string, number> = new Map();
  /** Changed since it was saved. */
  changed = false;

  /** `last` returns the number of each room's last message; `tell` is called when a room is joined or left. */
  constructor(last: () => ReadonlyMap<string, number>, tell: (event: { readonly event: "room" } & RoomStatus) => void) {
    this.#last = last;
    this.#tell = tell;
  }

  /** There are no notes of an earlier process: messages that are there now count as read. */
  begin(): void {
    this.#begun = new Map(this.#last());
  }

  /** Takes what an earlier process noted; false if it has another form. */
  load(data: unknown): boolean {
    const read = v.safeParse(DATA, data);
    if (!read.success) return false;
    for (const { room_id, joined, shown } of read.output.rooms) this.#rooms.set(room_id, { joined, shown });
    return true;
  }

  data(): v.InferOutput<typeof DATA> {
    return { rooms: [...this.#rooms].map(([room_id, looked]) => ({ room_id, ...looked })) };
  }

  /** Joins a room: its messages so far count as read. False if that is no valid name. */
  join(room: string): boolean {
    if (!isName(room)) return false;
    const looked = this.#rooms.get(room);
    if (looked?.joined === true) return true;
    if (looked === undefined && !this.#makeRoom()) return false;
    this.#rooms.set(room, { joined: true, shown: Math.max(this.#last().get(room) ?? 0, looked?.shown ?? 0) });
    this.#changed(room);
    return true;
  }

  /** It is joined. */
  has(room: string): boolean {
    return this.#rooms.get(room)?.joined === true;
  }

  leave(room: string): void {
    const looked = this.#rooms.get(room);
    if (looked?.joined !== true) return;
    looked.joined = false;
    this.#changed(room);
  }

  /** The messages of a joined room have been shown through this number. */
  show(room: string, seqNo: number): void {
    const looked = this.#rooms.get(room);
    assert(Number.isSafeInteger(seqNo), "messages of a room are numbered");
    if (looked === undefined || seqNo <= looked.shown) return;
    looked.shown = seqNo;
    this.changed = true;
  }

  /** Every room, by name: those of the log, and those that were joined before anyone spoke in them. */
  list(): RoomStatus[] {
    const last = this.#last();
    const joined = [...this.#rooms].flatMap(([room, looked]) => (looked.joined ? [room] : []));
    return [...new Set([...last.keys(), ...joined])].sort().map((room) => this.#status(room, last.get(room) ?? 0));
  }

  #status(room: string, last: number): RoomStatus {
    const { joined, shown } = this.#rooms.get(room) ?? { joined: false, shown: this.#begun.get(room) ?? 0 };
    return { room_id: room, last_seq_no: last, joined, unread: Math.max(0, last - shown) };
  }

  #changed(room: string): void {
    this.changed = true;
    this.#tell({ event: "room", ...this.#status(room, this.#last().get(room) ?? 0) });
  }

  /** Forgets a room that was left, to make room for another; never one that is joined. */
  #makeRoom(): boolean {
    if (this.#rooms.size < ROOMS_JOINED_MAX) return true;
    for (const [room, { joined }] of this.#rooms) if (!joined) return this.#rooms.delete(room);
    return false;
  }
}

/** The last committed number of each room. The log state would also count messages that may still be taken back. */
export function committedRooms(log: LogView): Map<string, number> {
  const last = new Map(log.state.rooms);
  for (let i = log.last; i > log.commit; i--) {
    const entry = log.entryAt(i);
    if (entry?.kind !== "chat") continue;
    if (entry.seq_no > 1) last.set(entry.room_id, entry.seq_no - 1);
    else last.delete(entry.room_id);
  }
  return last;
}

/** Reads what an earlier process noted; false if that is damaged. */
export function readRooms(disk: Disk, rooms: Rooms): boolean {
  try {
    const noted = readState(disk, ROOMS);
    return noted === null || rooms.load(noted);
  } catch (error) {
    if (error instanceof DamagedFile) return false;
    throw error;
  }
}

/** A convenience, not a promise: a power cut may undo it. Returns why it failed, or null. */
export function saveRooms(disk: Disk, rooms: Rooms): PortError | null {
  try {
    replaceStateNow(disk, ROOMS, rooms.data(), false);
    rooms.changed = false;
    return null;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return error;
  }
}
