/** Leaders and promises as the world has seen them: a ballot has one leader [I3], and promises do not go back [I7]. */
import { Violation } from "./violation.ts";

/** A ballot, as promise files and frames write it. */
export interface Promised {
  readonly term: number;
  readonly leader_id: number;
  readonly inc: string;
  readonly boot: number;
}

export class SeenBallots {
  /** ballot → the peer that opened it. */
  readonly #leaders = new Map<string, string>();
  /** Per directory: the promise that was last seen on its disk. */
  readonly #promises = new Map<string, Promised>();

  leads(who: string, ballot: string): void {
    const other = this.#leaders.get(ballot);
    if (other !== undefined && other !== who)
      throw new Violation("I3", `${other} and ${who} both lead with ballot ${ballot}`);
    this.#leaders.set(ballot, who);
  }

  /** Takes the durable promise of a directory [I7]. */
  promises(directory: string, promise: Promised): void {
    const before = this.#promises.get(directory);
    if (before !== undefined && comparePromises(promise, before) < 0)
      throw new Violation(
        "I7",
        `the promise of ${directory} goes back from ${before.term}.${before.leader_id} to ${promise.term}.${promise.leader_id}`,
      );
    this.#promises.set(directory, promise);
  }

  /** When a promise leaves a peer it must be on the disk already. */
  promiseLeft(directory: string, said: Promised, onDisk: Promised | null): void {
    if (onDisk === null || comparePromises(onDisk, said) < 0)
      throw new Violation(
        "I7",
        `${directory} promises ${said.term}.${said.leader_id}, while its disk says ${onDisk === null ? "nothing" : `${onDisk.term}.${onDisk.leader_id}`}`,
      );
  }
}

function comparePromises(a: Promised, b: Promised): number {
  return a.term - b.term || a.leader_id - b.leader_id || compareWords(a.inc, b.inc) || a.boot - b.boot;
}

function compareWords(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
