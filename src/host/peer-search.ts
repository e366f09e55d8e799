/**
 * A client's way to some peer that serves it [S8]: dials one address after the other, round after round, leaves whoever
 * does not begin to serve in time, and goes on to the next when the one that served is gone.
 */
import type { Attach } from "../core/client-frames.ts";
import type { Frame, Refuse } from "../core/message.ts";
import { encodeFrame } from "../wire/encode.ts";
import { type Address, sameAddress } from "./address.ts";
import { Channel } from "./channel.ts";
import type { Clock, Network, Timer } from "./contracts.ts";

export interface SearchEvents {
  /** Every address that is known now, at least one. */
  addresses(): Address[];
  /** The first frame to whoever is reached. */
  attach(): Attach;
  frame(frame: Frame): void;
  refused(refuse: Refuse): void;
  /** The peer that served is gone. */
  lost(): void;
  /** All addresses have been tried so many times in vain, and why the last one was; false ends the search. */
  inVain(rounds: number, why: string): boolean;
}

/** A peer that has not begun to serve by then is left for another. */
const ATTACH_MS = 3000;
/** Between two rounds through all the addresses. */
const ROUND_PAUSE_MS = 300;

export class PeerSearch {
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #events: SearchEvents;
  /** Where it is, or tries to be. */
  address: Address;
  #channel: Channel | null = null;
  /** Addresses in vain since one served; the one that served and is gone is the first. */
  #tried = 0;
  #serves = false;
  #why = "";
  #timer: Timer | null = null;
  #over = false;
  /** The connection that closes was left for another one with the same peer. */
  #greetsAnew = false;

  constructor({ clock, network }: { readonly clock: Clock; readonly network: Network }, events: SearchEvents) {
    this.#clock = clock;
    this.#network = network;
    this.#events = events;
    this.address = events.addresses()[0] as Address;
  }

  dial(): void {
    if (this.#over) return;
    const ports = { clock: this.#clock, network: this.#network };
    const dialled = Channel.dial(ports, this.address, this.#events.attach(), {
      frame: (c, frame) => c === this.#channel && this.#events.frame(frame),
      refused: (refuse) => {
        this.#why = refuse.message;
        this.#events.refused(refuse);
      },
      malformed: (why) => {
        this.#why = why;
      },
      closed: (c, code) => c === this.#channel && this.#onClosed(code),
    });
    this.#channel = dialled;
    this.#timer = this.#clock.after(ATTACH_MS, () => dialled === this.#channel && dialled.destroy("ETIMEDOUT"));
  }

  /** The peer that was reached serves. */
  found(): void {
    this.#timer?.cancel();
    this.#serves = true;
    this.#why = "";
    this.#tried = 0;
  }

  write(frame: Frame): void {
    this.#channel?.write(encodeFrame(frame), frame.type === "CHAT");
  }

  /** Greets the peer that serves once more, on another connection: who the client is, a connection is told once. */
  again(): void {
    this.#serves = false;
    this.#greetsAnew = this.#channel !== null;
    this.#channel?.end();
  }

  /** Says that it is still here where nothing else did; gives up a peer of which nothing was heard for too long. */
  keepAlive(heartbeat: number, silenceMax: number): void {
    const channel = this.#channel;
    if (channel === null || !this.#serves) return;
    const now = this.#clock.now();
    if (now - channel.heardAt > silenceMax) channel.destroy("silent");
    else if (now - channel.sentAt >= heartbeat) this.write({ type: "PING", at: now });
  }

  close(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#channel?.end();
  }

  #onClosed(code: string): void {
    this.#timer?.cancel();
    this.#channel = null;
    if (this.#over) return;
    if (this.#greetsAnew) {
      this.#greetsAnew = false;
      return void this.#clock.soon(() => this.dial());
    }
    if (code !== "") this.#why = code;
    else if (this.#why === "") this.#why = "it closed the connection";
    const addresses = this.#events.addresses();
    if (this.#serves) {
      this.#serves = false;
      this.#events.lost();
    }
    this.#tried += 1;
    const { length } = addresses;
    if (this.#tried % length === 0 && !this.#events.inVain(this.#tried / length, this.#why)) return;
    const at = addresses.findIndex((a) => sameAddress(a, this.address));
    this.address = addresses[(at + 1) % length] as Address;
    if (this.#tried < length) return void this.#clock.soon(() => this.dial());
    this.#timer = this.#clock.after(ROUND_PAUSE_MS * (0.5 + this.#clock.random()), () => this.dial());
  }
}
