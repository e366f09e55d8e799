/**
 * What all processes were told, and what must follow from it. Shares no code with the product: it knows the script
 * interface and the lines of the log.
 */
import { checkHistory, type LoggedChat } from "../../test/e2e/history.ts";

export interface Message {
  readonly index: number;
  readonly msg_id: string;
  readonly payload: string;
}

/** One process's view: what it was told, in order. */
export interface Stream {
  readonly name: string;
  /** The stream before it of the same directory, which it goes on with; null for a new one, and for a client. */
  readonly after: Stream | null;
  readonly delivered: Message[];
}

export class Ledger {
  readonly violations: string[] = [];
  /** Told to be sent, by message id. */
  readonly sent = new Map<string, string>();
  /** By `send`, which gave these exit codes. */
  readonly oneShots = new Map<string, number>();
  readonly #streams: Stream[] = [];
  readonly #byIndex = new Map<number, Message>();
  readonly #pending = new Map<string, string>();

  get messages(): number {
    return this.#byIndex.size;
  }

  open(name: string, after: Stream | null): Stream {
    const stream: Stream = { name, after, delivered: [] };
    this.#streams.push(stream);
    return stream;
  }

  onPending(msgId: string, payload: string): void {
    this.#pending.set(msgId, payload);
  }

  onMessage(stream: Stream, { index, msg_id, payload }: Message): void {
    const before = stream.delivered.at(-1)?.index ?? 0;
    if (index <= before) this.#violated(`${stream.name} was told message ${index} behind ${before}`);
    const known = this.#byIndex.get(index);
    const message = known ?? { index, msg_id, payload };
    if (message.msg_id !== msg_id || message.payload !== payload)
      this.#violated(`at ${index} ${stream.name} was told ${msg_id}, others ${message.msg_id}`);
    this.#byIndex.set(index, message);
    stream.delivered.push(message);
  }

  onSent(stream: Stream, msgId: string): void {
    const payload = this.#pending.get(msgId);
    // A message that an earlier process of the same directory took: its text is known from then, or was never known.
    this.sent.set(msgId, payload ?? "");
    if (stream.delivered.findLast((message) => message.msg_id === msgId) === undefined)
      this.#violated(`${stream.name} was told that ${msgId} is sent before it was shown`);
  }

  /** All logs at the end, of peers that are level. */
  check(directories: readonly string[]): void {
    let chats: LoggedChat[];
    try {
      chats = checkHistory(directories, [...this.sent.keys()]);
    } catch (error) {
      return this.#violated((error as Error).message);
    }
    const place = new Map(chats.map((chat, i) => [chat.index, i]));
    for (const { index, msg_id, payload } of this.#byIndex.values()) {
      const logged = chats[place.get(index) ?? -1];
      if (logged === undefined || logged.msg_id !== msg_id || logged.payload !== payload)
        this.#violated(`at ${index} somebody was told ${msg_id}, the log has ${logged?.msg_id}`);
    }
    const texts = new Map<string, number>();
    for (const { payload } of chats) texts.set(payload, (texts.get(payload) ?? 0) + 1);
    for (const [msgId, payload] of this.sent)
      if (payload !== "" && texts.get(payload) !== 1)
        this.#violated(`${msgId} is sent, and its text stands in the log ${texts.get(payload) ?? 0} times`);
    for (const [text, code] of this.oneShots) {
      const times = texts.get(text) ?? 0;
      const right = code === 0 ? times === 1 : code === 1 ? times === 0 : times <= 1;
      if (!right)
        this.#violated(`send said ${code} of ${JSON.stringify(text)}, which stands in the log ${times} times`);
    }
    for (const stream of this.#streams) this.#checkStream(stream, place);
  }

  /** Everything between its first message and its last, and nothing between the end of the stream before and its first. */
  #checkStream({ name, after, delivered }: Stream, place: ReadonlyMap<number, number>): void {
    let last = after === null ? null : lastOf(after);
    for (const { index } of delivered) {
      const at = place.get(index) ?? -1;
      // Around a crash the last few may come again.
      const follows = last === null || at === last + 1 || (at <= last && delivered[0]?.index === index);
      if (!follows)
        return this.#violated(`${name} was told message ${at + 1} of the log behind message ${(last ?? 0) + 1}`);
      last = at;
    }

    function lastOf(stream: Stream): number | null {
      const index = stream.delivered.at(-1)?.index;
      if (index !== undefined) return place.get(index) ?? null;
      return stream.after === null ? null : lastOf(stream.after);
    }
  }

  #violated(what: string): void {
    this.violations.push(what);
  }
}
