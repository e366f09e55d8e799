/** Trust for hosts on virtual time: real hashes, keys by name, and the virtual network's proofs. */
import { createHash } from "node:crypto";
import type { Key } from "../../src/core/ids.ts";
import type { Network, Trust } from "../../src/host/contracts.ts";
import type { VirtualClock } from "../../src/sim/virtual-time.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
}

export function hashOf(text: string): string {
  return base32(createHash("sha256").update(text).digest());
}

/** The key of the directory with that name. */
export const keyOf = (name: string): Key => hashOf(`key of ${name}`);

/** A secret that is the same in every run: its last letter has the bits of 16 bytes only. */
export const secretOf = (name: string): string => `${hashOf(`secret ${name}`).slice(0, 25)}a`;

export function virtualTrust(clock: VirtualClock, secured: (key: Key) => Network, key: Key): Trust {
  return {
    key: (done) => clock.soon(() => done(null, key)),
    network: (_warn, done) => clock.soon(() => done(null, secured(key))),
    hash: hashOf,
    secret: () => secretOf(`${key} ${clock.word(16)}`),
  };
}
