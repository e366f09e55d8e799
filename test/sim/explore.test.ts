/**
 * A small part of the nightly search (scripts/explore.ts) in every test run, and the proof that it would find something:
 * each invariant is violated by a core with a rule broken on purpose.
 */
import { describe, expect, test } from "bun:test";
import { BREAKS, openCore, type Trap } from "../../scripts/open-core.ts";
import { explore, MODELS, type ModelName } from "../../src/sim/explore.ts";
import { ANY, type Bounds } from "../../src/sim/explore-cluster.ts";
import { copyOf, EPOCH, textOf } from "../../src/sim/explore-graph.ts";
import { INVARIANTS, type Invariant } from "../../src/sim/explore-history.ts";

const PATIENCE_MS = 60_000;
const core = await openCore();

// So many states there are at least: a story that breaks off early proves nothing. The core may change, so not the exact number.
const SEARCHES: readonly (readonly [ModelName, Bounds, number])[] = [
  ["election", { late: 1, restart: 1, connect: 1, say: 1 }, 6_000],
  ["election", { late: 1, slow: 1, restart: 1, say: 1 }, 2_500],
  ["election", { late: ANY, restart: 1, connect: 1 }, 2_500],
  ["membership", { leave: 1, cut: 1, time: 1 }, 40_000],
  ["membership", { leave: 2, cut: 1 }, 15_000],
  ["parted", { leave: 1, cut: 1, time: 1 }, 15_000],
];

describe("[I1] [I2] [I3] [I7] hold in every state of", () => {
  test.each(SEARCHES)(
    "%s, with at most %o",
    (name, bounds, claimed) => {
      const { complete, states, term, changes, violation } = explore(core, MODELS[name], bounds, ANY);
      expect(violation).toBeNull();
      expect(complete).toBe(true);
      expect(states).toBeGreaterThanOrEqual(claimed);
      expect(term).toBeGreaterThan(1);
      expect(changes).toBe(bounds.leave ?? 0);
    },
    PATIENCE_MS,
  );
});

const FOUND: Readonly<Record<Trap, Invariant>> = {
  1: "completeness",
  3: "quorum",
  10: "quorum",
  13: "completeness",
  E5: "one leader",
  E6: "promise",
  R6: "agreement",
};

describe("without the rule", () => {
  test.each(Object.entries(BREAKS))(
    "%s, the search finds what it prevents",
    async (trap, { model, bounds }) => {
      const { violation, states } = explore(await openCore(trap as Trap), MODELS[model], bounds, 200_000);
      expect(violation?.invariant).toBe(FOUND[trap as Trap]);
      // With the rule the same story ends well.
      if (states < 20_000) expect(explore(core, MODELS[model], bounds, 20_000).violation).toBeNull();
    },
    PATIENCE_MS,
  );

  test("every invariant but the core's own assertions is found violated", () => {
    const found = new Set<string>([...Object.values(FOUND), "assertion"]);
    expect([...found].sort()).toEqual(Object.keys(INVARIANTS).sort());
  });
});

test("a violation is told from the beginning of the story, in the fewest steps", async () => {
  const { violation } = explore(await openCore(3), MODELS.membership, BREAKS[3].bounds, 10_000);
  expect(violation?.what).toBe("entry 4 is committed, and of the voters 2, 3, 4 have it on disk: 4");
  const trace = violation?.trace ?? [];
  expect(trace).toContain("2 wants to leave");
  expect(trace.at(-1)).toStartWith("SEQ_ACK from 1 to 4");
  expect(trace.length).toBeLessThan(10);
});

test("where nothing may happen there is one state, and a bound on states ends a search", () => {
  const { states, complete } = explore(core, MODELS.election, {}, ANY);
  expect({ states, complete }).toEqual({ states: 1, complete: true });
  const stopped = explore(core, MODELS.election, { time: 2 }, 50);
  expect(stopped.complete).toBe(false);
  expect(stopped.states).toBeGreaterThanOrEqual(50);
});

test("the same search finds the same", () => {
  const [one, two] = [1, 2].map(() => explore(core, MODELS.election, { late: 1, restart: 1, say: 1 }, ANY));
  expect(one).toEqual(two as NonNullable<typeof two>);
});

describe("objects as values", () => {
  class Node {
    readonly parts = new Map<string, Node>();
    readonly names = new Set(["a"]);
    readonly label = Object.freeze({ text: "x" });
    since = EPOCH + 10;
    readonly above: Node | null;
    constructor(above: Node | null) {
      this.above = above;
    }
  }
  const root = () => {
    const node = new Node(null);
    node.parts.set("below", new Node(node));
    return node;
  };

  test("a copy has the same text, and changes apart from its original", () => {
    const original = root();
    const text = textOf(original, EPOCH);
    const copy = copyOf(original);
    expect(copy).toBeInstanceOf(Node);
    expect(textOf(copy, EPOCH)).toBe(text);
    expect(copy.parts.get("below")?.above).toBe(copy);
    expect(copy.label).toBe(original.label);
    copy.parts.get("below")?.names.add("b");
    expect(textOf(copy, EPOCH)).not.toBe(text);
    expect(textOf(original, EPOCH)).toBe(text);
  });

  test("times are told from now, and the long ago is all one", () => {
    const [early, later] = [root(), root()];
    for (const node of [later, ...later.parts.values()]) node.since += 5;
    expect(textOf(later, EPOCH + 5)).toBe(textOf(early, EPOCH));
    expect(textOf(later, EPOCH)).not.toBe(textOf(early, EPOCH));
    expect(textOf(later, EPOCH + 90_000)).toBe(textOf(early, EPOCH + 80_000));
  });
});
