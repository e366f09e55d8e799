/** Scenarios as text: what is printed is read back the same, what is wrong is named with its line, stories come true. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Step } from "../../src/sim/plan.ts";
import { judge, play } from "../../src/sim/play.ts";
import { drawPlan, PROFILES } from "../../src/sim/profile.ts";
import { parseScenario, printScenario, type Scenario, ScenarioError } from "../../src/sim/scenario.ts";
import { SCENARIOS } from "../../src/sim/scenarios.ts";

const STORY = `title: a peer alone
peers: 1
seed: 7

# It founds a cluster, and talks to itself.
at 0 start 1
at 500 say 1 is anybody here?
at 3000 expect 1 delivered is anybody here?

until: 3500
ending: stop
`;

/** The story with a line in the place of another one. */
const withLine = (line: string, instead: string) => {
  const text = STORY.replace(line, instead);
  expect(text).not.toBe(STORY);
  return text;
};

const verdict = (text: string) => {
  const scenario = parseScenario(text);
  return judge(scenario, play(scenario));
};

describe("the text", () => {
  test("is the scenario, and nothing else", () => {
    expect(parseScenario(STORY)).toEqual({
      plan: {
        ...{ title: "a peer alone", peers: 1, seed: 7, untilMs: 3500, ending: "stop" },
        steps: [
          { at: 0, verb: "start", args: ["1"] },
          { at: 500, verb: "say", args: ["1", "is anybody here?"] },
          { at: 3000, verb: "expect", args: ["1 delivered is anybody here?"] },
        ],
      },
      ...{ mutant: null, violates: null, trace: null },
      notes: [
        { before: 0, text: "" },
        { before: 0, text: "# It founds a cluster, and talks to itself." },
        { before: 3, text: "" },
      ],
    });
  });

  test("printed and read back it is the same: the story, the listed ones, and plans of every profile", () => {
    for (const text of [STORY, ...SCENARIOS.map((s) => s.text)]) expect(printScenario(parseScenario(text))).toBe(text);
    for (const profile of PROFILES) {
      for (let seed = 1; seed <= 20; seed++) {
        const plan = drawPlan(seed, profile, 1 + (seed % 5), 1);
        const scenario: Scenario = { plan, mutant: null, violates: null, trace: null, notes: [] };
        expect(parseScenario(printScenario(scenario))).toEqual(scenario);
      }
    }
  });

  test("so is any other one", () => {
    const words = fc.stringMatching(/^[^\s\p{C}](?:[^\p{C}\p{Z}]| [^\p{C}\p{Z}]){0,20}$/u);
    const steps = fc
      .array(fc.record({ at: fc.nat(1000), text: words }), { maxLength: 5 })
      .map((said) =>
        said.sort((a, b) => a.at - b.at).map(({ at, text }): Step => ({ at, verb: "say", args: ["1", text] })),
      );
    const scenarios = fc
      .record({
        plan: fc.record({
          title: words,
          peers: fc.integer({ min: 1, max: 20 }),
          seed: fc.nat(4_294_967_295),
          steps,
          untilMs: fc.integer({ min: 1, max: 86_400_000 }),
          ending: fc.constantFrom("heal-all", "heal-part", "heal-slow", "stop"),
        }),
        mutant: fc.constantFrom(null, "no-dedup"),
        violates: fc.constantFrom(null, "I1", "I10"),
        trace: fc.constantFrom(null, "0123456789abcdef"),
        before: fc.array(fc.nat(5), { maxLength: 4 }),
      })
      .map(({ before, ...scenario }): Scenario => {
        const places = before.map((n) => Math.min(n, scenario.plan.steps.length)).sort();
        return { ...scenario, notes: places.map((place) => ({ before: place, text: place % 2 ? "# so" : "" })) };
      });
    fc.assert(
      fc.property(scenarios, (scenario) => expect(parseScenario(printScenario(scenario))).toEqual(scenario)),
      {
        numRuns: 40,
      },
    );
  });

  test("seed and ending may be missing, indents and line ends of other systems are taken", () => {
    const text = STORY.replace("seed: 7\n", "").replace("ending: stop\n", "").replaceAll("\nat", "\r\n  at");
    const { plan } = parseScenario(text);
    expect(plan).toMatchObject({ seed: 1, ending: "heal-all", steps: parseScenario(STORY).plan.steps });
  });
});

