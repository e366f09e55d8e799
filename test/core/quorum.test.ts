/** Majorities [M3] [R5]: what counts as one, and how far the log is on one. Checked against counting by hand. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { MemberKey } from "../../src/core/ids.ts";
import type { Member, Role } from "../../src/core/log-entry.ts";
import type { LoggedConfiguration } from "../../src/core/log-state.ts";
import {
  everyVoter,
  hasQuorum,
  majority,
  memberName,
  quorumIndex,
  quorumWait,
  voterSets,
} from "../../src/core/quorum.ts";
import { address } from "./entries.ts";

const RUNS = { seed: 1, numRuns: 500 };

const member = (id: number): MemberKey => ({ id, inc: `i${id}` });
const upTo = (n: number): MemberKey[] => Array.from({ length: n }, (_, i) => member(i + 1));
/** One set or two, each of one to seven of nine members. */
const setsOf = fc.array(fc.subarray(upTo(9), { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 2 });

function logged(roles: readonly Role[], prev: readonly MemberKey[], settled: number): LoggedConfiguration {
  const members: Member[] = roles.map((role, i) => ({ ...member(i + 1), ...address(i + 1), role }));
  return { index: 5, configuration: { members, prev_voters: prev }, settled };
}

describe("majorities", () => {
  test("three voters bear one crash, five bear two, two bear none", () => {
    expect([1, 2, 3, 4, 5].map(majority)).toEqual([1, 2, 2, 3, 3]);
  });

  test("of one set: no two peers apart ever both have one", () => {
    for (let n = 1; n <= 7; n++) {
      const set = upTo(n);
      for (let chosen = 0; chosen < 1 << n; chosen++) {
        const here = (v: MemberKey) => ((chosen >> (v.id - 1)) & 1) === 1;
        const both = hasQuorum([set], here) && hasQuorum([set], (v) => !here(v));
        expect(both).toBe(false);
        expect(hasQuorum([set], here)).toBe(2 * set.filter(here).length > n);
      }
    }
  });

  test("nobody is no majority, neither of no set nor of an empty one", () => {
    expect(hasQuorum([], () => true)).toBe(false);
    expect(hasQuorum([[]], () => true)).toBe(false);
    expect(hasQuorum([upTo(3), []], () => true)).toBe(false);
    expect(quorumIndex([], () => 7)).toBe(0);
    expect(quorumIndex([upTo(3), []], () => 7)).toBe(0);
  });

  test("[M3] of two sets: a majority of each, not of their union", () => {
    const sets = [upTo(3), [member(1), member(4), member(5)]];
    expect(hasQuorum(sets, (v) => v.id <= 3)).toBe(false);
    expect(hasQuorum(sets, (v) => v.id <= 2 || v.id === 4)).toBe(true);
    fc.assert(
      fc.property(setsOf, fc.func(fc.boolean()), (sets, counts) => {
        const each = sets.map((set) => 2 * set.filter(counts).length > set.length);
        return hasQuorum(sets, counts) === !each.includes(false);
      }),
      RUNS,
    );
  });

  test("[M6] another incarnation of a voter's id does not count for it", () => {
    const wiped: MemberKey = { id: 2, inc: "emptied" };
    const present = new Set([member(1), wiped].map(memberName));
    expect(hasQuorum([upTo(3)], (v) => present.has(memberName(v)))).toBe(false);
  });
});

describe("how far a majority is", () => {
  test("[R5] the highest index that a majority of every set has reached", () => {
    fc.assert(
      fc.property(setsOf, fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }), (sets, reached) => {
        const at = (v: MemberKey) => reached[v.id] as number;
        let dumb = 0;
        for (let j = 1; j <= 20; j++) if (hasQuorum(sets, (v) => at(v) >= j)) dumb = j;
        return quorumIndex(sets, at) === dumb;
      }),
      RUNS,
    );
  });

  test("five voters of which two are far ahead are where the third is", () => {
    expect(quorumIndex([upTo(5)], (v) => [0, 100, 90, 8, 7, 0][v.id] as number)).toBe(8);
  });
});

describe("how long a majority takes", () => {
  test("[E15] the shortest time in which a majority of every set has answered, or all that can be reached", () => {
    const times = fc.array(fc.nat(20), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(setsOf, times, fc.func(fc.boolean()), (sets, took, isReached) => {
        const needed = (set: MemberKey[]) => Math.min(majority(set.length), set.filter((v) => isReached(v)).length);
        const within = (set: MemberKey[], t: number) => set.filter((v) => isReached(v) && (took[v.id] as number) <= t);
        let dumb = 0;
        while (!sets.every((set) => within(set, dumb).length >= needed(set))) dumb += 1;
        return quorumWait(sets, isReached, (v) => took[v.id] as number) === dumb;
      }),
      RUNS,
    );
    expect(
      quorumWait(
        [],
        () => true,
        () => 7,
      ),
    ).toBe(0);
  });

  test("one slow voter of three is not waited for", () => {
    expect(
      quorumWait(
        [upTo(3)],
        () => true,
        (v) => v.id * v.id,
      ),
    ).toBe(4);
  });
});

describe("whose majorities decide", () => {
  test("[M3] the voters of the newest configuration, and until it is settled those before it too", () => {
    const roles: Role[] = ["voter", "observer", "left", "voter", "voter"];
    const ids = (settled: number) => voterSets(logged(roles, upTo(3), settled)).map((set) => set.map((v) => v.id));
    expect(ids(6)).toEqual([[1, 4, 5]]);
    expect(ids(0)).toEqual([
      [1, 4, 5],
      [1, 2, 3],
    ]);
  });

  test("each voter is asked once, in whichever sets it stands", () => {
    expect(everyVoter([upTo(3), [member(3), member(4), { id: 1, inc: "other" }]]).map(memberName)).toEqual([
      "1.i1",
      "2.i2",
      "3.i3",
      "4.i4",
      "1.other",
    ]);
  });
});
