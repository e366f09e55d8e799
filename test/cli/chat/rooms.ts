/** Rooms without a peer: whose last numbers can be set. */
import { Rooms } from "../../../src/cli/chat/chat-rooms.ts";
import { Rooms as JoinedRooms } from "../../../src/host/rooms.ts";

export function roomsOf(first: string, lastSeqNos: Record<string, number> = {}) {
  const last = new Map(Object.entries(lastSeqNos));
  const joined = new JoinedRooms(
    () => last,
    () => {},
  );
  const rooms = new Rooms(joined, first);
  rooms.begin();
  return { rooms, joined, last };
}
