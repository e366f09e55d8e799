/**
 * A scenario as text that reads like a story; a found schedule and a teaching example are the same kind of text.
 *
 *   title: the leader dies before anybody has heard
 *   peers: 3
 *   seed: 7
 *   secured: yes                      (optional: peers prove their keys, and all but the first need invitations)
 *   break: early-ack                  (optional: played with this rule of the protocol broken)
 *   violates: I1                      (optional: what is to come of it)
 *
 *   # Comments and empty lines stay where they are.
 *   at 0 start 1
 *   at 2100 kill 3
 *   at 9000 expect all agree
 *
 *   until: 10000                      (virtual milliseconds)
 *   ending: stop                      (or heal-all, heal-part, heal-slow)
 *   trace: 0123456789abcdef           (optional: the hash of everything that happened)
 */
import { TERM_MAX } from "../core/config.ts";
import { CLIENTS_FROM } from "./clients.ts";
import { isClaim } from "./expect.ts";
import { argNames, CALLS, PEER_NAMES, type Plan, PlanError, parseStep, printStep, type Step } from "./plan.ts";
import { CLIENT_STEPS } from "./steps.ts";

export interface Scenario {
  readonly plan: Plan;
  /** The mutant with which it is played. */
  readonly mutant: string | null;
  /** The invariant that is to be violated; null: none is. */
  readonly violates: string | null;
  readonly trace: string | null;
  readonly notes: readonly Note[];
}

/** A comment with its `#`, or an empty line; and the number of steps before it. */
interface Note {
  readonly before: number;
  readonly text: string;
}

export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  /** From 1. */
  readonly line: number;
  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.line = line;
  }
}

/** Nobody can read more lifelines, and a run with more peers takes minutes. */
export const PEERS_MAX = 20;
export const SEED_MAX = 4_294_967_295;
/** A day. */
const MS_MAX = 86_400_000;
/** Second processes with a peer's id have sites from here on. */
const TWINS_FROM = 100;
const CLIENTS_MAX = CLIENTS_FROM + PEERS_MAX - 1;
const ENDINGS = ["heal-all", "heal-part", "heal-slow", "stop"] as const;

/** What each field may be, in words for errors, and null where it is not. */
const FIELDS = {
  title: ["a line of words", (text: string) => (text === "" ? null : text)],
  peers: [`a whole number from 1 to ${PEERS_MAX}`, (text: string) => whole(text, 1, PEERS_MAX)],
  seed: [`a whole number from 0 to ${SEED_MAX}`, (text: string) => whole(text, 0, SEED_MAX)],
  break: ["the name of a mutant (chatpeer sim --list-rules)", (text: string) => fitting(text, /^[\w-]+$/)],
  violates: ["an invariant, I1 to I12", (text: string) => fitting(text, /^I([1-9]|1[0-2])$/)],
  until: [`milliseconds, at most ${MS_MAX}`, (text: string) => whole(text, 1, MS_MAX)],
  secured: ["yes", (text: string) => (text === "yes" ? true : null)],
  ending: [`one of ${ENDINGS.join(", ")}`, (text: string) => ENDINGS.find((ending) => ending === text) ?? null],
  trace: ["16 hexadecimal digits", (text: string) => fitting(text, /^[0-9a-f]{16}$/)],
} as const;

type FieldName = keyof typeof FIELDS;
type FieldValue<N extends FieldName> = NonNullable<ReturnType<(typeof FIELDS)[N][1]>>;
type Fields = { -readonly [N in FieldName]?: FieldValue<N> };

/** Throws ScenarioError that names the line, what is wrong there and what is wanted. */
export function parseScenario(text: string): Scenario {
  const fields: Fields = {};
  const steps: Step[] = [];
  const lineOf: number[] = [];
  const notes: Note[] = [];
  const lines = text.replace(/\n$/, "").split("\n");
  for (const [i, raw] of lines.entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) notes.push({ before: steps.length, text: line });
    else if (/^at\b/.test(line)) {
      steps.push(stepOf(line, i + 1, steps.at(-1)));
      lineOf.push(i + 1);
    } else readField(fields, line, i + 1);
  }
  const { title, peers, until, seed = 1, ending = "heal-all" } = fields;
  if (title === undefined || peers === undefined || until === undefined) {
    const missing = (["title", "peers", "until"] as const).filter((name) => fields[name] === undefined);
    throw new ScenarioError(lines.length, `the scenario ends here without ${missing.map((m) => `${m}:`).join(", ")}`);
  }
  for (const [i, step] of steps.entries()) {
    const wrong = wrongIn(step, peers);
    if (wrong !== null) throw new ScenarioError(lineOf[i] as number, `${printStep(step)}: ${wrong}`);
  }
  return {
    plan: { title, seed, peers, steps, untilMs: until, ending, ...(fields.secured === true && { secured: true }) },
    mutant: fields.break ?? null,
    violates: fields.violates ?? null,
    trace: fields.trace ?? null,
    notes,
  };
}

