/** Checkpoints: the log state at the ends of closed segments, as shortcuts for start-up. */
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
 * Writes the state at the end of a closed segment. It is only a shortcut for start-up: without it the segment is read.
 * So a disk that has no room for it is no reason to stop. Returns why it failed, or null.
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
