/** One link with another process, whichever of its connections carries it. */
import type { LinkId } from "../../core/ids.ts";
import type { Hello } from "../../core/message.ts";
import type { Channel } from "./channel.ts";

export interface Link {
  readonly id: LinkId;
  readonly hello: Hello;
  channel: Channel;
  /** Round trip in milliseconds as last measured, null before. */
  roundTrip: number | null;
  /**
   * When the PING was sent whose answer will be the next measurement; null: none is under way. There is one at a time,
   * so that a cut cable holds back one late answer and not many.
   */
  askedAt: number | null;
  measuredAt: number;
  /** The size of the window as last reported. */
  window: number;
}

export function newLink(id: LinkId, hello: Hello, channel: Channel): Link {
  return { id, hello, channel, roundTrip: null, askedAt: null, measuredAt: 0, window: 0 };
}
