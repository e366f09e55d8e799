/**
 * The rooms as one person sees them. Every room is replicated. The joined rooms are shown, lines that are typed go to one
 * of them, and messages in the others are counted. The peer keeps which rooms are joined and how far they were shown; this
 * file knows in which room the person talked last.
 */
import type { RoomStatus } from "../../core/reports.ts";
import type { Rooms as JoinedRooms } from "../../host/rooms.ts";

export interface RoomState extends RoomStatus {
  /** Lines that are typed go to this room. */
  readonly active: boolean;
}

export class Rooms {
  readonly #rooms: JoinedRooms;
  /** That were talked in; the last one is. */
  #talked: string[];

  /** Nothing is joined before `begin`. */
  constructor(rooms: JoinedRooms, first: string) {
    this.#rooms = rooms;
    this.#talked = [first];
  }

  begin(): void {
    this.#rooms.join(this.active);
  }

  get active(): string {
    return this.#talked.at(-1) as string;
  }

  /** All rooms, sorted by name. */
  get all(): readonly RoomState[] {
    return this.#rooms.list().map((room) => ({ ...room, active: room.room_id === this.active }));
  }

  shows(room: string): boolean {
    return room === this.active || this.#rooms.has(room);
  }

  /** False: there is no room for another. */
  join(room: string): boolean {
    if (!this.#rooms.join(room)) return false;
    this.#talked = [...this.#talked.filter((name) => name !== room), room];
    return true;
  }

  /** False: it is not joined, or the only one that is. */
  leave(room: string): boolean {
    const others = this.#rooms.list().filter((r) => r.joined && r.room_id !== room);
    const [next] = others;
    if (!this.shows(room) || next === undefined) return false;
    this.#rooms.leave(room);
    this.#talked = this.#talked.filter((name) => name !== room);
    if (this.#talked.length === 0) this.#talked = [next.room_id];
    return true;
  }
}
