/**
 * The directed scenarios: the traces of the protocol's section 11, every kind of fault, and the teaching ones. Each comes
 * out as its story says, as recorded; and where a story says that a broken rule shows in it, it does.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { VERBS, type Verb } from "../../src/sim/plan.ts";
import { judge, play } from "../../src/sim/play.ts";
import { parseScenario, type Scenario } from "../../src/sim/scenario.ts";

const FOLDERS = ["test/sim/scenarios", "src/sim/scenarios"];
const RECORD = `if a new course of events is meant, record it anew:
  .tools/bun src/cli/main.ts sim --record $(ls ${FOLDERS.map((f) => `${f}/*.txt`).join(" ")} | sed 's/^/--scenario /')
and where a moment is missed (a claim about the setup fails), another \`seed:\` or a later \`at\` may meet it`;
/** Delays that may be tried to have a broken rule show: what is sent a little later by a new version misses its moment. */
const MORE_SEEDS = 30;

const FILES = FOLDERS.flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((name) => ({ name, scenario: parseScenario(readFileSync(`${folder}/${name}`, "utf8")) })),
);
const STEPS = FILES.flatMap(({ scenario }) => scenario.plan.steps);

const comes = (scenario: Scenario) => judge(scenario, play(scenario)).verdict;

/** Rules that, broken, are said to show in this story. */
function shown({ notes }: Scenario): string[] {
  const comments = notes.map(({ text }) => text.replace(/^# ?/, "")).join(" ");
  return [...comments.matchAll(/--break ([\w-]+)/g)].map(([, name]) => name as string);
}

function withSeed(scenario: Scenario, seed: number, mutant: string | null): Scenario {
  return { ...scenario, mutant, trace: null, plan: { ...scenario.plan, seed } };
}

describe("all of them", () => {
  test("are at least 40, and tell of every trace", () => {
    expect(FILES.length).toBeGreaterThanOrEqual(40);
    const traces = FILES.flatMap(({ scenario }) => /^trace ([0-9]+):/.exec(scenario.plan.title)?.[1] ?? []).map(Number);
    expect([...new Set(traces)].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => i + 1));
  });

  test("do everything that can be done to a cluster", () => {
    const verbs = new Set<Verb>(STEPS.map((step) => step.verb));
    expect((Object.keys(VERBS) as Verb[]).filter((verb) => !verbs.has(verb))).toEqual([]);
  });
});

describe("comes out as it says", () => {
  for (const { name, scenario } of FILES) {
    test(name, () => {
      const { verdict, message } = judge(scenario, play(scenario));
      expect(verdict, `${message}\n${RECORD}`).toBe("PASS");
      expect(scenario.trace, RECORD).not.toBeNull();
    });
  }
});

describe("a claim that does not hold says why", () => {
  const story = (claim: string) =>
    parseScenario(`title: two of us
peers: 2
at 0 start 1
at 100 start 2
at 1500 say 1 hello
at 2000 expect ${claim}
until: 2001
ending: stop`);
  test("and one that holds says nothing", () => {
    for (const claim of [
      ...["1 leads", "2 follows 1", "2 is observer", "1,2 delivered hello", "1,2 delivered 1 messages"],
      ...[
        "1 has not handled hello",
        "1,2 has written hello",
        "1,2 has synced hello",
        "1,2 has not written bye",
        "1,2 has not synced bye",
      ],
      ...["1,2 has promised 1", "1,2 is in term 1", "1 told leading", "2 told no leading", "1,2 counts voters 1"],
      ...["1,2 counts observers 2", "1,2 has pending 0", "all agree"],
    ])
      expect(judge(story(claim), play(story(claim)))).toMatchObject({ verdict: "PASS", message: null });
  });
  for (const [claim, why] of [
    ["1,2 leads", "peer 2: it is observer, term 1, leader 1"],
    ["2,1 follows 1", "peer 1: it is leader, term 1, leader 1"],
    ["1 delivered 2 messages", "it delivered 1"],
    ["1 delivered bye", "it delivered: hello"],
    ["1 handled hello", "it handled: "],
    ["1 handled hello twice", "0 times"],
    ["1 has written bye", "it has not"],
    ["1 has not written hello", "it has"],
    ["1 has synced hell", "it has not"],
    ["1 has not synced hello", "it has"],
    ["2 has promised 2", "it has promised 1"],
    ["2 is in term 2", "it is observer, term 1, leader 1"],
    ["1 told no leading", "it did"],
    ["1 counts observers 1,2", "it counts 2"],
    ["1 counts left 2", "it counts none"],
    ["1,3 leads", "there is no such peer"],
  ] as const) {
    test(claim, () => {
      const { violated, message } = judge(story(claim), play(story(claim)));
      expect([violated, message]).toEqual(["expect", expect.stringContaining(why)]);
    });
  }
});

describe("is about a rule", () => {
  for (const { name, scenario } of FILES) {
    for (const rule of shown(scenario)) {
      test(`${name}: --break ${rule}`, () => {
        const { seed } = scenario.plan;
        const seeds = Array.from({ length: MORE_SEEDS }, (_, i) => seed + i);
        const fails = (s: number) =>
          comes(withSeed(scenario, s, rule)) === "FAIL" && comes(withSeed(scenario, s, null)) === "PASS";
        expect(seeds.some(fails)).toBe(true);
      });
    }
  }
});
