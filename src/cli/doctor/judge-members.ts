/**
 * Whether the addresses that a peer knows of the others lead to them: what its log says, what --seed says, and who answers.
 * A peer dials them all; where they disagree a person should know which is out of date.
 */
import { type Address, place, sameAddress } from "../../core/address.ts";
import type { Key } from "../../core/ids.ts";
import { type Finding, problem, well } from "./finding.ts";
import type { Greeting } from "./greeting.ts";
import { noPeer } from "./peers.ts";

/** A member by the log, or a seed; `inc` is null where only a person says that it is there. */
export interface Known {
  readonly id: number;
  readonly inc: string | null;
  readonly address: Address;
  /** In a secured cluster, by the log. */
  readonly key?: Key;
}

/** What the peer that is to run here knows of the others, and of itself. */
export interface Knowledge {
  readonly id: number;
  readonly members: readonly Known[];
  readonly seeds: readonly Known[];
  /** Where the log says that this peer is; null: it says nothing. */
  readonly own: Address | null;
  /** Where it will be; null: not known before it starts. */
  readonly at: Address | null;
}

export interface Answered {
  readonly address: Address;
  readonly greeting: Greeting;
}

export function judgeMembers(known: Knowledge, answered: readonly Answered[], timeoutMs: number): Finding[] {
  const others = known.members.filter((m) => m.id !== known.id);
  const met = new Answers(answered, timeoutMs);
  return [
    ...others.map((member) => judgeMember(member, known, met)),
    ...known.seeds.map((seed) => judgeSeed(seed, known, met)),
    ...judgeOwn(known, met),
  ];
}

function judgeMember(member: Known, { seeds }: Knowledge, met: Answers): Finding {
  const { id, address } = member;
  const about = place(address);
  const where = met.find(member);
  if (where.some((a) => sameAddress(a, address))) return well(about, `peer ${id} answers, where the log says it is`);
  const seed = seeds.find((s) => s.id === id && where.some((a) => sameAddress(a, s.address)));
  if (seed !== undefined)
    return well(about, `peer ${id} is no longer here, as the log says, but at ${place(seed.address)}, as --seed says`);
  const [elsewhere] = where;
  if (elsewhere !== undefined)
    return problem(
      about,
      "moved",
      `peer ${id} is no longer here, as the log says, but at ${place(elsewhere)}: start with --seed ${id}:${place(elsewhere)}, once`,
    );
  const there = met.at(address);
  if (there.result === "secured") return otherKey(member, there.key);
  if (there.result !== "peer") {
    const { code, message } = noPeer(about, address, there, met.timeoutMs);
    return problem(about, code, `the log says that peer ${id} is here. ${capital(message)} ${amend(id)}`);
  }
  const who = there.hello.id === id ? `another peer ${id}, with another directory,` : `peer ${there.hello.id}`;
  return problem(about, "moved", `the log says that peer ${id} is here, but ${who} answers. ${amend(id)}`);
}

function otherKey({ id, key, address }: Known, proven: Key): Finding {
  const about = place(address);
  if (key === undefined)
    return problem(
      about,
      "needs-tls",
      `the log says that peer ${id} is here, in a plain cluster; who answers is of a secured one, with the key ${proven}. If that was said here (/secure) while this peer was away, let it meet a member that is not secured yet, or join anew by an invitation`,
    );
  return problem(
    about,
    "key",
    `the log says that peer ${id} is here, with the key ${key}; who answers has another one, ${proven}. If peer ${id} has an empty directory now, /evict ${id} and invite it again; else somebody else listens there`,
  );
}

function amend(id: number): string {
  return `If peer ${id} has moved, start it with a --seed that is right, or this one with --seed ${id}:HOST:PORT, its new address`;
}

function judgeSeed(seed: Known, { id: own, members }: Knowledge, met: Answers): Finding {
  const { id, address } = seed;
  const about = place(address);
  if (id === own) return problem(about, "own-seed", `--seed names peer ${id}, which is this peer itself: leave it out`);
  const there = met.at(address);
  if (there.result === "secured") return securedSeed(seed, members, there.key);
  if (there.result === "peer")
    return there.hello.id === id
      ? well(about, `peer ${id} answers, where --seed says it is`)
      : problem(
          about,
          "wrong-seed",
          `--seed says that peer ${id} is here, but peer ${there.hello.id} answers: write --seed ${there.hello.id}:${about}, or the right address of peer ${id}`,
        );
  const { code, message } = noPeer(about, address, there, met.timeoutMs);
  const member = members.find((m) => m.id === id);
  const where = member === undefined ? [] : met.find(member);
  return where[0] === undefined
    ? problem(about, code, `--seed says that peer ${id} is here. ${capital(message)}`)
    : problem(about, "stale-seed", `--seed says that peer ${id} is here, but it is at ${place(where[0])}: correct it`);
}

function securedSeed({ id, address }: Known, members: readonly Known[], key: Key): Finding {
  const about = place(address);
  if (members.some((m) => m.id === id && m.key === key))
    return well(about, `peer ${id} answers, where --seed says it is`);
  return problem(
    about,
    "needs-tls",
    "a peer of a secured cluster is there: --seed is for plain ones. Ask a member for an invitation, and start with chatpeer join",
  );
}

function judgeOwn({ id, own, at, members }: Knowledge, met: Answers): Finding[] {
  if (own === null || at === null || sameAddress(own, at)) return [];
  const moves = `the log says that this peer, ${id}, is at ${place(own)}; it will be here`;
  const others = members.filter((m) => m.id !== id);
  if (others.some((m) => met.find(m).length > 0))
    return [well(place(at), `${moves}, and tell the others when it meets them`)];
  return [
    problem(
      place(at),
      "moved",
      `${moves}, and finds none of the others to tell: name one that runs with --seed ID:HOST:PORT`,
    ),
  ];
}

/** Which peers answered at which addresses. */
class Answers {
  readonly #answered: readonly Answered[];
  readonly timeoutMs: number;

  constructor(answered: readonly Answered[], timeoutMs: number) {
    this.#answered = answered;
    this.timeoutMs = timeoutMs;
  }

  at(address: Address): Greeting {
    const there = this.#answered.find((a) => sameAddress(a.address, address));
    return there?.greeting ?? { result: "unreachable", code: "ETIMEDOUT" };
  }

  /** All addresses at which that very peer answers. */
  find({ id, inc, key }: Known): Address[] {
    const isIt = (greeting: Greeting) => {
      if (greeting.result === "secured") return greeting.key === key;
      return greeting.result === "peer" && greeting.hello.id === id && (inc === null || greeting.hello.inc === inc);
    };
    return this.#answered.filter(({ greeting }) => isIt(greeting)).map(({ address }) => address);
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
