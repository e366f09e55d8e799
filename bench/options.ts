/** The flags of `bench/scale.ts`: what there is, what each may be, and what may stand together. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import * as v from "valibot";

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const RUNTIMES = ["binary", "bun", "node", "deno"] as const;
export type Runtime = (typeof RUNTIMES)[number];
export type FaultKind = "kill" | "pause" | "cut";
/**
 * How one follower differs from all others. None of these sends, so `silent` is the control of the rest: `paused` is
 * stopped, of `slow-disk` every sync takes longer, and of `deaf` nobody reads what it delivers, all for the whole flood.
 */
const ONE_FOLLOWER = ["silent", "paused", "slow-disk", "deaf"] as const;
export type OneFollower = (typeof ONE_FOLLOWER)[number];

export interface RunOptions {
  readonly peers: number;
  /** Messages in all, at least; null: as many as the time takes. */
  readonly messages: number | null;
  /** Of flooding; null where the messages say it. */
  readonly seconds: number | null;
  /** Bytes of a text. */
  readonly size: number;
  /** Messages per second of all peers together; null: as fast as it goes. */
  readonly rate: number | null;
  /** Submitted and not yet delivered to their sender, of each peer. */
  readonly window: number;
  readonly senders: "all" | "follower";
  readonly oneFollower: OneFollower | null;
  /** What happens to the leader, in this order. */
  readonly faults: readonly FaultKind[];
  /** The dead are started again. */
  readonly restart: boolean;
  /** … when this many more messages were delivered without them. */
  readonly away: number;
  /** Seconds that everybody stays behind the end, for what an idle cluster costs; 0: none. */
  readonly idle: number;
  readonly durability: "fsync" | "os";
  readonly runtime: Runtime | "mixed";
  /** Where the data directories are made. */
  readonly dir: string;
  readonly keep: boolean;
}

export interface Options extends RunOptions {
  /** Another run through the shipped binary and its `--json`. */
  readonly shipped: boolean;
  readonly sweep: boolean;
  readonly figures: FiguresOptions | null;
  readonly floor: boolean;
  readonly json: string | null;
  readonly report: string | null;
}

/** Every row of the table of figures, or some. */
export interface FiguresOptions {
  /** Of each row: a figure is their median. */
  readonly runs: number;
  /** Names of rows; null: all. */
  readonly only: readonly string[] | null;
  /** A tenth of the messages and seconds. */
  readonly quick: boolean;
}

/** The rows of the table, in its order. */
export const FIGURE_ROWS = [
  ...(["durable", "latency", "kill", "pause", "memory", "catch-up", "start"] as const),
  ...(["paused-voter", "slow-disk", "fifty", "idle", "deaf", "search", "floods", "sends"] as const),
] as const;
export type FigureRow = (typeof FIGURE_ROWS)[number];

/** With more processes on one machine, the figures would measure its scheduler. */
export const PEERS_MAX = 100;

export const USAGE = `bun run bench/scale.ts [flags]      floods a cluster of real peers, and checks that nothing was lost

  --peers N             peers, 1 to ${PEERS_MAX} (3)
  --messages N          messages in all, at least (100000), or
  --seconds S           so long
  --size BYTES          of one text, 1 to 65536 (100)
  --rate R              messages per second of all together (as fast as it goes)
  --window N            submitted and not yet delivered to their sender, per peer (10000)
  --senders WHO         all, or one follower (all)
  --kill-leader K       SIGKILL the leader K times      --restart     start the dead again
  --pause-leader K      SIGSTOP it K times              --away N      … once N messages have passed (0)
  --cut-leader K        cut it off K times (all traffic then passes a proxy, which costs)
  --one-follower HOW    it sends nothing (silent), or is paused, or has a slow-disk, or nobody reads it (deaf) meanwhile
  --idle S              S seconds more at the end in which nobody sends, and what they cost (0)
  --durability D        fsync or os (fsync)
  --runtime R           binary, bun, node, deno or mixed (binary)
  --shipped             also the shipped binary, driven through --json
  --floor               also what this machine does with no protocol at all
  --sweep               N = 1, 3, 5, 10, 20, 50 (and 100 where it fits) as one table; --messages: of N = 3
  --figures             every figure of docs/performance.md, each with its floor and its bound; alone, or with
    --runs N            of each row; told is the median (5)
    --only NAME,…       ${FIGURE_ROWS.join(", ")}
    --quick             a tenth of all sizes: to see that it works, not how fast it is
  --json FILE           the figures as JSON
  --report FILE.html    the run as a page with plots
  --dir DIR             the disk to measure (${tmpdir()})
  --keep                leave the data directories`;

const whole = (flag: string, min: number, max: number) => {
  const message = ({ input }: { readonly input: unknown }) =>
    `--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(`${input}`)}`;
  return v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,15}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};
const oneOf = <const T extends readonly string[]>(flag: string, ...choices: T) =>
  v.picklist(choices, ({ input }) => `--${flag} must be ${choices.join(" or ")}, not ${JSON.stringify(input)}`);
const fileIn = (flag: string) =>
  v.nullish(
    v.pipe(
      v.string(),
      v.check(
        (path) => path !== "" && existsSync(dirname(path)),
        ({ input }) => `--${flag} cannot write ${JSON.stringify(input)}: there is no folder ${dirname(input)}`,
      ),
    ),
    null,
  );

const MESSAGES = 100_000;
const FAULTS_MAX = 1000;

