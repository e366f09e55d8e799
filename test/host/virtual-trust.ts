/** Trust for hosts on virtual time: real hashes, keys by name, and the virtual network's proofs. */
import { createHash } from "node:crypto";
import { toBase32 } from "../../src/core/base32.ts";
import type { Key } from "../../src/core/ids.ts";
import type { Network, Trust } from "../../src/host/contracts.ts";
import type { VirtualClock } from "../../src/sim/virtual-time.ts";

const sha256 = (text: string): Uint8Array => createHash("sha256").update(text).digest();

export function hashOf(text: string): string {
  return toBase32(sha256(text));
}

/** The key of the directory with that name. */
export const keyOf = (name: string): Key => hashOf(`key of ${name}`);

/** A secret that is the same in every run. */
export const secretOf = (name: string): string => toBase32(sha256(`secret ${name}`).subarray(0, 16));

/** Keys that were made: their directories have them from then on. */
const made = new Set<Key>();

export function virtualTrust(clock: VirtualClock, secured: (key: Key) => Network, key: Key): Trust {
  return {
    key: (makes, done) => {
      if (makes) made.add(key);
      clock.soon(() => done(null, made.has(key) ? key : null));
    },
    network: (_warn, done) => clock.soon(() => done(null, secured(key))),
    hash: hashOf,
    secret: () => secretOf(`${key} ${clock.word(16)}`),
  };
}
