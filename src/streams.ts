/** A program's loops over messages: from the inbox of its directory [C1], or from the log itself [C3]. */
import { checked, checkedRoom, READ } from "./arguments.ts";
import type { MessageStream, ReadOptions } from "./chat-peer.ts";
import type { LogIndex } from "./core/ids.ts";
import type { Clock } from "./host/contracts.ts";
import type { MessageBlock } from "./host/delivery.ts";
import type { DeliveredMessage } from "./host/events.ts";
import type { Hand, Inbox } from "./host/inbox.ts";
import type { PeerError } from "./peer-error.ts";
import { refuseAborted } from "./waits.ts";

export interface StreamsHost {
  readonly commit: LogIndex;
  readonly acknowledged: LogIndex;
  messagesAfter(after: LogIndex, room: string | null): MessageBlock;
}

/** The source of one loop's pieces. */
interface Source<T> {
  /** The loop is done with the piece it had. */
  done(): void;
  /** The next piece; undefined: there is none now. */
  take(): T | undefined;
  /** There may be a next piece even if nothing has happened. */
  readonly isBehind: boolean;
  /** The loop has ended in the middle of its piece. */
  giveBack(): void;
}

export class Streams {
  readonly messages: MessageStream<DeliveredMessage>;
  readonly batches: MessageStream<readonly DeliveredMessage[]>;
  readonly #host: StreamsHost;
  readonly #inbox: Inbox;
  readonly #clock: Pick<Clock, "soon">;
  #ended: { readonly error: PeerError | null } | null = null;
  #waiting: (() => void)[] = [];

