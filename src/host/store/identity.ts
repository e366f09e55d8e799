/** The identity of a data directory: its peer, its incarnation, its cluster, and its boot number. */
import { assert } from "../../core/assert.ts";
import { BOOT_MAX, BOOT_STRIDE_MAX } from "../../core/config.ts";
import type { PeerId } from "../../core/ids.ts";
import type { Clock, Disk } from "../contracts.ts";
import { listSegments } from "./segments.ts";
import { DamagedFile, readState, replaceStateNow } from "./state-files.ts";
import { HostError } from "./unusable.ts";

export const IDENTITY = "identity.json";

export interface Identity {
  readonly id: PeerId;
  readonly inc: string;
  /**
   * Boot number of the last start, raised before anything else is done. 0, or missing in older directories: there was
   * none.
   */
  readonly boot?: number;
  readonly cluster_id: string | null;
  /** It made its cluster. Only then may an empty log be given a genesis, and only once. */
  readonly founder: boolean;
}

/** The identity of the directory; null: it has none yet. Throws HostError. */
export function readIdentity(disk: Disk): Identity | null {
  let stored: Identity | null;
  try {
    stored = readState(disk, IDENTITY) as Identity | null;
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new HostError(
      `${IDENTITY} is damaged: restore it from a copy, or start with an empty directory and another --id`,
    );
  }
  if (stored === null && listSegments(disk).length > 0)
    throw new HostError(
      `${IDENTITY} is missing beside a log: restore it from a copy, or start with an empty directory and another --id`,
    );
  return stored;
}

/**
 * The identity for this start, of peer `id`; with a new cluster where an empty directory `founds` one. Throws
 * HostError, PortError.
 */
export function openIdentity(
  disk: Disk,
  clock: Clock,
  { id, founds }: { readonly id: PeerId; readonly founds: boolean },
): Identity {
  const stored = readIdentity(disk);
  if (stored !== null) {
    if (stored.id !== id)
      throw new HostError(
        `the data directory belongs to peer ${stored.id}, not to peer ${id}: start it with --id ${stored.id}, or choose another --data-dir`,
      );
  }
  const cluster_id = founds ? clock.word(12) : null;
  const fresh = { id, inc: clock.word(12), boot: 0, cluster_id, founder: founds };
  // A directory that has waited in vain for its seeds holds nothing of another cluster yet: it may found one instead.
  const before =
    stored === null ? fresh : stored.cluster_id === null && founds ? { ...stored, cluster_id, founder: true } : stored;
  // The number is durable before anything is done under it.
  const identity = { ...before, boot: nextBoot(clock, before) };
  replaceStateNow(disk, IDENTITY, identity);
  return identity;
}

/** The boot number of the start after the last one [E14]. */
export function nextBoot(clock: Clock, { boot = 0 }: Pick<Identity, "boot">): number {
  const next = boot + 1 + Math.floor(clock.random() * BOOT_STRIDE_MAX);
  assert(next <= BOOT_MAX, "nobody starts a directory 2²⁹ times");
  return next;
}
