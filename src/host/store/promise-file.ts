/**
 * The highest ballot that this peer has bound itself to, in two slots [D2]: an election needs only one fdatasync of the
 * disk, and no free room.
 */
import { type Ballot, ballotOf } from "../../core/ids.ts";
import type { Disk } from "../contracts.ts";
import { makeSlots, readSlots } from "./slots.ts";
import { readState } from "./state-files.ts";

export const PROMISE = "promise.slots";
/** The file with the promise, in a directory that was last used before there were slots. */
export const PROMISE_BEFORE_SLOTS = "promise.json";

/** The promise; null where none was ever given. Throws DamagedFile, PortError. */
export function readPromise(disk: Disk): Ballot | null {
  const promise = (readSlots(disk, PROMISE) ?? readState(disk, PROMISE_BEFORE_SLOTS)) as Ballot | null;
  return promise === null ? null : ballotOf(promise);
}

/**
 * Makes the file anew, durably. A process that still has the old file open then writes to a file without a name. Throws
 * PortError.
 */
export function makePromiseFile(disk: Disk, promise: Ballot): void {
  makeSlots(disk, PROMISE, promise);
  if (!disk.list("").includes(PROMISE_BEFORE_SLOTS)) return;
  disk.remove(PROMISE_BEFORE_SLOTS);
  disk.syncDirectoryNow("");
}
