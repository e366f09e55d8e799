/**
 * What a peer needs of a connection that a client opened [S8], and what it is told of it. A TCP connection of `links` is
 * one; whatever carries frames in both directions, a WebSocket say, can be another.
 *
 * Rules for whoever accepts such connections
 * - The peer's HELLO, the first frame of every connection, is theirs to send.
 * - `attach` once, with the client's first frame; then `frame` for each that follows, in order; `closed` last, whoever
 *   closed, also when a client was refused.
 * - `attach` and `frame` throw WireError for what a client must not say: the connection is refused as malformed then.
 * - A connection on which nothing comes for long is closed here, not by the peer. Clients send PING, which is answered.
 * - Frames are encoded already, so that one frame for many clients is encoded once.
 */
import type { Attach } from "../../core/client-frames.ts";
import type { Frame } from "../../core/frame.ts";
import type { Millis } from "../../core/ids.ts";
import type { Refuse } from "../../core/message.ts";

export interface ClientLink {
  /** When something last came from the client, by the host's monotonic clock. */
  readonly heardAt: Millis;
  /**
   * Queues one whole frame, in pieces that follow one another. `bulk`: frames that carry the log and answers keep their
   * order among themselves; others, like PING, may go ahead of them. A client that does not read may be closed.
   */
  write(frame: readonly Uint8Array[], bulk: boolean): void;
  /** Sends why, then closes. */
  refuse(refuse: Refuse): void;
  /** Sends what is queued, then closes. */
  end(): void;
}

/** What happens on connections that clients opened. */
export interface ClientEvents {
  attach(link: ClientLink, frame: Attach): void;
  frame(link: ClientLink, frame: Frame): void;
  closed(link: ClientLink): void;
}
