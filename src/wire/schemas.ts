/**
 * Shapes of everything that is parsed from JSON [W4]: control frames, headers of entry frames, structured payloads of
 * entries. Strict: an unknown field is an error, and what comes out is a fresh object with the known fields only [L7].
 */
import * as v from "valibot";
import {
  CONFIGURATION_MEMBERS_MAX,
  FRAME_BYTES_MAX,
  FRAME_ENTRIES_MAX,
  OUTSTANDING_MESSAGES_MAX,
  PEER_ID_MAX,
  PEOPLE_TOLD_MAX,
  READS_WAITING_MAX,
  REASON_CHARS_MAX,
  TERM_MAX,
} from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import type { Ballot } from "../core/ids.ts";
import type {
  Configuration,
  Draft,
  Entry,
  Genesis,
  Member,
  Presence,
  ReadThrough,
  Settled,
  Tail,
} from "../core/log-entry.ts";
import type { EntryFrame } from "../core/message.ts";
import { CLIENT_FRAMES } from "./client-schemas.ts";
import {
  abstention,
  address,
  ballot,
  boot,
  chatText,
  configuration,
  count,
  crc,
  draft,
  index,
  key,
  type member,
  members,
  name,
  nameOrNone,
  peerId,
  peerInfo,
  tail,
  text,
  ts,
  twin,
  twins,
  versions,
  word,
} from "./schema-parts.ts";

export const CONFIGURATION = v.strictObject({ ...configuration, cluster_id: v.exactOptional(word) });
export const GENESIS = v.strictObject({
  ...configuration,
  cluster_id: word,
  segment_entries: v.pipe(count(2 ** 32), v.minValue(1)),
  segment_bytes: v.pipe(count(2 ** 40), v.minValue(1)),
});
export const SETTLED = v.strictObject({ config_index: index });
export const PRESENCE = v.strictObject({ change: v.picklist(["joined", "left", "gone", "renamed"]), was: nameOrNone });
export const READ = v.strictObject({ from: index, through: v.pipe(index, v.minValue(1)) });

const before = { prev_index: index, prev_ballot: ballot, prev_crc: crc };
const entryHeader = { ...before, commit: index };
/** What follows the header line: `count` lines with `bytes` bytes together [W1]. */
const behind = { count: count(FRAME_ENTRIES_MAX), bytes: count(FRAME_BYTES_MAX) };
const run = {
  first: v.pipe(index, v.minValue(1)),
  messages: v.pipe(v.array(draft), v.minLength(1), v.maxLength(OUTSTANDING_MESSAGES_MAX)),
};
const answer = { round: index, promised: ballot };

