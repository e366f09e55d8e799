/** Lets connections in that others open, and counts those of whom it is not known that they are members [W3]. */
import { encodeFrame } from "../../wire/encode.ts";
import type { Connection, ConnectionHandler } from "../contracts.ts";
import type { Channel } from "./channel.ts";
import { Doors } from "./doors.ts";
import type { LinkOptions } from "./link-options.ts";
import { refusal } from "./refusal.ts";

export class Entrance {
  readonly #options: Pick<LinkOptions, "trusts">;
  readonly #doors: Doors;
  /** Until they are known as members. */
  readonly #guests = new Set<Channel>();

  constructor(options: Pick<LinkOptions, "clock" | "trusts" | "events">) {
    this.#options = options;
    this.#doors = new Doors(
      () => options.clock.now(),
      (message) => options.events.log("warn", message),
    );
  }

  /** Whoever is not let in is told why, and not heard. */
  enter(connection: Connection, isSecured: boolean, open: () => Channel): ConnectionHandler {
    const { identity, remote } = connection;
    const isKnown = identity !== null && this.#options.trusts(identity);
    // Where keys are proven there are few at a time of whom nobody knows anything [A3].
    const why = isKnown ? null : this.#doors.enter(remote, isSecured);
    if (why !== null) {
      for (const piece of encodeFrame(refusal("limit", `this peer takes no more connections now: ${why}`)))
        connection.write(piece);
      connection.end();
      return DEAF;
    }
    const channel = open();
    if (!isKnown) this.#guests.add(channel);
    return channel.handler;
  }

  /** It is gone, or a member's: those get in however many others there are. */
  leave(channel: Channel): void {
    if (this.#guests.delete(channel)) this.#doors.leave(channel.remote);
  }
}

const DEAF: ConnectionHandler = { data() {}, drain() {}, close() {} };
