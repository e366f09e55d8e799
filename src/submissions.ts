/** Messages that a program has submitted, until each is sent. */
import { checked, WAIT } from "./arguments.ts";
import type { Sent, Submission } from "./chat-peer.ts";
import type { Clock } from "./host/contracts.ts";
import { PeerError } from "./peer-error.ts";
import { type WaitOptions, waitFor } from "./waits.ts";

/** Number of settled submissions that are dropped together. */
const SETTLED_KEPT = 1024;

export class Submissions {
  readonly #clock: Pick<Clock, "after">;
  /** Number of messages taken, and of these sent; and the id of the first one. */
  #taken = 0;
  #sent = 0;
  #firstId: string | null = null;
  /**
   * The submissions that the program may hold, in the order in which they were taken; those before `#settled` are sent.
   */
  #open: OpenSubmission[] = [];
  #settled = 0;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  onTaken(msgId: string): void {
    this.#firstId ??= msgId;
    this.#taken += 1;
  }

  /** A message may have got another id, because somebody else has used its number. */
  onPending({ msg_id, was }: { readonly msg_id: string; readonly was?: string }): void {
    if (was !== undefined && was === this.#firstId) this.#firstId = msg_id;
  }

  /** The submission for the message that was taken last. */
  ofLast(msgId: string): Submission {
    const last = new OpenSubmission(this.#clock, msgId, this.#taken);
    this.#open.push(last);
    return last;
  }

  /** Messages are sent in the order in which they were taken; those that an earlier process left go first. */
  onSent(sent: Sent): void {
    if (this.#sent === 0 && sent.msg_id !== this.#firstId) return;
    this.#sent += 1;
    const submission = this.#open[this.#settled];
    if (submission?.place !== this.#sent) return;
    submission.settle(sent);
    this.#settled += 1;
    if (this.#settled < SETTLED_KEPT && this.#settled < this.#open.length) return;
    this.#open = this.#open.slice(this.#settled);
    this.#settled = 0;
  }

  onClosed(): void {
    for (const submission of this.#open.slice(this.#settled))
      submission.fail(
        new PeerError(
          "closed",
          "this peer closed before the message was sent: it is kept and goes out at the next start",
        ),
      );
    this.#open = [];
  }
}

class OpenSubmission implements Submission {
  readonly msg_id: string;
  /** Its place among the messages taken, from 1. */
  readonly place: number;
  readonly #clock: Pick<Clock, "after">;
  #outcome: Sent | PeerError | null = null;
  /** Made when the program first waits. */
  #waiters: Set<Waiter> | null = null;

  constructor(clock: Pick<Clock, "after">, msgId: string, place: number) {
    this.#clock = clock;
    this.msg_id = msgId;
    this.place = place;
  }

  async sent(options: WaitOptions = {}): Promise<Sent> {
    const wait = checked(WAIT, options, "the options of sent");
    if (this.#outcome instanceof PeerError) throw this.#outcome;
    if (this.#outcome !== null) return placeOf(this.#outcome);
    const late = () =>
      `the message is not sent after ${wait.timeout} ms: it is kept and goes out when a majority is there`;
    return waitFor(this.#clock, wait, late, (resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters ??= new Set();
      this.#waiters.add(waiter);
      return () => this.#waiters?.delete(waiter);
    });
  }

  settle(sent: Sent): void {
    this.#outcome = sent;
    for (const { resolve } of this.#waiters ?? []) resolve(placeOf(sent));
  }

  fail(error: PeerError): void {
    this.#outcome = error;
    for (const { reject } of this.#waiters ?? []) reject(error);
  }
}

interface Waiter {
  readonly resolve: (sent: Sent) => void;
  readonly reject: (error: PeerError) => void;
}

/** The place of a sent message, without the event's other fields. */
function placeOf({ msg_id, index, room_id, seq_no }: Sent): Sent {
  return { msg_id, index, room_id, seq_no };
}
