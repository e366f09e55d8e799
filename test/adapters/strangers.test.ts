/** How many connections of strangers are borne, decided on a clock that the test has in its hand. */
import { expect, test } from "bun:test";
import { STRANGER_LIMITS, type Stranger, Strangers, siteOf } from "../../src/adapters/strangers.ts";
import { ManualClock } from "../host/manual-clock.ts";

class Bench {
  readonly clock = new ManualClock();
  readonly dropped: string[] = [];
  readonly strangers = new Strangers(() => this.clock.now());

  enter(address: string): Stranger | string {
    return this.strangers.enter(address, () => this.dropped.push(address));
  }

  /** Lets in so many of one address, as fast as they may come. */
  fill(address: string, count: number): Stranger[] {
    return Array.from({ length: count }, () => {
      this.clock.skip(1000 / STRANGER_LIMITS.perSecond);
      return this.enter(address) as Stranger;
    });
  }
}

test("of one address so many are let in that have not said who they are; the next one is when one of them has, or has gone", () => {
  const bench = new Bench();
  const [first] = bench.fill("10.0.0.1", STRANGER_LIMITS.perAddress) as [Stranger];
  bench.clock.skip(1000);
  expect(bench.enter("10.0.0.1")).toMatch(/^16 connections from there have not said who they are/);
  expect(bench.enter("10.0.0.2")).toBeObject();
  bench.strangers.leave(first);
  bench.strangers.leave(first);
  expect(bench.enter("10.0.0.1")).toBeObject();
  expect(bench.enter("10.0.0.1")).toBeString();
  expect(bench.dropped).toEqual([]);
});

test("of one address so many come in a second, and no more over any longer time", () => {
  const bench = new Bench();
  let entered = 0;
  for (let ms = 0; ms < 10_000; ms += 5) {
    const answer = bench.enter("10.0.0.1");
    if (typeof answer !== "string") {
      entered += 1;
      bench.strangers.leave(answer);
    } else expect(answer).toContain("20 connections in a second");
    bench.clock.skip(5);
  }
  // The first second's may come at once.
  expect(entered).toBe(20 + 10 * 20 - 1);
  expect(bench.enter("10.0.0.2")).toBeObject();
});

test("in all there are so many, and the oldest makes way: whoever comes is always let in", () => {
  const bench = new Bench();
  const { inAll } = STRANGER_LIMITS;
  for (let n = 0; n < inAll; n++) expect(bench.enter(`10.0.${n}.1`)).toBeObject();
  expect(bench.dropped).toEqual([]);
  for (let n = 0; n < 3; n++) expect(bench.enter(`10.1.${n}.1`)).toBeObject();
  expect(bench.dropped).toEqual(["10.0.0.1", "10.0.1.1", "10.0.2.1"]);
});

test("an address that holds more places than another gives one up for whoever comes", () => {
  const bench = new Bench();
  const { inAll, perAddress } = STRANGER_LIMITS;
  expect(bench.enter("10.9.9.9")).toBeObject();
  for (let n = 0; n * perAddress < inAll; n++) bench.fill(`10.0.0.${n}`, perAddress);
  expect(bench.dropped).toEqual(["10.0.0.0"]);
  for (let n = 0; n < inAll - 1 - inAll / perAddress; n++) expect(bench.enter(`10.1.${n}.1`)).toBeObject();
  expect(bench.dropped.filter((address) => !address.startsWith("10.0.0."))).toEqual([]);
  // Nobody holds more than one place now: the oldest goes.
  expect(bench.enter("10.2.0.1")).toBeObject();
  expect(bench.dropped.at(-1)).toBe("10.9.9.9");
});

test("the pace of an address is remembered beside thousands of others that came and went", () => {
  const bench = new Bench();
  for (let n = 0; n < 20; n++) bench.strangers.leave(bench.enter("10.0.0.1") as Stranger);
  for (let n = 0; n < 1000; n++) bench.strangers.leave(bench.enter(`10.${n >> 8}.${n & 255}.2`) as Stranger);
  expect(bench.enter("10.0.0.1")).toBeString();
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:DB8:1:2::6", "2001:db8:1:2"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
])("%s is counted as %s", (address, site) => {
  expect(siteOf(address)).toBe(site);
});
