/** A client does so much at once, then so much a second, and the rest waits in its order [A9]. */
import { beforeEach, expect, test } from "bun:test";
import { Bucket, Pace } from "../../../src/host/client/client-pace.ts";
import { ManualClock } from "../manual-clock.ts";

let clock: ManualClock;
let bucket: Bucket;
let pace: Pace;
let gone: { at: number; piece: number }[];

beforeEach(() => {
  clock = new ManualClock();
  bucket = new Bucket(200, 1024, clock.now());
  pace = new Pace(clock, bucket, 1000);
  gone = [];
});

const offer = (piece: number, count: number, bytes = 1) =>
  pace.offer(count, bytes, () => gone.push({ at: clock.now(), piece }));

test("[A9] the burst goes at once, what follows at the rate, in order", () => {
  for (let piece = 0; piece < 64 + 10; piece++) offer(piece, 16);
  expect(gone).toHaveLength(64);
  clock.pass(1000);
  expect(gone.map(({ piece }) => piece)).toEqual(Array.from({ length: 74 }, (_, i) => i));
  expect(gone.slice(64).map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, i) => 80 * (i + 1)));
});

test("[A9] what is larger than the burst waits for a full bucket, and then for what it took", () => {
  offer(0, 2000);
  offer(1, 1);
  expect(gone).toHaveLength(1);
  clock.pass(4800);
  expect(gone).toHaveLength(1);
  clock.pass(100);
  expect(gone).toHaveLength(2);
});

test("[A9] who waits is held to so many bytes, and whoever says everything again begins anew", () => {
  expect(offer(0, 1024)).toBe(true);
  expect(offer(1, 16, 5000)).toBe(true);
  expect(offer(2, 16, 1)).toBe(false);
  pace.drop();
  expect(offer(3, 16, 1)).toBe(true);
  clock.pass(1000);
  expect(gone.map(({ piece }) => piece)).toEqual([0, 3]);
});

test("[A9] a bucket is full again after as long as it takes, and not before", () => {
  bucket.take(1024, clock.now());
  clock.skip(5119);
  expect(bucket.isFull(clock.now())).toBe(false);
  clock.skip(1);
  expect(bucket.isFull(clock.now())).toBe(true);
});
