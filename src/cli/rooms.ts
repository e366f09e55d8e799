/**
 * The rooms of somebody who chats: all are replicated, the joined ones are shown, one of them is talked in, and what is said
 * in the others is counted. Pure state, fed with every message in the order of the log.
 */
import type { DeliveredMessage } from "../host/events.ts";

export interface RoomState {
  readonly room_id: string;
  readonly joined: boolean;
  /** One talks in it. */
  readonly active: boolean;
  /** Of the newest message known here; 0: none. */
  readonly last_seq_no: number;
  /** Messages since the room was last shown, as far as they came while this process ran. */
  readonly unread: number;
}

interface Room {
  joined: boolean;
  last: number;
  unread: number;
}

export class Rooms {
  readonly #rooms = new Map<string, Room>();
  /** Joined rooms; the one that was talked in last is the last. */
  #joined: string[];

  constructor(active: string) {
    this.#joined = [active];
    this.#room(active).joined = true;
  }

  get active(): string {
    return this.#joined.at(-1) as string;
  }

  /** By name. */
  get all(): readonly RoomState[] {
    return [...this.#rooms]
      .map(([room_id, { joined, last, unread }]) => ({
        ...{ room_id, joined, active: room_id === this.active, last_seq_no: last, unread },
      }))
      .sort((a, b) => (a.room_id < b.room_id ? -1 : 1));
  }

  shows(room: string): boolean {
    return this.#joined.includes(room);
  }

  /** A message has come: another's in a room that is not shown is unread. */
  onMessage({ room_id, seq_no }: DeliveredMessage, own: boolean): void {
    const room = this.#room(room_id);
    room.last = Math.max(room.last, seq_no);
    if (!room.joined && !own) room.unread += 1;
  }

  join(room: string): void {
    this.#joined = [...this.#joined.filter((name) => name !== room), room];
    const joined = this.#room(room);
    joined.joined = true;
    joined.unread = 0;
  }

  /** False: it is not joined, or the only one that is. */
  leave(room: string): boolean {
    if (!this.shows(room) || this.#joined.length === 1) return false;
    this.#joined = this.#joined.filter((name) => name !== room);
    this.#room(room).joined = false;
    return true;
  }

  #room(name: string): Room {
    const room = this.#rooms.get(name) ?? { joined: false, last: 0, unread: 0 };
    this.#rooms.set(name, room);
    return room;
  }
}
