/** Making a failure short: on runs that are only pretended, where the answer is known, and on a real one. */
import { describe, expect, test } from "bun:test";
import type { Plan, Step } from "../../src/sim/plan.ts";
import { playPlan } from "../../src/sim/play.ts";
import { drawPlan } from "../../src/sim/profile.ts";
import { parseScenario } from "../../src/sim/scenario.ts";
import { type Broken, type Limits, shrink } from "../../src/sim/shrink.ts";

const PATIENT: Limits = { runsMax: 5000, goOn: () => true };
const plan = drawPlan(3, "process", 5, 1);

/** A run that breaks when kills of these peers follow each other, at the last of them. */
function killsOf(...peers: string[]) {
  return ({ steps }: Plan): Broken => {
    let next = 0;
    for (const { verb, args, at } of steps) {
      if (verb === "kill" && args[0] === peers[next]) next += 1;
      if (next === peers.length) return { invariant: "I3", atMs: at };
    }
    return null;
  };
}

const verbs = (steps: readonly Step[]) => steps.map(({ verb, args }) => [verb, ...args].join(" "));

describe("a violation whose cause is known", () => {
  const run = killsOf("2", "3", "2");

  test("comes down to its cause, in the least time and with the fewest peers", () => {
    const kills = [2, 3, 2].map((peer, i): Step => ({ at: 20_000 * (i + 1), verb: "kill", args: [`${peer}`] }));
    const steps = [...plan.steps.filter((s) => s.verb !== "kill"), ...kills].sort((a, b) => a.at - b.at);
    const long = { ...plan, steps };
    const { plan: short, shortest, runs } = shrink(long, run(long) as NonNullable<Broken>, run, PATIENT);
    expect(verbs(short.steps)).toEqual(["kill 2", "kill 3", "kill 2"]);
    expect(short).toMatchObject({ peers: 3, ending: "stop", untilMs: 150 });
    expect(shortest).toBe(true);
    expect(runs).toBeLessThan(1000);
  });

  test("is the same one: another invariant does not count", () => {
    const other = (candidate: Plan): Broken =>
      candidate.steps.length < 20 ? { invariant: "I9", atMs: 0 } : { invariant: "I3", atMs: candidate.untilMs };
    const { plan: short } = shrink(plan, { invariant: "I3", atMs: plan.untilMs }, other, PATIENT);
    expect(short.steps).toHaveLength(20);
  });

  test("within limits: what is found when they are reached is the answer, and it says so", () => {
    const broken = (): Broken => ({ invariant: "I3", atMs: plan.untilMs });
    let asked = 0;
    const byRuns = shrink(plan, { invariant: "I3", atMs: plan.untilMs }, broken, { runsMax: 3, goOn: () => true });
    expect(byRuns).toMatchObject({ runs: 3, shortest: false });
    const byTime = shrink(plan, { invariant: "I3", atMs: plan.untilMs }, () => null, {
      runsMax: 5000,
      goOn: () => ++asked <= 7,
    });
    expect(byTime).toMatchObject({ runs: 7, shortest: false, plan });
  });

  test("what comes after the violation is dropped without a single run", () => {
    const { plan: short, runs } = shrink(plan, { invariant: "I3", atMs: 10_000.5 }, () => null, {
      runsMax: 0,
      goOn: () => true,
    });
    expect(runs).toBe(0);
    expect(short).toMatchObject({ untilMs: 10_001, ending: "stop" });
    expect(short.steps).toEqual(plan.steps.filter((step) => step.at <= 10_000));
  });

  test("many messages become one flood, and that as small as it can be", () => {
    const said = (steps: readonly Step[]) =>
      steps.reduce((n, { verb, args }) => n + (verb === "say" ? 1 : verb === "flood" ? Number(args[1]) : 0), 0);
    const full = ({ steps, untilMs }: Plan): Broken => (said(steps) >= 40 ? { invariant: "I2", atMs: untilMs } : null);
    const { plan: short } = shrink(plan, full(plan) as NonNullable<Broken>, full, PATIENT);
    expect(short.steps.map((s) => s.verb)).toEqual(["flood"]);
    expect(said(short.steps)).toBe(40);
  });

  test("a peer that goes takes its steps along, and those above it move down", () => {
    const groups: Plan = {
      ...plan,
      steps: [
        { at: 0, verb: "start", args: ["4", "1,2,3"] },
        { at: 10, verb: "split", args: ["1,4", "2,3"] },
        { at: 20, verb: "transfer", args: ["4", "0"] },
      ],
    };
    const needed = ({ steps, untilMs }: Plan): Broken =>
      steps.length === 3 ? { invariant: "I9", atMs: untilMs } : null;
    const { plan: short } = shrink(groups, { invariant: "I9", atMs: plan.untilMs }, needed, PATIENT);
    expect(verbs(short.steps)).toEqual(["start 1", "split 1 0", "transfer 1 0"]);
    expect(short.peers).toBe(1);
  });
});

/** Delays that the kept example may be changed for. */
const MORE_SEEDS = 30;

test("a kept example of more than 400 faults comes down to 30 steps or fewer", async () => {
  const { plan: long, mutant } = parseScenario(await Bun.file(`${import.meta.dir}/plans/402-faults.txt`).text());
  expect(long.steps.filter((step) => step.verb !== "say").length).toBeGreaterThan(400);
  const run = (candidate: Plan): Broken => {
    const { violation, virtualMs } = playPlan(candidate, mutant);
    return violation === null ? null : { invariant: violation.invariant, atMs: virtualMs };
  };
  // What is sent a little later by a new version misses its moment: other delays may meet it.
  const seeds = Array.from({ length: MORE_SEEDS }, (_, i) => long.seed + i);
  const seed = seeds.find((candidate) => run({ ...long, seed: candidate })?.invariant === "I4");
  const plan = { ...long, seed: seed ?? long.seed };
  const broken = run(plan);
  expect(broken?.invariant).toBe("I4");
  const { plan: short } = shrink(plan, broken as NonNullable<Broken>, run, PATIENT);
  expect(short.steps.length).toBeLessThanOrEqual(30);
  expect(run(short)?.invariant).toBe("I4");
  // And it is the broken rule that does it.
  expect(playPlan(short, null).violation).toBeNull();
}, 60_000);
