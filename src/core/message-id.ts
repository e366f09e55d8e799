/** `<sender_id>.<session>.<counter>`, as people, scripts and the line have it. */
import type { Entry } from "./log-entry.ts";

/** The last digits of a counter. */
const ENDINGS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, "0"));

/**
 * The id asked for last, without its ending. Every peer makes an id for every message, and most follow one another: to make
 * a string of each number costs as much as all the rest of a delivery.
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
