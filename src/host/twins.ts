/**
 * One data directory that runs twice: it was copied, and the copy was started beside the original [E16]. Each of the two
 * may promise and acknowledge what the other does not know of, so no quorum can count them as one member.
 *
 * A restart is no such thing, though two processes of one member are heard of then as well: what a dead one has sent may
 * be under way, and its connection look open. So both are asked when both are known. Twins are those who both answer.
 */
import { TWINS_TOLD_MAX } from "../core/config.ts";
import { type MemberKey, sameMember } from "../core/ids.ts";
import type { Hello, Refuse, Twin } from "../core/message.ts";
import { twinsText } from "../core/twin-text.ts";
import { refusal } from "./net/channel.ts";
import { processName } from "./net/dialler.ts";

/** Two processes of one member, by what they said of themselves. */
export type Pair = readonly [Hello, Hello];

interface Suspicion {
  readonly pair: Pair;
  readonly askedAt: number;
  /** By process. */
  readonly answered: Set<string>;
}

/** More processes are forgotten all together: who comes back is found out again. */
const REFUSED_MAX = 1000;

export class Twins {
  #suspicions: Suspicion[] = [];
  /** Of each process that is refused, its twin. */
  readonly #refused = new Map<string, Hello>();
  #seen: Pair[] = [];

  /** Both are asked now; one that is this very process needs no question. */
  suspect(pair: Pair, askedAt: number, answered: readonly Hello[] = []): void {
    this.#suspicions.push({ pair, askedAt, answered: new Set(answered.map(processName)) });
  }

  /** Somebody has answered what was asked then; returns the twins that this proves. */
  onAnswer(from: Hello, askedAt: number): Pair | null {
    for (const suspicion of this.#suspicions) {
      if (askedAt < suspicion.askedAt || !suspicion.pair.some((one) => processName(one) === processName(from)))
        continue;
      suspicion.answered.add(processName(from));
      if (suspicion.answered.size === 2) return this.#convict(suspicion.pair);
    }
    return null;
  }

  #convict(pair: Pair): Pair {
    this.onGone(pair[0]);
    if (this.#refused.size >= REFUSED_MAX) this.#refused.clear();
    for (const [i, one] of pair.entries()) this.#refused.set(processName(one), pair[1 - i] as Hello);
    this.decided(pair[0]);
    // This peer itself may be one more.
    this.#seen = [...this.#seen, pair].slice(1 - TWINS_TOLD_MAX);
    return pair;
  }

  /** Nobody is connected there any more; returns those of whom nothing is suspected now. */
  onGone(who: Hello): Hello[] {
    const isOf = ({ pair }: Suspicion) => pair.some((one) => processName(one) === processName(who));
    const freed = this.#suspicions.filter(isOf).flatMap(({ pair }) => pair);
    this.#suspicions = this.#suspicions.filter((suspicion) => !isOf(suspicion));
    return freed.filter((one) => processName(one) !== processName(who));
  }

  /** A process started since is let in: somebody has decided. */
  decided(member: MemberKey): void {
    this.#seen = this.#seen.filter(([one]) => !sameMember(one, member));
  }

  /** Who was found out and of whom nobody has started another process since. */
  get seen(): readonly Pair[] {
    return this.#seen;
  }

  /** What speaks against a process that was found out. */
  refusalOf(hello: Hello): Refuse | null {
    const twin = this.#refused.get(processName(hello));
    return twin === undefined ? null : refuseTwin(hello, twin);
  }
}

export function refuseTwin(hello: Hello, twin: Hello): Refuse {
  return { ...refusal("twins", twinsText(hello.id, [hello, twin])), twin: whereOf(twin) };
}

export function whereOf({ boot, host, port }: Twin): Twin {
  return { boot, host, port };
}
