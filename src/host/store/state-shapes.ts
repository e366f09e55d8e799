/**
 * The shapes of the small files of a directory, by name: each is written and read by the same shape [W7]. The shapes
 * are loose, so that a file of a later version, which has more fields, does not count as damaged.
 */
import * as v from "valibot";
import { PEER_ID_MAX, TERM_MAX } from "../../core/config.ts";
import {
  boot,
  configuration,
  count,
  crc,
  hash,
  index,
  key,
  member,
  members,
  name,
  nameOrNone,
  peerId,
  rights,
  tail,
  ts,
  word,
  wordOrNone,
} from "../../wire/schema-parts.ts";

/** A ballot as stored. Directories that are older than boot numbers have none. */
const storedBallot = v.looseObject({
  term: count(TERM_MAX),
  leader_id: count(PEER_ID_MAX),
  inc: wordOrNone,
  boot: v.exactOptional(boot),
});
const identity = v.looseObject({
  ...key,
  boot: v.exactOptional(boot),
  cluster_id: v.nullable(word),
  founder: v.boolean(),
  secure: v.exactOptional(v.literal(true)),
});
const marks = { commit: index, delivered: index, clean: v.boolean() };
/** There may be many sessions and rooms, so this check is written by hand. */
const counts = v.custom<readonly (readonly [string, number])[]>(
  (list) => Array.isArray(list) && list.every((pair) => pair.length === 2 && isCount(pair[0], pair[1])),
);
const readMarks = v.custom<readonly (readonly [string, string, number])[]>(
  (list) => Array.isArray(list) && list.every((mark) => typeof mark[0] === "string" && isCount(mark[1], mark[2])),
);

const invitation = v.looseObject({
  ...{ hash, role: v.picklist(["member", "client"]), name: nameOrNone, rights, uses: index, expires: ts, by: name },
  ...{ left: index, index, closed: index, revoked: index },
});
const user = v.looseObject({ hash, name, rights, invite: hash, index, revoked: index });
const access = v.looseObject({
  invitations: v.array(invitation),
  users: v.array(user),
  dropped: v.array(v.looseObject({ at: index, what: v.union([invitation, user]) })),
});

const LOG_STATE = v.looseObject({
  index,
  crc,
  cluster_id: wordOrNone,
  former_clusters: v.exactOptional(v.array(word)),
  segment_entries: index,
  segment_bytes: index,
  chats: index,
  runs: v.array(v.looseObject({ from: index, ballot: storedBallot })),
  rooms: counts,
  sessions: counts,
  present: v.exactOptional(v.array(v.string())),
  read: v.exactOptional(readMarks),
  access: v.exactOptional(access),
  configurations: v.array(v.looseObject({ index, settled: index, configuration: v.looseObject(configuration) })),
});

const RECOVERY = v.looseObject({
  cluster_id: word,
  ballot: storedBallot,
  identity,
  promise: v.nullable(storedBallot),
  // -1 where the note could not be read.
  progress: v.looseObject({ ...marks, durable: v.pipe(v.number(), v.safeInteger(), v.minValue(-1)) }),
  before: v.looseObject({
    ...{ id: peerId, clusterId: word, self: member, members, voters: v.array(peerId) },
    ...{ tail, commit: index, damage: v.nullable(v.string()), confirmed: index },
    ...{ needless: v.boolean(), begun: v.boolean() },
  }),
});

const SHAPES: readonly (readonly [RegExp, v.GenericSchema])[] = [
  [/^identity\.json$/, identity],
  [/^promise\.(json|slots)$/, storedBallot],
  [/^progress\.json$/, v.looseObject({ durable: index, ...marks })],
  [/^repair\.json$/, v.looseObject({ from: index })],
  [
    /^rooms\.json$/,
    v.looseObject({ rooms: v.array(v.looseObject({ room_id: name, joined: v.boolean(), shown: index })) }),
  ],
  [/^(recovery|before-recovery-[a-z0-9]+)\.json$/, RECOVERY],
  [/^checkpoints\//, v.looseObject({ bytes: index, state: LOG_STATE })],
];

/** Why a content is wrong for the file at `path`, or null. */
export function refuseContent(path: string, content: unknown): string | null {
  const shape = SHAPES.find(([pattern]) => pattern.test(path))?.[1];
  if (shape === undefined) return "nobody knows what it holds";
  const result = v.safeParse(shape, content, { abortEarly: true });
  if (result.success) return null;
  const [issue] = result.issues;
  return `${v.getDotPath(issue) ?? "content"}: ${issue.message}`;
}

function isCount(name: unknown, n: unknown): boolean {
  return typeof name === "string" && Number.isSafeInteger(n) && (n as number) >= 0;
}
