/** What the host measures of the links that are up: how far away the others are, and what a line carries [E15] [R10]. */
import { type Millis, makerOf, sameProcess } from "../../core/ids.ts";
import type { Input } from "../engine.ts";
import type { Election } from "./election.ts";
import type { Followership } from "./followership.ts";
import type { Leadership } from "./leadership.ts";
import type { Node } from "./node.ts";
import type { Sender } from "./sender.ts";

interface LineParts {
  readonly leadership: Leadership | null;
  readonly followership: Pick<Followership, "onReceiving">;
  readonly election: Pick<Election, "onReceiving">;
  readonly sender: Pick<Sender, "onSending">;
}

type Of<T extends Input["type"]> = Extract<Input, { readonly type: T }>;

export class LineNews {
  readonly #node: Node;
  readonly #parts: LineParts;

  constructor(node: Node, parts: LineParts) {
    this.#node = node;
    this.#parts = parts;
  }

  onMeasured({ link, roundTrip, disk }: Of<"measured">): void {
    const node = this.#node;
    const from = node.links.get(link);
    // Of members only: there are few of them.
    if (from !== undefined && node.memberOf(from) !== null) node.timeouts.onMeasured(from, roundTrip, disk);
  }

  /** Arriving bytes count, not only whole frames; and what is under way is not lost. */
  onFlow({ link, window, frame, receives, arrivedUntil }: Of<"flow">): void {
    const node = this.#node;
    const other = node.links.get(link);
    if (other === undefined) return;
    other.window = window;
    other.frame = frame;
    if (receives) this.#onReceiving(other, node.now);
    if (arrivedUntil === null) return;
    node.timeouts.onSending(other);
    this.#parts.leadership?.onSending(other);
    this.#parts.sender.onSending(other, arrivedUntil);
  }

  #onReceiving(other: Parameters<Followership["onReceiving"]>[0] & { readonly boot: number }, now: Millis): void {
    const { timeouts, leader } = this.#node;
    timeouts.onReceiving();
    if (leader !== null && sameProcess(makerOf(leader.ballot), other)) leader.heard = now;
    this.#parts.leadership?.onReceiving(other);
    this.#parts.followership.onReceiving(other);
    this.#parts.election.onReceiving(other);
  }
}
