/** `<sender_id>.<session>.<counter>`: the id of a message, as people, scripts and log lines have it. */
import type { Entry } from "./log-entry.ts";

/** The last digits of a counter. */
const ENDINGS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, "0"));

/**
 * The id made last, without its ending. Every peer makes an id for every message, and most ids follow one another.
 * Making a string of each number would cost as much as all the rest of a delivery.
 */
const head = { session: "", thousand: -1, text: "" };

export function messageId({ session, counter }: Pick<Entry, "session" | "counter">): string {
  if (counter < ENDINGS.length) return `${session}.${counter}`;
  const thousand = Math.floor(counter / ENDINGS.length);
  if (thousand !== head.thousand || session !== head.session) {
    head.session = session;
    head.thousand = thousand;
    head.text = `${session}.${thousand}`;
  }
  return head.text + ENDINGS[counter % ENDINGS.length];
}
