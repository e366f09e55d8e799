/** What was said before, from the log of the peer: in pages, so that a long past is never in memory as a whole. */
import { HISTORY_MESSAGES_MAX } from "../core/config.ts";
import type { LogIndex } from "../core/ids.ts";
import type { DeliveredMessage } from "../core/reports.ts";
import type { Asking } from "./asking.ts";

export interface Place {
  readonly room: string;
  /** Only what has been told by now. */
  readonly through: LogIndex;
}

/** The last `count` messages of a room that hold `text` ("": any), oldest first. Throws Unanswered. */
export async function lastMessages(
  asking: Asking,
  { room, through }: Place,
  count: number,
  text = "",
): Promise<DeliveredMessage[]> {
  let found: DeliveredMessage[] = [];
  let before = through + 1;
  while (found.length < count && before > 1) {
    const wanted = Math.min(count - found.length, HISTORY_MESSAGES_MAX);
    const page = await pageOf(asking, { room_id: room, count: wanted, text, before });
    if (page[0] === undefined) break;
    before = page[0].index;
    found = [...page, ...found];
  }
  return found;
}

/** All messages of a room, oldest first, page by page. Throws Unanswered. */
export async function* allMessages(
  asking: Asking,
  { room, through }: Place,
): AsyncGenerator<readonly DeliveredMessage[]> {
  let after = 0;
  for (;;) {
    const wanted = { room_id: room, count: HISTORY_MESSAGES_MAX, text: "", after, before: through + 1 };
    const page = await pageOf(asking, wanted);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last.index;
  }
}

type Wanted = { room_id: string; count: number; text: string; before: LogIndex; after?: LogIndex };

async function pageOf(asking: Asking, wanted: Wanted): Promise<readonly DeliveredMessage[]> {
  const told = await asking.ask({ what: "history", ...wanted });
  return told.event === "history" ? told.messages : [];
}
