/**
 * Somebody who asks one peer something and goes: no name, no session, no other peer when this one dies. What a visitor
 * has said rides on that peer's own session, so its death leaves the outcome unknown [S8].
 */
import type { Address } from "../../core/address.ts";
import type { Attach } from "../../core/client-frames.ts";
import type { Refuse } from "../../core/message.ts";
import type { Question, Told } from "../../core/reports.ts";
import { OWN_VERSIONS, sayVersions } from "../../core/versions.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Network, Timer } from "../contracts.ts";
import { Channel } from "../net/channel.ts";

export interface VisitorEvents {
  /** The peer listens. */
  attached(): void;
  /** An answer, or (unasked) how the peer is. */
  told(told: Told, request: number): void;
  /** The last call: the peer is not there, refused for good, or went. One that is only busy is tried again till `close`. */
  lost(why: string): void;
}

/** A peer that has too many connections, or is just starting, is tried again after about so long. */
const BUSY_PAUSE_MS = 200;

export class Visitor {
  readonly #ports: { readonly clock: Clock; readonly network: Network };
  readonly #address: Address;
  readonly #events: VisitorEvents;
  #channel: Channel;
  #again: Timer | null = null;
  #attached = false;
  #refused: Pick<Refuse, "code" | "message"> | null = null;
  #over = false;

  constructor(ports: { readonly clock: Clock; readonly network: Network }, address: Address, events: VisitorEvents) {
    this.#ports = ports;
    this.#address = address;
    this.#events = events;
    this.#channel = this.#dial();
  }

  /** Why it has not been let in so far. */
  get why(): string {
    return this.#refused?.message ?? "it did not answer";
  }

  ask(request: number, question: Question): void {
    this.#channel.write(encodeFrame({ type: "ASK", request, question }), true);
  }

  /** Goes; nothing is called any more. */
  close(): void {
    this.#over = true;
    this.#again?.cancel();
    this.#channel.end();
  }

  #dial(): Channel {
    const attach: Attach = {
      ...{ type: "ATTACH", ...sayVersions(OWN_VERSIONS), cluster_id: null, user: "", room_id: "general" },
      ...{ session: "", sender_id: 0, seen: 0 },
    };
    const events = this.#events;
    return Channel.dial(this.#ports, this.#address, attach, {
      frame: (c, frame) => {
        if (frame.type === "PING") c.write(encodeFrame({ type: "PONG", at: frame.at }), false);
        else if (frame.type === "TELL") events.told(frame.told, frame.request);
        else if (frame.type === "ATTACHED") {
          this.#attached = true;
          events.attached();
        }
      },
      refused: (refuse) => {
        this.#refused = refuse;
      },
      malformed: (message) => {
        this.#refused = { code: "malformed", message };
      },
      closed: (_, code) => this.#onClosed(code),
    });
  }

  #onClosed(code: string): void {
    if (this.#over) return;
    const why = this.#refused ?? { code: null, message: code !== "" ? code : "it closed the connection" };
    // One whose queue of connections is full resets them without a word.
    const busy = why.code === "limit" || why.code === "closing" || (why.code === null && code === "ECONNRESET");
    if (busy && !this.#attached) {
      const { clock } = this.#ports;
      this.#again = clock.after(BUSY_PAUSE_MS * (0.5 + clock.random()), () => {
        this.#channel = this.#dial();
      });
      return;
    }
    this.#over = true;
    this.#events.lost(why.message);
  }
}
