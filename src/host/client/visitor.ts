/**
 * A visitor asks one peer something and leaves. It has no name and no session, and goes to no other peer when this one
 * dies. A visitor's message goes out in that peer's own session, so if the peer dies the outcome is unknown [S8].
 */
import type { Address } from "../../core/address.ts";
import type { Attach } from "../../core/client-frames.ts";
import type { Refuse } from "../../core/message.ts";
import type { Question, Told } from "../../core/reports.ts";
import { OWN_VERSIONS, sayVersions } from "../../core/versions.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Timer } from "../contracts.ts";
import type { Channel } from "../net/channel.ts";
import { type DialOptions, dialPeer } from "./dial.ts";

export interface VisitorEvents {
  /** The peer listens. */
  attached(): void;
  /** An answer; or, unasked, the state of the peer. */
  told(told: Told, request: number): void;
  /**
   * The last call: the peer is not there, has refused for good, or is gone. A peer that is only busy is tried again
   * until `close`.
   */
  lost(why: string): void;
}

/** A peer that has too many connections, or is just starting, is tried again after about this time. */
const BUSY_PAUSE_MS = 200;

export class Visitor {
  readonly #ports: DialOptions;
  readonly #address: Address;
  readonly #token: string | undefined;
  readonly #events: VisitorEvents;
  #channel: Channel;
  #again: Timer | null = null;
  #attached = false;
  #refused: Pick<Refuse, "code" | "message"> | null = null;
  #over = false;

  /** `token`: what lets it in where the cluster is secured. */
  constructor(ports: DialOptions, address: Address, events: VisitorEvents, token?: string) {
    this.#ports = ports;
    this.#token = token;
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

  /** Leaves; no event is called afterwards. */
  close(): void {
    this.#over = true;
    this.#again?.cancel();
    this.#channel.end();
  }

  #dial(): Channel {
    const attach: Attach = {
      ...{ type: "ATTACH", ...sayVersions(OWN_VERSIONS), cluster_id: null, user: "", room_id: "general" },
      ...{ session: "", sender_id: 0, seen: 0 },
      ...(this.#token !== undefined && { token: this.#token }),
    };
    const events = this.#events;
    return dialPeer(this.#ports, this.#address, attach, {
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
    // A peer whose queue of connections is full resets new ones without a reason.
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
