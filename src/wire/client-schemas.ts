/** Shapes of the frames between a peer and its clients [S8] [W4]. */
import * as v from "valibot";
import type { ErrorCode, NoticeCode } from "../core/codes.ts";
import {
  CLIENT_SESSION_CHARS,
  CONFIGURATION_MEMBERS_MAX,
  HISTORY_MESSAGES_MAX,
  HISTORY_TEXT_CHARS_MAX,
  LEADER_TIMEOUT_MS_MAX,
  NOTICE_CHARS_MAX,
  PEER_ID_MAX,
  REASON_CHARS_MAX,
  ROOMS_TOLD_MAX,
  TERM_MAX,
  TROUBLES_MAX,
  TWINS_TOLD_MAX,
  USERS_MAX,
  VOTERS_MAX,
  WHO_ROWS_MAX,
} from "../core/config.ts";
import {
  abstention,
  address,
  chatText,
  count,
  index,
  member,
  name,
  nameOrNone,
  peerId,
  peerInfo,
  tail,
  text,
  ts,
  twins,
  versions,
  word,
} from "./schema-parts.ts";

/** A client's session differs from a peer's by its length. */
const session = v.union([v.pipe(word, v.length(CLIENT_SESSION_CHARS)), v.literal("")]);
const milliseconds = v.pipe(count(LEADER_TIMEOUT_MS_MAX), v.minValue(1));
const seqNo = v.pipe(index, v.minValue(1));
/** `<sender_id>.<session>.<counter>` */
const messageId = text(200);

const said = { sender_id: peerId, msg_id: messageId, room_id: name, user: name, payload: chatText, ts };
const message = v.strictObject({
  event: v.literal("message"),
  index,
  term: count(TERM_MAX),
  seq_no: seqNo,
  ...said,
});
const status = v.strictObject({
  event: v.literal("status"),
  id: peerId,
  role: v.picklist(["leader", "follower", "candidate", "observer", "client"]),
  term: count(TERM_MAX),
  leader_id: v.nullable(peerId),
  quorum: v.boolean(),
  members: v.pipe(
    v.array(
      v.strictObject({
        id: peerId,
        ...address,
        role: member.entries.role,
        state: v.picklist(["alive", "unreachable", "left"]),
        lag: v.nullable(index),
      }),
    ),
    v.maxLength(CONFIGURATION_MEMBERS_MAX),
  ),
  first_index: index,
  last_index: index,
  commit_index: index,
  pending: index,
  waiting: v.nullable(
    v.strictObject({
      message: text(NOTICE_CHARS_MAX),
      needed: count(VOTERS_MAX),
      peers: v.pipe(
        v.array(v.strictObject({ id: peerId, ...address, why: v.union([v.literal("away"), abstention]) })),
        v.maxLength(2 * VOTERS_MAX),
      ),
    }),
  ),
  troubles: v.pipe(
    v.array(v.strictObject({ file: text(100), message: text(REASON_CHARS_MAX), since: ts })),
    v.maxLength(TROUBLES_MAX),
  ),
  disk_ms: index,
  twins: v.pipe(v.array(v.strictObject({ id: peerId, at: twins })), v.maxLength(TWINS_TOLD_MAX)),
});
/** Milliseconds with a fraction. */
const time = v.pipe(v.number(), v.finite(), v.minValue(0));
const person = { user: nameOrNone, client: v.boolean(), round_trip_ms: v.nullable(time) };
/** Any word: a newer peer may have codes that are unknown here, which are shown as they are. */
const code = text(100);
const noticeText = text(NOTICE_CHARS_MAX);

export const QUESTION = v.variant("what", [
  v.strictObject({ what: v.literal("status") }),
  v.strictObject({ what: v.literal("rooms") }),
  v.strictObject({
    what: v.literal("history"),
    room_id: name,
    count: v.pipe(count(HISTORY_MESSAGES_MAX), v.minValue(1)),
    text: text(HISTORY_TEXT_CHARS_MAX),
    before: v.exactOptional(seqNo),
    after: v.exactOptional(index),
  }),
  v.strictObject({ what: v.literal("place"), room_id: name, seq_no: seqNo }),
  v.strictObject({ what: v.literal("who") }),
  v.strictObject({ what: v.literal("here") }),
  v.strictObject({ what: v.literal("confirmations"), room_id: name }),
  v.strictObject({ what: v.literal("nick"), user: name }),
  v.strictObject({ what: v.literal("read"), room_id: name, through: seqNo }),
  v.strictObject({ what: v.literal("say"), room_id: name, user: name, payload: chatText }),
]);

const TOLD = v.variant("event", [
  status,
  v.strictObject({
    event: v.literal("rooms"),
    rooms: v.pipe(
      v.array(v.strictObject({ room_id: name, last_seq_no: index, joined: v.boolean(), unread: index })),
      v.maxLength(ROOMS_TOLD_MAX),
    ),
  }),
  v.strictObject({
    event: v.literal("history"),
    room_id: name,
    messages: v.pipe(v.array(message), v.maxLength(HISTORY_MESSAGES_MAX)),
    more: v.nullable(index),
  }),
  v.strictObject({
    event: v.literal("who"),
    people: v.pipe(
      v.array(
        v.strictObject({
          ...person,
          peer_id: v.nullable(peerId),
          heard_ms: v.nullable(time),
          lag: v.nullable(index),
        }),
      ),
      v.maxLength(WHO_ROWS_MAX),
    ),
  }),
  v.strictObject({
    event: v.literal("here"),
    id: peerId,
    commit_index: index,
    people: v.pipe(v.array(v.strictObject({ ...person, heard_ms: time, lag: index })), v.maxLength(WHO_ROWS_MAX)),
  }),
  v.strictObject({
    event: v.literal("confirmations"),
    room_id: name,
    readers: v.pipe(v.array(v.strictObject({ user: name, through: seqNo })), v.maxLength(USERS_MAX)),
  }),
  v.strictObject({ event: v.literal("place"), room_id: name, before: tail }),
  v.strictObject({ event: v.literal("sent"), msg_id: messageId, index, room_id: name, seq_no: seqNo }),
  v.strictObject({
    event: v.literal("notice"),
    code: code as v.GenericSchema<string, NoticeCode>,
    message: noticeText,
  }),
  v.strictObject({ event: v.literal("error"), code: code as v.GenericSchema<string, ErrorCode>, message: noticeText }),
  v.strictObject({ event: v.literal("unsent"), ...said }),
]);

export const CLIENT_FRAMES = {
  ATTACH: v.strictObject({
    type: v.literal("ATTACH"),
    ...versions,
    cluster_id: v.nullable(word),
    user: nameOrNone,
    room_id: name,
    session,
    sender_id: count(PEER_ID_MAX),
    seen: index,
  }),
  ATTACHED: v.strictObject({
    type: v.literal("ATTACHED"),
    cluster_id: word,
    id: peerId,
    sender_id: peerId,
    commit: tail,
    members: v.pipe(v.array(peerInfo), v.maxLength(CONFIGURATION_MEMBERS_MAX)),
    heartbeat: milliseconds,
    leader_timeout: milliseconds,
  }),
  DETACH: v.strictObject({ type: v.literal("DETACH") }),
  ASK: v.strictObject({ type: v.literal("ASK"), request: v.pipe(index, v.minValue(1)), question: QUESTION }),
  TELL: v.strictObject({ type: v.literal("TELL"), request: index, told: TOLD }),
} as const;
