/**
 * One connection: handshake, framing, and a send queue in which control frames go ahead of bulk [W5]. The links deal
 * with what the frames mean to the cluster.
 */
import type { Address } from "../../core/address.ts";
import type { Attach } from "../../core/client-frames.ts";
import { DEFAULT_TIMINGS, QUEUE_BYTES_MAX, REASON_CHARS_MAX, TIMEOUT_MS_MAX } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { LinkId, Millis } from "../../core/ids.ts";
import type { Hello, Refuse } from "../../core/message.ts";
import { commonVersion, type SaidVersions, type Versions, versionsOf } from "../../core/versions.ts";
import { FrameDecoder } from "../../wire/decoder.ts";
import { encodeFrame, encodeGreeting } from "../../wire/encode.ts";
import { cut } from "../../wire/text.ts";
import { WireError, WrongVersion } from "../../wire/wire-error.ts";
import type { Clock, Connection, ConnectionHandler, Network, Timer } from "../contracts.ts";
import { byteLength } from "../store/bytes.ts";
import { newTarget, type Target } from "./dialler.ts";
import { Window } from "./window.ts";

/** Bulk waits while more than this is queued, so that a heartbeat never stands behind megabytes. */
const BULK_QUEUE_BYTES = 256 * 1024;
/** At the end, the other side has this long to read what is queued. */
const LINGER_MS = 2000;
/** The smallest difference that clocks show. */
const PING_STEP_MS = 0.001;

export interface ChannelEvents {
  hello(channel: Channel, theirs: Hello): void;
  /** The other side is a client, not a peer [S8]; the frames that follow are the client's. */
  attach(channel: Channel, frame: Attach): void;
  frame(channel: Channel, frame: Frame): void;
  refused(refuse: Refuse): void;
  malformed(why: string): void;
  closed(channel: Channel, code: string): void;
}

/** One connection: handshake, framing, queue. */
export class Channel {
  /** The address for which it was dialled; null: the other side has dialled. */
  readonly target: Target | null;
  readonly handler: ConnectionHandler;
  readonly remote: string;
  theirs: Hello | null = null;
  link: LinkId | null = null;
  /** The other side is a client. */
  isClient = false;
  /** The protocol version that both sides speak: known when the other side has greeted. */
  version: number | null = null;
  heardAt: number;
  /** The longest time without incoming bytes, in milliseconds, since the measuring code set it to 0. */
  silence = 0;
  sentAt: number;
  /** Bounds the bulk under way. */
  readonly window = new Window();
  #pingedAt = 0;
  /** When the first bytes of the incomplete frame came. */
  #frameSince = 0;
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #events: ChannelEvents;
  readonly #decoder: FrameDecoder;
  readonly #versions: Versions;
  readonly #handshake: Timer;
  #linger: Timer | null = null;
  #open = false;
  /** Whole frames. */
  #bulk: (readonly Uint8Array[])[] = [];
  #bulkBytes = 0;
  /** Nothing more is sent. */
  #over = false;
  /** This side has refused the other, and only listens for its reply. */
  #refused = false;
  /** Bytes came that cannot be framed: the rest is ignored. */
  #broken = false;
  #closed = false;

  /** A client's connection to a peer. */
  static dial(
    { clock, network }: { readonly clock: Clock; readonly network: Network },
    { host, port }: Address,
    attach: Attach,
    events: Omit<ChannelEvents, "hello" | "attach">,
  ): Channel {
    const target = newTarget({ id: 0, host, port });
    // The handler is needed to connect, and the connection to make the channel.
    let channel: Channel | null = null;
    const connection = network.connect(host, port, {
      open: () => channel?.handler.open?.(),
      data: (bytes) => channel?.handler.data(bytes),
      drain: () => channel?.handler.drain(),
      close: (code) => channel?.handler.close(code),
    });
    channel = new Channel(clock, connection, target, attach, DEFAULT_TIMINGS.handshake, {
      ...events,
      hello: () => {},
      attach: (c) => c.destroy("no peer"),
    });
    return channel;
  }

