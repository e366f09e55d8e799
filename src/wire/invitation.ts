/**
 * An invitation as one string, which people mail, paste and scan: `chatpeer1-` and in base64url the kind, the cluster, the
 * secret, up to three addresses with 16 bytes of the key to expect there, and a CRC-32C of all that. It says whom to ask and
 * whom to believe, so nothing else need be typed.
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import { fromBase32, toBase32 } from "../core/base32.ts";
import type { Key } from "../core/ids.ts";
import type { InvitedRole, PeerInfo } from "../core/log-entry.ts";
import { crc32c } from "./crc32c.ts";
import { host, peerId, port, secret, word } from "./schema-parts.ts";
import { decodeUtf8, encodeUtf8, utf8Length } from "./text.ts";

export interface Invitation {
  readonly role: InvitedRole;
  readonly cluster_id: string;
  /** 26 letters of base32. */
  readonly secret: string;
  /** One to three. */
  readonly addresses: readonly InvitingPeer[];
}

export interface InvitingPeer extends PeerInfo {
  /** Of its key: see `pinOf`. */
  readonly pin: string;
}

export type ParsedInvitation =
  | { readonly ok: true; readonly invitation: Invitation }
  /** In words for whoever pasted it. */
  | { readonly ok: false; readonly message: string };

