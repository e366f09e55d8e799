/** The identity of a data directory: its peer, its incarnation, its cluster, and its boot number. */
import type { Address } from "../../core/address.ts";
import { assert } from "../../core/assert.ts";
import { BOOT_MAX, BOOT_STRIDE_MAX } from "../../core/config.ts";
import type { Key, PeerId } from "../../core/ids.ts";
import type { Genesis } from "../../core/log-entry.ts";
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
  /** Its cluster is secured, and is spoken with in no other way [A1]. */
  readonly secure?: true;
}

/** What a start wants of a directory: to be peer `id`, and where it has no cluster to found one, a secured one or a plain. */
export interface WantedIdentity {
  readonly id: PeerId;
  readonly founds: boolean;
  /** Also of the cluster that it is to join. */
  readonly secure?: boolean;
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

/** The identity of this start. Throws HostError, PortError. */
export function openIdentity(disk: Disk, clock: Clock, wanted: WantedIdentity): Identity {
  const { id } = wanted;
  const stored = readIdentity(disk);
  if (stored !== null) {
    if (stored.id !== id)
      throw new HostError(
        `the data directory belongs to peer ${stored.id}, not to peer ${id}: start it with --id ${stored.id}, or choose another --data-dir`,
      );
  }
  const before = belongs(stored) ? stored : homeless(stored, clock, wanted);
  // The number is durable before anything is done under it.
  const identity = { ...before, boot: nextBoot(clock, before) };
  replaceStateNow(disk, IDENTITY, identity);
  return identity;
}

/** What a founder's log begins with; null for everybody else. */
export function genesisOf(
  { id, inc, cluster_id, founder, secure }: Identity,
  address: Address,
  segments: { readonly entries: number; readonly bytes: number },
  ownKey: Key | null,
): Genesis | null {
  if (!founder || cluster_id === null) return null;
  const key = secure === true && ownKey !== null ? { key: ownKey } : {};
  return {
    members: [{ id, inc, ...address, role: "voter", ...key }],
    prev_voters: [],
    ...(secure === true && { secure }),
    cluster_id,
    segment_entries: segments.entries,
    segment_bytes: segments.bytes,
  };
}

function belongs(stored: Identity | null): stored is Identity {
  return stored !== null && stored.cluster_id !== null;
}

/** One that has waited in vain for others has nothing yet that a cluster gave it: it may found one, or join another one. */
function homeless(stored: Identity | null, clock: Clock, { id, founds, secure = false }: WantedIdentity): Identity {
  const cluster_id = founds ? clock.word(12) : null;
  const inc = stored?.inc ?? clock.word(12);
  return { id, inc, boot: stored?.boot ?? 0, cluster_id, founder: founds, ...(secure && { secure }) };
}

/** The boot number of the start after the last one [E14]. */
export function nextBoot(clock: Clock, { boot = 0 }: Pick<Identity, "boot">): number {
  const next = boot + 1 + Math.floor(clock.random() * BOOT_STRIDE_MAX);
  assert(next <= BOOT_MAX, "nobody starts a directory 2²⁹ times");
  return next;
}