const FLAGS = v.object({
  peers: v.optional(whole("peers", 1, PEERS_MAX), "3"),
  messages: v.nullish(whole("messages", 1, 1e9), null),
  seconds: v.nullish(whole("seconds", 1, 86_400), null),
  size: v.optional(whole("size", 1, 65_536), "100"),
  rate: v.nullish(whole("rate", 1, 1e7), null),
  window: v.optional(whole("window", 1, 200_000), "10000"),
  senders: v.optional(oneOf("senders", "all", "follower"), "all"),
  "one-follower": v.nullish(oneOf("one-follower", ...ONE_FOLLOWER), null),
  idle: v.optional(whole("idle", 0, 3600), "0"),
  "kill-leader": v.optional(whole("kill-leader", 0, FAULTS_MAX), "0"),
  "pause-leader": v.optional(whole("pause-leader", 0, FAULTS_MAX), "0"),
  "cut-leader": v.optional(whole("cut-leader", 0, FAULTS_MAX), "0"),
  restart: v.optional(v.boolean(), false),
  away: v.optional(whole("away", 0, 1e8), "0"),
  durability: v.optional(oneOf("durability", "fsync", "os"), "fsync"),
  runtime: v.optional(oneOf("runtime", ...RUNTIMES, "mixed"), "binary"),
  shipped: v.optional(v.boolean(), false),
  floor: v.optional(v.boolean(), false),
  sweep: v.optional(v.boolean(), false),
  figures: v.optional(v.boolean(), false),
  runs: v.optional(whole("runs", 1, 100), "5"),
  only: v.nullish(
    v.pipe(
      v.string(),
      v.transform((names) => names.split(",")),
      v.array(oneOf("only", ...FIGURE_ROWS)),
    ),
    null,
  ),
  quick: v.optional(v.boolean(), false),
  json: fileIn("json"),
  report: fileIn("report"),
  dir: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (path) => existsSync(path),
        ({ input }) => `--dir must be a folder that is there, not ${JSON.stringify(input)}`,
      ),
    ),
    tmpdir(),
  ),
  keep: v.optional(v.boolean(), false),
});

/** Flags that take no value. */
const SWITCHES = new Set(["restart", "shipped", "floor", "sweep", "figures", "quick", "keep"]);
/** Flags that make sense only with `--figures`, and others that may be used with it: its rows set everything else. */
const OF_FIGURES = ["runs", "only", "quick"];
const BESIDE_FIGURES = [...OF_FIGURES, "figures", "json", "dir", "keep"];

/** Throws UsageError. */
export function readOptions(args: readonly string[]): Options {
  const given = typed(args);
  const { messages, seconds, figures, runs, only, quick, ...flags } = checked(given);
  const {
    "kill-leader": kills,
    "pause-leader": pauses,
    "cut-leader": cuts,
    "one-follower": oneFollower,
    ...rest
  } = flags;
  checkFigures(figures, Object.keys(given));
  const faults: FaultKind[] = [
    ...Array<FaultKind>(kills).fill("kill"),
    ...Array<FaultKind>(pauses).fill("pause"),
    ...Array<FaultKind>(cuts).fill("cut"),
  ];
  if (messages !== null && seconds !== null)
    throw new UsageError("--messages and --seconds both say how long it lasts: give one of them");
  const options = {
    ...{ ...rest, faults, oneFollower, seconds, messages: seconds === null ? (messages ?? MESSAGES) : null },
    figures: figures ? { runs, only, quick } : null,
  };
  if (oneFollower !== null && (options.peers < 3 || faults.length > 0 || options.sweep || options.senders !== "all"))
    throw new UsageError("--one-follower goes with --peers 3 or more, and without --…-leader, --senders and --sweep");
  if (oneFollower === "slow-disk" && options.shipped)
    throw new UsageError("--one-follower slow-disk is done inside the bench peer: leave out --shipped");
  if (faults.length > 0 && options.sweep) throw new UsageError("--sweep measures without faults: leave out --…-leader");
  if (options.report !== null && options.sweep)
    throw new UsageError("--report draws one run, not a sweep: leave out one of them");
  if (options.shipped && options.sweep) throw new UsageError("--shipped is a row beside one run: leave out --sweep");
  if (faults.length > 0 && options.peers < 3)
    throw new UsageError(`a cluster of ${options.peers} has nobody who could take over: --peers 3 or more`);
  const bearable = Math.floor((votersOf(options.peers) - 1) / 2);
  if (kills > bearable && !options.restart)
    throw new UsageError(
      `${options.peers} peers bear ${bearable} dead, not ${kills}: --restart starts them again, or give more --peers (7 vote at most 5)`,
    );
  if (options.senders === "follower" && faults.length > 1)
    throw new UsageError("--senders follower goes with one fault at most: the sender itself may lead then");
  if ((options.restart || options.away > 0) && kills === 0)
    throw new UsageError("--restart and --away are about the dead: give --kill-leader K");
  if (options.away > 0 && !options.restart)
    throw new UsageError("--away says when the dead are started again: give --restart");
  return options;
}

/** Number of voters in a cluster of `peers`: the largest odd number up to five. */
export function votersOf(peers: number): number {
  return Math.min(5, peers % 2 === 0 ? peers - 1 : peers);
}

function checkFigures(figures: boolean, given: readonly string[]): void {
  const astray = given.find((name) => (figures ? !BESIDE_FIGURES.includes(name) : OF_FIGURES.includes(name)));
  if (astray === undefined) return;
  const why = figures ? "the rows of --figures say that themselves" : "it is about the rows of --figures";
  throw new UsageError(`--${astray} does not fit: ${why}`);
}

function typed(args: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.keys(FLAGS.entries).map((name) => [
      name,
      { type: SWITCHES.has(name) ? ("boolean" as const) : ("string" as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]} (--help lists the flags)`);
  }
}

function checked(values: Record<string, unknown>): v.InferOutput<typeof FLAGS> {
  const result = v.safeParse(FLAGS, values, { abortEarly: true });
  if (!result.success) throw new UsageError(result.issues[0].message);
  return result.output;
}
