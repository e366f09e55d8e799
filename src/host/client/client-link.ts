/**
 * What a peer needs of a connection that a client opened [S8], and what it is told about it. A TCP connection of
 * `links` is one. Anything that carries frames in both directions can be another, for example a WebSocket.
 *
 * Rules for code that accepts such connections
 * - That code sends the peer's HELLO, the first frame of every connection.
 * - It calls `attach` once, with the client's first frame; then `frame` for each frame that follows, in order; and
 *   `closed` last, whichever side closed, also when a client was refused.
 * - `attach` and `frame` throw WireError for what a client must not say. The connection is then refused as malformed.
 * - That code, not the peer, closes a connection on which nothing has come for long. Clients send PING, which is
 *   answered, and must answer each PING: the log waits for these answers [R10].
 * - Frames come encoded, so that one frame for many clients is encoded once.
 */
import type { Attach, Redeem } from "../../core/client-frames.ts";
import type { Frame } from "../../core/frame.ts";
import type { Millis } from "../../core/ids.ts";
import type { Refuse } from "../../core/message.ts";

export interface ClientLink {
  /** Time of the last data from the client, by the host's monotonic clock. */
  readonly heardAt: Millis;
  /** How many bytes of the log one frame has, and all the frames that answer one request [R10]. */
  readonly window: { readonly frame: number; readonly answer: number };
  /**
   * Queues one whole frame, in consecutive pieces. With `bulk`, frames (the log, answers) keep their order among
   * themselves; others, like PING, may overtake them. A client that does not read may be closed.
   */
  write(frame: readonly Uint8Array[], bulk: boolean): void;
  /** Sends the reason, then closes. */
  refuse(refuse: Refuse): void;
  /** Sends what is queued, then closes. */
  end(): void;
}

/** What happens on connections that clients opened. */
export interface ClientEvents {
  attach(link: ClientLink, frame: Attach): void;
  /** In place of `attach`, on a connection of its own. */
  redeem(link: ClientLink, frame: Redeem): void;
  frame(link: ClientLink, frame: Frame): void;
  closed(link: ClientLink): void;
}
