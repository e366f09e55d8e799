/**
 * Somebody who asks one peer something and goes: no name, no session, no other peer when this one dies. What a visitor
 * has said rides on that peer's own session, so its death leaves the outcome unknown [S8].
 */
import type { Attach } from "../core/client-frames.ts";
import { PROTOCOL_VERSION } from "../core/config.ts";
import type { Question, Told } from "../core/reports.ts";
import { encodeFrame } from "../wire/encode.ts";
import type { Address } from "./address.ts";
import { Channel } from "./channel.ts";
import type { Clock, Network } from "./contracts.ts";

export interface VisitorEvents {
  /** The peer listens. */
  attached(): void;
  /** An answer, or (unasked) how the peer is. */
  told(told: Told, request: number): void;
  /** The last call: the peer is not there, refused, or went. */
  lost(why: string): void;
}

export class Visitor {
  readonly #channel: Channel;
  #why = "";
  #over = false;

  constructor(ports: { readonly clock: Clock; readonly network: Network }, address: Address, events: VisitorEvents) {
    const attach: Attach = {
      ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id: null, user: "", room_id: "general" },
      ...{ session: "", sender_id: 0, seen: 0 },
    };
    this.#channel = Channel.dial(ports, address, attach, {
      frame: (c, frame) => {
        if (frame.type === "PING") c.write(encodeFrame({ type: "PONG", at: frame.at }), false);
        else if (frame.type === "ATTACHED") events.attached();
        else if (frame.type === "TELL") events.told(frame.told, frame.request);
      },
      refused: ({ message }) => {
        this.#why = message;
      },
      malformed: (why) => {
        this.#why = why;
      },
      closed: (_, code) => {
        if (this.#over) return;
        this.#over = true;
        events.lost(this.#why !== "" ? this.#why : code !== "" ? code : "it closed the connection");
      },
    });
  }

  ask(request: number, question: Question): void {
    this.#channel.write(encodeFrame({ type: "ASK", request, question }), true);
  }

  /** Goes; nothing is called any more. */
  close(): void {
    this.#over = true;
    this.#channel.end();
  }
}