  constructor(host: StreamsHost, inbox: Inbox, clock: Pick<Clock, "soon">) {
    this.#host = host;
    this.#inbox = inbox;
    this.#clock = clock;
    const one = ([message]: readonly DeliveredMessage[]) => message as DeliveredMessage;
    this.messages = this.#stream(1, one, (from) => new Singly(from));
    this.batches = this.#stream(
      Number.POSITIVE_INFINITY,
      (messages) => messages,
      (from) => from,
    );
  }

  /**
   * Something came, or the stream ended: waiting loops look again when this turn ends, and find everything that came
   * together.
   */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Ends all loops; if there is an error they throw it. */
  end(error: PeerError | null): void {
    this.#ended = { error };
    this.wake();
  }

  get ended(): { readonly error: PeerError | null } | null {
    return this.#ended;
  }

  /**
   * Waits until something comes. A loop that has more of the log to look through only lets everything else go first.
   */
  pause(isBehind: boolean): Promise<void> {
    return new Promise((go) => {
      if (isBehind) this.#clock.soon(go);
      else this.#waiting.push(go);
    });
  }

  #stream<T>(
    count: number,
    piece: (messages: readonly DeliveredMessage[]) => T,
    own: (from: FromLog) => Source<T>,
  ): MessageStream<T> {
    const over = (open: () => Source<T>, signal?: AbortSignal): AsyncIterable<T> => ({
      [Symbol.asyncIterator]: () => new Loop(this, open(), signal),
    });
    const shared = () => new FromInbox(this.#inbox, count, piece);
    const stream = (options: ReadOptions = {}): AsyncIterable<T> => {
      const { from, room, signal } = checked(READ, options, "the options of a stream");
      if (from === undefined && room === undefined) return over(shared, signal);
      const after = this.#placeOf(from);
      const only = room === undefined ? null : checkedRoom(room);
      return over(() => own(new FromLog(this.#host, after, only)), signal);
    };
    return Object.assign(stream, over(shared));
  }

  #placeOf(from: ReadOptions["from"]): LogIndex {
    if (from === undefined) return this.#host.acknowledged;
    if (from === "new") return this.#host.commit;
    return from === "start" ? 0 : Math.max(0, from - 1);
  }
}

class Loop<T> implements AsyncIterableIterator<T, undefined> {
  readonly #streams: Streams;
  readonly #source: Source<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #wake: () => void;
  #closed = false;
  /** Settles when all calls so far are answered. */
  #asked: Promise<unknown> | null = null;

  constructor(streams: Streams, source: Source<T>, signal: AbortSignal | undefined) {
    this.#streams = streams;
    this.#source = source;
    this.#signal = signal;
    this.#wake = () => streams.wake();
    signal?.addEventListener("abort", this.#wake);
  }

  /** Answers one call after the other, even if a program calls several times at once. */
  next(): Promise<IteratorResult<T, undefined>> {
    const answer = this.#asked === null ? this.#next() : this.#asked.then(() => this.#next());
    const answered = () => {
      if (this.#asked === asked) this.#asked = null;
    };
    const asked: Promise<unknown> = answer.then(answered, answered);
    this.#asked = asked;
    return answer;
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    const source = this.#source;
    if (!this.#closed) source.done();
    for (;;) {
      const { ended } = this.#streams;
      const isAborted = this.#signal?.aborted === true;
      if (this.#closed || ended !== null || isAborted) {
        const wasClosed = this.#closed;
        this.#close();
        if (!wasClosed && ended === null) refuseAborted(this.#signal);
        if (!wasClosed && ended?.error) throw ended.error;
        return { done: true, value: undefined };
      }
      const value = source.take();
      if (value !== undefined) return { done: false, value };
      await this.#streams.pause(source.isBehind);
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    if (!this.#closed) this.#source.giveBack();
    this.#close();
    this.#streams.wake();
    return { done: true, value: undefined };
  }

  #close(): void {
    this.#closed = true;
    this.#signal?.removeEventListener("abort", this.#wake);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

class FromInbox<T> implements Source<T> {
  readonly isBehind = false;
  readonly #inbox: Inbox;
  readonly #count: number;
  readonly #piece: (messages: readonly DeliveredMessage[]) => T;
  #hand: Hand | null = null;

  constructor(inbox: Inbox, count: number, piece: (messages: readonly DeliveredMessage[]) => T) {
    this.#inbox = inbox;
    this.#count = count;
    this.#piece = piece;
  }

  done(): void {
    if (this.#hand !== null) this.#inbox.done(this.#hand);
    this.#hand = null;
  }

  take(): T | undefined {
    this.#hand = this.#inbox.take(this.#count);
    return this.#hand === null ? undefined : this.#piece(this.#hand.messages);
  }

  giveBack(): void {
    if (this.#hand !== null) this.#inbox.giveBack(this.#hand);
    this.#hand = null;
  }
}

/** The log from a place on, one block at a time. Each reader has its own, so nothing has to be given back. */
class FromLog implements Source<readonly DeliveredMessage[]> {
  readonly #host: StreamsHost;
  readonly #room: string | null;
  #after: LogIndex;

  constructor(host: StreamsHost, after: LogIndex, room: string | null) {
    this.#host = host;
    this.#after = after;
    this.#room = room;
  }

  get isBehind(): boolean {
    return this.#after < this.#host.commit;
  }

  take(): readonly DeliveredMessage[] | undefined {
    const { messages, through } = this.#host.messagesAfter(this.#after, this.#room);
    this.#after = through;
    return messages.length > 0 ? messages : undefined;
  }

  done(): void {}

  giveBack(): void {}
}

/** Hands out one message at a time from blocks. */
class Singly implements Source<DeliveredMessage> {
  readonly #from: FromLog;
  #block: readonly DeliveredMessage[] = [];
  #next = 0;

  constructor(from: FromLog) {
    this.#from = from;
  }

  get isBehind(): boolean {
    return this.#from.isBehind;
  }

  take(): DeliveredMessage | undefined {
    if (this.#next === this.#block.length) {
      this.#block = this.#from.take() ?? [];
      this.#next = 0;
    }
    if (this.#next === this.#block.length) return undefined;
    return this.#block[this.#next++];
  }

  done(): void {}

  giveBack(): void {}
}
