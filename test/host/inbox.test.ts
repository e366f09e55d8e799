/** Messages on their way to a program: at least once, by acknowledgement, and not all of them in memory. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { DeliveredMessage } from "../../src/host/events.ts";
import { type Hand, Inbox } from "../../src/host/inbox.ts";

const message = (index: number, payload = `text ${index}`): DeliveredMessage => ({
  ...{ event: "message", index, term: 1, room_id: "general", seq_no: index, sender_id: 1, msg_id: `1.a.${index}` },
  ...{ user: "eve", payload, ts: 0 },
});

/** An inbox that is told of messages for as long as it takes them, and what it has acknowledged. */
class Desk {
  readonly acknowledged: number[] = [];
  paused = false;
  pushed = 0;
  readonly inbox = new Inbox({
    pauseDelivery: () => {
      this.paused = true;
    },
    resumeDelivery: () => {
      this.paused = false;
    },
    acknowledge: (through) => this.acknowledged.push(through),
  });

  /** As the log would: every third entry is no message. */
  deliver(count: number, payload?: string): void {
    for (let i = 0; i < count && !this.paused; i++) {
      this.pushed += this.pushed % 3 === 1 ? 2 : 1;
      this.inbox.push(message(this.pushed, payload));
    }
  }

  get cursor(): number {
    return this.acknowledged.at(-1) ?? 0;
  }
}

const indexes = (hand: Hand | null) => hand?.messages.map((m) => m.index) ?? [];

test("[C1] what is in hand is not acknowledged before its reader is done with it", () => {
  const desk = new Desk();
  desk.deliver(3);
  const first = desk.inbox.take(1) as Hand;
  expect([indexes(first), desk.acknowledged]).toEqual([[1], []]);
  desk.inbox.done(first);
  expect(desk.acknowledged).toEqual([1]);
  const second = desk.inbox.take(10) as Hand;
  expect([indexes(second), desk.acknowledged, desk.inbox.take(1)]).toEqual([[3, 4], [1], null]);
  desk.inbox.done(second);
  expect(desk.acknowledged).toEqual([1, 4]);
});

test("[C1] what is given back comes again, first, and whole; what was acknowledged by hand does not", () => {
  const desk = new Desk();
  desk.deliver(5);
  const batch = desk.inbox.take(3) as Hand;
  expect(indexes(batch)).toEqual([1, 3, 4]);
  desk.inbox.acknowledge(1);
  expect(desk.cursor).toBe(2);
  desk.inbox.giveBack(batch);
  expect(desk.cursor).toBe(2);
  const again = desk.inbox.take(1) as Hand;
  expect(indexes(again)).toEqual([3]);
  desk.inbox.done(again);
  expect(indexes(desk.inbox.take(10))).toEqual([4, 6, 7]);
});

test("[C1] of several readers the slowest one holds the cursor, until it is done, gone, or overruled by hand", () => {
  const desk = new Desk();
  desk.deliver(6);
  const [slow, quick] = [desk.inbox.take(1) as Hand, desk.inbox.take(2) as Hand];
  desk.inbox.done(quick);
  expect(desk.cursor).toBe(0);
  const last = desk.inbox.take(1) as Hand;
  desk.inbox.giveBack(slow);
  desk.inbox.done(last);
  expect(desk.cursor).toBe(0);
  const again = desk.inbox.take(1) as Hand;
  expect(indexes(again)).toEqual([1]);
  desk.inbox.done(again);
  expect(desk.cursor).toBe(6);

  const held = desk.inbox.take(1) as Hand;
  desk.inbox.acknowledge(9);
  expect([indexes(held), desk.cursor, desk.inbox.take(1)]).toEqual([[7], 9, null]);
  desk.inbox.done(held);
  desk.inbox.acknowledge(3);
  expect(desk.cursor).toBe(9);
});

test("[C2] while nobody asks, delivery pauses, by number and by size; asking lets it go on", () => {
  for (const [payload, most] of [
    [undefined, 1024],
    ["x".repeat(64 * 1024), 64],
  ] as const) {
    const desk = new Desk();
    desk.deliver(100_000, payload);
    expect(desk.paused).toBe(true);
    const hand = desk.inbox.take(Number.POSITIVE_INFINITY) as Hand;
    expect(hand.messages.length).toBe(most);
    expect(desk.paused).toBe(false);
    desk.deliver(100_000, payload);
    expect(desk.paused).toBe(true);
    for (let taken = 0; desk.paused; taken++) {
      expect(taken).toBeLessThan(most);
      desk.inbox.done(desk.inbox.take(1) as Hand);
    }
    // By hand as well.
    desk.deliver(100_000, payload);
    desk.inbox.acknowledge(desk.pushed);
    expect([desk.paused, desk.inbox.take(1)]).toEqual([false, null]);
  }
});

test("[C1] whatever readers do: nothing is acknowledged that was neither done with nor acknowledged by hand, and all is handed out", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("deliver" as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant("take" as const), n: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant("done" as const), n: fc.nat(5) }),
    fc.record({ do: fc.constant("back" as const), n: fc.nat(5) }),
    fc.record({ do: fc.constant("ack" as const), n: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const desk = new Desk();
      const hands: Hand[] = [];
      const [done, seen] = [new Set<number>(), new Set<number>()];
      let byHand = 0;
      const all: number[] = [];
      const take = (count: number) => {
        const hand = desk.inbox.take(count);
        if (hand === null) return;
        hands.push(hand);
        expect(indexes(hand)).toEqual([...indexes(hand)].sort((a, b) => a - b));
        for (const index of indexes(hand)) {
          expect(done.has(index) || index <= byHand).toBe(false);
          seen.add(index);
        }
      };
      const end = (hand: Hand) => {
        for (const index of indexes(hand)) done.add(index);
        desk.inbox.done(hand);
      };
      for (const { do: what, n } of steps) {
        const before = desk.pushed;
        if (what === "deliver") desk.deliver(n);
        for (let i = before + 1; i <= desk.pushed; i++) if (i % 3 !== 2) all.push(i);
        if (what === "take") take(n);
        const [hand] = what === "done" || what === "back" ? hands.splice(n % Math.max(1, hands.length), 1) : [];
        if (hand !== undefined && what === "done") end(hand);
        if (hand !== undefined && what === "back") desk.inbox.giveBack(hand);
        if (what === "ack" && n <= desk.pushed) {
          byHand = Math.max(byHand, n);
          desk.inbox.acknowledge(n);
        }
        for (const index of all) if (index <= desk.cursor) expect(done.has(index) || index <= byHand).toBe(true);
        expect(desk.acknowledged).toEqual([...desk.acknowledged].sort((a, b) => a - b));
      }
      for (const hand of hands.splice(0)) desk.inbox.giveBack(hand);
      for (let hand = desk.inbox.take(7); hand !== null; hand = desk.inbox.take(7)) {
        for (const index of indexes(hand)) seen.add(index);
        end(hand);
      }
      expect(all.filter((index) => !seen.has(index) && index > byHand)).toEqual([]);
      if (all.length > 0) expect(desk.cursor).toBeGreaterThanOrEqual(all.at(-1) as number);
    }),
    { numRuns: 500 },
  );
});
