/**
 * The highest ballot that this peer has bound itself to, in two slots [D2]: what an election needs of the disk is one
 * fdatasync, and no room.
 */
import { type Ballot, ballotOf } from "../../core/ids.ts";
import type { Disk } from "../contracts.ts";
import { makeSlots, readSlots } from "./slots.ts";
import { readState } from "./state-files.ts";

export const PROMISE = "promise.slots";
/** What holds it in a directory that was last used before there were slots. */
export const PROMISE_BEFORE_SLOTS = "promise.json";

/** Null where none was ever given. Throws DamagedFile, PortError. */
export function readPromise(disk: Disk): Ballot | null {
  const promise = (readSlots(disk, PROMISE) ?? readState(disk, PROMISE_BEFORE_SLOTS)) as Ballot | null;
  return promise === null ? null : ballotOf(promise);
}

/** Makes the file anew, durably; writes of a process that still has the old one open go nowhere then. Throws PortError. */
export function makePromiseFile(disk: Disk, promise: Ballot): void {
  makeSlots(disk, PROMISE, promise);
  if (!disk.list("").includes(PROMISE_BEFORE_SLOTS)) return;
  disk.remove(PROMISE_BEFORE_SLOTS);
  disk.syncDirectoryNow("");
}
