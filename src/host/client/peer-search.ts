/**
 * Finds a peer that serves a client [S8]. It dials one address after the other, round after round, each a moment after
 * the one before if that has not begun to serve by then. It stays with the first peer that serves, and goes on to the
 * next when that peer is gone.
 */
import { type Address, sameAddress } from "../../core/address.ts";
import type { Attach } from "../../core/client-frames.ts";
import { DEFAULT_TIMINGS, TIMEOUT_MS_MAX } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { Millis } from "../../core/ids.ts";
import type { Chat, Refuse } from "../../core/message.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Network, Timer } from "../contracts.ts";
import { Channel } from "../net/channel.ts";

export interface SearchEvents {
  /** Every address that is known now, at least one. */
  addresses(): Address[];
  /** Returns the first frame for a peer that is reached. */
  attach(): Attach;
  /** A frame of the peer that serves; ATTACHED comes first. */
  frame(frame: Frame): void;
  refused(refuse: Refuse, address: Address): void;
  /** The peer that served is gone. */
  lost(): void;
  /**
   * All addresses have been tried `rounds` times in vain; `why` says what failed last. Returning false ends the search.
   */
  inVain(rounds: number, why: string): boolean;
}

/** A peer that has not begun to serve by then is given up: one that was never heard, and one that is slow or far away. */
const [ATTACH_MS, FAR_ATTACH_MS] = [DEFAULT_TIMINGS.handshake, TIMEOUT_MS_MAX];
/**
 * The next address is tried after this shorter time: where a site has lost power, or all peers have new addresses, many
 * are silent.
 */
const STAGGER_MS = 400;
/** Pause between two rounds through all the addresses. */
const ROUND_PAUSE_MS = 300;

interface Try {
  readonly address: Address;
  timeout: Timer;
}

export class PeerSearch {
  readonly #ports: { readonly clock: Clock; readonly network: Network };
  readonly #events: SearchEvents;
  /** The address of the peer that serves, or the one tried last. */
  address: Address;
  /** The connection with the peer that serves. */
  #channel: Channel | null = null;
  /** Peers that are dialled and do not serve yet. The first one that does is kept. */
  readonly #tries = new Map<Channel, Try>();
  /** Addresses not tried yet in this round. A peer that served and is gone is the first of its round. */
  #left: Address[] = [];
  #rounds = 0;
  #why = "";
  /** Runs until the next try. */
  #timer: Timer | null = null;
  #over = false;
  /** The connection that closes was replaced by another one with the same peer. */
  #greetsAnew = false;

  constructor(ports: { readonly clock: Clock; readonly network: Network }, events: SearchEvents) {
    this.#ports = ports;
    this.#events = events;
    this.address = events.addresses()[0] as Address;
  }

  dial(): void {
    this.#left = this.#events.addresses();
    this.#try();
  }

  /** More than one peer is dialled, and any of them may still serve. */
  get triesSeveral(): boolean {
    return this.#tries.size > 1;
  }

  /** What was written may still be on its way to the peer. */
  get isSending(): boolean {
    return this.#channel?.isSending === true;
  }

  /** Writes all that there is to say, in frames that the line carries [R10]: `next` gives about that many bytes. */
  say(next: (bytes: number) => Chat | null): void {
    const bytes = this.#channel?.window.frame ?? 0;
    for (let chat = next(bytes); chat !== null; chat = next(bytes)) this.write(chat);
  }

  write(frame: Frame): void {
    this.#channel?.write(encodeFrame(frame), frame.type === "CHAT");
  }

  /** Greets the serving peer again, on another connection, because a connection is told only once who the client is. */
  again(): void {
    this.#greetsAnew = this.#channel !== null;
    this.#channel?.end();
  }

  /** Sends a PING where nothing else was sent; gives up a peer that has been silent for too long. */
  keepAlive(heartbeat: Millis, leaderTimeout: Millis): void {
    const channel = this.#channel;
    if (channel === null || this.#greetsAnew) return;
    const now = this.#ports.clock.now();
    if (now - channel.heardAt > channel.silenceBorne(heartbeat, leaderTimeout)) channel.destroy("silent");
    else if (now - channel.sentAt >= heartbeat) channel.ping();
  }

  close(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#channel?.end();
    this.#leaveTries();
  }

  #tryAfter(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.clock.after(ms, () => this.#try());
  }

  #try(): void {
    const address = this.#left.shift();
    if (this.#over || address === undefined) return;
    this.address = address;
    const dialled = Channel.dial(this.#ports, address, this.#events.attach(), {
      frame: (channel, frame) => this.#onFrame(channel, frame),
      refused: (refuse) => {
        this.#why = refuse.message;
        this.#events.refused(refuse, address);
      },
      malformed: (why) => {
        this.#why = why;
      },
      closed: (channel, code) => this.#onClosed(channel, code),
    });
    this.#tries.set(dialled, { address, timeout: this.#patience(dialled, ATTACH_MS) });
    this.#tryAfter(STAGGER_MS);
  }

  /** Gives up a connection that does not serve in time. */
  #patience(channel: Channel, ms: Millis, waited: Millis = 0): Timer {
    return this.#ports.clock.after(ms - waited, () => {
      const tried = this.#tries.get(channel);
      if (tried === undefined) return;
      if (ms === FAR_ATTACH_MS || !channel.isGreeted) return channel.destroy("ETIMEDOUT");
      tried.timeout = this.#patience(channel, FAR_ATTACH_MS, ms);
    });
  }

  #onFrame(channel: Channel, frame: Frame): void {
    if (frame.type === "PING") return channel.write(encodeFrame({ type: "PONG", at: frame.at }), false);
    const found = this.#tries.get(channel);
    if (found !== undefined && frame.type === "ATTACHED") this.#onFound(channel, found);
    if (channel === this.#channel) this.#events.frame(frame);
  }

  #onFound(channel: Channel, { address, timeout }: Try): void {
    timeout.cancel();
    this.#tries.delete(channel);
    this.#timer?.cancel();
    this.#channel = channel;
    this.address = address;
    this.#left = [];
    this.#rounds = 0;
    this.#why = "";
    this.#leaveTries();
  }

  #leaveTries(): void {
    const tries = [...this.#tries];
    this.#tries.clear();
    for (const [channel, { timeout }] of tries) {
      timeout.cancel();
      channel.end();
    }
  }

  #onClosed(channel: Channel, code: string): void {
    const wasServing = channel === this.#channel;
    const tried = this.#tries.get(channel);
    if (this.#over || (!wasServing && tried === undefined)) return;
    tried?.timeout.cancel();
    this.#tries.delete(channel);
    if (wasServing) this.#channel = null;
    if (wasServing && this.#greetsAnew) {
      this.#greetsAnew = false;
      this.#left = [this.address, ...this.#others()];
      return this.#tryAfter(0);
    }
    if (code !== "") this.#why = code;
    else if (this.#why === "") this.#why = "it closed the connection";
    if (wasServing) {
      this.#left = this.#others();
      this.#events.lost();
    }
    if (this.#left.length > 0) return this.#tryAfter(0);
    if (this.#tries.size > 0) return;
    this.#rounds += 1;
    if (!this.#events.inVain(this.#rounds, this.#why)) return;
    this.#left = [...this.#others(), this.address];
    this.#tryAfter(ROUND_PAUSE_MS * (0.5 + this.#ports.clock.random()));
  }

  /** All addresses but the last one, from there on. */
  #others(): Address[] {
    const all = this.#events.addresses();
    const at = all.findIndex((a) => sameAddress(a, this.address));
    return at < 0 ? all : [...all.slice(at + 1), ...all.slice(0, at)];
  }
}