export const INVITATION_ADDRESSES_MAX = 3;
/** How each begins. */
const INVITATION_BEGIN = "chatpeer1-";
const ROLES: readonly InvitedRole[] = ["member", "client"];
const SECRET_BYTES = 16;
const PIN_BYTES = 16;
const CRC_BYTES = 4;
/** Instead of the length of a host's name: four bytes of IPv4 follow. */
const IS_IPV4 = 0;
const IPV4 = /^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$/;
/** No string that is pasted is looked at further. Three hosts of the longest names make 1,600 characters. */
const PASTED_CHARS_MAX = 8192;
/** What mail adds: quotes in front of lines, white space, and what has no width. */
const ADDED = /^[>\s]+|[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+/gm;
/** What typography makes of a hyphen, and of two. */
const HYPHEN = /[\u2010-\u2013\u2212]/g;
const TWO_HYPHENS = /[\u2014\u2015]/g;

const shortHost = v.pipe(
  host,
  v.check((text) => utf8Length(text) <= 255),
);
const INVITATION = v.object({
  role: v.picklist(ROLES),
  cluster_id: word,
  secret,
  addresses: v.pipe(
    v.array(v.object({ id: peerId, host: shortHost, port: v.pipe(port, v.minValue(1)), pin: secret })),
    v.minLength(1),
    v.maxLength(INVITATION_ADDRESSES_MAX),
  ),
});

/** Begins like one. */
export function isInvitation(text: string): boolean {
  return text.startsWith(INVITATION_BEGIN);
}

/** The first 16 of a key's 32 bytes, in base32: so much an invitation says of it. */
export function pinOf(key: Key): string {
  return toBase32(bytesOf(key).subarray(0, PIN_BYTES));
}

export function encodeInvitation(invitation: Invitation): string {
  assert(v.is(INVITATION, invitation), "an invitation is made of what its reader takes");
  const bytes = [
    ROLES.indexOf(invitation.role),
    ...lengthAndText(invitation.cluster_id),
    ...bytesOf(invitation.secret),
  ];
  bytes.push(invitation.addresses.length);
  for (const { id, host, port, pin } of invitation.addresses) {
    bytes.push(id >> 8, id & 0xff, port >> 8, port & 0xff);
    if (isIPv4(host)) bytes.push(IS_IPV4, ...host.split(".").map(Number));
    else bytes.push(...lengthAndText(host));
    bytes.push(...bytesOf(pin));
  }
  const crc = crc32c(Uint8Array.from(bytes));
  bytes.push(crc >>> 24, (crc >>> 16) & 0xff, (crc >>> 8) & 0xff, crc & 0xff);
  const text = btoa(String.fromCharCode(...bytes));
  return INVITATION_BEGIN + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** White space, line breaks of mail and characters without width are passed over. */
export function parseInvitation(pasted: string): ParsedInvitation {
  if (pasted.length > PASTED_CHARS_MAX)
    return wrong("that is far longer than an invitation: paste nothing else with it");
  const text = pasted.replace(ADDED, "").replace(HYPHEN, "-").replace(TWO_HYPHENS, "--");
  if (text === "") return wrong(`that is empty: paste the whole invitation, which begins with ${INVITATION_BEGIN}`);
  const other = /^chatpeer([0-9]+)-/.exec(text)?.[1];
  if (other !== undefined && other !== "1")
    return wrong(`that invitation is of another version of chatpeer (${other}, not 1): update the older one`);
  if (other === undefined) {
    if (text.includes(INVITATION_BEGIN))
      return wrong(`something stands before the invitation: paste it from ${INVITATION_BEGIN} on`);
    if (INVITATION_BEGIN.startsWith(text)) return wrong("that is only the beginning of an invitation: paste all of it");
    return wrong(`that is no invitation: one begins with ${INVITATION_BEGIN}`);
  }
  const letters = text.slice(INVITATION_BEGIN.length);
  const alien = /[^A-Za-z0-9_-]/u.exec(letters)?.[0];
  if (alien !== undefined) return wrong(`no invitation has the character ${alien} in it: paste nothing else with it`);
  const bytes = decodeBase64Url(letters);
  const read = bytes === null ? "short" : readInvitation(bytes);
  if (read === "short") return wrong("the end of the invitation is missing: paste all of it");
  if (read === "long") return wrong("something stands behind the invitation: paste nothing else with it");
  if (read === "mistyped") return wrong("a letter of the invitation is wrong: paste it, do not type it");
  if (!v.is(INVITATION, read)) return wrong("that invitation says what none can say: ask for a new one");
  return { ok: true, invitation: read };
}

function wrong(message: string): ParsedInvitation {
  return { ok: false, message };
}

/** What it says, checked by its crc alone. */
function readInvitation(bytes: Uint8Array): Invitation | "short" | "long" | "mistyped" {
  const end = bytes.length - CRC_BYTES;
  const isWhole = (length: number) => new DataView(bytes.buffer).getUint32(length) === crc32c(bytes, 0, length);
  let at = 0;
  const take = (count: number) => {
    at += count;
    return bytes.subarray(at - count, at);
  };
  const byte = () => take(1)[0] ?? 0;
  const text = (length: number) => decodeUtf8(take(length)) ?? "";
  const role = ROLES[byte()];
  const cluster_id = text(byte());
  const secret = toBase32(take(SECRET_BYTES));
  const addresses: InvitingPeer[] = [];
  for (let more = byte(); more > 0 && at < end; more--) {
    const id = byte() * 256 + byte();
    const port = byte() * 256 + byte();
    const length = byte();
    const host = length === IS_IPV4 ? take(4).join(".") : text(length);
    addresses.push({ id, host, port, pin: toBase32(take(PIN_BYTES)) });
  }
  // A mistyped length may look so, too: either way it must be pasted again.
  if (at > end) return "short";
  if (!isWhole(at) || role === undefined) return "mistyped";
  return at === end ? { role, cluster_id, secret, addresses } : "long";
}

function isIPv4(host: string): boolean {
  return IPV4.test(host) && host.split(".").every((part) => Number(part) <= 255);
}

function lengthAndText(text: string): number[] {
  const bytes = encodeUtf8(text);
  return [bytes.length, ...bytes];
}

function bytesOf(base32: string): Uint8Array {
  const bytes = fromBase32(base32);
  assert(bytes !== null, "keys and secrets are base32");
  return bytes;
}

function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  // One letter alone is less than a byte: its group was cut.
  if (text.length % 4 === 1) return null;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
