import { expect, test } from "bun:test";
import { Patience } from "../../src/core/patience.ts";

/** When a sender that nothing answers says it again, with 10 ms as the usual time. */
function losses(patience: Patience, from: number, until: number): number[] {
  const at: number[] = [];
  for (let now = from; now <= until; now++) {
    if (!patience.isOver(now, 10)) continue;
    at.push(now);
    patience.restart(now);
  }
  return at;
}

test("[S4] each wait is twice as long as the one before, up to sixteen times the usual", () => {
  const patience = new Patience();
  patience.renew(0);
  const waits = losses(patience, 0, 1000).map((at, i, all) => at - (all[i - 1] ?? 0));
  expect(waits).toEqual([11, 21, 41, 81, 161, 161, 161, 161, 161]);
});

test("what gets further is waited for as long as usual again; a wait that begins anew is no shorter", () => {
  const patience = new Patience();
  patience.renew(0);
  expect(losses(patience, 0, 40)).toEqual([11, 32]);
  patience.restart(50);
  expect(losses(patience, 50, 100)).toEqual([91]);
  patience.renew(100);
  expect(losses(patience, 100, 120)).toEqual([111]);
});