  constructor(
    clock: Clock,
    connection: Connection,
    target: Target | null,
    greeting: Hello | Attach,
    handshake: number,
    events: ChannelEvents,
  ) {
    this.#clock = clock;
    this.#connection = connection;
    this.#events = events;
    this.#versions = versionsOf(greeting);
    this.#decoder = new FrameDecoder(this.#versions);
    this.target = target;
    this.remote = connection.remote;
    this.heardAt = this.sentAt = clock.now();
    const greet = () => {
      this.#open = true;
      this.write(encodeGreeting(greeting), false);
    };
    this.handler = {
      open: greet,
      data: (bytes) => this.#onData(bytes),
      drain: () => this.#pump(),
      close: (code) => this.#onClose(code),
    };
    this.#handshake = clock.after(handshake, () => {
      // A connection that is not open yet cannot carry a reason; it is dialled anew.
      if (!this.#open) this.destroy("ETIMEDOUT");
      else if (!this.isGreeted) this.refuse(refusal("malformed", `no HELLO within ${handshake} ms`));
    });
    if (target === null) greet();
  }

  /** The other side has said who it is. */
  get isGreeted(): boolean {
    return this.theirs !== null || this.isClient;
  }

  /** The two builds differ: the version that they speak is not the highest of both. */
  get isMixed(): boolean {
    return this.theirs !== null && (this.version !== this.#versions.max || this.version !== this.theirs.version);
  }

  /** The other side's name as the connection has proven it; null where it does not know. */
  get identity(): string | null {
    return this.#connection.identity;
  }

  /** Bulk is queued, or may not have arrived yet. */
  get isSending(): boolean {
    return this.#bulk.length > 0 || this.window.underWay > 0;
  }

  /** Bytes that wait to be taken by the other side. */
  get queued(): number {
    return this.#bulkBytes + this.#connection.queued;
  }

  /** When the frame that is still incomplete began to come in; null: there is none. */
  get receivesSince(): number | null {
    return this.#decoder.isWithinFrame ? this.#frameSince : null;
  }

  /** How long a client and its peer bear the other side's silence: longer where PINGs take long to be answered [E15]. */
  silenceBorne(heartbeat: Millis, leaderTimeout: Millis): Millis {
    const demanded = heartbeat + 2 * this.window.answers.bound;
    return Math.max(2 * leaderTimeout, Math.min(demanded, TIMEOUT_MS_MAX));
  }

  /**
   * Asks for an answer, which proves that everything sent before has arrived. Returns the value that the PONG will
   * repeat.
   */
  ping(): number {
    // Two PINGs of the same moment must differ.
    const at = Math.max(this.#clock.now(), this.#pingedAt + PING_STEP_MS);
    this.#pingedAt = at;
    this.write(encodeFrame({ type: "PING", at }), false);
    this.window.mark(at);
    return at;
  }

  write(pieces: readonly Uint8Array[], bulk: boolean): void {
    if (this.#over) return;
    if (bulk) {
      this.#bulk.push(pieces);
      this.#bulkBytes += byteLength(pieces);
      return this.#isTooLong() ? undefined : this.#pump();
    }
    this.sentAt = this.#clock.now();
    for (const piece of pieces) this.#connection.write(piece);
    this.#isTooLong();
  }

  /** A peer that reads too slowly is dropped: it comes back and catches up from disk [R7] [S9]. */
  #isTooLong(): boolean {
    if (this.queued <= QUEUE_BYTES_MAX) return false;
    this.#events.malformed(`more than ${QUEUE_BYTES_MAX} bytes wait to be read there`);
    this.destroy("slow");
    return true;
  }

  /** Says why and closes: at once; or, if `patient`, when the other side has refused as well or the time is up. */
  refuse(refuse: Refuse, patient = false): void {
    this.write(encodeFrame(refuse), false);
    if (!patient) return this.end();
    this.#over = true;
    this.#refused = true;
    this.#linger = this.#clock.after(LINGER_MS, () => this.destroy("lingered"));
  }

  end(): void {
    if (this.#refused) return this.#connection.end();
    if (this.#over) return;
    this.#over = true;
    for (const piece of this.#bulk.flat()) this.#connection.write(piece);
    this.#connection.end();
    // If the other side neither reads nor closes, or the cable is cut, this side closes all the same.
    this.#linger = this.#clock.after(LINGER_MS, () => this.destroy("lingered"));
  }

  destroy(code: string): void {
    this.#connection.destroy();
    this.#onClose(code);
  }

  /** A frame is always written whole: a control frame may only come between frames. */
  #pump(): void {
    if (this.#over || this.#bulk.length === 0) return;
    let sent = 0;
    while (sent < this.#bulk.length && this.#connection.queued <= BULK_QUEUE_BYTES && this.window.isOpen) {
      const frame = this.#bulk[sent] as readonly Uint8Array[];
      const bytes = byteLength(frame);
      for (const piece of frame) this.#connection.write(piece);
      this.#bulkBytes -= bytes;
      this.window.wrote(bytes);
      if (this.window.wantsMark) this.ping();
      sent += 1;
    }
    if (sent === 0) return;
    this.sentAt = this.#clock.now();
    this.#bulk = this.#bulk.slice(sent);
  }

  #onData(bytes: Uint8Array): void {
    if (this.#broken) return;
    const now = this.#clock.now();
    this.silence = Math.max(this.silence, now - this.heardAt);
    this.heardAt = now;
    if (!this.#decoder.isWithinFrame) this.#frameSince = now;
    this.#decoder.push(bytes);
    this.#read(now);
  }

  #read(now: Millis): void {
    try {
      for (let frame = this.#decoder.next(); frame !== null; frame = this.#decoder.next()) {
        this.#onFrame(frame);
        this.#frameSince = now;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (error instanceof WrongVersion && !this.#refused) {
        // The other side refuses this one as well, and its people are told which peer did.
        this.refuse(refusal("wrong-version", error.message), true);
        return this.#read(now);
      }
      this.#broken = true;
      this.#events.malformed(error.message);
      this.refuse(refusal("malformed", `what came is not chatpeer's protocol: ${error.message}`));
    }
  }

  #onFrame(frame: Frame): void {
    if (frame.type === "REFUSE") {
      this.#events.refused(frame);
      return this.end();
    }
    if (this.#refused) return;
    if (frame.type === "HELLO") {
      if (this.isGreeted) throw new WireError("a second HELLO");
      this.theirs = frame;
      this.#onGreeting(frame);
      return this.#events.hello(this, frame);
    }
    if (frame.type === "ATTACH") {
      if (this.isGreeted || this.target !== null)
        throw new WireError("ATTACH to a side that is no peer, or a second one");
      this.isClient = true;
      this.#onGreeting(frame);
      return this.#events.attach(this, frame);
    }
    if (frame.type === "PONG") {
      this.window.answered(frame.at, this.#clock.now());
      this.#pump();
    }
    // Frames that arrive after this side has replaced the connection by another one still count.
    if (this.isGreeted) this.#events.frame(this, frame);
  }

  #onGreeting(said: SaidVersions): void {
    this.version = commonVersion(this.#versions, versionsOf(said));
    this.#handshake.cancel();
  }

  #onClose(code: string): void {
    this.#handshake.cancel();
    this.#linger?.cancel();
    if (this.#closed) return;
    this.#closed = true;
    this.#over = true;
    this.#events.closed(this, code);
  }
}

export function refusal(code: Refuse["code"], message: string): Refuse {
  return { type: "REFUSE", code, message: cut(message, REASON_CHARS_MAX), seed: "" };
}
