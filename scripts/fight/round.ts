/** One round: faults while everybody talks, then all is healed, and everybody must be level within the bound. */
import { readFileSync } from "node:fs";
import { seeded } from "../../src/sim/virtual-time.ts";
import type { Cast } from "./cast.ts";
import type { Disks } from "./disks.ts";
import type { Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import { HOSTS, type Plan, stepText } from "./plan.ts";
import { AGAIN, MARK, type Standing, type Talker } from "./talker.ts";

/** I9's bound. */
export const LEVEL_MS_MAX = 10_000;
/** A failed round is watched for this long, to distinguish what is slow from what never comes. */
const WATCHED_MS_MAX = 60_000;
const TALK_MS = 100;
/** Share of the processes that talk each time. */
const TALKS = 0.4;
const SEND_MS = 1500;
const LOOK_MS = 20;
const ANSWER_MS_MAX = 1000;
/** Last words that were not taken are said again. */
const AGAIN_MS = 500;
const LOG_LINES = 60;

export interface Outcome {
  /** From healing until all were level, or null: never seen. */
  readonly levelMs: number | null;
  readonly term: number;
  readonly members: number;
  /** What happened, with times from the beginning of the round. */
  readonly timeline: readonly string[];
  /** Peers that ended by themselves. */
  readonly surprises: readonly string[];
}

export interface Scene {
  readonly cast: Cast;
  readonly faults: Faults;
  readonly disks: Disks;
  readonly ledger: Ledger;
}

export async function playRound(scene: Scene, plan: Plan, round: number, seed: number): Promise<Outcome> {
  const { cast, faults, disks } = scene;
  const began = performance.now();
  const timeline: string[] = [];
  const note = (what: string) => void timeline.push(`${Math.round(performance.now() - began)} ${what}`);
  const talking = talk(scene, seeded(seed * 100_019 + round));
  const full = new Set<number>();
  const surprises: string[] = [];
  for (const step of plan.steps) {
    await Bun.sleep(Math.max(0, began + step.at - performance.now()));
    note(`${stepText(step)} (leader: ${cast.leader?.id ?? "none"}; running: ${cast.running.map((p) => p.id)})`);
    faults.carryOut(step);
    for (let host = 1; host <= HOSTS; host++) if (disks.isFull(host)) full.add(host);
  }
  await Bun.sleep(Math.max(0, began + plan.ms - performance.now()));
  talking.stop();
  for (const { id, host, talker, ended } of cast.peers.values())
    if (!talker.runs && !ended && !full.has(host))
      surprises.push(`peer ${id} has ended by itself (code ${talker.code})`);
  for (const { talker, ended } of cast.clients)
    if (!talker.runs && !ended && talker.isReady)
      surprises.push(`${talker.name} has ended by itself (code ${talker.code})`);
  note("healing");
  await faults.heal(plan);
  note("healed");
  const healed = performance.now();
  const level = await becomesLevel(cast, round, WATCHED_MS_MAX);
  const levelMs = level ? performance.now() - healed : null;
  note(levelMs === null ? "not level" : "level");
  for (const { id, talker, left } of cast.peers.values())
    if (!talker.runs && !left) surprises.push(`peer ${id} does not run after healing (code ${talker.code})`);
  const standing = cast.running[0]?.talker.standing;
  return { levelMs, term: standing?.term ?? 0, members: cast.running.length, timeline, surprises };
}

/** Everybody says things, until it is stopped. */
function talk({ cast, ledger }: Scene, random: () => number): { stop(): void } {
  let sends = 0;
  const talking = setInterval(() => {
    for (const talker of cast.talkers) if (random() < TALKS) talker.say(random() < 0.02 ? ` ${"x".repeat(8000)}` : "");
  }, TALK_MS);
  const sending = setInterval(() => {
    const peers = cast.running;
    const peer = peers[Math.floor(random() * peers.length)];
    const host = 1 + Math.floor(random() * HOSTS);
    if (peer !== undefined) cast.send(host, peer, `send ${ledger.oneShots.size} ${++sends}`);
  }, SEND_MS);
  return {
    stop() {
      clearInterval(talking);
      clearInterval(sending);
    },
  };
}

/**
 * All that should be here are here, clients too. All send last words, and each has been told everybody's: so they have
 * all that was said before. Then they name one leader and one commit index, and nothing waits anywhere.
 */
export async function becomesLevel(cast: Cast, round: number, ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  const until = async (holds: () => boolean | Promise<boolean>) => {
    while (!(await holds())) {
      if (performance.now() > deadline) return false;
      await Bun.sleep(LOOK_MS);
    }
    return true;
  };
  const present = async () => {
    await cast.startClients();
    return cast.talkers.every((talker) => talker.isReady);
  };
  if (!(await until(present))) return false;
  const { talkers } = cast;
  const marks = talkers.map(({ name }) => `${MARK}${round} ${name}`);
  for (const talker of talkers) {
    talker.marks.clear();
    talker.marked = false;
  }
  let saidAt = Number.NEGATIVE_INFINITY;
  let times = 0;
  const told = () => {
    // A disk that was full a moment ago takes nothing yet, and says so: they are said again.
    if (performance.now() > saidAt + AGAIN_MS) {
      for (const [i, talker] of talkers.entries()) if (!talker.marked) talker.line(`${marks[i]}${AGAIN}${times}`);
      saidAt = performance.now();
      times++;
    }
    return talkers.every((talker) => marks.every((text) => talker.marks.has(text)));
  };
  return until(async () => told() && (await agree(talkers)));
}

async function agree(talkers: readonly Talker[]): Promise<boolean> {
  const deadline = performance.now() + ANSWER_MS_MAX;
  for (const talker of talkers) {
    talker.standing = null;
    talker.line("/status");
  }
  while (talkers.some((talker) => talker.standing === null) && performance.now() < deadline) await Bun.sleep(LOOK_MS);
  const standings = talkers.map((talker) => talker.standing);
  const first = standings[0];
  if (first === undefined || first === null || first.leader === null) return false;
  const same = (s: Standing | null) => s?.leader === first.leader && s.commit === first.commit && s.pending === 0;
  return standings.every(same) && standings.filter((s) => s?.role === "leader").length === 1;
}

/** What a person needs to look for the cause. */
export function dump({ cast }: Scene, timeline: readonly string[]): string {
  const lines = ["timeline:", ...timeline.map((line) => `  ${line}`)];
  for (const talker of [...cast.peers.values(), ...cast.clients].map((each) => each.talker)) {
    const { name, code, role, standing, marks, last } = talker;
    lines.push(
      "",
      `${name}: ${code === null ? "runs" : `ended with ${code}`}, role ${role}, ${JSON.stringify(standing)}`,
    );
    lines.push(`  marks: ${[...marks].join(", ")}`);
    lines.push(...last.map((event) => `  ${JSON.stringify(event).slice(0, 300)}`));
    const log = readFileSync(cast.logOf(name), "utf8").split("\n").slice(-LOG_LINES);
    lines.push(...log.map((line) => `  ${line.slice(0, 300)}`));
  }
  return lines.join("\n");
}
