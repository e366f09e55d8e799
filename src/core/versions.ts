/**
 * Versions of the protocol [W2]. A build speaks a range of them and says so in its greeting; two sides speak the highest
 * that is in both ranges. A greeting is read by every version: its fields stay, and what a later one adds is passed over.
 */
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "./config.ts";

export interface Versions {
  readonly min: number;
  readonly max: number;
}

/** What a greeting says of versions. Where it does not say the lowest, the highest is the only one. */
export interface SaidVersions {
  readonly version: number;
  readonly version_min?: number;
}

/** The ones that this build speaks. */
export const OWN_VERSIONS: Versions = { min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION };

export function sayVersions({ min, max }: Versions): SaidVersions {
  return min === max ? { version: max } : { version: max, version_min: min };
}

export function versionsOf({ version, version_min = version }: SaidVersions): Versions {
  return { min: version_min, max: version };
}

/** The one that two sides speak with each other; null: none. */
export function commonVersion(a: Versions, b: Versions): number | null {
  const highest = Math.min(a.max, b.max);
  return highest >= Math.max(a.min, b.min) ? highest : null;
}

/** `1`, or `1 to 3`. */
export function showVersions({ min, max }: Versions): string {
  return min === max ? `${max}` : `${min} to ${max}`;
}

/** Why two sides cannot talk, in the words of one to the other. */
export function refuseVersions(own: Versions, theirs: Versions): string {
  const older = own.max < theirs.max ? "its" : "your";
  return `this peer speaks protocol version ${showVersions(own)}, not ${showVersions(theirs)}: ${older} chatpeer is the older one, update it`;
}
