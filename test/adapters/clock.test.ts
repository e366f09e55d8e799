import { expect, test } from "bun:test";
import { systemClock as clock } from "../../src/adapters/clock.ts";

test("the clock's timers run in order, none early, and never once cancelled", async () => {
  const began = clock.now();
  const ran: string[] = [];
  await new Promise<void>((resolve) => {
    const cancelled = clock.after(1, () => ran.push("cancelled"));
    clock.after(12.4, () => {
      ran.push(clock.now() - began >= 12.4 ? "in time" : "early");
      resolve();
    });
    clock.after(3, () => ran.push("first"));
    clock.soon(() => ran.push("soon"));
    cancelled.cancel();
    ran.push("now");
  });
  expect(ran).toEqual(["now", "soon", "first", "in time"]);
});

test("words have the length asked for, use all of a-z0-9 evenly, and do not repeat", () => {
  const all = clock.word(36_000);
  expect(all).toMatch(/^[a-z0-9]{36000}$/);
  const counts = new Map<string, number>();
  for (const c of all) counts.set(c, (counts.get(c) ?? 0) + 1);
  expect(counts.size).toBe(36);
  for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(250);
  expect(new Set(Array.from({ length: 1000 }, () => clock.word(12))).size).toBe(1000);
});

test("[W7] the wall clock says whole milliseconds since 1970, whatever the machine's says", () => {
  const real = Date.now;
  try {
    for (const [machine, said] of [
      [-315_619_200_000, 0],
      [-0.5, 0],
      [Number.NaN, 0],
      [1_795_900_000_000.75, 1_795_900_000_000],
    ] as const) {
      Date.now = () => machine;
      expect(clock.wall()).toBe(said);
    }
  } finally {
    Date.now = real;
  }
});
