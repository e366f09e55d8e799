/** Reads earlier messages from the peer's log, in pages, so that a long past is never in memory as a whole. */
import { HISTORY_MESSAGES_MAX } from "../../core/config.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { DeliveredMessage, HistoryPage, Told } from "../../core/reports.ts";
import type { OwnQuestion } from "../service.ts";

/** What answers the questions: a peer or a client in this process. */
export interface Asked {
  /** Rejects if that stops before it answers. */
  ask(question: OwnQuestion): Promise<Told>;
}

export interface Place {
  readonly room: string;
  /** Only entries through this index, which have been told by now. */
  readonly through: LogIndex;
}

/** The last `count` messages of a room that hold `text` ("": any), oldest first. Throws what `ask` throws. */
export async function lastMessages(
  asking: Asked,
  { room, through }: Place,
  count: number,
  text = "",
): Promise<DeliveredMessage[]> {
  let found: DeliveredMessage[] = [];
  let before: LogIndex | null = through + 1;
  while (found.length < count && before !== null) {
    const wanted = Math.min(count - found.length, HISTORY_MESSAGES_MAX);
    const page = await pageOf(asking, { room_id: room, count: wanted, text, before });
    before = page.more;
    found = [...page.messages, ...found];
  }
  return found;
}

/** The first `count` messages of a room behind `after` that hold `text` ("": any), oldest first. Throws what `ask` throws. */
export async function firstMessages(
  asking: Asked,
  { room, through }: Place,
  after: LogIndex,
  count: number,
  text = "",
): Promise<DeliveredMessage[]> {
  const found: DeliveredMessage[] = [];
  let behind: LogIndex | null = after;
  while (found.length < count && behind !== null) {
    const wanted = Math.min(count - found.length, HISTORY_MESSAGES_MAX);
    const page = await pageOf(asking, { room_id: room, count: wanted, text, after: behind, before: through + 1 });
    behind = page.more;
    found.push(...page.messages);
  }
  return found;
}

/** All messages of a room, oldest first, page by page. Throws what `ask` throws. */
export async function* allMessages(
  asking: Asked,
  { room, through }: Place,
): AsyncGenerator<readonly DeliveredMessage[]> {
  let after: LogIndex | null = 0;
  while (after !== null) {
    const wanted = { room_id: room, count: HISTORY_MESSAGES_MAX, text: "", after, before: through + 1 };
    const page = await pageOf(asking, wanted);
    if (page.messages.length > 0) yield page.messages;
    after = page.more;
  }
}

type Wanted = { room_id: string; count: number; text: string; before: LogIndex; after?: LogIndex };

async function pageOf(asking: Asked, wanted: Wanted): Promise<Pick<HistoryPage, "messages" | "more">> {
  const told = await asking.ask({ what: "history", ...wanted });
  return told.event === "history" ? told : { messages: [], more: null };
}
