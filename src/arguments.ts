/**
 * Checks what a program hands to the library, before anything is done with it: from JavaScript, or after a cast, it may
 * be anything. The result is a copy, which the program cannot change later.
 */
import * as v from "valibot";
import {
  DEFAULT_TIMINGS,
  HISTORY_TEXT_CHARS_MAX,
  INVITATION_USES_MAX,
  PEER_ID_MAX,
  TIME_MS_MAX,
  type Timings,
} from "./core/config.ts";
import type { HostEvent, LogRecord } from "./host/events.ts";
import { NAME_RULE } from "./host/net/admission.ts";
import { nearest } from "./nearest.ts";
import { PeerError } from "./peer-error.ts";
import * as parts from "./wire/schema-parts.ts";
import { isName } from "./wire/text.ts";

const DAY_MS = 86_400_000;
/** Length of a value that is shown in an error. */
const SHOWN_CHARS_MAX = 80;

/** Checks `value` by the schema; `what` names it in errors. Throws PeerError "bad-option". */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown, what: string): T {
  let wrong: string;
  try {
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    wrong = wordsFor(result.issues, what);
  } catch (cause) {
    // A getter or a proxy throws.
    throw new PeerError("bad-option", `${what} cannot be read`, { cause });
  }
  throw new PeerError("bad-option", wrong);
}

/** Throws PeerError "bad-option" or "bad-room". */
export function checkedRoom(value: unknown): string {
  const room = checked(TEXT, value, "room");
  if (!isName(room)) throw new PeerError("bad-room", `a room's name has ${NAME_RULE}`);
  return room;
}

/** An unknown option is named first: it may be the misspelt one that is missing. */
function wordsFor(issues: readonly v.BaseIssue<unknown>[], what: string): string {
  const issue = issues.find(({ expected }) => expected === "never") ?? (issues[0] as v.BaseIssue<unknown>);
  if (isOfName(issue)) return issue.message;
  const place = v.getDotPath(issue);
  const where = place === null ? what : issue.path?.[0].type === "array" ? `${what}.${place}` : place;
  return `${where} must be ${issue.message}, not ${shown(issue.input)}`;
}

/** The option is unknown or missing, so its value is not what is wrong. */
function isOfName({ path }: v.BaseIssue<unknown>): boolean {
  return path?.at(-1)?.origin === "key";
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const isLong = value.length > SHOWN_CHARS_MAX;
    return JSON.stringify(isLong ? value.slice(0, SHOWN_CHARS_MAX) : value) + (isLong ? "…" : "");
  }
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return `a value of the type ${Object.prototype.toString.call(value).slice("[object ".length, -1)}`;
}

function kind<T>(rule: string, fits: (value: unknown) => boolean) {
  return v.custom<T>(fits, rule);
}

function whole(min: number, max = Number.MAX_SAFE_INTEGER) {
  const upTo = max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`;
  return kind<number>(
    `a whole number from ${min}${upTo}`,
    (value) => v.is(parts.index, value) && value >= min && value <= max,
  );
}

function oneOf<const T extends string>(...choices: readonly T[]) {
  return kind<T>(choices.map((choice) => JSON.stringify(choice)).join(" or "), (value) => choices.includes(value as T));
}

function callback<F>() {
  return kind<F>("a function", (value) => typeof value === "function");
}

/** An object with these names and no others. */
function settings<T extends v.ObjectEntries>(entries: T) {
  return v.strictObject(entries, (issue) => {
    const { expected, path } = issue;
    if (!isOfName(issue)) return "an object";
    const name = String(path?.at(-1)?.key);
    if (expected !== "never") return `option ${name} is missing`;
    const close = nearest(name, Object.keys(entries));
    const quoted = /^\w{1,80}$/.test(name) ? name : shown(name);
    return `unknown option ${quoted}${close === null ? "" : `: did you mean ${close}?`}`;
  });
}

export const TEXT = kind<string>("a text", (value) => typeof value === "string");
export const TEXTS = v.array(TEXT, "an array of texts");
export const INDEX = whole(0);
export const SEQ_NO = whole(1);
export const COUNT = whole(0);

const toggle = kind<boolean>("true or false", (value) => typeof value === "boolean");
const signal = v.optional(v.instance(AbortSignal, "an AbortSignal"));
const peerId = whole(1, PEER_ID_MAX);
const host = kind<string>("a host's name or address", (value) => v.is(parts.host, value));
const address = { host, port: whole(1, 65_535) };
const seed = settings({ id: peerId, ...address });
const personName = kind<string>(`a name of ${NAME_RULE}`, (value) => typeof value === "string" && isName(value));
const milliseconds = kind<number>("a number of milliseconds", (value) => typeof value === "number");
const TIMINGS = Object.fromEntries(
  Object.entries(DEFAULT_TIMINGS).map(([name, usual]) => [name, v.optional(milliseconds, usual)]),
) as Record<keyof Timings, v.OptionalSchema<typeof milliseconds, number>>;

export const WAIT = settings({ signal, timeout: v.optional(whole(1, TIME_MS_MAX)) });
export const SUBMIT = settings({ signal, room: v.optional(TEXT, "general") });
export const READ = settings({
  signal,
  room: v.optional(TEXT),
  from: v.optional(
    kind<number | "start" | "new">(
      `an index, "start" or "new"`,
      (value) => value === "start" || value === "new" || v.is(INDEX, value),
    ),
  ),
});
export const HISTORY = settings({
  signal,
  room: v.optional(TEXT, "general"),
  text: v.optional(
    kind<string>(
      `a text of at most ${HISTORY_TEXT_CHARS_MAX} characters`,
      (value) => typeof value === "string" && value.length <= HISTORY_TEXT_CHARS_MAX,
    ),
    "",
  ),
  before: v.optional(INDEX),
  after: v.optional(INDEX),
});
export const INVITE = settings({
  signal,
  role: v.optional(oneOf("member", "client"), "member"),
  name: v.optional(personName),
  rights: v.optional(oneOf("read", "write", "admin"), "write"),
  uses: v.optional(whole(1, INVITATION_USES_MAX), 1),
  expiresIn: v.optional(whole(1), DAY_MS),
});
export const PERSON = personName;
export const PEER_ID = peerId;
export const CREATE = settings({
  signal,
  id: peerId,
  dataDir: kind<string>(
    "the name of a directory",
    (value) => typeof value === "string" && value !== "" && !value.includes("\0"),
  ),
  host: v.optional(host, "127.0.0.1"),
  port: v.optional(whole(0, 65_535)),
  advertise: v.optional(settings(address)),
  secure: v.optional(toggle),
  insecure: v.optional(toggle, false),
  // What it must be is for `parseInvitation`, whose errors do not show it.
  invite: v.optional(TEXT),
  seeds: v.optional(v.array(seed, `an array like [{ id: 1, host: "127.0.0.1", port: 6001 }]`), []),
  name: v.optional(personName),
  presence: v.optional(toggle, false),
  receipts: v.optional(toggle, true),
  // `checkTimings` checks their bounds, and how they relate to each other.
  timings: v.optional(settings(TIMINGS), {}),
  durability: v.optional(oneOf("fsync", "os"), "fsync"),
  onEvent: v.optional(callback<(event: HostEvent) => void>()),
  onLog: v.optional(callback<(record: LogRecord) => void>()),
});
