/**
 * Keys and secrets for simulated machines, without cryptography: names stand for keys, and a hash is a number that
 * nobody here inverts. Whoever runs on a machine proves the key of its directory; the virtual network sees to that.
 */

import { toBase32 } from "../core/base32.ts";
import type { Key } from "../core/ids.ts";
import type { Network, Trust } from "../host/contracts.ts";
import { crc32c } from "../wire/crc32c.ts";
import { encodeUtf8 } from "../wire/text.ts";
import { seeded, type VirtualClock } from "./virtual-time.ts";

const HASH_BYTES = 32;
const SECRET_BYTES = 16;

/** The key of the directory with that name. */
export function keyOf(directory: string): Key {
  return hashOf(`key of ${directory}`);
}

export function hashOf(text: string): string {
  return toBase32(bytes(seeded(crc32c(encodeUtf8(text))), HASH_BYTES));
}

/** A secret that nobody was given. */
export function guessedSecret(random: () => number): string {
  return toBase32(bytes(random, SECRET_BYTES));
}

/** `secured`: the networks of the machine on which keys are proven. */
export function virtualTrust(
  clock: VirtualClock,
  random: () => number,
  secured: (key: Key) => Network,
  key: Key,
): Trust {
  return {
    key: (_makes, done) => clock.soon(() => done(null, key)),
    network: (_warn, done) => clock.soon(() => done(null, secured(key))),
    hash: hashOf,
    secret: () => guessedSecret(random),
  };
}

function bytes(random: () => number, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
}
