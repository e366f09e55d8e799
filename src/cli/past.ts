/**
 * What was said before, from the log of a running peer: in pages, with the peer's own work between them, so that searching a
 * million messages delays no heartbeat.
 */
import { PAGE_ENTRIES } from "../host/delivery.ts";
import type { DeliveredMessage } from "../host/events.ts";

/** A running peer, as far as the past is concerned. */
export interface Past {
  /** The last index that was delivered. */
  readonly delivered: number;
  /** Messages among the `PAGE_ENTRIES` entries from there on. Throws HostError once the peer is stopping. */
  page(from: number): readonly DeliveredMessage[];
}

/** The last `count` messages that are wanted, oldest first. */
export async function lastMessages(
  past: Past,
  count: number,
  wanted: (message: DeliveredMessage) => boolean,
): Promise<DeliveredMessage[]> {
  let found: DeliveredMessage[] = [];
  for (let end = past.delivered; end > 0 && found.length < count; end -= PAGE_ENTRIES) {
    const page = past.page(Math.max(1, end - PAGE_ENTRIES + 1)).filter((m) => m.index <= end && wanted(m));
    found = [...page.slice(-(count - found.length)), ...found];
    await othersWork();
  }
  return found;
}

/** All messages that are delivered by now, oldest first, page by page. */
export async function* allMessages(past: Past): AsyncGenerator<readonly DeliveredMessage[]> {
  const end = past.delivered;
  for (let from = 1; from <= end; from += PAGE_ENTRIES) {
    yield past.page(from).filter((m) => m.index <= end);
    await othersWork();
  }
}

function othersWork(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
