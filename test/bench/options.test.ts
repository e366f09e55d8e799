import { expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { readOptions, UsageError, votersOf } from "../../bench/options.ts";

const refusal = (...args: string[]): string => {
  try {
    readOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "taken";
};

test("without flags: three peers, a hundred thousand messages of a hundred bytes, as fast as it goes", () => {
  expect(readOptions([])).toMatchObject({
    ...{ peers: 3, messages: 100_000, seconds: null, size: 100, rate: null, window: 10_000, senders: "all" },
    ...{ faults: [], restart: false, durability: "fsync", runtime: "binary", dir: tmpdir(), floor: false, keep: false },
  });
});

test("faults are played in order: kills, pauses, cuts", () => {
  const { faults, seconds, messages } = readOptions(
    "--kill-leader 2 --cut-leader 1 --pause-leader=1 --restart --seconds 30".split(" "),
  );
  expect(faults).toEqual(["kill", "kill", "pause", "cut"]);
  expect([seconds, messages]).toEqual([30, null]);
});

test.each([
  [["--peers", "x"], '--peers must be a whole number from 1 to 100, not "x"'],
  [["--peers", "101"], '--peers must be a whole number from 1 to 100, not "101"'],
  [["--size", "0"], '--size must be a whole number from 1 to 65536, not "0"'],
  [["--rate", "1e3"], '--rate must be a whole number from 1 to 10000000, not "1e3"'],
  [["--window", "-1"], "--window"],
  [["--durability", "maybe"], '--durability must be fsync or os, not "maybe"'],
  [["--runtime", "java"], '--runtime must be binary or bun or node or deno or mixed, not "java"'],
  [["--bogus"], "Unknown option '--bogus' (--help lists the flags)"],
  [["--json", "/nowhere/x.json"], '--json cannot write "/nowhere/x.json": there is no folder /nowhere'],
  [["--dir", "/nowhere"], '--dir must be a folder that is there, not "/nowhere"'],
  [["--messages", "5", "--seconds", "5"], "--messages and --seconds both say how long it lasts"],
  [["--sweep", "--kill-leader", "1"], "--sweep measures without faults"],
  [["--sweep", "--report", "x.html"], "--report draws one run, not a sweep"],
  [["--peers", "2", "--kill-leader", "1"], "a cluster of 2 has nobody who could take over: --peers 3 or more"],
  [["--kill-leader", "2"], "3 peers bear 1 dead, not 2: --restart starts them again"],
  [["--restart"], "--restart and --away are about the dead: give --kill-leader K"],
  [["--kill-leader", "1", "--away", "9"], "--away says when the dead are started again: give --restart"],
  [["--senders", "follower", "--kill-leader", "2", "--restart"], "--senders follower goes with one fault at most"],
  [["--one-follower", "late"], "--one-follower must be silent or paused or slow-disk or deaf"],
  [["--one-follower", "deaf", "--kill-leader", "1"], "--one-follower goes with --peers 3 or more, and without"],
  [["--one-follower", "slow-disk", "--shipped"], "--one-follower slow-disk is done inside the bench peer"],
  [["--runs", "2"], "--runs does not fit: it is about the rows of --figures"],
  [["--figures", "--peers", "5"], "--peers does not fit: the rows of --figures say that themselves"],
  [["--figures", "--only", "idle,bogus"], "--only must be durable or latency or"],
])("%p is refused in words", (args, words) => {
  expect(refusal(...args)).toContain(words);
});

test("--figures measures five runs of every row, or what is asked for", () => {
  expect(readOptions(["--figures"]).figures).toEqual({ runs: 5, only: null, quick: false });
  expect(readOptions("--figures --runs 1 --only idle,kill --quick".split(" ")).figures).toEqual({
    ...{ runs: 1, only: ["idle", "kill"], quick: true },
  });
  expect(readOptions([]).figures).toBeNull();
});

test("so many vote as the product says: the largest odd number up to five", () => {
  expect([1, 2, 3, 4, 5, 6, 50].map(votersOf)).toEqual([1, 1, 3, 3, 5, 5, 5]);
});