/** One schema per message name. Entry frames: their header line. */
export const FRAMES = {
  HELLO: v.strictObject({
    type: v.literal("HELLO"),
    ...versions,
    cluster_id: v.nullable(word),
    ...key,
    boot,
    ...address,
    wall: v.exactOptional(ts),
  }),
  // Peers of other versions send this, too: fields that they add are ignored, and an unknown reason means "try again".
  REFUSE: v.object({
    type: v.literal("REFUSE"),
    code: v.fallback(
      v.picklist([
        "wrong-version",
        "wrong-cluster",
        "needs-tls",
        "duplicate-id",
        "emptied-founder",
        "id-away",
        "twins",
        "name-in-use",
        "behind",
        "malformed",
        "limit",
        "closing",
      ]),
      "closing",
    ),
    message: text(REASON_CHARS_MAX),
    seed: text(300),
    twin: v.exactOptional(twin),
  }),
  TWINS: v.strictObject({ type: v.literal("TWINS"), ...key, at: twins }),
  PING: v.strictObject({ type: v.literal("PING"), at: v.pipe(v.number(), v.finite()) }),
  PONG: v.strictObject({
    type: v.literal("PONG"),
    at: v.pipe(v.number(), v.finite()),
    disk: v.exactOptional(v.strictObject({ mean: index, bound: index, abstains: v.exactOptional(abstention) })),
  }),
  JOIN: v.strictObject({ type: v.literal("JOIN"), ...key, ...address }),
  JOIN_ACK: v.strictObject({
    type: v.literal("JOIN_ACK"),
    cluster_id: word,
    members,
    leader: v.nullable(peerInfo),
    admitted: index,
    configured: index,
  }),
  LEAVE: v.strictObject({ type: v.literal("LEAVE"), ...key }),
  HEARTBEAT: v.strictObject({
    type: v.literal("HEARTBEAT"),
    ballot,
    commit: index,
    quorum: v.boolean(),
    ...before,
    last_index: index,
    acked: v.pipe(v.array(v.strictObject({ ...key, match: index })), v.maxLength(CONFIGURATION_MEMBERS_MAX)),
  }),
  SEEN: v.strictObject({ type: v.literal("SEEN"), promised: ballot, match: index }),
  SEQ_CHAT: v.strictObject({ type: v.literal("SEQ_CHAT"), ballot, ...entryHeader, ...behind }),
  SEQ_ACK: v.strictObject({
    type: v.literal("SEQ_ACK"),
    ballot,
    match: index,
    last: index,
    hint: v.nullable(tail),
    faulty: v.boolean(),
    linked: v.nullable(v.pipe(v.array(peerId), v.maxLength(CONFIGURATION_MEMBERS_MAX))),
  }),
  NACK: v.strictObject({ type: v.literal("NACK"), ballot, promised: ballot, led: v.boolean() }),
  LOST: v.strictObject({ type: v.literal("LOST"), whole: v.boolean(), durable: index, confirmed: index }),
  FORK: v.strictObject({ type: v.literal("FORK"), ballot, index, committed: v.boolean() }),
  ELECTION: v.strictObject({ type: v.literal("ELECTION"), round: index, tail }),
  ELECTION_OK: v.strictObject({ type: v.literal("ELECTION_OK"), ...answer }),
  ELECTION_DENY: v.strictObject({ type: v.literal("ELECTION_DENY"), ...answer }),
  ELECTION_GRANT: v.strictObject({ type: v.literal("ELECTION_GRANT"), ...answer }),
  PREPARE: v.strictObject({ type: v.literal("PREPARE"), ballot }),
  PROMISE: v.strictObject({ type: v.literal("PROMISE"), ballot, tail }),
  COORDINATOR: v.strictObject({ type: v.literal("COORDINATOR"), ballot, peer: peerInfo }),
  ABDICATE: v.strictObject({ type: v.literal("ABDICATE"), ballot, to: count(PEER_ID_MAX) }),
  CHAT: v.strictObject({
    type: v.literal("CHAT"),
    sender_id: peerId,
    session: word,
    ...run,
  }),
  PENDING: v.strictObject({ type: v.literal("PENDING"), session: word, ...run }),
  PEOPLE: v.strictObject({
    type: v.literal("PEOPLE"),
    users: v.pipe(
      v.array(v.strictObject({ user: name, room_id: name, ts, was: nameOrNone, here: v.boolean() })),
      v.maxLength(PEOPLE_TOLD_MAX),
    ),
    reads: v.pipe(
      v.array(v.strictObject({ user: name, room_id: name, through: v.pipe(index, v.minValue(1)), ts })),
      v.maxLength(READS_WAITING_MAX),
    ),
  }),
  CHAT_ACK: v.strictObject({
    type: v.literal("CHAT_ACK"),
    sender_id: peerId,
    session: word,
    expected: v.pipe(index, v.minValue(1)),
  }),
  CATCHUP_REQ: v.strictObject({ type: v.literal("CATCHUP_REQ"), ballot: v.nullable(ballot), after: tail }),
  CATCHUP_RESP: v.strictObject({
    type: v.literal("CATCHUP_RESP"),
    ballot: v.nullable(ballot),
    ...entryHeader,
    hint: v.nullable(tail),
    more: v.boolean(),
    ...behind,
  }),
  ADMIN: v.strictObject({ type: v.literal("ADMIN"), op: v.picklist(["transfer", "evict"]), id: count(PEER_ID_MAX) }),
  ADMIN_ACK: v.strictObject({ type: v.literal("ADMIN_ACK"), ok: v.boolean(), message: text(REASON_CHARS_MAX) }),
  ...CLIENT_FRAMES,
} as const;

