/** System and read entries as events, and what is decided about people before the log decides. */
import type { Entry, Presence, ReadThrough } from "../core/message.ts";
import type { PeopleLog } from "../core/people-log.ts";
import type { Confirmations, Notice, ReadNote, SystemNote } from "../core/reports.ts";
import { isName } from "../wire/text.ts";
import { NAME_RULE } from "./admission.ts";

export function toSystemNote({ index, room_id, sender_id, user, ts, data }: Entry): SystemNote {
  const { change, was } = data as Presence;
  return { event: "system", index, room_id, sender_id, user, change, was, ts };
}

export function toReadNote({ index, room_id, sender_id, user, ts, data }: Entry): ReadNote {
  const { from, through } = data as ReadThrough;
  return { event: "read", index, room_id, sender_id, user, from, through, ts };
}

export function confirmations(people: PeopleLog, room_id: string): Confirmations {
  const readers = [...people.readers(room_id)].map(([user, through]) => ({ user, through }));
  return { event: "confirmations", room_id, readers: readers.sort((a, b) => (a.user < b.user ? -1 : 1)) };
}

/** What speaks against a new name, or null. */
export function refuseName(name: string, taken: boolean): Notice | null {
  if (!isName(name)) return { event: "error", code: "bad-name", message: `a name has ${NAME_RULE}` };
  const message = `the name ${JSON.stringify(name)} is in use: choose another one`;
  return taken ? { event: "error", code: "name-in-use", message } : null;
}

export function renamed(name: string): Notice {
  return { event: "notice", code: "renamed", message: `you are ${name} now` };
}
