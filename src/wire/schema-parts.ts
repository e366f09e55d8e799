/**
 * The parts that schemas are made of: numbers, words, names and texts within their bounds, ballots, members. Strict: an
 * unknown field is an error, and what comes out is a fresh object with the known fields only [L7].
 */
import * as v from "valibot";
import {
  BOOT_MAX,
  CONFIGURATION_MEMBERS_MAX,
  MESSAGE_BYTES_MAX,
  NAME_BYTES_MAX,
  PEER_ID_MAX,
  TERM_MAX,
} from "../core/config.ts";
import { CONTROL, utf8Length } from "./text.ts";

export const count = (max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(max));
export const text = (max: number) => v.pipe(v.string(), v.maxLength(max));

export const WORD = /^[a-z0-9]{1,64}$/;

export const index = count(Number.MAX_SAFE_INTEGER);
export const crc = count(0xffff_ffff);
export const boot = count(BOOT_MAX);
export const peerId = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(PEER_ID_MAX));
export const word = v.pipe(v.string(), v.regex(WORD));
export const wordOrNone = v.union([word, v.literal("")]);
export const host = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(255),
  v.check((s) => s.isWellFormed() && !CONTROL.test(s)),
);
export const port = count(65_535);
// Written differently from `isName` and `isMessage`, which are tested against these.
export const name = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((s) => s.isWellFormed() && utf8Length(s) <= NAME_BYTES_MAX && !CONTROL.test(s)),
);
export const nameOrNone = v.union([name, v.literal("")]);

/** A peer that has promised nothing says term 0, leader 0. */
export const ballot = v.strictObject({ term: count(TERM_MAX), leader_id: count(PEER_ID_MAX), inc: wordOrNone, boot });
export const tail = v.strictObject({ index, ballot });
const version = count(1_000_000);
/** The versions in a greeting: the highest, and the lowest where that differs. */
export const versions = { version, version_min: v.exactOptional(version) };
export const key = { id: peerId, inc: word };
export const address = { host, port };
export const twin = v.strictObject({ boot, ...address });
export const twins = v.pipe(v.array(twin), v.length(2));
export const peerInfo = v.strictObject({ id: peerId, ...address });
export const member = v.strictObject({ ...key, ...address, role: v.picklist(["voter", "observer", "left"]) });
export const abstention = v.picklist(["room", "handles", "rights", "damaged", "twin"]);
export const members = v.pipe(v.array(member), v.maxLength(CONFIGURATION_MEMBERS_MAX));
export const configuration = {
  members,
  prev_voters: v.pipe(v.array(v.strictObject(key)), v.maxLength(CONFIGURATION_MEMBERS_MAX)),
};
export const chatText = v.pipe(
  v.string(),
  v.minLength(1),
  v.check((s) => s.isWellFormed() && utf8Length(s) <= MESSAGE_BYTES_MAX),
);
export const ts = count(Number.MAX_SAFE_INTEGER);
export const draft = v.strictObject({ room_id: name, user: name, ts, payload: chatText });
