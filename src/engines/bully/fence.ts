/**
 * The one fence for what a leader sends. A frame with a ballot below the promise is refused; one above it waits for the
 * disk.
 */
import type { Frame } from "../../core/frame.ts";
import { type Ballot, compareBallots, type LinkId, sameBallot } from "../../core/ids.ts";
import type { Node } from "./node.ts";
import type { RoleChanges } from "./role-changes.ts";

/**
 * Frames that wait for a promise which is still on its way to disk. Further ones are dropped; their sender sends them
 * again.
 */
const WAITING_FRAMES_MAX = 64;

interface Waiting {
  readonly link: LinkId;
  readonly frame: Frame;
}

export class Fence {
  readonly #node: Node;
  readonly #roles: Pick<RoleChanges, "raisePromise">;
  #waiting: Waiting[] = [];
  /** A ballot whose leader has said that it no longer leads. Its frames that are still under way are ignored. */
  #abdicated: Ballot | null = null;

  constructor(node: Node, roles: Pick<RoleChanges, "raisePromise">) {
    this.#node = node;
    this.#roles = roles;
  }

  /** Whether leader traffic under `ballot` may be taken now. */
  passes(link: LinkId, frame: Frame, ballot: Ballot): boolean {
    const node = this.#node;
    const order = compareBallots(ballot, node.promised);
    if (order < 0) {
      node.send(link, { type: "NACK", ballot, promised: node.promised, led: node.hearsLeader });
      return false;
    }
    if (this.#abdicated !== null && sameBallot(ballot, this.#abdicated)) return false;
    if (order > 0) this.#roles.raisePromise(ballot);
    if (node.promiseDurable) return true;
    if (this.#waiting.length < WAITING_FRAMES_MAX) this.#waiting.push({ link, frame });
    return false;
  }

  onPromise(): void {
    this.#waiting = [];
  }

  /** Returns the frames that waited for the promise, which is durable now. */
  onPromiseDurable(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  onLinkDown(link: LinkId): void {
    this.#waiting = this.#waiting.filter((w) => w.link !== link);
  }

  onAbdicate(ballot: Ballot): void {
    this.#abdicated = ballot;
  }
}
