/**
 * One data directory that runs twice: it was copied, and the copy was started beside the original [E16]. Each of the
 * two may promise and acknowledge things that the other does not know of, so no quorum can count them as one member.
 *
 * After a restart two processes of one member are heard of as well: frames of the dead one may be under way, and its
 * connection may look open. So when both are known, both are asked. They are twins if both answer.
 */
import { TWINS_TOLD_MAX } from "../core/config.ts";
import { type MemberKey, type ProcessKey, sameMember } from "../core/ids.ts";
import type { Hello, Refuse, Twin, TwinsSeen } from "../core/message.ts";
import { twinsText } from "../core/twin-text.ts";
import { refusal } from "./net/channel.ts";
import { processName } from "./net/dialler.ts";

/** A process of a member, and where it listens. */
type Process = ProcessKey & Twin;

/** Two processes of one member, by what they said of themselves. */
export type Pair = readonly [Process, Process];

interface Suspicion {
  readonly pair: Pair;
  readonly askedAt: number;
  /** By process. */
  readonly answered: Set<string>;
}

/** Beyond this number all are forgotten: a twin that comes back is found again. */
const REFUSED_MAX = 1000;

export class Twins {
  #suspicions: Suspicion[] = [];
  /** For each refused process, its twin. */
  readonly #refused = new Map<string, Process>();
  #seen: Pair[] = [];

  /** Both are asked now; if one is this very process it needs no question. */
  suspect(pair: Pair, askedAt: number, answered: readonly Process[] = []): void {
    this.#suspicions.push({ pair, askedAt, answered: new Set(answered.map(processName)) });
  }

  /** A process has answered the question of that time; returns the twins that this proves. */
  onAnswer(from: Process, askedAt: number): Pair | null {
    for (const suspicion of this.#suspicions) {
      if (askedAt < suspicion.askedAt || !suspicion.pair.some((one) => processName(one) === processName(from)))
        continue;
      suspicion.answered.add(processName(from));
      if (suspicion.answered.size === 2) return this.#convict(suspicion.pair);
    }
    return null;
  }

  /** Another member has seen these twins. Returns false if they were known. */
  learn(pair: Pair): boolean {
    if (pair.every((one) => this.#refused.has(processName(one)))) return false;
    this.#convict(pair);
    return true;
  }

  #convict(pair: Pair): Pair {
    this.onGone(pair[0]);
    if (this.#refused.size >= REFUSED_MAX) this.#refused.clear();
    for (const [i, one] of pair.entries()) this.#refused.set(processName(one), pair[1 - i] as Process);
    this.decided(pair[0]);
    // This peer itself may be shown as one more.
    this.#seen = [...this.#seen, pair].slice(1 - TWINS_TOLD_MAX);
    return pair;
  }

  /** That process has no connection any more; returns the processes that are no longer suspected. */
  onGone(who: Process): Process[] {
    const isOf = ({ pair }: Suspicion) => pair.some((one) => processName(one) === processName(who));
    const freed = this.#suspicions.filter(isOf).flatMap(({ pair }) => pair);
    this.#suspicions = this.#suspicions.filter((suspicion) => !isOf(suspicion));
    return freed.filter((one) => processName(one) !== processName(who));
  }

  /** A process that was started later is let in: a person has decided which one stays. */
  decided(member: MemberKey): void {
    this.#seen = this.#seen.filter(([one]) => !sameMember(one, member));
  }

  /** Twins that were found, of members of which no later process was started. */
  get seen(): readonly Pair[] {
    return this.#seen;
  }

  /** The refusal for a process that was found to be a twin, or null. */
  refusalOf(hello: Hello): Refuse | null {
    const twin = this.#refused.get(processName(hello));
    return twin === undefined ? null : refuseTwin(hello, twin);
  }
}

export function refuseTwin(one: Process, twin: Process): Refuse {
  return { ...refusal("twins", twinsText(one.id, [one, twin])), twin: whereOf(twin) };
}

/** What is said of twins to peers that may have met only one of them. */
export function twinsSeen({ id, inc }: MemberKey, at: readonly Twin[]): TwinsSeen {
  return { type: "TWINS", id, inc, at: at.map(whereOf) };
}

export function pairOf({ id, inc, at }: TwinsSeen): Pair {
  return at.map((one) => ({ id, inc, ...one })) as unknown as Pair;
}

export function whereOf({ boot, host, port }: Twin): Twin {
  return { boot, host, port };
}
