/** Placement [M5]: who should vote. Its promises are held against every cluster that a generator can think of. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Candidate, type PlacementInput, placeVoters } from "../../../src/engines/bully/placement.ts";

const RUNS = { seed: 2, numRuns: 2000 };

/** Any cluster of up to nine: the leader votes and is fit; who is gone is not fit. */
const clusters: fc.Arbitrary<PlacementInput> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 9 }),
    fc.array(fc.record({ voter: fc.boolean(), fit: fc.boolean(), gone: fc.boolean() }), { minLength: 9, maxLength: 9 }),
    fc.nat(8),
  )
  .map(([ids, traits, lead]) => {
    const leader = ids[lead % ids.length] as number;
    let voters = 1;
    const members = ids.map((id, i): Candidate => {
      const { voter, fit, gone } = traits[i] as Omit<Candidate, "id">;
      if (id === leader) return { id, voter: true, fit: true, gone: false };
      // At most five ever vote.
      const votes = voter && voters < 5;
      if (votes) voters += 1;
      return { id, voter: votes, fit: fit && !gone, gone };
    });
    return { leader, members: members.sort((a, b) => a.id - b.id), leaderQuits: false };
  });

function holds(claim: (input: PlacementInput, chosen: Set<number>) => boolean): void {
  fc.assert(
    fc.property(clusters, (input) => claim(input, placeVoters(input))),
    RUNS,
  );
}

const oddUpTo = (n: number): number => [5, 3, 1].find((odd) => odd <= n) as number;
const votersIn = (input: PlacementInput): Candidate[] => input.members.filter((m) => m.voter);

/** Shorthand: `+` votes, `-` observes, then the id, then `?` not fit, `!` gone. */
function cluster(leader: number, ...members: string[]): PlacementInput {
  const parse = (m: string): Candidate => {
    const gone = m.endsWith("!");
    return { id: Number.parseInt(m.slice(1), 10), voter: m.startsWith("+"), fit: !gone && !m.endsWith("?"), gone };
  };
  return { leader, members: members.map(parse), leaderQuits: false };
}
const chosen = (input: PlacementInput): number[] => [...placeVoters(input)].sort((a, b) => a - b);

describe("what always holds", () => {
  test("their number is odd and no larger than the members allow, five at most", () => {
    holds((input, set) => set.size % 2 === 1 && set.size <= oddUpTo(input.members.length));
  });

  test("with everybody fit, it is the largest odd number up to the members or five", () => {
    holds((input) => {
      const fit = { ...input, members: input.members.map((m) => ({ ...m, fit: true, gone: false })) };
      return placeVoters(fit).size === oddUpTo(input.members.length);
    });
  });

  test("the leader is among them, and every one is a member", () => {
    holds((input, set) => set.has(input.leader) && [...set].every((id) => input.members.some((m) => m.id === id)));
  });

  test("only fit members are promoted, the highest ids first", () => {
    holds((input, set) => {
      const promoted = input.members.filter((m) => !m.voter && set.has(m.id));
      const passed = input.members.filter((m) => !m.voter && m.fit && !set.has(m.id));
      return promoted.every((p) => p.fit && passed.every((q) => q.id < p.id));
    });
  });

  test("nobody is promoted while a voter that is not gone loses its vote: none is replaced for its id", () => {
    holds((input, set) => {
      const dropped = votersIn(input).some((v) => !v.gone && !set.has(v.id));
      return !dropped || input.members.every((m) => m.voter || !set.has(m.id));
    });
  });

  test("a crash does not shrink the set: only who has left does", () => {
    holds((input, set) => {
      const voters = votersIn(input).length;
      return set.size >= oddUpTo(voters);
    });
  });

  test("a voter that is gone is replaced only by a fit observer", () => {
    holds((input, set) => {
      const promoted = input.members.filter((m) => !m.voter && set.has(m.id)).length;
      const gone = votersIn(input).filter((v) => v.gone && !set.has(v.id)).length;
      // A set that has just become even loses one more.
      return gone <= promoted + (votersIn(input).length % 2 === 0 ? 1 : 0);
    });
  });

  test("one step moves straight to the target: placing again changes nothing", () => {
    holds((input, set) => {
      const members = input.members.map((m) => ({ ...m, voter: set.has(m.id) }));
      const again = placeVoters({ ...input, members });
      return again.size === set.size && [...again].every((id) => set.has(id));
    });
  });

  test("a leader that quits changes nothing while there is a voter to hand over to", () => {
    holds((input) => {
      if (!votersIn(input).some((v) => v.fit && v.id !== input.leader)) return true;
      const set = placeVoters({ ...input, leaderQuits: true });
      return set.size === votersIn(input).length && votersIn(input).every((v) => set.has(v.id));
    });
  });

  test("a leader that quits with every other voter gone places one to hand over to, where there is one", () => {
    holds((input) => {
      if (!votersIn(input).every((v) => v.gone || v.id === input.leader)) return true;
      const set = placeVoters({ ...input, leaderQuits: true });
      const couldLead = input.members.filter((m) => m.fit && m.id !== input.leader);
      return couldLead.length === 0 || couldLead.some((m) => set.has(m.id));
    });
  });

  test("a leader that quits leaves no even set behind that a dead voter could block", () => {
    holds((input) => {
      const set = placeVoters({ ...input, leaderQuits: true });
      const fit = input.members.filter((m) => m.fit && set.has(m.id)).length;
      return set.size % 2 === 1 || fit > 1;
    });
  });
});

describe("cases", () => {
  test("a pair has one voter and a copy, because two voters survive no crash", () => {
    expect(chosen(cluster(1, "+1", "-2"))).toEqual([1]);
    expect(chosen(cluster(1, "+1", "-2", "-3"))).toEqual([1, 2, 3]);
    expect(chosen(cluster(1, "+1", "-2", "-3?"))).toEqual([1]);
  });

  test("seven peers have five voters: the leader and the highest", () => {
    expect(chosen(cluster(1, "+1", "-2", "-3", "-4", "-5", "-6", "-7"))).toEqual([1, 4, 5, 6, 7]);
  });

  test("a higher observer waits while all voters live", () => {
    expect(chosen(cluster(3, "+1", "+2", "+3", "-9"))).toEqual([1, 2, 3]);
    expect(chosen(cluster(3, "+1?", "+2", "+3", "-9"))).toEqual([1, 2, 3]);
    expect(chosen(cluster(3, "+1!", "+2", "+3", "-9"))).toEqual([2, 3, 9]);
  });

  test("two of four voters left in good order: the set follows", () => {
    expect(chosen(cluster(3, "+1", "+2", "+3", "+4"))).toEqual([2, 3, 4]);
    expect(chosen(cluster(3, "+1", "+3"))).toEqual([3]);
  });

  test("of four voters the one that does not answer goes", () => {
    expect(chosen(cluster(3, "+1", "+2", "+3", "+4!"))).toEqual([1, 2, 3]);
  });

  test("a voter that is live and behind is kept rather than one that is gone", () => {
    expect(chosen(cluster(1, "+1", "+2?", "+3", "+9!"))).toEqual([1, 2, 3]);
  });

  test("a voter that is gone is not kept where a fit observer could take its place", () => {
    expect(chosen(cluster(3, "+1!", "-2?", "+3", "+4?", "+5!", "-6"))).toEqual([3, 4, 6]);
  });
});