/** The same scenario again when parsed. */
export function printScenario({ plan, mutant, violates, trace, notes }: Scenario): string {
  const lines = [`title: ${plan.title}`, `peers: ${plan.peers}`, `seed: ${plan.seed}`];
  if (plan.secured === true) lines.push("secured: yes");
  if (mutant !== null) lines.push(`break: ${mutant}`);
  if (violates !== null) lines.push(`violates: ${violates}`);
  let told = 0;
  for (let i = 0; i <= plan.steps.length; i++) {
    for (; notes[told]?.before === i; told++) lines.push((notes[told] as Note).text);
    const step = plan.steps[i];
    if (step !== undefined) lines.push(printStep(step));
  }
  lines.push(`until: ${plan.untilMs}`, `ending: ${plan.ending}`);
  if (trace !== null) lines.push(`trace: ${trace}`);
  return `${lines.join("\n")}\n`;
}

/** A plan as a scenario of its own, opened by a comment. */
export function scenarioOf(plan: Plan, mutant: string | null, comment: string): Scenario {
  const notes = [
    { before: 0, text: "" },
    { before: 0, text: `# ${comment}` },
    { before: plan.steps.length, text: "" },
  ];
  return { plan, mutant, violates: null, trace: null, notes };
}

function stepOf(line: string, number: number, before: Step | undefined): Step {
  let step: Step;
  try {
    step = parseStep(line);
  } catch (error) {
    if (error instanceof PlanError) throw new ScenarioError(number, error.message);
    throw error;
  }
  if (step.at < (before?.at ?? 0))
    throw new ScenarioError(number, `${line}: a story goes forward, and the step above is at ${before?.at}`);
  return step;
}

function readField(fields: Fields, line: string, number: number): void {
  const [, name = "", value = ""] = /^([a-z]+): *(.*)$/.exec(line) ?? [];
  const names = Object.keys(FIELDS).map((known) => `${known}:`);
  if (!isField(name))
    throw new ScenarioError(
      number,
      `cannot read ${JSON.stringify(line)}: a line is a step (at 2100 kill 3), a comment (# …) or one of ${names.join(" ")}`,
    );
  if (fields[name] !== undefined) throw new ScenarioError(number, `${name}: stands here a second time`);
  const [wanted, read] = FIELDS[name];
  const found = read(value);
  if (found === null) throw new ScenarioError(number, `${name}: must be ${wanted}, not ${JSON.stringify(value)}`);
  Object.assign(fields, { [name]: found });
}

function isField(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name);
}

function whole(text: string, min: number, max: number): number | null {
  return /^[0-9]{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : null;
}

function fitting(text: string, pattern: RegExp): string | null {
  return pattern.test(text) ? text : null;
}

/**
 * What is wrong with a step's arguments, and what to do. The world itself ignores steps that it does not understand.
 */
function wrongIn({ verb, args }: Step, peers: number): string | null {
  for (const [i, name] of argNames(verb).entries()) {
    const word = args[i];
    if (word === undefined) continue;
    if (PEER_NAMES.has(name)) {
      // 0 is allowed here: an empty side of a split, or any successor in a transfer.
      const nobody = name === "GROUP" || (verb === "transfer" && name === "TO");
      const several = name === "GROUP" || name === "SEEDS";
      const sites = several ? word.split(",") : [word];
      const isSite = (site: string) =>
        whole(site, nobody ? 0 : 1, peers) !== null ||
        whole(site, TWINS_FROM, TWINS_FROM + PEERS_MAX) !== null ||
        (i === 0 && verb in CLIENT_STEPS && whole(site, CLIENTS_FROM, CLIENTS_MAX) !== null);
      const wrong = sites.find((site) => !isSite(site));
      if (wrong !== undefined)
        return `${name} must be ${several ? "peers like 1,2" : "a peer"}, from 1 to ${peers}, not ${wrong}`;
    }
    if (name === "CLIENT" && whole(word, CLIENTS_FROM, CLIENTS_MAX) === null)
      return `CLIENT must be a number from ${CLIENTS_FROM} to ${CLIENTS_MAX}, not ${word}`;
    if (name === "COUNT" && whole(word, 1, 100_000) === null)
      return `COUNT must be a whole number from 1 to 100000, not ${word}`;
    if (name === "TERMS" && whole(word, 1, TERM_MAX) === null)
      return `TERMS must be a whole number from 1 to ${TERM_MAX}, not ${word}`;
    if (name === "PERCENT" && whole(word, 0, 100) === null)
      return `PERCENT must be a whole number from 0 to 100, not ${word}`;
    if (
      (name === "MS" || name === "LEAST") &&
      whole(verb.endsWith("clock") ? word.replace(/^-/, "") : word, 0, MS_MAX) === null
    )
      return `${name} must be whole milliseconds, at most ${MS_MAX}, not ${word}`;
    if (name === "CALL" && !(CALLS as readonly string[]).includes(word))
      return `CALL must be one of ${CALLS.join(", ")}, not ${word}`;
    if (name === "CLAIM" && !isClaim(word))
      return "nobody knows how to check that; claims are listed in src/sim/expect.ts";
  }
  return null;
}
