/**
 * What is done to a simulated cluster, and when: a list of steps, one line of text each, drawn from a seed or written
 * by hand. A violation's shortest plan and a teaching scenario are the same kind of text.
 *
 *   at 2100 kill 3
 *   at 2500 split 1,2 3,4,5
 */

export interface Step {
  /** Virtual milliseconds from the start. */
  readonly at: number;
  readonly verb: Verb;
  /** As written; the last one of `say` and `expect` is the rest of the line. */
  readonly args: readonly string[];
}

export interface Plan {
  readonly title: string;
  readonly seed: number;
  readonly peers: number;
  readonly steps: readonly Step[];
  /** Virtual milliseconds until the end of the steps' time. */
  readonly untilMs: number;
  /**
   * What comes then: "heal-all", "heal-part" (a part with a majority heals, the rest stays broken for good) and
   * "heal-slow" (all heals, but disks and lines stay as slow as they are) demand that everything pending drains; "stop"
   * just checks what is there.
   */
  readonly ending: "heal-all" | "heal-part" | "heal-slow" | "stop";
  /** The first peer founds a secured cluster: the others need invitations. */
  readonly secured?: boolean;
}

/** Arguments in words, for help and for errors; their number is the number of names, a name in [] may be missing. */
export const VERBS = {
  // people
  start: "PEER [SEEDS]",
  say: "PEER TEXT",
  flood: "PEER COUNT",
  quit: "PEER",
  transfer: "PEER TO",
  evict: "PEER WHOM",
  // in a secured cluster: PEER invites those who have an empty directory, who join at once
  invite: "PEER GROUP [COUNT] [MS]",
  // the same, and it is a client's invitation
  misinvite: "PEER GROUP",
  // the secret of the invitation that it was given is another one
  guess: "PEER",
  revoke: "PEER WHOM",
  application: "PEER MS",
  // a thin client, by its number from 201 on; other steps may name it where a PEER or the first of two stands
  attach: "CLIENT PEER",
  // the network
  cut: "A B",
  "cut-way": "FROM TO",
  split: "GROUP GROUP",
  isolate: "PEER",
  bridge: "PEER",
  "slow-link": "FROM TO MS [LEAST]",
  "lossy-link": "FROM TO PERCENT",
  narrow: "PEER KBITS",
  reset: "A B",
  heal: "[A] [B]",
  // processes
  kill: "PEER",
  vanish: "PEER",
  "crash-at": "PEER CALL COUNT",
  pause: "PEER MS",
  clock: "PEER MS",
  "wall-clock": "PEER MS",
  twin: "PEER",
  double: "PEER",
  clone: "PEER",
  // the same where all others are there to see it; after a while a person gives the copy up
  "clone-seen": "PEER",
  // addresses: stopped, and started again at another one, with seeds that name where the others are now
  move: "PEER [SEEDS]",
  "move-all": "[SEEDS]",
  swap: "A B",
  // machines and disks
  "power-cut": "PEER",
  full: "PEER",
  // no file can be made, though there is room: its file system is out of inodes
  "no-names": "PEER",
  room: "PEER",
  "slow-disk": "PEER MS [LEAST]",
  "fail-sync": "PEER",
  flip: "PEER",
  "bad-line": "PEER",
  shorten: "PEER",
  "lose-segment": "PEER",
  // with right crcs: another history
  rewrite: "PEER",
  snapshot: "PEER",
  rollback: "PEER",
  // several at once, that may be a majority; they stay down
  "put-back": "GROUP",
  wipe: "PEER",
  // the same, and nobody tells it to join: what it founds then is another cluster
  empty: "PEER",
  // hostile or careless strangers
  garbage: "PEER",
  giant: "PEER",
  usurp: "PEER TERMS [AS]",
  knock: "PEER COUNT [AS]",
  forge: "PEER AS COUNT",
  // what must hold at this moment
  expect: "CLAIM",
} as const;

/** Where a process may lose power: at a call to its disk, or at a send. */
export const CALLS = ["write", "truncate", "sync", "create", "rename", "remove", "sync-directory", "send"] as const;

export type Verb = keyof typeof VERBS;

/** Names of arguments that are a peer, or several with commas between them. */
export const PEER_NAMES: ReadonlySet<string> = new Set([
  "PEER",
  "A",
  "B",
  "FROM",
  "TO",
  "WHOM",
  "AS",
  "SEEDS",
  "GROUP",
]);

/** The names of a verb's arguments, in order. */
export function argNames(verb: Verb): readonly string[] {
  return VERBS[verb].split(" ").map((name) => name.replace(/[[\]]/g, ""));
}

/** Verbs whose last argument is the rest of the line. */
const FREE_TEXT: ReadonlySet<string> = new Set(["say", "expect"]);

export class PlanError extends Error {
  override readonly name = "PlanError";
}

/** Reads one line after `at `. Throws PlanError that says what is wanted. */
export function parseStep(line: string): Step {
  const match = /^at ([0-9]+(?:\.[0-9]+)?) +(\S+) *(.*)$/.exec(line);
  if (match === null) throw new PlanError(`not a step: ${line} (a step reads: at MILLISECONDS VERB ARGUMENTS)`);
  const [, at, verb, rest] = match as unknown as [string, string, string, string];
  if (!Object.hasOwn(VERBS, verb)) throw new PlanError(`there is no step ${verb}: ${Object.keys(VERBS).join(", ")}`);
  const usage = VERBS[verb as Verb];
  const names = usage.split(" ");
  const needed = names.filter((n) => !n.startsWith("[")).length;
  const args: string[] = FREE_TEXT.has(verb) ? splitFree(rest, names.length) : rest.split(/ +/).filter((a) => a !== "");
  if (args.length < needed || args.length > names.length) throw new PlanError(`${verb} needs: ${verb} ${usage}`);
  return { at: Number(at), verb: verb as Verb, args };
}

export function printStep({ at, verb, args }: Step): string {
  return `at ${at} ${[verb, ...args].join(" ")}`;
}

function splitFree(rest: string, count: number): string[] {
  const parts = rest.trim().split(" ");
  return parts.length < count || rest.trim() === ""
    ? []
    : [...parts.slice(0, count - 1), parts.slice(count - 1).join(" ")];
}
