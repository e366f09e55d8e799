/**
 * The log in memory, against a plain array: what is uncommitted is always there, what is committed is never cut [R6],
 * old entries go when nobody is likely to ask, and two logs find where they agree.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert.ts";
import { FOLLOWER_TAIL_ENTRIES_KEPT, TAIL_ENTRIES_KEPT, WAITING_ENTRIES_KEPT } from "../../src/core/config.ts";
import { compareBallots, sameBallot } from "../../src/core/ids.ts";
import { Log } from "../../src/core/log.ts";
import type { Entry } from "../../src/core/log-entry.ts";
import { LogState } from "../../src/core/log-state.ts";
import { entryOf, genesisOf } from "./entries.ts";
import { grow, type Move, move, moves, written } from "./logs.ts";

const RUNS = { seed: 4, numRuns: 300 };

function logOf(entries: readonly Entry[], commit = 0): Log {
  const log = new Log(new LogState(), [], 0, 0, 0);
  for (const entry of entries) log.append(entry);
  log.commitThrough(commit);
  return log;
}

const bytes = (entries: readonly Entry[]): number => entries.reduce((sum, e) => sum + e.end - e.start, 0);

type Step = { readonly grow: Move[] } | { readonly commit: number } | { readonly cut: number };
const steps = fc.array(
  fc.oneof(
    fc.record({ grow: fc.array(move, { maxLength: 6 }) }),
    fc.record({ commit: fc.nat(1000) }),
    fc.record({ cut: fc.nat(1000) }),
  ),
  { maxLength: 20 },
);

describe("against a plain array", () => {
  test("appending, committing and truncating in any order", () => {
    fc.assert(
      fc.property(steps, (taken: Step[]) => {
        const model = written([]);
        const log = logOf(model, 1);
        let commit = 1;
        let durable = 0;
        for (const step of taken) {
          if ("grow" in step) {
            const before = model.length;
            grow(model, step.grow);
            for (const entry of model.slice(before)) log.append(entry);
            log.durable = durable = model.length;
          } else if ("commit" in step) {
            commit += step.commit % (model.length - commit + 1);
            log.commitThrough(commit);
          } else if (model.length > commit) {
            model.length = commit + (step.cut % (model.length - commit));
            log.truncate(model.length + 1);
            durable = Math.min(durable, model.length);
          }
          expect(log.last).toBe(model.length);
          expect([log.commit, log.durable]).toEqual([commit, durable]);
          expect(log.uncommittedBytes).toBe(bytes(model.slice(commit)));
          for (const entry of model) expect(log.entryAt(entry.index)).toBe(entry);
          expect(log.entryAt(model.length + 1)).toBeNull();
          expect(log.crcAt(log.last)).toBe(model.at(-1)?.crc as number);
          expect(log.state.crc).toBe(log.crcAt(log.last));
        }
      }),
      RUNS,
    );
  });

  test("a slice fits both bounds, and is never empty while there is something", () => {
    fc.assert(
      fc.property(moves, fc.nat(), fc.integer({ min: 1, max: 10 }), fc.nat(3000), (made, at, most, room) => {
        const entries = written(made);
        const from = 1 + (at % (entries.length + 1));
        const got = logOf(entries).slice(from, most, room);
        expect(got).toEqual(entries.slice(from - 1, from - 1 + got.length));
        expect(got.length).toBeLessThanOrEqual(most);
        expect(got.length > 1 ? bytes(got) : 0).toBeLessThanOrEqual(room);
        // One more would not have fitted.
        const more = entries.slice(from - 1, from + got.length);
        expect(more.length === got.length || got.length === most || bytes(more) > room).toBe(true);
        expect(got.length > 0 || from > entries.length).toBe(true);
      }),
      RUNS,
    );
  });
});

describe("what must not be", () => {
  test("[R6] a truncation of what is committed is a bug and stops the process", () => {
    const log = logOf(written([...Array(5)].map(() => ({ kind: "chat", room: "lobby", session: "1.a" }))), 4);
    expect(() => log.truncate(4)).toThrow(AssertionError);
    expect(() => log.truncate(1)).toThrow(AssertionError);
    log.truncate(5);
    expect(log.last).toBe(4);
  });

  test("[I7] the commit index neither goes back nor beyond the log", () => {
    const log = logOf(written([]), 1);
    expect(() => log.commitThrough(0)).toThrow(AssertionError);
    expect(() => log.commitThrough(2)).toThrow(AssertionError);
  });

  test("a log whose uncommitted entries are not all in memory is not begun with", () => {
    const entries = written([...Array(5)].map(() => ({ kind: "chat", room: "lobby", session: "1.a" })));
    const { state } = logOf(entries);
    expect(() => new Log(state, entries.slice(4), entries[3]?.crc as number, 6, 3)).toThrow(AssertionError);
    expect(new Log(state, entries.slice(4), entries[3]?.crc as number, 6, 4).first).toBe(5);
  });
});

test("[I10] [R7] old committed entries leave the memory, uncommitted ones never", () => {
  const ballot = { term: 1, leader_id: 1, inc: "i", boot: 1 };
  const log = logOf([genesisOf(["voter"])], 1);
  const total = 3 * TAIL_ENTRIES_KEPT;
  while (log.last < total) log.append(entryOf(log.last + 1, ballot, "leader", { crc: log.last, end: 1 }));
  log.trim(true, 0);
  expect(log.first).toBe(1);
  log.commitThrough(10);
  log.trim(true, 0);
  expect(log.first).toBe(1);
  log.commitThrough(total - 5);
  log.trim(true, log.commit);
  expect(log.first).toBe(total - 5 - TAIL_ENTRIES_KEPT + 1);
  log.trim(false, log.commit - WAITING_ENTRIES_KEPT);
  expect(log.first).toBe(total - 5 - WAITING_ENTRIES_KEPT + 1);
  log.trim(false, log.commit - WAITING_ENTRIES_KEPT - 1);
  expect(log.first).toBe(total - 5 - FOLLOWER_TAIL_ENTRIES_KEPT + 1);
  log.trim(false, log.commit);
  expect(log.first).toBe(total - 5 - FOLLOWER_TAIL_ENTRIES_KEPT + 1);
  expect(log.entryAt(log.first - 1)).toBeNull();
  expect(log.crcAt(log.first - 1)).toBe(log.first - 2);
  expect(log.uncommittedBytes).toBe(5);
  log.truncate(total - 4);
  expect([log.last, log.uncommittedBytes]).toEqual([total - 5, 0]);
});

describe("where two logs agree", () => {
  /** Two logs with a common beginning, and terms that no two leaders share. */
  const pairs = fc.tuple(moves, moves, moves).map(([common, left, right]) => {
    const begin = written(common);
    const [a, b] = [[...begin], [...begin]];
    grow(a, left);
    // The other leader's ballots are its own.
    const lead: Move = { kind: "leader", room: "lobby", session: "1.a" };
    grow(b, right.length > 0 ? [lead, ...right] : []);
    const own = b.map((e, i) => (i < begin.length ? e : { ...e, inc: "other" }));
    return [a, own] as const;
  });

  test("[R2] a hint is the highest place not above what was asked, neither by index nor by ballot", () => {
    fc.assert(
      fc.property(pairs, fc.nat(), ([a, b], at) => {
        const asked = logOf(b).tailAt(at % (b.length + 1));
        const log = logOf(a);
        let dumb = Math.min(asked.index, a.length);
        while (dumb > 0 && compareBallots(log.state.ballotAt(dumb), asked.ballot) > 0) dumb -= 1;
        expect(log.hintFor(asked)).toEqual(log.tailAt(dumb));
      }),
      RUNS,
    );
  });

  test("[R2] hint by hint they come to a place that both hold, and lose nothing that both hold", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        let shared = 0;
        while (shared < Math.min(a.length, b.length) && sameBallot(a[shared] as Entry, b[shared] as Entry)) shared += 1;
        const [leader, follower] = [logOf(a), logOf(b)];
        const holds = (log: Log, index: number, other: Log) =>
          index <= log.last && sameBallot(log.state.ballotAt(index), other.state.ballotAt(index));
        let asked = leader.tail;
        let rounds = 0;
        while (!holds(follower, asked.index, leader)) {
          asked = leader.hintFor(follower.hintFor(asked));
          rounds += 1;
          expect(rounds).toBeLessThanOrEqual(a.length + b.length);
        }
        expect(asked.index).toBe(shared);
      }),
      RUNS,
    );
  });
});
