import type { Draft } from "./message.ts";

/** Rough bytes of a draft on the wire; a window needs no more. */
export function weigh(draft: Pick<Draft, "payload">): number {
  return 2 * draft.payload.length + 128;
}
