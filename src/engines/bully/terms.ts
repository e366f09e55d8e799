/**
 * How far terms may go [E12]. They only rise, and a peer that hears of a higher one is bound to it, so a single frame
 * could use up all of them. So a process believes no term that elections could not have reached since it started, and
 * warns early when a cluster comes near its last term.
 */
import { lastTermAfter, TERM_LEAP_MAX, TERM_MAX, TERM_STEP_MAX, TERMS_LEFT_WARNED } from "../../core/config.ts";
import type { Frame } from "../../core/frame.ts";
import type { Ballot, Term } from "../../core/ids.ts";
import type { Node } from "./node.ts";

const WAY_ON =
  "wait until nothing is pending, stop all peers, run `chatpeer recover DIR --force` on the one with the longest log, and let the others join it with empty directories";

export class Terms {
  readonly #node: Node;
  /**
   * The term that this process started from; null while it has neither a log nor a promise, and so nothing to compare
   * with.
   */
  #start: Term | null;
  #warned = false;
  #told = false;

  constructor(node: Node) {
    this.#node = node;
    this.#start = node.log.last === 0 && node.promised.term === 0 ? null : node.promised.term;
  }

  /** The last one that this cluster may use. */
  get last(): Term {
    return lastTermAfter(this.#node.log.state.formerClusters.length);
  }

  /** The highest one that this peer believes in. */
  get highest(): Term {
    const { promised, self } = this.#node;
    if (this.#start === null) return TERM_MAX;
    const reachable = Math.max(this.#start + TERM_LEAP_MAX, promised.term + TERM_STEP_MAX);
    // The log of a peer that is still catching up may end before a recovery that others know of.
    return Math.min(reachable, this.#node.memberOf(self) === null ? TERM_MAX : this.last);
  }

  onPromise({ term }: Ballot): void {
    this.#start ??= term;
    const left = this.last - term;
    if (this.#warned || left >= TERMS_LEFT_WARNED || this.#node.memberOf(this.#node.self) === null) return;
    this.#warned = true;
    this.#node.notice("terms-low", `${Math.max(0, left)} terms are left, and then no leader can be elected: ${WAY_ON}`);
  }

  /** Tells people that no term is left for a ballot. */
  tellEnd(): void {
    if (this.#told) return;
    this.#told = true;
    this.#node.notice(
      "terms-used-up",
      `no leader can be elected any more, every term of this cluster is used: ${WAY_ON}`,
    );
  }
}

/** The highest term that a frame speaks of; 0 where it speaks of none. */
export function termIn(frame: Frame): Term {
  switch (frame.type) {
    case "HEARTBEAT":
      return Math.max(frame.ballot.term, frame.prev_ballot.term);
    case "SEQ_CHAT":
      return Math.max(frame.ballot.term, frame.prev_ballot.term, frame.entries.at(-1)?.term ?? 0);
    case "CATCHUP_RESP":
      return Math.max(
        frame.ballot?.term ?? 0,
        frame.prev_ballot.term,
        frame.entries.at(-1)?.term ?? 0,
        frame.hint?.ballot.term ?? 0,
      );
    case "SEQ_ACK":
      return Math.max(frame.ballot.term, frame.hint?.ballot.term ?? 0);
    case "CATCHUP_REQ":
      return Math.max(frame.ballot?.term ?? 0, frame.after.ballot.term);
    case "PROMISE":
      return Math.max(frame.ballot.term, frame.tail.ballot.term);
    case "ELECTION":
      return frame.tail.ballot.term;
    case "NACK":
      return Math.max(frame.ballot.term, frame.promised.term);
    case "COORDINATOR":
    case "PREPARE":
    case "ABDICATE":
    case "FORK":
      return frame.ballot.term;
    case "SEEN":
    case "ELECTION_OK":
    case "ELECTION_DENY":
    case "ELECTION_GRANT":
      return frame.promised.term;
    default:
      return 0;
  }
}
