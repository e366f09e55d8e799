/** Notes of the log state at the ends of closed segments: shortcuts for start-up. */
import type { LogState } from "../../core/log-state.ts";
import { type Disk, PortError } from "../contracts.ts";
import { checkpointPath, type Segment } from "./segments.ts";
import { replaceStateNow } from "./state-files.ts";

/** What a closed segment's checkpoint says besides the log state at its end. */
export interface Checkpoint {
  readonly bytes: number;
  readonly state: ReturnType<LogState["toData"]>;
}

/**
 * Notes the state at the end of a closed segment. Only a shortcut for start-up: without it the segment is read, so a disk
 * that has no room for it is no reason to stop. Returns why it could not, or null.
 */
export function writeCheckpoint(disk: Disk, segment: Segment, state: LogState): PortError | null {
  const checkpoint: Checkpoint = { bytes: segment.bytes, state: state.toData() };
  const path = checkpointPath(segment.first);
  try {
    replaceStateNow(disk, path, checkpoint, false);
    return null;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return error;
  }
}