/** The greetings of later versions, with the fields that are known here. */
export const LATER_GREETINGS = {
  HELLO: v.object(FRAMES.HELLO.entries),
  ATTACH: v.object(FRAMES.ATTACH.entries),
} as const;

export type FrameType = keyof typeof FRAMES;
type Parsed<T extends FrameType> = v.InferOutput<(typeof FRAMES)[T]>;

/** An entry line as JSON, kind by kind: what the hand-written check in entry.ts is tested against. */
const place = {
  index: v.pipe(index, v.minValue(1)),
  term: count(TERM_MAX),
  leader_id: peerId,
  inc: word,
  // Lines that are older than boot numbers have none.
  boot: v.exactOptional(boot, 0),
};
const said = {
  room_id: name,
  seq_no: v.pipe(index, v.minValue(1)),
  sender_id: peerId,
  msg_id: text(200),
  user: name,
  ts,
};
export const ENTRIES = {
  genesis: v.strictObject({ ...place, kind: v.literal("genesis"), payload: GENESIS, crc }),
  chat: v.strictObject({ ...place, kind: v.literal("chat"), ...said, payload: chatText, crc }),
  system: v.strictObject({
    ...place,
    kind: v.literal("system"),
    room_id: name,
    sender_id: peerId,
    user: name,
    ts,
    payload: PRESENCE,
    crc,
  }),
  read: v.strictObject({
    ...place,
    kind: v.literal("read"),
    room_id: name,
    sender_id: peerId,
    user: name,
    ts,
    payload: READ,
    crc,
  }),
  config: v.strictObject({ ...place, kind: v.literal("config"), payload: CONFIGURATION, crc }),
  settled: v.strictObject({ ...place, kind: v.literal("settled"), payload: SETTLED, crc }),
  leader: v.strictObject({ ...place, kind: v.literal("leader"), crc }),
} as const;

// ── the schemas and the shapes of core say the same: otherwise this file does not compile ─────────────────────────

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : [A, "is not", B]) : [A, "is not", B];
type Plain<T> = T extends number
  ? number
  : T extends readonly (infer E)[]
    ? Plain<E>[]
    : T extends object
      ? { -readonly [K in keyof T]: Plain<T[K]> }
      : T;
type Behind<F> = F extends EntryFrame ? { count: number; bytes: number } : unknown;
type ShapeOf<T extends FrameType, F = Frame> = F extends { readonly type: infer U }
  ? T extends U
    ? Omit<F, "type" | "entries"> & { type: T } & Behind<F>
    : never
  : never;
type Agrees<T extends FrameType> = T extends FrameType ? Same<Parsed<T>, Plain<ShapeOf<T>>> : never;
export const AGREE: [
  Same<v.InferOutput<typeof ballot>, Plain<Ballot>>,
  Same<v.InferOutput<typeof tail>, Plain<Tail>>,
  Same<v.InferOutput<typeof member>, Plain<Member>>,
  Same<v.InferOutput<typeof draft>, Plain<Draft>>,
  Same<v.InferOutput<typeof CONFIGURATION>, Plain<Configuration>>,
  Same<v.InferOutput<typeof GENESIS>, Plain<Genesis>>,
  Same<v.InferOutput<typeof SETTLED>, Plain<Settled>>,
  Same<v.InferOutput<typeof PRESENCE>, Plain<Presence>>,
  Same<v.InferOutput<typeof READ>, Plain<ReadThrough>>,
  Agrees<FrameType>,
  Same<keyof typeof ENTRIES, Entry["kind"]>,
] = [true, true, true, true, true, true, true, true, true, true, true];
