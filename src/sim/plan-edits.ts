/** Makes a plan into another one: shorter, with fewer peers, or a piece of it. Nothing here plays a plan. */
import { argNames, PEER_NAMES, type Plan, type Step } from "./plan.ts";

export function isSaid({ verb }: Step): boolean {
  return verb === "say" || verb === "flood";
}

/** The first start of each peer: without them nothing else happens. */
export function firstStarts(steps: readonly Step[]): readonly Step[] {
  const first = new Map<string, Step>();
  for (const step of steps) {
    const [peer = ""] = step.args;
    if (step.verb === "start" && !first.has(peer)) first.set(peer, step);
  }
  return [...first.values()];
}

/**
 * The plan without the steps after a violation, which had no part in it. A violation that showed only at the end needs
 * all steps.
 */
export function withoutAftermath(plan: Plan, atMs: number): Plan {
  if (atMs >= plan.untilMs) return plan;
  return {
    ...plan,
    steps: plan.steps.filter((step) => step.at <= atMs),
    untilMs: Math.max(1, Math.ceil(atMs)),
    ending: "stop",
  };
}

export function without(plan: Plan, chunk: readonly Step[]): Plan {
  const gone = new Set(chunk);
  return { ...plan, steps: plan.steps.filter((step) => !gone.has(step)) };
}

/**
 * The plan without one peer. Peers above it move down, so that the first one is still the founder. Steps that name it
 * are removed, and groups lose it.
 */
export function withoutPeer(plan: Plan, peer: number): Plan {
  const renamed = (word: string) => {
    const left = word
      .split(",")
      .map(Number)
      .filter((site) => site !== peer);
    return left.map((site) => (site > peer && site <= plan.peers ? site - 1 : site)).join(",");
  };
  const steps = plan.steps.flatMap((step) => {
    const args: string[] = [];
    for (const [i, name] of argNames(step.verb).entries()) {
      const word = step.args[i];
      if (word === undefined) break;
      if (!PEER_NAMES.has(name)) args.push(word);
      else if (renamed(word) !== "") args.push(renamed(word));
      else if (name === "GROUP") args.push("0");
      else if (name !== "SEEDS") return [];
    }
    return [{ ...step, args }];
  });
  return { ...plan, peers: plan.peers - 1, steps };
}

/** Moves step `i`, and all that follow, to `gapMs` behind the step before it; null where they are that close. */
export function withGap(plan: Plan, i: number, gapMs: number): Plan | null {
  const earlier = (plan.steps[i]?.at ?? 0) - (plan.steps[i - 1]?.at ?? 0) - gapMs;
  if (earlier <= 0) return null;
  const steps = plan.steps.map((step, j) => (j < i ? step : { ...step, at: step.at - earlier }));
  return { ...plan, steps, untilMs: plan.untilMs - earlier };
}

/** Messages that are said in a row become one flood of the peer that began. */
export function saidAtOnce(plan: Plan): Plan {
  const steps: Step[] = [];
  for (const step of plan.steps) {
    const before = steps.at(-1);
    const [peer = ""] = step.args;
    if (step.verb !== "say") steps.push(step);
    else if (before?.verb !== "flood") steps.push({ ...step, verb: "flood", args: [peer, "1"] });
    else steps[steps.length - 1] = { ...before, args: [before.args[0] as string, `${Number(before.args[1]) + 1}`] };
  }
  return { ...plan, steps };
}

/** The flood at `i` half as large; null where there is none, or nothing to halve. */
export function withSmallerFlood(plan: Plan, i: number): Plan | null {
  const { verb, at, args } = plan.steps[i] as Step;
  const half = Math.floor(Number(args[1]) / 2);
  if (verb !== "flood" || half === 0) return null;
  return { ...plan, steps: plan.steps.with(i, { at, verb, args: [args[0] as string, `${half}`] }) };
}

/** `size` steps from the `from`-th on, with waits of at most `gapMs`, on a cluster that has had `meetingMs` to meet. */
export function piece(plan: Plan, from: number, size: number, gapMs: number, meetingMs: number): Plan {
  const starts = firstStarts(plan.steps);
  const steps: Step[] = starts.map((step) => ({ ...step, at: 0 }));
  let at = meetingMs;
  let before: Step | undefined;
  for (const step of plan.steps.filter((s) => !starts.includes(s)).slice(from, from + size)) {
    at += Math.min(gapMs, step.at - (before?.at ?? step.at));
    steps.push({ ...step, at });
    before = step;
  }
  return { ...plan, steps, untilMs: at + gapMs };
}
