/**
 * A program that embeds a peer and reads its messages [C1]: it handles the messages that are there, and acknowledges
 * them by asking for more. What it has handled outlives its process, like an effect on the outside world.
 */
import type { Timer } from "../host/contracts.ts";
import type { DeliveredMessage } from "../host/events.ts";
import { type Hand, Inbox, type InboxHost } from "../host/inbox.ts";

/** Number of messages that are handled together. */
const BATCH_MESSAGES = 256;

export class Application {
  readonly inbox: Inbox;
  readonly #after: (ms: number, fn: () => void) => Timer;
  readonly #handleMs: number;
  readonly #handled: (message: DeliveredMessage) => void;
  #hand: Hand | null = null;

  constructor(
    host: InboxHost,
    after: (ms: number, fn: () => void) => Timer,
    handleMs: number,
    handled: (message: DeliveredMessage) => void,
  ) {
    this.inbox = new Inbox(host);
    this.#after = after;
    this.#handleMs = handleMs;
    this.#handled = handled;
  }

  deliver(message: DeliveredMessage): void {
    this.inbox.push(message);
    if (this.#hand === null) this.#goOn();
  }

  #goOn(): void {
    this.#hand = this.inbox.take(BATCH_MESSAGES);
    const hand = this.#hand;
    if (hand === null) return;
    this.#after(this.#handleMs, () => {
      for (const message of hand.messages) this.#handled(message);
      this.inbox.done(hand);
      this.#goOn();
    });
  }
}