describe("what is wrong", () => {
  const wrong: [string, string][] = [
    [withLine("at 500 say", "at 500 shout"), "line 7: there is no step shout: start, say,"],
    [withLine("at 500 say 1 is anybody here?", "at 500 say 1"), "line 7: say needs: say PEER TEXT"],
    [withLine("at 500", "at noon"), "line 7: not a step: at noon say 1 is anybody here? (a step reads: at"],
    [
      withLine("say 1 is", "say 2 is"),
      "line 7: at 500 say 2 is anybody here?: PEER must be a peer, from 1 to 1, not 2",
    ],
    [withLine("say 1 is", "split 1 1,7 #"), "line 7: split needs: split GROUP GROUP"],
    [withLine("say 1 is anybody here?", "split 1 1,7"), "GROUP must be peers like 1,2, from 1 to 1, not 7"],
    [withLine("say 1 is anybody here?", "pause 1 long"), "MS must be whole milliseconds, at most 86400000, not long"],
    [withLine("say 1 is anybody here?", "flood 1 0"), "COUNT must be a whole number from 1 to 100000, not 0"],
    [withLine("say 1 is anybody here?", "crash-at 1 read 1"), "CALL must be one of write, truncate, sync,"],
    [withLine("1 delivered is anybody here?", "1 is happy"), "line 8: at 3000 expect 1 is happy: nobody knows how to"],
    [
      withLine("at 3000", "at 200"),
      "line 8: at 200 expect 1 delivered is anybody here?: a story goes forward, and the step above is at 500",
    ],
    [withLine("peers: 1", "peers: none"), 'line 2: peers: must be a whole number from 1 to 20, not "none"'],
    [
      withLine("ending: stop", "ending: happy"),
      'line 11: ending: must be one of heal-all, heal-part, heal-slow, stop, not "happy"',
    ],
    [withLine("seed: 7", "seed: 7\nseed: 8"), "line 4: seed: stands here a second time"],
    [
      withLine("seed: 7", "sed: 7"),
      'line 3: cannot read "sed: 7": a line is a step (at 2100 kill 3), a comment (# …) or one of title: peers:',
    ],
    [withLine("until: 3500\n", ""), "line 10: the scenario ends here without until:"],
    [withLine("ending: stop", "trace: beef"), 'line 11: trace: must be 16 hexadecimal digits, not "beef"'],
    [withLine("ending: stop", "violates: E8"), 'line 11: violates: must be an invariant, I1 to I12, not "E8"'],
    ["", "line 1: the scenario ends here without title:, peers:, until:"],
  ];
  for (const [text, message] of wrong) {
    test(message.slice(0, 60), () => {
      expect(() => parseScenario(text)).toThrow(ScenarioError);
      expect(() => parseScenario(text)).toThrow(message);
    });
  }
});

describe("the verdict", () => {
  test("PASS where the story comes true; its trace is the same every time, with a picture or without", () => {
    const first = verdict(STORY);
    expect(first).toMatchObject({ verdict: "PASS", violated: null, message: null, seed: 7, messages: 1 });
    expect(first.trace_hash).toMatch(/^[0-9a-f]{16}$/);
    expect(play(parseScenario(STORY), true).hash).toBe(first.trace_hash as string);
    expect(verdict(`${STORY}trace: ${first.trace_hash}\n`)).toEqual(first);
    expect(verdict(withLine("seed: 7", "seed: 8")).trace_hash).not.toBe(first.trace_hash);
  });

  test("FAIL where a claim does not hold, where the trace is another one, and where nothing breaks that should", () => {
    expect(verdict(withLine("expect 1 delivered", "expect 1 has not delivered"))).toMatchObject({
      verdict: "FAIL",
      violated: "expect",
      message: "expect: 1 has not delivered is anybody here?: it did",
    });
    expect(verdict(`${STORY}trace: 0123456789abcdef\n`)).toMatchObject({
      verdict: "FAIL",
      violated: "trace",
      message: expect.stringContaining("recorded was 0123456789abcdef"),
    });
    expect(verdict(withLine("seed: 7", "seed: 7\nviolates: I2"))).toMatchObject({
      verdict: "FAIL",
      violated: null,
      message: "every invariant holds (I2 was to be violated)",
    });
  });
});

describe("the listed scenarios", () => {
  for (const { name, text } of SCENARIOS) {
    test(`${name} comes out as it says`, () => {
      expect(verdict(text)).toMatchObject({ verdict: "PASS" });
    });
  }

  test("duplicate is about a rule: without it the message is delivered twice", () => {
    const { text } = SCENARIOS.find((s) => s.name === "duplicate") as (typeof SCENARIOS)[number];
    const broken = text.replace("seed: 1", "seed: 1\nbreak: no-dedup").replace(/trace: .*\n/, "");
    expect(verdict(broken)).toMatchObject({ verdict: "FAIL", violated: "I4" });
  });
});
