/** Entries of the log as people and programs are told them. */
import type { Entry, Presence, ReadThrough } from "../core/log-entry.ts";
import { messageId } from "../core/message-id.ts";
import type { DeliveredMessage, ReadNote, SystemNote } from "../core/reports.ts";

export function toMessage(entry: Entry): DeliveredMessage {
  return {
    event: "message",
    index: entry.index,
    term: entry.term,
    room_id: entry.room_id,
    seq_no: entry.seq_no,
    sender_id: entry.sender_id,
    msg_id: messageId(entry),
    user: entry.user,
    payload: entry.text,
    ts: entry.ts,
  };
}

function toSystemNote({ index, room_id, sender_id, user, ts, data }: Entry): SystemNote {
  const { change, was } = data as Presence;
  return { event: "system", index, room_id, sender_id, user, change, was, ts };
}

function toReadNote({ index, room_id, sender_id, user, ts, data }: Entry): ReadNote {
  const { from, through } = data as ReadThrough;
  return { event: "read", index, room_id, sender_id, user, from, through, ts };
}

/** Null for an entry that nobody is told about. */
export function toTold(entry: Entry): DeliveredMessage | SystemNote | ReadNote | null {
  if (entry.kind === "chat") return toMessage(entry);
  if (entry.kind === "system") return toSystemNote(entry);
  return entry.kind === "read" ? toReadNote(entry) : null;
}
