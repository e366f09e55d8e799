/** Rounds in which mutants are hunted, and the table of what came of them. */
import type { Mutant } from "../../src/sim/mutants.ts";

/** Where a mutant is looked for: in plans drawn from the seed, or in plans written by hand. */
export type Source = "drawn" | "directed";

/** What found a mutant, and the number of seeds of one source that it had survived before. */
export interface Find {
  readonly survived: number;
  readonly seed: number;
  readonly violated: string;
}

/** null: it survived all seeds, or those before the other source found it. */
export interface Round extends Readonly<Record<Source, Find | null>> {
  /** The first seed of both. */
  readonly first: number;
}

/** How the mutants were hunted. */
export interface Hunt {
  readonly first: number;
  readonly rounds: number;
  readonly peers: number;
  readonly mutantMinutes: number;
  readonly mutantSeeds: number;
  readonly directedSeeds: number;
  /** Number of the plans written by hand. */
  readonly plans: number;
}

export type RoundsOf = (mutant: Mutant) => readonly Round[];

/** The table as Markdown. */
export function table(hunted: readonly Mutant[], roundsOf: RoundsOf, hunt: Hunt): string {
  const { first, rounds, peers, mutantMinutes, mutantSeeds, directedSeeds, plans } = hunt;
  const rows = hunted.map((mutant) => {
    const finds = roundsOf(mutant).flatMap(({ drawn, directed }) =>
      [drawn, directed].filter((found) => found !== null),
    );
    const invariants = [...new Set(finds.map((found) => found.violated))].sort().join(", ");
    const [drawn, both] = [median(roundsOf(mutant), drawnSurvived), median(roundsOf(mutant), bothSurvived)];
    const medians = `${finite(drawn, mutantSeeds)} | ${finite(both, mutantSeeds + directedSeeds)}`;
    return `| \`${mutant.name}\` | ${mutant.rule} | ${mutant.what} | ${invariants || "–"} | ${medians} |`;
  });
  const flags = [
    ...["--seeds 0 --others 0", `--rounds ${rounds}`, `--mutant-seeds ${mutantSeeds}`],
    ...[`--mutant-minutes ${mutantMinutes}`, `--directed-seeds ${directedSeeds}`, `--first ${first}`],
  ].join(" ");
  return `# Mutants

A mutant is the protocol with one rule broken on purpose (\`chatpeer sim --break NAME\`). Each is played from fresh seeds
until a checker complains; it is found only if the protocol as it is passes the same plan under the same seed.

*Survived* is the median, over the rounds, of the seeds that showed nothing before one did. *Drawn*: plans that follow
from the seed altogether (${peers} peers, ${mutantMinutes} virtual minute${mutantMinutes === 1 ? "" : "s"}, the profiles in turn). *And directed*: every other seed is spent on one of
the ${plans} plans in \`test/sim/kill-plans.ts\`, in turn, whichever mutant it was written for; the seed decides all delays in it.
*Found by* names invariants (\`docs/simulator.md\`); \`expect\` is a claim that the plan makes itself.

Written by the nightly run, here:

\`\`\`sh
npm run sim:nightly -- ${flags}
\`\`\`

| mutant | rule | what is broken | found by | survived, drawn | survived, drawn and directed |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function drawnSurvived({ drawn }: Round): number {
  return drawn?.survived ?? Number.POSITIVE_INFINITY;
}

/** The sources take turns, seed by seed. */
export function bothSurvived({ drawn, directed }: Round): number {
  const of = (find: Find | null) => 2 * (find?.survived ?? Number.POSITIVE_INFINITY);
  return Math.min(of(drawn), of(directed) + 1);
}

/** The middle of the rounds; infinite where the mutant survived in most of them. */
export function median(rounds: readonly Round[], survived: (round: Round) => number): number {
  const sorted = rounds.map(survived).sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]] as [number, number];
  return low === high ? low : (low + high) / 2;
}

function finite(median: number, of: number): string {
  return median === Number.POSITIVE_INFINITY ? `> ${of}` : `${median}`;
}
