import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Turns } from "../../../src/host/client/turns.ts";

const POOL = 1000;

function pool(waitingMax = 100_000) {
  const turns = new Turns<string>(POOL, waitingMax);
  const gone: string[] = [];
  const offer = (who: string, bytes: number) => turns.offer(who, bytes, () => gone.push(who));
  return { turns, gone, offer };
}

describe("a pool shared in turns", () => {
  test("who offers little is served next, whatever waits of the others", () => {
    const { turns, gone, offer } = pool();
    for (let i = 0; i < 50; i++) for (const who of ["a", "b", "c"]) offer(who, 250);
    turns.pump();
    expect(gone).toHaveLength(4);
    offer("calm", 10);
    turns.done("a", 250);
    turns.pump();
    expect(gone[4]).toBe("calm");
  });

  test("each one's pieces go in the order of its offers, and those who want much share evenly", () => {
    const { turns, gone, offer } = pool();
    for (let i = 0; i < 40; i++) offer("early", 100);
    for (let i = 0; i < 40; i++) offer("late", 100);
    while (gone.length < 40) {
      turns.pump();
      const [first] = gone.slice(-1);
      turns.done(first as string, 100);
    }
    expect(gone.filter((who) => who === "late").length).toBeGreaterThanOrEqual(14);
  });

  test("a piece larger than the pool goes when the pool is empty", () => {
    const { turns, gone, offer } = pool();
    offer("a", 10);
    offer("b", 5000);
    turns.pump();
    expect(gone).toEqual(["a"]);
    turns.done("a", 10);
    turns.pump();
    expect(gone).toEqual(["a", "b"]);
  });

  test("of one that offers too much some is refused; one piece always may wait", () => {
    const { offer } = pool(500);
    expect([offer("a", 9000), offer("a", 1), offer("b", 300), offer("b", 300)]).toEqual([true, false, true, false]);
  });

  test("who starts again or leaves takes its share along, and gains no earlier turn by starting again", () => {
    const { turns, gone, offer } = pool();
    for (let i = 0; i < 8; i++) offer("restless", 250);
    offer("patient", 250);
    turns.pump();
    turns.drop("restless");
    offer("restless", 250);
    offer("patient", 250);
    turns.pump();
    expect(gone.slice(4)).toEqual(["patient", "restless"]);
    turns.forget("restless");
    turns.forget("patient");
    offer("new", 1000);
    turns.pump();
    expect(gone.at(-1)).toBe("new");
  });

  test("never more under way than the pool holds, and everything goes in the end", () => {
    const piece = fc.record({ who: fc.constantFrom("a", "b", "c"), bytes: fc.integer({ min: 1, max: POOL }) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const turns = new Turns<string>(POOL, Number.POSITIVE_INFINITY);
        const underWay: { who: string; bytes: number }[] = [];
        let gone = 0;
        const check = () => expect(underWay.reduce((sum, p) => sum + p.bytes, 0)).toBeLessThanOrEqual(POOL);
        for (const p of pieces) {
          turns.offer(p.who, p.bytes, () => {
            underWay.push(p);
            gone += 1;
            check();
          });
          turns.pump();
        }
        for (let p = underWay.shift(); p !== undefined; p = underWay.shift()) {
          turns.done(p.who, p.bytes);
          turns.pump();
        }
        expect(gone).toBe(pieces.length);
      }),
    );
  });
});
