/**
 * Messages on their way to the log, checked by hand, because every one of them passes here; a test holds the check
 * against the schema. Neighbours mostly have one room and one user: what was just seen is not looked at again.
 */
import * as v from "valibot";
import { OUTSTANDING_MESSAGES_MAX } from "../core/config.ts";
import type { Draft } from "../core/message.ts";
import { isMessage, isName } from "./text.ts";

/** In the place of the schema of the messages of a frame. */
export const DRAFTS = v.pipe(
  v.custom<unknown[]>(Array.isArray),
  v.minLength(1),
  v.maxLength(OUTSTANDING_MESSAGES_MAX),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const drafts = readDrafts(dataset.value);
    if (drafts !== null) return drafts;
    addIssue({ message: "a message that cannot be" });
    return NEVER;
  }),
);

/** Fresh objects of known fields only [L7], or null if anything is wrong with any of them. */
function readDrafts(values: readonly unknown[]): Draft[] | null {
  const drafts: Draft[] = [];
  let room: string | null = null;
  let name: string | null = null;
  for (const value of values) {
    if (typeof value !== "object" || value === null) return null;
    let fields = 0;
    for (const _ in value) fields += 1;
    const { room_id, user, ts, payload } = value as Partial<Record<keyof Draft, unknown>>;
    if (fields !== 4 || typeof room_id !== "string" || typeof user !== "string") return null;
    if (room_id !== room && !isName(room_id)) return null;
    if (user !== name && !isName(user)) return null;
    if (typeof ts !== "number" || !Number.isSafeInteger(ts) || ts < 0) return null;
    if (typeof payload !== "string" || !isMessage(payload)) return null;
    room = room_id;
    name = user;
    drafts.push({ room_id, user, ts, payload });
  }
  return drafts;
}
